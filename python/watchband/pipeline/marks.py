"""Marks: of what a watch says, the little that is kept beside the log without folding it again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from watchband.core.duration import DAY
from watchband.core.keeping import MarkKind
from watchband.core.points import Float64, Int64
from watchband.core.ports import Readings
from watchband.core.scores import ADOPTED
from watchband.pipeline.results import Results


class Marker:
    """Marks anomalous points, levels that became normal, and the cut-off of each series once a day.

    After a restart the cut-off of the day is marked once more.
    """

    def __init__(self) -> None:
        self._day: Int64 = np.empty(0, np.int64)
        self._keys: object = None

    def marks(self, results: Results) -> dict[MarkKind, list[Readings]]:
        """What is worth keeping of a batch; nothing of most."""
        found: dict[MarkKind, list[Readings]] = {}
        odd = np.flatnonzero(results.anomaly_score > 1)
        adopted = np.flatnonzero(results.flags & ADOPTED != 0)
        fresh = self._fresh(results)
        limit = np.where(np.isnan(results.limit_above), results.limit_below, results.limit_above)
        kinds: tuple[tuple[MarkKind, NDArray[np.int64], Float64], ...] = (
            ("anomaly", odd, results.anomaly_score),
            ("adopted", adopted, results.y),
            ("cutoff", fresh, limit),
        )
        for kind, which, values in kinds:
            if len(which):
                found[kind] = _readings(results, which, values)
        return found

    def _fresh(self, results: Results) -> NDArray[np.int64]:
        """The first point with a cut-off of each series and day."""
        if results.keys is not self._keys:
            # Series have left, and rows moved up.
            self._keys, self._day = results.keys, np.empty(0, np.int64)
        if len(self._day) < len(results.keys):
            self._day = np.r_[self._day, np.full(len(results.keys) - len(self._day), -(2**62))]
        day = results.time // DAY
        known = ~(np.isnan(results.limit_above) & np.isnan(results.limit_below))
        later = np.flatnonzero(known & (day > self._day[results.row]))
        if not len(later):
            return later
        row, at = results.row[later], day[later]
        first = later[np.r_[True, (np.diff(row) != 0) | (np.diff(at) != 0)]]
        np.maximum.at(self._day, results.row[first], day[first])
        return first


def _readings(results: Results, which: NDArray[np.int64], values: Float64) -> list[Readings]:
    row = results.row[which]
    edges = np.flatnonzero(np.r_[True, np.diff(row) != 0, True])
    return [
        Readings(results.keys[int(row[a])], results.time[which[a:b]], values[which[a:b]])
        for a, b in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    ]
