"""A fair sample of any number of rows, in bounded memory: which rows are in it depends on the rows alone.

Every row has a number drawn from its entity and time; the smallest numbers stay. Hence the same sample however the
rows were cut into chunks and in whatever order they came.
"""

from __future__ import annotations

import numpy as np

from watchband.analysis.risk.rows import Rows
from watchband.core.points import Int64

SAMPLE = 20_000
OWN_TOTAL, OWN_MIN, OWN_MAX = 400_000, 200, 4_096
"""Rows that are kept for what is usual for each entity: in all, and the least and the most of each."""


def draw(rows: Rows, seed: int = 0) -> np.ndarray:
    """A number for every row, uint64[n], as good as random."""
    with np.errstate(over="ignore"):
        x = rows.times.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        x ^= (rows.entity.astype(np.uint64) + np.uint64(seed * 7919 + 1)) * np.uint64(0xC2B2AE3D27D4EB4F)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
        return np.asarray(x ^ (x >> np.uint64(31)))


class Sample:
    """The rows with the smallest numbers, of all or of each entity.

    Parameters
    ----------
    size : int
        Rows that stay.
    each : bool, default False
        So many of each entity, instead of in all.

    Examples
    --------
    >>> rows = Rows(np.zeros(9, np.int32), np.arange(9), np.arange(9.0)[:, None])
    >>> sample = Sample(3)
    >>> for chunk in rows.chunks(2):
    ...     sample.add(chunk)
    >>> whole = Sample(3)
    >>> whole.add(rows)
    >>> len(sample.rows()), sample.rows().times.tolist() == whole.rows().times.tolist()
    (3, True)
    """

    def __init__(self, size: int, *, each: bool = False, seed: int = 0) -> None:
        self.size, self.each, self.seed = size, each, seed
        self._parts: list[Rows] = []
        self._held = self._kept = 0

    def add(self, rows: Rows) -> None:
        """Take in a chunk."""
        if len(rows):
            self._parts.append(rows)
            self._held += len(rows)
            if self._held > 2 * max(self._kept, self.size) + 65_536:
                self._prune()

    def _prune(self) -> None:
        if not self._parts:
            return
        rows = Rows.joined(self._parts)
        number = draw(rows, self.seed)
        if self.each:
            order = np.lexsort((number, rows.entity))
            entity = rows.entity[order]
            first = np.flatnonzero(np.r_[True, entity[1:] != entity[:-1]])
            rank = np.arange(len(order)) - np.repeat(first, np.diff(np.r_[first, len(order)]))
            kept: Int64 = order[rank < self.size]
        else:
            kept = np.argsort(number, kind="stable")[: self.size]
        self._parts = [rows.take(np.sort(kept))]
        self._held = self._kept = len(kept)

    def rows(self) -> Rows:
        """The sample, by entity and time. Nothing was added: an error of the caller."""
        self._prune()
        rows = self._parts[0]
        return rows.take(np.lexsort((rows.times, rows.entity)))


def own_size(entities: int) -> int:
    """How many rows of each entity say what is usual for it."""
    return int(np.clip(OWN_TOTAL // max(entities, 1), OWN_MIN, OWN_MAX))
