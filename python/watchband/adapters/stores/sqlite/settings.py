"""What a user writes of the embedded store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from watchband.adapters.stores.archive import FOLDER, ParquetArchive
from watchband.adapters.stores.sqlite.store import SqliteStore
from watchband.adapters.stores.tiers import Retention
from watchband.core import params
from watchband.core.clock import Clock
from watchband.core.kinds import FilePath, Group
from watchband.core.params import param


@dataclass(frozen=True, kw_only=True)
class SqliteSettings:
    """One directory with everything; of one process at a time."""

    kind: ClassVar[str] = "sqlite"

    path: str = param("watchband-data", FilePath(), "The directory; made if it is not there.")
    retention: Retention = param(Retention(), Group(Retention), "How long what is kept.")

    def __post_init__(self) -> None:
        params.check(self)

    def open(self, *, clock: Clock) -> SqliteStore:
        """The store; PermanentError where another process has it."""
        return SqliteStore(self.path, clock=clock)

    def archive(self) -> ParquetArchive:
        """Where readings go that leave the log."""
        return ParquetArchive(Path(self.path) / FOLDER)
