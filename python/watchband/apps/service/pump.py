"""A pump: the thread that reads one source and hands what it gives to the engine, batch by durable batch."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from dataclasses import replace

from watchband.apps.service.health import SourceHealth
from watchband.apps.service.inbox import Inbox, InboxClosedError, InboxFullError
from watchband.apps.service.relabelling import Relabeller
from watchband.core.clock import Clock
from watchband.core.duration import SECOND
from watchband.core.errors import PermanentError, WatchbandError
from watchband.core.ports import Batch, Source

log = logging.getLogger("watchband.source")
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 300.0
REFUSED_WAIT_S = 600.0
"""A token that is exchanged or an address that comes back needs nobody to reload."""
LOOK_S = 0.5
"""How long a pump waits for room or an answer before it looks whether it is to stop."""


class Pump:
    """Reads a source until it ends or is stopped; one that is refused is asked again, but seldom.

    A batch is handed over only when the one before it is durable: so the position that a source is read from again
    after a failure is always that of the log, and nothing is skipped.

    Parameters
    ----------
    name : str
        The source's name.
    open : callable
        Makes the source anew; called before every read.
    inbox : Inbox
        Where batches go.
    position : callable
        Where the log stands for this source; None before its first batch.
    clock : Clock
        Stamps health.
    relabeller : Relabeller
        What the series are to be called; may be replaced while it runs.
    wait : callable, optional
        Waits so many seconds, less if the pump is to stop.

    Attributes
    ----------
    health : SourceHealth
        How the source does.
    first : bool
        It was never read before.
    """

    def __init__(
        self,
        name: str,
        open: Callable[[], Source],  # noqa: A002
        inbox: Inbox,
        position: Callable[[], str | None],
        clock: Clock,
        *,
        kind: str = "",
        relabeller: Relabeller | None = None,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        self.name, self.open, self.inbox, self.position, self.clock = name, open, inbox, position, clock
        self.relabeller = relabeller or Relabeller()
        self.health = SourceHealth(kind)
        self.first = False
        self._stop = threading.Event()
        self._wait = wait or self._stop.wait
        self._source: Source | None = None
        self._thread = threading.Thread(target=self.run, name=f"source {name}", daemon=True)

    def start(self) -> None:
        """Read in a thread of its own."""
        with suppress(WatchbandError):
            # The store may be away for a moment; the thread asks it again.
            self.first = self.position() is None
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end; returns at once."""
        self._stop.set()
        source = self._source
        if source is not None:
            try:
                source.close()
            except Exception as error:
                log.warning("closing the source failed: %s", error, extra={"source": self.name})

    def join(self, timeout: float) -> bool:
        """Wait for its end; False if it has not come."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def run(self) -> None:
        """Read, hand over, and come again after failures."""
        failures = 0
        while not self._stop.is_set():
            before = self.health.batches
            try:
                self._read()
                if not self._stop.is_set():
                    self.health.state = "ended"
                    log.info("the source has ended", extra={"source": self.name})
                return
            except InboxClosedError:
                return
            except Exception as error:
                if self._stop.is_set():
                    return
                failures = 0 if self.health.batches > before else failures
                self._again(error, failures)
                failures += 1

    def _again(self, error: Exception, failures: int) -> None:
        expected = isinstance(error, WatchbandError)
        refused = isinstance(error, PermanentError)
        least = REFUSED_WAIT_S if refused else float(getattr(error, "retry_after", None) or 0.0)
        seconds = max(pause_s(self.name, failures), least)
        now = self.clock.now()
        self.health.retry_at = now + int(seconds * SECOND)
        self.health.stumbled(error, now, refused=refused)
        log.warning(
            "the source failed, trying again in %.1f s: %s",
            seconds,
            error,
            extra={"source": self.name},
            exc_info=not expected,
        )
        self._wait(seconds)

    def _read(self) -> None:
        source = self._source = self.open()
        refused = 0
        try:
            for batch in source.read(self.position()):
                if self._stop.is_set():
                    return
                # What a source set aside stands beside its batches: it has no times to be kept by.
                self.health.refused += getattr(source, "refused", 0) - refused
                refused = getattr(source, "refused", 0)
                self._hand_over(batch, source)
                if self._stop.is_set():
                    return
        finally:
            self._source = None
            source.close()

    def _hand_over(self, batch: Batch, source: Source) -> None:
        relabeller = self.relabeller
        readings = relabeller.apply(batch.readings)
        came, kept = (sum(len(r.times) for r in many) for many in (batch.readings, readings))
        self.health.relabelled_away += came - kept
        answer = self._put(replace(batch, readings=readings))
        while True:
            try:
                answer.result(LOOK_S)
                break
            except FutureTimeout:
                # The engine answers everything it took, also when it is stopped; with whatever error there was.
                if answer.done() and answer.exception() is not None:
                    raise
            except CancelledError:
                raise InboxClosedError from None
        # Parts of a source may fail while others go on.
        problems: Mapping[str, str] = getattr(source, "problems", {})
        self.health.behind_s = getattr(source, "behind_s", None)
        self.health.took(batch, kept, self.clock.now(), "; ".join(f"{part}: {why}" for part, why in problems.items()))

    def _put(self, batch: Batch):  # type: ignore[no-untyped-def]
        while True:
            try:
                return self.inbox.put(self.name, batch, LOOK_S)
            except InboxFullError:
                if self._stop.is_set():
                    raise InboxClosedError from None


def pause_s(name: str, failures: int) -> float:
    """Seconds until a source is tried again: twice as long each time, up to five minutes, spread by half.

    A pure function, so that sources of one name do not come in step and tests know it.

    Examples
    --------
    >>> [0.5 * 2**n <= pause_s("prom", n) <= 2**n for n in range(4)], pause_s("prom", 50) <= 300
    ([True, True, True, True], True)
    """
    longest = min(FIRST_WAIT_S * 2.0 ** min(failures, 20), LONGEST_WAIT_S)
    share = int.from_bytes(hashlib.blake2b(f"{name}/{failures}".encode(), digest_size=4).digest()) / 2**32
    return longest * (0.5 + 0.5 * share)
