"""Watches as plain data, and what another budget or policy of one would have alerted."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from watchband.adapters.stores.scored.block import HELD, SUPPRESSED, Scored
from watchband.apps.service.status import instant
from watchband.apps.service.views.series import finite
from watchband.core.duration import DAY, HOUR, WEEK, format_duration
from watchband.core.errors import ConfigError
from watchband.core.series import SeriesKey
from watchband.pipeline.policy import Policy
from watchband.pipeline.preview import Kept, Opening, factor, interval_of, openings
from watchband.pipeline.rules import Budget

if TYPE_CHECKING:
    from watchband.apps.service.service import Service

MONTH = 52 * WEEK // 12
STOPS = tuple(
    Budget(n, period)
    for period, counts in ((MONTH, (1, 2)), (WEEK, (1, 2, 4)), (DAY, (1, 2, 4, 12)), (HOUR, (1,)))
    for n in counts
)
"""Budgets that people say, from rare to often."""
SERIES_MAX = 500
"""Series that a preview reads; of more, evenly spaced ones stand for all, and the answer says so."""
SHOWN_MAX = 300
CHANGEABLE = (
    "consecutive",
    "m_of_n",
    "close_after",
    "close_level",
    "flap_hold",
    "cool_down",
    "max_points",
    "level_after",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A budget and a policy to look at; None: as it is."""

    budget: Budget | None = None
    policy: dict[str, Any] = dataclasses.field(default_factory=dict)
    period: int = WEEK


def watch_documents(service: Service) -> list[dict[str, Any]]:
    """Every watch with its rule, policy and how many series it has."""
    found = []
    for name, settings in service.config.watches.items():
        watch = settings.watch(name)
        newest = service.recent.newest(name)
        found.append(
            {
                "name": name,
                "match": list(settings.match),
                "detector": settings.detector,
                "rule": settings.rule_text,
                "budget": budget_text(watch.rule) if isinstance(watch.rule, Budget) else None,
                "policy": {key: getattr(watch.policy, key) for key in CHANGEABLE},
                "route": list(settings.route) if settings.route is not None else list(service.config.sinks),
                "priority": settings.priority,
                "series": len(newest.keys),
            }
        )
    return found


def budget_text(budget: Budget) -> str:
    """``1/week``, as people write it."""
    names = {HOUR: "hour", DAY: "day", WEEK: "week", MONTH: "month"}
    return f"{budget.alerts:g}/{names.get(budget.period_ns) or format_duration(budget.period_ns)}"


def preview_document(service: Service, name: str, asked: Asked) -> dict[str, Any]:
    """What a watch would have alerted in the last period, at every stop of the budget and at the one asked for.

    Raises
    ------
    ConfigError
        No such watch, one without a budget, or nothing kept to look at.
    """
    settings = service.config.watches.get(name)
    if settings is None:
        raise ConfigError(f"There is no watch {name!r}. Known: {', '.join(sorted(service.config.watches))}.")
    watch = settings.watch(name)
    if not isinstance(watch.rule, Budget):
        raise ConfigError(f"The watch {name!r} alerts by {watch.rule}, which a budget does not change.")
    if service.scores is None:
        raise ConfigError("No scores are kept, so nothing can be looked at again. Set 'engine.keep_scores'.")
    now = service.clock.now()
    names = list(service.recent.newest(name).keys)
    some = names if len(names) <= SERIES_MAX else names[:: -(-len(names) // SERIES_MAX)]
    found = service.scores.read_many(name, some, now - asked.period, now + 1)
    kept = {key: _kept(found[key]) for key in some if key in found}
    policy = dataclasses.replace(watch.policy, **asked.policy)
    share = len(names) / len(some) if some else 1.0
    then = asked.budget or watch.rule
    return {
        "watch": name,
        "from": instant(now - asked.period),
        "to": instant(now),
        "series": len(names),
        "looked_at": len(kept),
        "in_force": {
            "budget": budget_text(watch.rule),
            **_counts(_opened(kept, watch.rule, watch.rule, watch.policy), share),
        },
        "asked": {"budget": budget_text(then), **_listed(_opened(kept, watch.rule, then, policy), share)},
        "stops": [
            {
                "budget": budget_text(stop),
                "a_week": finite(stop.alerts * WEEK / stop.period_ns),
                **_counts(_opened(kept, watch.rule, stop, policy), share),
            }
            for stop in STOPS
        ],
    }


def _kept(points: Scored) -> Kept:
    return Kept(
        points.time,
        points.y,
        points.yhat,
        points.yhat_lower,
        points.yhat_upper,
        points.anomaly_score,
        (points.flags & HELD) != 0,
        (points.flags & SUPPRESSED) != 0,
    )


def _opened(
    kept: dict[SeriesKey, Kept], now: Budget, then: Budget, policy: Policy
) -> dict[SeriesKey, Sequence[Opening]]:
    factors = [factor(now, then, interval_of(k.time)) for k in kept.values()]
    return dict(zip(kept, openings(list(kept.values()), factors, policy), strict=True))


def _counts(opened: dict[SeriesKey, Sequence[Opening]], share: float) -> dict[str, Any]:
    alerts = sum(map(len, opened.values()))
    return {"alerts": round(alerts * share), "series": round(sum(bool(o) for o in opened.values()) * share)}


def _listed(opened: dict[SeriesKey, Sequence[Opening]], share: float) -> dict[str, Any]:
    every = sorted(((o, key) for key, some in opened.items() for o in some), key=lambda e: (-e[0].opened, str(e[1])))
    return {
        **_counts(opened, share),
        "list": [
            {
                "series": str(key),
                "opened": instant(o.opened),
                "closed": None if o.closed is None else instant(o.closed),
                "anomaly_score": finite(o.anomaly_score),
            }
            for o, key in every[:SHOWN_MAX]
        ],
    }
