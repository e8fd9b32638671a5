"""The outbox as an operator sees it: looked at and changed beside the process that delivers from it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from watchband.adapters.stores.letters import COLUMNS, Letter, Letters
from watchband.adapters.stores.sqlite.database import FILE
from watchband.adapters.stores.sqlite.schema import check_version
from watchband.adapters.stores.transaction import whole
from watchband.core.errors import ConfigError, TransientError

BUSY_MS = 10_000


class SqliteLetters(Letters):
    """Notices in the outbox of a directory.

    Parameters
    ----------
    directory : Path
        Of the store.

    Raises
    ------
    ConfigError
        There is no store.
    StateVersionError
        It is of another release.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE
        if not self.path.exists():
            raise ConfigError(
                f"{directory} holds no data of Watchband: there is no {FILE}. Give the directory that the store is "
                "kept in, as 'path' of the section 'store' names it."
            )

    def rows(self) -> Sequence[tuple[Any, ...]]:
        """``COLUMNS`` of every notice, oldest first."""
        with self._opened() as sql:
            return sql.execute(f"SELECT {COLUMNS} FROM notices ORDER BY number").fetchall()

    def retry(self, letters: Sequence[Letter]) -> int:
        """Have these delivered now, dead ones too; the number that were still there."""
        return self._change("UPDATE notices SET dead = 0, tries = 0, due = 0", letters)

    def drop(self, letters: Sequence[Letter]) -> int:
        """Never deliver these; the number that were still there."""
        return self._change("DELETE FROM notices", letters)

    def _change(self, what: str, letters: Sequence[Letter]) -> int:
        statement = f"{what} WHERE alert = ? AND revision = ? AND sink = ? AND dead = ?"
        with self._opened() as sql, whole(sql):
            return sum(sql.execute(statement, letter.row).rowcount for letter in letters)

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            address = f"{self.path.absolute().as_uri()}?mode=rw"
            with closing(sqlite3.connect(address, uri=True, isolation_level=None, timeout=0)) as sql:
                sql.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
                sql.execute("PRAGMA synchronous = FULL")
                sql.execute("PRAGMA trusted_schema = OFF")
                check_version(sql, self.path)
                yield sql
        except sqlite3.Error as error:
            raise TransientError(f"{self.path} could not be used ({error}). May this user write it?") from None
