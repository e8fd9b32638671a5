"""Metrics that count: a plain 0 is no news, the band ends on whole numbers, and what never came still is an anomaly."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from watchband.core.detector import Detector
from watchband.core.duration import MINUTE
from watchband.core.points import Float64, Points
from watchband.core.scores import Scores
from watchband.core.series import SeriesKey
from watchband.detectors import Residual, RollingZscore, SeasonalBand
from watchband.pipeline.calibrate import LIFE, VOTER, Calibrate, Calibrated
from watchband.pipeline.raw import Raw
from watchband.pipeline.results import Results
from watchband.pipeline.rules import Budget
from watchband.pipeline.watch import Watch
from watchband.testing import streams

ONE_IN = 1440
DETECTORS = [SeasonalBand(), RollingZscore(), Residual()]


def watched(detector: Detector, values: Float64, one_in: int = ONE_IN) -> Results:
    series, n = values.shape
    watch = Watch("w", detector, Budget(1, one_in * 5 * MINUTE))
    state = watch.start([SeriesKey(f"m{i}") for i in range(series)])
    times = streams.times(n, 5 * MINUTE)
    return watch.step(state, Raw.fleet([(times, row) for row in values]), flush=True)


@pytest.mark.parametrize("rate", [0.05, 0.1, 0.3, 1.0])
@pytest.mark.parametrize("detector", DETECTORS, ids=lambda d: d.name)
def test_a_plain_zero_is_no_news_and_the_band_stays_exact(detector: Detector, rate: float) -> None:
    values = np.random.default_rng(5).poisson(rate, (10, 6000)).astype(np.float64)
    results = watched(detector, values)
    strange = results.anomaly_score > 1
    assert not (strange & (results.y == 0)).any()
    outside = (results.y > results.yhat_upper) | (results.y < results.yhat_lower)
    np.testing.assert_array_equal(outside, strange)
    assert len(results.alerts) <= 2 * values.size / ONE_IN


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda d: d.name)
@pytest.mark.parametrize("rate", [0.3, 20.0])
def test_the_band_of_counts_ends_on_whole_numbers(detector: Detector, rate: float) -> None:
    values = np.random.default_rng(6).poisson(rate, (1, 3000)).astype(np.float64)
    results = watched(detector, values)
    for edge in (results.yhat_lower, results.yhat_upper):
        late = edge[500:]
        ends = late[np.isfinite(late)]
        off = np.abs(ends - np.round(ends)) > 1e-9 * np.maximum(1, np.abs(ends))
        # A band between two whole numbers has none to end on.
        assert off.mean() < 0.01
        assert len(ends) > 2000 or edge is results.yhat_lower


def given(values: Float64, expected: Float64 | float, scale: float = 1.0) -> tuple[Points, Scores]:
    n = len(values)
    level, width = np.broadcast_to(expected, n).astype(float).copy(), np.full(n, scale)
    points = Points.of(streams.times(n, MINUTE), values)
    return points, Scores(np.abs(values - level) / width, level, level - width, level + width, width, np.zeros(n))


def run(points: Points, scores: Scores) -> Calibrated:
    calibrate = Calibrate(Budget(1, ONE_IN * MINUTE))
    return calibrate.step(calibrate.start(), points, scores, interval_ns=np.array([MINUTE]))


def test_what_never_came_is_news_however_near() -> None:
    values = np.full(3000, 3.0)
    values[::7] = 4.0
    values[2500] = 2.0
    found = run(*given(values, 3.1, 0.2))
    assert found.anomaly_score[2500] > 1
    assert not (found.anomaly_score[300:2500] > 1).any()


def test_zeros_of_the_night_do_not_excuse_one_by_day() -> None:
    rng = np.random.default_rng(7)
    day = np.arange(6000) // 144 % 2 == 1
    values = np.where(day, rng.poisson(100, 6000), rng.poisson(0.05, 6000)).astype(float)
    assert day[5980]
    values[5980] = 0.0
    points, scores = given(values, np.where(day, 100.0, 0.3), 10.0)
    found = run(points, scores)
    assert found.anomaly_score[5980] > 1
    assert not ((found.anomaly_score > 1) & ~day).any()


def test_one_fraction_and_the_metric_counts_nothing_for_a_hundred_points() -> None:
    values = np.random.default_rng(8).poisson(20, 2000).astype(float)
    values[1500] = 20.5
    found = run(*given(values, 20.1, 4.4))
    upper = 20.1 + 4.4 * found.limit_above
    whole = np.abs(upper - np.round(upper)) < 1e-9
    assert whole[600:1500].all()
    assert not whole[1500:1600].any()
    assert whole[1602:].all()


@pytest.mark.parametrize("weights", [(1.0,), (0.6, 0.4)])
def test_states_from_before_counts_are_read(weights: tuple[float, ...]) -> None:
    calibrate = Calibrate(weights=weights)
    points, scores = given(np.random.default_rng(9).normal(size=900), 0.0)
    scores = dataclasses.replace(scores, members=tuple(scores.score for _ in weights[1:]))
    state = calibrate.start()
    calibrate.step(state, points, scores, interval_ns=np.array([MINUTE]))
    life = state.arrays["life"]
    assert not life[:, LIFE - 10 : LIFE].any(), "nothing was counted here"
    known = LIFE + VOTER * (len(weights) - 1)
    # What later versions keep behind the voters begins empty, too.
    life[:, known:] = 0
    older = dataclasses.replace(
        state, version=1, arrays={**state.arrays, "life": np.delete(life[:, :known], np.s_[29:39], axis=1)}
    )
    assert calibrate.load(older.to_bytes()).same_bits(state)


def test_a_member_that_cannot_judge_rare_events_is_not_heard_there() -> None:
    rng = np.random.default_rng(10)
    points, scores = given(rng.poisson(0.3, 1500).astype(float), 0.3)
    scores = dataclasses.replace(scores, members=(rng.exponential(size=1500),))
    heard, deaf = (
        Calibrate(Budget(1, ONE_IN * MINUTE), weights=(0.5, 0.5), sparse=(True, sparse)) for sparse in (True, False)
    )
    interval = np.array([MINUTE])
    loud = heard.step(heard.start(), points, scores, interval_ns=interval)
    quiet = deaf.step(deaf.start(), points, scores, interval_ns=interval)
    assert np.isfinite(loud.members[1][400:]).all()
    assert np.isnan(quiet.members[1]).all()
    alone = run(points, dataclasses.replace(scores, members=()))
    np.testing.assert_array_equal(quiet.limit_above, alone.limit_above)
    # Where many are expected it is heard.
    many = dataclasses.replace(scores, expected=np.full(1500, 9.0))
    assert np.isfinite(deaf.step(deaf.start(), points, many, interval_ns=interval).members[1][400:]).all()
