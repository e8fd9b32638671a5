"""Planning: windows that people ask for and deploys they tell of, kept as acts and said to the log in time.

What people want stands in the acts, what is in force in the log. A thread compares the two and says what is missing, so
that a watch that is new, a process that was away and a store that failed for a while all come to the same.
"""

from __future__ import annotations

import logging
import re
import secrets
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from watchband.apps.service.rounds import Rounds, complained
from watchband.core.acts import Act, Deed
from watchband.core.duration import SECOND
from watchband.core.errors import ConfigError, NotThereError, WatchbandError
from watchband.core.events import ControlEvent, WindowClosed, WindowOpened
from watchband.core.plans import Occurrence, Plan, plans_of, said
from watchband.core.ports import Batch

if TYPE_CHECKING:
    from watchband.apps.service.service import Service

log = logging.getLogger("watchband.planning")
EVERY_S = 10.0
AHEAD_NS = 26 * 3600 * SECOND
"""What comes again is said to the log so long before it begins."""
IN_FORCE_S = 5.0
LIVING_MAX = 300
"""Windows that are open or coming; each is at most three entries among the thousand that a watch remembers."""
KEPT_MAX = 5000
"""Windows and deploys that are over and still shown; older ones remain in the audit log."""
SOURCE = "windows"
_OURS = re.compile(r"(w[0-9a-f]{8})@-?\d+")


class Planning:
    """What people planned, and that the log hears of it.

    Parameters
    ----------
    service : Service
        Whose log and clock.
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self._lock, self._saying, self._writing = threading.Lock(), threading.Lock(), threading.Lock()
        self._plans: dict[str, Plan] = {}
        self._stale = True
        self._trouble = ""
        self.rounds = Rounds("planning", self.tick, EVERY_S)

    def load(self) -> None:
        """Read what people planned: at the start, and when another process may have written meanwhile.

        Else what was planned there would be taken as wanted no longer.

        Raises
        ------
        TransientError
            The store cannot be read.
        """
        self._stale = True
        with self._writing:
            found = plans_of(self.service.store.acts())
            with self._lock:
                self._plans, self._stale = found, False

    def start(self) -> None:
        """Compare at once, before anything is judged, then in a thread of its own."""
        self.tick()
        self.rounds.start()

    def plans(self) -> list[Plan]:
        """Every window and deploy that was not deleted, in order of making."""
        with self._lock:
            return list(self._plans.values())

    def of(self, plan: str) -> Plan:
        """The plan of an id.

        Raises
        ------
        NotThereError
            There is none.
        """
        with self._lock:
            found = self._plans.get(plan)
        if found is None:
            raise NotThereError(f"There is no window or deploy {plan[:64]!r}. It may have been deleted.")
        return found

    def make(self, plan: Plan, by: str) -> Plan:
        """Take a new one; it is in the log when this returns, or soon after where the engine is busy.

        Raises
        ------
        ConfigError
            It would be over before it begins, or there are too many.
        TransientError
            It could not be written down: nothing happened.
        """
        now = self.service.clock.now()
        plan = replace(plan, id=f"w{secrets.token_hex(4)}", by=by, made=now)
        if plan.action != "deploy":
            if plan.next(now) is None:
                raise ConfigError("This window would be over already: what was judged stays as it is.")
            living = sum(p.action != "deploy" and p.next(now) is not None for p in self.plans())
            if living >= LIVING_MAX:
                raise ConfigError(
                    f"{LIVING_MAX} windows are open or coming already. End or delete some of them, or give one a "
                    "selector of several series."
                )
        self._write(plan, "made", by)
        return plan

    def change(self, plan: str, given: Mapping[str, object], by: str) -> Plan:
        """Make another of a window that is not over; what it held back so far stays so.

        Raises
        ------
        ConfigError
            It is over, or has begun and would have begun at another time.
        """
        old, now = self.of(plan), self.service.clock.now()
        upcoming = old.next(now)
        if old.action == "deploy" or upcoming is None:
            raise ConfigError(f"{old.name!r} is over, so nothing of it can be changed any more.")
        new = replace(old, **given)  # type: ignore[arg-type]
        timed = ("start", "days", "zone")
        if upcoming.start <= now and any(getattr(new, name) != getattr(old, name) for name in timed):
            raise ConfigError(
                f"{old.name!r} is open, so when it begins cannot be changed. Change how long it lasts, or end it."
            )
        if new.length != old.length:
            new = replace(new, cut=None)
        if new.next(now) is None:
            raise ConfigError(f"{old.name!r} would be over already. End it instead.")
        self._write(new, "changed", by)
        return new

    def end(self, plan: str, by: str) -> Plan:
        """End a window that is open; one that comes again does so the next time.

        Raises
        ------
        ConfigError
            It is not open.
        """
        old, now = self.of(plan), self.service.clock.now()
        current = old.next(now)
        if current is None or current.start > now or old.action == "deploy":
            raise ConfigError(f"{old.name!r} is not open now, so it cannot be ended. Delete one that is to come.")
        # An end at the very start would be none.
        new = replace(old, cut=Occurrence(current.start, max(now, current.start + 1)))
        self._write(new, "ended", by)
        return new

    def delete(self, plan: str, by: str) -> Plan:
        """Take back a window that is to come, or one that comes again; a deploy that was a mistake.

        One that is open is ended by it. What is over stays, since it explains what was not told.

        Raises
        ------
        ConfigError
            It is over.
        """
        old, now = self.of(plan), self.service.clock.now()
        if old.action == "deploy":
            self._write(old, "deleted", by)
            return old
        upcoming = old.next(now)
        if upcoming is None:
            raise ConfigError(f"{old.name!r} is over. It stays in the list, since it explains what was not told then.")
        if upcoming.start <= now:
            old = replace(old, cut=Occurrence(upcoming.start, max(now, upcoming.start + 1)), until=now)
            self._write(old, "ended", by)
        elif old.last(now) is not None:
            # It was open before: that stays to be seen, only nothing comes any more.
            old = replace(old, until=now)
            self._write(old, "ended", by)
        else:
            self._write(old, "deleted", by)
        return old

    def _write(self, plan: Plan, did: str, by: str) -> None:
        service = self.service
        deed: Deed = "deploy" if plan.action == "deploy" else "window"
        act = Act(service.clock.now(), by, deed, plan.id, plan.written(did))
        # First that somebody wants it, then what follows: nothing happens that is not written down.
        with self._writing:
            service.acting.do(act)
            with self._lock:
                known = self._plans.pop(plan.id, None)
                if did != "deleted":
                    self._plans[plan.id] = plan
                self._forget(known is None)
        if plan.action != "deploy":
            self.say(wait=True)
        service.changes.note("windows")

    def _forget(self, grown: bool) -> None:
        if grown and len(self._plans) > KEPT_MAX:
            now = self.service.clock.now()
            over = [p.id for p in self._plans.values() if p.next(now) is None]
            for plan in over[: len(self._plans) - KEPT_MAX]:
                del self._plans[plan]

    def tick(self) -> int:
        """Say what is missing; how many entries that was."""
        try:
            found = self.say()
        except Exception as error:
            # A thread that ended here would let every window that is to come pass by.
            self._trouble = complained(log, "windows could not be told to the log", error, self._trouble)
            return 0
        self._trouble = ""
        if found:
            self.service.changes.note("windows")
        return found

    def say(self, *, wait: bool = False) -> int:
        """Tell the log what it does not know of the windows that are open or come soon; how many events that took."""
        with self._saying:
            if self._stale:
                self.load()
            events = missing(self.plans(), self._known(), self.service.clock.now())
            if not events:
                return 0
            try:
                done = self.service.inbox.offer(SOURCE, Batch([], "", events))
                if wait:
                    done.result(IN_FORCE_S)
            except (WatchbandError, TimeoutError) as error:
                # It is wanted, and written down: the thread says it as soon as it can be said.
                log.warning("a window is not in the log yet: %s", error or type(error).__name__)
                return 0
            return len(events)

    def _known(self) -> list[dict[str, WindowOpened]]:
        """The windows of each watch, by name."""
        service = self.service

        def look() -> list[dict[str, WindowOpened]]:
            lanes = service.engine.shard.lanes if service.engine.shard else {}
            return [{w.name: w for w in lane.state.upstream.windows.events()} for lane in lanes.values()]

        return service.look(look)


def missing(plans: Iterable[Plan], known: Sequence[Mapping[str, WindowOpened]], now: int) -> list[ControlEvent]:
    """What is to be said so that every watch knows the windows that are open or come soon, and no others.

    Parameters
    ----------
    plans : iterable of Plan
        What is wanted.
    known : sequence of mapping of str to WindowOpened
        What each watch knows, by name; windows that are not made of plans are left alone.
    now : int
        ns UTC.
    """
    wanted: dict[str, WindowOpened] = {}
    named: dict[str, Plan] = {}
    for plan in plans:
        named[plan.id] = plan
        if plan.action != "deploy":
            wanted |= {e.name: e for o in plan.occurrences(now, now + AHEAD_NS) if (e := plan.event(o)).end > now}
            if (upcoming := plan.next(now)) is not None and not plan.days:
                event = plan.event(upcoming)
                wanted[event.name] = event
    events: list[ControlEvent] = []
    every = {
        name: window for one in known for name, window in one.items() if window.end > now and _OURS.fullmatch(name)
    }
    for name, window in every.items():
        end = wanted[name].end if name in wanted else _end(named.get(name.partition("@")[0]), window, now)
        if end < window.end:
            # Said as an end, so that series are not called silent for what they were let off until then.
            events.append(WindowClosed(name, end))
    events += [e for name, e in wanted.items() if any(one.get(name) != e for one in known)]
    return events


def _end(plan: Plan | None, window: WindowOpened, now: int) -> int:
    """When a window that nobody wants any more is over: as it was cut, now, or before it begins."""
    if plan is not None:
        for one in plan.occurrences(window.start, window.start + 1):
            if one.start == window.start:
                return one.end
    return max(window.start, now) if window.start <= now else window.start


def changes_of(acts: Iterable[Act], plan: str) -> list[tuple[Act, str]]:
    """What was done to a plan, in order, with a word for it."""
    return [(act, said(act)[0]) for act in acts if act.target == plan]
