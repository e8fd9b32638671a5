"""Random cut forests written in Python, of other packages: score and update, a point a run of a few."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

import numpy as np

from benches.timing import Case

SHINGLE = 8
SAMPLES = 256
POINTS = 12
"""A run: they take milliseconds a point."""

Values = np.ndarray[Any, np.dtype[np.float64]]


def python_forests(group: str, trees: int, values: Values) -> Iterable[Case]:
    """rrcf and pysad at the same trees, samples and shingle; full before the clock starts."""
    note = f"{POINTS} points"
    yield Case(group, "rrcf insert, displacement, forget", _rrcf(trees, values[:, 0]), POINTS, note=note)
    yield Case(group, "pysad RobustRandomCutForest", _pysad(trees, values), POINTS, note=note)


def _rrcf(trees: int, values: Values) -> Callable[[], object]:
    """The oldest shingle leaves a tree as a new one comes; rrcf has no shingles of its own."""
    from rrcf import RCTree

    rows = np.lib.stride_tricks.sliding_window_view(values, SHINGLE)
    forest = [RCTree(rows[:SAMPLES], index_labels=range(SAMPLES), random_state=seed) for seed in range(trees)]
    numbers = count(SAMPLES)

    def work() -> None:
        for _ in range(POINTS):
            number = next(numbers)
            row = rows[number % len(rows)]
            for tree in forest:
                tree.forget_point(number - SAMPLES)
                tree.insert_point(row, index=number)
                tree.codisp(number)

    return work


def _pysad(trees: int, values: Values) -> Callable[[], object]:
    from pysad.models import RobustRandomCutForest

    model = RobustRandomCutForest(num_trees=trees, shingle_size=SHINGLE, tree_size=SAMPLES, random_state=1)
    for row in values[: SAMPLES + SHINGLE]:
        model.fit_partial(row)
    numbers = count(SAMPLES + SHINGLE)

    def work() -> None:
        for _ in range(POINTS):
            model.fit_score_partial(values[next(numbers) % len(values)])

    return work
