"""What the shared store has beyond the contract: one process leads, the others wait, and what breaks comes back."""

from __future__ import annotations

import inspect
import signal
import time
from pathlib import Path

import psycopg
import pytest

from tests.adapters.stores.installation import KEY, Open, one
from tests.servers.postgres import Server
from watchband.adapters.stores.postgres import schema
from watchband.adapters.stores.postgres.database import Address, mapped
from watchband.adapters.stores.postgres.settings import PostgresSettings
from watchband.adapters.stores.postgres.store import PostgresStore
from watchband.core.clock import SystemClock
from watchband.core.errors import (
    AdapterError,
    ConfigError,
    InvalidParameterError,
    PermanentError,
    StateVersionError,
    TransientError,
)
from watchband.core.ports import Commit
from watchband.core.secret import Secret
from watchband.core.series import SeriesKey
from watchband.testing.contracts.outbox import an_alert


def test_a_restart_of_the_server_is_worth_another_try(opened: Open, postgres: Server) -> None:
    store = opened()
    for number, how in enumerate((signal.SIGINT, signal.SIGQUIT), 1):
        store.commit(one(number))
        postgres.stop(how)
        try:
            with pytest.raises(TransientError):
                store.commit(one(number + 1))
            with pytest.raises(TransientError):
                store.head("s")
        finally:
            postgres.start()
        assert store.head("s") == number, "what was acknowledged is lost"
    assert store.lead()
    store.commit(one(3))


def test_a_connection_that_was_cut_comes_back(opened: Open, postgres: Server, database: str) -> None:
    store = opened()
    store.commit(one(1))
    postgres.do(database, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    with pytest.raises(TransientError):
        store.commit(one(2))
    store.commit(one(2))


def test_a_statement_that_takes_too_long_is_given_up(opened: Open, postgres: Server, database: str) -> None:
    store = opened(timeout_s=0.2)
    store.commit(one(1))
    with psycopg.connect(database, password=postgres.password) as other:
        other.execute("LOCK TABLE watchband.log")
        with pytest.raises(TransientError, match="timeout"):
            store.commit(one(2))
    store.commit(one(2))
    assert store.head("s") == 2


def test_every_error_of_the_driver_has_a_word() -> None:
    words = {}
    for name, kind in inspect.getmembers(psycopg.errors, inspect.isclass):
        if issubclass(kind, psycopg.Error):
            with pytest.raises(AdapterError) as caught, mapped(Address("postgresql://u@h/d", Secret("hunter2"))):
                raise kind("it broke, hunter2\nLINE 1: secret detail")
            assert "hunter2" not in str(caught.value)
            assert "detail" not in str(caught.value)
            words[name] = type(caught.value)
    for name in ("SerializationFailure", "DeadlockDetected", "QueryCanceled", "AdminShutdown", "DiskFull"):
        assert words[name] is TransientError, name
    for name in ("DataCorrupted", "InsufficientPrivilege", "UndefinedTable", "SyntaxError"):
        assert words[name] is PermanentError, name


def test_a_wrong_password_is_told_without_it(postgres: Server, database: str, tmp_path: Path) -> None:
    with pytest.raises(TransientError, match="password authentication failed") as caught:
        PostgresStore(database, password=Secret("hunter2"))
    assert "hunter2" not in str(caught.value)
    (tmp_path / "password").write_text("hunter2")
    settings = PostgresSettings(url=database, password=Secret(file=str(tmp_path / "password")))
    with pytest.raises(TransientError):
        settings.open(clock=SystemClock())
    (tmp_path / "password").write_text(postgres.password)
    store = settings.open(clock=SystemClock())
    assert store.lead()
    assert postgres.password not in repr(settings) + repr(store.address)
    store.close()


def test_a_server_that_does_not_answer() -> None:
    with pytest.raises(TransientError, match="localhost:1/d"):
        PostgresStore("postgresql://u@localhost:1/d")


def test_what_is_acknowledged_is_on_disk(opened: Open, postgres: Server, database: str) -> None:
    name = database.split("/")[3].split("?")[0]
    postgres.do(database, f"ALTER DATABASE {name} SET synchronous_commit = off")
    with opened().writing() as sql:
        assert sql.execute("SHOW synchronous_commit").fetchone() == ("on",)
    postgres.stop()
    try:
        postgres.start(fsync="off")
        with pytest.raises(ConfigError, match="fsync = off"):
            opened()
    finally:
        postgres.stop()
        postgres.start()


def test_a_copy_that_may_only_be_read_is_not_taken(opened: Open, postgres: Server, database: str) -> None:
    name = database.split("/")[3].split("?")[0]
    postgres.do(database, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with pytest.raises(TransientError, match="read-only"):
        opened()


def test_a_newer_release_is_not_led(opened: Open, postgres: Server, database: str) -> None:
    opened().close()
    postgres.do(database, "UPDATE watchband.version SET version = version + 1")
    with pytest.raises(StateVersionError, match="newer release"):
        opened().lead()


def test_an_upgrade_waits_for_the_lead(
    opened: Open, postgres: Server, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = opened()
    old.commit(one(1))
    tables = "SELECT count(*) FROM pg_tables WHERE tablename = 'later'"
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, "CREATE TABLE later (x INT);\n"))
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
    new = opened()
    assert not new.lead()
    old.commit(one(2))
    assert postgres.do(database, tables) == [(0,)]
    old.close()
    assert new.lead()
    assert (postgres.do(database, tables), new.head("s")) == ([(1,)], 2)


def test_an_upgrade_that_fails_changes_nothing(
    opened: Open, postgres: Server, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened().close()
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, "CREATE TABLE later (x INT);\nNONSENSE;\n"))
        patch.setattr(schema, "VERSION", schema.VERSION + 1)
        with pytest.raises(PermanentError, match="did not understand"):
            opened().lead()
    assert postgres.do(database, "SELECT count(*) FROM pg_tables WHERE tablename = 'later'") == [(0,)]
    assert opened().lead()


def test_tables_of_another_program_are_left_alone(opened: Open, postgres: Server, database: str) -> None:
    postgres.do(database, "CREATE SCHEMA mine")
    postgres.do(database, "CREATE TABLE mine.theirs (x INT)")
    with pytest.raises(ConfigError, match=r"another program \(theirs\)"):
        opened(schema="mine")
    opened(schema="other").commit(one(1))
    assert opened().head("s") == 0, "two installations in one database"


def test_a_user_without_rights_is_told_which(postgres: Server, database: str) -> None:
    postgres.do(database, "CREATE ROLE guest LOGIN PASSWORD 'guest'")
    with pytest.raises(PermanentError, match="CREATE SCHEMA"):
        PostgresStore(database.replace("watchband@", "guest@"), password=Secret("guest"))


def test_series_that_postgres_has_no_text_for(opened: Open) -> None:
    keys = [
        SeriesKey("nul", {"a": "\0"}),
        SeriesKey("nul", {"a": "\\0"}),
        SeriesKey("nul", {"a": "\\\0\\"}),
        SeriesKey("long", {"a": "x" * 20_000}),
    ]
    store = opened()
    for number, key in enumerate(keys, 1):
        store.commit(one(number, key=key))
    store.commit(Commit("s", 5, alerts=[an_alert(series=keys[0])], routes={"w": ["x"]}, positions={"\0": "\0"}))
    (notice,) = store.outbox(0)
    store.postponed(notice, 1, "a\0b")
    store.close()
    other = opened()
    assert [entry.readings[0].key for entry in list(other.log("s", 0))[:4]] == keys
    assert other.alerts()[0].series == keys[0]
    assert (other.outbox(1)[0].error, other.positions("s")["\0"]) == ("ab", "\0")


def test_a_series_whose_first_commit_failed_gets_its_own_number(opened: Open) -> None:
    store, other = opened(), SeriesKey("other")
    with pytest.raises(TransientError):
        store.commit(one(2, key=other))
    store.commit(one(1))
    store.commit(one(2, key=other))
    assert [entry.readings[0].key for entry in store.log("s", 0)] == [KEY, other]


def test_a_large_snapshot_comes_back(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watchband.adapters.stores.postgres.store.PART", 1000)
    store, state = opened(), bytes(range(256)) * 40
    store.snapshot("s", "w", 5, b"x" * 20_000)
    store.snapshot("s", "w", 7, state)
    assert store.restore("s", "w") == (7, state)


def test_a_process_that_stands_by_is_let_go_at_once(opened: Open) -> None:
    first, second = opened(), opened()
    assert first.lead()
    began = time.monotonic()
    second.close()
    assert time.monotonic() - began < 5
    with pytest.raises(PermanentError, match="closed"):
        second.lead()


@pytest.mark.parametrize("name", ["a b", "1a", "Ä", "", 'x"; DROP', "a" * 64])
def test_a_schema_has_a_plain_name(name: str) -> None:
    with pytest.raises(InvalidParameterError, match="'schema'"):
        PostgresSettings(schema=name)
