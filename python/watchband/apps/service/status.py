"""Status: what runs, what is not ready and when it will be, and why a series did or did not alert."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from watchband import __version__
from watchband.apps.service.health import SECOND, SinkHealth
from watchband.apps.service.recent import Tail
from watchband.core.alert import Alert
from watchband.core.scores import WARMING
from watchband.core.series import SeriesKey
from watchband.pipeline.policy import MEANING, RAISED, SUPPRESSED, Event

if TYPE_CHECKING:
    from watchband.apps.service.service import Service

WAITING_MAX = 20
"""Series still learning that are named, the slowest first."""


def instant(ns: int) -> str | None:
    """RFC 3339 in UTC; None for 0, which is never.

    Examples
    --------
    >>> instant(1_700_000_000_000_000_000), instant(0)
    ('2023-11-14T22:13:20Z', None)
    """
    if not ns:
        return None
    whole = datetime.fromtimestamp(ns // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    rest = ns % SECOND
    return f"{whole}.{rest:09d}".rstrip("0") + "Z" if rest else whole + "Z"


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
    healths = {n: p.health for n, p in service.pumps.items()} | {n: p.health for n, p in service.pushed.items()}
    for name, health in healths.items():
        found.append(
            {
                "name": name,
                "kind": health.kind,
                "pushed": name in service.pushed,
                "state": health.state,
                "error": health.error or None,
                "points": health.points,
                "refused": health.refused,
                "relabelled_away": health.relabelled_away,
                "newest": instant(health.newest),
                "lag_seconds": round((now - health.newest) / SECOND, 3) if health.newest else None,
                "watermark": instant(health.watermark),
                "last_success": instant(health.success),
                "failures": health.failures,
                "next_try": instant(health.retry_at) if health.state == "failing" else None,
            }
        )
    return found


def _watch(service: Service, name: str) -> dict[str, Any]:
    settings, health = service.config.watches[name], service.watches.get(name)
    shard = service.engine.shard
    lane = shard.lanes.get(name) if shard else None
    stopped = service.runner.stopped.get(name)
    learning = _learning(service, name)
    return {
        "name": name,
        "detector": settings.detector,
        "rule": settings.rule_text,
        "series": len(lane.state.keys) if lane else 0,
        "state_bytes": lane.state.nbytes if lane else 0,
        "stopped": str(stopped) if stopped else None,
        "points": health.points if health else 0,
        "anomalous": health.anomalous if health else 0,
        "coverage": round(health.inside / health.banded, 6) if health and health.banded else None,
        "learning": len(learning),
        "learning_series": learning[:WAITING_MAX],
    }


def _learning(service: Service, name: str) -> list[dict[str, Any]]:
    """Series whose verdicts do not rest on enough history yet, those that take longest first."""
    found = []
    for key, last in service.recent.newest(name):
        confidence = last["confidence"]
        if confidence >= 1 and not int(last["flags"]) & WARMING:
            continue
        found.append((0.0 if math.isnan(confidence) else confidence, str(key), key))
    found.sort(key=lambda each: each[:2])
    named = [_learner(service, name, key, share) for share, _, key in found[:WAITING_MAX]]
    return named + [{"series": text, "confidence": share} for share, text, _ in found[WAITING_MAX:]]


def _learner(service: Service, watch: str, key: SeriesKey, share: float) -> dict[str, Any]:
    tail = service.recent.tail(watch, key)
    return {"series": str(key), "confidence": round(share, 4), "ready": instant(ready_at(tail) if tail else 0)}


def ready_at(tail: Tail) -> int:
    """When confidence will be 1 if points go on coming as they do; 0 where that is not known yet."""
    known = np.flatnonzero(np.isfinite(tail.confidence))
    if len(known) < 2 or tail.confidence[known[-1]] >= 1:
        return 0
    first, last = known[0], known[-1]
    gained = float(tail.confidence[last] - tail.confidence[first])
    if gained <= 0:
        return 0
    per_ns = gained / float(tail.time[last] - tail.time[first])
    return int(tail.time[last] + (1.0 - float(tail.confidence[last])) / per_ns)


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
    alerts = service.book.open() if open_only else list(service.store.alerts())
    if watch is not None:
        alerts = [a for a in alerts if a.watch == watch]
    shown = sorted(alerts, key=lambda a: (a.opened, a.id), reverse=True)[:limit]
    return {"alerts": [alert_document(a) for a in shown], "total": len(alerts)}


def alert_document(alert: Alert) -> dict[str, Any]:
    """An alert as plain data, its times as RFC 3339."""
    times = ("opened", "decided", "closed", "peak_time")
    return {k: instant(v) if k in times and v is not None else v for k, v in alert.to_dict().items()}


def series_of(service: Service, matches: Callable[[SeriesKey], bool], *, points: int, limit: int) -> dict[str, Any]:
    """Series with their last points, and why there is an alert or none."""
    names = sorted((n for n in service.recent.names() if matches(n[1])), key=lambda n: (str(n[1]), n[0]))
    alerts = {(a.watch, a.series): a for a in service.book.open()}
    found = [series_document(service, *name, alerts.get(name), points) for name in names[:limit]]
    return {"series": [f for f in found if f], "total": len(names)}


def series_document(
    service: Service, watch: str, key: SeriesKey, alert: Alert | None, points: int
) -> dict[str, Any] | None:
    """One series under one watch."""
    tail = service.recent.tail(watch, key, points)
    if tail is None:
        return None
    now = service.clock.now()
    whole = service.recent.tail(watch, key) or tail
    return {
        "series": str(key),
        "watch": watch,
        "verdict": verdict(whole, alert, now),
        "alert": alert_document(alert) if alert else None,
        "age_seconds": round((now - int(tail.time[-1])) / SECOND, 3),
        "confidence": _number(tail.confidence[-1]),
        "ready": instant(ready_at(whole)),
        "points": [_point(tail, at) for at in range(len(tail.time))],
    }


def _point(tail: Tail, at: int) -> dict[str, Any]:
    events = int(tail.events[at])
    return {
        "time": instant(int(tail.time[at])),
        "value": _number(tail.y[at]),
        "expected": _number(tail.yhat[at]),
        "lower": _number(tail.yhat_lower[at]),
        "upper": _number(tail.yhat_upper[at]),
        "anomaly_score": _number(tail.anomaly_score[at]),
        "policies": [meaning for event, meaning in MEANING.items() if events & event],
    }


def verdict(tail: Tail, alert: Alert | None, now: int) -> str:
    """One sentence: why there is an alert or none, from the last point."""
    if alert is not None:
        return f"alert {alert.id} is open: {alert.reason}"
    at = len(tail.time) - 1
    score, events = float(tail.anomaly_score[at]), int(tail.events[at])
    suppressed = [MEANING[e] for e in Event if events & e & SUPPRESSED]
    raised = [MEANING[e] for e in Event if events & e & RAISED]
    if math.isnan(tail.y[at]):
        said = "no alert: the last reading has no value"
    elif suppressed:
        said = f"no alert: the last point is strange (score {score:.2f} of 1), but {' and '.join(suppressed)}"
    elif raised:
        said = f"no alert is open: {' and '.join(raised)}"
    elif math.isnan(score) or int(tail.flags[at]) & WARMING:
        said = "no alert: the detector has no opinion yet, it is still learning"
    elif score > 1:
        said = f"no alert: the last point is beyond the limit (score {score:.2f} of 1), but none has opened"
    else:
        said = f"no alert: the last point is within its limit (score {score:.2f} of 1)"
    steps = np.diff(tail.time[-33:])
    usual = int(np.median(steps)) if len(steps) else 0
    if usual and now - int(tail.time[at]) > 3 * usual:
        said += f"; no reading has come for {(now - int(tail.time[at])) / SECOND:,.0f} s"
    return said


def _number(value: float) -> float | None:
    return float(f"{value:.7g}") if math.isfinite(value) else None
