"""Raw readings: like points, but in any order and with repeats."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from watchband.core.errors import PointsShapeError
from watchband.core.points import Float64, Int32, Int64, as_times, check_shapes


@dataclass(frozen=True, slots=True, eq=False)
class Raw:
    """A batch of readings as they came, series after series.

    Parameters
    ----------
    times : int64[n]
        Nanoseconds since 1970 in UTC, in arrival order: unordered and repeated times are allowed.
    values : float64[n]
        NaN is "no value"; infinities are allowed and become "no value" when prepared.
    offsets : int64[s + 1]
        Slice ``i`` is ``times[offsets[i]:offsets[i + 1]]``; starts at 0, ends at ``n``.
    rows : int32[s]
        The state row each slice belongs to; no row appears twice in a batch.
    further : float64[n, k], optional
        Of a join the columns behind the leading one, which is in ``values``.

    Raises
    ------
    PointsShapeError
        Shapes or types do not fit together.

    Examples
    --------
    >>> raw = Raw.of([20, 10, 10], [1.0, 2.0, 3.0])
    >>> len(raw), raw.series
    (3, 1)
    """

    times: Int64
    values: Float64
    offsets: Int64
    rows: Int32
    further: Float64 | None = None

    def __post_init__(self) -> None:
        check_shapes(self, value_axes=1)
        if self.further is not None and len(self.further) != len(self.times):
            raise PointsShapeError(f"Raw.further has {len(self.further)} rows for {len(self.times)} times.")

    @classmethod
    def of(cls, times: ArrayLike, values: ArrayLike, row: int = 0) -> Raw:
        """The readings of one series. ``times`` are int64 nanoseconds or datetime64."""
        return cls.fleet([(times, values)], rows=[row])

    @classmethod
    def fleet(cls, series: Sequence[tuple[ArrayLike, ArrayLike]], rows: Iterable[int] | None = None) -> Raw:
        """The readings of several series, state row ``i`` for the ``i``-th unless ``rows`` says otherwise."""
        times = [as_times(t) for t, _ in series]
        values = [np.ascontiguousarray(v, np.float64) for _, v in series]
        for index, (t, v) in enumerate(zip(times, values, strict=True)):
            if t.shape != v.shape or t.ndim != 1:
                raise PointsShapeError(
                    f"Slice {index} has times of shape {t.shape} and values of shape {v.shape}; "
                    "give one value per time."
                )
        offsets = np.zeros(len(times) + 1, np.int64)
        np.cumsum([len(t) for t in times], out=offsets[1:])
        return cls(
            np.concatenate(times) if times else np.empty(0, np.int64),
            np.concatenate(values) if values else np.empty(0),
            offsets,
            np.fromiter(rows, np.int32) if rows is not None else np.arange(len(times), dtype=np.int32),
        )

    @classmethod
    def grouped(cls, row: NDArray[np.integer], times: Int64, values: Float64) -> tuple[Raw, Int64]:
        """Readings of many series mixed, as a file has them, sorted by series.

        Parameters
        ----------
        row : int[n]
            The state row of each reading.
        times, values : int64[n], float64[n]
            The readings in input order, which is kept within a series.

        Returns
        -------
        raw : Raw
            The same readings, series after series.
        order : int64[n]
            Where each reading of ``raw`` stood in the input: ``times[order]`` are ``raw.times``.
        """
        sizes = np.bincount(row) if len(row) else np.zeros(0, np.int64)
        present = np.flatnonzero(sizes)
        offsets = np.zeros(len(present) + 1, np.int64)
        np.cumsum(sizes[present], out=offsets[1:])
        # Already grouped (one series, or series after series) is the usual case and needs no sorting.
        ordered = len(row) < 2 or bool((row[:-1] <= row[1:]).all())
        order = np.arange(len(row), dtype=np.int64) if ordered else np.argsort(row, kind="stable").astype(np.int64)
        sorted_times, sorted_values = (times, values) if ordered else (times[order], values[order])
        return cls(
            np.ascontiguousarray(sorted_times, np.int64),
            np.ascontiguousarray(sorted_values, np.float64),
            offsets,
            present.astype(np.int32),
        ), order

    def __len__(self) -> int:
        return len(self.times)

    @property
    def series(self) -> int:
        """Number of slices."""
        return len(self.rows)

    def with_rows(self, series: int) -> Raw:
        """The same readings, with an empty slice for each of ``series`` state rows that had none."""
        missing = np.setdiff1d(np.arange(series, dtype=np.int32), self.rows)
        return Raw(
            self.times,
            self.values,
            np.concatenate([self.offsets, np.full(len(missing), len(self.times), np.int64)]),
            np.concatenate([self.rows, missing]).astype(np.int32),
        )
