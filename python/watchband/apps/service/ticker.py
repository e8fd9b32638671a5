"""The ticker: tells the engine how far time has moved for sources that are pushed to."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from watchband.apps.service.health import SourceHealth
from watchband.apps.service.inbox import Inbox
from watchband.apps.service.rounds import Rounds
from watchband.core.clock import Clock
from watchband.core.duration import SECOND
from watchband.core.errors import TransientError
from watchband.core.events import ControlEvent, SourceResumed, WatermarkMoved
from watchband.core.ports import Batch

log = logging.getLogger("watchband.ticker")
IDLE_NS = 15 * SECOND
"""Without news a source is ticked only so often: every tick is an entry of the log."""
BEHIND_NS = 120 * SECOND
"""A sender whose newest point is older than this is catching up; it is waited for ``PATIENCE_NS``."""
PATIENCE_NS = 300 * SECOND


@dataclass
class Pushed:
    """A source that is pushed to.

    ``lateness`` (ns) is what it may come late; ``history`` the age (ns) from which a point is told to nobody, None:
    no age is; ``known`` whether it ever sent something, also before a restart.
    """

    health: SourceHealth
    lateness: int = 0
    history: int | None = None
    known: bool = False
    told: int = 0
    resumed: bool = False


class Ticker:
    """Says ``WatermarkMoved`` for pushed sources: now less the allowed lateness.

    A sender that catches up after a break (its newest point is old, and it still sends) is followed by its points
    instead, so that what it brings is not late.

    Parameters
    ----------
    inbox : Inbox
        Where ticks go.
    sources : callable
        The pushed sources by name.
    clock : Clock
        What time it is.
    every : int
        ns between two looks.
    """

    def __init__(self, inbox: Inbox, sources: Callable[[], dict[str, Pushed]], clock: Clock, every: int) -> None:
        self.inbox, self.sources, self.clock = inbox, sources, clock
        self.began = clock.now()
        self.rounds = Rounds("ticker", self._tick, every / SECOND)

    def _tick(self) -> None:
        try:
            self.tick()
        except Exception:
            # A thread that ended here would leave what waits for its watermark waiting for ever.
            log.exception("time could not be told, trying again")

    def tick(self) -> int:
        """Look once; the number of sources that were told."""
        now, told = self.clock.now(), 0
        for name, pushed in self.sources().items():
            events = self._due(name, pushed, now)
            if not events:
                continue
            try:
                # The position says that the source has been seen, so that a restart goes on ticking it.
                self.inbox.offer(name, Batch([], f"tick {now}", events))
            except TransientError:
                return told
            pushed.told, pushed.resumed = now, True
            pushed.health.watermark = max(pushed.health.watermark, events[-1].time)  # type: ignore[union-attr]
            told += 1
        return told

    def _due(self, name: str, pushed: Pushed, now: int) -> list[ControlEvent]:
        if not pushed.known and not pushed.health.batches:
            return []
        # Readings that wait for the watermark are the reason to hurry; without any, now and then is enough.
        news = pushed.lateness > 0 and pushed.health.newest > pushed.health.watermark
        if now - pushed.told < IDLE_NS and not news:
            return []
        mark = self._mark(pushed, now)
        if mark <= pushed.health.watermark:
            return []
        resumed: list[ControlEvent] = [] if pushed.resumed else [SourceResumed(self.began, name)]
        return [*resumed, WatermarkMoved(mark)]

    def _mark(self, pushed: Pushed, now: int) -> int:
        health = pushed.health
        last = max(health.success, self.began)
        catching_up = not health.batches or health.newest < now - pushed.lateness - BEHIND_NS
        if catching_up and now - last < PATIENCE_NS:
            return health.newest - pushed.lateness if health.newest else 0
        return now - pushed.lateness
