"""Points: one flat, time-ordered batch of many series. One series is a fleet of one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from watchband.core.errors import PointsShapeError, TimeOrderError

Int64 = NDArray[np.int64]
Int32 = NDArray[np.int32]
Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """A batch of points, series after series.

    Parameters
    ----------
    times : int64[n]
        Nanoseconds since 1970 in UTC, strictly ascending within each slice.
    values : float64[n, d]
        NaN is "no value". Infinities are allowed and treated as NaN by every detector.
    offsets : int64[s + 1]
        Slice ``i`` is ``times[offsets[i]:offsets[i + 1]]``; starts at 0, ends at ``n``.
    rows : int32[s]
        The state row each slice belongs to; no row appears twice in a batch.

    Raises
    ------
    PointsShapeError
        Shapes or types do not fit together.
    TimeOrderError
        Times of a slice do not strictly ascend; names slice, position and both times.

    Examples
    --------
    >>> points = Points.of([0, 60_000_000_000], [1.0, 2.0])
    >>> len(points), points.series, points.dims
    (2, 1, 1)
    """

    times: Int64
    values: Float64
    offsets: Int64
    rows: Int32

    def __post_init__(self) -> None:
        check_shapes(self, value_axes=2)
        _check_order(self)

    @classmethod
    def of(cls, times: ArrayLike, values: ArrayLike, row: int = 0) -> Points:
        """One series as a batch. ``values`` may be ``[n]`` or ``[n, d]``; ``times`` int64 or datetime64."""
        return cls.fleet([(times, values)], rows=[row])

    @classmethod
    def one(cls, time: int, value: float) -> Points:
        """One point of one series; quick, because nothing about it can be wrong."""
        point = object.__new__(cls)
        object.__setattr__(point, "times", np.array([time], np.int64))
        object.__setattr__(point, "values", np.array([[value]], np.float64))
        object.__setattr__(point, "offsets", np.array([0, 1], np.int64))
        object.__setattr__(point, "rows", np.zeros(1, np.int32))
        return point

    @classmethod
    def fleet(cls, series: Sequence[tuple[ArrayLike, ArrayLike]], rows: Iterable[int] | None = None) -> Points:
        """Several series as one batch, state row ``i`` for the ``i``-th unless ``rows`` says otherwise."""
        times = [as_times(t) for t, _ in series]
        values = [_as_values(v) for _, v in series]
        for index, (t, v) in enumerate(zip(times, values, strict=True)):
            if len(t) != len(v):
                raise PointsShapeError(
                    f"Slice {index} has {len(t)} times and {len(v)} values; give one value per time."
                )
        if len({v.shape[1] for v in values}) > 1:
            raise PointsShapeError("All series of a batch must have the same number of dimensions.")
        offsets = np.zeros(len(times) + 1, np.int64)
        np.cumsum([len(t) for t in times], out=offsets[1:])
        return cls(
            np.concatenate(times) if times else np.empty(0, np.int64),
            np.concatenate(values) if values else np.empty((0, 1)),
            offsets,
            np.fromiter(rows, np.int32) if rows is not None else np.arange(len(times), dtype=np.int32),
        )

    @classmethod
    def empty(cls, dims: int = 1) -> Points:
        """A batch of nothing."""
        return cls(np.empty(0, np.int64), np.empty((0, dims)), np.zeros(1, np.int64), np.empty(0, np.int32))

    def __len__(self) -> int:
        return len(self.times)

    @property
    def series(self) -> int:
        """Number of slices."""
        return len(self.rows)

    @property
    def dims(self) -> int:
        """Number of values per point."""
        return int(self.values.shape[1])

    def slices(self) -> Iterator[tuple[int, slice]]:
        """State row and the part of the flat arrays, slice by slice."""
        for index, row in enumerate(self.rows.tolist()):
            yield row, slice(int(self.offsets[index]), int(self.offsets[index + 1]))

    def folded(self) -> tuple[Int64 | slice, Int64 | Int32 | slice]:
        """Of the slices with points: their numbers, and their state rows; each as a slice where they follow each other.

        Both index arrays; a slice is many times as quick as an array of numbers.
        """
        some = self.offsets[1:] > self.offsets[:-1]
        if not some.all():
            numbers = np.flatnonzero(some)
            return numbers, self.rows[numbers]
        rows = self.rows
        first = int(rows[0]) if len(rows) else 0
        in_turn = len(rows) and int(rows[-1]) - first == len(rows) - 1 and bool((rows[1:] > rows[:-1]).all())
        return slice(None), slice(first, first + len(rows)) if in_turn else rows

    def with_values(self, values: Float64) -> Points:
        """The same times and series with other values (float64[n, d])."""
        return Points(self.times, values, self.offsets, self.rows)

    def slice_of(self) -> Int64:
        """For every point the number of its slice: int64[n]."""
        return np.repeat(np.arange(self.series), np.diff(self.offsets))


def as_times(times: ArrayLike) -> Int64:
    """Nanoseconds from int64 or datetime64; PointsShapeError for anything else."""
    array = np.asarray(times)
    if array.dtype.kind == "M":
        array = array.astype("datetime64[ns]").view(np.int64)
    if array.dtype.kind not in "iu" and array.size:
        raise PointsShapeError(
            f"Times must be int64 nanoseconds or datetime64. Got {array.dtype}; convert seconds with "
            "(seconds * 1e9).astype('int64')."
        )
    if array.dtype.kind == "u" and array.size and int(array.max()) > np.iinfo(np.int64).max:
        raise PointsShapeError(f"Times must fit int64: the year 2262 is the last. Got {int(array.max())}.")
    return np.ascontiguousarray(array, np.int64)


def _as_values(values: ArrayLike) -> Float64:
    array = np.ascontiguousarray(values, np.float64)
    return array[:, None] if array.ndim == 1 else array


def check_shapes(batch: Any, value_axes: int) -> None:
    """Raise PointsShapeError unless the four arrays of a batch have the right types and fit together."""
    owner = type(batch).__name__
    for name, dtype, ndim in (
        ("times", "i8", 1),
        ("values", "f8", value_axes),
        ("offsets", "i8", 1),
        ("rows", "i4", 1),
    ):
        array = getattr(batch, name)
        fits = isinstance(array, np.ndarray) and array.dtype == np.dtype(dtype) and array.ndim == ndim
        if not fits or not array.flags.c_contiguous:
            got = f"{array.dtype}, {array.ndim} axes" if isinstance(array, np.ndarray) else type(array).__name__
            raise PointsShapeError(
                f"{owner}.{name} must be a C-contiguous {np.dtype(dtype).name} array of {ndim} "
                f"{'axis' if ndim == 1 else 'axes'}. Got {got}; {owner}.of and {owner}.fleet convert."
            )
    n, offsets, rows = len(batch.times), batch.offsets, batch.rows
    if len(batch.values) != n:
        raise PointsShapeError(f"{owner} has {n} times and {len(batch.values)} values; give one value per time.")
    if len(offsets) != len(rows) + 1 or offsets[0] != 0 or offsets[-1] != n or (np.diff(offsets) < 0).any():
        raise PointsShapeError(
            f"{owner}.offsets must ascend from 0 to {n} with one entry more than rows ({len(rows)}). "
            f"Got {offsets.tolist()[:6]}."
        )
    # Rows mostly ascend, which shows at a glance that none comes twice.
    ascend = bool((rows[1:] > rows[:-1]).all())
    if len(rows) and (rows.min() < 0 or (not ascend and len(np.unique(rows)) != len(rows))):
        raise PointsShapeError(f"{owner}.rows must be different numbers >= 0: one slice per series and batch.")


def _check_order(points: Points) -> None:
    if len(points.times) < 2:
        return
    # Compared, not subtracted: a difference of far times overflows.
    ascending = points.times[1:] > points.times[:-1]
    starts = points.offsets[1:-1]
    ascending[starts[(starts > 0) & (starts < len(points.times))] - 1] = True
    if not ascending.all():
        at = int(np.argmin(ascending)) + 1
        index = int(np.searchsorted(points.offsets, at, side="right")) - 1
        raise TimeOrderError(
            f"Times must strictly ascend within a series. Slice {index} (state row {points.rows[index]}), point "
            f"{at - int(points.offsets[index])}: {points.times[at]} comes after {points.times[at - 1]}. "
            "Sort and remove duplicates first; watchband.pipeline.prepare does both."
        )
