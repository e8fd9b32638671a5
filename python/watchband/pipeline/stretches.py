"""Stretches: a batch calibrated in parts, each with the interval that was known when its points left prepare."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from watchband.core.points import Int64, Points
from watchband.core.scores import Scores
from watchband.core.state import State
from watchband.pipeline.calibrate import Calibrate, Calibrated
from watchband.pipeline.prepare import Prepared


def calibrate_by_interval(
    calibrate: Calibrate,
    state: State,
    prepared: Prepared,
    scores: Scores,
    learn: NDArray[np.bool_],
    held: NDArray[np.bool_],
    threads: int,
) -> Calibrated:
    """Calibrate a batch, each stretch of a series with the interval that was known when its points left prepare."""
    points, at = prepared.points, prepared.interval_at
    changes = np.flatnonzero(np.r_[False, np.diff(at) != 0]) if len(at) else np.empty(0, np.int64)
    if len(changes):
        changes = changes[~np.isin(changes, points.offsets)]
    if not len(changes):
        some = np.diff(points.offsets) > 0
        interval = np.zeros(points.series, np.int64)
        interval[some] = at[points.offsets[:-1][some]]
        return calibrate.step(state, points, scores, interval_ns=interval, learn=learn, held=held, threads=threads)
    result: Calibrated | None = None
    for part in _rounds(points, changes):
        index = np.concatenate([np.arange(a, b) for _, a, b in part])
        offsets = np.cumsum([0, *(b - a for _, a, b in part)]).astype(np.int64)
        rows = np.array([row for row, _, _ in part], np.int32)
        batch = Points(points.times[index], points.values[index], offsets, rows)
        found = calibrate.step(
            state,
            batch,
            scores.take(index),
            interval_ns=at[[a for _, a, _ in part]],
            learn=learn[index],
            held=held[index],
            threads=threads,
        )
        result = result or Calibrated.blank(len(points), len(found.members))
        for target, source in zip(result.columns(), found.columns(), strict=True):
            target[index] = source
    assert result is not None
    return result


def _rounds(points: Points, changes: Int64) -> list[list[tuple[int, int, int]]]:
    """Stretches (state row, from, to), the first of every series, then the second, and so on."""
    rounds: list[list[tuple[int, int, int]]] = []
    for row, where in points.slices():
        cuts = changes[np.searchsorted(changes, where.start) : np.searchsorted(changes, where.stop)].tolist()
        edges = [where.start, *cuts, where.stop]
        stretches = [(row, a, b) for a, b in pairwise(edges) if b > a]
        for depth, stretch in enumerate(stretches):
            if depth == len(rounds):
                rounds.append([])
            rounds[depth].append(stretch)
    return rounds
