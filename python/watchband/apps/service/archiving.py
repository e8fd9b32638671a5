"""The archivist: brings what was acknowledged to the archive, by a clock of its own, in a thread of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from watchband.adapters.archive.archive import ObjectArchive
from watchband.adapters.archive.export import through
from watchband.apps.config.archive import ArchiveSettings
from watchband.apps.config.config import Config
from watchband.apps.library.archiving.call import export, tidy
from watchband.apps.service.rounds import Rounds, complained
from watchband.core.clock import Clock
from watchband.core.duration import MINUTE
from watchband.core.ports import Store

log = logging.getLogger("watchband.archive")
EVERY_S = 10.0
PATIENCE_S = 10.0
"""That a shutdown waits for the step that is under way."""
RETRY = 5 * MINUTE
"""After a failure it is tried again so much later, or after ``every``, whichever is sooner."""


@dataclass
class Archived:
    """How the archive stands: last success (ns UTC), what was added since the start, and what failed last."""

    at: int = 0
    runs: int = 0
    failures: int = 0
    readings: int = 0
    nbytes: int = 0
    parts: int = 0
    trouble: str = ""
    through: dict[str, int] = field(default_factory=dict)


class Archivist:
    """Looks after the archive of a service.

    Parameters
    ----------
    settings : ArchiveSettings
        With an address.
    store : Store
        Whose log.
    clock : Clock
        What time it is.
    leads : callable
        Whether this process is the one that writes: of several only it archives.
    directory : Path, optional
        Of the store, if it is one.

    Attributes
    ----------
    archived : Archived
        How things stand, for metrics and status.
    """

    def __init__(
        self,
        settings: ArchiveSettings,
        store: Store,
        clock: Clock,
        leads: Callable[[], bool],
        directory: Path | None = None,
    ) -> None:
        assert settings.address is not None
        self.settings, self.store, self.clock, self.leads, self.directory = settings, store, clock, leads, directory
        self.archived = Archived()
        self.archive = ObjectArchive(settings.address, clock)
        self._due = self._tidy = clock.now()
        self.rounds = Rounds("archivist", self.tick, EVERY_S)

    def stop(self) -> None:
        """End before the next step; what takes longer is not waited for: cut short it is only done again."""
        self.rounds.stop(PATIENCE_S)
        self.archive.close()

    def held(self, shard: str) -> int:
        """The entry up to which the archive is known to hold the log: no reading behind it may leave."""
        return self.archived.through.get(shard, 0)

    def tick(self) -> bool:
        """Do what is due; whether anything was."""
        now = self.clock.now()
        if now < self._due or not self.leads():
            return False
        try:
            self._export()
            if self.clock.now() >= self._tidy and not self.rounds.ended.is_set():
                tidy(self.archive, keep=self.settings.keep, stop=self.rounds.ended.is_set)
                self._tidy = now + self.settings.tidy
            self.archived.trouble = ""
            self._due = now + self.settings.every
        except Exception as error:
            # Whatever it is, it is tried again: a thread that ended silently would let the log grow.
            self.archived.failures += 1
            self.archived.trouble = complained(log, "the archive could not be written", error, self.archived.trouble)
            self._due = now + min(RETRY, self.settings.every)
        return True

    def _export(self) -> None:
        done = export(
            self.archive,
            self.store,
            directory=self.directory,
            partition=None if self.archive.manifest.root().etag else self.settings.partition,
            results=self.settings.results,
            stop=self.rounds.ended.is_set,
        )
        root = self.archive.manifest.root()
        for shard in root.cursors:
            if shard in done.exported.through:
                self.archived.through[shard] = through(root, shard)
        said = self.archived
        said.runs, said.at = said.runs + 1, self.clock.now()
        said.readings += done.exported.readings
        said.nbytes += done.exported.nbytes
        said.parts += done.exported.parts + done.judged.parts
        if done.exported.readings:
            log.info(
                "archived",
                extra={"readings": done.exported.readings, "parts": done.exported.parts, "bytes": done.exported.nbytes},
            )


def archivist_of(config: Config, store: Store, clock: Clock, leads: Callable[[], bool]) -> Archivist | None:
    """The archivist of a configuration; None where it names no archive."""
    if config.archive.address is None:
        return None
    path = getattr(config.store, "path", None) if config.store.kind == "sqlite" else None
    return Archivist(config.archive, store, clock, leads, None if path is None else Path(path))
