"""Calibrate keeps what a budget promises, on every kind of clean series; and equals its slow reference."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from tests.reference.calibrate import nats
from watchband.core.detector import Detector
from watchband.core.duration import MINUTE, WEEK
from watchband.core.points import Float64, Points
from watchband.core.scores import Scores
from watchband.detectors.ewma import Ewma
from watchband.detectors.residual import Residual
from watchband.detectors.rolling_zscore import RollingZscore
from watchband.pipeline.calibrate import Calibrate
from watchband.pipeline.rules import Budget
from watchband.testing import streams
from watchband.testing.nulls import NULLS, STILL, openings

ONE_IN = 1440
SERIES, POINTS = 20, 6000
BUDGET = Budget(1, ONE_IN * MINUTE)


QUIETER = {
    # High scores come at the same hours, so there are fewer incidents than the points of their tail suggest.
    ("rolling_zscore", "sine and noise"): 0.4,
    # The noise of every hour is learned for days; until then some hours have too wide a band.
    ("residual", "noise by the hour"): 0.2,
}
"""Least share of the promise where a detector and a null together alert less than they may."""


def alerts(values: Float64, detector: Detector, budget: Budget = BUDGET) -> list[int]:
    series, n = values.shape
    points = Points.fleet([(streams.times(n, 5 * MINUTE), row) for row in values])
    scores = detector.step(detector.start(series), points)
    calibrate = Calibrate(budget)
    interval = np.full(series, MINUTE)
    found = calibrate.step(calibrate.start(series), points, scores, interval_ns=interval).anomaly_score
    return [at for row in found.reshape(series, n) for at in openings(row)]


@pytest.mark.parametrize("null", NULLS)
@pytest.mark.parametrize("detector", [RollingZscore(), Residual()], ids=lambda d: d.name)
def test_a_budget_is_kept(null: str, detector: Detector) -> None:
    values = NULLS[null](np.random.default_rng(5), (SERIES, POINTS))
    promised = values.size / ONE_IN
    assert promised > 30
    ratio = len(alerts(values, detector)) / promised
    least = QUIETER.get((detector.name, null), 0.5)
    assert least <= ratio <= 2, f"{ratio:.2f} of the promise"


@pytest.mark.parametrize("null", STILL)
@pytest.mark.parametrize("detector", [RollingZscore(), Residual(), Ewma()], ids=lambda d: d.name)
def test_what_repeats_raises_nothing(null: str, detector: Detector) -> None:
    assert alerts(STILL[null](np.random.default_rng(6), (1, POINTS)), detector) == []


@pytest.mark.parametrize("null", NULLS)
@pytest.mark.parametrize("detector", [RollingZscore(), Residual(), Ewma()], ids=lambda d: d.name)
def test_warm_up_keeps_the_budget_too(null: str, detector: Detector) -> None:
    """The first 250 points of which anything is said, over many series: at most twice the promise."""
    values = NULLS[null](np.random.default_rng(7), (150, 320))
    assert len(alerts(values, detector)) <= 2 * values.size / ONE_IN


def test_a_smaller_budget_is_kept() -> None:
    values = np.random.default_rng(8).normal(size=(40, 8000))
    found = len(alerts(values, RollingZscore(), Budget(1, 10_000 * MINUTE)))
    assert 0.5 <= found / (values.size / 10_000) <= 2


@pytest.mark.parametrize("null", ["gaussian", "student 3", "poisson 0.3", "poisson 20"])
def test_equals_the_reference(null: str) -> None:
    values = NULLS[null](np.random.default_rng(9), (1, 1100))[0]
    values[[300, 700, 701, 702]] = [9, 30, 31, -28]
    values[900:930] += 25
    half_life = 400.0
    points = Points.of(streams.times(len(values), MINUTE), values)
    ones, nothing = np.ones(len(values)), np.zeros(len(values))
    scores = Scores(np.abs(values), nothing, -ones, ones, ones, nothing)
    calibrate = Calibrate(BUDGET, half_life=half_life)
    found = calibrate.step(calibrate.start(), points, scores, interval_ns=np.array([MINUTE]))
    expected = nats(values, half_life)
    np.testing.assert_array_equal(np.isnan(found.p_value), np.isnan(expected))
    # The tail is tabulated in the kernel: interpolation may cost some per cent of ln p.
    np.testing.assert_allclose(-np.log(found.p_value), expected, rtol=0.05, atol=0.02)


@pytest.mark.data
def test_real_metrics_open_about_the_alerts_that_were_budgeted(nab: Path) -> None:
    detector, calibrate = Residual(), Calibrate(Budget(1, WEEK))
    series = []
    for path in sorted(nab.rglob("*.csv")):
        with path.open() as lines:
            rows = list(csv.DictReader(lines))
        times = np.array([row["timestamp"] for row in rows], "datetime64[ns]").astype(np.int64)
        times, first = np.unique(times, return_index=True)
        series.append((times, np.array([float(row["value"]) for row in rows])[first]))
    points = Points.fleet(series)
    interval = np.array([int(np.median(np.diff(times))) for times, _ in series])
    scores = detector.step(detector.start(len(series)), points)
    found = calibrate.step(calibrate.start(len(series)), points, scores, interval_ns=interval)
    opened = sum(len(openings(found.anomaly_score[span])) for _, span in points.slices())
    weeks = sum(int(times[-1] - times[0]) for times, _ in series) / WEEK
    assert len(series) == 58
    assert 0.7 <= opened / weeks <= 1.3
