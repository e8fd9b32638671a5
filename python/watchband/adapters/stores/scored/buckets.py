"""Points gathered to hours, days or weeks: mean, lowest, highest, and of anomalous ones the strangest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from watchband.adapters.stores.scored.block import FLOATS, Scored, decode, encode
from watchband.core.points import Float64, Int64


@dataclass(frozen=True, slots=True, eq=False)
class Buckets:
    """One row a bucket, in order of time; arrays of [n], NaN where nothing is known.

    Parameters
    ----------
    time : int64[n]
        Of its strangest point where it is anomalous, else its beginning; ns UTC.
    y, yhat, yhat_lower, yhat_upper : float64[n]
        Of its strangest point where it is anomalous, else the mean.
    anomaly_score : float64[n]
        The highest.
    y_min, y_max : float64[n]
        Lowest and highest value.
    anomalies : int64[n]
        Points that were anomalous.
    count : int64[n]
        Points with a value.
    """

    time: Int64
    y: Float64
    yhat: Float64
    yhat_lower: Float64
    yhat_upper: Float64
    anomaly_score: Float64
    y_min: Float64
    y_max: Float64
    anomalies: Int64
    count: Int64

    def __len__(self) -> int:
        return len(self.time)

    def at(self, picked: NDArray[np.bool_] | Int64 | slice) -> Buckets:
        """Some of them."""
        return Buckets(**{f.name: getattr(self, f.name)[picked] for f in fields(self)})

    def gathered(self, width: int) -> Buckets:
        """The same in wider buckets. Of anomalous ones the strangest stays, so that no anomaly is lost.

        Examples
        --------
        >>> from watchband.core.duration import HOUR
        >>> n = np.arange(120)
        >>> score = np.where(n == 70, 3.0, 0.1)
        >>> one = np.ones(120)
        >>> points = Scored(n * 60_000_000_000, n * 1.0, one, one, one, score, one, one, np.zeros(120, np.uint8))
        >>> hours = of_points(points).gathered(HOUR)
        >>> hours.y.tolist(), hours.y_max.tolist(), hours.anomaly_score.tolist(), hours.anomalies.tolist()
        ([29.5, 70.0], [59.0, 119.0], [0.1, 3.0], [0, 1])
        """
        if not len(self):
            return self
        which = self.time // width
        starts = np.flatnonzero(np.r_[True, which[1:] != which[:-1]])
        group = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(which)]))
        score = np.nan_to_num(self.anomaly_score, nan=-1.0)
        # The first of the strangest of each; of the store's roll-ups, which have no score, the first with an anomaly.
        score = np.where((score < 0) & (self.anomalies > 0), 1.0 + 1e-9, score)
        peak = np.lexsort((np.arange(len(score)), -score, group))[starts]
        hot = score[peak] > 1
        weight = np.maximum(self.count, 1)

        def mean(values: Float64) -> Float64:
            known = np.isfinite(values)
            total = np.bincount(group, np.where(known, values, 0.0) * weight, len(starts))
            n = np.bincount(group, known * weight, len(starts))
            return np.where(n > 0, total / np.maximum(n, 1), np.nan)

        def picked(values: Float64) -> Float64:
            return np.where(hot, values[peak], mean(values))

        highest = self.anomaly_score[peak]
        return Buckets(
            np.where(hot, self.time[peak], which[starts] * width),
            picked(self.y),
            picked(self.yhat),
            picked(self.yhat_lower),
            picked(self.yhat_upper),
            highest,
            np.fmin.reduceat(self.y_min, starts),
            np.fmax.reduceat(self.y_max, starts),
            np.add.reduceat(self.anomalies, starts),
            np.add.reduceat(self.count, starts),
        )


def of_points(points: Scored) -> Buckets:
    """Every point as a bucket of its own."""
    hot = (np.nan_to_num(points.anomaly_score, nan=0.0) > 1).astype(np.int64)
    return Buckets(
        points.time,
        points.y,
        points.yhat,
        points.yhat_lower,
        points.yhat_upper,
        points.anomaly_score,
        points.y,
        points.y,
        hot,
        np.isfinite(points.y).astype(np.int64),
    )


def joined(parts: Sequence[Buckets]) -> Buckets:
    """Several as one, in order of time."""
    if not parts:
        return of_points(Scored.empty())
    columns = [np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Buckets)]
    order: Int64 = np.argsort(columns[0], kind="stable")
    return Buckets(*columns).at(order)


def packed(series: Int64, parts: Sequence[Buckets]) -> bytes:
    """Hours of several series as bytes; ``unpacked`` is the inverse.

    They are two blocks, one behind the other: what is drawn, and what it stands for.
    """
    counts = np.array([len(part) for part in parts], np.int64)
    whole = Buckets(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Buckets)))
    nothing, flags = np.zeros(len(whole)), np.zeros(len(whole), np.uint8)
    drawn = {name: getattr(whole, name) for name in FLOATS[:4]}
    numbers = whole.count.astype(np.float64), whole.anomalies.astype(np.float64)
    spread: dict[str, Float64] = dict(zip(FLOATS, (whole.y_max, *numbers, nothing, nothing, nothing), strict=True))
    drawn |= {"alert_score": nothing, "counted_score": drawn["anomaly_score"]}
    first = encode(series, counts, Scored(time=whole.time, y=whole.y, flags=flags, **drawn))
    second = encode(series, counts, Scored(time=whole.time, y=whole.y_min, flags=flags, **spread))
    return len(first).to_bytes(4, "little") + first + second


def unpacked(data: bytes) -> tuple[Int64, Int64, Buckets]:
    """Numbers of the series, how many hours each has, and the hours.

    Raises
    ------
    StateCorruptError
        Damaged.
    """
    size = int.from_bytes(data[:4], "little")
    series, counts, drawn = decode(data[4 : 4 + size])
    _, _, spread = decode(data[4 + size :])
    return (
        series,
        counts,
        Buckets(
            drawn.time,
            drawn.y,
            drawn.yhat,
            drawn.yhat_lower,
            drawn.yhat_upper,
            drawn.anomaly_score,
            spread.y,
            spread.yhat,
            spread.yhat_upper.astype(np.int64),
            spread.yhat_lower.astype(np.int64),
        ),
    )
