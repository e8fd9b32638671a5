"""Gap novelty: equal to the slow version, exact while values are few, and forgetful."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.gap_novelty import gap_novelty
from watchband.core.points import Points
from watchband.core.scores import Scores
from watchband.detectors import GapNovelty
from watchband.testing import streams

PARAMETERS = [
    {"memory": 10_000, "cells": 512, "warm_up": 30},
    {"memory": 300, "cells": 16, "warm_up": 5},
    {"memory": 150, "cells": 61, "warm_up": 2},
    {"memory": 500, "cells": 8, "warm_up": 2},
    {"memory": 300, "cells": 16, "warm_up": 5, "of": "mean", "window": 4},
    {"memory": 300, "cells": 16, "warm_up": 5, "of": "deviation", "window": 12},
]
extreme = st.sampled_from([0.0, -0.0, 1.0, 5e-324, -1e-310, 1e154, -1e200, 1.7e308, -1.7e308, np.inf, np.nan])


def run(detector: GapNovelty, values: object) -> Scores:
    array = np.asarray(values, float)
    return detector.step(detector.start(), Points.of(np.arange(len(array)), array))


@pytest.mark.parametrize("parameters", PARAMETERS, ids=str)
@pytest.mark.parametrize("seed", [3, 4])
def test_equals_the_reference(parameters: dict[str, int], seed: int) -> None:
    _, values = streams.awkward(900, seed)
    values[700] = 1e200
    scores = run(GapNovelty(**parameters), values)
    score, nearest = gap_novelty(values, **parameters)
    if "of" in parameters:
        # Sums are rounded another way, and the last bits of a mean are cut off.
        np.testing.assert_allclose(scores.score, score, rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(scores.expected, nearest, rtol=1e-12, atol=1e-9)
    else:
        np.testing.assert_allclose(scores.score, score, rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(scores.expected, nearest)


def test_a_noise_that_was_never_so_small_is_new_by_its_deviation() -> None:
    values = np.random.default_rng(12).normal(0, 1, 3000)
    values[2500:2530] *= 0.02
    score = run(GapNovelty(of="deviation", window=12), values).score
    assert np.nanargmax(score[200:]) + 200 in range(2505, 2530)
    assert np.nanmax(run(GapNovelty(), values).score[2500:2530]) < 0.2


def test_values_in_another_order_have_the_same_mean() -> None:
    values = np.tile([0.1, 0.7, 0.3, 0.1, 0.3, 0.7], 200)
    for of in ("mean", "deviation"):
        score = run(GapNovelty(of=of, window=6), values).score
        assert (score[60:] == 0).all()


@given(values=st.lists(st.one_of(extreme, st.floats(), st.integers(-3, 3).map(float)), max_size=60))
def test_equals_the_reference_on_any_numbers(values: list[float]) -> None:
    score, nearest = gap_novelty(np.array(values, float), 100, 8, 3)
    scores = run(GapNovelty(memory=100, cells=8, warm_up=3), values)
    np.testing.assert_allclose(scores.score, score, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(scores.expected, nearest)
    said = scores.score[~np.isnan(scores.score)]
    assert (np.isfinite(said) & (said >= 0)).all()


def test_the_gap_is_exact_while_values_are_few() -> None:
    values = np.random.default_rng(5).integers(0, 400, 3000) / 7
    scores = run(GapNovelty(cells=400), values)
    for i in range(100, 3000, 97):
        nearest = np.abs(values[:i] - values[i]).min()
        assert abs(values[i] - scores.expected[i]) == nearest
        assert (scores.score[i] == 0) == (nearest == 0)


def test_a_full_sketch_overstates_the_gap_by_little() -> None:
    """Neighbours of a full sketch are some hundredths of a scale apart where most values are."""
    values = np.random.default_rng(6).normal(0, 1, 9000)
    scores = run(GapNovelty(), values)
    gap = np.array([np.abs(values[:i] - values[i]).min() for i in range(2000, 9000)])
    told = np.abs(values - scores.expected)[2000:]
    assert (told >= gap).all()
    assert np.quantile(told - gap, 0.99) < 0.03


def test_a_value_inside_the_range_that_never_came_is_new() -> None:
    rng = np.random.default_rng(7)
    values = np.where(rng.random(2000) < 0.5, rng.normal(10, 1, 2000), rng.normal(90, 1, 2000))
    values[1500] = 50.0
    scores = run(GapNovelty(), values)
    assert int(np.nanargmax(scores.score[100:])) == 1400
    assert scores.score[1500] > 5 * np.sort(scores.score[100:])[-2]


def test_what_came_once_is_less_new_the_second_time() -> None:
    values = streams.daily(1200, 8)
    values[600], values[900], values[1000] = 150.0, 152.0, 190.0
    score = run(GapNovelty(), values).score
    # The gap is a fortieth, and its neighbour was alone.
    assert score[900] < score[600] / 100
    assert score[900] < score[1000] < score[600]


def test_a_value_is_new_again_when_it_is_forgotten() -> None:
    values = streams.daily(1500, 9)
    values[[400, 600, 1101]] = 150.0
    score = run(GapNovelty(memory=500), values).score
    assert score[600] == 0.0
    assert score[1101] > 0.9 * score[400]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("memory", "cells"), [(2000, 64), (1000, 512), (400, 16)])
def test_sketches_meet_again_after_a_wound(memory: int, cells: int, seed: int) -> None:
    """A full sketch gives up another cell for a wound; twice its memory later both hold the same cells."""
    detector = GapNovelty(memory=memory, cells=cells)
    at = 300 + 17 * seed
    values = np.random.default_rng(seed).standard_t(3, at + 1 + detector.memory_points + memory)
    hurt = values.copy()
    hurt[at] = 1e9
    since = at + 1 + detector.memory_points
    clean, seen = run(detector, values), run(detector, hurt)
    np.testing.assert_array_equal(seen.expected[since:], clean.expected[since:])
    np.testing.assert_allclose(seen.score[since:], clean.score[since:], rtol=detector.memory_tolerance)


def test_the_overall_range_is_nowhere_used() -> None:
    values = streams.daily(3000, 10)
    far = values.copy()
    far[100] = 1e12
    plain, seen = run(GapNovelty(), values).score, run(GapNovelty(), far).score
    np.testing.assert_allclose(seen[2000:], plain[2000:], atol=0.02)


def test_a_constant_is_never_new_and_what_follows_is() -> None:
    scores = run(GapNovelty(), [*[5.0] * 100, 5.5, 5.5])
    assert (scores.score[30:100] == 0).all()
    assert scores.score[100] == pytest.approx(0.5 / 5e-12)
    assert scores.score[101] == 0
    assert run(GapNovelty(), [*[0.0] * 100, 1e-9]).score[100] == 1e9


def test_there_is_no_band() -> None:
    scores = run(GapNovelty(), [*streams.daily(200, 11), np.nan])
    for column in (scores.lower, scores.upper, scores.scale):
        assert np.isnan(column).all()
    assert np.isfinite(scores.expected[30:200]).all()
    assert np.isnan(scores.expected[200])
