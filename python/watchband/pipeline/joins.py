"""The parts that a derived series is computed by: readings go in at the leaves, results come out at the root.

Every part is a fold: what it holds depends on the readings of each series in their order, not on how they were cut
into batches nor on how series were mixed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from watchband.core.arithmetic import compute
from watchband.core.duration import HOUR, SECOND
from watchband.core.expression import Matching, Pairs
from watchband.core.series import SeriesKey

SLOTS_MAX = 20_000
"""Readings that wait for their counterparts, per series: two weeks of minutes."""
WAITING_MAX = 1_000_000
"""The same, of all series of a join."""
HORIZON = HOUR
"""A reading waits until the watermark of its source is so far ahead."""
FORGET = 24 * HOUR
"""Series that gave nothing for so long, by the watermark of their source, are forgotten."""
SWEEP = 10 * 60 * SECOND
NEVER = -(2**63)

Emit = Callable[[Pairs, int, float, str], None]
"""Takes labels, time, value and the source that gave what was missing."""


@dataclass
class Tally:
    """What was left out: readings behind others of their series, of series that are not told apart, too many."""

    late: int = 0
    ambiguous: int = 0
    dropped: int = 0


@dataclass(slots=True)
class _Series:
    """A series at a leaf: its last reading, what a rate is from, the slot that is open."""

    source: str = ""
    last: int = NEVER
    since: int = NEVER
    count: float = 0.0
    slot: int = NEVER
    value: float = float("nan")

    def dump(self) -> list[Any]:
        return [self.source, self.last, self.since, self.count, self.slot, self.value]


class Leaf:
    """Readings of a selector: in order, as rates where asked for, gathered in slots where there are any.

    Parameters
    ----------
    rate : bool
        Counters become rates per second; a counter that falls began again at 0.
    every : int or None
        Width of slots in ns; the last reading of a slot stands for it, at the slot's beginning.
    """

    def __init__(self, rate: bool, every: int | None, emit: Emit, tally: Tally) -> None:
        self.rate, self.every, self.emit, self.tally = rate, every, emit, tally
        self._series: dict[SeriesKey, _Series] = {}
        self._marks: dict[str, int] = {}

    def push(self, key: SeriesKey, pairs: Pairs, time: int, value: float, source: str) -> None:
        """One reading."""
        kept = self._series.get(key)
        if kept is None:
            kept = self._series[key] = _Series()
        if time <= kept.last:
            self.tally.late += 1
            return
        kept.source, kept.last = source, time
        if self.rate:
            since, count = kept.since, kept.count
            if value == value:
                kept.since, kept.count = time, value
            if since == NEVER:
                return
            gain = value - count if not value < count else value
            value = compute("/", gain, (time - since) / SECOND)
        if self.every is None:
            self.emit(pairs, time, value, source)
            return
        slot = time - time % self.every
        if slot > kept.slot:
            self._close(kept, pairs, source)
            kept.slot, kept.value = slot, value
        elif value == value:
            kept.value = value

    def passed(self, source: str, time: int) -> None:
        """The watermark of a source has moved: its slots that have ended are complete, old series are forgotten."""
        step = min(self.every or SWEEP, SWEEP)
        if time // step <= self._marks.get(source, NEVER):
            return
        self._marks[source] = time // step
        for key, kept in list(self._series.items()):
            if kept.source != source:
                continue
            if self.every is not None and kept.slot != NEVER and kept.slot + self.every <= time:
                end = kept.slot + self.every
                self._close(kept, key.entity.pairs, source)
                kept.slot, kept.last = NEVER, max(kept.last, end - 1)
            if kept.last < time - FORGET:
                del self._series[key]

    def _close(self, kept: _Series, pairs: Pairs, source: str) -> None:
        if kept.slot != NEVER:
            self.emit(pairs, kept.slot, kept.value, source)

    def dump(self) -> Any:
        """The state as plain data."""
        return [[[str(key), kept.dump()] for key, kept in self._series.items()], self._marks]

    def load(self, data: Any) -> None:
        """The inverse of ``dump``."""
        series, self._marks = data
        self._series = {SeriesKey.parse(text): _Series(*kept) for text, kept in series}

    @property
    def waiting(self) -> int:
        """Readings that wait: those of open slots."""
        return sum(kept.slot != NEVER for kept in self._series.values())


class Map:
    """One operation on every value."""

    def __init__(self, operate: Callable[[float], float], emit: Emit) -> None:
        self.operate, self.emit = operate, emit

    def push(self, pairs: Pairs, time: int, value: float, source: str) -> None:
        """One value."""
        self.emit(pairs, time, self.operate(value), source)


@dataclass(slots=True)
class _Pair:
    """Two series that are computed with each other: which they are, and what waits of each, by time."""

    names: list[Pairs | None] = field(default_factory=lambda: [None, None])
    last: list[int] = field(default_factory=lambda: [NEVER, NEVER])
    sources: list[str] = field(default_factory=lambda: ["", ""])
    waiting: tuple[dict[int, float], dict[int, float]] = field(default_factory=lambda: ({}, {}))


class Join:
    """Two sides by their labels and times: a result where both have a value.

    Each side comes in time order, so what waits behind a result is waited for in vain and is let go. Of two series
    of one side with the same labels the first counts, until it has been silent for an hour.
    """

    def __init__(self, operator: str, matching: Matching, emit: Emit, tally: Tally) -> None:
        self.operator, self.matching, self.emit, self.tally = operator, matching, emit, tally
        self._pairs: dict[Pairs, _Pair] = {}
        self._marks: dict[str, int] = {}
        self.waiting = 0

    def left(self, pairs: Pairs, time: int, value: float, source: str) -> None:
        """A value of the left side."""
        self._push(0, pairs, time, value, source)

    def right(self, pairs: Pairs, time: int, value: float, source: str) -> None:
        """A value of the right side."""
        self._push(1, pairs, time, value, source)

    def _push(self, side: int, pairs: Pairs, time: int, value: float, source: str) -> None:
        key = self.matching.key(pairs)
        kept = self._pairs.get(key)
        if kept is None:
            kept = self._pairs[key] = _Pair()
        if kept.names[side] != pairs:
            if kept.names[side] is not None and time < kept.last[side] + HORIZON:
                self.tally.ambiguous += 1
                return
            kept.names[side] = pairs
        if time <= kept.last[side]:
            self.tally.late += 1
            return
        kept.last[side], kept.sources[side] = time, source
        other = kept.waiting[1 - side]
        if time in other:
            found = other.pop(time)
            self.waiting -= 1
            for waiting in kept.waiting:
                self._drop(waiting, time)
            left, right = (value, found) if side == 0 else (found, value)
            self.emit(key, time, compute(self.operator, left, right), source)
            return
        mine = kept.waiting[side]
        if len(mine) >= SLOTS_MAX:
            del mine[next(iter(mine))]
            self.waiting -= 1
            self.tally.dropped += 1
        if self.waiting >= WAITING_MAX:
            self.tally.dropped += 1
            return
        mine[time] = value
        self.waiting += 1

    def passed(self, source: str, time: int) -> None:
        """The watermark of a source has moved: what waited too long is let go, old pairs are forgotten."""
        if time // SWEEP <= self._marks.get(source, NEVER):
            return
        self._marks[source] = time // SWEEP
        for key, kept in list(self._pairs.items()):
            for side, waiting in enumerate(kept.waiting):
                if kept.sources[side] == source:
                    self._drop(waiting, time - HORIZON)
            if source in kept.sources and max(kept.last) < time - FORGET:
                for waiting in kept.waiting:
                    self._drop(waiting, time)
                del self._pairs[key]

    def _drop(self, waiting: dict[int, float], before: int) -> None:
        while waiting and (oldest := next(iter(waiting))) < before:
            del waiting[oldest]
            self.waiting -= 1
            self.tally.dropped += 1

    def dump(self) -> Any:
        """The state as plain data."""
        kept = [
            [key, p.names, p.last, p.sources, [list(waiting.items()) for waiting in p.waiting]]
            for key, p in self._pairs.items()
        ]
        return [kept, self._marks]

    def load(self, data: Any) -> None:
        """The inverse of ``dump``."""
        pairs, self._marks = data
        self._pairs = {}
        for key, names, last, sources, waiting in pairs:
            left, right = (dict(map(tuple, side)) for side in waiting)
            named = [None if name is None else _pairs(name) for name in names]
            self._pairs[_pairs(key)] = _Pair(named, list(last), list(sources), (left, right))
        self.waiting = sum(len(side) for p in self._pairs.values() for side in p.waiting)


def _pairs(data: Any) -> Pairs:
    return tuple((str(name), str(value)) for name, value in data)
