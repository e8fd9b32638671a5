"""Differences, moving normalisation and time as a value equal the slow version, and do what they are for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.reference.random_cut_forest import random_cut_forest
from watchband.core.errors import InvalidParameterError, StateMismatchError
from watchband.core.points import Points
from watchband.detectors import RandomCutForest
from watchband.testing import streams

SMALL: dict[str, Any] = {"trees": 4, "samples": 16, "shingle": 3, "memory": 20, "warm_up": 5, "seed": 3}


@pytest.mark.parametrize("missing", ["forest", "last"])
@pytest.mark.parametrize("timed", [False, True])
@pytest.mark.parametrize("transform", ["none", "difference", "normalise"])
def test_equals_the_reference(transform: str, timed: bool, missing: str) -> None:
    """Irregular steps, missing and infinite values, a constant stretch, a shift of level."""
    times, values = streams.awkward(220, 4)
    kind: dict[str, Any] = {"transform": transform, "time_dimension": timed, "missing": missing}
    wanted = np.full((220, 1), np.nan)
    scores = random_cut_forest(values[:, None], **SMALL, **kind, times=times, expected=wanted)
    detector = RandomCutForest(**SMALL, **kind, expected=True)
    found = detector.step(detector.start(), Points.of(times, values))
    assert np.isfinite(scores).sum() > 100
    np.testing.assert_allclose(found.score, scores, rtol=1e-9)
    np.testing.assert_allclose(found.expected, wanted[:, 0], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("transform", ["difference", "normalise"])
def test_several_values_equal_the_reference(transform: str) -> None:
    rng = np.random.default_rng(12)
    values = rng.normal(size=(200, 3)).cumsum(axis=0) * [1, 100, 0.01]
    values[0] = 0
    values[60:70, 1] = np.nan
    values[120] = np.nan
    times = np.cumsum(rng.integers(1, 1_000_000_000_000, 200)) + 1_700_000_000_000_000_000
    kind: dict[str, Any] = {"transform": transform, "time_dimension": True}
    wanted = np.full((200, 3), np.nan)
    scores = random_cut_forest(values, **SMALL, **kind, times=times, expected=wanted)
    detector = RandomCutForest(**SMALL, **kind, dims=3, expected=True)
    found = detector.step(detector.start(), Points.of(times, values))
    np.testing.assert_allclose(found.score, scores, rtol=1e-9)
    np.testing.assert_allclose(found.expected, wanted[:, 0], rtol=1e-9, atol=1e-9)


def test_differences_see_a_shape_at_a_height_that_never_was() -> None:
    rng = np.random.default_rng(13)
    values = 0.05 * np.arange(3000) + 3 * np.sin(np.arange(3000) / 10) + rng.normal(0, 0.1, 3000)
    values[2500:2504] += 2
    ranks = {}
    for transform in ("none", "difference"):
        detector = RandomCutForest(transform=transform)
        score = detector.step(detector.start(), Points.of(np.arange(3000), values)).score
        ranks[transform] = (score[1000:] > score[2500:2512].max()).mean()
    assert ranks["difference"] < 0.001
    assert ranks["none"] > 2 * ranks["difference"]


def test_normalised_values_weigh_the_same() -> None:
    """An anomaly in a small value beside a large one that is only noise."""
    rng = np.random.default_rng(14)
    values = np.stack([rng.normal(0, 1000, 2000), rng.normal(0, 1, 2000)], axis=1)
    values[1500, 1] = 10
    ranks = {}
    for transform in ("none", "normalise"):
        detector = RandomCutForest(dims=2, shingle=1, transform=transform)
        score = detector.step(detector.start(), Points.of(np.arange(2000), values)).score
        ranks[transform] = (score[500:] > score[1500]).mean()
    assert ranks["normalise"] < 0.001
    assert ranks["none"] > 0.02


def test_a_gap_in_time_is_strange_where_time_is_a_value() -> None:
    values = np.random.default_rng(15).normal(size=1500)
    steps = np.random.default_rng(16).normal(60, 3, 1500)
    steps[1200] = 200
    times = (np.cumsum(steps) * 1e9).astype(np.int64)
    share = {}
    for timed in (False, True):
        detector = RandomCutForest(shingle=2, time_dimension=timed)
        score = detector.step(detector.start(), Points.of(times, values)).score
        share[timed] = (score[500:] > score[1200]).mean()
    assert share[True] < 0.002
    assert share[False] > 0.02
    _, shares = detector.attribute(detector.start(), Points.of(times, values), above=1.2)
    told = shares.payload(1200)
    assert list(told) == ["value", "time"]
    assert told["time"]["DIRECTION"] == "HIGH"
    assert told["time"]["ATTRIBUTION_SCORE"] > told["value"]["ATTRIBUTION_SCORE"]


def test_regular_times_change_nothing() -> None:
    times, values = streams.times(500), streams.daily(500, 17)
    one, two = RandomCutForest(**SMALL), RandomCutForest(**SMALL, time_dimension=True)
    scores = [d.step(d.start(), Points.of(times, values)).score for d in (one, two)]
    np.testing.assert_allclose(scores[0], scores[1], rtol=1e-12)


def test_parameters_that_came_later_leave_older_states_valid() -> None:
    """At its default none is part of the fingerprint; otherwise those are that shape the state."""
    plain = RandomCutForest(**SMALL)
    for same in ({"missing": "last"}, {"expected": True}, {"transform": "none"}):
        RandomCutForest(**SMALL, **same).check_state(plain.start())
    for other in ({"transform": "normalise"}, {"time_dimension": True}):
        with pytest.raises(StateMismatchError, match="other parameters"):
            RandomCutForest(**SMALL, **other).check_state(plain.start())


def test_the_time_counts_as_a_value() -> None:
    with pytest.raises(InvalidParameterError, match="take a shorter shingle"):
        RandomCutForest(dims=32, shingle=8, time_dimension=True)
