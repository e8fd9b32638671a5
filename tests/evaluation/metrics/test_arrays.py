from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchband.core.errors import PointsShapeError
from watchband.evaluation.metrics.arrays import disjoint, labels_of, same_length
from watchband.evaluation.metrics.events import windows_of


@given(st.lists(st.tuples(st.integers(-5, 40), st.integers(0, 9)), max_size=12))
def test_windows_however_given_are_the_runs_of_their_points(given_windows: list[tuple[int, int]]) -> None:
    windows = np.array([(a, a + length) for a, length in given_windows], int).reshape(-1, 2)
    slow = np.array([any(a <= i <= b for a, b in windows.tolist()) for i in range(-10, 60)])
    assert disjoint("here", windows).tolist() == (windows_of(slow) - 10).tolist()
    assert labels_of(windows, 30).tolist() == slow[10:40].tolist()


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(PointsShapeError, match="a has 1, b has 2"):
        same_length("here", a=np.ones(1), b=np.ones(2))
    with pytest.raises(PointsShapeError, match="here wants windows as first and last"):
        disjoint("here", np.array([[1, 5], [4, 2]]))
