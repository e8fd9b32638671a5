"""Thresholded forest: equals the slow version; one anomaly once; what is near to the expected passes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.reference.random_cut_forest import Forest
from tests.reference.thresholded_forest import thresholded_forest
from watchband.core.points import Points
from watchband.detectors import RandomCutForest, ThresholdedForest
from watchband.testing import streams

SMALL: dict[str, Any] = {"trees": 5, "samples": 16, "shingle": 3, "memory": 20, "warm_up": 5, "seed": 3}


def points_of(values: np.ndarray) -> Points:
    return Points.of(np.arange(len(values)), values)


def noisy_sine(n: int, seed: int = 1) -> np.ndarray:
    return np.sin(np.arange(n) / 10) + np.random.default_rng(seed).normal(0, 0.05, n)


@pytest.mark.parametrize("margin", [(0.0, 0.0, 0.0, 0.0), (3.0, 0.0, 0.0, 0.5)])
@pytest.mark.parametrize("dims", [1, 2])
def test_equals_the_reference(dims: int, margin: tuple[float, float, float, float]) -> None:
    rng = np.random.default_rng(6)
    values = rng.normal(10, 1, (160, dims))
    values[rng.random(160) < 0.04, 0] = np.nan
    values[0] = 10
    values[40::9, dims - 1] += rng.choice([-5.0, 2.5, 5.0, 8.0], len(values[40::9]))
    wanted = thresholded_forest(values, Forest(**SMALL), 2.0, 0.5, margin)
    names = ("ignore_above", "ignore_below", "ignore_above_ratio", "ignore_below_ratio")
    detector = ThresholdedForest(**SMALL, dims=dims, factor=2.0, score_min=0.5, **dict(zip(names, margin, strict=True)))
    scores, found = detector.detect(detector.start(), points_of(values))
    np.testing.assert_allclose(scores.score, wanted[:, 0], rtol=1e-6, atol=1e-9)
    where = np.flatnonzero(wanted[:, 0] > 0)
    assert len(where) >= 5
    assert [told["time"] for told in found] == where.tolist()
    for told, (_, threshold, confidence, ago, back, expected) in zip(found, wanted[where], strict=True):
        np.testing.assert_allclose([told["threshold"], told["confidence"]], [threshold, confidence], rtol=1e-9)
        assert (told["points_ago"], told["past_points_ago"]) == (ago, back)
        mine = np.nan if told["expected"][0] is None else told["expected"][0]
        np.testing.assert_allclose(mine, expected, rtol=1e-12)


def test_detect_is_step_with_words() -> None:
    values = noisy_sine(800)
    values[[500, 600]] += 3
    detector = ThresholdedForest(**SMALL)
    one, two = detector.start(), detector.start()
    scores = detector.step(one, points_of(values))
    found, told = detector.detect(two, points_of(values))
    assert found.same_bits(scores)
    assert one.same_bits(two)
    assert len(told) == (scores.score > 0).sum()


def test_what_is_learned_is_what_a_forest_learns() -> None:
    _, values = streams.awkward(400, 8)
    forest, graded = RandomCutForest(**SMALL), ThresholdedForest(**SMALL)
    one, two = forest.start(), graded.start()
    forest.step(one, points_of(values))
    graded.step(two, points_of(values))
    assert all(np.array_equal(one.arrays[name], two.arrays[name]) for name in one.arrays)


def test_a_spike_is_told_once_with_what_was_expected() -> None:
    """Its shingles stay strange for seven more points; they began with the same one."""
    values = noisy_sine(2000)
    usual = values[1500]
    values[1500] += 3
    detector = ThresholdedForest()
    scores, found = detector.detect(detector.start(), points_of(values), names=["load"])
    here = [told for told in found if 1500 <= told["time"] < 1510]
    assert len(here) == 1
    told = here[0]
    assert told["grade"] == 1.0
    assert told["confidence"] == 1.0
    assert (told["time"], told["points_ago"]) == (1500, 0)
    assert told["actual"] == [pytest.approx(values[1500], rel=1e-6)]
    assert abs(told["expected"][0] - usual) < 0.3
    assert abs(told["past"][0] - usual) < 0.5
    assert told["attribution"]["load"]["DIRECTION"] == "HIGH"
    assert told["attribution"]["load"]["ATTRIBUTION_SCORE"] == pytest.approx(told["score"])
    assert scores.expected[1500] == told["expected"][0]
    assert len(found) < 12


def test_late_attribution_says_which_point_began_it() -> None:
    """A small step in a quiet metric shows when the wave goes on wrongly: told later, of the point before."""
    values = np.round(np.sin(np.arange(2000) / 10), 2)
    values[1500] += 0.5
    detector = RandomCutForest()
    scores, _, told = detector.explain(detector.start(), points_of(values), above=0.0)
    after = np.argmax(scores.score[1500:1508])
    assert told.points_ago[1500 + after] == after
    np.testing.assert_allclose(told.actual[1500 + after, 0], values[1500], rtol=1e-6)
    assert abs(told.expected[1500 + after, 0] - np.sin(150)) < 0.1


@pytest.mark.parametrize(
    ("size", "allowed"),
    [
        (3.0, {"ignore_above": 4.0}),
        (-3.0, {"ignore_below": 4.0}),
        (3.0, {"ignore_above_ratio": 0.5}),
        (-3.0, {"ignore_below_ratio": 0.5}),
    ],
)
def test_what_is_near_to_the_expected_passes(size: float, allowed: dict[str, float]) -> None:
    values = 10 + noisy_sine(2000)
    values[1500] += size
    seen = {}
    for kind, margins in (("plain", {}), ("allowed", allowed)):
        detector = ThresholdedForest(**margins)
        seen[kind] = detector.step(detector.start(), points_of(values)).score[1500]
    assert seen["plain"] > 0
    assert seen["allowed"] == 0
    other = {k: v for k, v in (("ignore_below", 4.0), ("ignore_above", 4.0)) if not next(iter(allowed)).startswith(k)}
    detector = ThresholdedForest(**other)
    assert detector.step(detector.start(), points_of(values)).score[1500] > 0


def test_confidence_falls_with_missing_values() -> None:
    values = noisy_sine(1500)
    values[1000:1300:2] = np.nan
    values[1351] += 5
    detector = ThresholdedForest()
    _, found = detector.detect(detector.start(), points_of(values))
    told = next(told for told in found if told["time"] == 1351)
    assert 0.5 < told["confidence"] < 0.8


def test_the_payload_names_values_and_directions() -> None:
    table = np.random.default_rng(3).normal(size=(800, 3))
    table[700, 1] -= 12
    detector = RandomCutForest(dims=3, shingle=4)
    scores, shares, told = detector.explain(detector.start(), points_of(table))
    payload = shares.payload(700, names=["cpu", "memory", "disk"])
    assert list(payload) == ["cpu", "memory", "disk"]
    assert payload["memory"]["DIRECTION"] == "LOW"
    strength, whole = payload["memory"]["STRENGTH"], payload["memory"]["ATTRIBUTION_SCORE"]
    assert isinstance(strength, float)
    assert isinstance(whole, float)
    assert 0 < strength <= whole
    assert sum(float(told["ATTRIBUTION_SCORE"]) for told in payload.values()) == pytest.approx(scores.score[700])
    assert list(shares.payload(700)) == ["value_0", "value_1", "value_2"]
    assert told.points_ago[700] == 0
    assert np.isfinite(told.expected[700]).tolist() == [False, True, False]
    assert abs(told.expected[700, 1]) < 2
    assert (told.points_ago[~(scores.score >= 1.5)] == -1).all()


def test_explaining_changes_neither_scores_nor_state() -> None:
    values = noisy_sine(700)
    values[500] += 3
    detector = RandomCutForest(**SMALL)
    one, two = detector.start(), detector.start()
    scores = detector.step(one, points_of(values))
    found, shares, _ = detector.explain(two, points_of(values), above=1.0)
    assert found.same_bits(scores)
    assert one.same_bits(two)
    _, wanted = detector.attribute(detector.start(), points_of(values), above=1.0)
    assert np.array_equal(shares.high, wanted.high, equal_nan=True)
