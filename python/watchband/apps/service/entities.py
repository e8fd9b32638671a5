"""Entities by risk: how each stands now, read from the fold between two entries."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from watchband.core.duration import SECOND
from watchband.core.series import SeriesKey

if TYPE_CHECKING:
    from watchband.analysis.risk.live import RiskFold, Standing
    from watchband.apps.service.service import Service

PATIENCE = 2
"""Slots that a row may wait for, on top of those that an entity may be silent."""
UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Entity:
    """An entity as pages show it: ``state`` is unknown (-1) where it has been silent for too long."""

    name: str
    state: int
    since: int
    standing: Standing


def fold_of(service: Service) -> RiskFold | None:
    """What labels entities; None where no model is configured."""
    from watchband.analysis.risk.live import RiskFold

    deriving = service.runner.deriving if hasattr(service, "runner") else None
    found = deriving.labels if deriving is not None else None
    return found if isinstance(found, RiskFold) else None


def entities(service: Service) -> tuple[RiskFold, list[Entity]] | None:
    """Every entity, the worst first, not to be changed; None where no model is configured.

    Found once for all that ask, until something changes.
    """
    second = service.clock.now() // SECOND
    found: tuple[RiskFold, list[Entity]] | None = service.shared.found(
        "entities", service.recent.series, lambda: _entities(service), besides=second
    )
    return found


def _entities(service: Service) -> tuple[RiskFold, list[Entity]] | None:
    from watchband.analysis.risk.live import SILENT_STEPS

    fold = fold_of(service)
    if fold is None:
        return None
    now = service.clock.now()
    late = (SILENT_STEPS + PATIENCE) * fold.labeller.step
    standing = service.look(lambda: [one.copy() for one in fold.standing.values() if one.time])
    found = []
    for one in standing:
        silent = one.time < now - late
        state, since = (UNKNOWN, one.time) if silent else (one.state, one.since)
        found.append(Entity(one.name, state, since, one))
    found.sort(key=lambda e: (-e.state, -e.since if e.state > 1 else 0, e.name))
    return fold, found


def state_at(entity: Entity, time: int) -> int:
    """The state of an entity at a time, as far as its transitions reach back."""
    past = entity.standing.past
    k = bisect_right(past, time, key=lambda turn: turn[0])
    if entity.state == UNKNOWN and time >= entity.since:
        return UNKNOWN
    return past[k - 1][1] if k else UNKNOWN


def series_states(service: Service) -> RiskOf | None:
    """Says the state of the entity of a series; None where no model is configured."""
    found = entities(service)
    if found is None:
        return None
    fold, every = found
    return RiskOf({e.name: e.state for e in every}, fold.making.by)


@dataclass(frozen=True, slots=True)
class RiskOf:
    """States by entity, asked by series."""

    states: Mapping[str, int]
    by: Collection[str]

    def __call__(self, key: SeriesKey) -> str | None:
        """The name of the state of the entity that a series belongs to; None where it has none."""
        from watchband.analysis.risk.entities import entity_of
        from watchband.analysis.risk.naming import Risk

        name = entity_of(key, tuple(self.by))
        state = self.states.get(name, UNKNOWN) if name is not None else UNKNOWN
        return Risk(state).title if state != UNKNOWN else None
