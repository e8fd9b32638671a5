"""What all parts of the embedded store share: its database, its clock, and the numbers of series."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from watchband.adapters.stores.sqlite.database import Database
from watchband.core.clock import Clock, SystemClock
from watchband.core.errors import StateCorruptError
from watchband.core.series import SeriesKey

ASK_MAX = 500
"""Numbers in one question."""


class Tables:
    """The database of a directory, and which number stands for which series.

    Parameters
    ----------
    directory : path
        Where.
    clock : Clock, optional
        Says when something was written.
    readonly : bool, default False
        Only look, beside the process that has it.
    """

    def __init__(
        self, directory: str | os.PathLike[str], *, clock: Clock | None = None, readonly: bool = False
    ) -> None:
        self.database = Database(Path(directory), readonly=readonly)
        self.clock: Clock = clock or SystemClock()
        self._numbers: dict[SeriesKey, int] = {}
        self._keys: dict[int, SeriesKey] = {}

    def number(self, sql: sqlite3.Connection, key: SeriesKey, new: dict[SeriesKey, int]) -> int:
        """The number of a series; one that gets its number just now is put in ``new``."""
        found = self._numbers.get(key) or new.get(key)
        if found is None:
            row = sql.execute("SELECT id FROM series WHERE key = ?", (str(key),)).fetchone()
            found = row[0] if row else sql.execute("INSERT INTO series (key) VALUES (?)", (str(key),)).lastrowid
            assert found is not None
            new[key] = found
        return found

    def know(self, new: Mapping[SeriesKey, int]) -> None:
        """Remember numbers. Only after the commit: one that was rolled back may be given to another series."""
        self._numbers.update(new)
        self._keys.update((number, key) for key, number in new.items())

    def keys(self, sql: sqlite3.Connection, numbers: Sequence[int]) -> list[SeriesKey]:
        """The series of some numbers.

        Raises
        ------
        StateCorruptError
            The database does not know one of them.
        """
        missing = [number for number in numbers if number not in self._keys]
        for at in range(0, len(missing), ASK_MAX):
            some = missing[at : at + ASK_MAX]
            marks = ", ".join("?" * len(some))
            found = sql.execute(f"SELECT id, key FROM series WHERE id IN ({marks})", some).fetchall()
            self.know({SeriesKey.parse(text): number for number, text in found})
        known = self._keys
        try:
            return [known[number] for number in numbers]
        except KeyError as error:
            raise StateCorruptError(
                f"The log of {self.database.path} names series {error.args[0]}, which it does not know."
            ) from None
