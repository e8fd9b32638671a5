"""One SQLite file: opened for this process alone, every transaction whole and on disk, errors in Watchband's words."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

from watchband.adapters.stores.sqlite.schema import check_version, migrate
from watchband.adapters.stores.transaction import whole
from watchband.core.errors import AdapterError, ConfigError, PermanentError, TransientError

FILE = "watchband.db"
_LOCK = "lock"
_BUSY_MS = 10_000
_ALWAYS = (f"busy_timeout = {_BUSY_MS}", "trusted_schema = OFF", "cell_size_check = ON")
_LOOKING = ("query_only = ON",)
_WRITING = (
    "journal_mode = WAL",
    # A commit that was answered survives the power going out, not only the process.
    "synchronous = FULL",
    "foreign_keys = ON",
    "journal_size_limit = 67108864",
)


class Database:
    """The connection and the lock that keeps a second process out.

    Parameters
    ----------
    directory : Path
        Made if it is not there, readable by this user alone.
    readonly : bool, default False
        Only look, beside the process that has it: nothing is made, locked or written.

    Raises
    ------
    PermanentError
        Another process has it open, or the file is damaged.
    ConfigError
        The directory cannot be made or written.
    """

    def __init__(self, directory: Path, *, readonly: bool = False) -> None:
        self.directory, self.path, self.readonly = directory, directory / FILE, readonly
        self._lock = threading.RLock()
        self._held: int | None = None
        try:
            self.connection = self._look() if readonly else self._open()
        except OSError as error:
            self.close()
            raise ConfigError(
                f"The directory {directory} cannot be used: {error.strerror}. Give another one."
            ) from None
        except sqlite3.Error as error:
            self.close()
            raise ConfigError(f"The database {self.path} cannot be opened: {error}.") from None
        try:
            with self._mapped():
                self._configure()
                if readonly:
                    check_version(self.connection, self.path)
                else:
                    migrate(self.connection, self.path)
        except BaseException:
            self.close()
            raise

    def _open(self) -> sqlite3.Connection:
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._held = _hold(self.directory / _LOCK)
        existed = self.path.exists()
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=0)
        if not existed:
            self.path.chmod(0o600)
        return connection

    def _look(self) -> sqlite3.Connection:
        if not self.path.exists():
            raise ConfigError(
                f"{self.directory} holds no data of Watchband: there is no {FILE}. Give the directory that the store "
                "is kept in, as 'path' of the section 'store' names it."
            )
        address = f"{self.path.absolute().as_uri()}?mode=ro"
        return sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False, timeout=0)

    def _configure(self) -> None:
        for setting in (*_ALWAYS, *(_LOOKING if self.readonly else _WRITING)):
            self.connection.execute(f"PRAGMA {setting}")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of what is done inside, or nothing."""
        if self.readonly:
            raise PermanentError(f"{self.path} was opened to look at only.")
        with self._lock, self._mapped(), whole(self.connection):
            yield self.connection

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A look at what is committed."""
        with self._lock, self._mapped():
            yield self.connection

    def backup(self, target: Path) -> None:
        """A consistent copy while others write."""
        with self._lock, self._mapped():
            # What is copied is only read, yet counts as a write.
            self.connection.execute("PRAGMA query_only = OFF")
            self.connection.execute("VACUUM INTO ?", (str(target),))
            self.connection.execute(f"PRAGMA query_only = {int(self.readonly)}")
        target.chmod(0o600)

    def close(self) -> None:
        """Let go of file and lock."""
        with self._lock:
            if hasattr(self, "connection"):
                self.connection.close()
            if self._held is not None:
                os.close(self._held)
                self._held = None

    @contextlib.contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._error(error) from error

    def _error(self, error: sqlite3.Error) -> AdapterError:
        text, code = str(error), getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or "malformed" in text:
            return PermanentError(
                f"{self.path} is damaged ({text}). Stop, keep the file, and restore a backup: watchband restore."
            )
        if isinstance(error, sqlite3.ProgrammingError) and "closed" in text:
            return PermanentError(f"{self.path} was closed.")
        if code == sqlite3.SQLITE_FULL:
            return TransientError(
                f"The disk of {self.path} is full ({text}): nothing is acknowledged until there is room. Free some, or "
                "shorten 'store.retention'."
            )
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
            return TransientError(
                f"{self.path} cannot be written ({text}): the file, its directory or the disk is read-only. Nothing is "
                "acknowledged until it can be."
            )
        return TransientError(f"{self.path} did not take it ({text}). Is the disk failing, or another program in it?")


@contextlib.contextmanager
def held(directory: Path) -> Iterator[None]:
    """Keep every process out of a directory meanwhile; PermanentError where one is in it."""
    handle = _hold(directory / _LOCK)
    try:
        yield
    finally:
        os.close(handle)


def _hold(path: Path) -> int:
    """Hold the directory's lock; the system lets go of it when the process ends, however it ends."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        owner = os.read(handle, 32).decode(errors="replace").strip()
        os.close(handle)
        raise PermanentError(
            f"{path.parent} is in use by another process{f' ({owner})' if owner else ''}. Stop that one, or give "
            "another directory."
        ) from None
    os.ftruncate(handle, 0)
    os.write(handle, str(os.getpid()).encode())
    return handle
