from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import ranges as slow
from watchband.core.errors import InvalidParameterError, PointsShapeError
from watchband.evaluation.metrics.events import windows_of
from watchband.evaluation.metrics.point import confusion
from watchband.evaluation.metrics.ranges import BIASES, CARDINALITIES, range_scores

BITS = st.lists(st.booleans(), min_size=20, max_size=40).filter(any)


def test_front_pays_for_the_beginning_and_back_for_the_end() -> None:
    window, half = np.array([[0, 3]]), np.array([[0, 1]])
    # Weights 4, 3, 2, 1 and 1, 2, 3, 4 and 1, 2, 2, 1.
    assert range_scores(half, window, bias="front").recall == pytest.approx(7 / 10)
    assert range_scores(half, window, bias="back").recall == pytest.approx(3 / 10)
    assert range_scores(half, window, bias="middle").recall == pytest.approx(3 / 6)
    assert range_scores(half, window, bias="flat").recall == 0.5


def test_pieces_share_the_reward() -> None:
    window, pieces = np.array([[0, 9]]), np.array([[0, 1], [4, 5], [8, 9]])
    assert range_scores(pieces, window).recall == pytest.approx(0.6 / 3)
    assert range_scores(pieces, window, cardinality="one").recall == pytest.approx(0.6)


def test_finding_any_of_an_event_is_paid_by_alpha() -> None:
    found = range_scores(np.array([[3, 3]]), np.array([[0, 9], [20, 29]]), alpha=0.75)
    assert found.recall == pytest.approx((0.75 + 0.25 * 0.1) / 2)
    assert found.precision == 1


def test_nothing_said_or_nothing_true_is_no_figure() -> None:
    none = np.empty((0, 2), int)
    assert math.isnan(range_scores(none, np.array([[1, 2]])).precision)
    assert range_scores(none, np.array([[1, 2]])).recall == 0
    assert math.isnan(range_scores(np.array([[1, 2]]), none).recall)
    assert range_scores(np.array([[5, 6]]), np.array([[1, 2]])).f1 == 0


def test_what_cannot_be_is_refused() -> None:
    one = np.array([[1, 2]])
    with pytest.raises(InvalidParameterError, match="'bias'"):
        range_scores(one, one, bias="left")
    with pytest.raises(InvalidParameterError, match="'alpha'"):
        range_scores(one, one, alpha=2)
    with pytest.raises(PointsShapeError, match="Window 0 is 3 to 1"):
        range_scores(np.array([[3, 1]]), one)


@given(BITS, BITS, st.sampled_from([0.0, 0.3, 1.0]))
def test_the_slow_reference_agrees(said: list[bool], true: list[bool], alpha: float) -> None:
    predicted, windows = windows_of(np.array(said)), windows_of(np.array(true))
    for (bias, said_bias), cardinality in product(zip(BIASES, BIASES[::-1], strict=True), CARDINALITIES):
        found = range_scores(
            predicted, windows, alpha=alpha, bias=bias, precision_bias=said_bias, cardinality=cardinality
        )
        expected = slow.scores(
            predicted.tolist(), windows.tolist(), alpha, bias, said_bias, cardinality == "reciprocal"
        )
        assert (found.precision, found.recall) == pytest.approx(expected, abs=1e-12)


@given(BITS, BITS)
def test_ranges_of_one_point_are_points(said: list[bool], true: list[bool]) -> None:
    # Every second place, so that no two points touch.
    n = min(len(said), len(true))
    flags, labels = np.zeros(2 * n, bool), np.zeros(2 * n, bool)
    flags[::2], labels[::2] = said[:n], true[:n]
    found = range_scores(windows_of(flags), windows_of(labels), cardinality="one")
    expected = confusion(flags, labels)
    assert (found.precision, found.recall) == pytest.approx((expected.precision, expected.recall), nan_ok=True)
