"""Questions asked of the trees equal their slow versions given the same trees, and mean what they say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.reference import random_cut_questions as slow
from tests.reference.random_cut_forest import Forest, random_cut_forest
from watchband.core.errors import InvalidParameterError, PointsShapeError
from watchband.core.points import Points
from watchband.core.state import State
from watchband.detectors import RandomCutForest
from watchband.testing import streams

SMALL: dict[str, Any] = {"trees": 5, "samples": 16, "shingle": 3, "memory": 20, "warm_up": 5, "seed": 3}
SEASON = 96


def learned(detector: RandomCutForest, values: np.ndarray) -> State:
    state = detector.start()
    detector.step(state, Points.of(np.arange(len(values)), values))
    return state


def pair(values: np.ndarray) -> tuple[RandomCutForest, State, Forest]:
    """The same forest twice: the kernel's and the slow one."""
    values = values.reshape(len(values), -1)
    forest = Forest(**SMALL)
    for row in values:
        forest.take_in(row)
        forest.fold()
    detector = RandomCutForest(**SMALL, dims=values.shape[1])
    return detector, learned(detector, values), forest


def wave(n: int, seed: int = 1) -> np.ndarray:
    phase = 2 * np.pi * np.arange(n) / SEASON
    noise = np.random.default_rng(seed).normal(0, 0.3, n)
    return 10 * np.sin(phase) + 4 * np.sin(2 * phase) + noise


def streams_of(dims: int) -> list[np.ndarray]:
    """Every value its own; few distinct ones, so that leaves hold several samples and distances tie."""
    rng = np.random.default_rng(5)
    smooth = rng.normal(size=(150, dims)).cumsum(axis=0)
    return [smooth, np.round(rng.normal(size=(150, dims)))]


@pytest.mark.parametrize("dims", [1, 3])
@pytest.mark.parametrize("which", [0, 1])
def test_imputation_equals_the_reference(dims: int, which: int) -> None:
    values = streams_of(dims)[which]
    detector, state, forest = pair(values)
    for hole in ([2 * dims], [0], [dims, 3 * dims - 1], list(range(2 * dims, 3 * dims))):
        window = values[40:43].ravel().copy()
        window[hole] = np.nan
        wanted = slow.imputed(forest.forest, window.astype(np.float32), np.isfinite(window))
        filled = detector.impute(state, window.reshape(3, dims))
        np.testing.assert_allclose(filled.ravel()[hole], wanted[hole], rtol=1e-12)
        np.testing.assert_array_equal(filled.ravel()[np.isfinite(window)], window[np.isfinite(window)])


@pytest.mark.parametrize("dims", [1, 3])
@pytest.mark.parametrize("which", [0, 1])
def test_neighbours_equal_the_reference(dims: int, which: int) -> None:
    values = streams_of(dims)[which]
    detector, state, forest = pair(values)
    window = np.random.default_rng(7).normal(size=(3, dims)) * 2
    point = window.ravel().astype(np.float32)
    near = {number: (d, v) for d, number, v in slow.nearest(forest.forest, point, np.ones(3 * dims, bool))}
    wanted = sorted((d, len(values) - 1 - number, v) for number, (d, v) in near.items() if number < len(values) - 1)
    found = detector.neighbours(state, window, count=5)
    for at in range(5):
        if at < len(wanted):
            assert found.distance[0, at] == wanted[at][0]
            assert found.ago[0, at] == wanted[at][1]
            np.testing.assert_array_equal(found.values[0, at].ravel(), wanted[at][2].astype(float))
        else:
            assert found.ago[0, at] == -1
            assert np.isnan(found.distance[0, at])


@pytest.mark.parametrize("dims", [1, 3])
@pytest.mark.parametrize("which", [0, 1])
def test_the_forecast_equals_the_reference(dims: int, which: int) -> None:
    """Also where the ring has begun anew: 6 * memory is 120."""
    detector, state, forest = pair(streams_of(dims)[which])
    told = detector.forecast(state, 30, level=0.6)
    wanted = slow.ahead(forest.forest, forest.rows, 3, 30, 0.2)
    for found, part in zip((told.values, told.lower, told.upper), wanted, strict=True):
        np.testing.assert_allclose(found[0], part, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dims", [1, 3])
@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("power", [1.0, 2.5])
def test_density_equals_the_reference(dims: int, which: int, power: float) -> None:
    values = streams_of(dims)[which]
    detector, state, forest = pair(values)
    for window in (values[60:63], values[60:63] * 1.5 + 0.1, values[60:63] + 100):
        wanted = slow.density(forest.forest, window.ravel().astype(np.float32), power)
        found = detector.density(state, window.reshape(3, dims), power=power)
        np.testing.assert_allclose(found.above.ravel(), wanted[0], rtol=1e-5, atol=1e-12)
        np.testing.assert_allclose(found.below.ravel(), wanted[1], rtol=1e-5, atol=1e-12)


@pytest.mark.parametrize("missing", ["forest", "last"])
def test_expected_values_and_scores_equal_the_reference(missing: str) -> None:
    _, values = streams.awkward(200, 3)
    wanted = np.full((200, 1), np.nan)
    scores = random_cut_forest(values[:, None], **SMALL, missing=missing, expected=wanted)
    detector = RandomCutForest(**SMALL, missing=missing, expected=True)
    found = detector.step(detector.start(), Points.of(np.arange(200), values))
    np.testing.assert_allclose(found.score, scores, rtol=1e-12)
    np.testing.assert_allclose(found.expected, wanted[:, 0], rtol=1e-12)
    assert np.isfinite(found.expected[np.isnan(values)]).any()


def test_asking_and_expecting_change_nothing_that_is_learned() -> None:
    values = wave(600)
    detector, bare = RandomCutForest(**SMALL, expected=True), RandomCutForest(**SMALL)
    one, two = learned(detector, values[:400]), learned(bare, values[:400])
    assert one.same_bits(two)
    for question in (detector.density, detector.neighbours):
        question(one)
        question(one, values[100:103])
    detector.forecast(one, 5)
    one.derived.clear()
    detector.impute(one, [1.0, np.nan, 2.0])
    assert one.same_bits(two)
    rest = Points.of(np.arange(400, 600), values[400:])
    assert np.array_equal(detector.step(one, rest).score, bare.step(two, rest).score)
    assert one.same_bits(two)


def test_missing_values_do_not_look_strange() -> None:
    """A metric that falls while its values are missing: standing still would be a shape never seen."""
    values = wave(3000)
    holes = np.zeros(3000, bool)
    holes[[2400 + 97 * k + j for k in range(5) for j in range(3)]] = True
    after = np.flatnonzero(np.convolve(holes, np.ones(8))[:3000] * ~holes)
    scores = {}
    for missing in ("forest", "last"):
        hurt = np.where(holes, np.nan, values)
        scores[missing] = learned_scores(RandomCutForest(missing=missing), hurt)[after].mean()
    clean = learned_scores(RandomCutForest(), values)[after].mean()
    assert scores["forest"] < 1.1 * clean
    assert scores["forest"] < 0.9 * scores["last"]


def learned_scores(detector: RandomCutForest, values: np.ndarray) -> np.ndarray:
    return detector.step(detector.start(), Points.of(np.arange(len(values)), values)).score


def test_a_value_in_the_middle_of_a_wave_is_found_again() -> None:
    values = wave(2000)
    detector = RandomCutForest()
    state = learned(detector, values)
    windows = np.stack([values[at : at + 8] for at in range(1000, 1096)])
    truth = windows[:, 4].copy()
    windows[:, 4] = np.nan
    errors = detector.impute(state, windows)[:, 4, 0] - truth
    straight = (windows[:, 3] + windows[:, 5]) / 2 - truth
    assert np.abs(errors).mean() < 0.45
    assert np.abs(errors).mean() < 1.3 * np.abs(straight).mean()


@pytest.mark.parametrize("transform", ["none", "normalise"])
def test_a_forecast_beats_standing_still_and_the_last_season(transform: str) -> None:
    values = wave(3000)
    detector = RandomCutForest(transform=transform)
    state = detector.start()
    errors = {"forest": 0.0, "still": 0.0, "season": 0.0}
    for at in range(2000, 2900, 50):
        begin = 0 if at == 2000 else at - 50
        detector.step(state, Points.of(np.arange(begin, at), values[begin:at]))
        truth = values[at : at + 48]
        told = detector.forecast(state, 48).values[0, :, 0]
        errors["forest"] += np.abs(told - truth).mean()
        errors["still"] += np.abs(values[at - 1] - truth).mean()
        errors["season"] += np.abs(values[at - SEASON : at - SEASON + 48] - truth).mean()
    assert errors["forest"] < 0.2 * errors["still"]
    assert errors["forest"] < (1.0 if transform == "none" else 1.3) * errors["season"]


def test_a_random_walk_with_differences_is_expected_to_stay_about_where_it_is() -> None:
    values = np.random.default_rng(9).normal(size=3000).cumsum() + 1000
    detector = RandomCutForest(transform="difference")
    told = detector.forecast(learned(detector, values), 20, level=0.9)
    assert np.abs(told.values[0, :, 0] - values[-1]).max() < 5
    width = (told.upper - told.lower)[0, :, 0]
    assert width[-1] > 2.5 * width[0]


def test_density_tells_a_cluster_from_its_surroundings_and_the_side() -> None:
    rng = np.random.default_rng(11)
    values = np.r_[rng.normal([0, 0], 0.2, (600, 2)), rng.normal([5, 5], 0.2, (600, 2))]
    values = rng.permutation(values)
    detector = RandomCutForest(shingle=1, dims=2)
    state = learned(detector, values)
    places = np.array([[0.0, 0.0], [5.0, 5.0], [2.5, 2.5], [0.0, 1.5], [30.0, 0.0]])
    found = detector.density(state, places[:, None])
    dense, other, between, beside, far = found.total
    assert min(dense, other) > 20 * max(between, beside)
    assert min(between, beside) > 5 * far
    assert found.above[4, 0, 0] > 0.9 * far


def test_neighbours_are_whole_seasons_ago() -> None:
    values = wave(3000)
    detector = RandomCutForest()
    found = detector.neighbours(learned(detector, values), count=5, least_ago=20)
    phase = (found.ago[0] + SEASON // 2) % SEASON - SEASON // 2
    assert (np.abs(phase) <= 3).sum() >= 4
    assert (np.diff(found.distance[0]) >= 0).all()
    for ago, there in zip(found.ago[0], found.values[0, :, :, 0], strict=True):
        np.testing.assert_allclose(there, values[2999 - ago - 7 : 3000 - ago], rtol=1e-6)


@pytest.mark.parametrize("transform", ["difference", "normalise"])
def test_answers_are_in_units_of_the_metric(transform: str) -> None:
    values = 1e5 + 100 * wave(3000)
    detector = RandomCutForest(transform=transform, expected=True)
    state = detector.start()
    scores = detector.step(state, Points.of(np.arange(3000), values))
    assert np.abs(scores.expected - values)[1000:].mean() < 150
    window = values[2000:2009] if transform == "difference" else values[2000:2008]
    hole = window.copy()
    hole[4] = np.nan
    assert abs(detector.impute(state, hole)[0, 4, 0] - window[4]) < 200
    near = detector.neighbours(state, count=1, least_ago=20)
    assert np.abs(near.values[0, 0, :, 0] - values[-8:]).max() < 500


def test_nothing_is_said_before_a_quarter_of_the_samples() -> None:
    detector = RandomCutForest(**SMALL)
    state = learned(detector, np.arange(6.0))
    assert np.isnan(detector.forecast(state, 3).values).all()
    assert np.isnan(detector.density(state).total).all()
    assert (detector.neighbours(state).ago == -1).all()
    assert np.isnan(detector.impute(state, [1.0, np.nan, 2.0])[0, 1, 0])


def test_a_fleet_is_asked_row_by_row() -> None:
    one, two = wave(800), wave(800, 2) * 3
    detector = RandomCutForest(**SMALL)
    state = detector.start(2)
    detector.step(state, Points.fleet([(np.arange(800), one), (np.arange(800), two)]))
    alone = learned(detector, two)
    told, other = detector.forecast(state, 4), detector.forecast(alone, 4)
    np.testing.assert_array_equal(told.values[1], other.values[0])
    window = two[100:103]
    np.testing.assert_array_equal(detector.density(state, window, row=1).above, detector.density(alone, window).above)


def test_wrong_questions_are_refused() -> None:
    detector = RandomCutForest(**SMALL)
    state = learned(detector, wave(100))
    with pytest.raises(PointsShapeError, match="windows of 3 points of 1"):
        detector.density(state, [1.0, 2.0])
    with pytest.raises(PointsShapeError, match="Row 4 is not in this state"):
        detector.impute(state, [1.0, 2.0, 3.0], row=4)
    for wrong in ({"horizon": 0}, {"horizon": 3, "level": 1.0}):
        with pytest.raises(InvalidParameterError, match="horizon"):
            detector.forecast(state, **wrong)
    with pytest.raises(InvalidParameterError, match="power"):
        detector.density(state, power=0.0)
    with pytest.raises(InvalidParameterError, match="count"):
        detector.neighbours(state, count=0)
