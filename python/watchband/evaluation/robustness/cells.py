"""From outcomes to the figures of a cell: event F1, delay, alerts a week, each with an interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from watchband.evaluation.metrics.alerts import alerts_per_week
from watchband.evaluation.metrics.bootstrap import Interval, cells, f1, interval, ratio
from watchband.evaluation.metrics.delay import Delays
from watchband.evaluation.metrics.proportion import f1_of_counts, poisson, wilson
from watchband.evaluation.robustness.matrix import CLEAN, USUAL
from watchband.evaluation.robustness.run import Outcome, columns

SERIES_FEW = 8
"""With fewer series events are taken as independent: series by series too little is left to draw from."""
DRAWS = 400
MAPS: tuple[tuple[str, ...], ...] = (
    ("detector",),
    ("detector", "kind"),
    ("detector", "fault"),
    ("detector", "frame"),
    ("detector", "noise"),
    ("detector", "missing"),
    ("detector", "kind", "fault"),
    ("detector", "kind", "frame"),
)
"""What is shown as a table or heat map."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Figures of the outcomes that agree in some axes.

    Parameters
    ----------
    key : dict of str to str
        The axes and what they agree in.
    series, events : int
        How many they are.
    f1, recall : Interval
        Of events; NaN without events.
    delay : Interval
        Median points from the start of an event to its alert, over all events: infinite where more than half were
        missed.
    alerts_per_week : Interval
        Alerts outside events, per series and week.
    promise : Interval
        The same over the alerts that the budget promises: 1 is kept to the letter.
    counts : tuple of int
        Events found, events missed, alerts outside events.
    """

    key: dict[str, str]
    series: int
    events: int
    f1: Interval
    recall: Interval
    delay: Interval
    alerts_per_week: Interval
    promise: Interval
    counts: tuple[int, int, int]

    def as_json(self) -> dict[str, Any]:
        """For machines: intervals as [value, low, high]; what is no number or infinite as null."""
        figures = {
            name: [round(v, 6) if np.isfinite(v) else None for v in getattr(self, name)]
            for name in ("f1", "recall", "delay", "alerts_per_week", "promise")
        }
        found, missed, false = self.counts
        return {
            **self.key, "series": self.series, "events": self.events,
            "found": found, "missed": missed, "false": false, **figures,
        }  # fmt: skip


def cell(key: Mapping[str, str], outcomes: Sequence[Outcome]) -> Cell:
    """Figures of some outcomes together; counts are pooled."""
    every = columns(outcomes)
    found, missed, false = (int(v) for v in every[:, :3].sum(axis=0))
    late = np.concatenate([np.array(o.delays) for o in outcomes]) if outcomes else np.empty(0)
    alone = len(outcomes) < SERIES_FEW
    if not found + missed:
        quality = Interval(np.nan, np.nan, np.nan)
    elif alone:
        quality = cells(np.array([found, missed, false]), f1, draws=2000)
    else:
        quality = interval(every, f1, draws=DRAWS)
    if found + missed and (alone or not found):
        # Drawn from events that were all missed, F1 would be 0 for certain.
        exact = f1_of_counts(found, missed, false)
        quality = Interval(quality.value, min(quality.low, exact.low), max(quality.high, exact.high))
    promised = float(every[:, 3].sum())
    kept = poisson(false, promised)
    if not alone and promised > 0:
        drawn = interval(every, ratio(2, 3), draws=DRAWS)
        kept = Interval(kept.value, min(kept.low, drawn.low), max(kept.high, drawn.high))
    weekly = alerts_per_week(every[:, 2].astype(np.int64), every[:, 4].astype(np.int64), draws=DRAWS)
    recall = wilson(found, found + missed)
    return Cell(
        dict(key), len(outcomes), found + missed, quality, recall, median_delay(late), weekly, kept,
        (found, missed, false),
    )  # fmt: skip


def median_delay(late: np.ndarray) -> Interval:
    """Median over all events, misses as infinity, with a bootstrap over the events.

    Examples
    --------
    >>> median_delay(np.array([0.0, 1.0, 1.0, 2.0, np.inf])).value, median_delay(np.array([1.0, np.inf, np.inf])).value
    (1.0, inf)
    """
    if not len(late):
        return Interval(np.nan, np.nan, np.nan)
    at = np.random.default_rng(0).integers(len(late), size=(DRAWS, len(late)))
    middle = max(int(np.ceil(len(late) / 2)) - 1, 0)
    drawn = np.sort(np.partition(late[at], middle, axis=1)[:, middle])
    return Interval(Delays(late).quantile(0.5), float(drawn[int(0.025 * DRAWS)]), float(drawn[int(0.975 * DRAWS)]))


def at_usual(outcomes: Sequence[Outcome], by: Sequence[str]) -> list[Outcome]:
    """Outcomes in the usual condition, except in the axes that are looked at."""
    chosen = [o for o in outcomes if tells(o) and set(o.setting.departs) <= set(by)]
    for axis in set(by) & set(USUAL):
        # Names are compared on the same kinds and faults, however much more was tried in the usual condition.
        names = {getattr(o.setting, axis) for o in chosen}
        tried: dict[tuple[str, str, int], set[str]] = {}
        for o in chosen:
            tried.setdefault(_series(o), set()).add(getattr(o.setting, axis))
        chosen = [o for o in chosen if tried[_series(o)] == names]
    return chosen


def tells(outcome: Outcome) -> bool:
    """A series that is too short for its fault, or in which the fault changed nothing, tells nothing."""
    return outcome.points > 0 and (outcome.setting.fault == CLEAN or outcome.found + outcome.missed > 0)


def _series(outcome: Outcome) -> tuple[str, str, int]:
    return outcome.setting.kind, outcome.setting.fault, outcome.setting.number


def table(outcomes: Sequence[Outcome], by: Sequence[str]) -> list[Cell]:
    """One cell for each combination of names of some axes, other conditions being the usual ones.

    Parameters
    ----------
    outcomes : sequence of Outcome
        Those too short for their fault are left out.
    by : sequence of str
        ``detector`` and names of ``AXES``.
    """

    def key(outcome: Outcome) -> tuple[str, ...]:
        return tuple(outcome.detector if axis == "detector" else getattr(outcome.setting, axis) for axis in by)

    chosen = sorted(at_usual(outcomes, by), key=lambda o: (key(o), o.setting))
    return [cell(dict(zip(by, names, strict=True)), list(group)) for names, group in groupby(chosen, key)]


def every_cell(outcomes: Sequence[Outcome]) -> list[Cell]:
    """One cell for each setting and detector, its replicas together."""
    axes = ("detector", "kind", "fault", *USUAL)
    return table(outcomes, axes)


def weakest(outcomes: Sequence[Outcome], detector: str, count: int = 8) -> list[Cell]:
    """The pairs of a kind and a fault of which the detector finds least, worst first."""
    some = [c for c in table(outcomes, ("detector", "kind", "fault")) if c.key["detector"] == detector and c.events]
    return sorted(some, key=lambda c: (c.f1.value, c.recall.value, c.key["kind"], c.key["fault"]))[:count]
