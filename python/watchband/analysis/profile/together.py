"""Which metrics move together: by rank, before and after their common day is taken out, with honest intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from watchband.analysis.profile.seasons import MONDAY
from watchband.core.duration import DAY, MINUTE, WEEK
from watchband.core.points import Float64, Int64
from watchband.core.series import SeriesKey

SERIES_MAX = 60
BUCKETS = 1024
COMMON_MIN = 30
PAIRS_MAX = 12
STEPS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 720, 1440, 2880, 10_080)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two series: their rank correlation, that of what is left without level and day, and its 95 % interval."""

    one: str
    other: str
    whole: float
    rest: float
    low: float
    high: float
    buckets: int


@dataclass(frozen=True, slots=True, eq=False)
class Together:
    """Correlations of some series.

    Parameters
    ----------
    names : tuple of str
        The series, in the order of the table.
    table : float64[n, n]
        Rank correlation of what is left without level and day; NaN where two have too little in common.
    pairs : tuple of Pair
        The strongest whose interval leaves 0 out.
    bucket : int
        Width of a bucket, ns.
    compared : int
        Pairs that were looked at: of a hundred unrelated ones, five intervals leave 0 out by chance.
    """

    names: tuple[str, ...]
    table: Float64
    pairs: tuple[Pair, ...]
    bucket: int
    compared: int


class Gatherer:
    """Keeps means in common buckets of the first ``SERIES_MAX`` series that change, 8 kB a series.

    Parameters
    ----------
    first, last : int
        Earliest and latest time of all series, ns.
    """

    def __init__(self, first: int, last: int) -> None:
        least = max(last - first, 1) // BUCKETS + 1
        self.bucket = next((s * MINUTE for s in STEPS if s * MINUTE >= least), least)
        self.first = first - first % self.bucket
        self.count = (last - self.first) // self.bucket + 1
        self.names: list[str] = []
        self.rows: list[Float64] = []
        self.left = 0

    def take(self, key: SeriesKey, times: Int64, values: Float64) -> None:
        """Add a series, unless there are enough of them; a constant one moves with nothing."""
        known = np.isfinite(values)
        if not known.any() or float(values[known].max()) == float(values[known].min()):
            return
        if len(self.rows) >= SERIES_MAX:
            self.left += 1
            return
        place = (times[known] - self.first) // self.bucket
        inside = (place >= 0) & (place < self.count)
        counts = np.bincount(place[inside], minlength=self.count)
        with np.errstate(invalid="ignore", divide="ignore"):
            self.rows.append(np.bincount(place[inside], values[known][inside], self.count) / counts)
        self.names.append(str(key))

    def found(self) -> Together | None:
        """The correlations; None where there are not two series."""
        n = len(self.rows)
        if n < 2:
            return None
        rests = [_without_day(row, self.first, self.bucket) for row in self.rows]
        table, pairs = np.full((n, n), math.nan), []
        for i in range(n):
            table[i, i] = 1.0
            for j in range(i + 1, n):
                both = np.isfinite(rests[i]) & np.isfinite(rests[j])
                count = int(both.sum())
                if count < COMMON_MIN:
                    continue
                a, b = _ranks(rests[i][both]), _ranks(rests[j][both])
                rest = _correlation(a, b)
                table[i, j] = table[j, i] = rest
                low, high = _interval(rest, a, b)
                if low > 0 or high < 0:
                    whole = _correlation(_ranks(self.rows[i][both]), _ranks(self.rows[j][both]))
                    pairs.append(Pair(self.names[i], self.names[j], whole, rest, low, high, count))
        pairs.sort(key=lambda p: -abs(p.rest))
        return Together(tuple(self.names), table, tuple(pairs[:PAIRS_MAX]), self.bucket, n * (n - 1) // 2)


def strongest_first(found: Together, count: int) -> Sequence[int]:
    """Numbers of the series that move most with others, neighbours of each other beside each other."""
    size = np.abs(np.nan_to_num(found.table)) - np.eye(len(found.names))
    chosen = np.argsort(-size.max(0), kind="stable")[:count].tolist()
    order = [chosen.pop(0)]
    while chosen:
        order.append(chosen.pop(int(np.argmax(size[order[-1], chosen]))))
    return order


def _without_day(values: Float64, first: int, bucket: int) -> Float64:
    """Less the mean day, of working days and weekends apart where there are two weeks, and less the mean week."""
    times = first + bucket * np.arange(len(values), dtype=np.int64) - MONDAY
    span = len(values) * bucket
    rest = np.array(values)
    for period, least in ((DAY, 10 * MINUTE), (WEEK, DAY)):
        bins = period // max(bucket, least)
        if span < 2 * period or bins < 2:
            continue
        phase = ((times % period) * bins // period).astype(np.int64)
        if period == DAY and span >= 2 * WEEK:
            phase += bins * (times // DAY % 7 >= 5)
        known = np.isfinite(rest)
        counts = np.bincount(phase[known], minlength=2 * bins)
        means = np.bincount(phase[known], rest[known], 2 * bins) / np.maximum(counts, 1)
        rest = rest - means[phase]
    return rest


def _ranks(values: Float64) -> Float64:
    """Ranks with ties at their mean, centred."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts - 1) / 2
    ranks = middle[place]
    return np.asarray(ranks - ranks.mean(), np.float64)


def _correlation(a: Float64, b: Float64) -> float:
    size = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / size if size > 0 else math.nan


def _interval(found: float, a: Float64, b: Float64) -> tuple[float, float]:
    """Fisher's interval with as many observations as two series that remember are worth (Bartlett)."""
    n = len(a)
    if not math.isfinite(found):
        return -1.0, 1.0
    shared, lags = 0.0, min(n // 4, 200)
    for k in range(1, lags + 1):
        both = _lagged(a, k) * _lagged(b, k)
        if both <= 0.01:
            break
        shared += 2 * (1 - k / n) * both
    worth = max(4.0, n / (1 + shared))
    z, reach = math.atanh(min(max(found, -0.999999), 0.999999)), 1.96 / math.sqrt(max(worth - 3, 0.25))
    return math.tanh(z - reach), math.tanh(z + reach)


def _lagged(values: Float64, lag: int) -> float:
    power = float(values @ values)
    return float(values[lag:] @ values[:-lag]) / power if power > 0 else 0.0
