"""Watches as plain data, and what another budget or policy of one would have alerted."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from watchband.adapters.stores.scored.block import HELD, SUPPRESSED, Scored
from watchband.apps.service.status import instant
from watchband.apps.service.views.numbers import finite
from watchband.core.duration import DAY, HOUR, WEEK, format_duration
from watchband.core.errors import ConfigError
from watchband.core.series import SeriesKey
from watchband.pipeline.policy import Policy
from watchband.pipeline.preview import Kept, Opening, factor, interval_of, openings
from watchband.pipeline.rules import Budget

if TYPE_CHECKING:
    from watchband.adapters.stores.scored.book import ScoreBook
    from watchband.apps.service.service import Service
    from watchband.pipeline.watch import Watch

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
                "join": list(settings.columns),
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

    Of many series some are looked at and stand for all; ``previewing`` lets all of them be.

    Raises
    ------
    ConfigError
        No such watch, one without a budget, or nothing kept to look at.
    """
    counting = previewing(service, name, asked)
    names = counting.names
    counting.take(names if len(names) <= SERIES_MAX else names[:: -(-len(names) // SERIES_MAX)])
    return counting.document()


def previewing(service: Service, name: str, asked: Asked) -> Counting:
    """What counts alerts of a watch, some series at a time.

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
    return Counting(service.scores, name, watch, asked, service.clock.now(), list(service.recent.newest(name).keys))


class Counting:
    """Counts of alerts by budget, gathered over series; what is read of them is let go again.

    Parameters
    ----------
    scores : ScoreBook
        Where points are read.
    name, watch : str, Watch
        Whose series.
    asked : Asked
        The other budget and policy.
    now : int
        The end of the period, ns UTC.
    names : list of SeriesKey
        All series of the watch.
    """

    def __init__(
        self, scores: ScoreBook, name: str, watch: Watch, asked: Asked, now: int, names: list[SeriesKey]
    ) -> None:
        assert isinstance(watch.rule, Budget)
        self.scores, self.name, self.asked, self.now, self.names = scores, name, asked, now, names
        self.rule, self.before = watch.rule, watch.policy
        self.policy = dataclasses.replace(watch.policy, **asked.policy)
        self.then = asked.budget or watch.rule
        self.taken = self.looked_at = 0
        # Alerts, and series that have some: now, as it is asked for, at each stop.
        self._counts = np.zeros((2 + len(STOPS), 2), np.int64)
        self._list: list[tuple[Opening, SeriesKey]] = []

    def take(self, keys: Sequence[SeriesKey]) -> None:
        """Look at some series more."""
        found = self.scores.read_many(self.name, keys, self.now - self.asked.period, self.now + 1)
        kept = {key: _kept(found[key]) for key in keys if key in found}
        self.taken += len(keys)
        self.looked_at += len(kept)
        asked = _opened(kept, self.rule, self.then, self.policy)
        every = [
            _opened(kept, self.rule, self.rule, self.before),
            asked,
            *(_opened(kept, self.rule, stop, self.policy) for stop in STOPS),
        ]
        self._counts += np.array([[sum(map(len, o.values())), sum(map(bool, o.values()))] for o in every])
        self._list += [(opening, key) for key, some in asked.items() for opening in some]
        self._list.sort(key=lambda e: (-e[0].opened, str(e[1])))
        del self._list[SHOWN_MAX:]

    def document(self) -> dict[str, Any]:
        """What was counted, for all series of the watch."""
        share = len(self.names) / self.taken if self.taken else 1.0
        said = [{"alerts": round(a * share), "series": round(s * share)} for a, s in self._counts.tolist()]
        return {
            "watch": self.name,
            "from": instant(self.now - self.asked.period),
            "to": instant(self.now),
            "series": len(self.names),
            "looked_at": self.looked_at,
            "in_force": {"budget": budget_text(self.rule), **said[0]},
            "asked": {"budget": budget_text(self.then), **said[1], "list": list(map(_listed, self._list))},
            "stops": [
                {"budget": budget_text(stop), "a_week": finite(stop.alerts * WEEK / stop.period_ns), **counts}
                for stop, counts in zip(STOPS, said[2:], strict=True)
            ],
        }


def _kept(points: Scored) -> Kept:
    return Kept(
        points.time,
        points.y,
        points.yhat,
        points.yhat_lower,
        points.yhat_upper,
        points.counted_score,
        (points.flags & HELD) != 0,
        (points.flags & SUPPRESSED) != 0,
    )


def _opened(
    kept: dict[SeriesKey, Kept], now: Budget, then: Budget, policy: Policy
) -> dict[SeriesKey, Sequence[Opening]]:
    factors = [factor(now, then, interval_of(k.time)) for k in kept.values()]
    return dict(zip(kept, openings(list(kept.values()), factors, policy), strict=True))


def _listed(one: tuple[Opening, SeriesKey]) -> dict[str, Any]:
    opening, key = one
    return {
        "series": str(key),
        "opened": instant(opening.opened),
        "closed": None if opening.closed is None else instant(opening.closed),
        "anomaly_score": finite(opening.anomaly_score),
    }
