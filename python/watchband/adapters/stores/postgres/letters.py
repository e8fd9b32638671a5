"""The outbox of the shared store, for an operator: it takes no lead, and the process that delivers goes on."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any

from watchband.adapters.stores.letters import COLUMNS, Letter, Letters
from watchband.adapters.stores.postgres.database import Address, mapped


class PostgresLetters(Letters):
    """Notices in the outbox of a database.

    Parameters
    ----------
    address : Address
        Where it is.
    """

    def __init__(self, address: Address) -> None:
        self.address = address

    def rows(self) -> Sequence[tuple[Any, ...]]:
        """``COLUMNS`` of every notice, oldest first."""
        with closing(self.address.connect()) as connection, mapped(self.address), connection.cursor() as sql:
            return sql.execute(f"SELECT {COLUMNS} FROM notices ORDER BY number").fetchall()

    def retry(self, letters: Sequence[Letter]) -> int:
        """Have these delivered now, dead ones too; the number that were still there."""
        return self._change("UPDATE notices SET dead = false, tries = 0, due = 0", letters)

    def drop(self, letters: Sequence[Letter]) -> int:
        """Never deliver these; the number that were still there."""
        return self._change("DELETE FROM notices", letters)

    def _change(self, what: str, letters: Sequence[Letter]) -> int:
        statement = f"{what} WHERE alert = %s AND revision = %s AND sink = %s AND dead = %s"
        with closing(self.address.connect()) as connection, mapped(self.address), connection.transaction():
            return sum(connection.execute(statement, letter.row).rowcount for letter in letters)
