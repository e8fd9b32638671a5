"""The service: everything that runs while ``watchband serve`` does, assembled from a configuration."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import replace
from typing import Literal, TypeVar, cast

from watchband.adapters.stores.scored.book import ScoreBook
from watchband.adapters.stores.scored.hours import HourBook
from watchband.apps.config.config import Config
from watchband.apps.service.acting import Acting
from watchband.apps.service.besides import Besides
from watchband.apps.service.book import AlertBook, forgetting
from watchband.apps.service.changes import Changes
from watchband.apps.service.engine import Engine, StandbyError
from watchband.apps.service.health import SinkHealth, WatchHealth
from watchband.apps.service.inbox import Inbox, InboxClosedError
from watchband.apps.service.inflow import Inflow, latenesses
from watchband.apps.service.keeper import keeper_of
from watchband.apps.service.keys import Keys
from watchband.apps.service.modelling import hours_of, note_hours, tidy
from watchband.apps.service.planning import Planning
from watchband.apps.service.rate import Rate
from watchband.apps.service.recent import Recent
from watchband.apps.service.reload import Reloader
from watchband.apps.service.retraining import Retraining
from watchband.apps.service.scores import flusher, let_go, note_scores, scores_of
from watchband.apps.service.tasks import Tasks, beside
from watchband.apps.service.ticker import Ticker
from watchband.apps.service.views.shared import Shared
from watchband.core.alert import Alert
from watchband.core.clock import Clock, SystemClock
from watchband.core.duration import SECOND
from watchband.core.errors import TransientError, WatchbandError
from watchband.core.ports import Readings, Store
from watchband.pipeline.admission import Admission
from watchband.pipeline.bound import END, Bound
from watchband.pipeline.deliver import Courier
from watchband.pipeline.results import Results
from watchband.pipeline.runner import Runner

log = logging.getLogger("watchband.service")
T = TypeVar("T")
SHARD = "main"
Phase = Literal["starting", "standby", "restoring", "running", "draining", "stopped", "failed"]
PHASES: Mapping[Phase, str] = {
    "starting": "starting",
    "standby": "standing by: another process leads",
    "restoring": "restoring states",
    "draining": "shutting down",
    "stopped": "shut down",
    "failed": "it could not start; its log says why",
}
STANDBY_S = 1.0
LETTERS_S = 10.0
STUCK_S = 600.0
"""A fold may take minutes over weeks of the past, never so long over news."""
LOOK_S = 2.0


class Service:
    """Sources, one engine, delivery, and what an operator needs to see of them.

    Parameters
    ----------
    config : Config
        What to run.
    clock : Clock, optional
        What time it is, for everything that is not exact by itself.
    read : callable, optional
        Reads the configuration anew, for ``reload``.

    Attributes
    ----------
    phase : str
        Where it stands in its life.
    inflow : Inflow
        Its sources.
    tending : list of callable
        Called every few minutes and at the end, to write down what can wait.
    listeners : list of callable
        Are told what each watch said of an entry, in the engine's thread.
    """

    def __init__(self, config: Config, *, clock: Clock | None = None, read: Callable[[], Config] | None = None) -> None:
        self.config, self.clock = config, clock or SystemClock()
        self.phase: Phase = "starting"
        self.began = self.clock.now()
        self.inbox = Inbox(config.engine.max_waiting)
        self.recent, self.besides = Recent(), Besides()
        self.book = AlertBook()
        self.watches: dict[str, WatchHealth] = {}
        self.sinks: dict[str, SinkHealth] = {}
        self.inflow = Inflow(self.inbox, self.clock, lambda: self.store.positions(SHARD))
        self.reloader = Reloader(self, read)
        self.restart_needed: list[str] = []
        self.changes, self.rate = Changes(), Rate(self.began)
        self.shared = Shared(self.changes)
        self.scores: ScoreBook | None = None
        self.planning, self.retraining = Planning(self), Retraining(self)
        self.keys = Keys(self.clock, lambda: self.config.server.tokens)
        self.tending: list[Callable[[], object]] = [self._tend_keys, forgetting(self.book, config.store, self.clock)]
        self.tasks = Tasks(self.clock, lambda: self.changes.note("tasks"), beside(config.store))
        self.hours = HourBook(None)
        self.listeners: list[Callable[[Mapping[str, Results]], object]] = []
        self._lock = threading.Lock()
        self._letters = 0.0, (0, 0)

    def start(self, ending: Callable[[], bool] = lambda: False) -> None:
        """Open the store, wait for the lead, restore, and begin to read; returns when it runs, or if it is to end.

        Raises
        ------
        WatchbandError
            The store cannot be opened or restored, or a sink is not what it should be.
        """
        config = self.config
        try:
            self.store: Store = config.store.open(clock=self.clock)
            if not self._lead(ending):
                self.store.close()
                self.phase = "stopped"
                return
            self.scores, self.hours = scores_of(config), hours_of(config)
            self.phase = "restoring"
            began = time.perf_counter()
            sinks = [settings.open(name, clock=self.clock) for name, settings in config.sinks.items()]
            self.runner = Runner(
                self.bounds(config),
                self.store,
                shard=SHARD,
                snapshot_points=config.engine.snapshot_points,
                clock=self.clock,
                lateness=latenesses(config),
                expressions=config.expressions,
                admission=Admission(config.engine.max_series, config.engine.max_memory, config.engine.idle),
            )
            self.runner.everyone, self.runner.labelling = list(config.sinks), config.risk.making
            self.runner.on_shadows = self.retraining.took
            self.engine = Engine(
                self.runner, self.inbox, on_results=self._results, on_restored=self._restored, on_kept=self._kept
            )
            self.courier = Courier(
                self.store,
                sinks,
                clock=self.clock,
                recent=self.recent.stretch,
                zone=self._zone,
                tells=lambda watch, sink: sink in self.runner.routes.get(watch, ()),
                external_url=config.server.external_url or "",
                trouble=self._halted,
                report=self._delivered,
                latest=self.recent.latest,
            )
            self.ticker = Ticker(self.inbox, lambda: dict(self.inflow.pushed), self.clock, config.engine.tick)
            self.keeper = keeper_of(config, self.engine, self.store, self.clock, self._tend)
            if not self.engine.start(lambda: self._lead(ending)):
                self._let_go()
                self.phase = "stopped"
                return
            self._restored()
        except BaseException:
            self.phase = "failed"
            raise
        log.info("restored", extra={"entries": self.engine.entries, "seconds": round(time.perf_counter() - began, 3)})
        pumps = self.inflow.open(config)
        self.phase = "running"
        self.planning.start()
        self.retraining.rounds.start()
        for pump in pumps:
            pump.start()
        self.ticker.rounds.start()
        self.keeper.start()
        self.courier.start()

    def _lead(self, ending: Callable[[], bool]) -> bool:
        """Whether this process is the one that writes; False where it is to end before."""
        while not ending():
            try:
                if self.store.lead(0.0 if self.phase == "starting" else STANDBY_S):
                    return True
            except TransientError as error:
                log.warning("the store cannot be reached, trying again: %s", error)
                self.clock.sleep(STANDBY_S)
            if self.phase != "standby":
                self.phase = "standby"
                log.info("standing by: another process leads")
        return False

    @staticmethod
    def bounds(config: Config) -> list[Bound]:
        """The watches, each with the sinks it tells."""
        found = config.bounds()
        return [replace(b, sinks=tuple(config.sinks)) if b.sinks is None else b for b in found]

    def _zone(self, watch: str) -> str:
        settings = self.config.watches.get(watch)
        return settings.timezone if settings else "UTC"

    def _halted(self) -> str:
        """Why nothing is judged; empty while it is."""
        if not self.engine.alive:
            return "the engine has ended"
        if self.engine.standby:
            return PHASES["standby"]
        if self.engine.trouble:
            return f"the last entry could not be kept: {self.engine.trouble}"
        since = self.engine.busy_since
        if since is not None and time.monotonic() - since > STUCK_S:
            return f"the engine is at work on one entry for {time.monotonic() - since:.0f} s"
        states = [pump.health.state for pump in self.inflow.pumps.values()]
        return "no source can be read" if states and all(state in ("failing", "failed") for state in states) else ""

    def _delivered(self, sink: str, outcome: str, seconds: float) -> None:
        health = self.sinks.setdefault(sink, SinkHealth())
        health.said(outcome, seconds, self.clock.now())
        told = {"sink": sink, "seconds": round(seconds, 3)}
        if outcome == "delivered":
            log.info("a notice was delivered", extra=told)
            return
        lane = self.courier.lanes.get(sink)
        why = lane.error if lane else "there is no such sink any more"
        word = "became a dead letter" if outcome == "dead" else "will be tried again"
        log.warning("a notice %s: %s", word, why, extra=told)

    def offer(self, source: str, readings: Sequence[Readings], refused: int = 0) -> Future[int]:
        """Hand over pushed readings; the future is done when they are durable.

        Raises
        ------
        InboxFullError, InboxClosedError
            Nothing was taken; come again in ``retry_after`` seconds.
        """
        if self.phase != "running":
            raise InboxClosedError
        if self.engine.standby:
            raise StandbyError
        return self.inflow.offer(source, readings, refused)

    def _kept(self, results: Mapping[str, Results]) -> None:
        self.book.took([alert for found in results.values() for alert in found.alerts])

    def _results(self, results: Mapping[str, Results]) -> None:
        for name, found in results.items():
            self.recent.add(name, found)
            self.watches.setdefault(name, WatchHealth()).took(found)
        self.rate.add(sum(map(len, results.values())), self.clock.now())
        self.changes.note("series", "sources")
        if any(found.alerts for found in results.values()):
            self.changes.note("alerts")
            self.courier.wake()
        for listener in list(self.listeners):
            listener(results)
        # Last, since it may fail as a disk does.
        for name, found in results.items():
            for part in ((name, found), *self.besides.of(name, found)):
                note_scores(self.scores, *part)
            note_hours(self.hours, self.runner.live().lanes.get(name), name, found)

    def alerts(self) -> Sequence[Alert]:
        """Every alert, from memory where all of them are there."""
        return self.book.every() if self.book.whole else self.store.alerts()

    def _restored(self) -> None:
        self.book.load(self.store.alerts(), self.config.watches)
        self.changes.note("series", "alerts")
        self._know()

    def _know(self) -> None:
        """What people did and who is let in, as the store has it: another process may have led meanwhile."""
        self.acting = Acting(self.store)
        self.keys.load(self.store, self.acting)
        self.planning.load()

    def _tend(self) -> None:
        """What is to be done now and then; one that fails keeps no other from its turn."""
        for one in (flusher(self.scores, self.hours), *self.tending):
            try:
                one()
            except WatchbandError as error:
                log.warning("the store could not be looked after, trying again: %s", error)

    def _tend_keys(self) -> None:
        if self.engine.standby:
            # Another process leads and may take keys back.
            self._know()
        else:
            self.keys.tend(self.config.server.session_idle)

    def look(self, errand: Callable[[], T]) -> T:
        """Look at states between two entries; while the engine waits for the store, they stand still anyway.

        Raises
        ------
        WatchbandError
            What the errand raises.
        """
        done = self.engine.call(errand)
        try:
            return cast(T, done.result(LOOK_S))
        except (TimeoutError, CancelledError):
            done.cancel()
            return errand()

    def health_of(self, watch: str) -> WatchHealth:
        """What a watch said so far, and what its states found in the readings."""
        health = self.watches.setdefault(watch, WatchHealth())
        lane = self.engine.shard.lanes.get(watch) if self.engine.shard else None
        if lane is not None:
            health.found(lane.bound.watch.prepare.counts(lane.state.prepare))
        return health

    def letters(self) -> tuple[int, int]:
        """Notices that wait, and dead letters; asked of the store at most every ten seconds."""
        now = time.monotonic()
        if now >= self._letters[0]:
            with suppress(WatchbandError):
                found = len(self.store.outbox(END)), len(self.store.dead_letters())
                self._letters = now + LETTERS_S, found
        return self._letters[1]

    @property
    def unready(self) -> list[str]:
        """Why it is not ready; empty when it is."""
        if self.phase != "running":
            return [PHASES[self.phase]]
        if self.engine.standby:
            return [PHASES["standby"]]
        reasons = [f"source {name} is backfilling" for name in self.inflow.backfilling]
        if not self.engine.alive:
            reasons.append("the engine has ended")
        if self.engine.trouble:
            reasons.append(f"the last entry could not be kept: {self.engine.trouble}")
        return reasons

    def stop(self, timeout: float | None = None) -> bool:
        """Take nothing more, judge what waits, deliver what is due, write the states; False if time was short."""
        timeout = self.config.engine.drain / SECOND if timeout is None else timeout
        end = time.monotonic() + timeout
        with self._lock:
            if self.phase in ("starting", "stopped", "failed"):
                self.phase = "stopped"
                return True
            self.phase = "draining"
        self.tasks.stop()
        log.info("draining", extra={"waiting": self.inbox.waiting})
        for each in (self.ticker, self.planning, self.retraining):
            each.rounds.stop()
        self.keeper.stop()
        self.inflow.stop()
        drained = self.engine.stop(max(0.0, end - time.monotonic()))
        drained &= self.inflow.join()
        if not self.engine.alive:
            self._save()
        self._last_letters(end)
        self.courier.close(max(1.0, end - time.monotonic()))
        for one in self.tending:
            with suppress(WatchbandError):
                one()
        self._let_go()
        self.phase = "stopped"
        log.info("stopped", extra={"drained": drained})
        return drained

    def _let_go(self) -> None:
        let_go(self.scores)
        tidy(self.hours, HourBook.close)
        self.store.close()

    def _last_letters(self, end: float) -> None:
        """Give the sinks a moment for what is due; what they do not take stays in the outbox."""
        self.courier.wake()
        while time.monotonic() < end:
            try:
                due = self.store.outbox(self.clock.now())
            except WatchbandError:
                return
            if not any(n.sink in self.courier.lanes and not self.courier.lanes[n.sink].failing for n in due):
                return
            time.sleep(0.02)

    def _save(self) -> None:
        try:
            written = self.runner.save()
        except WatchbandError as error:
            # The log has all of it; only the next start takes longer.
            log.warning("the states could not be written: %s", error)
        else:
            log.info("states written", extra={"watches": written})
