"""Risk as plain documents: counts, ribbons over time, where entities stand, what makes a state."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from watchband.analysis.risk.naming import STATES, Risk
from watchband.analysis.risk.projection import Components
from watchband.apps.service.entities import UNKNOWN, Entity, entities, fold_of, state_at
from watchband.apps.service.status import instant
from watchband.apps.service.views.numbers import finite
from watchband.apps.service.views.page import Page, page_of
from watchband.core.duration import DAY, HOUR

if TYPE_CHECKING:
    from watchband.analysis.risk.live import RiskFold
    from watchband.apps.service.service import Service

RIBBONS = 12
POINTS_MAX = 2_000
BUCKETS = 144
COMMAND = "watchband risk metrics.csv --by host --save risk.json"
SETTING = "risk: {model: risk.json}"
_NS_MS = 1_000_000


def risk_document(service: Service, length: int = DAY, ribbons: int = RIBBONS) -> dict[str, Any]:
    """All that the page of risk shows.

    Parameters
    ----------
    length : int
        How much of the past, ns.
    ribbons : int
        Entities shown one by one, the worst now first.
    """
    found = entities(service)
    if found is None:
        return {"configured": False, "command": COMMAND, "setting": SETTING}
    fold, every = found
    now = service.clock.now()
    judged = [e for e in every if e.state != UNKNOWN]
    return {
        "configured": True,
        "time": instant(now),
        "from": instant(now - length),
        "entities": len(every),
        "judged": len(judged),
        "counts": counts(every, now),
        "critical": _critical(fold, [e for e in judged if e.state == Risk.CRITICAL]),
        "over_time": _over_time(every, now - length, now),
        "ribbons": [_ribbon(e, now - length, now) for e in every[:ribbons]],
        "scatter": _scatter(fold, judged),
        "heat": {
            "features": [f.word for f in fold.labeller.features],
            "rows": [{"state": risk.title, "values": fold.labeller.profile["heat"][risk]} for risk in STATES],
        },
        "words": [{"state": risk.title, "text": fold.labeller.profile["words"][risk.title]} for risk in STATES],
        "fit": _fit(fold),
    }


def counts(every: Sequence[Entity], now: int) -> list[dict[str, Any]]:
    """Entities in each state, and how many more there are than an hour ago."""
    then = Counter(state_at(e, now - HOUR) for e in every)
    here = Counter(e.state for e in every)
    return [
        {"state": risk.title, "entities": here[risk], "change": here[risk] - then[risk] if then.total() else 0}
        for risk in STATES
    ]


def risk_bars(service: Service) -> tuple[list[dict[str, Any]], int] | None:
    """For the page Now: the counts, and how many entities there are; None where no model is configured."""
    found = entities(service)
    return None if found is None else (counts(found[1], service.clock.now()), len(found[1]))


def _critical(fold: RiskFold, every: Sequence[Entity]) -> dict[str, Any] | None:
    """What the critical entities share, and since when there is one without a break."""
    if not every:
        return None
    shared = Counter(fold.category(e.standing) for e in every).most_common(1)[0]
    return {
        "since": instant(min(e.since for e in every)),
        "category": shared[0],
        "of_them": shared[1],
        "entities": len(every),
    }


def _over_time(every: Sequence[Entity], start: int, end: int) -> dict[str, Any]:
    """How many entities were in High Load and in Critical at the end of each stretch."""
    edges = end - (end - start) // BUCKETS * np.arange(BUCKETS, dtype=np.int64)[::-1]
    rows = {Risk.HIGH_LOAD: np.zeros(BUCKETS + 1, np.int64), Risk.CRITICAL: np.zeros(BUCKETS + 1, np.int64)}
    for e in every:
        turns = [*e.standing.past, *([(e.since, UNKNOWN)] if e.state == UNKNOWN else [])]
        for at, (time, state) in enumerate(turns):
            if state not in (Risk.HIGH_LOAD, Risk.CRITICAL):
                continue
            until = turns[at + 1][0] if at + 1 < len(turns) else end + 1
            first, last = np.searchsorted(edges, [time, until])
            rows[Risk(state)][first] += 1
            rows[Risk(state)][last] -= 1
    return {
        "times_ms": (edges // _NS_MS).tolist(),
        "high": rows[Risk.HIGH_LOAD].cumsum()[:-1].tolist(),
        "critical": rows[Risk.CRITICAL].cumsum()[:-1].tolist(),
    }


def _ribbon(entity: Entity, start: int, end: int) -> dict[str, Any]:
    """The states of an entity over time, as spans of milliseconds; where it was not judged there is none."""
    turns = [*entity.standing.past, *([(entity.since, UNKNOWN)] if entity.state == UNKNOWN else [])]
    spans = []
    for at, (time, state) in enumerate(turns):
        until = turns[at + 1][0] if at + 1 < len(turns) else end
        if state == UNKNOWN or until <= start:
            continue
        spans.append([max(time, start) // _NS_MS, min(until, end) // _NS_MS, Risk(state).title])
    return {"entity": entity.name, "state": title(entity.state), "spans": spans}


def _scatter(fold: RiskFold, judged: Sequence[Entity]) -> dict[str, Any]:
    """Where the last row of each entity stands on the two principal components."""
    said = fold.labeller.profile["components"]
    # Of many, the worst and an even choice of the others.
    shown = list(judged[: POINTS_MAX // 2]) + list(judged[POINTS_MAX // 2 :: max(1, 2 * len(judged) // POINTS_MAX)])
    axes = [{"word": word, "share": share} for word, share in zip(said["words"], said["share"], strict=True)]
    if not shown:
        return {"axes": axes, "points": []}
    project = Components(*(np.array(said[name]) for name in ("mean", "axes", "share")))
    values = np.array([e.standing.values for e in shown], np.float64)
    place = project(fold.labeller.scale(values))
    return {
        "axes": axes,
        "points": [
            {"entity": e.name, "state": title(e.state), "x": finite(x), "y": finite(y)}
            for e, (x, y) in zip(shown, place.tolist(), strict=True)
        ],
    }


def _fit(fold: RiskFold) -> dict[str, Any]:
    labeller, profile = fold.labeller, fold.labeller.profile
    return {
        "method": profile["method"],
        "groups": profile["groups"],
        "silhouette": finite(profile["silhouette"]),
        "stability": profile["stability"],
        "rows": profile["rows"],
        "entities": profile["entities"],
        "from": instant(profile["from"]),
        "to": instant(profile["to"]),
        "features": len(labeller.features),
        "step_seconds": labeller.step / 1e9,
        "horizon_steps": labeller.horizon,
        "outlook": profile["skill"],
        "critical_seen": profile["critical_seen"],
    }


def entity_page(
    service: Service,
    *,
    states: Collection[str] = (),
    text: Sequence[str] = (),
    limit: int = 100,
    cursor: str | None = None,
) -> Page[dict[str, Any]]:
    """Entities, the worst first, each with its reason.

    Parameters
    ----------
    states : collection of str
        Any of these; empty: all.
    text : sequence of str
        Each is part of the name, whatever its case.

    Raises
    ------
    ConfigError
        No cursor of this list.
    """
    found = entities(service)
    if found is None:
        return Page([], None, 0)
    fold, every = found
    wanted = [
        e for e in every if (not states or title(e.state) in states) and all(part in e.name.lower() for part in text)
    ]
    wanted.sort(key=lambda e: (-e.state, e.name))
    page = page_of(wanted, lambda e: (-e.state, e.name), limit, cursor)
    return Page([entity_document(fold, e) for e in page.items], page.next, page.total)


def entity_document(fold: RiskFold, entity: Entity) -> dict[str, Any]:
    """An entity as plain data."""
    one = entity.standing
    risk = Risk(entity.state)
    far = risk is Risk.CRITICAL or one.anomaly > 0
    lacking = [f.name for f, v in zip(fold.labeller.features, one.values, strict=True) if math.isnan(v)]
    return {
        "entity": entity.name,
        "labels": one.labels,
        "state": risk.title,
        "since": instant(entity.since),
        "time": instant(one.time),
        "description": "Silent" if risk is Risk.UNKNOWN and one.state >= 0 else fold.description(one),
        "category": fold.category(one) if far else None,
        "reason": fold.why(one) if far else None,
        "anomalies": fold.kinds(one),
        "load": finite(one.load),
        "excess": finite(one.excess),
        "probability": finite(one.probability),
        "known": one.known,
        "missing": lacking,
        "values": {f.name: finite(v) for f, v in zip(fold.labeller.features, one.values, strict=True)},
    }


def title(state: int) -> str:
    """The name of a state."""
    return Risk(state).title


def risk_counts(service: Service) -> dict[str, int] | None:
    """Entities by state, for the page of metrics; None where no model is configured."""
    found = entities(service) if fold_of(service) is not None else None
    if found is None:
        return None
    here = Counter(e.state for e in found[1])
    return {risk.title: here[risk] for risk in Risk}
