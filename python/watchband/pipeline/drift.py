"""Drift: whether what a model was made for is still what comes. A fold over what a watch says of its points."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from watchband import _kernels
from watchband.core import params
from watchband.core.duration import DAY
from watchband.core.fold import Fold, fingerprint
from watchband.core.params import Flag, Integer, Real, param
from watchband.core.points import Float64, Int64, Points
from watchband.core.state import Field, State

MARKS, LIFE, SKETCHES, RING, _READINGS, _WHEN, BLOCKS, COUNT = _kernels.drift_widths()
MONITORS = ("cutoff", "values", "scores", "rate", "coverage")
NEVER = int(np.iinfo(np.int64).min)
OUT, BACK, ADOPTED = 0, 1, 2
SETTLE = 2
"""Blocks that are not looked at: detectors and tails find their shape in them."""
NOMINAL = 0.95
"""Share of points that the band of a budget is measured at: p-values above 0.05."""
_DONE, _OPEN, _SINCE, _KNOWN, _RUN = 1, 2, 3, 4, 8


@dataclass(frozen=True, slots=True)
class DriftFound:
    """What there is to tell after a batch, in the order in which it came up; of one series in order of time.

    Parameters
    ----------
    row : int32[k]
        State row.
    what : int64[k]
        ``OUT`` (a monitor is beyond its limits, or another one too), ``BACK`` (none is any more), or ``ADOPTED``: it
        lasted so long that what comes now is the new reference.
    since, known, over : int64[k]
        Where that begins, when it was known, and when it ended (``NEVER`` while it lasts), ns UTC.
    which : int64[k]
        Sum of ``1 << i`` for every monitor of ``MONITORS`` that is out, or was.
    worst : int64[k]
        The one that is farthest out.
    reading, low, high : float64[k]
        What that one says, and the limits that it should keep.
    """

    row: NDArray[np.int32]
    what: Int64
    since: Int64
    known: Int64
    over: Int64
    which: Int64
    worst: Int64
    reading: Float64
    low: Float64
    high: Float64

    def __len__(self) -> int:
        return len(self.row)

    @classmethod
    def none(cls) -> DriftFound:
        """Nothing was found."""
        whole, real = np.empty(0, np.int64), np.empty(0)
        return cls(np.empty(0, np.int32), whole, whole, whole, whole, whole, whole, real, real, real)

    def rows(self) -> list[tuple[int, int, int, int, int, int, int, float, float, float]]:
        """One tuple a finding."""
        return list(zip(*(getattr(self, f.name).tolist() for f in fields(self)), strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class Health:
    """How the monitors of some series stand; arrays of [series] or [series, 5], columns as in ``MONITORS``.

    Parameters
    ----------
    left : int64[series]
        Blocks until the monitors speak; 0 where they do.
    out : bool[series, 5]
        Beyond the limits, and told.
    since : int64[series]
        Since when any is, ns UTC; ``NEVER`` where none is.
    reading, low, high : float64[series, 5]
        After the last block, and the limits; NaN where nothing can be said yet.
    """

    left: Int64
    out: NDArray[np.bool_]
    since: Int64
    reading: Float64
    low: Float64
    high: Float64


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """The last blocks of one series, oldest first; every array [n], n at most 32.

    Parameters
    ----------
    start : int64[n]
        Where each block begins, ns UTC.
    points, anomalous, incidents, known, outside : int64[n]
        Points that were judged, anomalous ones and how often these began; points whose place in the nominal band is
        known, and those outside.
    cutoff : float64[n]
        Mean cut-off, in the detector's units of score.
    low, high : float64[n]
        Mean of the cut-offs before plus and minus three standard deviations; NaN while there are fewer than seven.
    """

    start: Int64
    points: Int64
    anomalous: Int64
    incidents: Int64
    known: Int64
    outside: Int64
    cutoff: Float64
    low: Float64
    high: Float64


@dataclass(frozen=True)
class Drift(Fold):
    """Five monitors of a model, read block by block (a day, say): a fold over what a watch says of its points.

    * ``cutoff``: the block's mean cut-off against mean ± 3 standard deviations of the blocks before.
    * ``values``, ``scores``: Kolmogorov-Smirnov distance of the last blocks to the reference period, at 15 edges. The
      limit is Kolmogorov's quantile for the *effective* number of points: how much more than by chance the reference's
      own blocks differ says how many points are worth one, so that neither a season nor noise with a memory is drift.
    * ``rate``: how many times as often as in the reference anomalies begin, each without its worst block. Out where
      even the near end of its interval (99.9 %) is more than ``change`` off: a quiet series does not cry.
    * ``coverage``: share of points within the nominal band, over a week of blocks, with an interval by blocks.

    A monitor is told after ``patience`` blocks beyond its limits. What lasts for ``adopt`` blocks is the new reference.
    Seasons longer than a block count as spread of the blocks: a weekly pattern makes the limits wider, never an alarm.

    State: 2,776 bytes a series. Cost: some 15 ns a point.

    Examples
    --------
    >>> minute, rng = 60_000_000_000, np.random.default_rng(0)
    >>> drift, n = Drift(every_ns=240 * minute), 240 * 40
    >>> values = rng.normal(size=n) + np.where(np.arange(n) < 240 * 30, 0.0, 1.5)
    >>> state, points = drift.start(1), Points.of(np.arange(n) * minute, values)
    >>> nothing = np.full(n, np.nan)
    >>> found = drift.step(state, points, score=nothing, cutoff=nothing, odd=nothing, covered=nothing)
    >>> [MONITORS[i] for i in found.worst], (found.known // (240 * minute)).tolist()
    (['values'], [32])
    """

    name: ClassVar[str] = "drift"

    every_ns: int = param(DAY, Integer(1_000_000_000), "Length of a block; a whole number of seasons.", unit="ns")
    reference: int = param(14, Integer(4, 30), "Blocks of the reference period.", unit="blocks")
    patience: int = param(2, Integer(1, 30), "Blocks in a row beyond the limits that are told.", unit="blocks")
    adopt: int = param(14, Integer(0, 1000), "Blocks after which drift is the new reference; 0: never.", unit="blocks")
    least: int = param(24, Integer(4, 1_000_000), "Points below which a block goes on.", unit="points")
    distance: float = param(0.1, Real(0, 1), "Distances of distributions below this do not matter.")
    change: float = param(0.2, Real(0, 1), "Changes of the anomaly rate below this share do not matter.")
    slack: float = param(0.02, Real(0, 1), "Coverage may be so far off the nominal share.")
    alert: bool = param(False, Flag(), "Whether drift opens an alert.", retunable=True)
    score: float = param(1.2, Real(1, low_open=True), "anomaly_score of such an alert.", retunable=True)

    def __post_init__(self) -> None:
        params.check(self)

    def layout(self) -> dict[str, Field]:
        """The arrays of one series."""
        return {
            "marks": Field("i8", MARKS),
            "life": Field("f8", LIFE),
            "sketches": Field("f8", SKETCHES),
            "ring": Field("f4", RING),
        }

    @cached_property
    def fingerprint(self) -> str:
        """Of the name and the parameters that shape the state."""
        return fingerprint(self.name, params.shaping(self))

    def start(self, series: int = 1) -> State:
        """A state for series that have seen nothing."""
        state = super().start(series)
        state.arrays["marks"][:, 0] = NEVER
        state.arrays["life"][:, _READINGS:] = np.nan
        return state

    def step(
        self,
        state: State,
        points: Points,
        *,
        score: Float64,
        cutoff: Float64,
        odd: Float64,
        covered: Float64,
        nominal: float = math.nan,
        threads: int = 0,
    ) -> DriftFound:
        """Fold a batch; ``state`` is moved on in place.

        Parameters
        ----------
        state : State
            From ``start``, ``load`` or an earlier step.
        points : Points
            Values that were measured; NaN where there is none.
        score, cutoff : float64[n]
            What the detector says of each point, and its limit; NaN where it says nothing.
        odd, covered : float64[n]
            1 or 0: the point is anomalous; it is within the nominal band. NaN where nobody judged.
        nominal : float, default NaN
            The share of points that band is to hold; NaN: nobody says.
        threads : int, default 0
            Threads over series; never changes a bit of the result.

        Raises
        ------
        StateError
            The state belongs to something else.
        """
        self.check_state(state)
        arrays = state.arrays
        whole, real = _kernels.drift(
            (arrays["marks"], arrays["life"], arrays["sketches"], arrays["ring"]),
            (points.rows, points.offsets, points.times, points.values),
            [np.ascontiguousarray(column, np.float64) for column in (score, cutoff, odd, covered)],
            (self.every_ns, self.reference, self.patience, self.adopt),
            (float(self.least), self.distance, self.change, self.slack, nominal),
            threads,
        )
        some, rows = points.folded()
        ends = points.offsets[1:][some]
        state.points_seen[rows] += ends - points.offsets[:-1][some]
        state.last_time[rows] = points.times[ends - 1]
        if not len(whole):
            return DriftFound.none()
        columns = whole.reshape(-1, 7).T
        return DriftFound(points.rows[columns[0]], *columns[1:], *real.reshape(-1, 3).T)

    def health(self, state: State) -> Health:
        """How the monitors of every series stand."""
        marks, life = state.arrays["marks"], state.arrays["life"]
        reading, low, high = (life[:, _READINGS + i :: 3] for i in range(3))
        out = (marks[:, _OPEN, None] >> np.arange(COUNT) & 1).astype(bool)
        return Health(
            left=np.maximum(0, SETTLE + 2 + self.reference - marks[:, _DONE]),
            out=out,
            since=np.where(out.any(axis=1), marks[:, _SINCE], NEVER),
            reading=reading.copy(),
            low=low.copy(),
            high=high.copy(),
        )

    def told(self, state: State) -> list[tuple[int, int]]:
        """Series that drift: state row, and since when, ns UTC."""
        marks = state.arrays["marks"]
        rows = np.flatnonzero(marks[:, _OPEN])
        return list(zip(rows.tolist(), marks[rows, _SINCE].tolist(), strict=True))

    def end(self, state: State, rows: list[int], time: int) -> DriftFound:
        """What was told of these series is over at ``time`` or when it was known: they have ended."""
        marks, life = state.arrays["marks"], state.arrays["life"]
        some = [row for row in rows if marks[row, _OPEN]]
        if not some:
            return DriftFound.none()
        since, known, which = (marks[some, place].copy() for place in (_SINCE, _KNOWN, _OPEN))
        worst = (which & -which).astype(np.float64)
        first = np.log2(worst).astype(np.int64)
        readings = [life[row, _READINGS + 3 * i : _READINGS + 3 * i + 3] for row, i in zip(some, first, strict=True)]
        marks[some, _OPEN] = 0
        over, back = np.maximum(known, time), np.full(len(some), BACK)
        return DriftFound(np.array(some, np.int32), back, since, known, over, which, first, *np.array(readings).T)

    def approve(self, state: State, rows: list[int], time: int) -> DriftFound:
        """What comes from here on is what these series are measured against; drift that was told is over."""
        over = self.end(state, rows, time)
        marks, life = state.arrays["marks"], state.arrays["life"]
        learned = [row for row in rows if marks[row, _DONE] > SETTLE]
        marks[learned, _DONE] = SETTLE
        marks[learned, _RUN:_WHEN] = 0
        state.arrays["sketches"][learned] = 0.0
        life[learned, _READINGS:] = np.nan
        return replace(over, what=np.full(len(over), ADOPTED))

    def history(self, state: State, row: int) -> History:
        """The last blocks of a series."""
        marks = state.arrays["marks"][row]
        count = int(marks[6])
        order = [i % BLOCKS for i in range(max(0, count - BLOCKS), count)]
        ring = state.arrays["ring"][row].reshape(BLOCKS, -1)[order].astype(np.float64)
        cutoff = ring[:, 5]
        low, high = limits_of(cutoff)
        points, odd, runs, known, outside = (ring[:, i].astype(np.int64) for i in range(5))
        start = marks[_WHEN:][order] * self.every_ns
        return History(start, points, odd, runs, known, outside, cutoff, low, high)


HISTORY, SIGMAS, ROOM = 7, 3.0, 0.05


def limits_of(cutoff: Float64) -> tuple[Float64, Float64]:
    """Mean ± 3 standard deviations of the cut-offs before each, as the monitor has them: float64[n] twice.

    Both are of the logarithm, since a cut-off is a size. The three is as many of Student's where the spread is
    estimated from few, and of the next value instead of the mean; at least 5 %. NaN while fewer than seven are known.
    """
    low, high = np.full(len(cutoff), np.nan), np.full(len(cutoff), np.nan)
    for i in range(len(cutoff)):
        before = cutoff[max(0, i - BLOCKS + 1) : i]
        before = np.log(before[np.isfinite(before) & (before > 0)])
        n = len(before)
        if n < HISTORY:
            continue
        mean = float(before.mean())
        room = widened(SIGMAS, n - 1) * float(before.std(ddof=1)) * math.sqrt(1 + 1 / n)
        low[i], high[i] = math.exp(mean - max(room, ROOM)), math.exp(mean + max(room, ROOM))
    return low, high


def widened(z: float, degrees: int) -> float:
    """So many standard deviations of a normal law, as many of Student's where they are estimated."""
    first = (z**3 + z) / (4 * degrees)
    return z + first + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * degrees**2)
