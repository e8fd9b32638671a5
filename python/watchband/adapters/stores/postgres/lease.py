"""The lead: one row says who writes, under which token, and until when by the database's clock.

A process that leads renews the row from a thread of its own. Another may take it over when it has run out; it then
gets the next token. Every transaction that writes locks the row by its token (``hold``): while it runs nobody takes
over, and once somebody has, it fails. So a process that was away, however long and whatever it believes, writes nothing
after its successor's first look.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from typing import TYPE_CHECKING

from watchband.adapters.stores.postgres.database import Address, Database
from watchband.adapters.stores.postgres.schema import migrate
from watchband.core.errors import AdapterError, FencedError

if TYPE_CHECKING:
    from watchband.adapters.stores.postgres.database import Sql

RENEWALS = 4
"""Renewals within the time of a lease."""
ASK_S = 0.5
"""A process that stands by asks this often, at most."""
_END = "clock_timestamp() + make_interval(secs => %s)"
NAMED = "set_config('application_name', 'watchband token ' || token, true)"
"""Until its end, a transaction that locks the lease is called so in ``pg_stat_activity``."""
_HELD = """
SELECT pg_terminate_backend(a.pid) FROM lease, pg_stat_activity a
WHERE lease.expires + make_interval(secs => %s) <= clock_timestamp()
  AND a.datname = current_database() AND a.usename = current_user AND a.pid <> pg_backend_pid()
  AND a.application_name = 'watchband token ' || lease.token
  AND EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.relation = 'lease'::regclass)
"""
"""Processes of the same user only: others cannot be ended, and are left to the time limits of their sessions."""


class Lease:
    """Whether this process leads.

    Parameters
    ----------
    database : Database
        Takes the lead and holds it through each transaction.
    address : Address
        The renewals have a connection of their own.
    seconds : float
        After which a process that is not heard of is taken over from.
    """

    def __init__(self, database: Database, address: Address, seconds: float) -> None:
        self.database, self.seconds = database, seconds
        self.holder = f"{socket.gethostname()}:{os.getpid()}"
        self.token: int | None = None
        self._overtaken = False
        self._change = threading.Lock()
        self._renewals = Database(address)
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def take(self, timeout: float = 0.0) -> bool:
        """Whether this process leads, waiting so many seconds for it.

        Raises
        ------
        TransientError
            The database cannot be asked.
        StateVersionError
            It was written by a newer release.
        """
        until = time.monotonic() + timeout
        while not self._has() and not self._try():
            left = until - time.monotonic()
            if left <= 0 or self._ended.wait(min(left, ASK_S, self.seconds / RENEWALS)):
                return False
        return True

    def hold(self, sql: Sql) -> None:
        """Within a transaction: nobody takes over before its end.

        Raises
        ------
        FencedError
            Somebody has.
        """
        if self.token is None:
            raise self._fenced(sql)
        # The token is the row's key: this lock lets renewals pass, and makes who wants a new token wait.
        if not sql.execute(f"SELECT {NAMED} FROM lease WHERE token = %s FOR KEY SHARE", (self.token,)).fetchone():
            self.lose(self.token)
            raise self._fenced(sql)

    def first(self) -> None:
        """The lead at the first write of a process that did not ask for it; never after it was overtaken."""
        if self.token is None and not self._overtaken:
            self.take()

    def lose(self, token: int | None) -> None:
        """Somebody else leads, as whoever wrote under this token knows now."""
        with self._change:
            if token is not None and token == self.token:
                self.token, self._overtaken = None, True

    def close(self) -> None:
        """Give the lead back, so that the next need not wait for its end."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        if self.token is not None:
            with contextlib.suppress(AdapterError), self.database.transaction() as sql:
                sql.execute("UPDATE lease SET expires = clock_timestamp() WHERE token = %s", (self.token,))
        self._renewals.close()

    def _has(self) -> bool:
        if self.token is None:
            return False
        with self.database.transaction() as sql:
            try:
                self.hold(sql)
            except FencedError:
                return False
        return True

    def _try(self) -> bool:
        with self.database.transaction() as sql:
            # A transaction of who led before may be under way: its row is locked until that has ended.
            free = "SELECT 1 FROM lease WHERE expires <= clock_timestamp() FOR UPDATE SKIP LOCKED"
            if not sql.execute(free).fetchone():
                # One that is alive and only late has the time of a renewal to come to its end.
                sql.execute(_HELD, (self.seconds / RENEWALS,))
                return False
            row = sql.execute(
                f"UPDATE lease SET token = token + 1, holder = %s, expires = {_END} "
                "WHERE expires <= clock_timestamp() RETURNING token",
                (self.holder, self.seconds),
            ).fetchone()
            if row is None:
                return False
            migrate(sql)
        with self._change:
            self.token, self._overtaken = int(row[0]), False
        if self._thread is None:
            self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)
            self._thread.start()
        return True

    def _renew(self) -> None:
        while not self._ended.wait(self.seconds / RENEWALS):
            token = self.token
            if token is None:
                continue
            # A renewal that fails is tried again; in the meantime the tokens keep the log safe.
            with contextlib.suppress(AdapterError):
                self._extend(token)

    def _extend(self, token: int) -> None:
        with self._renewals.transaction() as sql:
            update = f"UPDATE lease SET expires = {_END} WHERE token = %s RETURNING {NAMED}"
            kept = sql.execute(update, (self.seconds, token)).rowcount
        if not kept:
            self.lose(token)

    def _fenced(self, sql: Sql) -> FencedError:
        row = sql.execute("SELECT holder, extract(epoch FROM expires - clock_timestamp()) FROM lease").fetchone()
        holder, left = (row[0], float(row[1])) if row else ("nobody", 0.0)
        return FencedError(
            f"Another process leads ({holder or 'nobody'}, for {max(left, 0.0):.1f} s more unless it renews). This one "
            "stands by and takes over when that one is gone."
        )
