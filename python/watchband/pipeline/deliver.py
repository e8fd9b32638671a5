"""Delivery: the outbox to the sinks, each change of an alert in its turn, with patience and an end.

Every sink has a lane of its own: its order, its pace, its pauses, and in a service its thread. No change of an alert is
ever left out because a newer one waits behind it: that an alert was there and ended is what people are told of.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from watchband.core.alert import Alert
from watchband.core.clock import Clock, SystemClock
from watchband.core.duration import SECOND
from watchband.core.errors import PermanentError, TransientError, WatchbandError
from watchband.core.latest import Latest
from watchband.core.ports import Notice, Sink, Standing, Store, Stretch, Tending
from watchband.core.telling import Batching, Burying
from watchband.pipeline.lanes import Lane, lane_of, let_go

FIRST_WAIT = 1.0
LONGEST_WAIT = 300.0
LONGEST_PAUSE = 60.0
"""Seconds that a sink is left alone for at most, unless it asks for more."""
TRIES_MAX = 100
"""Some eight hours of trying; then it is a dead letter."""
ERROR_MAX = 500
PAGE = 32
"""Notices that are taken from the outbox at a time."""
POLL_S = 1.0
_END = 2**63 - 1

Report = Callable[[str, str, float], None]
"""Told of a delivery: sink; ``delivered``, ``postponed`` or ``dead``; seconds since the point that was decided on."""


class Courier:
    """Writes what is due to the sinks and remembers what became of it.

    At least once: a crash between a sink's answer and the store's note repeats that one delivery, under the same id.

    ``deliver`` does what is due now, in the calling thread. ``start`` gives every sink a thread, so that a slow one
    holds up nobody; ``close`` ends them.

    Parameters
    ----------
    store : Store
        Whose outbox.
    sinks : iterable of Sink
        By their names.
    clock : Clock, optional
        Says what is due.
    recent : callable, optional
        The series around an alert, for a chart; None where it is not at hand.
    zone : callable, optional
        The time zone of a watch, by the watch's name.
    external_url : str, optional
        Where people reach this service: alerts link to ``URL/alerts/ID``.
    tells : callable, optional
        Whether a watch (by name) tells a sink (by name); all do otherwise. For sinks that repeat what is open.
    trouble : callable, optional
        Why nothing is judged; empty while everything is.
    report : callable, optional
        Told of every delivery, by the thread that made it: sink, outcome and seconds from the time of the point that
        was decided on.
    latest : callable, optional
        The last point of every series, for sinks that pass on bands.
    """

    def __init__(
        self,
        store: Store,
        sinks: Iterable[Sink] = (),
        *,
        clock: Clock | None = None,
        recent: Callable[[Alert], Stretch | None] | None = None,
        zone: Callable[[str], str] | None = None,
        external_url: str = "",
        tells: Callable[[str, str], bool] | None = None,
        trouble: Callable[[], str] | None = None,
        report: Report | None = None,
        latest: Callable[[], Iterator[Latest]] | None = None,
    ) -> None:
        self.store, self.clock = store, clock or SystemClock()
        self.recent, self.zone, self.external_url = recent, zone, external_url.rstrip("/")
        self.tells, self.trouble, self.report = tells, trouble, report
        self.latest = latest or (lambda: iter(()))
        self.sinks: dict[str, Sink] = {sink.name: sink for sink in sinks}
        self.lanes = {name: lane_of(sink) for name, sink in self.sinks.items()}
        self._threads: list[threading.Thread] = []
        self._stop = threading.Event()

    def deliver(self) -> int:
        """Try everything that is due once; the number of notices that were delivered."""
        self._strays()
        return sum(self._round(lane, 0) for lane in self.lanes.values())

    def start(self) -> None:
        """Deliver from now on, every sink by a thread of its own."""
        assert not self._threads, "it delivers already"
        self._stop.clear()
        with suppress(TransientError):
            self._strays()
        for lane in self.lanes.values():
            self._begin(lane)

    def _begin(self, lane: Lane) -> None:
        thread = threading.Thread(target=self._work, args=(lane,), name=f"sink-{lane.sink.name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def exchange(self, sinks: Iterable[Sink]) -> None:
        """Deliver to other sinks from now on; one that stays, the same object, goes on with its lane.

        A sink that goes finishes what it is telling, and is let go of.
        """
        before, running = self.lanes, bool(self._threads)
        after = {sink.name: sink for sink in sinks}
        kept = {name: lane for name, lane in before.items() if after.get(name) is lane.sink}
        self.sinks, self.lanes = after, {name: kept.get(name) or lane_of(sink) for name, sink in after.items()}
        for name, lane in before.items():
            if name not in kept:
                lane.ended = True
                lane.awake.set()
                if not running:
                    let_go(lane.sink)
        for name, lane in self.lanes.items() if running else ():
            if name not in kept:
                self._begin(lane)
        if running:
            with suppress(WatchbandError):
                self._strays()

    def wake(self) -> None:
        """There may be news: look now."""
        for lane in self.lanes.values():
            lane.awake.set()

    def close(self, patience_s: float = 10.0) -> None:
        """Let every thread finish what it is telling, for so long at most; then let go of the sinks.

        What is not delivered by then stays in the outbox.
        """
        self._stop.set()
        self.wake()
        until = self.clock.now() + int(patience_s * SECOND)
        for thread in self._threads:
            thread.join(max(0.0, (until - self.clock.now()) / SECOND))
        for sink in self.sinks.values():
            let_go(sink)
        for thread in self._threads:
            thread.join(2.0)
        self._threads = []

    def _work(self, lane: Lane) -> None:
        while not self._stop.is_set() and not lane.ended:
            lane.awake.clear()
            try:
                done = self._round(lane, PAGE)
            except Exception as error:
                # The store cannot be reached, or another process leads: it is asked again. Whatever it is, a thread
                # that ended here would tell nobody anything any more.
                lane.error, done = _said_of(error), 0
            if not done and not lane.ended:
                lane.awake.wait(POLL_S)
        if lane.ended:
            let_go(lane.sink)

    def _strays(self) -> None:
        """Notices for sinks that no longer exist are dead letters, those too that are to be tried again later."""
        while strays := [n for n in self.store.outbox(_END) if n.sink not in self.lanes]:
            # Of each alert the first comes up, then the next.
            for notice in strays:
                said = f"no sink is called {notice.sink!r}"
                with suppress(Exception):
                    self._bury(notice, said)
                self._dead(notice, said)

    def _round(self, lane: Lane, most: int) -> int:
        """What is due of one sink, until it refuses; the number of notices that it took."""
        done = 0
        if lane.pause > self.clock.now():
            return 0
        # First, since it fails where another process leads, and then nobody is to be told anything.
        due = self.store.outbox(self.clock.now(), lane.sink.name, most)
        if lane.unnoted:
            self.store.delivered(lane.unnoted)
            lane.unnoted = []
            return 1
        self._tend(lane)
        # Those that failed before come last: one that a sink cannot take must not hold up those that it can.
        ready = sorted(due, key=lambda n: n.tries)
        at_once = max(1, lane.sink.at_once) if isinstance(lane.sink, Batching) else 1
        while ready and not self._stop.is_set() and not lane.ended:
            part, ready = self._paced(lane, ready[:at_once]), ready[at_once:]
            if not part or not self._tell(lane, part):
                break
            done += len(part)
            if lane.pause > self.clock.now():
                break
        return done

    def _paced(self, lane: Lane, part: Sequence[Notice]) -> list[Notice]:
        """As many of these as may be told now; the lane is paused where that is not all."""
        now, taken = self.clock.now(), []
        for notice in part:
            wait = lane.pace.take(now)
            if wait:
                lane.pause = now + wait
                break
            taken.append(notice)
        return taken

    def _tell(self, lane: Lane, part: Sequence[Notice]) -> bool:
        """Whether the next ones may be tried."""
        lane.busy = self.clock.now()
        try:
            dressed = [self._dressed(notice) for notice in part]
            if isinstance(lane.sink, Batching) and len(part) > 1:
                errors: Sequence[Exception | None] = lane.sink.write_all(dressed)
            else:
                lane.sink.write(dressed[0])
                errors = [None]
            told = list(zip(part, errors, strict=True))
        except Exception as error:
            told = [(notice, error) for notice in part]
        try:
            return self._noted(lane, told)
        finally:
            lane.busy = 0

    def _noted(self, lane: Lane, told: Sequence[tuple[Notice, Exception | None]]) -> bool:
        """Keep what became of notices; whether the next ones may be tried."""
        taken = [notice for notice, error in told if error is None]
        if taken:
            lane.failures, lane.failing, lane.refused = 0, 0, False
            lane.unnoted = taken
            for notice in taken:
                self._said(notice, "delivered")
            self.store.delivered(taken)
            lane.unnoted = []
        waiting = [(n, e) for n, e in told if e is not None and not isinstance(e, PermanentError)]
        for notice, error in told:
            if isinstance(error, PermanentError):
                lane.refused, lane.error = True, str(error)[:ERROR_MAX]
                lane.failing = lane.failing or self.clock.now()
                self._give_up(lane, notice, lane.error)
        if waiting:
            asked = max(getattr(error, "retry_after", None) or 0.0 for _, error in waiting)
            # Whoever is away is asked ever more seldom, whichever notice it is asked with.
            patience = wait_s(replace(waiting[0][0], tries=lane.failures))
            self._pause(lane, waiting[0][1], max(asked, min(patience, LONGEST_PAUSE)))
            for notice, error in waiting:
                self._again(lane, notice, error)
        return not waiting

    def _again(self, lane: Lane, notice: Notice, error: Exception) -> None:
        if notice.tries + 1 >= TRIES_MAX:
            self._give_up(lane, notice, _said_of(error))
        else:
            self._postpone(notice, error, _said_of(error))

    def _postpone(self, notice: Notice, error: Exception, said: str) -> None:
        wait = max(wait_s(notice), getattr(error, "retry_after", None) or 0.0)
        self.store.postponed(notice, self.clock.now() + int(wait * SECOND), said[:ERROR_MAX])
        self._said(notice, "postponed")

    def _give_up(self, lane: Lane, notice: Notice, said: str) -> None:
        """A dead letter, once every queue of dead letters has it; tried again while one of them cannot be reached."""
        try:
            self._bury(notice, said)
        except Exception as error:
            lane.error = f"{said} And it could not be put aside: {_said_of(error)}"[:ERROR_MAX]
            self._postpone(notice, error, lane.error)
        else:
            self._dead(notice, said)

    def _bury(self, notice: Notice, said: str) -> None:
        for other in list(self.lanes.values()):
            if not (isinstance(other.sink, Burying) and other.sink.buries) or other.sink.name == notice.sink:
                continue
            try:
                other.sink.bury(self._dressed(notice), said)
            except PermanentError as error:
                # The store keeps it in any case; that this queue does not is a matter of its own.
                other.refused, other.error = True, str(error)[:ERROR_MAX]
                other.failing = other.failing or self.clock.now()
            else:
                other.refused, other.failing = False, 0

    def _pause(self, lane: Lane, error: Exception, seconds: float) -> None:
        now = self.clock.now()
        lane.error = _said_of(error)
        lane.failures += 1
        lane.failing = lane.failing or now
        lane.pause = now + int(seconds * SECOND)

    def _dead(self, notice: Notice, error: str) -> None:
        self.store.dead(notice, error[:ERROR_MAX])
        self._said(notice, "dead")

    def _tend(self, lane: Lane) -> None:
        sink, now = lane.sink, self.clock.now()
        if not isinstance(sink, Tending) or (lane.tended is not None and now < lane.tended + sink.every_s * SECOND):
            return
        lane.tended = lane.busy = now
        try:
            sink.tend(self.standing(sink.name))
        except Exception as error:
            # No notice was refused: this says nothing of deliveries, and two sinks that watch them must not silence
            # each other.
            lane.error = _said_of(error)
            lane.pause = now + int((getattr(error, "retry_after", None) or 0.0) * SECOND)
        finally:
            lane.busy = 0

    def standing(self, sink: str) -> Standing:
        """How things stand, as a sink that is tended sees it."""
        known = [
            self._dressed(Notice(alert, revision, sink))
            for alert, revision in self.store.told()
            if self.tells is None or self.tells(alert.watch, sink)
        ]
        others = [lane for name, lane in self.lanes.items() if name != sink]
        if any(lane.refused for lane in others):
            dead = {notice.sink for notice in self.store.dead_letters()}
            for lane in others:
                if lane.refused and lane.sink.name not in dead:
                    lane.refused, lane.failing = False, 0
        since = [at for lane in others for at in (lane.failing, lane.busy) if at]
        waiting = (self.clock.now() - min(since)) / SECOND if since else 0.0
        return Standing(known, self.trouble() if self.trouble else "", max(waiting, 0.0), self.latest)

    def _dressed(self, notice: Notice) -> Notice:
        """With what people see of it besides the alert."""
        link = f"{self.external_url}/alerts/{notice.alert.id}" if self.external_url else ""
        zone = self.zone(notice.alert.watch) if self.zone else "UTC"
        return replace(notice, recent=self.recent(notice.alert) if self.recent else None, zone=zone, link=link)

    def _said(self, notice: Notice, outcome: str) -> None:
        if self.report is not None:
            self.report(notice.sink, outcome, (self.clock.now() - news_time(notice.alert)) / SECOND)


def _said_of(error: Exception) -> str:
    # What is no error of ours may hold anything in its text.
    return str(error)[:ERROR_MAX] if isinstance(error, WatchbandError) else f"it failed: {type(error).__name__}"


def news_time(alert: Alert) -> int:
    """Time of the point that a change of an alert was decided on: its end, its strangest point, or its opening."""
    return max(alert.decided, alert.peak_time, alert.closed or 0)


def wait_s(notice: Notice) -> float:
    """Seconds until the next try: twice as long each time, spread by half so that retries do not come in step.

    A pure function of the notice, so that a replay waits as long.

    Examples
    --------
    >>> from watchband.testing.contracts.outbox import an_alert
    >>> [0.5 * 2**n <= wait_s(Notice(an_alert(), 1, "x", tries=n)) <= 2**n for n in range(3)]
    [True, True, True]
    """
    longest = min(FIRST_WAIT * 2.0 ** min(notice.tries, 20), LONGEST_WAIT)
    text = f"{notice.id}/{notice.sink}/{notice.tries}".encode()
    share = int.from_bytes(hashlib.blake2b(text, digest_size=4).digest()) / 2**32
    return longest * (0.5 + 0.5 * share)
