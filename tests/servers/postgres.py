"""Debian's PostgreSQL for a test: a cluster in a temporary directory, on a unix socket, stopped by its number."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import Any

USER = "watchband"
PATIENCE_S = 30.0


def programs() -> Path:
    """The directory of initdb and postgres."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: float(p.parts[-3]))
    if found:
        return found[-1].parent
    other = shutil.which("initdb")
    assert other, "This test needs a PostgreSQL server: apt-get install postgresql-15"
    return Path(other).parent


def _whose() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: another user of this machine then."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise AssertionError("This test runs as root and finds no other user: add one called postgres")


class Server:
    """A cluster with one user, a password and a database; durable, as an installation's would be."""

    def __init__(self) -> None:
        self.whose, self.programs = _whose(), programs()
        # Not pytest's directory: that one is closed to other users.
        self.directory = Path(tempfile.mkdtemp(prefix="watchband-pg-"))
        self.password = secrets.token_hex(8)
        self._process: subprocess.Popen[bytes] | None = None
        self._names = count()
        words = self.directory / "password"
        words.write_text(self.password)
        if self.whose:
            for path in (self.directory, words):
                os.chown(path, self.whose["user"], self.whose["group"])
        command = [self.programs / "initdb", "-D", self.directory / "data", "-U", USER, "-A", "scram-sha-256"]
        self._run(*command, f"--pwfile={words}", "--no-sync", "--locale=C.UTF-8", "-E", "UTF8")

    def _run(self, *command: str | Path) -> None:
        done = subprocess.run(command, cwd=self.directory, capture_output=True, text=True, check=False, **self.whose)
        assert done.returncode == 0, done.stderr

    def start(self, **changed: str) -> None:
        """Start it, and wait until it answers."""
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.directory),
            "fsync": "on",
            "max_connections": "50",
            "shared_buffers": "32MB",
            "log_min_messages": "fatal",
            **changed,
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self.programs / "postgres", "-D", self.directory / "data", *options],
                cwd=self.directory,
                stdout=log,
                stderr=log,
                **self.whose,
            )
        self._await()

    def _await(self) -> None:
        import psycopg

        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                psycopg.connect(self.url("postgres"), password=self.password).close()
                return
            except psycopg.OperationalError:
                assert self._process is not None
                said = (self.directory / "log").read_text()
                assert self._process.poll() is None, said
                assert time.monotonic() < until, said
                time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT drops its clients (fast), SIGQUIT does not even write down what it knows (a crash)."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE_S)
            self._process = None

    def url(self, database: str) -> str:
        """The address, as a user would write it."""
        return f"postgresql://{USER}@localhost/{database}?host={self.directory}"

    def database(self) -> str:
        """The address of a new database."""
        name = f"d{next(self._names)}"
        self.do("postgres", f"CREATE DATABASE {name}")
        return self.url(name)

    def do(self, database: str, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run a statement as the user; its rows."""
        import psycopg

        url = database if "://" in database else self.url(database)
        with psycopg.connect(url, password=self.password, autocommit=True) as connection:
            done = connection.execute(statement, values or None)
            return done.fetchall() if done.description else []

    def remove(self) -> None:
        """Stop it and leave nothing."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.directory)
