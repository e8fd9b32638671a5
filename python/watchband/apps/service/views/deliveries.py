"""What is not delivered, how each sink does, and trying again what was given up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from watchband.apps.service.health import SinkHealth
from watchband.apps.service.status import instant
from watchband.apps.service.views.incidents import alert_view
from watchband.apps.service.views.page import page_of
from watchband.core.ports import Notice
from watchband.pipeline.bound import END

if TYPE_CHECKING:
    from watchband.apps.service.service import Service


def deliveries_document(
    service: Service, *, sink: str | None = None, state: str | None = None, limit: int = 100, cursor: str | None = None
) -> dict[str, Any]:
    """Notices that wait and dead letters, and how every sink does.

    Parameters
    ----------
    service : Service
        Whose.
    sink : str or None
        Notices of this sink only.
    state : str or None
        ``waiting`` or ``dead`` notices only.
    limit, cursor
        As of every page; the given up first, then the newest alerts.
    """
    waiting, dead = service.store.outbox(END), service.store.dead_letters()
    every = [("dead", notice) for notice in dead] + [("waiting", notice) for notice in waiting]
    chosen = [(s, n) for s, n in every if sink in (None, n.sink) and state in (None, s)]
    page = page_of(sorted(chosen, key=_key), _key, limit, cursor)
    return {
        "data": [_notice(service, state, notice) for state, notice in page.items],
        "next": page.next,
        "total": page.total,
        "waiting": len(waiting),
        "dead": len(dead),
        "sinks": _sinks(service, waiting, dead),
    }


def _key(found: tuple[str, Notice]) -> tuple[int, int, str, str]:
    state, notice = found
    return state != "dead", -notice.alert.opened, notice.id, notice.sink


def _notice(service: Service, state: str, notice: Notice) -> dict[str, Any]:
    return {
        "id": notice.id,
        "sink": notice.sink,
        "state": state,
        "tries": notice.tries,
        "next_try": instant(_next(service, notice)) if state == "waiting" else None,
        "error": notice.error or None,
        "alert": alert_view(service, notice.alert),
    }


def _next(service: Service, notice: Notice) -> int:
    # A sink that is left alone for a while is told nothing, whatever is due.
    lane = service.courier.lanes.get(notice.sink)
    return max(notice.due, lane.pause if lane else 0)


def _sinks(service: Service, waiting: Sequence[Notice], dead: Sequence[Notice]) -> list[dict[str, Any]]:
    now = service.clock.now()
    waits, deads = Counter(n.sink for n in waiting), Counter(n.sink for n in dead)
    found = []
    for name, settings in service.config.sinks.items():
        health, lane = service.sinks.get(name, SinkHealth()), service.courier.lanes.get(name)
        state = "well" if lane is None or not lane.failing else "refused" if lane.refused else "failing"
        found.append(
            {
                "name": name,
                "kind": settings.kind,
                "state": state,
                "delivered": health.delivered,
                "waiting": waits[name],
                "dead": deads[name],
                "last_success": instant(health.success),
                "failing_since": instant(lane.failing) if lane else None,
                "error": (lane.error or None) if lane and state != "well" else None,
                "next_try": instant(lane.pause) if lane and state == "failing" and lane.pause > now else None,
            }
        )
    return found


def retry_deliveries(service: Service, dead: Sequence[Notice]) -> None:
    """Put dead letters back into the outbox, and look at once."""
    service.store.revive(dead)
    service.courier.wake()


def chosen_letters(service: Service, ids: Collection[str] | None, sink: str | None) -> list[Notice]:
    """Dead letters by their ids and their sink; all of them where neither is given."""
    return [
        notice
        for notice in service.store.dead_letters()
        if (ids is None or notice.id in ids) and sink in (None, notice.sink)
    ]
