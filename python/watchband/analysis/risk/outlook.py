"""The outlook: how probably an entity is Critical within the next h steps, and whether saying so is worth anything.

What counts is the state now and how far out the row is. Each combination keeps how often Critical followed in the
past; where there were few, it leans on the state, and that on the whole. Beside it always stands persistence: what is
Critical now stays so, what is not does not become so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchband.analysis.risk.naming import Risk
from watchband.core.points import Float64, Int64

EDGES = (0.0, 1.0, 2.0, 3.0, 4.5)
"""Of how far out a row is, in spreads."""
BINS = len(EDGES) + 1
STATES = 4
LEAN = 20.0
"""So many rows' weight has the next coarser share."""
STAYS, STAYS_LEAN = 0.5, 4.0
"""What is thought of Critical itself before any was seen: one in two stays so, with the weight of so many rows."""


def bin_of(state: NDArray[np.int8], excess: Float64) -> Int64:
    """Which cell of the table a row belongs to, int64[n]; -1: not judged."""
    depth = np.searchsorted(np.array(EDGES), np.where(np.isnan(excess), -1.0, excess), "right")
    return np.where(state >= 0, state.astype(np.int64) * BINS + depth, -1)


class Tally:
    """Counts what followed each cell, chunk by chunk, in bounded memory.

    Parameters
    ----------
    horizon : int
        Steps ahead.
    """

    def __init__(self, horizon: int) -> None:
        self.horizon = horizon
        self.rows = np.zeros(STATES * BINS)
        self.hits = np.zeros(STATES * BINS)
        self._tails: dict[int, tuple[Int64, NDArray[np.bool_]]] = {}

    def add(self, entity: NDArray[np.int32], cell: Int64, critical: NDArray[np.bool_]) -> None:
        """Take rows, each entity's in order of time."""
        order = np.argsort(entity, kind="stable")
        first = np.flatnonzero(np.r_[True, np.diff(entity[order]) != 0]) if len(order) else np.empty(0, np.int64)
        for part in np.split(order, first[1:]) if len(order) else ():
            number = int(entity[part[0]])
            before = self._tails.get(number)
            cells, hit = cell[part], critical[part]
            if before is not None:
                cells, hit = np.concatenate([before[0], cells]), np.concatenate([before[1], hit])
            done = len(cells) - self.horizon
            if done > 0:
                ahead = np.concatenate([[0], np.cumsum(hit)])
                follows = ahead[self.horizon + 1 : self.horizon + 1 + done] - ahead[1 : done + 1] > 0
                self._count(cells[:done], follows)
            self._tails[number] = cells[max(done, 0) :], hit[max(done, 0) :]

    def _count(self, cells: Int64, follows: NDArray[np.bool_]) -> None:
        known = cells >= 0
        self.rows += np.bincount(cells[known], minlength=STATES * BINS)
        self.hits += np.bincount(cells[known], follows[known].astype(float), minlength=STATES * BINS)

    def table(self) -> Float64:
        """Probability of each cell: float64[4 * bins]."""
        rows, hits = self.rows.reshape(STATES, BINS), self.hits.reshape(STATES, BINS)
        base = (hits.sum() + 0.5) / (rows.sum() + 1.0) if rows.sum() else 0.0
        if not hits.sum():
            base = 0.0
        state = (hits.sum(axis=1) + LEAN * base) / (rows.sum(axis=1) + LEAN)
        seen, stayed = rows[Risk.CRITICAL].sum(), hits[Risk.CRITICAL].sum()
        state[Risk.CRITICAL] = (stayed + STAYS_LEAN * STAYS) / (seen + STAYS_LEAN)
        return np.asarray((hits + LEAN * state[:, None]) / (rows + LEAN)).ravel()


@dataclass(frozen=True, slots=True)
class Skill:
    """Brier scores (mean squared error of a probability, lower is better) on the last part of the time.

    Parameters
    ----------
    rows, hits : int
        Judged there, and after how many Critical followed.
    brier, persistence, climatology : float
        Of the outlook, of "as now", and of the share in the first part, always.
    """

    rows: int
    hits: int
    brier: float
    persistence: float
    climatology: float

    @property
    def skill(self) -> float:
        """1 - brier / persistence; above 0 it says more than "as now"."""
        return 1 - self.brier / self.persistence if self.persistence > 0 else float("nan")

    def sentence(self, horizon: int) -> str:
        """In words, whether it says anything."""
        if not self.hits:
            return f"Nothing was Critical in the last fifth of the time: an outlook over {horizon} steps is unproved."
        better = "better" if self.brier < self.persistence else "no better"
        base = "better" if self.brier < 0.98 * self.climatology else "no better"
        return (
            f"Critical within {horizon} steps: Brier score {self.brier:.4f}, {better} than persistence "
            f"({self.persistence:.4f}) and {base} than the usual share ({self.climatology:.4f})."
        )


def skill_of(learned: Tally, later: Tally) -> Skill:
    """Judge a table on rows that came later."""
    table = learned.table()
    rows, hits = later.rows, later.hits
    total = rows.sum()
    base = learned.hits.sum() / learned.rows.sum() if learned.rows.sum() else 0.0
    now = (np.arange(STATES * BINS) // BINS == Risk.CRITICAL).astype(float)

    def brier(p: Float64 | float) -> float:
        error = hits * (1 - p) ** 2 + (rows - hits) * np.asarray(p) ** 2
        return float(error.sum() / total) if total else float("nan")

    return Skill(int(total), int(hits.sum()), brier(table), brier(now), brier(base))
