"""The Numenta Anomaly Benchmark's score by its official rules.

Rows of the first 15 % of a file, at most 750, count nowhere. A row in a labelled window earns the more the earlier it
is, and only the best one of a window counts; a window without any costs ``fn``; a row outside costs ``fp`` times how
far behind the last window it is. One threshold for all files of a profile, the best there is. The sum is scaled so
that silence is 0 and a detection on the first row of every window, and nowhere else, is 100.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchband.core.errors import PointsShapeError
from watchband.core.points import Float64, Int64

PROBATION_SHARE = 0.15
PROBATION_ROWS_MAX = 750
_FAR_BEHIND = 3.0


@dataclass(frozen=True, slots=True)
class Profile:
    """What a found window earns, and what a false row and a missed window cost."""

    name: str
    tp: float
    fp: float
    fn: float


PROFILES = (
    Profile("standard", 1.0, 0.11, 1.0),
    Profile("reward_low_FP_rate", 1.0, 0.22, 1.0),
    Profile("reward_low_FN_rate", 1.0, 0.11, 2.0),
)


@dataclass(frozen=True, slots=True, eq=False)
class NabFile:
    """What a file's rows are worth, whatever the detector says.

    Parameters
    ----------
    worth : float64[n]
        In a window 1 at its first row, falling to 0 at its end; outside -1, nearer to 0 just behind a window.
    window : int64[n]
        Number of the window that the row is in, -1 outside.
    counted : bool[n]
        False in the probationary period.
    """

    worth: Float64
    window: Int64
    counted: NDArray[np.bool_]

    @property
    def windows(self) -> int:
        """Windows with a row that counts."""
        return len(np.unique(self.window[self.counted & (self.window >= 0)]))


@dataclass(frozen=True, slots=True)
class NabScore:
    """The score of a profile at its best threshold.

    Parameters
    ----------
    score : float
        0 is silence, 100 perfect; below 0 never at the best threshold, because silence is one of them.
    threshold : float
        Rows with a score at least this high were detections; infinite where silence is best.
    found, windows : int
        Windows with a detection, and all of them.
    false_rows : int
        Detections outside all windows.
    """

    score: float
    threshold: float
    found: int
    windows: int
    false_rows: int


def probation(rows: int) -> int:
    """Rows at the start of a file that count nowhere.

    Examples
    --------
    >>> probation(1000), probation(50_000)
    (150, 750)
    """
    return int(min(np.floor(PROBATION_SHARE * rows), PROBATION_ROWS_MAX))


def sigmoid_worth(position: Float64) -> Float64:
    """Worth at a position in units of the window: -1 its left edge, 0 its right edge, then behind it."""
    return np.where(position >= _FAR_BEHIND, -1.0, 2 / (1 + np.exp(5 * np.minimum(position, _FAR_BEHIND))) - 1)


def nab_file(times: Int64, windows: Int64) -> NabFile:
    """What the rows of a file are worth.

    Parameters
    ----------
    times : int64[n]
        In the order of the file; a time may come twice.
    windows : int64[w, 2]
        First and last time of each window, both in it and both among ``times``, in order of time.

    Raises
    ------
    PointsShapeError
        A window's edge is no time of the file.
    """
    n = len(times)
    rows = np.arange(n)
    window = np.full(n, -1, np.int64)
    worth = np.full(n, -1.0)
    best = float(sigmoid_worth(np.array(-1.0)))
    edges = _rows_of(times, np.asarray(windows, np.int64).reshape(-1, 2))
    followers = [*edges[1:, 0].tolist(), n][: len(edges)]
    for number, ((left, right), following) in enumerate(zip(edges.tolist(), followers, strict=True)):
        width = right - left + 1
        window[left : right + 1] = number
        worth[left : right + 1] = sigmoid_worth((rows[left : right + 1] - right - 1) / width) / best
        worth[right + 1 : following] = sigmoid_worth((rows[right + 1 : following] - right) / max(width - 1, 1))
    return NabFile(worth, window, rows >= probation(n))


def _rows_of(times: Int64, windows: Int64) -> Int64:
    """int64[w, 2]: the first rows that have the windows' times."""
    order = np.argsort(times, kind="stable")
    at = np.minimum(np.searchsorted(times[order], windows), len(times) - 1)
    if len(bad := np.flatnonzero((times[order][at] != windows).any(axis=1))):
        raise PointsShapeError(f"Window {bad[0]} begins or ends at a time that no row of the file has.")
    return np.asarray(order[at], np.int64)


def nab_score(
    files: Sequence[NabFile],
    scores: Sequence[Float64],
    profile: Profile = PROFILES[0],
    threshold: float | None = None,
) -> NabScore:
    """Score of a set of files at the one threshold that is best for all of them.

    Parameters
    ----------
    files : sequence of NabFile
        From ``nab_file``.
    scores : sequence of float64[n]
        One score a row, higher is stranger; NaN is never a detection. An alert score, high where an alert opens and
        0 while it lasts, is what the rules reward.
    profile : Profile, default standard
        The costs.
    threshold : float, optional
        Taken instead of the best one; the score may then be below 0.

    Raises
    ------
    PointsShapeError
        Lengths do not fit together.
    """
    if [len(f.worth) for f in files] != [len(s) for s in scores]:
        raise PointsShapeError("Every file wants one score a row. The lengths of files and scores differ.")
    parts, windows = [np.empty((4, 0))], 0
    for file, given in zip(files, scores, strict=True):
        parts += _steps(file, given, profile)
        windows += file.windows
    level, gain, hit, false = np.concatenate(parts, axis=1)
    order = np.argsort(-level, kind="stable")
    ends = np.flatnonzero(np.diff(level[order], append=np.nan) != 0)
    silence = -profile.fn * windows
    totals = np.r_[silence, silence + np.cumsum(gain[order])[ends]]
    steps = level[order][ends]
    at = int(np.argmax(totals)) if threshold is None else int((steps >= threshold).sum())
    score = 100 * (float(totals[at]) - silence) / (profile.tp * windows - silence) if windows else 0.0
    if not at:
        return NabScore(score, np.inf, 0, windows, 0)
    said = order[: ends[at - 1] + 1]
    return NabScore(score, float(steps[at - 1]), int(hit[said].sum()), windows, int(false[said].sum()))


def _steps(file: NabFile, given: Float64, profile: Profile) -> list[Float64]:
    """What changes as the threshold falls: columns of score, gain, a window found, a false row."""
    some = file.counted & ~np.isnan(given)
    outside = some & (file.window < 0)
    count = int(outside.sum())
    found = [np.stack([given[outside], profile.fp * file.worth[outside], np.zeros(count), np.ones(count)])]
    rows = np.flatnonzero(some & (file.window >= 0))
    rows = rows[np.lexsort((-given[rows], file.window[rows]))]
    for inside in np.split(rows, np.flatnonzero(np.diff(file.window[rows])) + 1):
        best = np.maximum.accumulate(profile.tp * file.worth[inside])
        first = np.arange(len(inside)) == 0
        found.append(np.stack([given[inside], np.diff(best, prepend=-profile.fn), first, np.zeros(len(inside))]))
    return found
