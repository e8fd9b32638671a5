"""Calibrate: the laws of a fold, the inverse, honest budgets, small samples, the other rules."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from watchband.core.duration import DAY, MINUTE, SECOND
from watchband.core.errors import PointsShapeError, StateMismatchError
from watchband.core.points import Points
from watchband.core.scores import Scores
from watchband.core.state import State
from watchband.detectors.rolling_zscore import RollingZscore
from watchband.pipeline.calibrate import Calibrate, Calibrated
from watchband.pipeline.rules import Budget, Contamination, Cutoff, Rule, Sigma
from watchband.testing import streams

DETECTOR = RollingZscore(window=30)


def scored(points: Points) -> Scores:
    return DETECTOR.step(DETECTOR.start(points.series), points)


def intervals(points: Points, interval: int = MINUTE) -> np.ndarray:
    return np.full(points.series, interval)


def run(calibrate: Calibrate, points: Points, scores: Scores | None = None, **options: object) -> Calibrated:
    state = calibrate.start(points.series)
    given = {"interval_ns": intervals(points), **options}
    return calibrate.step(state, points, scores or scored(points), **given)  # type: ignore[arg-type]


def columns(calibrated: Calibrated) -> list[np.ndarray]:
    return calibrated.columns()


def plain(values: np.ndarray) -> tuple[Points, Scores]:
    """Points whose expected value is 0 and whose scale is 1."""
    points = Points.of(streams.times(len(values), MINUTE), values)
    ones, nothing = np.ones(len(values)), np.zeros(len(values))
    return points, Scores(np.abs(values), nothing, -ones, ones, ones, nothing)


def without_scale(scores: Scores) -> Scores:
    nothing = np.full(len(scores), np.nan)
    return dataclasses.replace(scores, expected=nothing, scale=nothing)


RULES: list[Rule] = [
    Budget(),
    Budget(1, 40 * MINUTE),
    Cutoff(2.5),
    Sigma(2, 100),
    Sigma(2, 0, True),
    Contamination(0.05),
]


@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize("direction", ["both", "above", "below"])
def test_cut_anywhere_and_through_bytes_the_same_bits(rule: Rule, direction: str) -> None:
    calibrate = Calibrate(rule, direction, half_life=100)
    points = streams.awkward_fleet(700, 3)
    scores = scored(points)
    whole_state = calibrate.start(points.series)
    whole = calibrate.step(whole_state, points, scores, interval_ns=intervals(points), threads=1)
    state = calibrate.start(points.series)
    sizes, done = np.diff(points.offsets), np.zeros(points.series, np.int64)
    pieces = [np.full(len(points), -1.0) for _ in range(5)]
    rng = np.random.default_rng(0)
    while (done < sizes).any():
        chosen = rng.permutation(np.flatnonzero(done < sizes))
        bounds = [(int(i), int(done[i]), min(int(done[i] + rng.integers(1, 90)), int(sizes[i]))) for i in chosen]
        batch = streams.part(points, bounds)
        index = np.concatenate([np.arange(points.offsets[i] + a, points.offsets[i] + b) for i, a, b in bounds])
        part = Scores(*(column[index] for column in scores.outputs()))
        answer = calibrate.step(state, batch, part, interval_ns=intervals(batch), threads=3)
        for target, source in zip(pieces, columns(answer), strict=True):
            target[index] = source
        for i, _, b in bounds:
            done[i] = b
        state = calibrate.load(state.to_bytes())
    for a, b in zip(columns(whole), pieces, strict=True):
        assert a.tobytes() == b.tobytes()
    assert state.same_bits(whole_state)
    assert state.nbytes == calibrate.state_bytes_max * points.series <= 8192 * points.series


@pytest.mark.parametrize("rule", [*RULES, Budget(1, DAY)], ids=str)
@pytest.mark.parametrize("direction", ["both", "above", "below"])
def test_anomalous_is_exactly_beyond_the_limit(rule: Rule, direction: str) -> None:
    rng = np.random.default_rng(7)
    for values in (
        rng.normal(size=1500),
        rng.standard_t(2, size=1500),
        rng.lognormal(size=1500),
        rng.poisson(1, 1500) * 1.0,
        np.r_[np.zeros(600), 1e9, np.zeros(600)],
    ):
        points, scores = plain(values)
        found = run(Calibrate(rule, direction), points, scores)
        known = ~np.isnan(found.anomaly_score)
        beyond = (values > found.limit_above) | (values < -found.limit_below)
        assert known.sum() > 1000
        np.testing.assert_array_equal(beyond[known], found.anomaly_score[known] > 1)


def test_a_point_without_value_gets_limits_and_teaches_nothing() -> None:
    points, scores = plain(np.random.default_rng(1).normal(size=600))
    calibrate = Calibrate()
    hurt = points.values.copy()
    hurt[500] = np.nan
    silent = scores.score.copy()
    silent[500] = np.nan
    found = run(calibrate, points.with_values(hurt), dataclasses.replace(scores, score=silent))
    assert np.isnan(found.anomaly_score[500])
    assert np.isnan(found.p_value[500])
    assert found.limit_above[500] == found.limit_above[501] > 2


def test_a_point_not_to_be_learned_is_judged_and_leaves_no_trace() -> None:
    values = np.random.default_rng(2).normal(size=900)
    values[700:760] = 30.0
    points, scores = plain(values)
    learn = np.ones(900, bool)
    learn[700:760] = False
    calibrate = Calibrate()
    state, other = calibrate.start(), calibrate.start()
    found = calibrate.step(state, points, scores, interval_ns=intervals(points), learn=learn)
    assert (found.anomaly_score[700:760] > 1).all()
    kept = np.flatnonzero(learn)
    part = Scores(*(column[kept] for column in scores.outputs()))
    calibrate.step(other, Points.of(points.times[kept], values[kept]), part, interval_ns=intervals(points))
    assert all(state.arrays[k].tobytes() == other.arrays[k].tobytes() for k in state.arrays)


def test_an_excluded_point_is_judged_by_expected_and_scale() -> None:
    points, scores = plain(np.r_[np.random.default_rng(3).normal(size=500), 40.0])
    unseen = scores.score.copy()
    unseen[-1] = np.nan
    found = run(Calibrate(), points, dataclasses.replace(scores, score=unseen))
    assert found.anomaly_score[-1] > 1


@pytest.mark.parametrize("sign", [1, -1])
def test_a_huge_jump_is_found_after_thirty_points(sign: int) -> None:
    for seed in range(20):
        points, scores = plain(np.r_[np.random.default_rng(seed).normal(size=30), 12.5 * sign])
        found = run(Calibrate(Budget(1, DAY)), points, scores, interval_ns=np.array([SECOND]))
        assert found.anomaly_score[-1] > 1
        assert found.confidence[-1] < 0.1
        assert np.nanmax(found.anomaly_score[:-1]) < 0.5


def test_early_on_the_margin_is_wider() -> None:
    points, scores = plain(np.random.default_rng(4).normal(size=5000))
    found = run(Calibrate(), points, scores)
    assert found.limit_above[50] > 1.8 * found.limit_above[4999]
    assert found.confidence[50] < 0.1
    assert found.confidence[4999] == 1


def test_scores_without_a_scale_wait_for_their_tail() -> None:
    rng = np.random.default_rng(5)
    points, scores = plain(rng.normal(size=1000))
    strange = without_scale(scores)
    strange.score[[200, 900]] = 50.0
    found = run(Calibrate(), points, strange)
    assert np.isnan(found.anomaly_score[:250]).all()
    assert found.anomaly_score[900] > 1
    assert np.isnan(found.limit_above).all()


@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e4])
def test_scores_without_a_scale_in_any_unit(unit: float) -> None:
    rng = np.random.default_rng(6)
    points, scores = plain(rng.exponential(size=4000) * unit)
    strange = without_scale(scores)
    strange.score[-1] = 40 * unit
    found = run(Calibrate(Budget(1, 1440 * MINUTE)), points, strange)
    assert found.anomaly_score[-1] > 1
    assert (found.anomaly_score[:-1] > 1).sum() <= 6


def test_repeated_equal_values_are_not_news() -> None:
    values = np.random.default_rng(8).normal(size=6000)
    values[3000::20] = 15.0
    points, scores = plain(values)
    found = run(Calibrate(Budget(1, 1440 * MINUTE)), points, scores)
    strange = found.anomaly_score[3000::20] > 1
    assert strange[0]
    assert not strange[40:].any()


def test_hostile_scores_stay_finite() -> None:
    values = np.random.default_rng(9).normal(size=1200)
    values[300:320] = [1e300, -1e300, 1e-300, np.inf, np.nan] * 4
    points, scores = plain(values)
    scores.score[~np.isfinite(values)] = np.nan
    scores.scale[600:610] = 0.0
    scores.score[600:610] = np.finfo(float).max
    calibrate = Calibrate()
    state = calibrate.start()
    found = calibrate.step(state, points, scores, interval_ns=intervals(points))
    assert all(np.isfinite(a).all() for a in state.arrays.values())
    said = found.anomaly_score[~np.isnan(found.anomaly_score)]
    assert np.isfinite(said).all()
    assert (said >= 0).all()


def test_cutoff_compares_the_score() -> None:
    points, scores = plain(np.array([1.0, 2.999, 3.0, 3.001, -4.0]))
    found = run(Calibrate(Cutoff(3.0)), points, scores)
    assert (found.anomaly_score > 1).tolist() == [False, False, False, True, True]
    assert (found.limit_above == 3).all()
    above = run(Calibrate(Cutoff(3.0), "above"), points, scores)
    assert (above.anomaly_score > 1).tolist() == [False, False, False, True, False]
    assert np.isinf(above.limit_below).all()


def test_sigma_is_mean_and_deviations_of_its_training() -> None:
    values = np.abs(np.random.default_rng(10).normal(5, 1, 400))
    points, scores = plain(values)
    found = run(Calibrate(Sigma(2.0, 100)), points, scores)
    cut = values[:100].mean() + 2 * values[:100].std()
    assert np.isnan(found.anomaly_score[:100]).all()
    np.testing.assert_allclose(found.anomaly_score[100:], values[100:] / cut, rtol=1e-12)
    running = run(Calibrate(Sigma(2.0)), points, scores)
    cut = values[:399].mean() + 2 * values[:399].std()
    np.testing.assert_allclose(running.anomaly_score[399], values[399] / cut, rtol=1e-12)


def test_robust_sigma_is_median_and_median_deviation() -> None:
    values = np.abs(np.random.default_rng(11).normal(5, 1, 900))
    values[:800:20] = 500.0
    points, scores = plain(values)
    found = run(Calibrate(Sigma(3.0, 800, True), half_life=1e6), points, scores)
    middle = np.median(values[:800])
    cut = middle + 3 * 1.4826 * np.median(np.abs(values[:800] - middle))
    np.testing.assert_allclose(found.limit_above[850], cut, rtol=0.05)


def test_contamination_flags_its_share() -> None:
    points, scores = plain(np.random.default_rng(12).exponential(size=20_000))
    found = run(Calibrate(Contamination(0.03)), points, scores)
    assert np.nanmean(found.anomaly_score > 1) == pytest.approx(0.03, rel=0.15)


def test_a_budget_may_change_on_a_running_state_a_rule_may_not() -> None:
    state = Calibrate(Budget(1)).start()
    points, scores = plain(np.zeros(3))
    Calibrate(Budget(9, DAY)).step(state, points, scores, interval_ns=intervals(points))
    for other in (Calibrate(Cutoff(3.0)), Calibrate(direction="above"), Calibrate(half_life=300.0)):
        with pytest.raises(StateMismatchError, match="start cold"):
            other.load(state.to_bytes())
    assert isinstance(Calibrate().load(state.to_bytes()), State)


def test_lengths_must_fit() -> None:
    points, scores = plain(np.zeros(3))
    calibrate = Calibrate()
    with pytest.raises(PointsShapeError, match="3 points and intervals for 1 slices"):
        calibrate.step(calibrate.start(), points, scores, interval_ns=np.array([MINUTE, MINUTE]))
