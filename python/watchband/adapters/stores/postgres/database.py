"""One connection to a PostgreSQL database that comes back by itself, and PostgreSQL's errors in Watchband's words."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from watchband.core.errors import (
    AdapterError,
    ConfigError,
    MissingExtraError,
    PermanentError,
    TransientError,
)
from watchband.core.secret import HIDDEN, Secret

if TYPE_CHECKING:
    import psycopg

    Sql = psycopg.Cursor[Any]

CONNECT_S = 5
_WRONG = ("42", "0A", "22")
"""Classes of SQLSTATE that say that the statement, the tables or the rights are not as they should be."""
_DAMAGED = ("XX001", "XX002")


@dataclass(frozen=True)
class Address:
    """Where the database is, and how long it may take.

    Parameters
    ----------
    url : str
        As libpq reads it.
    password : Secret, optional
        Read anew for every connection.
    schema : str
        Of all tables.
    timeout_s : float
        A statement that takes longer is given up by the server.
    silence_s : float
        A client that says nothing for so long in the middle of a transaction has lost it.
    """

    url: str
    password: Secret | None = field(default=None)
    schema: str = "watchband"
    timeout_s: float = 60.0
    silence_s: float = 15.0

    def connect(self) -> psycopg.Connection[Any]:
        """A connection whose answers to COMMIT are durable.

        Raises
        ------
        TransientError
            The server does not answer, or does not let this user in.
        ConfigError
            It keeps nothing safely, or the address cannot be read.
        MissingExtraError
            No psycopg.
        """
        psycopg_ = _psycopg()
        with mapped(self):
            connection: psycopg.Connection[Any] = psycopg_.connect(self.url, autocommit=True, **self._parameters())
            try:
                with connection.cursor() as sql:
                    self._configure(sql)
            except BaseException:
                connection.close()
                raise
            return connection

    def _parameters(self) -> Mapping[str, Any]:
        silence_ms = int(1000 * self.silence_s)
        found: dict[str, Any] = {
            "connect_timeout": CONNECT_S,
            "application_name": "watchband",
            "client_encoding": "UTF8",
            "target_session_attrs": "read-write",
            "keepalives_idle": max(1, int(self.silence_s / 3)),
            "keepalives_interval": max(1, int(self.silence_s / 6)),
            "keepalives_count": 3,
            "tcp_user_timeout": silence_ms,
        }
        return found | ({"password": self.password.reveal()} if self.password else {})

    def _configure(self, sql: Sql) -> None:
        settings = {
            "search_path": f'"{self.schema}"',
            "statement_timeout": f"{int(1000 * self.timeout_s)}ms",
            "lock_timeout": f"{int(1000 * self.timeout_s)}ms",
            # Who stops in the middle of a transaction must not keep the lead from the next.
            "idle_in_transaction_session_timeout": f"{int(1000 * self.silence_s)}ms",
            "default_transaction_isolation": "read committed",
            "timezone": "UTC",
        }
        for name, value in settings.items():
            sql.execute("SELECT set_config(%s, %s, false)", (name, value))
        kept = sql.execute("SELECT current_setting('fsync'), current_setting('synchronous_commit')").fetchone()
        assert kept is not None
        if kept[0] != "on":
            raise ConfigError("This PostgreSQL runs with fsync = off: it forgets in a crash. Switch it on.")
        if kept[1] in ("off", "local"):
            sql.execute("SELECT set_config('synchronous_commit', 'on', false)")

    def shown(self) -> str:
        """Where it is, for messages."""
        from urllib.parse import urlsplit

        parts = urlsplit(self.url)
        return f"{parts.hostname or 'this machine'}{f':{parts.port}' if parts.port else ''}{parts.path}"

    def without_password(self, text: str) -> str:
        """A message of libpq's or the server's, certain to hold no password."""
        if self.password is None:
            return text
        try:
            return text.replace(self.password.reveal(), HIDDEN)
        except ConfigError:
            return text


class Database:
    """One connection for several threads, opened when it is needed and again after it was lost.

    Parameters
    ----------
    address : Address
        Where.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self._lock = threading.RLock()
        self._connection: psycopg.Connection[Any] | None = None
        self._closed = False

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Sql]:
        """All of what is done inside, durable, or nothing. A look at what is committed, where nothing is written.

        Raises
        ------
        TransientError
            The database could not do it now. Where it was lost at the very end it may have done it all the same.
        PermanentError
            It never will.
        """
        with self._lock:
            connection = self._open()
            try:
                with mapped(self.address), connection.transaction(), connection.cursor() as sql:
                    yield sql
            except BaseException:
                if connection.closed or connection.broken:
                    self._drop()
                raise

    def close(self) -> None:
        """Let go of the connection; nothing is done afterwards."""
        with self._lock:
            self._closed = True
            self._drop()

    def _open(self) -> psycopg.Connection[Any]:
        if self._closed:
            raise PermanentError(f"The store at {self.address.shown()} was closed.")
        if self._connection is None:
            self._connection = self.address.connect()
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(Exception):
                self._connection.close()
            self._connection = None


@contextlib.contextmanager
def mapped(address: Address) -> Iterator[None]:
    """PostgreSQL's errors as Watchband's."""
    psycopg = _psycopg()
    try:
        yield
    except psycopg.Error as error:
        raise _error(error, address) from None


def _error(error: psycopg.Error, address: Address) -> AdapterError | ConfigError:
    state = error.sqlstate or ""
    # The detail quotes values, the hint speaks of SQL: the first line says what happened.
    said = (error.diag.message_primary or str(error)).strip().split("\n")[0]
    text, where = address.without_password(said), f"PostgreSQL at {address.shown()}"
    if state in _DAMAGED:
        return PermanentError(f"{where} is damaged ({text}). Stop, and restore a backup of the database.")
    if state == "42501":
        return PermanentError(
            f"{where} refuses this user ({text}). It needs a schema of its own: CREATE SCHEMA … AUTHORIZATION …, or "
            "GRANT CREATE ON DATABASE … TO …."
        )
    if state[:2] in _WRONG or (not state and isinstance(error, _psycopg().ProgrammingError)):
        return PermanentError(f"{where} did not understand ({text}). Are the tables those of this release?")
    return TransientError(f"{where} did not do it ({text}). Trying again may help; its log says more.")


def _psycopg() -> Any:
    try:
        import psycopg
    except ImportError:
        raise MissingExtraError("The store 'postgres'", "psycopg", "postgres") from None
    return psycopg
