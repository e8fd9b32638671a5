"""Random Cut Forest, slow and plain: points come in one by one, every tree is asked and offered each shingle."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tests.reference.random_cut_questions import imputed
from tests.reference.random_cut_transform import Transform
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
    transform: Transform | None = None
    rows: list[np.ndarray] = field(default_factory=list)
    gaps: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.forest = [Tree(self.seed, t, self.samples, self.memory) for t in range(self.trees)]

    def versed(self) -> bool:
        """True if the trees have seen enough to say what a value would be, with one more that is coming in."""
        learned = len(self.rows) - 1
        return learned >= self.shingle + self.samples // 4 and any(tree.held for tree in self.forest)

    def take_in(self, row: np.ndarray, time: int = 0) -> None:
        """A row of values comes in; what it lacks is imputed, or stands as it was last."""
        known = np.isfinite(row)
        entered = self.enter(row, time)
        self.rows.append(entered)
        self.gaps.append(not known.all())
        if self.missing == "forest" and not known.all() and self.versed():
            point = np.concatenate(self.rows[-self.shingle :])
            every = np.ones(len(point), bool)
            every[-len(entered) :][: len(row)] = known
            self.rows[-1] = imputed(self.forest, point, every)[-len(entered) :].astype(F32)
        if self.transform is not None:
            for k in np.flatnonzero(~known):
                self.transform.assume(k, self.rows[-1][k])

    def enter(self, row: np.ndarray, time: int) -> np.ndarray:
        """What of a row comes into the shingle; of what it lacks the last, or no difference."""
        last = self.rows[-1] if self.rows else np.zeros(len(row))
        if self.transform is None:
            return np.where(np.isfinite(row), row, last).astype(F32)
        self.transform.measure()
        entered = [self.transform.of_time(time)] if self.transform.timed else []
        stands = np.zeros(len(row)) if self.transform.kind == "difference" else last[: len(row)]
        values = [self.transform.of_value(k, v) if np.isfinite(v) else stands[k] for k, v in enumerate(row)]
        return np.array([*values, *entered]).astype(F32)

    def expected(self, dims: int) -> np.ndarray:
        """What the trees expect of the newest row's values by the rows before it, in units of the metric."""
        if not self.versed():
            return np.full(dims, np.nan)
        point = np.concatenate(self.rows[-self.shingle :])
        held = len(self.rows[-1])
        known = np.ones(len(point), bool)
        known[-held:][:dims] = False
        numbers = imputed(self.forest, point, known)[-held:][:dims]
        if self.transform is None:
            return numbers
        return np.array([self.transform.back(k, numbers[k], [float(self.rows[-1][k])]) for k in range(dims)])

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
    transform: str = "none",
    time_dimension: bool = False,
    times: np.ndarray | None = None,
    shares: np.ndarray | None = None,
    expected: np.ndarray | None = None,
) -> np.ndarray:
    """Score of each point of float64[n, dims], NaN where there is none.

    Fills shares, float64[n, 2, shingle * dims], and expected, float64[n, dims].
    """
    needed = transform != "none" or time_dimension
    before = Transform(transform, values.shape[1], memory, time_dimension) if needed else None
    forest = Forest(trees, samples, shingle, memory, warm_up, seed, measure, missing, before)
    score = np.full(len(values), np.nan)
    for i, row in enumerate(values):
        if forest.rows or np.isfinite(row).all():
            forest.take_in(row, 0 if times is None else int(times[i]))
            if expected is not None:
                expected[i] = forest.expected(values.shape[1])
            score[i] = forest.fold(None if shares is None else shares[i])
    return score
