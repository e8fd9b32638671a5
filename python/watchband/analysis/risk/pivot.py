"""From readings of single metrics to rows of entities: a fold whose rows do not depend on how the stream was cut.

Time is cut into slots. The first reading of a metric in a slot counts. A slot of an entity is settled when each of its
metrics has come that far, or when the watermark of every source of the entity has: then its row is given, once, in
order of time. A metric that has no reading in the slot keeps its last one for ``hold`` slots of time; after that it is
missing.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from watchband.analysis.risk.rows import Rows
from watchband.core.errors import InvalidParameterError, StateCorruptError
from watchband.core.points import Float64, Int64

NEVER = -(1 << 60)
_SLOT_BITS = 42
_MASK = (1 << _SLOT_BITS) - 1
PENDING_MAX = 2_000_000
STATE_MAX = 1 << 30


@dataclass
class Counts:
    """What was left out: readings behind their slot's row, rows beyond those that may wait."""

    late: int = 0
    dropped: int = 0


class Pivot:
    """Rows of entities from readings.

    Parameters
    ----------
    features : int
        Columns of a row.
    step : int
        Width of a slot in ns.
    hold : int, default 2
        Slots for which the last reading stands in.
    patience : int, default 1
        Slots that watermarks have to be ahead, before a row is given that lacks a metric.

    Examples
    --------
    >>> pivot = Pivot(2, step=60)
    >>> host = pivot.entity("a")
    >>> one, two = np.array([0, 0]), np.array([0, 60])
    >>> len(pivot.push(one, np.array([0, 0]), two, np.array([1.0, 2.0])))
    0
    >>> pivot.push(one, np.array([1, 1]), two, np.array([5.0, 6.0])).values.tolist()
    [[1.0, 5.0], [2.0, 6.0]]
    """

    def __init__(self, features: int, step: int, hold: int = 2, patience: int = 1) -> None:
        if step < 1 or features < 1 or hold < 0:
            raise InvalidParameterError(f"A pivot takes features and a step of at least 1. Got {features} and {step}.")
        self.features, self.step, self.hold, self.patience = features, step, hold, patience
        self.names: list[str] = []
        self.counts = Counts()
        self._number: dict[str, int] = {}
        self._frontier = np.full((0, features), NEVER, np.int64)
        self._last = np.full((0, features), np.nan)
        self._last_slot = np.full((0, features), NEVER, np.int64)
        self._owner = np.full((0, features), -1, np.int64)
        self._settled = np.full(0, NEVER, np.int64)
        self._marks: list[int] = []
        self._sources: dict[str, int] = {}
        self._codes = np.empty(0, np.int64)
        self._waiting = np.empty((0, features))

    @property
    def waiting(self) -> int:
        """Rows that are not complete yet."""
        return len(self._codes)

    def entity(self, name: str) -> int:
        """The number of an entity, new if it has none."""
        number = self._number.get(name)
        if number is None:
            number = self._number[name] = len(self.names)
            self.names.append(name)
            if number >= len(self._settled):
                self._grow(max(8, number))
        return number

    def _grow(self, more: int) -> None:
        f = self.features
        self._frontier = np.concatenate([self._frontier, np.full((more, f), NEVER, np.int64)])
        self._last = np.concatenate([self._last, np.full((more, f), np.nan)])
        self._last_slot = np.concatenate([self._last_slot, np.full((more, f), NEVER, np.int64)])
        self._owner = np.concatenate([self._owner, np.full((more, f), -1, np.int64)])
        self._settled = np.concatenate([self._settled, np.full(more, NEVER, np.int64)])

    def absent(self, entity: int, features: Sequence[int]) -> None:
        """Metrics that an entity does not have: nobody waits for them."""
        self._frontier[entity, list(features)] = _MASK

    def lacks(self, entity: int) -> list[int]:
        """Features of which an entity has sent nothing so far."""
        never = (self._frontier[entity] == NEVER) | (self._frontier[entity] == _MASK)
        return [int(f) for f in np.flatnonzero(never)]

    def own(self, entity: int, feature: int, source: str) -> None:
        """A metric of an entity comes from this source."""
        number = self._sources.setdefault(source, len(self._sources))
        if number == len(self._marks):
            self._marks.append(NEVER)
        self._owner[entity, feature] = number

    def push(self, entity: Int64, feature: Int64, times: Int64, values: Float64) -> Rows:
        """Take readings, each series in order of time; the rows that are settled by them.

        Parameters
        ----------
        entity, feature : int64[n]
            Whose and of what.
        times : int64[n]
            ns UTC, not before 1970.
        values : float64[n]
        """
        slots = times // self.step
        if len(slots) and (int(slots.max()) > _MASK or int(slots.min()) < 0):
            raise InvalidParameterError(f"Slots of {self.step} ns are too narrow for times so far from 1970.")
        late = slots <= self._settled[entity]
        if late.any():
            self.counts.late += int(late.sum())
            keep = ~late
            entity, feature, slots, values = entity[keep], feature[keep], slots[keep], values[keep]
        if not len(slots):
            return Rows.empty(self.features)
        np.maximum.at(self._frontier, (entity, feature), slots)
        self._gather((entity.astype(np.int64) << _SLOT_BITS) | slots, feature, values)
        return self._settle()

    def passed(self, source: str, time: int) -> Rows:
        """The watermark of a source has moved."""
        number = self._sources.get(source)
        if number is None or time <= self._marks[number]:
            return Rows.empty(self.features)
        self._marks[number] = time
        return self._settle() if len(self._codes) else Rows.empty(self.features)

    def flush(self) -> Rows:
        """The stream has ended: everything that waits."""
        return self._give(np.ones(len(self._codes), bool))

    def _gather(self, codes: Int64, feature: Int64, values: Float64) -> None:
        every, inverse = np.unique(np.concatenate([self._codes, codes]), return_inverse=True)
        table = np.full((len(every), self.features), np.nan)
        here = inverse[len(self._codes) :]
        cell, first = np.unique(here * self.features + feature, return_index=True)
        table.ravel()[cell] = values[first]
        before = inverse[: len(self._codes)]
        known = ~np.isnan(self._waiting)
        both = np.where(known, self._waiting, table[before])
        table[before] = both
        self._codes, self._waiting = every, table
        if len(every) > PENDING_MAX:
            over = len(every) - PENDING_MAX
            oldest = np.argsort(every & _MASK, kind="stable")[over:]
            keep = np.sort(oldest)
            self._codes, self._waiting = every[keep], table[keep]
            self.counts.dropped += over

    def _settle(self) -> Rows:
        entity, slots = self._codes >> _SLOT_BITS, self._codes & _MASK
        some, where = np.unique(entity, return_inverse=True)
        bound = np.maximum(self._frontier[some].min(axis=1), self._marked(some))
        return self._give(slots <= bound[where])

    def _marked(self, some: Int64) -> Int64:
        """The last slot of each entity that watermarks say is over."""
        marks = np.array([*self._marks, np.iinfo(np.int64).max], np.int64)
        owners = self._owner[some]
        owned = (owners >= 0).any(axis=1)
        reached = marks[owners].min(axis=1)
        slots = np.where(reached > NEVER, reached // self.step - 1 - self.patience, NEVER)
        return np.where(owned, slots, NEVER)

    def _give(self, ready: np.ndarray) -> Rows:
        if not ready.any():
            return Rows.empty(self.features)
        codes, values = self._codes[ready], self._waiting[ready]
        self._codes, self._waiting = self._codes[~ready], self._waiting[~ready]
        entity, slots = codes >> _SLOT_BITS, codes & _MASK
        values = self._held(entity, slots, values)
        # Codes ascend by entity and slot, so the last of each entity is what it is settled up to.
        last = np.flatnonzero(np.r_[entity[1:] != entity[:-1], True])
        self._settled[entity[last]] = slots[last]
        order = np.lexsort((entity, slots))
        return Rows(entity[order].astype(np.int32), slots[order] * self.step, values[order])

    def _held(self, entity: Int64, slots: Int64, values: Float64) -> Float64:
        """Fill what is missing with the last reading, for ``hold`` slots."""
        first = np.flatnonzero(np.r_[True, entity[1:] != entity[:-1]])
        which = np.repeat(np.arange(len(first)), np.diff(np.r_[first, len(entity)]))
        rows = np.arange(len(entity))
        last = np.r_[first[1:], len(entity)] - 1
        owners = entity[first]
        for f in range(self.features):
            column = values[:, f]
            there = ~np.isnan(column)
            if not there.all():
                at = np.maximum.accumulate(np.where(there, rows, -1))
                inside = at >= first[which]
                since = np.where(inside, slots[at], self._last_slot[owners, f][which])
                held = np.where(inside, column[at], self._last[owners, f][which])
                column = np.where(~there & (slots - since <= self.hold), held, column)
                newest = np.where(at[last] >= first, at[last], -1)
                seen = newest >= 0
                self._last[owners[seen], f] = values[newest[seen], f]
                self._last_slot[owners[seen], f] = slots[newest[seen]]
                values[:, f] = column
            else:
                self._last[owners, f] = column[last]
                self._last_slot[owners, f] = slots[last]
        return values

    def to_bytes(self) -> bytes:
        """The state."""
        n = len(self.names)
        data: dict[str, Any] = {
            "shape": [self.features, self.step, self.hold, self.patience],
            "names": self.names,
            "sources": list(self._sources),
            "marks": self._marks,
            "counts": [self.counts.late, self.counts.dropped],
            "codes": self._codes.tolist(),
            "waiting": self._waiting.tolist(),
        }
        for name in ("_frontier", "_last", "_last_slot", "_owner", "_settled"):
            data[name] = getattr(self, name)[:n].tolist()
        return zlib.compress(json.dumps(data, separators=(",", ":")).encode(), 1)

    def load(self, data: bytes) -> None:
        """Go on from a state.

        Raises
        ------
        StateCorruptError
            It is none, or of other features.
        """
        try:
            found = json.loads(zlib.decompressobj().decompress(data, STATE_MAX))
            if found["shape"] != [self.features, self.step, self.hold, self.patience]:
                raise ValueError("of other features or another step")
            self.names, n = list(found["names"]), len(found["names"])
            self._number = {name: number for number, name in enumerate(self.names)}
            self._sources = {name: number for number, name in enumerate(found["sources"])}
            self._marks = [int(mark) for mark in found["marks"]]
            self.counts = Counts(*found["counts"])
            self._codes = np.array(found["codes"], np.int64)
            self._waiting = np.array(found["waiting"], np.float64).reshape(-1, self.features)
            for name, kind in (("_frontier", "i8"), ("_last", "f8"), ("_last_slot", "i8"), ("_owner", "i8")):
                setattr(self, name, np.array(found[name], kind).reshape(n, self.features))
            self._settled = np.array(found["_settled"], np.int64)
        except (ValueError, KeyError, TypeError, zlib.error) as error:
            raise StateCorruptError(f"This state of risk cannot be read ({error}). Start cold.") from None
