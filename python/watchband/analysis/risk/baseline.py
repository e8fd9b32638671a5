"""What is usual: for each entity by itself, and for the fleet at its busiest.

A row is far out where it is so for both. A host that is always busy is usual for itself; an idle one that becomes as
busy as others is not out of the ordinary for the fleet.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from watchband.analysis.risk.rows import Rows
from watchband.core.points import Float64, Int64

UPPER, UPPER_SIGMA = 0.90, 1.2816
"""The spread upwards is read from here, so that a tenth of the rows may be an outage and is not taken as usual."""
FLOOR = 0.1
"""A spread is at least this share of the fleet's: what hardly moves is not strange as soon as it does."""
RELATIVE = 0.02
ROWS_MIN = 48
"""Of fewer rows of an entity nothing is said about what is usual for it."""


@dataclass(frozen=True, slots=True, eq=False)
class Usual:
    """Middle and spread upwards, in the units of the features: float64[e, f] each; NaN where too little is known."""

    middle: Float64
    spread: Float64


def middle_and_spread(values: Float64, fleet: Float64) -> tuple[Float64, Float64]:
    """Median and spread upwards of each feature: float64[f] each.

    Parameters
    ----------
    values : float64[n, f]
        Rows of one entity, or of one state.
    fleet : float64[f]
        Spread of the fleet.
    """
    with np.errstate(all="ignore"):
        middle = np.full(values.shape[1], np.nan)
        upper = middle.copy()
        known = ~np.isnan(values).all(axis=0)
        if known.any():
            middle[known] = np.nanmedian(values[:, known], axis=0)
            upper[known] = np.nanquantile(values[:, known], UPPER, axis=0)
    spread = np.maximum((upper - middle) / UPPER_SIGMA, FLOOR * fleet)
    return middle, np.maximum(spread, RELATIVE * np.abs(middle))


def usual_of_entities(rows: Rows, entities: int, fleet: Float64) -> Usual:
    """What is usual for every entity of a sample that is ordered by entity."""
    shape = entities, rows.values.shape[1]
    middle, spread = np.full(shape, np.nan), np.full(shape, np.nan)
    edges = np.searchsorted(rows.entity, np.arange(entities + 1))
    for number in range(entities):
        mine = rows.values[edges[number] : edges[number + 1]]
        if len(mine) >= ROWS_MIN:
            middle[number], spread[number] = middle_and_spread(mine, fleet)
    return Usual(middle, spread)


def usual_of_groups(values: Float64, labels: Int64, k: int, fleet: Float64) -> Usual:
    """What is usual in every group: float64[k, f]."""
    found = [middle_and_spread(values[labels == group], fleet) for group in range(k)]
    return Usual(np.stack([m for m, _ in found]), np.stack([s for _, s in found]))


def busiest(groups: Usual, ordinary: Int64) -> Usual:
    """Of every feature, the highest middle of the ordinary groups, with that group's spread: float64[1, f] each."""
    middle = np.where(np.isnan(groups.middle), -np.inf, groups.middle)[ordinary]
    at = middle.argmax(axis=0)
    columns = np.arange(middle.shape[1])
    return Usual(middle[at, columns][None, :], groups.spread[ordinary][at, columns][None, :])


def ordinary_groups(groups: Usual, share: Float64, rises: Float64, limit: float, rare: float) -> Int64:
    """Groups that are part of normal operation, from the largest down.

    A group with less than ``rare`` of the rows that lies ``limit`` spreads beyond every larger ordinary group, in a
    feature whose rise is a load (``rises`` 1), is not.
    """
    order = np.argsort(-share, kind="stable").tolist()
    kept = [order[0]]
    for group in order[1:]:
        top = busiest(groups, np.array(kept))
        with np.errstate(invalid="ignore"):
            beyond = ((groups.middle[group] - top.middle[0]) / top.spread[0]) * rises
        if share[group] >= rare or not np.nanmax(beyond, initial=-np.inf) >= limit:
            kept.append(group)
    return np.array(sorted(kept), np.int64)
