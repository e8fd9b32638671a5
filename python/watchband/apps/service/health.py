"""What is known of each source, sink and watch while they run: plain numbers that metrics and status read."""

from __future__ import annotations

import bisect
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from watchband.core.duration import SECOND
from watchband.core.events import WatermarkMoved
from watchband.core.ports import Batch
from watchband.pipeline.results import Results

SourceState = Literal["starting", "backfilling", "up", "failing", "failed", "ended"]
PRESENT_NS = 15 * 60 * SECOND
"""A watermark that is younger has come to the present."""
LATENCY_BOUNDS = (0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
"""Seconds; people ask whether an alert came within minutes."""


@dataclass
class SourceHealth:
    """How a source does.

    Parameters
    ----------
    kind : str
        As the configuration names it; ``push`` for what is pushed.
    state : str
        ``starting`` nothing came yet, ``backfilling`` the past is being read, ``up``, ``failing`` it is tried again,
        ``failed`` it is refused and the operator has to help (until then it is asked every ten minutes), ``ended`` it
        has no more.
    points, batches, refused, relabelled_away, history : int
        Points handed over, batches, points a decoder refused, points that relabelling dropped; of what was pushed, the
        points too old to tell anybody of.
    oldest, newest : int
        Times of the oldest and newest point since the start, ns UTC; 0 before the first.
    watermark : int
        Everything up to this time has been seen.
    success, failure : int
        When a batch was durable, and when the source last failed, ns UTC; 0 never.
    failures : int
        In all.
    behind_s : float or None
        Age of the oldest record that was not read yet, of a source that knows it.
    error : str
        Why it last failed, or which part of it fails; empty while all of it is up.
    """

    kind: str = ""
    state: SourceState = "starting"
    points: int = 0
    batches: int = 0
    refused: int = 0
    relabelled_away: int = 0
    history: int = 0
    newest: int = 0
    oldest: int = 0
    watermark: int = 0
    success: int = 0
    failure: int = 0
    failures: int = 0
    retry_at: int = 0
    behind_s: float | None = None
    error: str = ""

    def took(self, batch: Batch, points: int, now: int, error: str = "") -> None:
        """A batch is durable; ``error`` says what of the source fails all the same."""
        self.batches += 1
        self.points += points
        self.success, self.error = now, error[:500]
        for one in batch.readings:
            if len(one.times):
                # A point from the future says nothing of how far the source is.
                self.newest = max(self.newest, min(int(np.max(one.times)), now))
                self.oldest = min(self.oldest or now, int(np.min(one.times)))
        for event in batch.events:
            if isinstance(event, WatermarkMoved):
                self.watermark = max(self.watermark, event.time)
        # The next news may be an hour away: the past is over when everything up to about now has been seen.
        past = batch.history and self.watermark < now - PRESENT_NS
        self.state = "backfilling" if past else "up"

    def stumbled(self, error: Exception, now: int, *, refused: bool = False) -> None:
        """It failed."""
        self.failures += 1
        self.failure, self.error = now, str(error)[:500]
        self.state = "failed" if refused else "failing"


class Histogram:
    """Counts by upper bound; may be added to by several threads."""

    def __init__(self, bounds: Sequence[float] = LATENCY_BOUNDS) -> None:
        self.bounds, self.counts, self.sum = tuple(bounds), [0] * (len(bounds) + 1), 0.0
        self._lock = threading.Lock()

    def add(self, value: float) -> None:
        """One more."""
        with self._lock:
            self.counts[bisect.bisect_left(self.bounds, value)] += 1
            self.sum += value

    def cumulative(self) -> tuple[list[tuple[str, float]], float]:
        """Bounds as Prometheus writes them with all at or below them, and the sum."""
        with self._lock:
            totals = np.cumsum(self.counts).tolist()
            names = [*(repr(float(b)) for b in self.bounds), "+Inf"]
            return list(zip(names, map(float, totals), strict=True)), self.sum


@dataclass
class SinkHealth:
    """How a sink does: deliveries by outcome, its last success (ns UTC), seconds from a point to its delivery."""

    delivered: int = 0
    postponed: int = 0
    dead: int = 0
    success: int = 0
    latency: Histogram = field(default_factory=Histogram)

    def said(self, outcome: str, seconds: float, now: int) -> None:
        """A try to deliver ended."""
        setattr(self, outcome, getattr(self, outcome) + 1)
        if outcome == "delivered":
            self.success = now
            self.latency.add(max(seconds, 0.0))


@dataclass
class WatchHealth:
    """What a watch said since the process started.

    ``points`` came out of prepare, of which ``missing`` had no value and ``imputed`` one that was put in;
    ``anomalous`` were beyond the limit; ``banded`` had a band and a value of their own, ``inside`` of those lay in it.
    ``faults`` counts what prepare found in the readings, by its kind.
    """

    points: int = 0
    missing: int = 0
    imputed: int = 0
    anomalous: int = 0
    banded: int = 0
    inside: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    _last: dict[str, int] = field(default_factory=dict)

    def took(self, results: Results) -> None:
        """Count what was said of an entry."""
        y, own = results.y, ~results.imputed
        below = np.isnan(results.yhat_lower) | (y >= results.yhat_lower)
        above = np.isnan(results.yhat_upper) | (y <= results.yhat_upper)
        banded = own & np.isfinite(y) & ~(np.isnan(results.yhat_lower) & np.isnan(results.yhat_upper))
        self.points += len(results)
        self.missing += int(np.isnan(y).sum())
        self.imputed += int(results.imputed.sum())
        self.anomalous += int((results.anomaly_score > 1).sum())
        self.banded += int(banded.sum())
        self.inside += int((banded & below & above).sum())

    def found(self, counts: Mapping[str, int]) -> None:
        """What prepare's states count now; they also shrink, when series are forgotten, and a counter must not."""
        for name, count in counts.items():
            more = count - self._last.get(name, 0)
            self.faults[name] = self.faults.get(name, 0) + max(more, 0)
        self._last = dict(counts)
