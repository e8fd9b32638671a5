"""The tables, and how an older file becomes a newer one: forward only, after a backup."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from watchband.adapters.stores.transaction import whole
from watchband.core.errors import StateVersionError

APPLICATION = 0x57424E44
"""What SQLite's header says the file is of: "WBND"."""

INCREMENTAL = 2

_FIRST = """
CREATE TABLE series (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE
);
CREATE TABLE log (
  shard TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  points INTEGER NOT NULL,
  first INTEGER,
  last INTEGER,
  written INTEGER NOT NULL,
  positions TEXT NOT NULL,
  entry BLOB NOT NULL,
  UNIQUE (shard, sequence)
);
CREATE TABLE positions (
  shard TEXT NOT NULL,
  source TEXT NOT NULL,
  position TEXT NOT NULL,
  PRIMARY KEY (shard, source)
) WITHOUT ROWID;
CREATE TABLE heads (
  shard TEXT PRIMARY KEY,
  head INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE folds (
  shard TEXT NOT NULL,
  name TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  decided INTEGER NOT NULL,
  PRIMARY KEY (shard, name)
) WITHOUT ROWID;
CREATE TABLE snapshots (
  shard TEXT NOT NULL,
  name TEXT NOT NULL,
  part INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  written INTEGER NOT NULL,
  state BLOB NOT NULL,
  PRIMARY KEY (shard, name, part)
);
CREATE TABLE alerts (
  id TEXT PRIMARY KEY,
  series TEXT NOT NULL,
  watch TEXT NOT NULL,
  severity TEXT NOT NULL,
  opened INTEGER NOT NULL,
  closed INTEGER,
  revision INTEGER NOT NULL,
  body TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX alerts_opened ON alerts (opened);
CREATE INDEX alerts_open ON alerts (watch) WHERE closed IS NULL;
CREATE TABLE notices (
  number INTEGER PRIMARY KEY,
  alert TEXT NOT NULL,
  revision INTEGER NOT NULL,
  sink TEXT NOT NULL,
  body TEXT NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0,
  due INTEGER NOT NULL DEFAULT 0,
  dead INTEGER NOT NULL DEFAULT 0,
  error TEXT NOT NULL DEFAULT '',
  made INTEGER NOT NULL,
  UNIQUE (alert, revision, sink)
);
CREATE INDEX notices_waiting ON notices (dead, alert, sink, number);
"""

_TIERS = """
ALTER TABLE series ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE series ADD COLUMN first INTEGER;
ALTER TABLE series ADD COLUMN last INTEGER;
ALTER TABLE series ADD COLUMN points INTEGER NOT NULL DEFAULT 0;
ALTER TABLE heads ADD COLUMN counted INTEGER NOT NULL DEFAULT 0;
CREATE TABLE marks (
  shard TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  kind TEXT NOT NULL,
  watch TEXT NOT NULL,
  points INTEGER NOT NULL,
  written INTEGER NOT NULL,
  entry BLOB NOT NULL
);
CREATE INDEX marks_entry ON marks (shard, sequence);
CREATE INDEX marks_written ON marks (written);
CREATE TABLE rollups (
  hour INTEGER NOT NULL,
  series INTEGER NOT NULL,
  count INTEGER NOT NULL,
  low REAL,
  high REAL,
  total REAL NOT NULL,
  anomalies INTEGER NOT NULL,
  PRIMARY KEY (hour, series)
) WITHOUT ROWID;
CREATE TABLE archive (
  name TEXT PRIMARY KEY,
  date TEXT NOT NULL,
  rows INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  made INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE changes (
  time INTEGER NOT NULL,
  shard TEXT NOT NULL,
  name TEXT NOT NULL,
  fingerprint TEXT NOT NULL
);
CREATE TABLE kept (
  shard TEXT NOT NULL,
  name TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  part INTEGER NOT NULL,
  written INTEGER NOT NULL,
  state BLOB NOT NULL,
  PRIMARY KEY (shard, name, sequence, part)
);
INSERT INTO kept SELECT shard, name, sequence, part, written, state FROM snapshots;
DROP TABLE snapshots;
ALTER TABLE kept RENAME TO snapshots;
"""

_ACTS = """
CREATE TABLE acts (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  time INTEGER NOT NULL,
  who TEXT NOT NULL,
  deed TEXT NOT NULL,
  target TEXT NOT NULL,
  text TEXT NOT NULL,
  until INTEGER NOT NULL
);
"""

_KEYS = """
CREATE TABLE access_keys (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  digest TEXT NOT NULL,
  created INTEGER NOT NULL,
  maker TEXT NOT NULL,
  expires INTEGER NOT NULL,
  revoked INTEGER NOT NULL,
  used INTEGER NOT NULL,
  parent TEXT NOT NULL
) WITHOUT ROWID;
"""

_MODELS = """
CREATE TABLE model_events (
  number INTEGER PRIMARY KEY,
  shard TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  body TEXT NOT NULL
);
"""

MIGRATIONS = (_FIRST, _TIERS, _ACTS, _KEYS, _MODELS)
"""Script ``i`` makes version ``i + 1`` of version ``i``. What once stood in a release is never changed."""
VERSION = len(MIGRATIONS)


def known_version(connection: sqlite3.Connection, path: Path) -> tuple[int, bool]:
    """A file's version, and whether there is anything in it; StateVersionError where this release cannot read it."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    tables = int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    if tables and application != APPLICATION:
        raise StateVersionError(
            f"{path} is a SQLite file of another program (application id {application:#x}). Give another directory."
        )
    if version > VERSION:
        raise StateVersionError(
            f"{path} was written by a newer release (format {version}, this release knows {VERSION}). Upgrade "
            "Watchband, or restore the copy that the upgrade left beside it."
        )
    return version, tables > 0


def check_version(connection: sqlite3.Connection, path: Path) -> None:
    """Raise unless a file that is only looked at has this release's version.

    Raises
    ------
    StateVersionError
        Older or newer, or no file of Watchband's.
    """
    version, _ = known_version(connection, path)
    if version < VERSION:
        raise StateVersionError(
            f"{path} was written by an older release (format {version}, this release writes {VERSION}). Start "
            "'watchband serve' once: it brings the file forward, after a copy."
        )


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring a file to this release's version; an empty one gets its tables.

    Before anything changes, the file is copied to ``NAME.before-vN``.

    Raises
    ------
    StateVersionError
        Written by a newer release, or no file of Watchband's.
    """
    version, tables = known_version(connection, path)
    if version < VERSION:
        _forward(connection, path, version, tables)
    if int(connection.execute("PRAGMA auto_vacuum").fetchone()[0]) != INCREMENTAL:
        # Room that entries leave is then given back bit by bit.
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("VACUUM")


def _forward(connection: sqlite3.Connection, path: Path, version: int, tables: bool) -> None:
    if tables:
        copy = path.with_name(f"{path.name}.before-v{VERSION}")
        copy.unlink(missing_ok=True)
        connection.execute("VACUUM INTO ?", (str(copy),))
        copy.chmod(0o600)
    with whole(connection):
        for number in range(version, VERSION):
            for statement in MIGRATIONS[number].split(";\n"):
                if statement.strip():
                    connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
