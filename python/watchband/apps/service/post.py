"""The post: a thread that delivers the outbox, and sinks that are measured on the way."""

from __future__ import annotations

import logging
import threading

from watchband.apps.service.health import SECOND, SinkHealth
from watchband.core.clock import Clock
from watchband.core.errors import PermanentError, TransientError
from watchband.core.ports import Notice, Sink
from watchband.pipeline.deliver import Courier

log = logging.getLogger("watchband.sink")
IDLE_S = 1.0


class Measured:
    """A sink that notes what became of each delivery.

    Parameters
    ----------
    sink : Sink
        Who is told.
    health : SinkHealth
        Where it is noted.
    clock : Clock
        Now, for the time from a point to its delivery.
    """

    def __init__(self, sink: Sink, health: SinkHealth, clock: Clock) -> None:
        self.sink, self.health, self.clock, self.name = sink, health, clock, sink.name

    def write(self, notice: Notice) -> None:
        """Deliver, and note it.

        Raises
        ------
        TransientError, PermanentError
            What the sink raised; an error it should not have raised counts as transient.
        """
        told = {"sink": self.name, "alert": notice.alert.id, "revision": notice.revision}
        try:
            self.sink.write(notice)
        except PermanentError as error:
            self.health.dead += 1
            self.health.error = str(error)[:500]
            log.error("a notice became a dead letter: %s", error, extra=told)
            raise
        except Exception as error:
            self.health.postponed += 1
            self.health.error = str(error)[:500]
            log.warning("a notice was not delivered and will be tried again: %s", error, extra=told)
            if isinstance(error, TransientError):
                raise
            log.debug("the sink raised what it should not", exc_info=True)
            raise TransientError(f"{type(error).__name__}: {error}") from error
        now = self.clock.now()
        self.health.delivered += 1
        self.health.success, self.health.error = now, ""
        latency = now - (notice.alert.decided if notice.alert.closed is None else notice.alert.closed)
        # The first change is the opening: from the point that decided it to somebody's screen.
        if notice.revision == 1 and notice.tries == 0 and latency >= 0:
            self.health.latency.add(latency / SECOND)
        log.info("a notice was delivered", extra={**told, "seconds": round(latency / SECOND, 3)})


class Post:
    """Delivers in a thread of its own, at once when something new may wait and every second.

    Parameters
    ----------
    courier : Courier
        Whose sinks may be exchanged while it runs.
    """

    def __init__(self, courier: Courier) -> None:
        self.courier = courier
        self.error = ""
        self._stop, self._news = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Something may wait."""
        self._news.set()

    def stop(self, timeout: float) -> bool:
        """One more round, then end; False if that takes longer than ``timeout`` seconds."""
        self._stop.set()
        self._news.set()
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            self._news.wait(IDLE_S)
            self._news.clear()
            last = self._stop.is_set()
            self.deliver()
            if last:
                return

    def deliver(self) -> int:
        """One round; the number of notices delivered."""
        try:
            done = self.courier.deliver()
        except Exception as error:
            self.error = str(error)[:500]
            log.warning("the outbox could not be read: %s", error)
            return 0
        self.error = ""
        return done
