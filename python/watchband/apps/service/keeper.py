"""The keeper: writes states in time, and carries out how long things are kept."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial

from watchband.apps.config.config import Config
from watchband.apps.config.engine import EngineSettings
from watchband.apps.service.archiving import Archivist, archivist_of
from watchband.apps.service.engine import Engine
from watchband.apps.service.rounds import Rounds, complained
from watchband.core.clock import Clock
from watchband.core.duration import MINUTE, SECOND
from watchband.core.ports import Store, StoreSettings
from watchband.pipeline.retention import Retention

log = logging.getLogger("watchband.keeper")
EVERY_S = 10.0
PAUSE_S = 0.2
"""Between two steps of retention: what is pushed meanwhile is not to wait."""
STEPS_MAX = 10_000
FLUSH_EVERY = 5 * MINUTE
PATIENCE_S = 30.0
"""At the end a step that is under way is waited for: cut short it would only be done again."""


def retention_of(
    settings: StoreSettings,
    store: Store,
    clock: Clock,
    watches: Callable[[], Collection[str]],
    held: Callable[[str], int] | None = None,
) -> Retention | None:
    """What a store's settings say of how long things are kept; None where they say nothing.

    ``held`` says up to which entry of a log an archive elsewhere holds it: what it does not hold stays.
    """
    kept = getattr(settings, "retention", None)
    if kept is None:
        return None
    archive = getattr(settings, "archive", None)
    wanted = archive is not None and kept.archive != 0
    return Retention(
        store,
        archive=archive() if archive is not None and wanted else None,
        raw=kept.raw,
        hourly=kept.hourly,
        archived=kept.archive or None,
        alerts=kept.alerts,
        clock=clock,
        watches=watches,
        held=held,
    )


def keeper_of(config: Config, engine: Engine, store: Store, clock: Clock, flush: Callable[[], object]) -> Keeper:
    """The keeper of a service, with the archivist if there is an archive."""
    archivist = archivist_of(config, store, clock, lambda: not engine.standby)
    held = archivist.held if archivist is not None and config.archive.hold else None
    retention = retention_of(config.store, store, clock, lambda: {b.name for b in engine.runner.bounds}, held)
    return Keeper(engine, retention, clock, config.engine, flush, archivist)


class Keeper:
    """Looks after the store in a thread of its own.

    Parameters
    ----------
    engine : Engine
        Whose states are written, between two entries.
    retention : Retention, optional
        What is to leave.
    clock : Clock
        What time it is.
    settings : EngineSettings
        When states are written.
    flush : callable, optional
        Writes what is gathered for charts, every five minutes.
    archivist : Archivist, optional
        Who brings things to the archive, in a thread of its own; it starts and ends with the keeper.

    Attributes
    ----------
    trouble : str
        Why the last piece of work failed; empty while all is well.
    """

    def __init__(
        self,
        engine: Engine,
        retention: Retention | None,
        clock: Clock,
        settings: EngineSettings,
        flush: Callable[[], object] = lambda: None,
        archivist: Archivist | None = None,
    ) -> None:
        self.engine, self.retention, self.clock, self.settings = engine, retention, clock, settings
        self.flush, self.archivist = flush, archivist
        self.trouble = ""
        self._saved = self._flushed = clock.now()
        self.rounds = Rounds("keeper", self.tick, EVERY_S)

    def start(self) -> None:
        """Begin, in threads of their own."""
        self.rounds.start()
        if self.archivist is not None:
            self.archivist.rounds.start()

    def stop(self) -> None:
        """End, after the step that is under way: cut short it would only be done again."""
        if self.archivist is not None:
            self.archivist.stop()
        self.rounds.stop(PATIENCE_S)

    def tick(self) -> int:
        """Do what is due; how many pieces of work that was."""
        done = 0
        try:
            if self.clock.now() - self._flushed >= FLUSH_EVERY:
                self._flushed = self.clock.now()
                self.flush()
            if self.clock.now() - self._saved >= self.settings.snapshot_every:
                self._saved = self.clock.now()
                done += self._save()
            else:
                done += self._save(self.settings.snapshot_work / SECOND)
            while self.retention is not None and not self.rounds.ended.is_set() and self.retention.step():
                done += 1
                if done >= STEPS_MAX:
                    break
                self.rounds.ended.wait(PAUSE_S)
        except Exception as error:
            # Whatever it is, it is tried again: a thread that ended silently would let the disk fill.
            self.trouble = complained(log, "the store could not be looked after", error, self.trouble)
        else:
            self.trouble = ""
        return done

    def _save(self, least_s: float = 0.0) -> int:
        """Write the states between two entries; waits for the engine, but not for one that has ended."""
        written = self.engine.call(partial(self.engine.runner.save, least_s))
        while not self.rounds.ended.is_set() and self.engine.alive:
            with suppress(TimeoutError):
                return int(written.result(1.0))
        return 0
