"""Alerts as a list."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from watchband.apps.service.views.incidents import alert_view
from watchband.apps.service.views.page import Page, page_of
from watchband.core.alert import Alert
from watchband.core.series import SeriesKey

if TYPE_CHECKING:
    from watchband.apps.service.service import Service


@dataclass(frozen=True, slots=True)
class Asking:
    """Which alerts: every condition that is given holds; those that were open at some time of a range (ns UTC)."""

    series: SeriesKey | None = None
    watches: Collection[str] = ()
    severities: Collection[str] = ()
    state: str | None = None
    start: int = -(2**63)
    end: int = 2**63 - 1

    def takes(self, alert: Alert) -> bool:
        """Whether an alert is meant."""
        return (
            (self.series is None or alert.series == self.series)
            and (not self.watches or alert.watch in self.watches)
            and (not self.severities or alert.severity in self.severities)
            and (self.state is None or (alert.closed is None) == (self.state == "open"))
            and alert.opened < self.end
            and (alert.closed is None or alert.closed >= self.start)
        )


def alert_page(service: Service, asked: Asking, *, limit: int = 100, cursor: str | None = None) -> Page[dict[str, Any]]:
    """Alerts, newest first."""

    def key(alert: Alert) -> tuple[int, str]:
        return -alert.opened, alert.id

    found = sorted(filter(asked.takes, service.alerts()), key=key)
    page = page_of(found, key, limit, cursor)
    return Page([alert_view(service, a) for a in page.items], page.next, page.total)
