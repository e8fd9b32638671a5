"""Back into the order of the input: one row of results per reading, however points were prepared in between."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchband.apps.library.rows import Rows
from watchband.core.points import Float64, Int32, Int64

_SHIFT = 40
"""A point's key is ``series << 40 | ordinal``: room for 8 million series of a trillion points."""

_SCORED = ("yhat", "yhat_lower", "yhat_upper", "score", "p_value", "anomaly_score", "alert_score", "alert", "seen_by")

KEEP = 16
"""Points a series kept back for readings that name them again: duplicates that come late."""


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """Readings that wait for their point, in the order in which they come: all arrays of one length.

    ``ordinal`` is the number of the point within its series (-1: none), ``order`` the position in the input.
    """

    row: Int32
    time: Int64
    value: Float64
    ordinal: Int64
    order: Int64

    @classmethod
    def none(cls) -> Readings:
        """No readings."""
        return cls(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0), *(np.empty(0, np.int64),) * 2)

    def __len__(self) -> int:
        return len(self.row)

    def after(self, other: Readings) -> Readings:
        """The other's readings, then these."""
        pairs = ((getattr(other, name), getattr(self, name)) for name in self.__slots__)
        return Readings(*(np.concatenate(pair) for pair in pairs))

    def since(self, count: int) -> Readings:
        """All but the first ``count``."""
        return Readings(*(getattr(self, name)[count:] for name in self.__slots__))


class Aligner:
    """Gives results row by row in input order, as early as the points are known.

    A reading waits until the point it became is scored (the bucket of ``--resample`` closes, a gap is filled); those
    behind it wait too. A duplicate has the point of its first. A reading that came later than allowed, or names a
    point more than ``KEEP`` points old, comes out with nothing said of it.

    Parameters
    ----------
    own_values : bool, default True
        ``y`` is the reading's own value; else that of its point (rates of counters, resampled values).
    with_imputed : bool, default False
        Also give points behind which no reading stands, each before the next reading of its series.
    """

    def __init__(self, *, own_values: bool = True, with_imputed: bool = False) -> None:
        self._own_values = own_values
        self._with_imputed = with_imputed
        self._waiting = Readings.none()
        self._pool = Rows.empty()
        self._keys = np.empty(0, np.int64)
        self._given = np.empty(0, np.bool_)

    @property
    def held(self) -> int:
        """Readings and points held back now."""
        return len(self._waiting) + len(self._pool)

    def step(self, readings: Readings, points: Rows, ordinal: Int64, *, final: bool = False) -> Rows:
        """Take in readings and freshly scored points; give every row that is complete.

        Parameters
        ----------
        readings : Readings
            New readings in input order; ``ordinal`` names the point each became, -1 for none.
        points : Rows
            Points scored since the last step, ascending in ``ordinal`` within a series.
        ordinal : int64[n]
            Running number of each of ``points`` within its series.
        final : bool, default False
            Nothing comes any more: whatever still waits is given.
        """
        self._add(points, ordinal)
        waiting = readings.after(self._waiting)
        want = _key(waiting.row, waiting.ordinal)
        at = np.searchsorted(self._keys, want)
        found = np.zeros(len(want), np.bool_)
        inside = at < len(self._keys)
        found[inside] = self._keys[at[inside]] == want[inside]
        found &= waiting.ordinal >= 0
        self._given[at[found]] = True
        ready = found | (waiting.ordinal < 0) | self._is_past(waiting)
        count = len(want) if final or ready.all() else int(np.argmin(ready))
        rows = self._rows(waiting, found, at, count)
        self._waiting = waiting.since(count)
        if self._with_imputed:
            rows = self._interleave(rows, want[:count], final)
        self._trim()
        return rows

    def _add(self, points: Rows, ordinal: Int64) -> None:
        if not len(points):
            return
        keys = np.concatenate([self._keys, _key(points.row, ordinal)])
        order = np.argsort(keys, kind="stable")
        self._keys = keys[order]
        self._pool = Rows.joined([self._pool, points]).take(order)
        self._given = np.concatenate([self._given, np.zeros(len(points), np.bool_)])[order]

    def _is_past(self, waiting: Readings) -> NDArray[np.bool_]:
        """True where a later point of the same series is known: the one named will not come any more."""
        after = np.searchsorted(self._keys, _key(waiting.row, waiting.ordinal), side="right")
        past = np.zeros(len(waiting), np.bool_)
        some = after < len(self._keys)
        past[some] = (self._keys[after[some]] >> _SHIFT) == waiting.row[some]
        return past

    def _rows(self, waiting: Readings, found: NDArray[np.bool_], at: Int64, count: int) -> Rows:
        row, time, value = waiting.row[:count], waiting.time[:count], waiting.value[:count]
        rows = Rows.unscored(row, time, value.copy(), waiting.order[:count])
        hit = found[:count]
        scored = self._pool.take(at[:count][hit])
        for name in _SCORED if self._own_values else ("y", *_SCORED):
            getattr(rows, name)[hit] = getattr(scored, name)
        return rows

    def _interleave(self, rows: Rows, keys: Int64, final: bool) -> Rows:
        free = np.flatnonzero(self._pool.imputed & ~self._given)
        by_row = np.argsort(rows.row, kind="stable")
        # Keys ascend with the series, so a running maximum over them is one within each series.
        highest = np.maximum.accumulate(keys[by_row]) if len(keys) else keys
        next_at = np.searchsorted(highest, self._keys[free], side="right")
        place = np.full(len(free), len(rows) if final else -1, np.int64)
        some = next_at < len(highest)
        some[some] = (highest[next_at[some]] >> _SHIFT) == (self._keys[free][some] >> _SHIFT)
        place[some] = by_row[next_at[some]]
        chosen, place = free[place >= 0], place[place >= 0]
        self._given[chosen] = True
        filled = self._pool.take(chosen)
        last = np.append(rows.order, np.iinfo(np.int64).max)
        filled.order[:] = last[place]
        # Stable: filled points stand before the reading at their place, in the order of their time.
        order = np.argsort(np.concatenate([place, np.arange(len(rows))]), kind="stable")
        return Rows.joined([filled, rows]).take(order)

    def _trim(self) -> None:
        """Forget points that no reading can name any more."""
        if not len(self._keys):
            return
        series = self._keys >> _SHIFT
        last = np.searchsorted(series, series, side="right") - 1
        keep = self._keys > self._keys[last] - KEEP
        if len(self._waiting):
            named = self._waiting.ordinal >= 0
            order = np.unique(_key(self._waiting.row[named], self._waiting.ordinal[named]))
            keep |= np.isin(self._keys, order)
        if self._with_imputed:
            keep |= self._pool.imputed & ~self._given
        if not keep.all():
            self._pool, self._keys, self._given = self._pool.take(keep), self._keys[keep], self._given[keep]


def _key(row: Int32, ordinal: Int64) -> Int64:
    return (row.astype(np.int64) << _SHIFT) | np.maximum(ordinal, 0)


class Disorder:
    """Counts, per series, the readings that stand in the input behind one of a later time."""

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}
        self._highest = np.empty(0, np.int64)

    def take(self, row: Int32, order: Int64) -> None:
        """Look at readings in time order; ``order`` is where each stands in the input."""
        if not len(row):
            return
        missing = int(row.max()) + 1 - len(self._highest)
        self._highest = np.concatenate([self._highest, np.full(max(missing, 0), -1, np.int64)])
        by_row = np.argsort(row, kind="stable")
        series = row[by_row].astype(np.int64)
        # Keys ascend with the series, so a running maximum over them is one within each series.
        keys = (series << _SHIFT) | order[by_row]
        before = np.maximum.accumulate(np.maximum(keys, (series << _SHIFT) | np.maximum(self._highest[series], 0)))
        for number, count in zip(*np.unique(series[before > keys], return_counts=True), strict=True):
            self.counts[int(number)] = self.counts.get(int(number), 0) + int(count)
        np.maximum.at(self._highest, series, order[by_row])


class InputOrder:
    """Puts the rows of input that had to be sorted back where their readings stood; each waits for its turn."""

    def __init__(self) -> None:
        self._held = Rows.empty()
        self._next = 0

    @property
    def held(self) -> int:
        """Rows held back now."""
        return len(self._held)

    def step(self, rows: Rows, *, final: bool = False) -> Rows:
        """Take in rows in any order; give those whose turn it is, or all that are left."""
        rows = Rows.joined([self._held, rows]) if len(self._held) else rows
        if (np.diff(rows.order) < 0).any():
            rows = rows.take(np.argsort(rows.order, kind="stable"))
        real = np.flatnonzero(~rows.imputed)
        turn = rows.order[real] == self._next + np.arange(len(real))
        ready = len(real) if turn.all() else int(np.argmin(turn))
        self._next += ready
        count = len(rows) if final else (int(real[ready - 1]) + 1 if ready else 0)
        self._held = rows.take(slice(count, None))
        return rows.take(slice(0, count))
