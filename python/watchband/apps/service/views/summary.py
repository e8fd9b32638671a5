"""The figures beside the verdict, what is learning, and the sources, as the dashboard shows them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from watchband.apps.service.health import SourceHealth
from watchband.apps.service.status import instant
from watchband.apps.service.views.risk import risk_bars
from watchband.apps.service.views.series import Row, rows
from watchband.core.duration import SECOND, WEEK
from watchband.pipeline.decide import NEVER
from watchband.pipeline.rules import Budget

if TYPE_CHECKING:
    from watchband.apps.service.service import Service

LEARNING_SHOWN = 6
LATE_AFTER_S = 300.0
_STATES = {
    "starting": "waiting",
    "backfilling": "filling in",
    "failing": "failing",
    "failed": "failing",
    "ended": "ended",
}


def summary_of(service: Service) -> dict[str, Any]:
    """Figures over everything that is watched."""
    now = service.clock.now()
    every = rows(service)
    learning = [row for row in every if row.state == "INSUFFICIENT_DATA"]
    # Of a week the book has them all, or so many that nobody counts them.
    alerts_week = sum(a.decided > now - WEEK for a in service.book.every())
    bars = risk_bars(service)
    return {
        "time": instant(now),
        "series": len(every),
        "outside": sum(row.score > 1 for row in every),
        "points_per_second": round(service.rate.per_second(now), 1),
        "alerts_week": alerts_week,
        "budget_week": _budget(service, every),
        "critical": sum(a.severity == "critical" for a in service.book.open()),
        "learning": _learning(service, learning),
        "learning_series": len(learning),
        "risk": None if bars is None else bars[0],
        "entities": None if bars is None else bars[1],
    }


def _budget(service: Service, every: list[Row]) -> float | None:
    """Alerts a week that all budgets together allow; None where a watch has another rule; that of risk aside."""
    count: dict[str, int] = defaultdict(int)
    for row in every:
        count[row.watch] += 1
    total = 0.0
    for name, settings in service.config.watches.items():
        if settings == service.config.risk.watch:
            continue
        rule = settings.options.rule()
        if not isinstance(rule, Budget):
            return None
        total += count[name] * rule.alerts * WEEK / rule.period_ns
    return float(f"{total:.3g}")


def _learning(service: Service, learning: list[Row]) -> list[dict[str, Any]]:
    """Series that have no verdict yet, gathered by watch, those that take longest last."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in learning:
        groups[row.watch].append(row)
    found = []
    for watch, members in sorted(groups.items(), key=lambda each: -len(each[1]))[:LEARNING_SHOWN]:
        name = members[0].text if len(members) == 1 else watch
        last = max(row.ready for row in members)
        ready = instant(last) if last != NEVER else None
        found.append({"name": name, "series": len(members), "ready_at": ready, "why": "not enough history yet"})
    return found


def sources_of(service: Service) -> list[dict[str, Any]]:
    """Every source in words: on time, late, failing, filling in, waiting."""
    now = service.clock.now()
    healths = {n: p.health for n, p in service.inflow.pumps.items()} | {
        n: p.health for n, p in service.inflow.pushed.items()
    }
    return [_source(name, health, now) for name, health in sorted(healths.items())]


def _source(name: str, health: SourceHealth, now: int) -> dict[str, Any]:
    lag = (now - health.newest) / SECOND if health.newest else None
    state = _STATES.get(health.state, "on time")
    if state == "on time" and (lag is None or lag > LATE_AFTER_S):
        state = "waiting" if lag is None else "late"
    return {
        "name": name,
        "kind": health.kind,
        "state": state,
        "lag_seconds": None if lag is None else round(lag, 1),
        "last_success": instant(health.success),
        "points": health.points,
        "error": health.error or None,
        "next_try": instant(health.retry_at) if health.state in ("failing", "failed") else None,
    }
