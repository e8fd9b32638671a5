"""Retraining as plain data: challengers beside their champions, what the rule says, and what happened to models."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from watchband.apps.service.judging import Judged, coverage_of, terms_of
from watchband.apps.service.status import instant, lanes_of
from watchband.apps.service.views.numbers import finite
from watchband.apps.service.views.page import Page, page_of
from watchband.core.alert import Alert
from watchband.core.duration import HOUR, format_duration
from watchband.core.events import ChallengerStarted, ModelPromoted, ModelRecord
from watchband.pipeline.bound import Bound, Lane
from watchband.pipeline.ledger import JUDGED
from watchband.pipeline.lineage import Model, fold_name

if TYPE_CHECKING:
    from watchband.apps.service.service import Service

ALERTS_MAX = 50
"""Alerts of either that are listed, the last ones."""


def challenger_documents(service: Service, watch: str | None = None) -> list[dict[str, Any]]:
    """Every watch with the models that it has, and how its challenger does."""
    return [_document(service, name, lane) for name, lane in lanes_of(service).items() if watch in (None, name)]


def _document(service: Service, name: str, lane: Lane) -> dict[str, Any]:
    lineage, wanted = lane.state.upstream.lineage, service.retraining.wanted(name)
    found = service.retraining.judged(name, lane)
    shard = service.engine.shard
    failed = shard.shadows.failed if shard else {}

    def stopped(model: Model) -> str | None:
        trouble = failed.get(fold_name(name, model.number))
        return None if trouble is None else str(trouble)

    challenger = former = None
    if lineage.challenger is not None:
        challenger = model_document(lane.bound, lineage.challenger, stopped(lineage.challenger))
        challenger |= _compared(service, name, found, wanted.shadow) if found else {}
    if lineage.former is not None:
        former = model_document(lane.bound, lineage.former, stopped(lineage.former))
        former["until"] = instant(lineage.former.since + wanted.keep)
    return {
        "watch": name,
        "champion": model_document(lane.bound, lineage.champion, None),
        "challenger": challenger,
        "former": former,
        "promotion": terms_of(wanted).words,
        "approval": wanted.approval,
        "every": None if wanted.every is None else format_duration(wanted.every),
        "on_drift": list(wanted.on_drift),
        "learning": service.retraining.learning(name),
    }


def model_document(bound: Bound, model: Model, failed: str | None) -> dict[str, Any]:
    """One model: what it is, since when it has its place, and why it cannot go on."""
    changes = json.loads(model.settings) if model.settings else {}
    watch = None
    if failed is None:
        watch = bound.watch if model.settings == bound.model else bound.shadow(model).watch
    return {
        "number": model.number,
        "detector": None if watch is None else watch.detector.name,
        "rule": None if watch is None else str(watch.rule),
        "settings": {key: value for key, value in changes.items() if value is not None},
        "since": instant(model.since) if model.since else None,
        "failed": failed,
    }


def _compared(service: Service, name: str, found: Judged, shadow: int) -> dict[str, Any]:
    said = found.verdict
    return {
        "from": instant(found.since),
        "to": instant(found.now),
        "decides": instant(found.since + shadow),
        "outcome": said.outcome,
        "says": said.says,
        "champion": _side(service, name, found, found.champion.alerts, said.champion),
        "challenger": _side(
            service, fold_name(name, found.model.number), found, found.challenger.alerts, said.challenger
        ),
        "spared": None if said.spared is None else {k: finite(v) for k, v in said.spared._asdict().items()},
        "confirmed": said.confirmed,
        "lost": list(said.lost),
        "alerts": _alerts(found),
    }


def _side(service: Service, fold: str, found: Judged, alerts: Sequence[Alert], false: int) -> dict[str, Any]:
    hours = service.hours.read(fold, found.since // HOUR * HOUR, found.now + HOUR)
    points, held = float(hours.points.sum()), coverage_of(service, fold, found.since)
    known = np.flatnonzero(np.isfinite(hours.cutoff))
    return {
        "alerts": sum(a.opened >= found.since and a.kind in JUDGED for a in alerts),
        "false": false,
        "coverage": None if held is None else finite(held),
        "anomaly_rate": finite(float(hours.anomalous.sum()) / points) if points else None,
        "cutoff": finite(float(hours.cutoff[known[-1]])) if len(known) else None,
    }


def _alerts(found: Judged) -> list[dict[str, Any]]:
    """The last alerts of either in the time in shadow, the newest first, and who gave them."""
    ours = [a for a in found.champion.alerts if a.opened >= found.since]
    theirs = [a for a in found.challenger.alerts if a.opened >= found.since and a.kind in JUDGED]
    sure = [one for incident in found.confirmed for one in incident.stretches]
    rows = [(a, "both" if _meets(a, theirs) else "champion") for a in ours]
    rows += [(a, "challenger") for a in theirs if not _meets(a, ours)]
    rows.sort(key=lambda row: (-row[0].opened, str(row[0].series)))
    return [
        {
            "id": a.id,
            "series": str(a.series),
            "opened": instant(a.opened),
            "closed": None if a.closed is None else instant(a.closed),
            "kind": a.kind,
            "severity": a.severity,
            "anomaly_score": finite(a.anomaly_score),
            "by": by,
            "confirmed": any(
                str(a.series) == series and a.opened <= end and (a.closed is None or a.closed >= start)
                for series, start, end in sure
            ),
        }
        for a, by in rows[:ALERTS_MAX]
    ]


def _meets(alert: Alert, others: Sequence[Alert]) -> bool:
    end = 2**63 if alert.closed is None else alert.closed
    return any(
        o.series == alert.series and o.opened <= end and (o.closed is None or o.closed >= alert.opened) for o in others
    )


def event_page(service: Service, watch: str | None, limit: int, cursor: str | None) -> Page[dict[str, Any]]:
    """What happened to models, the newest first."""
    rows = [
        (-number, record)
        for number, record in enumerate(service.store.model_events(), 1)
        if record.shard == service.runner.shard and watch in (None, record.event.watch)
    ]
    rows.sort(key=lambda row: row[0])
    page = page_of(rows, lambda row: row[:1], limit, cursor)
    return Page([event_document(-number, record) for number, record in page.items], page.next, page.total)


def event_document(number: int, record: ModelRecord) -> dict[str, Any]:
    """One thing that happened to a model."""
    event = record.event
    settings = event.settings if isinstance(event, ChallengerStarted) else ""
    changes = json.loads(settings) if settings else {}
    return {
        "number": number,
        "time": instant(event.time),
        "watch": event.watch,
        "model": event.number,
        "event": word_of(record),
        "learned": event.learned if isinstance(event, ChallengerStarted) else None,
        "settings": {key: value for key, value in changes.items() if value is not None},
        "by": event.by,
        "why": event.why,
        "entry": record.sequence,
    }


def word_of(record: ModelRecord) -> str:
    """What happened, in a word or two."""
    event = record.event
    if isinstance(event, ChallengerStarted):
        return "started"
    if isinstance(event, ModelPromoted):
        return "rolled back" if event.back else "promoted"
    return event.outcome
