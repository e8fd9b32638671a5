"""Random Cut Forest, slow and plain: points come in one by one, every tree is asked and offered each shingle."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tests.reference.random_cut_questions import imputed
from tests.reference.random_cut_tree import F32, Tree

__all__ = ["Forest", "Tree", "random_cut_forest"]


@dataclass
class Forest:
    """A forest while it is folded."""

    trees: int
    samples: int
    shingle: int
    memory: int
    warm_up: int
    seed: int
    measure: str = "depth"
    missing: str = "forest"
    rows: list[np.ndarray] = field(default_factory=list)
    gaps: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.forest = [Tree(self.seed, t, self.samples, self.memory) for t in range(self.trees)]

    def versed(self) -> bool:
        """True if the trees have seen enough to say what a value would be, with one more that is coming in."""
        learned = len(self.rows) - 1
        return learned >= self.shingle + self.samples // 4 and any(tree.held for tree in self.forest)

    def take_in(self, row: np.ndarray) -> None:
        """A row of values comes in; what it lacks is imputed, or stands as it was last."""
        known = np.isfinite(row)
        self.rows.append(np.where(known, row, self.rows[-1] if self.rows else 0).astype(F32))
        self.gaps.append(not known.all())
        if self.missing == "forest" and not known.all() and self.versed():
            point = np.concatenate(self.rows[-self.shingle :])
            every = np.ones(len(point), bool)
            every[-len(row) :] = known
            self.rows[-1] = imputed(self.forest, point, every)[-len(row) :].astype(F32)

    def expected(self) -> np.ndarray:
        """What the trees expect of the newest row by those before it."""
        if not self.versed():
            return np.full(len(self.rows[-1]), np.nan)
        point = np.concatenate(self.rows[-self.shingle :])
        dims = len(self.rows[-1])
        return imputed(self.forest, point, np.arange(len(point)) < len(point) - dims)[-dims:]

    def expire(self) -> None:
        number = len(self.rows) - 1
        for tree in self.forest:
            for old in [n for n in tree.held if n - self.shingle + 1 <= number - 6 * self.memory]:
                tree.delete(old)

    def fold(self, shares: np.ndarray | None = None) -> float:
        """The score of the row that came in last, which is then learned."""
        number = len(self.rows) - 1
        first = number - self.shingle + 1
        self.expire()
        score = np.nan
        if first < 0 or self.gaps[-1]:
            return score
        point = np.concatenate(self.rows[first:])
        some = [tree for tree in self.forest if tree.held]
        if first >= self.warm_up and some:
            parts = 0.0
            for tree in some:
                parts += tree.score(point) if self.measure == "depth" else tree.displacement(point)
            score = parts / len(some)
            if shares is not None:
                every = sum(tree.attribution(point) for tree in some)
                shares[:] = every * score / np.sum(every) if np.sum(every) > 0 else every
        if sum(self.gaps[first:]) * 2 <= self.shingle:
            for tree in self.forest:
                tree.offer(point, number)
        return score


def random_cut_forest(
    values: np.ndarray,
    trees: int,
    samples: int,
    shingle: int,
    memory: int,
    warm_up: int,
    seed: int,
    measure: str = "depth",
    missing: str = "forest",
    shares: np.ndarray | None = None,
    expected: np.ndarray | None = None,
) -> np.ndarray:
    """Score of each point of float64[n, dims], NaN where there is none.

    Fills shares, float64[n, 2, shingle * dims], and expected, float64[n, dims].
    """
    forest = Forest(trees, samples, shingle, memory, warm_up, seed, measure, missing)
    score = np.full(len(values), np.nan)
    for i, row in enumerate(values):
        if forest.rows or np.isfinite(row).all():
            forest.take_in(row)
            if expected is not None:
                expected[i] = forest.expected()
            score[i] = forest.fold(None if shares is None else shares[i])
    return score
