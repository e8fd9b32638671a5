"""Preset seed001: decisions of a One-Class SVM are severities of alerts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.svm import OneClassSVM

import watchband as wb
from watchband.core.points import Points
from watchband.core.series import SeriesKey
from watchband.detectors import OneClassSvm
from watchband.pipeline.policy import Policy
from watchband.pipeline.raw import Raw
from watchband.pipeline.rules import Cutoff
from watchband.pipeline.seed001 import Seed001, Seed001Fit, graded
from watchband.pipeline.watch import Watch
from watchband.testing import streams

RATIOS = "cluster_cpu_request_ratio cluster_mem_request_ratio cluster_pod_ratio"


def ratios(n: int, seed: int) -> np.ndarray:
    return np.array([0.62, 0.65, 0.19]) + np.random.default_rng(seed).normal(0, [0.02, 0.03, 0.007], (n, 3))


def severity_by_the_book(decision: float) -> str:
    return "critical" if decision <= -0.5 else "warning" if decision <= -0.2 else "info"


def test_the_machine_is_scikit_learns_with_the_seeds_parameters() -> None:
    rows = ratios(161, 1)
    detector = Seed001(columns=RATIOS)
    fit = detector.fit(rows)
    assert isinstance(fit, Seed001Fit)
    scaled = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    theirs = OneClassSVM(kernel="rbf", nu=0.18, gamma="scale").fit(scaled).decision_function(scaled)
    np.testing.assert_allclose(fit.decision(rows), theirs, atol=1e-9)
    np.testing.assert_allclose(fit.score(rows), graded(theirs), atol=1e-7)
    assert 0.1 < float((fit.score(rows) > 1).mean()) < 0.26


def test_grades_rise_as_decisions_fall_and_meet_at_the_limits() -> None:
    decisions = np.linspace(3, -3, 6001)
    scores = graded(decisions)
    assert (np.diff(scores) > 0).all()
    np.testing.assert_allclose(graded(np.array([0.0, -0.2, -0.5])), [1.0, 1.5, 3.0], rtol=1e-12)


def test_three_ratios_are_judged_together_and_named() -> None:
    values = ratios(400, 2)
    values[300] = [0.62, 0.40, 0.19]
    detector = Seed001(columns=RATIOS)
    state = detector.start()
    points = Points.of(streams.times(400), values)
    score = detector.step(state, points).score
    assert np.isnan(score[:161]).all()
    assert score[300] > 3
    fit = detector.fit_of(state)
    assert fit is not None
    shares = fit.contributions(values[300:301])[0]
    assert fit.names[int(np.argmax(shares))] == "cluster_mem_request_ratio"


def test_the_severity_of_an_alert_is_that_of_its_lowest_decision() -> None:
    rng = np.random.default_rng(3)
    values = 0.62 + rng.normal(0, 0.02, 1200)
    detector = Seed001(window=161, refit_every=1000)
    times = streams.times(1200)
    watch = Watch("w", detector, Cutoff(1.0), Policy(close_after=1, close_level=1.0, level_after=1))
    results = watch.step(watch.start([SeriesKey("cluster_cpu_request_ratio")]), Raw.of(times, values))
    state = detector.start()
    detector.step(state, Points.of(times, values))
    fit = detector.fit_of(state)
    assert isinstance(fit, Seed001Fit)
    decisions = dict(zip(times.tolist(), fit.decision(values[:, None]).tolist(), strict=True))
    told = {alert.severity for alert in results.alerts}
    assert told == {"info", "warning", "critical"}
    for alert in results.alerts:
        # What lasts weighs no more here: the decision alone says it.
        assert alert.severity == severity_by_the_book(decisions[alert.peak_time])


def test_a_model_file_of_the_plain_detector_serves(tmp_path: Path) -> None:
    rows = ratios(200, 4)
    plain = OneClassSvm(features="none", columns=RATIOS, nu=0.18)
    path = str(tmp_path / "one_class_svm_final.wbm")
    fit = plain.fit(rows)
    plain.save(path, fit)
    served = Seed001(model=path)
    scores = served.step(served.start(), Points.of(streams.times(200), rows)).score
    np.testing.assert_allclose(scores, graded(fit.decision(rows)), atol=1e-9)


def test_detect_takes_it_by_name_with_its_own_rule() -> None:
    values = 0.62 + np.random.default_rng(5).normal(0, 0.01, 500)
    values[450] = 0.9
    frame = pd.DataFrame({"time": pd.to_datetime(streams.times(500)), "cluster_cpu_request_ratio": values})
    found = wb.detect(frame, detector="seed001")
    worst = max(found.alerts, key=lambda alert: alert.anomaly_score)
    assert worst.severity == "critical"
