"""Status: what runs, what is not ready and when it will be, and why a series did or did not alert."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

import numpy as np

from watchband import __version__
from watchband.apps.service.health import SinkHealth
from watchband.apps.service.recent import Tail
from watchband.apps.service.views.numbers import finite
from watchband.core.alert import Alert
from watchband.core.duration import SECOND
from watchband.core.series import SeriesKey
from watchband.core.timestamp import format_rfc3339
from watchband.pipeline.bound import Lane
from watchband.pipeline.policy import MEANING
from watchband.pipeline.rules import Budget
from watchband.pipeline.series_states import NEVER, SeriesState, Why

if TYPE_CHECKING:
    from watchband.apps.service.service import Service

LEARNERS_MAX = 20
"""Series without a first opinion that are named, the slowest first."""


def instant(ns: int) -> str | None:
    """RFC 3339 in UTC; None for 0, which is never.

    Examples
    --------
    >>> instant(1_700_000_000_000_000_000), instant(0)
    ('2023-11-14T22:13:20Z', None)
    """
    return format_rfc3339(ns) if ns else None


def status_of(service: Service) -> dict[str, Any]:
    """Everything at a glance, as plain data for JSON."""
    reloader = service.reloader
    found: dict[str, Any] = {
        "version": __version__,
        "phase": service.phase,
        "ready": not service.unready,
        "reasons": service.unready,
        "now": instant(service.clock.now()),
        "started": instant(service.began),
        "config": {
            "path": service.config.path,
            "hash": service.config.hash,
            "reloads": reloader.done,
            "failed_reloads": reloader.failed,
            "last_error": reloader.error or None,
            "loaded": instant(reloader.success),
            "restart_needed": service.restart_needed,
        },
    }
    if service.phase not in ("running", "draining"):
        return found
    engine = service.engine
    alerts = service.book.open()
    found |= {
        "states": _states(service),
        "entries": engine.shard.sequence if engine.shard else 0,
        "inbox": {"waiting": service.inbox.waiting, "limit": service.inbox.points_max},
        "sources": _sources(service),
        "watches": [_watch(service, name) for name in service.config.watches],
        "sinks": [_sink(service, name) for name in service.config.sinks],
        "alerts": {"open": len(alerts), "by_severity": dict(Counter(a.severity for a in alerts))},
        "outbox": service.letters()[0],
        "dead_letters": service.letters()[1],
    }
    return found


def _sources(service: Service) -> list[dict[str, Any]]:
    found = []
    now = service.clock.now()
    healths = service.inflow.healths()
    for name, health in healths.items():
        found.append(
            {
                "name": name,
                "kind": health.kind,
                "pushed": name in service.inflow.pushed,
                "state": health.state,
                "error": health.error or None,
                "points": health.points,
                "refused": health.refused,
                "relabelled_away": health.relabelled_away,
                "history": health.history,
                "newest": instant(health.newest),
                "lag_seconds": round((now - health.newest) / SECOND, 3) if health.newest else None,
                "watermark": instant(health.watermark),
                "last_success": instant(health.success),
                "failures": health.failures,
                "next_try": instant(health.retry_at) if health.state in ("failing", "failed") else None,
            }
        )
    return found


def _states(service: Service) -> dict[str, int]:
    """Series of all watches by how they are."""
    total: Counter[str] = Counter()
    for watch in service.look(lambda: [states_of(lane) for lane in lanes_of(service).values()]):
        total += watch
    return {state.name: total[state.name] for state in SeriesState}


def lanes_of(service: Service) -> dict[str, Lane]:
    """The watches that run, by name."""
    return dict(service.engine.shard.lanes) if service.engine.shard else {}


def states_of(lane: Lane) -> Counter[str]:
    """How many series of a watch are in which state."""
    counts = np.bincount(lane.bound.watch.states(lane.state), minlength=len(SeriesState)).tolist()
    return Counter({state.name: int(counts[state]) for state in SeriesState})


def _watch(service: Service, name: str) -> dict[str, Any]:
    settings, health = service.config.watches[name], service.health_of(name)
    lane, stopped = lanes_of(service).get(name), service.runner.stopped.get(name)
    states, learning = service.look(lambda: (states_of(lane), _learning(lane))) if lane else (Counter(), [])
    return {
        "name": name,
        "detector": settings.detector,
        "rule": settings.rule_text,
        "series": len(lane.state.keys) if lane else 0,
        "counters": int(lane.state.counters().sum()) if lane and lane.bound.watch.prepare.by_name else 0,
        "states": {state.name: states[state.name] for state in SeriesState},
        "state_bytes": lane.state.nbytes if lane else 0,
        "stopped": str(stopped) if stopped else None,
        "points": health.points,
        "anomalous": health.anomalous,
        "coverage": round(health.inside / health.banded, 6) if health.banded else None,
        "nominal_coverage": nominal_coverage(lane) if lane else None,
        "learning": len(learning),
        "learning_series": learning[:LEARNERS_MAX],
    }


def nominal_coverage(lane: Lane) -> float | None:
    """Share of points that lie inside their band while all is normal, as a budget has it; None with other rules."""
    watch = lane.bound.watch
    intervals = watch.prepare.intervals(lane.state.prepare)
    known = intervals[intervals > 0]
    if not isinstance(watch.rule, Budget) or not len(known):
        return None
    # Of an ensemble's false alarms the band has its share only.
    share = float(watch.calibrate.members[0]) if watch.members else 1.0
    return 1.0 - share * watch.rule.p_limit(int(np.median(known)))


def _learning(lane: Lane) -> list[dict[str, Any]]:
    """Series without a first opinion, those that take longest first."""
    ready = lane.bound.watch.readiness(lane.state)
    rows = np.flatnonzero(ready.left)
    found = [
        {
            "series": str(lane.state.keys[row]),
            "points_left": int(ready.left[row]),
            "ready": instant(int(ready.at[row])) if ready.at[row] != NEVER else None,
        }
        for row in rows[np.argsort(-ready.left[rows], kind="stable")][:LEARNERS_MAX].tolist()
    ]
    return found + [{}] * (len(rows) - len(found))


def _sink(service: Service, name: str) -> dict[str, Any]:
    health = service.sinks.get(name, SinkHealth())
    lane = service.courier.lanes.get(name)
    return {
        "name": name,
        "kind": service.config.sinks[name].kind,
        "delivered": health.delivered,
        "postponed": health.postponed,
        "dead": health.dead,
        "last_success": instant(health.success),
        "failing_since": instant(lane.failing) if lane else None,
        "error": (lane.error or None) if lane and lane.failing else None,
    }


def alerts_of(service: Service, *, open_only: bool, watch: str | None, limit: int) -> dict[str, Any]:
    """The last alerts, newest first."""
    alerts = service.book.open() if open_only else list(service.alerts())
    if watch is not None:
        alerts = [a for a in alerts if a.watch == watch]
    shown = sorted(alerts, key=lambda a: (a.opened, a.id), reverse=True)[:limit]
    return {"alerts": [alert_document(a) for a in shown], "total": len(alerts)}


def alert_document(alert: Alert) -> dict[str, Any]:
    """An alert as plain data, its times as RFC 3339."""
    times = ("opened", "decided", "closed", "peak_time")
    found: dict[str, Any] = {k: instant(v) if k in times and v is not None else v for k, v in alert.to_dict().items()}
    if alert.foreseen is not None:
        seen = alert.foreseen
        moments = {"time": seen.time, "earliest": seen.earliest, "latest": seen.latest}
        found["foreseen"] |= {k: None if v is None else instant(v) for k, v in moments.items()}
    return found


def series_of(service: Service, matches: Callable[[SeriesKey], bool], *, points: int, limit: int) -> dict[str, Any]:
    """Series with their last points, and why there is an alert or none."""

    # Of many series the choice takes long, and the engine is not to wait for it.
    names = [
        (str(key), name, key, lane)
        for name, lane in lanes_of(service).items()
        for key in tuple(lane.state.keys)
        if matches(key)
    ]
    names.sort(key=lambda each: each[:2])
    chosen = [(key, lane) for *_, key, lane in names[:limit]]
    whys = service.look(lambda: [lane.bound.watch.why(lane.state, key) for key, lane in chosen])
    found = [(key, lane, why) for (key, lane), why in zip(chosen, whys, strict=True)]
    alerts = {(a.watch, a.series): a for a in service.book.open()}
    told = {alert.id for alert, _ in service.store.told()} if alerts else set()
    documents = [
        _series(service, lane.bound.name, key, why, alerts.get((lane.bound.name, key)), points, told)
        for key, lane, why in found
    ]
    return {"series": documents, "total": len(names)}


def _series(
    service: Service,
    watch: str,
    key: SeriesKey,
    why: Why | None,
    alert: Alert | None,
    points: int,
    told: Collection[str],
) -> dict[str, Any]:
    tail, now = service.recent.tail(watch, key, points), service.clock.now()
    last = why.time if why and why.time != NEVER else 0
    return {
        "series": str(key),
        "watch": watch,
        "state": why.standing.name if why else None,
        "reasons": [
            *([alert.reason] if alert else []),
            *([_UNTOLD] if alert and alert.id not in told else []),
            *(why.reasons if why else ()),
        ],
        "score": finite(why.score) if why else None,
        "last": instant(last),
        "age_seconds": round((now - last) / SECOND, 3) if last else None,
        "confidence": finite(tail.confidence[-1]) if tail else None,
        "alert": alert_document(alert) if alert else None,
        "points": [_point(tail, at) for at in range(len(tail.time))] if tail else [],
    }


_UNTOLD = (
    "Nobody was told of this alert: it began in the past, or before there was the history that 'tell_after' of its "
    "watch asks for. It is told if it goes on."
)


def _point(tail: Tail, at: int) -> dict[str, Any]:
    events = int(tail.events[at])
    return {
        "time": instant(int(tail.time[at])),
        "value": finite(tail.y[at]),
        "expected": finite(tail.yhat[at]),
        "lower": finite(tail.yhat_lower[at]),
        "upper": finite(tail.yhat_upper[at]),
        "anomaly_score": finite(tail.anomaly_score[at]),
        "policies": [meaning for event, meaning in MEANING.items() if events & event],
    }
