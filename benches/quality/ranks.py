"""Who is first: mean rank over the families and figures, with intervals that draw the same units for everybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benches.quality.run import ONE_IN, Outcome, Run
from benches.quality.units import SIMULATED, better_vus, event_f1, promise_missed, units
from watchband.core.points import Float64
from watchband.evaluation.metrics.bootstrap import Interval

FAMILIES = {SIMULATED: (SIMULATED,), "services": ("metric", "service max", "service top 3"), "nab": ("nab",)}
"""The families, and the views that each has; a family's figure is the mean over its views."""
FIGURES = (*(f"F1 1/{b:,}" for b in ONE_IN), "VUS-PR", "alerts a week")


@dataclass(frozen=True, slots=True)
class Rank:
    """The place of one candidate, 1 is first.

    Parameters
    ----------
    mean : Interval
        Mean rank over families and figures.
    behind : Interval
        That minus the mean rank of the candidate it is compared with, in the same draws; above 0 is behind it.
    figures, families : dict of str to float
        Mean rank by figure, over families, and by family, over figures.
    """

    label: str
    mean: Interval
    behind: Interval
    figures: dict[str, float]
    families: dict[str, float]


def ranks(runs: Mapping[str, Run], against: str, *, draws: int = 1000, seed: int = 0) -> list[Rank]:
    """Every candidate that ran on everything that ``against`` ran on, best first.

    Within a figure of a family the rank is by value; ``alerts a week`` by nearness to the promise, mean of both
    budgets' distances in powers of two.
    """
    whole = _series(runs[against])
    labels = [label for label, run in runs.items() if _series(run) == whole]
    rng = np.random.default_rng(seed)
    table: dict[tuple[str, str], Float64] = {}
    for family, views in FAMILIES.items():
        some = {label: {v: [o for o in runs[label].outcomes if o.view == v] for v in views} for label in labels}
        if not some[against][views[0]]:
            continue
        for figure, values in _family(some, views, draws, rng).items():
            table[figure, family] = _ranked(values if figure == FIGURES[-1] else -values)
    stacked = np.stack(list(table.values()))
    means = stacked.mean(axis=0)
    apart = means - means[labels.index(against)]
    found = []
    for i, label in enumerate(labels):
        by = {key: float(value[i, 0]) for key, value in table.items()}
        figures = {f: float(np.mean([v for (g, _), v in by.items() if g == f])) for f in FIGURES}
        families = {f: float(np.mean(mine)) for f in FAMILIES if (mine := [v for (_, g), v in by.items() if g == f])}
        found.append(Rank(label, _interval(means[i]), _interval(apart[i]), figures, families))
    return sorted(found, key=lambda r: r.mean.value)


def _series(run: Run) -> set[tuple[str, str, int]]:
    return {(o.view, o.name, o.place) for o in run.outcomes}


def _family(
    some: Mapping[str, Mapping[str, list[Outcome]]], views: Sequence[str], draws: int, rng: np.random.Generator
) -> dict[str, Float64]:
    """By figure float64[candidates, 1 + draws]: as measured, then as drawn; one set of units for all views."""
    found: dict[str, list[list[Float64]]] = {figure: [] for figure in FIGURES}
    weights: Float64 | None = None
    for view in views:
        for rows in found.values():
            rows.append([])
        for outcomes in some.values():
            missed = []
            for one_in in ONE_IN:
                names, columns = units(outcomes[view], one_in)
                if weights is None:
                    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), draws)
                    weights = np.concatenate([np.ones((1, len(names))), drawn])
                sums = weights @ columns
                found[f"F1 1/{one_in:,}"][-1].append(np.nan_to_num(event_f1(view)(sums)))
                missed.append(promise_missed(one_in)(sums))
                if one_in == ONE_IN[0]:
                    found["VUS-PR"][-1].append(np.nan_to_num(better_vus(sums)))
            found[FIGURES[-1]][-1].append(np.mean(missed, axis=0))
    return {figure: np.mean(rows, axis=0) for figure, rows in found.items()}


def _ranked(values: Float64) -> Float64:
    """Places along the candidates, the smallest first; equal values share the mean of their places."""
    smaller = (values[None] < values[:, None]).sum(axis=1)
    equal = (values[None] == values[:, None]).sum(axis=1)
    return smaller + (equal + 1) / 2


def _interval(values: Float64) -> Interval:
    low, high = np.quantile(values[1:], [0.025, 0.975])
    return Interval(float(values[0]), float(low), float(high))
