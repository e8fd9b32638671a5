"""What the shared store has beyond the contract: one process leads, the others wait, and what breaks comes back."""

from __future__ import annotations

import inspect
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psycopg
import pytest

from tests.servers.postgres import Server
from watchband.adapters.stores.postgres import lease, schema
from watchband.adapters.stores.postgres.database import Address, mapped
from watchband.adapters.stores.postgres.settings import PostgresSettings
from watchband.adapters.stores.postgres.store import PostgresStore
from watchband.core.clock import SystemClock
from watchband.core.errors import (
    AdapterError,
    ConfigError,
    FencedError,
    InvalidParameterError,
    PermanentError,
    StateVersionError,
    TransientError,
)
from watchband.core.ports import Commit, FoldRecord, Notice, Readings
from watchband.core.secret import Secret
from watchband.core.series import SeriesKey
from watchband.testing.contracts.outbox import an_alert

KEY = SeriesKey("cpu", {"host": "a"})
Open = Callable[..., PostgresStore]


def one(sequence: int, points: int = 3, key: SeriesKey = KEY) -> Commit:
    readings = [Readings(key, np.arange(points) + 10 * sequence, np.full(points, float(sequence)))]
    return Commit("s", sequence, readings, (), {"p": str(sequence)})


@pytest.fixture
def database(postgres: Server) -> str:
    return postgres.database()


@pytest.fixture
def opened(postgres: Server, database: str) -> Iterator[Open]:
    stores = []

    def open_store(**settings: object) -> PostgresStore:
        store = PostgresStore(database, **{"password": Secret(postgres.password), "lease_s": 60.0} | settings)  # type: ignore[arg-type]
        stores.append(store)
        return store

    yield open_store
    for store in stores:
        store.close()


def run_out(server: Server, database: str) -> None:
    """The lease ends, as if its process had not been heard of."""
    server.do(database, "UPDATE watchband.lease SET expires = clock_timestamp()")


def test_one_leads_and_the_other_waits_until_it_is_closed(opened: Open) -> None:
    first, second = opened(), opened()
    assert first.lead()
    assert not second.lead()
    first.commit(one(1))
    with pytest.raises(FencedError, match=rf"Another process leads \({first.holder}, for \d"):
        second.commit(one(2))
    first.close()
    assert second.lead(30.0)
    second.commit(one(2))
    assert [entry.sequence for entry in second.log("s", 0)] == [1, 2]


def test_who_was_overtaken_changes_nothing(opened: Open, postgres: Server, database: str) -> None:
    first, second = opened(), opened()
    first.commit(one(1))
    first.adopt("s", "w", FoldRecord("abc", 1))
    run_out(postgres, database)
    assert second.lead()
    notice = Notice(an_alert(), 1, "x")
    for attempt in (
        lambda: first.commit(one(2)),
        lambda: first.adopt("s", "w", FoldRecord("other", 1)),
        lambda: first.forget("s", "w"),
        lambda: first.snapshot("s", "w", 1, b"x"),
        lambda: first.outbox(0),
        lambda: first.delivered([notice]),
        lambda: first.postponed(notice, 1, ""),
        lambda: first.dead(notice, ""),
        lambda: first.revive([notice]),
    ):
        with pytest.raises(FencedError):
            attempt()
    assert (second.head("s"), second.fold("s", "w"), second.restore("s", "w")) == (1, FoldRecord("abc", 1), None)
    second.commit(one(2))
    second.close()
    assert first.lead(), "it may lead again, after the other"
    with pytest.raises(TransientError, match="does not follow 2"):
        first.commit(one(2))


def test_an_entry_under_way_is_finished_before_the_next_process_leads(
    opened: Open, postgres: Server, database: str
) -> None:
    first, second = opened(), opened()
    first.commit(one(1))
    run_out(postgres, database)
    with first.writing() as sql:
        assert not second.lead()
        sql.execute("UPDATE heads SET head = 7")
    assert second.lead()
    assert second.head("s") == 7


def test_who_stops_in_the_middle_of_a_transaction_loses_it_and_the_lead(
    opened: Open, postgres: Server, database: str
) -> None:
    first, second = opened(lease_s=1.0), opened()
    first.commit(one(1))

    def interrupted() -> None:
        with first.writing() as sql:
            sql.execute("UPDATE heads SET head = 7")
            first._lease._ended.set()  # A process that is stopped renews nothing.
            assert second.lead(20.0)
            second.commit(one(2))
            sql.execute("SELECT 1")

    with pytest.raises(TransientError):
        interrupted()
    with pytest.raises(FencedError):
        first.commit(one(2))
    assert second.head("s") == 2


@pytest.mark.parametrize("held", ["within a statement", "between two statements", "while it renews"])
def test_who_is_held_with_the_lead_locked_is_taken_over_from(
    opened: Open, postgres: Server, database: str, held: str
) -> None:
    first, second = opened(lease_s=60.0), opened(lease_s=0.5)
    first.commit(one(1))
    first._lease._ended.set()
    run_out(postgres, database)
    of = first._lease._renewals if held == "while it renews" else first._database
    ready, end = threading.Event(), threading.Event()

    def stopped() -> None:
        with of.transaction() as sql:
            if held == "while it renews":
                sql.execute(f"UPDATE lease SET expires = clock_timestamp() RETURNING {lease.NAMED}")
            else:
                first._lease.hold(sql)
                sql.execute("UPDATE heads SET head = 7")
            ready.set()
            if held == "within a statement":
                sql.execute("SELECT pg_sleep(50)")
            end.wait(50)

    with ThreadPoolExecutor(1) as threads:
        under_way = threads.submit(stopped)
        assert ready.wait(30)
        assert second.lead(30.0), "it waits for the server's time limits"
        second.commit(one(2))
        end.set()
        with pytest.raises(TransientError):
            under_way.result(30)
    assert second.head("s") == 2, "what was under way is undone"
    with pytest.raises(FencedError):
        first.commit(one(2))


def test_who_leads_is_never_ended_and_who_is_late_may_finish(opened: Open, postgres: Server, database: str) -> None:
    first, second, late = opened(lease_s=60.0), opened(lease_s=0.5), opened(lease_s=60.0)
    first.commit(one(1))
    with first.writing() as sql:
        sql.execute("UPDATE heads SET head = 3")
        assert not second.lead(1.0), "the lease has not run out"
        run_out(postgres, database)
        assert not late.lead(1.0), "it has, but only just"
        sql.execute("UPDATE heads SET head = 7")
    assert late.lead()
    assert late.head("s") == 7


def test_of_two_installations_in_a_database_only_the_own_is_ended(
    opened: Open, postgres: Server, database: str
) -> None:
    other = opened(schema="other")
    first, second = opened(), opened(lease_s=0.5)
    for store in (other, first):
        store.commit(one(1))
    assert first._lease.token == other._lease.token
    first._lease._ended.set()

    def lost() -> None:
        with first.writing() as sql:
            run_out(postgres, database)
            assert second.lead(30.0)
            sql.execute("SELECT 1")

    with other.writing() as theirs:
        with pytest.raises(TransientError):
            lost()
        theirs.execute("SELECT 1")
    other.commit(one(2))
    assert other.head("s") == 2


def test_a_lease_is_renewed_as_long_as_its_process_lives(opened: Open, postgres: Server, database: str) -> None:
    first, second = opened(lease_s=2.0), opened()
    first.commit(one(1))
    ends = set()
    until = time.monotonic() + 30
    while len(ends) < lease.RENEWALS + 2:
        assert time.monotonic() < until, "it is not renewed"
        ends |= set(postgres.do(database, "SELECT expires FROM watchband.lease"))
        time.sleep(0.1)
    assert not second.lead()
    assert first.lead()


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
