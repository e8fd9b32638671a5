"""Names of states, from how loaded the middle of each group is: the same load has the same name everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from watchband.core.points import Float64, Int64
from watchband.features.load import LoadFeature

IDLE_BELOW, HIGH_FROM = 0.2, 0.65
"""Load of a group's middle: below the one it is Idle, from the other on High Load."""
LOADED = ("cpu", "network", "connections", "disk", "processes")
"""Roles that say how much is asked of an entity. Memory is full of caches; latency, queues and errors follow."""
LOW, TOP = 0.005, 0.995


class Risk(IntEnum):
    """The state of an entity. UNKNOWN: it was not judged."""

    UNKNOWN = -1
    IDLE = 0
    NORMAL = 1
    HIGH_LOAD = 2
    CRITICAL = 3

    @property
    def title(self) -> str:
        """As people read it."""
        return TITLES[self]


TITLES = {
    Risk.UNKNOWN: "Unknown",
    Risk.IDLE: "Idle",
    Risk.NORMAL: "Normal",
    Risk.HIGH_LOAD: "High Load",
    Risk.CRITICAL: "Critical",
}
STATES = (Risk.IDLE, Risk.NORMAL, Risk.HIGH_LOAD, Risk.CRITICAL)


@dataclass(frozen=True, slots=True, eq=False)
class LoadScale:
    """From values to load, 0 (nothing) to 1 (full): float64[f] each.

    A feature with a capacity is measured against it; any other against the lowest and the highest that the fleet
    shows, apart from half a hundredth at either end. ``roles`` numbers the features that count together, -1: not at
    all.
    """

    low: Float64
    top: Float64
    roles: Int64

    def __call__(self, values: Float64) -> Float64:
        """The load of each row, float64[n]: of the role that is nearest to its limit."""
        part = np.clip((values - self.low) / (self.top - self.low), 0.0, None)
        load = np.full(len(values), -np.inf)
        for role in range(int(self.roles.max(initial=-1)) + 1):
            mine = np.flatnonzero(self.roles == role)
            total, known = np.zeros(len(values)), np.zeros(len(values))
            for f in mine.tolist():
                there = ~np.isnan(part[:, f])
                total += np.where(there, part[:, f], 0.0)
                known += there
            load = np.maximum(load, np.where(known > 0, total / np.maximum(known, 1), -np.inf))
        return np.where(np.isneginf(load), np.nan, load)


def fit_load(values: Float64, features: Sequence[LoadFeature]) -> LoadScale:
    """How full each feature is; all of them count where no role says what is asked of an entity."""
    low, top = np.nanquantile(values, [LOW, TOP], axis=0)
    for number, feature in enumerate(features):
        if feature.capacity is not None:
            low[number], top[number] = 0.0, feature.capacity
    top = np.where(top > low, top, low + 1.0)
    wanted = [role for role in LOADED if any(f.role == role for f in features)]
    if not wanted:
        return LoadScale(low, top, np.arange(len(features), dtype=np.int64))
    roles = [wanted.index(f.role) if f.role in wanted else -1 for f in features]
    return LoadScale(low, top, np.array(roles, np.int64))


def name_groups(load: Float64, ordinary: Int64) -> Int64:
    """The state of each group, int64[k]: by the load of its middle; what is not ordinary is Critical.

    Examples
    --------
    >>> name_groups(np.array([0.08, 0.8, 0.3, 2.4]), np.array([0, 1, 2])).tolist()
    [0, 2, 1, 3]
    """
    states = np.full(len(load), int(Risk.NORMAL), np.int64)
    states[load < IDLE_BELOW] = Risk.IDLE
    states[load >= HIGH_FROM] = Risk.HIGH_LOAD
    unusual = np.ones(len(load), bool)
    unusual[ordinary] = False
    states[unusual] = Risk.CRITICAL
    return states
