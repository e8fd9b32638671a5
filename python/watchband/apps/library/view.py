"""What people look at: the points of each series with their band, ready to be drawn, and how to thin them.

A chart has about a thousand columns of pixels, a series may have a million points. ``thin`` keeps the lowest
and the highest point of each column, so the drawn line is the same, and never loses an anomaly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchband.core.alert import Alert
from watchband.core.series import SeriesKey

GAP_INTERVALS = 2.5
"""A step longer than this many intervals is a gap: the drawn line breaks there."""
REGULAR_SHARE = 0.8
"""Share of steps near the median step from which a series counts as regular; an irregular one has no gaps."""
CONTEXT_POINTS = 60
"""Points before and after an alert that are kept as they are, so that zooming in on it shows everything."""
GAP_EDGES_MAX = 500

Floats = NDArray[np.float64]


@dataclass(eq=False)
class SeriesView:
    """One series as it is drawn.

    Parameters
    ----------
    key : SeriesKey
        Its name and labels.
    unit : str
        Unit of the values, empty if not known.
    times : int64[n]
        Nanoseconds UTC, ascending.
    y, yhat, yhat_lower, yhat_upper, anomaly_score : float64[n]
        Value (NaN where missing), expected value and band (NaN where there is none), score (above 1 is
        anomalous).
    imputed : bool[n]
        Points that the gap policy filled in.
    alerts : list of Alert
        Alerts of this series.
    quality : mapping
        Counts and ranges of the data as found; see ``pipeline.prepare.Quality``.
    notes : sequence of str
        Sentences about how the series was read.
    points : int, default 0
        How many points these stand for; 0 says that none was left out.
    segments : int64[n], optional
        Neighbours with different numbers are not joined by a line. Found from gaps where not given.
    """

    key: SeriesKey
    unit: str
    times: NDArray[np.int64]
    y: Floats
    yhat: Floats
    yhat_lower: Floats
    yhat_upper: Floats
    anomaly_score: Floats
    imputed: NDArray[np.bool_]
    alerts: list[Alert] = field(default_factory=list)
    quality: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()
    points: int = 0
    segments: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        self.points = self.points or len(self.times)
        if self.segments is None:
            self.segments = _segments(self.times, self.y)

    def __len__(self) -> int:
        return len(self.times)

    @property
    def anomalous(self) -> NDArray[np.bool_]:
        """Points with an anomaly_score above 1."""
        return np.nan_to_num(self.anomaly_score, nan=0.0) > 1

    @property
    def outside(self) -> NDArray[np.bool_]:
        """Points whose value lies outside the band."""
        return (self.y > self.yhat_upper) | (self.y < self.yhat_lower)

    @property
    def interval_ns(self) -> int:
        """The usual step between points, 0 for an irregular series."""
        stated = self.quality.get("interval_ns")
        return int(stated) if stated and stated > 0 else _interval(self.times)

    @property
    def gaps(self) -> list[tuple[int, int]]:
        """Stretches without a value: time of the last value before and of the first after."""
        valued = np.flatnonzero(np.isfinite(self.y))
        assert self.segments is not None
        ends = np.flatnonzero(np.diff(self.segments[valued]))
        return [(int(self.times[valued[k]]), int(self.times[valued[k + 1]])) for k in ends]

    def take(self, index: NDArray[np.int64]) -> SeriesView:
        """The chosen points, still counted as standing for all."""
        assert self.segments is not None
        names = ("times", "y", "yhat", "yhat_lower", "yhat_upper", "anomaly_score", "imputed", "segments")
        return replace(self, **{n: getattr(self, n)[index] for n in names})

    def thin(self, points_max: int) -> SeriesView:
        """At most about ``points_max`` points that draw the same picture; every anomaly is among them.

        Kept are all points with an anomaly_score above 1, opening, peak and end of every alert with the points
        around them, the edges of gaps, and of each of equally long stretches of time the lowest and the highest
        value. Only if more than half of ``points_max`` are anomalous, runs of anomalies keep onset, peak and
        end, and their own lowest and highest points.
        """
        if len(self) <= points_max:
            return self
        keep = np.zeros(len(self), np.bool_)
        keep[[0, -1]] = True
        keep |= _few_or_ends(self.anomalous, self.anomaly_score, points_max // 2)
        self._keep_alerts(keep, points_max // 4)
        self._keep_gap_edges(keep)
        columns = max(8, (points_max - int(keep.sum())) // 2)
        keep[_extremes(self.times, self.y, columns)] = True
        return self.take(np.flatnonzero(keep))

    def _keep_alerts(self, keep: NDArray[np.bool_], budget: int) -> None:
        context = min(CONTEXT_POINTS, budget // max(1, 2 * len(self.alerts)))
        for alert in self.alerts:
            first, peak = np.searchsorted(self.times, [alert.opened, alert.peak_time])
            last = np.searchsorted(self.times, alert.closed) if alert.closed is not None else len(keep) - 1
            for at in {int(first), int(peak), int(last)}:
                keep[max(0, at - context) : at + context + 1] = True

    def _keep_gap_edges(self, keep: NDArray[np.bool_]) -> None:
        assert self.segments is not None
        edges = np.flatnonzero(np.diff(self.segments))
        if len(edges) <= GAP_EDGES_MAX:
            keep[edges] = True
            keep[edges + 1] = True


@dataclass(eq=False)
class DetectionView:
    """Everything a report shows.

    Parameters
    ----------
    series : list of SeriesView
        In the order they were read.
    alerts : list of Alert
        Of all series; shown most severe first.
    detector, rule : str
        What judged, and by which rule ("budget:1/week").
    created_ns : int
        When, nanoseconds UTC. Stated by the caller: nothing here reads a clock.
    title : str
        Heading, such as the name of the file.
    timezone : str
        IANA name of the zone in which times are shown.
    settings : mapping of str to str
        Further settings worth printing: policies, excluded ranges, gaps.
    command : str
        The command that makes this again, empty if there is none.
    version : str
        Version of Watchband.
    notes : sequence of str
        Sentences about how the input was read.
    """

    series: list[SeriesView]
    alerts: list[Alert]
    detector: str = ""
    rule: str = ""
    created_ns: int = 0
    title: str = ""
    timezone: str = "UTC"
    settings: Mapping[str, str] = field(default_factory=dict)
    command: str = ""
    version: str = ""
    notes: Sequence[str] = ()

    @property
    def ranked(self) -> list[Alert]:
        """Alerts, most severe first, of equal ones the newer first."""
        order = {"critical": 0, "warning": 1, "info": 2}
        return sorted(self.alerts, key=lambda a: (order[a.severity], -_known(a.anomaly_score), -a.opened))


def _known(value: float) -> float:
    return value if value == value else 0.0


def _interval(times: NDArray[np.int64]) -> int:
    if len(times) < 3:
        return 0
    steps = np.diff(times)
    usual = int(np.median(steps))
    near = np.abs(steps - usual) <= usual // 10
    return usual if usual > 0 and float(near.mean()) >= REGULAR_SHARE else 0


def _segments(times: NDArray[np.int64], y: Floats) -> NDArray[np.int64]:
    usual = _interval(times)
    cut = np.zeros(len(times), np.bool_)
    if len(times) > 1:
        missing = ~np.isfinite(y)
        cut[1:] = missing[1:] | missing[:-1]
        if usual:
            cut[1:] |= np.diff(times) > GAP_INTERVALS * usual
    return np.cumsum(cut, dtype=np.int64)


def _few_or_ends(marked: NDArray[np.bool_], size: Floats, limit: int) -> NDArray[np.bool_]:
    """All marked points; if they are more than ``limit``, the first, largest and last of each run."""
    if int(marked.sum()) <= limit:
        return marked
    edges = np.diff(np.concatenate([[False], marked, [False]]).astype(np.int8))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    every = np.flatnonzero(marked)
    run = np.repeat(np.arange(len(starts)), ends - starts)
    peaks = every[np.lexsort((-size[every], run))][np.cumsum(ends - starts) - (ends - starts)]
    kept = np.zeros(len(marked), np.bool_)
    kept[np.concatenate([starts, ends - 1, peaks])] = True
    return kept


def _extremes(times: NDArray[np.int64], y: Floats, columns: int) -> NDArray[np.int64]:
    """Lowest and highest value in each of ``columns`` equal stretches of time; a NaN only where alone."""
    span = float(times[-1] - times[0]) + 1.0
    column = ((times - times[0]) * (columns / span)).astype(np.int64)
    order = np.lexsort((y, column))  # NaN sort last within their column
    first = np.flatnonzero(np.diff(column[order], prepend=-1))
    valued = np.add.reduceat(np.isfinite(y[order]).astype(np.int64), first)
    low = order[first]
    high = order[first + np.maximum(valued - 1, 0)]
    return np.unique(np.concatenate([low, high]))
