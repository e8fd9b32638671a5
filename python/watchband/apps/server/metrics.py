"""``GET /metrics``: what Prometheus scrapes, collected from the plain numbers of the service when it is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from watchband import __version__
from watchband.apps.server.exported import exported
from watchband.apps.server.modelled import modelled
from watchband.apps.service.health import SinkHealth
from watchband.apps.service.service import Service
from watchband.apps.service.status import lanes_of, nominal_coverage, states_of
from watchband.apps.service.views.risk import risk_counts
from watchband.core.alert import Severity
from watchband.core.duration import SECOND
from watchband.pipeline.retention import Kept

STATES = ("starting", "backfilling", "up", "failing", "failed", "ended")
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")
FAULTS = {
    "nan": "Readings without a value.",
    "infinite": "Readings that are infinite.",
    "duplicates": "Readings of a time that was there already.",
    "out_of_order": "Readings that came after later ones.",
    "late": "Readings that came too late to be judged.",
    "gaps": "Stretches without readings.",
    "imputed": "Points that the gap policy put in.",
    "counter_resets": "Times a counted reading fell.",
}


FAULT_NAMES = {
    **{k: f"readings_{k}" for k in ("nan", "infinite", "duplicates", "out_of_order", "late")},
    "imputed": "points_imputed",
    "counter_resets": "reading_resets",
}


class Metrics:
    """The page and its registry.

    Parameters
    ----------
    service : Service
        Whose numbers.
    requests : Counter
        Requests by route and status.
    """

    def __init__(self, service: Service, requests: Counter[tuple[str, int]]) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self.registry.register(_Numbers(service, requests))
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def page(self, accept: str) -> tuple[bytes, str]:
        """Body and media type, OpenMetrics if ``accept`` wants it."""
        encoder, media = choose_encoder(accept)
        return encoder(self.registry), media


class _Numbers(Collector):
    def __init__(self, service: Service, requests: Counter[tuple[str, int]]) -> None:
        self.service, self.requests = service, requests

    def describe(self) -> Iterator[Metric]:
        return iter(())

    def collect(self) -> Iterator[Metric]:
        service = self.service
        info = InfoMetricFamily("watchband_build", "The release that runs.")
        info.add_metric([], {"version": __version__})
        yield info
        yield _gauge("watchband_ready", "1 when it is ready, 0 with the reasons in /readyz.", not service.unready)
        requests = _counters("watchband_http_requests", "Requests that were answered.", ("route", "status"))
        for (route, status), count in list(self.requests.items()):
            requests.add_metric([route, str(status)], count)
        yield requests
        yield from self.reloads()
        if service.phase not in ("running", "draining"):
            return
        yield from self.sources()
        yield from self.engine()
        yield from self.room()
        yield from self.expressions()
        yield from self.risk()
        yield from self.upkeep()
        yield from self.archive()
        yield from self.watches()
        yield from self.alerts()
        yield from self.deliveries()
        yield from modelled(service)
        yield from exported(service)

    def expressions(self) -> Iterator[Metric]:
        deriving = self.service.runner.deriving
        if deriving is None or not deriving.derive:
            return
        tally = deriving.derive.tally
        left = _counters("watchband_expression_readings_left_out", "Readings nothing was derived from.", ("reason",))
        for reason in ("late", "ambiguous", "dropped"):
            left.add_metric([reason], getattr(tally, reason))
        yield left
        yield _gauge(
            "watchband_expression_readings_waiting",
            "Readings that wait for their counterparts.",
            deriving.derive.waiting,
        )

    def risk(self) -> Iterator[Metric]:
        counts = risk_counts(self.service)
        if counts is None:
            return
        gauge = _gauges("watchband_risk_entities", "Entities by state; Unknown: not judged, or silent.", ("state",))
        for state, count in counts.items():
            gauge.add_metric([state], count)
        yield gauge

    def reloads(self) -> Iterator[Metric]:
        reloader = self.service.reloader
        total = _counters("watchband_config_reloads", "Reloads of the configuration.", ("outcome",))
        total.add_metric(["success"], reloader.done)
        total.add_metric(["failure"], reloader.failed)
        yield total
        good = not reloader.error
        yield _gauge("watchband_config_last_reload_successful", "0: the file is bad, the one before runs on.", good)
        when = reloader.success / SECOND
        yield _gauge("watchband_config_last_reload_success_timestamp_seconds", "When it was last taken over.", when)

    def sources(self) -> Iterator[Metric]:
        service, now = self.service, self.service.clock.now()
        names = ("source", "kind")
        healths = service.inflow.healths()
        up = _gauges("watchband_source_up", "0: it fails or is refused, and is tried again.", names)
        state = _gauges("watchband_source_state", "1 for the state it is in.", (*names, "state"))
        lag = _gauges("watchband_source_lag_seconds", "Now less the time of the newest point.", names)
        behind = _gauges("watchband_source_behind_seconds", "Age of the oldest record of a stream not yet read.", names)
        success = _gauges("watchband_source_last_success_timestamp_seconds", "When points last became durable.", names)
        mark = _gauges("watchband_source_watermark_timestamp_seconds", "Everything up to then has been seen.", names)
        counts = {
            "points": _counters("watchband_source_points_received", "Points that became durable.", names),
            "refused": _counters("watchband_source_points_refused", "Points that could not be read.", names),
            "relabelled_away": _counters("watchband_source_points_dropped", "Points that relabelling dropped.", names),
            "history": _counters("watchband_source_points_history", "Pushed points too old to tell of.", names),
            "failures": _counters("watchband_source_failures", "Times it failed and was tried again.", names),
        }
        for name, health in healths.items():
            labels = [name, health.kind]
            up.add_metric(labels, health.state not in ("failing", "failed"))
            for known in STATES:
                state.add_metric([*labels, known], health.state == known)
            for attribute, family in counts.items():
                family.add_metric(labels, getattr(health, attribute))
            # What has never been is absent, not zero.
            if health.newest:
                lag.add_metric(labels, (now - health.newest) / SECOND)
            if health.behind_s is not None:
                behind.add_metric(labels, health.behind_s)
            if health.success:
                success.add_metric(labels, health.success / SECOND)
            if health.watermark:
                mark.add_metric(labels, health.watermark / SECOND)
        yield from (up, state, lag, behind, success, mark, *counts.values())

    def engine(self) -> Iterator[Metric]:
        service = self.service
        engine = service.engine
        counts = engine.counts
        yield _counter("watchband_engine_entries", "Entries of the log that were folded and kept.", counts.entries)
        yield _counter("watchband_engine_points", "Points in them.", counts.points)
        yield _counter("watchband_engine_busy_seconds", "Time spent on them, the disk included.", counts.busy_seconds)
        yield _counter("watchband_engine_retries", "Times an entry could not be kept at once.", counts.retries)
        yield _counter("watchband_engine_refusals", "Entries that could not be kept at all.", counts.failures)
        yield _gauge("watchband_store_up", "0: the last entry could not be kept.", not engine.trouble)
        yield _gauge("watchband_log_entries", "Number of the last entry.", engine.shard.sequence if engine.shard else 0)
        yield _gauge("watchband_inbox_points", "Points that wait to be judged.", service.inbox.waiting)
        yield _gauge("watchband_inbox_points_limit", "Points that may wait.", service.inbox.points_max)
        yield _counter("watchband_snapshots", "Snapshots of states that were written.", service.runner.snapshots)
        yield _gauge("watchband_recent_bytes", "Memory of recent points for charts.", service.recent.nbytes)

    def room(self) -> Iterator[Metric]:
        admission = self.service.runner.admission
        if admission is None:
            return
        room = admission.room
        yield _gauge("watchband_series_watched", "Series that are watched.", room.series)
        yield _gauge("watchband_series_limit", "Series that may be.", admission.max_series)
        yield _gauge("watchband_series_shed", "Series that there is no room for: kept, not watched.", room.shed)
        yield _counter("watchband_series_sheds", "Times a series had to go or stay out.", room.sheds)
        yield _counter("watchband_series_expiries", "Series that were silent for long: forgotten.", room.expiries)
        yield _gauge("watchband_state_declared_bytes", "Memory of all states as the watches declare it.", room.nbytes)
        yield _gauge("watchband_state_limit_bytes", "Memory that they may take.", admission.max_memory)

    def upkeep(self) -> Iterator[Metric]:
        keeper = self.service.keeper
        yield _gauge("watchband_upkeep_up", "0: snapshots or retention failed and are tried again.", not keeper.trouble)
        kept = keeper.retention.kept if keeper.retention else Kept()
        yield _counter("watchband_retention_points", "Points that left the log.", kept.points)
        yield _counter("watchband_retention_files", "Files of the archive that were written.", kept.files)
        yield _counter("watchband_retention_bytes", "Bytes of them.", kept.bytes)
        yield _gauge("watchband_retention_pinned", "1: a watch without a snapshot holds the log.", bool(kept.pinned))

    def archive(self) -> Iterator[Metric]:
        archivist = self.service.keeper.archivist
        if archivist is None:
            return
        said = archivist.archived
        yield _gauge(
            "watchband_archive_up", "0: the archive could not be written and is tried again.", not said.trouble
        )
        yield _gauge(
            "watchband_archive_last_seconds", "When it was last brought up to date; 0: not yet.", said.at / SECOND
        )
        yield _counter("watchband_archive_readings", "Readings that were archived.", said.readings)
        yield _counter("watchband_archive_bytes", "Bytes of their parts.", said.nbytes)

    def watches(self) -> Iterator[Metric]:
        service, names = self.service, ("watch",)
        lanes = lanes_of(service)
        series = _gauges("watchband_watch_series", "Series that it watches.", names)
        size = _gauges("watchband_watch_state_bytes", "Memory of its states.", names)
        states = _gauges("watchband_series", "Series by how they are.", ("watch", "state"))
        stopped = _gauges("watchband_watch_stopped", "1: it cannot go on; the others do.", names)
        seconds = _counters("watchband_watch_detector_seconds", "Time it took over points.", names)
        faults = {k: _counters(f"watchband_watch_{FAULT_NAMES.get(k, k)}", t, names) for k, t in FAULTS.items()}
        counts = {
            "points": _counters("watchband_watch_points", "Points it judged.", names),
            "anomalous": _counters("watchband_watch_points_anomalous", "Points beyond the limit.", names),
            "banded": _counters("watchband_watch_points_banded", "Points with a value and a band.", names),
            "inside": _counters("watchband_watch_points_inside", "Of those, the ones inside the band.", names),
        }
        stands = service.look(lambda: {name: states_of(lane) for name, lane in lanes.items()})
        nominal = _gauges("watchband_watch_band_nominal_ratio", "Share inside the band while all is normal.", names)
        for name in service.config.watches:
            labels = [name]
            stopped.add_metric(labels, name in service.runner.stopped)
            seconds.add_metric(labels, service.runner.seconds.get(name, 0.0))
            lane = lanes.get(name)
            health = service.health_of(name)
            if lane is not None:
                series.add_metric(labels, len(lane.state.keys))
                if (share := nominal_coverage(lane)) is not None:
                    nominal.add_metric(labels, share)
                for state, count in stands[name].items():
                    states.add_metric([name, state.lower()], count)
                size.add_metric(labels, lane.state.nbytes)
            for kind, family in faults.items():
                family.add_metric(labels, health.faults.get(kind, 0))
            for attribute, family in counts.items():
                family.add_metric(labels, getattr(health, attribute))
        yield from (series, states, nominal, size, stopped, seconds, *faults.values(), *counts.values())

    def alerts(self) -> Iterator[Metric]:
        book, watches = self.service.book, self.service.config.watches
        now = Counter((a.watch, a.severity) for a in book.open())
        active = _gauges("watchband_alerts_open", "Alerts that are open.", ("watch", "severity"))
        for name in watches:
            for severity in SEVERITIES:
                active.add_metric([name, severity], now[name, severity])
        yield active
        opened = _counters("watchband_alerts_opened", "Alerts that opened.", ("watch", "kind"))
        for (name, kind), count in list(book.opened.items()):
            opened.add_metric([name, kind], count)
        closed = _counters("watchband_alerts_closed", "Alerts that closed.", ("watch",))
        for name in watches:
            closed.add_metric([name], book.closed[name])
        yield from (opened, closed)

    def deliveries(self) -> Iterator[Metric]:
        service = self.service
        total = _counters("watchband_deliveries", "Tries to deliver a notice.", ("sink", "outcome"))
        latency = HistogramMetricFamily(
            "watchband_delivery_latency_seconds",
            "From the time of the point that a change of an alert was decided on to its delivery.",
            labels=("sink",),
        )
        failing = _gauges("watchband_sink_failing", "1: it does not take what it is given.", ("sink",))
        for name in service.config.sinks:
            health, lane = service.sinks.get(name, SinkHealth()), service.courier.lanes.get(name)
            failing.add_metric([name], bool(lane and lane.failing))
            for outcome in ("delivered", "postponed", "dead"):
                total.add_metric([name, outcome], getattr(health, outcome))
            buckets, added = health.latency.cumulative()
            latency.add_metric([name], buckets, added)
        yield from (total, latency, failing)
        waiting, dead = service.letters()
        yield _gauge("watchband_outbox_notices", "Notices that wait for their delivery.", waiting)
        yield _gauge("watchband_dead_letters", "Notices that could not be delivered; they can be sent again.", dead)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=float(value))


def _gauges(name: str, text: str, labels: tuple[str, ...]) -> Any:
    return GaugeMetricFamily(name, text, labels=labels)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(name, text, value=value)


def _counters(name: str, text: str, labels: tuple[str, ...]) -> Any:
    return CounterMetricFamily(name, text, labels=labels)
