"""What the intervals are drawn over, and what each unit contributes to the figures.

A unit is what can be drawn again as a whole: a simulated family, a service with all its metrics, a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from benches.quality.run import WEEK, Outcome
from watchband.core.points import Float64
from watchband.evaluation.metrics.bootstrap import Statistic, f1, ratio
from watchband.evaluation.metrics.events import EventCounts

SIMULATED = "simulated"
CLEAN = "/none"

FALSE, POINTS = 2, 4
"""Columns of the alerts outside events, and of the points that counted."""
VUS = ratio(7, 8)
VUS_MEMORY = ratio(10, 8)
VUS_ROC = ratio(9, 8)
DELAY = ratio(3, 0)


@dataclass
class _Unit:
    counts: EventCounts = field(default_factory=EventCounts)
    vus: list[float] = field(default_factory=list)
    vus_roc: list[float] = field(default_factory=list)
    vus_memory: list[float] = field(default_factory=list)


def unit_of(outcome: Outcome) -> str:
    """The name of the unit that a series belongs to."""
    return outcome.name.rpartition("/")[0] if outcome.view == "metric" else outcome.name


def units(outcomes: Iterable[Outcome], one_in: int) -> tuple[list[str], Float64]:
    """Names of the units, and float64[units, 11] at a budget.

    Columns: events found and missed, alerts outside, points of delay, points that counted; event F1 of the unit and 1
    where it has events; VUS-PR summed over its series with events, how many these are, VUS-ROC summed, and VUS-PR
    with memory summed.
    """
    found: dict[str, _Unit] = {}
    for o in outcomes:
        unit = found.setdefault(unit_of(o), _Unit())
        unit.counts += o.counts[one_in]
        if not np.isnan(o.vus_pr):
            unit.vus.append(o.vus_pr)
            unit.vus_roc.append(o.vus_roc)
            unit.vus_memory.append(o.vus_memory)
    rows = []
    for name in (names := sorted(found)):
        c, faulty = found[name].counts, not name.endswith(CLEAN)
        value = c.f1 if faulty and not np.isnan(c.f1) else 0.0
        unit = found[name]
        volumes = (sum(unit.vus), len(unit.vus), sum(unit.vus_roc), sum(unit.vus_memory))
        rows.append((c.found, c.missed, c.false, c.delay, c.points, value, faulty, *volumes))
    return names, np.array(rows, np.float64).reshape(-1, 11)


def event_f1(view: str) -> Statistic:
    """Event F1: mean over simulated families; elsewhere of the pooled counts."""
    return ratio(5, 6) if view == SIMULATED else f1


def better_vus(sums: Float64) -> Float64:
    """VUS-PR of the plain score, or of the one with memory where that is larger: nobody loses by it."""
    return np.fmax(VUS(sums), VUS_MEMORY(sums))


def alerts_a_week(sums: Float64) -> Float64:
    """Alerts outside events in 2,016 points."""
    return WEEK * sums[:, FALSE] / np.maximum(sums[:, POINTS], 1)


def promise_missed(one_in: int) -> Callable[[Float64], Float64]:
    """How many times more or fewer alerts than promised, as a power of two; half an alert is added to both."""

    def of(sums: Float64) -> Float64:
        promised = sums[:, POINTS] / one_in
        return np.abs(np.log2((sums[:, FALSE] + 0.5) / (promised + 0.5)))

    return of
