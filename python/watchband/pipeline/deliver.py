"""Delivery: the outbox to the sinks, each change of an alert in its turn, with patience and an end."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import replace

from watchband.core.alert import Alert
from watchband.core.clock import Clock, SystemClock
from watchband.core.errors import AdapterError, PermanentError, TransientError
from watchband.core.ports import Notice, Sink, Store, Stretch

SECOND = 1_000_000_000
FIRST_WAIT = 1.0
LONGEST_WAIT = 300.0
TRIES_MAX = 100
"""Some eight hours of trying; then it is a dead letter."""
ERROR_MAX = 500


class Courier:
    """Writes what is due to the sinks and remembers what became of it.

    At least once: a crash between a sink's answer and the store's note repeats that one delivery, under the same id.

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
    """

    def __init__(
        self,
        store: Store,
        sinks: Iterable[Sink] = (),
        *,
        clock: Clock | None = None,
        recent: Callable[[Alert], Stretch | None] | None = None,
    ) -> None:
        self.store, self.clock, self.recent = store, clock or SystemClock(), recent
        self.sinks: dict[str, Sink] = {sink.name: sink for sink in sinks}

    def deliver(self) -> int:
        """Try everything that is due once; the number of notices that were delivered."""
        done, refusing = 0, set()
        for notice in self.store.outbox(self.clock.now()):
            if notice.sink in refusing:
                continue
            sink = self.sinks.get(notice.sink)
            if sink is None:
                self.store.dead(notice, f"no sink is called {notice.sink!r}")
                continue
            try:
                sink.write(replace(notice, recent=self.recent(notice.alert)) if self.recent else notice)
            except TransientError as error:
                refusing.add(notice.sink)
                self._again(notice, error)
            except PermanentError as error:
                self.store.dead(notice, str(error)[:ERROR_MAX])
            else:
                self.store.delivered([notice])
                done += 1
        return done

    def _again(self, notice: Notice, error: AdapterError) -> None:
        if notice.tries + 1 >= TRIES_MAX:
            self.store.dead(notice, str(error)[:ERROR_MAX])
            return
        wait = max(wait_s(notice), getattr(error, "retry_after", None) or 0.0)
        self.store.postponed(notice, self.clock.now() + int(wait * SECOND), str(error)[:ERROR_MAX])


def wait_s(notice: Notice) -> float:
    """Seconds until the next try: twice as long each time, spread by half so that retries do not come in step.

    A pure function of the notice, so that a replay waits as long.

    Examples
    --------
    >>> from watchband.testing.contracts.store import an_alert
    >>> [0.5 * 2**n <= wait_s(Notice(an_alert(), 1, "x", tries=n)) <= 2**n for n in range(3)]
    [True, True, True]
    """
    longest = min(FIRST_WAIT * 2.0 ** min(notice.tries, 20), LONGEST_WAIT)
    text = f"{notice.id}/{notice.sink}/{notice.tries}".encode()
    share = int.from_bytes(hashlib.blake2b(text, digest_size=4).digest()) / 2**32
    return longest * (0.5 + 0.5 * share)
