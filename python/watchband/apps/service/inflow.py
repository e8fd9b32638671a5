"""Inflow: the sources of a service, those that are read and those that are pushed to, by their names."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import replace
from functools import partial

import numpy as np

from watchband.apps.config.config import Config, Named
from watchband.apps.service.health import SourceHealth
from watchband.apps.service.inbox import Inbox
from watchband.apps.service.pump import Pump
from watchband.apps.service.relabelling import Relabeller
from watchband.apps.service.ticker import Pushed
from watchband.core.clock import Clock
from watchband.core.duration import SECOND
from watchband.core.errors import ConfigError
from watchband.core.ports import Batch, Readings
from watchband.core.relabel import Relabel
from watchband.core.series import SeriesKey

log = logging.getLogger("watchband.service")
PUMP_END_S = 5.0
FIRST_ANSWER_NS = 10 * SECOND
"""So long a source that was never read may take to say whether it has a past."""
QUIET_NS = 30 * SECOND
"""A source that gives nothing for so long has no more of its past to give."""


class Inflow:
    """What comes in.

    Parameters
    ----------
    inbox : Inbox
        Where it goes.
    clock : Clock
        Stamps what is noted of sources.
    positions : callable
        Where the log stands, by source.

    Attributes
    ----------
    pumps : dict of str to Pump
        Sources that are read.
    pushed : dict of str to Pushed
        Sources that are pushed to.
    """

    def __init__(self, inbox: Inbox, clock: Clock, positions: Callable[[], Mapping[str, str]]) -> None:
        self.inbox, self.clock, self.positions = inbox, clock, positions
        self.pumps: dict[str, Pump] = {}
        self.pushed: dict[str, Pushed] = {}
        self._relabellers: dict[str, Relabeller] = {}
        self._began = clock.now()

    def open(self, config: Config, seen: Mapping[str, str] | None = None) -> list[Pump]:
        """Make what the configuration has and is not there yet; the pumps that are to be started."""
        fresh = []
        seen = self.positions() if seen is None else seen
        for name, named in config.sources.items():
            self._relabel(name, (*named.relabel, *config.relabel))
            if named.pushed:
                pushed = self.pushed.setdefault(name, Pushed(SourceHealth(named.settings.kind)))
                pushed.lateness, pushed.known = lateness_of(named), pushed.known or name in seen
                pushed.history = getattr(named.settings, "history", None)
            elif name not in self.pumps:
                self.pumps[name] = self._pump(name, named)
                fresh.append(self.pumps[name])
        return fresh

    def change(self, old: Config, new: Config) -> None:
        """Go over to another configuration: what did not change reads on."""
        # First what may fail: else those that end would have nobody in their place.
        seen = self.positions()
        for name in list(self.pumps):
            named, before = new.sources.get(name), old.sources.get(name)
            if named is None or before is None or named.settings != before.settings:
                pump = self.pumps.pop(name)
                pump.stop()
                pump.join(PUMP_END_S)
        for name in list(self.pushed):
            if name not in new.sources or new.sources[name].settings.kind != self.pushed[name].health.kind:
                del self.pushed[name]
        for pump in self.open(new, seen):
            pump.start()

    def _relabel(self, name: str, rules: tuple[Relabel, ...]) -> None:
        known = self._relabellers.get(name)
        if known is None or known.rules != rules:
            self._relabellers[name] = Relabeller(rules)
            if name in self.pumps:
                self.pumps[name].relabeller = self._relabellers[name]

    def _pump(self, name: str, named: Named) -> Pump:
        return Pump(
            name,
            partial(named.settings.open, name, clock=self.clock),
            self.inbox,
            lambda: self.positions().get(name),
            self.clock,
            kind=named.settings.kind,
            relabeller=self._relabellers[name],
        )

    def healths(self) -> dict[str, SourceHealth]:
        """How every source does, by name."""
        read = {name: pump.health for name, pump in list(self.pumps.items())}
        return read | {name: pushed.health for name, pushed in list(self.pushed.items())}

    def source_for(self, kind: str) -> str:
        """The pushed source of a kind that an endpoint hands its points to: the first in the configuration.

        Raises
        ------
        ConfigError
            There is none.
        """
        name = self.first_of(kind)
        if name is not None:
            return name
        raise ConfigError(
            f"No source of kind {kind!r} is configured, so nothing is taken here. Add 'sources: {{{kind}: {{}}}}' and "
            "reload."
        )

    def first_of(self, kind: str) -> str | None:
        """The first pushed source of a kind, if there is one."""
        return next((name for name, pushed in list(self.pushed.items()) if pushed.health.kind == kind), None)

    def renamed(self, source: str, key: SeriesKey) -> SeriesKey | None:
        """A series of a source by the name under which it is watched; None where relabelling drops it."""
        return self._relabellers[source].renamed(key)

    def offer(self, source: str, readings: Sequence[Readings], refused: int = 0) -> Future[int]:
        """Hand over pushed readings; the future is done when they are durable.

        Raises
        ------
        InboxFullError, InboxClosedError
            Nothing was taken; come again in ``retry_after`` seconds.
        """
        pushed = self.pushed[source]
        kept = self._relabellers[source].apply(readings)
        came, points = (sum(len(r.times) for r in many) for many in (readings, kept))
        past, news = kept_apart(kept, self.clock.now() - pushed.history) if pushed.history else ([], kept)
        # Should there be room for the past alone, all of it is sent again, and what is kept already is a repeat.
        answers = [self.inbox.offer(source, Batch(past, "", history=True))] if past else []
        answers += [self.inbox.offer(source, Batch(news, ""))] if news or not past else []
        pushed.health.refused += refused
        pushed.health.relabelled_away += came - points
        answer = answers[0] if len(answers) == 1 else both(*answers)
        answer.add_done_callback(partial(self._noted, source, pushed.health, kept, past))
        return answer

    def _noted(
        self,
        source: str,
        health: SourceHealth,
        readings: Sequence[Readings],
        past: Sequence[Readings],
        answer: Future[int],
    ) -> None:
        if answer.cancelled() or answer.exception() is not None:
            return
        if past and not health.history:
            log.info("points came that are too old to tell anybody of: see 'history'", extra={"source": source})
        health.history += sum(len(r.times) for r in past)
        # It is not reading its past: whoever pushes says when that is over.
        health.took(Batch(readings, ""), sum(len(r.times) for r in readings), self.clock.now())

    @property
    def backfilling(self) -> list[str]:
        """Sources that still read the past, those included that were just asked for the first time."""
        now = self.clock.now()
        return [name for name, pump in list(self.pumps.items()) if self._reads_past(pump, now)]

    def _reads_past(self, pump: Pump, now: int) -> bool:
        health = pump.health
        if health.state == "backfilling":
            # A source without watermarks has come to the end of its past when it falls silent.
            return now - health.success < QUIET_NS
        return health.state == "starting" and pump.first and now - self._began < FIRST_ANSWER_NS

    def stop(self) -> None:
        """Ask every source that is read to end."""
        for pump in list(self.pumps.values()):
            pump.stop()

    def join(self) -> bool:
        """Wait for their ends; False where one does not come."""
        ended = [pump.join(PUMP_END_S) for pump in list(self.pumps.values())]
        return all(ended)


def kept_apart(readings: Sequence[Readings], since: int) -> tuple[list[Readings], Sequence[Readings]]:
    """The readings before a time, and those at or after it.

    Examples
    --------
    >>> import numpy as np
    >>> from watchband.core.series import SeriesKey
    >>> one = Readings(SeriesKey("cpu"), np.array([1, 9, 5]), np.array([10.0, 90.0, 50.0]))
    >>> past, news = kept_apart([one], 5)
    >>> past[0].values.tolist(), news[0].values.tolist()
    ([10.0], [90.0, 50.0])
    """
    times = np.concatenate([np.empty(0, np.int64), *(r.times for r in readings)])
    if not len(times) or int(times.min()) >= since:
        return [], readings
    past: list[Readings] = []
    news: list[Readings] = []
    for one in readings:
        old = one.times < since
        for part, chosen in ((past, old), (news, ~old)):
            if chosen.all():
                part.append(one)
            elif chosen.any():
                part.append(replace(one, times=one.times[chosen], values=one.values[chosen]))
    return past, news


def both(first: Future[int], second: Future[int]) -> Future[int]:
    """Done when both are: with what the second says, or the first error."""
    whole: Future[int] = Future()

    def ended(_: Future[int]) -> None:
        if not (first.done() and second.done()):
            return
        if first.cancelled() or second.cancelled():
            whole.cancel()
            return
        with suppress(InvalidStateError):
            error = first.exception() or second.exception()
            if error is not None:
                whole.set_exception(error)
            else:
                whole.set_result(second.result())

    first.add_done_callback(ended)
    second.add_done_callback(ended)
    return whole


def lateness_of(named: Named) -> int:
    """How late readings of a source may come, in ns; most sources that are read give them in order by themselves."""
    waits = named.pushed or getattr(named.settings, "unordered", False)
    return int(getattr(named.settings, "lateness", 0)) if waits else 0


def latenesses(config: Config) -> dict[str, int]:
    """How late readings of each source may come, in ns, where they may."""
    given = {name: lateness_of(named) for name, named in config.sources.items()}
    return {name: lateness for name, lateness in given.items() if lateness > 0}
