"""Incidents as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from watchband.apps.service.status import alert_document, instant
from watchband.apps.service.views.numbers import finite
from watchband.apps.service.views.page import Page, page_of
from watchband.apps.service.views.series import spark_of
from watchband.apps.service.views.windows import deploys_before
from watchband.core.alert import Alert
from watchband.pipeline.incidents import Incident, common_labels, incidents_of

if TYPE_CHECKING:
    from watchband.apps.service.service import Service

ALERTS_MAX = 200
"""Alerts of one incident that are given with it; there is a count of all."""


def incidents(service: Service) -> list[Incident]:
    """Every incident of the alerts that are kept; gathered once for all that ask, until alerts or series come."""
    fleet = service.recent.series

    def gathered() -> list[Incident]:
        return incidents_of(service.alerts(), common_labels({key for _, key in service.recent.names()}))

    besides = service.book.version, fleet
    return service.shared.found("incidents", 0, gathered, besides=besides, kinds=["configuration"])


def incident_page(
    service: Service, *, state: str | None = None, limit: int = 100, cursor: str | None = None, spark: int = 0
) -> Page[dict[str, Any]]:
    """Incidents, newest first.

    Parameters
    ----------
    service : Service
        Whose.
    state : {"open", "closed"}, optional
        Only these.
    limit, cursor
        As of every page.
    spark : int
        Nanoseconds of a sparkline for the worst alert of each; 0: none.
    """
    found = [i for i in incidents(service) if state is None or (i.closed is None) == (state == "open")]
    found.sort(key=_order)
    page = page_of(found, _order, limit, cursor)
    return Page([incident_document(service, i, spark) for i in page.items], page.next, page.total)


def _order(incident: Incident) -> tuple[int, str]:
    return -incident.opened, incident.id


def incident_document(service: Service, incident: Incident, spark: int = 0) -> dict[str, Any]:
    """One incident with its alerts, the first to move and the strangest."""
    return {
        "id": incident.id,
        "title": incident.title,
        "severity": incident.severity,
        "opened": instant(incident.opened),
        "closed": None if incident.closed is None else instant(incident.closed),
        "reason": incident.worst.reason,
        "labels": incident.labels,
        "series": len(incident.series),
        "first": alert_view(service, incident.alerts[0]),
        "worst": alert_view(service, incident.worst, spark),
        "alerts": [alert_view(service, a) for a in incident.alerts[:ALERTS_MAX]],
        "deploys": deploys_before(
            service,
            incident.series,
            incident.opened,
            service.clock.now() if incident.closed is None else incident.closed,
        ),
        **handling_view(service, incident),
    }


def handling_view(service: Service, incident: Incident) -> dict[str, Any]:
    """What people did about it: under its own id, and under those of incidents that it took in."""
    handling = service.acting.of(alert.id for alert in incident.alerts)
    taken, until = handling.acknowledged, handling.snoozed_until
    return {
        "acknowledged": {"by": taken.by, "at": instant(taken.time)} if taken else None,
        "snoozed_until": instant(until) if until > service.clock.now() else None,
        "notes": [{"by": n.by, "at": instant(n.time), "text": n.text} for n in handling.notes],
    }


def alert_view(service: Service, alert: Alert, spark: int = 0) -> dict[str, Any]:
    """An alert with the parts of its series' name, and a sparkline if one is wanted."""
    found = alert_document(alert)
    found |= {"metric": alert.series.metric, "labels": dict(alert.series.labels)}
    for name in ("value", "expected", "lower", "upper", "widths"):
        found[name] = None if found[name] is None else finite(found[name])
    if spark:
        found["spark"] = spark_of(service.recent.tail(alert.watch, alert.series), service.clock.now() - spark)
    return found
