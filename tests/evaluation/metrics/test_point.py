from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import point as slow
from watchband.core.errors import PointsShapeError
from watchband.evaluation.metrics.point import Confusion, confusion

FLAGS = st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60)


def test_a_table_by_hand() -> None:
    found = confusion(np.array([1, 1, 1, 0, 0, 0, 0]), np.array([1, 1, 0, 1, 0, 0, 0]))
    assert found == Confusion(tp=2, fn=1, fp=1, tn=3)
    assert (found.precision, found.recall, found.f1, found.fpr) == (2 / 3, 2 / 3, 2 / 3, 1 / 4)
    assert found.matrix == [[3, 1], [1, 2]]
    assert found.points == 7


def test_35_rows_prove_nothing() -> None:
    """24 true negatives, 2 false positives, 4 missed, 5 found: the intervals are as wide as this."""
    found = Confusion(tp=5, fn=4, fp=2, tn=24).intervals()
    said = {name: tuple(round(v, 2) for v in interval) for name, interval in found.items()}
    assert said == {
        "f1": (0.62, 0.27, 0.87),
        "precision": (0.71, 0.36, 0.92),
        "recall": (0.56, 0.27, 0.81),
        "fpr": (0.08, 0.02, 0.24),
    }


def test_flagging_everything_of_the_same_rows_has_an_f1_within_that_interval() -> None:
    assert Confusion(tp=9, fn=0, fp=26, tn=0).f1 == pytest.approx(0.409, abs=5e-4)


def test_what_cannot_be_said_is_nan() -> None:
    nothing = confusion(np.zeros(4), np.zeros(4))
    assert all(math.isnan(v) for v in (nothing.precision, nothing.recall, nothing.f1))
    assert nothing.fpr == 0
    assert math.isnan(nothing.intervals()["precision"].low)


def test_lengths_must_agree() -> None:
    with pytest.raises(PointsShapeError, match="flagged has 3, labels has 4"):
        confusion(np.zeros(3), np.zeros(4))


@given(FLAGS)
def test_the_slow_reference_agrees(rows: list[tuple[bool, bool]]) -> None:
    said, true = ([r[k] for r in rows] for k in (0, 1))
    found = confusion(np.array(said, bool), np.array(true, bool))
    assert (found.tp, found.fn, found.fp, found.tn) == slow.counts(said, true)


@given(FLAGS, FLAGS)
def test_counts_of_two_series_add_up(a: list[tuple[bool, bool]], b: list[tuple[bool, bool]]) -> None:
    one, two, both = (confusion(*np.array(rows, bool).reshape(-1, 2).T) for rows in (a, b, a + b))
    assert one + two == both
