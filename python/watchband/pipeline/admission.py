"""Admission: how many series there may be, who goes where there is no room, and who is forgotten.

Decided when readings come in and written into the log as control events, so that a replay does the same without
deciding anything: ``SeriesShed`` (no watch takes it from here on), ``SeriesTaken`` (watches take it again, as a new
one) and ``SeriesExpired`` (it has been silent for long). Nothing is shed silently: the events are in the log, in the
counts, and in what is logged.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from watchband.core.duration import DAY, HOUR
from watchband.core.errors import WatchbandError
from watchband.core.events import ControlEvent, SeriesExpired, SeriesShed, SeriesTaken
from watchband.core.ports import Readings
from watchband.core.series import SeriesKey
from watchband.pipeline.bound import Bound, Lane
from watchband.pipeline.watch import Watch

log = logging.getLogger("watchband.admission")
AT_ONCE = 1000
"""Series that are forgotten, or taken again, in one entry."""


def bytes_of(watch: Watch) -> int:
    """Bytes that a series takes in all stages of a watch, as they declare them; of a join what an entity takes."""
    waits = 0 if watch.join is None else watch.join.state_bytes_max
    return waits + sum(fold.state_bytes_max for fold in watch.stages.values())


def share_of(watch: Watch) -> int:
    """The same for each series that is taken: those of a join have one state together."""
    return bytes_of(watch) // (1 if watch.join is None else len(watch.join.columns))


def watches_of(lane: Lane) -> list[Watch]:
    """A watch and its models in shadow, as far as these can be made."""
    found = [lane.bound.watch]
    for model in lane.state.upstream.lineage.shadows:
        with suppress(WatchbandError):
            found.append(lane.bound.shadow(model).watch)
    return found


@dataclass(slots=True)
class Member:
    """A series: its priority, its bytes in all watches, and when it was last seen."""

    priority: int
    nbytes: int
    last: int


@dataclass
class Room:
    """Counts since the process began, and what there is now.

    Parameters
    ----------
    series, nbytes : int
        Series that are watched, and what their states take as declared.
    shed : int
        Series that are kept out now.
    sheds, takes, expiries : int
        How often a series was shed, taken again, forgotten.
    """

    series: int = 0
    nbytes: int = 0
    shed: int = 0
    sheds: int = 0
    takes: int = 0
    expiries: int = 0


class Admission:
    """Decides which series are watched.

    Parameters
    ----------
    max_series : int
        Series at a time.
    max_memory : int
        Bytes of all states, as the watches declare them.
    idle : int
        ns without a reading after which a series is forgotten.

    Attributes
    ----------
    room : Room
        What there is, and counts.
    """

    def __init__(self, max_series: int = 100_000, max_memory: int = 4_000_000_000, idle: int = 14 * DAY) -> None:
        self.max_series, self.max_memory, self.idle = max_series, max_memory, idle
        self.room = Room()
        self._members: dict[SeriesKey, Member] = {}
        # Of each priority those that are in, in order of entry.
        self._ranks: dict[int, dict[SeriesKey, None]] = {}
        self._shed: dict[SeriesKey, Member] = {}
        self._waiting: Counter[int] = Counter()
        self._none: set[SeriesKey] = set()
        self._lanes: Mapping[str, Lane] | None = None
        self._bounds: Sequence[Bound] = ()
        self._costs: dict[str, int] = {}
        self._newest = -(2**63)
        self._looked = -(2**63)

    def decide(self, readings: Sequence[Readings], lanes: Mapping[str, Lane], now: int) -> list[ControlEvent]:
        """What becomes of series by these readings; ``now`` bounds what a reading may say of the time."""
        if lanes is not self._lanes:
            self._restore(lanes)
        events: list[ControlEvent] = []
        for one in readings:
            if not len(one.times):
                continue
            last = min(int(one.times.max()), now)
            self._newest = max(self._newest, last)
            member = self._members.get(one.key)
            if member is not None:
                member.last = max(member.last, last)
            elif one.key in self._shed:
                self._shed[one.key].last = last
                self._again(one.key, last, events)
            elif one.key not in self._none:
                self._enter(one.key, last, events)
        if self._newest - self._looked >= HOUR:
            events += self._expired()
        self.room.series, self.room.shed = len(self._members), len(self._shed)
        return events

    def again(self) -> None:
        """What series cost has changed: with the next readings it is counted anew."""
        self._lanes = None

    def _restore(self, lanes: Mapping[str, Lane]) -> None:
        """Whom the restored states hold, and whom they keep out."""
        self._lanes, self._bounds = lanes, [lane.bound for lane in lanes.values()]
        self._costs = {name: sum(map(share_of, watches_of(lane))) for name, lane in lanes.items()}
        self._members, self._ranks, self._shed, self._none = {}, {}, {}, set()
        self._waiting.clear()
        self.room.nbytes = 0
        for lane in lanes.values():
            times = lane.state.prepare.last_time.tolist()
            for key, last in zip(lane.state.keys, times, strict=True):
                found = self._members.get(key) or self._add(key, last)
                if found is not None:
                    found.last = max(found.last, last)
                    self._newest = max(self._newest, last)
            for key in lane.state.upstream.shed - self._shed.keys():
                self._put_aside(key, *self._weigh(key), self._newest)

    def _weigh(self, key: SeriesKey) -> tuple[int, int]:
        """Priority and bytes of a series; no bytes where no watch takes it."""
        takers = [bound for bound in self._bounds if bound.takes(key)]
        return max((b.priority for b in takers), default=0), sum(self._costs[b.name] for b in takers)

    def _add(self, key: SeriesKey, last: int) -> Member | None:
        priority, nbytes = self._weigh(key)
        if not nbytes:
            self._none.add(key)
            return None
        self._members[key] = found = Member(priority, nbytes, last)
        self._ranks.setdefault(priority, {})[key] = None
        self.room.nbytes += nbytes
        return found

    def _remove(self, key: SeriesKey) -> Member:
        member = self._members.pop(key)
        del self._ranks[member.priority][key]
        self.room.nbytes -= member.nbytes
        return member

    def _put_aside(self, key: SeriesKey, priority: int, nbytes: int, last: int) -> None:
        self._shed[key] = Member(priority, nbytes, last)
        self._waiting[priority] += 1

    def _let_in(self, key: SeriesKey) -> Member:
        member = self._shed.pop(key)
        self._waiting[member.priority] -= 1
        return member

    def _short(self, nbytes: int, series: int = 1) -> str:
        """What is short for so many bytes and series more; nothing if they fit."""
        if len(self._members) + series > self.max_series:
            return f"more than {self.max_series:,} series"
        short = self.room.nbytes + nbytes > self.max_memory
        return f"more than {self.max_memory:,} bytes of states" if short else ""

    def _enter(self, key: SeriesKey, time: int, events: list[ControlEvent]) -> None:
        """A new series is taken; where there is no room, those of lower priority go, or it is the one to go."""
        priority, nbytes = self._weigh(key)
        if not nbytes:
            self._none.add(key)
            return
        victims: list[SeriesKey] = []
        lower = self._below(priority)
        freed = 0
        while why := self._short(nbytes - freed, 1 - len(victims)):
            victim = next(lower, None)
            if victim is None:
                self._keep_out(key, priority, nbytes, time, why, events)
                return
            victims.append(victim)
            freed += self._members[victim].nbytes
        for victim in victims:
            gone = self._remove(victim)
            self._keep_out(victim, gone.priority, gone.nbytes, time, f"{key} has a higher priority", events)
        self._add(key, time)

    def _below(self, priority: int) -> Iterator[SeriesKey]:
        """Series of lower priority in the order in which they go: the lowest first, of equal ones the newest."""
        for rank in sorted(rank for rank in self._ranks if rank < priority):
            yield from list(reversed(self._ranks[rank]))

    def _keep_out(
        self, key: SeriesKey, priority: int, nbytes: int, time: int, why: str, events: list[ControlEvent]
    ) -> None:
        if not self._shed:
            log.warning("series are shed from here on, the first is %s: %s", key, why)
        self._put_aside(key, priority, nbytes, time)
        self.room.sheds += 1
        events.append(SeriesShed(str(key), time, why, priority))

    def _again(self, key: SeriesKey, time: int, events: list[ControlEvent]) -> None:
        """A series that was shed and still sends is taken when there is room and none of higher priority waits."""
        waits = self._shed[key]
        if len(events) >= AT_ONCE or self._short(waits.nbytes):
            return
        if waits.priority < max(rank for rank, count in self._waiting.items() if count):
            return
        self._let_in(key)
        self._add(key, time)
        self.room.takes += 1
        events.append(SeriesTaken(str(key), time))

    def _expired(self) -> list[ControlEvent]:
        """Series that have been silent for long; those that were shed and are silent are kept out no longer."""
        self._looked = self._newest
        before = self._newest - self.idle
        gone = [key for key, member in self._members.items() if member.last < before][:AT_ONCE]
        silent = [key for key, member in self._shed.items() if member.last < before][:AT_ONCE]
        for key in gone:
            self._remove(key)
        for key in silent:
            self._let_in(key)
        if AT_ONCE in (len(gone), len(silent)):
            self._looked = -(2**63)
        self.room.expiries += len(gone)
        expired: list[ControlEvent] = [SeriesExpired(str(key), self._newest) for key in gone]
        return expired + [SeriesTaken(str(key), self._newest) for key in silent]
