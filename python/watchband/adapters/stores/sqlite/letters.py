"""The outbox as an operator sees it: looked at and changed beside the process that delivers from it."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from watchband.adapters.stores.rows import notice_of
from watchband.adapters.stores.sqlite.database import FILE
from watchband.adapters.stores.sqlite.schema import check_version
from watchband.adapters.stores.transaction import whole
from watchband.core.errors import ConfigError, TransientError
from watchband.core.ports import Notice

BUSY_MS = 10_000


@dataclass(frozen=True)
class Letter:
    """A notice that is not delivered.

    Parameters
    ----------
    notice : Notice
        With tries, due time and error.
    dead : bool
        It was given up.
    made : int
        When it came into being, ns UTC.
    """

    notice: Notice
    dead: bool
    made: int


class Letters:
    """Notices in the outbox of a directory, dead and waiting ones.

    May be used while ``watchband serve`` runs on it: every change is a transaction, and the courier sees it at its next
    look.

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

    def all(self, *, dead: bool | None = None, sink: str = "", ids: Collection[str] = ()) -> Sequence[Letter]:
        """Notices oldest first: only dead ones, only waiting ones or both; of a sink; with these ids.

        An id is that of a notice, or that of an alert for all of its notices.
        """
        with self._opened() as sql:
            rows = sql.execute(
                "SELECT body, revision, sink, tries, due, error, dead, made FROM notices ORDER BY number"
            ).fetchall()
        letters = [Letter(notice_of(*row[:6]), bool(row[6]), row[7]) for row in rows]
        return [
            letter
            for letter in letters
            if dead in (None, letter.dead)
            and sink in ("", letter.notice.sink)
            and (not ids or letter.notice.id in ids or letter.notice.alert.id in ids)
        ]

    def retry(self, letters: Sequence[Letter]) -> int:
        """Have these delivered now, dead ones too; the number that were still there."""
        return self._change("UPDATE notices SET dead = 0, tries = 0, due = 0", letters)

    def drop(self, letters: Sequence[Letter]) -> int:
        """Never deliver these; the number that were still there."""
        return self._change("DELETE FROM notices", letters)

    def _change(self, what: str, letters: Sequence[Letter]) -> int:
        with self._opened() as sql, whole(sql):
            # One that was delivered, or given up or revived, since it was looked at is left alone.
            statement = f"{what} WHERE alert = ? AND revision = ? AND sink = ? AND dead = ?"
            changed = 0
            for letter in letters:
                notice = letter.notice
                changed += sql.execute(statement, (notice.alert.id, notice.revision, notice.sink, letter.dead)).rowcount
        return changed

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
