"""The engine of ``detect``: readings in, rows of results out, batch by batch, in bounded memory."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from watchband.apps.library.align import Aligner, Disorder, InputOrder, Readings
from watchband.apps.library.footprint import check_fits
from watchband.apps.library.rows import Rows
from watchband.core.alert import Alert
from watchband.core.points import Float64, Int32, Int64
from watchband.core.series import SeriesKey

if TYPE_CHECKING:
    from watchband.pipeline.raw import Raw
    from watchband.pipeline.results import Results
    from watchband.pipeline.watch import Watch


class FeedBatch(Protocol):
    """Readings, in time order within a series where the input had to be sorted.

    ``row`` numbers their series, ``keys`` are all series known by now, ``ordinal`` is the position in the input.
    """

    @property
    def row(self) -> Int32: ...
    @property
    def times(self) -> Int64: ...
    @property
    def values(self) -> Float64: ...
    @property
    def ordinal(self) -> Int64: ...
    @property
    def keys(self) -> Sequence[SeriesKey]: ...


class Consumer(Protocol):
    """Takes blocks of rows as they come; ``keys`` names the series by number."""

    def take(self, rows: Rows, keys: Sequence[SeriesKey]) -> None: ...


@dataclass(eq=False)
class Outcome:
    """What is known at the end of a run.

    Parameters
    ----------
    keys : list of SeriesKey
        Every series, in the order of appearance.
    alerts : list of Alert
        The last version of every alert, most severe first.
    quality : list of dict
        What was found in the readings of each series; see ``pipeline.prepare.Quality``.
    rows, points, anomalies : int
        Readings, points that were scored, and those of them with an anomaly_score above 1.
    anomalies_of : dict of int to int
        Points with an anomaly_score above 1, by number of the series.
    start, end : int or None
        Time of the first and the last reading, nanoseconds since 1970.
    rows_held_max : int
        Most rows that were in memory at once.
    """

    keys: list[SeriesKey] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    quality: list[dict[str, Any]] = field(default_factory=list)
    rows: int = 0
    points: int = 0
    anomalies: int = 0
    anomalies_of: dict[int, int] = field(default_factory=dict)
    start: int | None = None
    end: int | None = None
    rows_held_max: int = 0

    def counts(self) -> dict[str, int]:
        """Series, points, alerts and alerts by severity."""
        severities = [alert.severity for alert in self.alerts]
        return {
            "series": len(self.keys),
            "rows": self.rows,
            "points": self.points,
            "anomalies": self.anomalies,
            "alerts": len(self.alerts),
            **{name: severities.count(name) for name in ("critical", "warning", "info")},
        }


def run(
    watch: Watch,
    batches: Iterable[FeedBatch],
    *,
    excluded: Sequence[tuple[int, int]] = (),
    consumers: Sequence[Consumer] = (),
    with_imputed: bool = False,
    observe: Callable[[Results], None] | None = None,
) -> Outcome:
    """Fold every batch through the watch and hand the rows on as they are complete.

    Parameters
    ----------
    watch : Watch
        What judges.
    batches : iterable of FeedBatch
        Read once, one at a time.
    excluded : sequence of (int, int)
        Spans, in nanoseconds, that are scored but not learned from.
    consumers : sequence of Consumer
        Each sees every block of rows, in order.
    with_imputed : bool, default False
        Also give rows for points that no reading stands behind.
    observe : callable, optional
        Called with what the watch said of each batch, point by point.
    """
    outcome = Outcome()
    alerts: dict[str, Alert] = {}
    prepared_values = watch.prepare.counter or watch.prepare.resample_ns is not None
    aligner = Aligner(own_values=not prepared_values, with_imputed=with_imputed)
    in_order, disorder = InputOrder(), Disorder()
    state = watch.start([])
    if watch.join is not None:
        from watchband.apps.library.joining import Joining

        batches = Joining(watch.join).batches(batches)
    for batch in _then_flush(batches):
        final = batch is None
        if batch is not None and len(batch.keys) > len(outcome.keys):
            check_fits(watch, len(outcome.keys), len(batch.keys) - len(outcome.keys))
            state.add(batch.keys[len(outcome.keys) :])
            outcome.keys.extend(batch.keys[len(outcome.keys) :])
        raw, order = _raw(batch)
        results = watch.step(state, raw, excluded=excluded, flush=final)
        if observe:
            observe(results)
        readings = _readings(batch, order, results.row_ordinal)
        disorder.take(readings.row, readings.order)
        rows = in_order.step(aligner.step(readings, Rows.of(results), results.ordinal, final=final), final=final)
        alerts.update((alert.id, alert) for alert in results.alerts)
        _count(outcome, readings, results)
        outcome.rows_held_max = max(outcome.rows_held_max, aligner.held + in_order.held + len(rows))
        for consumer in consumers:
            consumer.take(rows, outcome.keys)
    outcome.alerts = sorted(alerts.values(), key=severity_order)
    outcome.quality = [dataclasses.asdict(q) for q in watch.prepare.quality(state.prepare)]
    for number, count in disorder.counts.items():
        outcome.quality[number]["out_of_order"] += count
    return outcome


def severity_order(alert: Alert) -> tuple[float, int, str]:
    """Sort key: most severe first, of equal ones the earlier."""
    return -np.nan_to_num(alert.anomaly_score), alert.opened, alert.id


def _then_flush(batches: Iterable[FeedBatch]) -> Iterator[FeedBatch | None]:
    """Every batch, then None: the time for everything that is still open to leave."""
    yield from batches
    yield None


def _raw(batch: FeedBatch | None) -> tuple[Raw, Int64]:
    from watchband.pipeline.raw import Raw

    if batch is None:
        return Raw.fleet([]), np.empty(0, np.int64)
    raw, order = Raw.grouped(batch.row, batch.times, batch.values)
    further = getattr(batch, "further", None)
    return (raw if further is None else dataclasses.replace(raw, further=further[order])), order


def _readings(batch: FeedBatch | None, order: Int64, row_ordinal: Int64) -> Readings:
    """The batch in input order, each reading with the number of its point."""
    if batch is None:
        return Readings.none()
    ordinal = np.empty_like(row_ordinal)
    ordinal[order] = row_ordinal
    return Readings(batch.row, batch.times, batch.values, ordinal, batch.ordinal)


def _count(outcome: Outcome, readings: Readings, results: Results) -> None:
    outcome.rows += len(readings)
    outcome.points += int(np.isfinite(results.score).sum())
    strange = results.row[results.anomaly_score > 1]
    outcome.anomalies += len(strange)
    for number, count in zip(*np.unique(strange, return_counts=True), strict=True):
        outcome.anomalies_of[int(number)] = outcome.anomalies_of.get(int(number), 0) + int(count)
    if len(readings):
        first, last = int(readings.time.min()), int(readings.time.max())
        outcome.start = first if outcome.start is None else min(first, outcome.start)
        outcome.end = last if outcome.end is None else max(last, outcome.end)
