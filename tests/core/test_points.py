"""Points: shapes, order, and errors that say where."""

from __future__ import annotations

import numpy as np
import pytest

from watchband.core.errors import PointsShapeError, TimeOrderError
from watchband.core.points import Points


def test_one_series_is_a_fleet_of_one() -> None:
    points = Points.of([1, 2, 3], [1.0, 2.0, 3.0])
    assert (len(points), points.series, points.dims) == (3, 1, 1)
    assert points.values.shape == (3, 1)


def test_datetimes_become_nanoseconds() -> None:
    points = Points.of(np.array(["2024-01-01T00:00:01"], "datetime64[s]"), [1.0])
    assert points.times.tolist() == [1_704_067_201_000_000_000]


def test_slices_of_a_fleet() -> None:
    points = Points.fleet([([1, 2], [1.0, 2.0]), ([], []), ([1], [9.0])], rows=[5, 0, 2])
    assert list(points.slices()) == [(5, slice(0, 2)), (0, slice(2, 2)), (2, slice(2, 3))]
    assert points.slice_of().tolist() == [0, 0, 2]


def test_a_series_may_begin_before_its_neighbour_ends() -> None:
    assert len(Points.fleet([([10, 20], [1.0, 2.0]), ([5, 6], [1.0, 2.0])])) == 4


@pytest.mark.parametrize("times", [[1, 1], [2, 1]])
def test_times_must_ascend_and_the_error_says_where(times: list[int]) -> None:
    with pytest.raises(TimeOrderError, match=r"Slice 1 \(state row 7\), point 1"):
        Points.fleet([([1, 2], [0.0, 0.0]), (times, [0.0, 0.0])], rows=[3, 7])


def test_times_may_be_as_far_apart_as_they_can_be() -> None:
    assert len(Points.of([-(2**63) + 1, 2**63 - 1], [0.0, 0.0])) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 2], [1.0]), "2 times and 1 values"),
        (([1.5], [1.0]), "convert seconds"),
    ],
)
def test_shapes_that_do_not_fit(arguments: tuple[list[float], list[float]], message: str) -> None:
    with pytest.raises(PointsShapeError, match=message):
        Points.of(*arguments)


def test_a_row_may_not_appear_twice() -> None:
    with pytest.raises(PointsShapeError, match="one slice per series"):
        Points.fleet([([1], [1.0]), ([2], [1.0])], rows=[0, 0])


def test_offsets_must_fit() -> None:
    with pytest.raises(PointsShapeError, match="must ascend from 0 to 1"):
        Points(np.zeros(1, np.int64), np.zeros((1, 1)), np.array([0, 2], np.int64), np.zeros(1, np.int32))
    with pytest.raises(PointsShapeError, match=r"Points\.rows must be a C-contiguous int32"):
        Points(np.zeros(1, np.int64), np.zeros((1, 1)), np.array([0, 1], np.int64), np.zeros(1, np.int64))  # type: ignore[arg-type]


def test_times_beyond_int64_are_refused() -> None:
    with pytest.raises(PointsShapeError, match="must fit int64"):
        Points.of(np.array([1, 2**63], np.uint64), [1.0, 2.0])
