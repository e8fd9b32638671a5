"""The tables, and how older ones become newer ones: forward only, by the process that leads."""

from __future__ import annotations

import re
from typing import Any

from watchband.core.errors import ConfigError, StateVersionError

NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")

BASE = """
CREATE TABLE lease (
  token BIGINT PRIMARY KEY,
  holder TEXT NOT NULL,
  expires TIMESTAMPTZ NOT NULL
);
CREATE TABLE version (
  version INTEGER NOT NULL
);
INSERT INTO lease VALUES (0, '', 'epoch');
INSERT INTO version VALUES (0);
"""
"""What a process that stands by needs. Never changed: processes of different releases meet here."""

_FIRST = """
CREATE TABLE series (
  id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  digest BYTEA NOT NULL UNIQUE,
  key TEXT NOT NULL,
  source TEXT NOT NULL DEFAULT '',
  first BIGINT,
  last BIGINT,
  points BIGINT NOT NULL DEFAULT 0
);
CREATE TABLE heads (
  shard TEXT PRIMARY KEY,
  head BIGINT NOT NULL,
  counted BIGINT NOT NULL DEFAULT 0,
  positions TEXT NOT NULL
);
CREATE TABLE log (
  shard TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  points INTEGER NOT NULL,
  first BIGINT,
  last BIGINT,
  written BIGINT NOT NULL,
  positions TEXT NOT NULL,
  entry BYTEA NOT NULL,
  PRIMARY KEY (shard, sequence)
);
ALTER TABLE log ALTER entry SET STORAGE EXTERNAL;
CREATE TABLE folds (
  shard TEXT NOT NULL,
  name TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  decided BIGINT NOT NULL,
  PRIMARY KEY (shard, name)
);
CREATE TABLE snapshots (
  shard TEXT NOT NULL,
  name TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  part INTEGER NOT NULL,
  written BIGINT NOT NULL,
  state BYTEA NOT NULL,
  PRIMARY KEY (shard, name, sequence, part)
);
ALTER TABLE snapshots ALTER state SET STORAGE EXTERNAL;
CREATE TABLE changes (
  time BIGINT NOT NULL,
  shard TEXT NOT NULL,
  name TEXT NOT NULL,
  fingerprint TEXT NOT NULL
);
CREATE TABLE marks (
  number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shard TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  kind TEXT NOT NULL,
  watch TEXT NOT NULL,
  points INTEGER NOT NULL,
  written BIGINT NOT NULL,
  entry BYTEA NOT NULL
);
ALTER TABLE marks ALTER entry SET STORAGE EXTERNAL;
CREATE INDEX marks_entry ON marks (shard, sequence);
CREATE INDEX marks_written ON marks (written);
CREATE TABLE rollups (
  hour BIGINT NOT NULL,
  series INTEGER NOT NULL,
  count BIGINT NOT NULL,
  low DOUBLE PRECISION,
  high DOUBLE PRECISION,
  total DOUBLE PRECISION NOT NULL,
  anomalies BIGINT NOT NULL,
  PRIMARY KEY (hour, series)
);
CREATE TABLE archive (
  name TEXT PRIMARY KEY,
  date TEXT NOT NULL,
  rows BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  made BIGINT NOT NULL
);
CREATE TABLE alerts (
  id TEXT PRIMARY KEY,
  series TEXT NOT NULL,
  watch TEXT NOT NULL,
  severity TEXT NOT NULL,
  opened BIGINT NOT NULL,
  closed BIGINT,
  revision INTEGER NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX alerts_opened ON alerts (opened);
CREATE TABLE notices (
  number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  alert TEXT NOT NULL,
  revision INTEGER NOT NULL,
  sink TEXT NOT NULL,
  body TEXT NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0,
  due BIGINT NOT NULL DEFAULT 0,
  dead BOOLEAN NOT NULL DEFAULT false,
  error TEXT NOT NULL DEFAULT '',
  made BIGINT NOT NULL,
  UNIQUE (alert, revision, sink)
);
CREATE INDEX notices_waiting ON notices (alert, sink, number) WHERE NOT dead;
"""

_ACTS = """
CREATE TABLE acts (
  number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  time BIGINT NOT NULL,
  who TEXT NOT NULL,
  deed TEXT NOT NULL,
  target TEXT NOT NULL,
  text TEXT NOT NULL,
  until BIGINT NOT NULL
);
"""

_KEYS = """
CREATE TABLE access_keys (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  digest TEXT NOT NULL,
  created BIGINT NOT NULL,
  maker TEXT NOT NULL,
  expires BIGINT NOT NULL,
  revoked BIGINT NOT NULL,
  used BIGINT NOT NULL,
  parent TEXT NOT NULL
);
"""

_MODELS = """
CREATE TABLE model_events (
  number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shard TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  body TEXT NOT NULL
);
"""

MIGRATIONS = (_FIRST, _ACTS, _KEYS, _MODELS)
"""Script ``i`` makes version ``i + 1`` of version ``i``. What once stood in a release is never changed."""
VERSION = len(MIGRATIONS)
_CREATION = 0x57424E44
"""Key of the advisory lock under which the first process makes the tables."""


def prepare(sql: Any, schema: str) -> None:
    """Make schema and lease where they are not there; inside a transaction of the caller's.

    Raises
    ------
    ConfigError
        A schema of that name belongs to something else.
    """
    sql.execute("SELECT pg_advisory_xact_lock(%s)", (_CREATION,))
    if not sql.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,)).fetchone():
        sql.execute(f'CREATE SCHEMA "{schema}"')
    found = {
        row[0]
        for row in sql.execute(
            "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE nspname = %s AND relkind IN ('r', 'v', 'm', 'p')",
            (schema,),
        ).fetchall()
    }
    if {"lease", "version"} <= found:
        return
    if found:
        raise ConfigError(
            f"The schema {schema!r} holds tables of another program ({', '.join(sorted(found)[:5])}). Give another "
            "schema."
        )
    run(sql, BASE)
    migrate(sql)


def migrate(sql: Any) -> None:
    """Bring the tables to this release's version; inside the transaction that took the lead, or made the tables.

    Raises
    ------
    StateVersionError
        They were written by a newer release.
    """
    version = int(sql.execute("SELECT version FROM version FOR UPDATE").fetchone()[0])
    if version > VERSION:
        raise StateVersionError(
            f"The database was written by a newer release (format {version}, this release knows {VERSION}). Upgrade "
            "this Watchband, or restore the dump that was made before the upgrade."
        )
    for number in range(version, VERSION):
        run(sql, MIGRATIONS[number])
    if version < VERSION:
        sql.execute("UPDATE version SET version = %s", (VERSION,))


def run(sql: Any, script: str) -> None:
    """Every statement of a script."""
    for statement in script.split(";\n"):
        if statement.strip():
            sql.execute(statement)
