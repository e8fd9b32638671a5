"""The labeller: from a row to its state, with why. Small, read-only, and the same bits in any cut of the rows.

Everything is computed row by row and feature by feature in one order: no sum over a batch, no matrix product.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchband.analysis.risk.baseline import Usual
from watchband.analysis.risk.naming import LoadScale, Risk
from watchband.analysis.risk.outlook import bin_of
from watchband.analysis.risk.rows import Rows, cleaned
from watchband.analysis.risk.scaling import Scale
from watchband.core.points import Float64, Int64
from watchband.features.load import LoadFeature

NAMED: tuple[tuple[int, str, str], ...] = (
    (1, "latency", "latency"),
    (2, "cpu", "CPU"),
    (4, "connections", "connections"),
)
"""Anomalies that are named from a role: bit, role, word."""
DENSITY = 8
PRESENT_MIN = 2 / 3
"""Of a row's features so many must be there; of fewer nothing is said."""
FULL = 0.98
"""Share of a capacity from which it is used up."""


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """What is said of rows; arrays of [n].

    Parameters
    ----------
    state : int8[n]
        A ``Risk``.
    load : float64[n]
        0 to about 1, see ``naming.LoadScale``.
    excess : float64[n]
        How far out, in spreads, both for the entity itself and for the fleet; NaN: not judged.
    leading : int64[n]
        The feature that is farthest out, an index into the labeller's: for both where Critical, else for the entity.
    anomaly : int8[n]
        Sum of the bits of ``NAMED`` and ``DENSITY``.
    probability : float64[n]
        Of Critical within the horizon.
    known : bool[n]
        Whether it is known what is usual for the entity.
    """

    state: NDArray[np.int8]
    load: Float64
    excess: Float64
    leading: Int64
    anomaly: NDArray[np.int8]
    probability: Float64
    known: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.state)


@dataclass(frozen=True, eq=False)
class Labeller:
    """What ``watchband risk`` fits and everything else uses.

    Parameters
    ----------
    features : tuple of LoadFeature
        The columns of a row, in their order.
    step : int
        ns between rows.
    scale : Scale
        Of the fleet.
    centres : float64[k, f]
        Of the groups, scaled.
    states : int64[k]
        State of each group.
    groups : Usual
        What is usual in each group: float64[k, f].
    top : Usual
        What is usual where the fleet is at its busiest: float64[1, f].
    load : LoadScale
        How full each feature is.
    entities : tuple of str
        Those whose own usual is known, rows of ``own``.
    own : Usual
        float64[e, f].
    reach : float
        A row farther than this from every centre lies where nothing is dense.
    deviation : float
        Spreads from which a row is far out.
    horizon : int
        Steps of the outlook.
    outlook : float64[24]
        Probability by state and excess, see ``outlook``.
    profile : mapping
        What is shown of the fit: plain data.
    """

    features: tuple[LoadFeature, ...]
    step: int
    scale: Scale
    centres: Float64
    states: Int64
    groups: Usual
    top: Usual
    load: LoadScale
    entities: tuple[str, ...]
    own: Usual
    reach: float
    deviation: float
    horizon: int
    outlook: Float64
    profile: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def _rises(self) -> NDArray[np.bool_]:
        return np.array([f.role != "other" for f in self.features]) | all(f.role == "other" for f in self.features)

    @cached_property
    def _limits(self) -> tuple[Float64, Float64, Float64]:
        low = np.array([f.low for f in self.features])
        high = np.array([f.high for f in self.features])
        full = np.array([np.inf if f.capacity is None else FULL * f.capacity for f in self.features])
        return low, high, full

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.entities)}

    def known(self, names: Sequence[str]) -> Int64:
        """The row of ``own`` for each entity, -1 for one that was not seen when this was fitted: int64[e]."""
        return np.array([self._numbers.get(name, -1) for name in names], np.int64)

    def label(self, rows: Rows, known: Int64) -> Labels:
        """Label rows.

        Parameters
        ----------
        rows : Rows
            With the labeller's features.
        known : int64[e]
            From ``known``, for the entities that ``rows.entity`` counts.

        Returns
        -------
        Labels
            The same bits for a row, whatever rows stand beside it. Cost O(n · f · k).
        """
        low, high, _ = self._limits
        values = cleaned(rows.values, low, high)
        there = ~np.isnan(values)
        present = there.sum(axis=1)
        nearest, distance = self._nearest(self.scale(values), there, present)
        own = known[rows.entity]
        deviation, excess, full = self._deviations(values, own, nearest)
        rising = np.where(self._rises[None, :] & ~np.isnan(excess), excess, -np.inf)
        leading = rising.argmax(axis=1)
        farthest = rising[np.arange(len(rows)), leading]
        state = self.states[nearest]
        state = np.where((farthest >= self.deviation) | full, int(Risk.CRITICAL), state)
        judged = present >= PRESENT_MIN * len(self.features)
        said: NDArray[np.int8] = np.where(judged, state, int(Risk.UNKNOWN)).astype(np.int8)
        farthest = np.where(judged & ~np.isneginf(farthest), farthest, np.nan)
        anomaly = np.where(judged, self._anomalies(deviation, distance), 0).astype(np.int8)
        # What is unusual without being Critical is so for the entity itself.
        itself = np.where(self._rises[None, :] & ~np.isnan(deviation), deviation, -np.inf).argmax(axis=1)
        leading = np.where((anomaly != 0) & (said != Risk.CRITICAL), itself, leading)
        cell = bin_of(said, farthest)
        probability = np.where(cell >= 0, self.outlook[cell], np.nan)
        return Labels(said, self.load(values), farthest, leading, anomaly, probability, own >= 0)

    def _nearest(self, points: Float64, there: NDArray[np.bool_], present: Int64) -> tuple[Int64, Float64]:
        """The nearest centre by the features that are there, and how far it is as if all were."""
        best, least = np.zeros(len(points), np.int64), np.full(len(points), np.inf)
        for group, centre in enumerate(self.centres):
            far = np.zeros(len(points))
            for f in range(len(self.features)):
                apart = points[:, f] - centre[f]
                far += np.where(there[:, f], apart * apart, 0.0)
            nearer = far < least
            best[nearer], least[nearer] = group, far[nearer]
        whole = least * (len(self.features) / np.maximum(present, 1))
        return best, np.sqrt(whole)

    def _deviations(self, values: Float64, own: Int64, nearest: Int64) -> tuple[Float64, Float64, NDArray[np.bool_]]:
        """Of each feature: spreads from what is usual for the entity, and the least of that and those of the fleet."""
        beyond = (values - self.top.middle) / self.top.spread
        mine = (values - self.groups.middle[nearest]) / self.groups.spread[nearest]
        excess = beyond.copy()
        seen = np.flatnonzero(own >= 0)
        itself = (values[seen] - self.own.middle[own[seen]]) / self.own.spread[own[seen]]
        told = ~np.isnan(itself)
        mine[seen] = np.where(told, itself, mine[seen])
        excess[seen] = np.where(told, np.minimum(itself, beyond[seen]), beyond[seen])
        full = np.zeros(len(values), bool)
        for f in np.flatnonzero(np.isfinite(self._limits[2])).tolist():
            # Used up, and that is not usual here.
            full |= (values[:, f] >= self._limits[2][f]) & (mine[:, f] >= self.deviation)
        return mine, excess, full

    def _anomalies(self, deviation: Float64, distance: Float64) -> Int64:
        found = np.where(distance > self.reach, DENSITY, 0)
        for bit, role, _ in NAMED:
            for f, feature in enumerate(self.features):
                if feature.role == role:
                    found |= np.where(deviation[:, f] >= self.deviation, bit, 0)
        return found

    def deviations(self, rows: Rows, known: Int64) -> Float64:
        """Spreads of every feature from what is usual for its entity, float64[n, f]: what reasons are told from."""
        low, high, _ = self._limits
        values = cleaned(rows.values, low, high)
        there = ~np.isnan(values)
        nearest, _ = self._nearest(self.scale(values), there, there.sum(axis=1))
        return self._deviations(values, known[rows.entity], nearest)[0]

    def usual(self, own: int, state: int) -> Float64:
        """The usual value of each feature: of the entity, or of the fleet in that state: float64[f]."""
        if own >= 0 and not np.isnan(self.own.middle[own]).all():
            return np.asarray(np.where(np.isnan(self.own.middle[own]), self.scale.centre, self.own.middle[own]))
        here = np.flatnonzero(self.states == state)
        return np.asarray(self.groups.middle[here[0]] if len(here) else self.scale.centre)
