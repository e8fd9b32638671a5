"""The engine: one thread that folds what waits, and answers when it is durable."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from watchband.apps.service.inbox import Inbox, InboxClosedError, Item
from watchband.core.errors import FencedError, TransientError, WatchbandError
from watchband.pipeline.results import Results
from watchband.pipeline.runner import Runner
from watchband.pipeline.shard import Shard

log = logging.getLogger("watchband.engine")
IDLE_S = 1.0
FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 30.0
STANDBY_S = 1.0


class StandbyError(TransientError):
    """Another process writes: send it there, or here again when this one does."""

    def __init__(self) -> None:
        said = "This process stands by: another one leads. Send it there, or here again in a few seconds."
        super().__init__(said, retry_after=5.0)


@dataclass
class Counts:
    """What the engine did since it started."""

    entries: int = 0
    points: int = 0
    retries: int = 0
    failures: int = 0
    busy_seconds: float = 0.0


class Engine:
    """Folds the inbox through a runner until it is stopped.

    A batch is answered when its entry is durable: with the entry's number, or with the error that keeps it out. What
    is not answered was not acknowledged, and its sender has it still.

    Parameters
    ----------
    runner : Runner
        The loop's one step.
    inbox : Inbox
        What waits.
    wait : callable, default ``threading.Event.wait``
        Waits so many seconds between retries, less if the engine is to stop.
    on_results : callable, optional
        Called with what each watch said of an entry, after it was answered.
    on_kept : callable, optional
        Called with the same before it is answered, so that who asks after an answer finds it; it must not fail.
    on_restored : callable, optional
        Called when the shard was restored after a failure: alerts may have changed without results.

    Attributes
    ----------
    trouble : str
        Why the last try to keep an entry failed; empty while all is well.
    busy_since : float or None
        Since when (``time.monotonic``) it is at work on one entry; None while it waits for one.
    standby : bool
        Another process writes; nothing is taken until it no longer does.
    shard : Shard or None
        As it was after the last entry; for looking at, not for folding.
    """

    def __init__(
        self,
        runner: Runner,
        inbox: Inbox,
        *,
        wait: Callable[[float], object] | None = None,
        on_results: Callable[[Mapping[str, Results]], object] | None = None,
        on_restored: Callable[[], object] | None = None,
        on_kept: Callable[[Mapping[str, Results]], object] = lambda results: None,
    ) -> None:
        self.on_kept = on_kept
        self.runner, self.inbox, self.on_results, self.on_restored = runner, inbox, on_results, on_restored
        self.counts = Counts()
        self.error: Exception | None = None
        self.trouble = ""
        self.busy_since: float | None = None
        self.standby = False
        self.shard: Shard | None = None
        self._errands: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._wait = wait or self._stop.wait
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def start(self, lead: Callable[[], bool] = lambda: False) -> bool:
        """Restore the shard, then fold in a thread of its own.

        Parameters
        ----------
        lead : callable
            Where restoring took longer than the lead was held: gets it back, or says that this process is to end.

        Returns
        -------
        bool
            False where it is.

        Raises
        ------
        StateError
            A snapshot cannot be used.
        """
        while self.shard is None:
            try:
                self.shard = self.runner.live()
            except FencedError:
                log.warning("another process has taken over while this one restored its states")
                self.runner.drop()
                if not lead():
                    return False
        self._thread.start()
        return True

    @property
    def entries(self) -> int:
        """Entries that the states have seen."""
        return self.shard.sequence if self.shard else 0

    def call(self, errand: Callable[[], Any]) -> Future[Any]:
        """Run something between two entries, in the engine's thread; what it says, or raises, is the future's."""
        done: Future[Any] = Future()
        with self._lock:
            # Who asked and went away, while the engine waits for the store, must not pile up.
            self._errands = deque(one for one in self._errands if not one[1].done())
            self._errands.append((errand, done))
        self.inbox.nudge()
        return done

    def stop(self, timeout: float | None = None) -> bool:
        """Fold what waits, then end; False if that took longer than ``timeout`` seconds; the rest is refused."""
        self.inbox.close()
        self._thread.join(timeout)
        in_time = not self._thread.is_alive()
        self._stop.set()
        self._thread.join(5.0)
        if not self._thread.is_alive():
            self._refuse(self._waiting(), InboxClosedError())
        return in_time

    @property
    def alive(self) -> bool:
        """Whether it still folds."""
        return self._thread.is_alive()

    def _run(self) -> None:
        while not self._stop.is_set():
            items = self.inbox.take(IDLE_S)
            if items:
                self.busy_since = time.monotonic()
                self._fold(items)
                self.busy_since = None
            elif self.inbox.closed:
                break
            while (one := self._next_errand()) is not None:
                self._run_errand(*one)
        while (one := self._next_errand()) is not None:
            one[1].cancel()

    def _next_errand(self) -> tuple[Callable[[], Any], Future[Any]] | None:
        with self._lock:
            return self._errands.popleft() if self._errands else None

    def _run_errand(self, errand: Callable[[], Any], done: Future[Any]) -> None:
        if not done.set_running_or_notify_cancel():
            return
        try:
            found = errand()
            self.shard = self.runner.live()
        except Exception as error:
            done.set_exception(error)
        else:
            done.set_result(found)

    def _fold(self, items: list[Item]) -> None:
        wait = FIRST_WAIT_S
        while True:
            began = time.perf_counter()
            try:
                results = self.runner.take([(item.source, item.batch) for item in items])
                restored = self.runner.live() is not self.shard
                self.shard = self.runner.live()
            except TransientError as error:
                self.counts.retries += 1
                self.trouble = str(error)
                log.warning("the store did not take an entry, trying again in %.1f s: %s", wait, error)
                self._wait(wait)
                wait = min(2 * wait, LONGEST_WAIT_S)
                if self._stop.is_set():
                    return self._refuse(items, error)
            except FencedError as error:
                self.trouble = str(error)
                log.error("another process has taken over: %s", error)
                self._refuse(items, StandbyError())
                return self._stand_by()
            except Exception as error:
                self.error, self.trouble = error, str(error)
                self.counts.failures += 1
                log.error("an entry was refused: %s", error, exc_info=not isinstance(error, WatchbandError))
                return self._refuse(items, error)
            else:
                self.counts.entries += 1
                self.counts.points += sum(item.points for item in items)
                self.counts.busy_seconds += time.perf_counter() - began
                self.trouble = ""
                self.on_kept(results)
                for item in items:
                    # Whoever waited may have gone meanwhile; the entry is kept all the same.
                    with suppress(InvalidStateError):
                        item.done.set_result(self.shard.sequence)
                return self._tell(results, restored)

    def _stand_by(self) -> None:
        """Wait until this process is the one that writes again, refusing what comes meanwhile; then restore."""
        self.standby = True
        self.runner.drop()
        while not self._stop.is_set() and not self.inbox.closed:
            try:
                if self.runner.store.lead(STANDBY_S):
                    # What was handed over before is older than what the other process has read.
                    self._refuse(self._waiting(), StandbyError())
                    self.shard = self.runner.live()
                    self.standby, self.trouble = False, ""
                    self._tell({}, restored=True)
                    log.warning("this process writes again", extra={"entries": self.shard.sequence})
                    return
            except Exception as error:
                # Whatever it is, it is tried again: a thread that ended here would never lead again.
                if str(error) != self.trouble:
                    known = isinstance(error, WatchbandError)
                    log.warning("cannot take over yet, trying again: %s", error, exc_info=not known)
                self.trouble = str(error) or type(error).__name__
                self._wait(STANDBY_S)
            self._refuse(self._waiting(), StandbyError())
        self._refuse(self._waiting(), StandbyError())

    def _waiting(self) -> list[Item]:
        found: list[Item] = []
        while items := self.inbox.take(0):
            found += items
        return found

    def _tell(self, results: Mapping[str, Results], restored: bool) -> None:
        try:
            if self.on_results is not None:
                self.on_results(results)
            if restored and self.on_restored is not None:
                self.on_restored()
        except Exception:
            # Charts and counts are not worth an alert.
            log.exception("what was folded could not be shown")

    def _refuse(self, items: list[Item], error: Exception) -> None:
        for item in items:
            with suppress(InvalidStateError):
                item.done.set_exception(error)
