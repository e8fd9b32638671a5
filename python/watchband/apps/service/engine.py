"""The engine: one thread that folds what waits, and answers when it is durable."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from watchband.apps.service.inbox import Inbox, Item
from watchband.core.errors import TransientError, WatchbandError
from watchband.pipeline.runner import Runner

log = logging.getLogger("watchband.engine")
IDLE_S = 1.0
FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 30.0


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
    """

    def __init__(self, runner: Runner, inbox: Inbox, *, wait: Callable[[float], object] | None = None) -> None:
        self.runner, self.inbox = runner, inbox
        self.counts = Counts()
        self.error: Exception | None = None
        self._stop = threading.Event()
        self._wait = wait or self._stop.wait
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def start(self) -> None:
        """Restore the shard, then fold in a thread of its own.

        Raises
        ------
        StateError
            A snapshot cannot be used.
        """
        self.runner.live()
        self._thread.start()

    def stop(self, timeout: float | None = None) -> bool:
        """Fold what waits, then end; False if that took longer than ``timeout`` seconds."""
        self.inbox.close()
        self._thread.join(timeout)
        self._stop.set()
        self._thread.join(5.0)
        return not self._thread.is_alive()

    @property
    def alive(self) -> bool:
        """Whether it still folds."""
        return self._thread.is_alive()

    def _run(self) -> None:
        while not self._stop.is_set():
            items = self.inbox.take(IDLE_S)
            if items:
                self._fold(items)
            elif self.inbox.closed:
                return

    def _fold(self, items: list[Item]) -> None:
        wait = FIRST_WAIT_S
        while True:
            began = time.perf_counter()
            try:
                self.runner.take([(item.source, item.batch) for item in items])
                number = self.runner.live().sequence
            except TransientError as error:
                self.counts.retries += 1
                log.warning("the store did not take an entry, trying again in %.1f s: %s", wait, error)
                self._wait(wait)
                wait = min(2 * wait, LONGEST_WAIT_S)
                if self._stop.is_set():
                    return self._refuse(items, error)
            except Exception as error:
                self.error = error
                self.counts.failures += 1
                log.error("an entry was refused: %s", error, exc_info=not isinstance(error, WatchbandError))
                return self._refuse(items, error)
            else:
                self.counts.entries += 1
                self.counts.points += sum(item.points for item in items)
                self.counts.busy_seconds += time.perf_counter() - began
                for item in items:
                    item.done.set_result(number)
                return None

    def _refuse(self, items: list[Item], error: Exception) -> None:
        for item in items:
            item.done.set_exception(error)
