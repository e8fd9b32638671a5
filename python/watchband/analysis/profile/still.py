"""Stretches in which the value does not move, beside those that are usual for the series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from watchband.core.points import Float64, Int64

POINTS_MIN = 12
TIMES_USUAL = 8
LISTED_MAX = 5


@dataclass(frozen=True, slots=True)
class Stretch:
    """Equal values one after the other: times of the first and the last (ns), how many, and the value."""

    start: int
    end: int
    points: int
    value: float


@dataclass(frozen=True, slots=True)
class Still:
    """Where the value does not move.

    Parameters
    ----------
    usual : int
        How long it usually stands still, in points: the 95 % quantile of the runs of equal values, or the length of
        the runs in which half of the points lie, whichever is longer.
    stuck : int
        Runs of ``POINTS_MIN`` points or more and ``TIMES_USUAL`` times the usual.
    points : int
        Points in them.
    longest : tuple of Stretch
        The longest five of them.
    """

    usual: int
    stuck: int
    points: int
    longest: tuple[Stretch, ...]


def still_of(times: Int64, values: Float64) -> Still:
    """Where finite values stand still; a missing value ends a run.

    Examples
    --------
    >>> moving = np.arange(50.0)
    >>> found = still_of(np.arange(70), np.concatenate([moving, np.full(20, 7.0)]))
    >>> found.stuck, found.longest[0].points, found.usual
    (1, 20, 1)
    """
    if not len(values):
        return Still(0, 0, 0, ())
    new = np.concatenate([[True], values[1:] != values[:-1]])  # NaN differs from everything, itself too
    starts = np.flatnonzero(new)
    lengths = np.diff(np.append(starts, len(values)))
    finite = np.isfinite(values[starts])
    starts, lengths = starts[finite], lengths[finite]
    # One run is no usual: a constant series is said to be constant, not stuck.
    if len(starts) < 2:
        return Still(int(lengths.max()) if len(lengths) else 0, 0, 0, ())
    # A run in which half of all points lie is no exception either, however many short ones there are.
    ordered = np.sort(lengths)
    half = int(ordered[np.searchsorted(np.cumsum(ordered), ordered.sum() / 2)])
    usual = max(int(np.quantile(lengths, 0.95)), half)
    long = np.flatnonzero(lengths >= max(POINTS_MIN, TIMES_USUAL * usual))
    order = long[np.argsort(-lengths[long], kind="stable")][:LISTED_MAX]
    longest = tuple(
        Stretch(int(times[a]), int(times[a + n - 1]), int(n), float(values[a]))
        for a, n in zip(starts[order].tolist(), lengths[order].tolist(), strict=True)
    )
    return Still(usual, len(long), int(lengths[long].sum()), longest)
