"""Keys of the API and sessions of browsers, as rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple

from watchband.adapters.stores.rows import KEY_COLUMNS
from watchband.adapters.stores.sqlite.tables import Tables
from watchband.core.access_keys import AccessKey


class AccessKeys(Tables):
    """The part of the store that says who is let in."""

    def access_keys(self) -> Sequence[AccessKey]:
        """Keys and sessions."""
        with self.database.reading() as sql:
            rows = sql.execute(f"SELECT {KEY_COLUMNS} FROM access_keys ORDER BY created, id").fetchall()
        return [AccessKey(*row) for row in rows]

    def keep_access_key(self, key: AccessKey) -> None:
        """Keep one."""
        with self.database.transaction() as sql:
            sql.execute(
                f"INSERT OR REPLACE INTO access_keys ({KEY_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                astuple(key),
            )

    def drop_access_keys(self, ids: Sequence[str]) -> None:
        """Forget these."""
        with self.database.transaction() as sql:
            sql.executemany("DELETE FROM access_keys WHERE id = ?", [(number,) for number in ids])
