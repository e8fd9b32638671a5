"""What a window would hold back, counted on what was judged at the same times before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from watchband.adapters.stores.scored.block import Scored
from watchband.apps.service.status import instant
from watchband.apps.service.views.points import scored
from watchband.core.alert import Alert
from watchband.core.duration import WEEK
from watchband.core.matcher import Selector
from watchband.core.plans import Occurrence, Plan
from watchband.core.series import SeriesKey

if TYPE_CHECKING:
    from watchband.apps.service.service import Service

LOOK_BACK = 4 * WEEK
SPANS_MAX = 28
"""Times that are looked at, the last ones."""
RUNS, RUN = 3, 32
"""Of more than so many runs of so many series some stand for all, and the answer says so. Neighbours lie in the same
blocks of the scores: runs of them cost a small part of what as many far from each other would."""
ALERTS_SHOWN = 50


def window_preview(service: Service, plan: Plan) -> dict[str, Any]:
    """What a window would have held back at its times in the last four weeks, and what is open now that it concerns.

    Parameters
    ----------
    service : Service
        Whose.
    plan : Plan
        The window as somebody thinks of it; it is not taken.
    """
    now = service.clock.now()
    selector = Selector(plan.series)
    named = [(name, key) for name in service.config.watches for key in _keys(service, name) if selector.matches(key)]
    times = spans(plan, now)
    some = _some(named)
    alerts = [a for a in service.alerts() if selector.matches(a.series)]
    share = len(named) / len(some) if some else 1.0
    during = [[a for a in alerts if one.start <= a.opened < one.end] for one in times]
    open_now = [a for a in alerts if a.closed is None]
    held = [a for found in during for a in found]
    return {
        "action": plan.action,
        "series": len({key for _, key in named}),
        "looked_at": len(some),
        "of": len(named),
        "next": _time(plan.next(now)),
        "open": len(open_now),
        "open_alerts": [_alert(a) for a in open_now[-ALERTS_SHOWN:]],
        "alerts": len(held),
        "held": [_alert(a) for a in held[-ALERTS_SHOWN:]],
        "spans": [
            {
                **(_time(one) or {}),
                "alerts": len(found),
                "series": len({a.series for a in found}),
                **_points(service, some, one, plan, share),
            }
            for one, found in zip(times, during, strict=True)
        ],
    }


def spans(plan: Plan, now: int) -> list[Occurrence]:
    """The times that are looked at: what of the window is past, and the same times of the weeks before."""
    found = plan.like(now - LOOK_BACK, now)
    if not plan.days and plan.start < now < plan.start + plan.length:
        found.append(Occurrence(plan.start, now))
    # A window of several weeks overlaps with itself a week before: nothing is counted twice.
    apart: list[Occurrence] = []
    for one in found:
        if not apart or one.start >= apart[-1].end:
            apart.append(one)
    return apart[-SPANS_MAX:]


def _some(named: Sequence[tuple[str, SeriesKey]]) -> Sequence[tuple[str, SeriesKey]]:
    if len(named) <= RUNS * RUN:
        return named
    starts = [k * (len(named) - RUN) // (RUNS - 1) for k in range(RUNS)]
    return [one for start in starts for one in named[start : start + RUN]]


def _read(service: Service, some: Sequence[tuple[str, SeriesKey]], one: Occurrence) -> Iterator[Scored]:
    """What is kept of a time: on disk, or, where nothing is kept there, in memory."""
    if service.scores is None:
        yield from (scored(service, watch, key, one.start, one.end) for watch, key in some)
        return
    for watch in dict.fromkeys(watch for watch, _ in some):
        yield from service.scores.read_many(watch, [k for w, k in some if w == watch], one.start, one.end).values()


def _keys(service: Service, watch: str) -> Sequence[SeriesKey]:
    return list(service.recent.newest(watch).keys)


def _points(
    service: Service, some: Sequence[tuple[str, SeriesKey]], one: Occurrence, plan: Plan, share: float
) -> dict[str, Any]:
    """Points that are kept of a time, those outside their band, and those that a factor would leave outside."""
    points = outside = then = 0
    for found in _read(service, some, one):
        known = np.isfinite(found.y)
        points += int(known.sum())
        outside += int((found.anomaly_score > 1).sum())
        if plan.action == "expect":
            high, low = found.yhat_upper * plan.factor, found.yhat_lower * plan.factor
            # A side that is not watched has no edge, and comparing with none is false.
            then += int(((found.y > high) | (found.y < low)).sum())
    return {
        "points": round(points * share),
        "outside": round(outside * share),
        "outside_then": round(then * share) if plan.action == "expect" else None,
    }


def _time(one: Occurrence | None) -> dict[str, Any] | None:
    return None if one is None else {"start": instant(one.start), "end": instant(one.end)}


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.id,
        "series": str(alert.series),
        "severity": alert.severity,
        "opened": instant(alert.opened),
        "closed": None if alert.closed is None else instant(alert.closed),
        "reason": alert.reason,
    }
