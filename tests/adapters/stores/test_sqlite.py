"""What the embedded store has beyond the contract: one process, one version, one directory, and errors that help."""

from __future__ import annotations

import gzip
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from watchband.adapters.stores.sqlite import schema
from watchband.adapters.stores.sqlite.store import SqliteStore
from watchband.core.errors import ConfigError, PermanentError, StateVersionError, TransientError
from watchband.core.keeping import Trim
from watchband.core.ports import Arrival, Commit, FoldRecord, Readings
from watchband.core.series import SeriesKey

FILE = "watchband.db"
GOLDEN = Path(__file__).parents[2] / "golden" / "stores"
KEY = SeriesKey("cpu", {"host": "a"})


def one(sequence: int, points: int = 3) -> Commit:
    readings = [Readings(KEY, np.arange(points) + 10 * sequence, np.full(points, float(sequence)))]
    return Commit("s", sequence, readings, (), {"p": str(sequence)})


def test_only_this_user_may_read_it(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a" / "b")
    store.commit(one(1))
    for path in (tmp_path / "a" / "b", tmp_path / "a" / "b" / FILE):
        assert not path.stat().st_mode & 0o077, path
    store.close()


def test_a_second_process_is_told_who_has_it(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path)
    with pytest.raises(PermanentError, match=rf"in use by another process \({os.getpid()}\)"):
        SqliteStore(tmp_path)
    store.close()
    SqliteStore(tmp_path).close()


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    program = textwrap.dedent(f"""
        import sys, numpy as np
        sys.path[:0] = {sys.path!r}
        from watchband.adapters.stores.sqlite.store import SqliteStore
        from tests.adapters.stores.test_sqlite import one
        store = SqliteStore({str(tmp_path)!r})
        at = store.head("s")
        while True:
            at += 1
            store.commit(one(at))
            print(at, flush=True)
    """)
    for kill_after in (1, 7, 30):
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _ in range(kill_after):
                process.stdout.readline()
            process.send_signal(signal.SIGKILL)
            said = process.stdout.read().split()
        store = SqliteStore(tmp_path)
        head = store.head("s")
        assert head >= (int(said[-1]) if said else kill_after)
        entries = list(store.log("s", 0))
        assert [e.sequence for e in entries] == list(range(1, head + 1))
        assert all(e.readings[0].values.tolist() == [float(e.sequence)] * 3 for e in entries)
        assert store.positions("s") == {"p": str(head)}
        store.close()


def test_a_file_of_a_newer_release_is_left_alone(tmp_path: Path) -> None:
    SqliteStore(tmp_path).close()
    with sqlite3.connect(tmp_path / FILE) as sql:
        sql.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(StateVersionError, match="newer release"):
        SqliteStore(tmp_path)
    assert (tmp_path / FILE).read_bytes() == before


def test_a_file_of_another_program_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE) as sql:
        sql.execute("CREATE TABLE mine (x)")
    with pytest.raises(StateVersionError, match="another program"):
        SqliteStore(tmp_path)


def test_an_upgrade_keeps_a_copy_and_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SqliteStore(tmp_path)
    store.commit(one(1))
    store.close()
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, "CREATE TABLE later (x);\n"))
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
    store = SqliteStore(tmp_path)
    assert store.head("s") == 1
    store.close()
    with sqlite3.connect(tmp_path / f"{FILE}.before-v{schema.VERSION}") as sql:
        assert sql.execute("SELECT count(*) FROM log").fetchone() == (1,)
        assert sql.execute("SELECT count(*) FROM sqlite_master WHERE name = 'later'").fetchone() == (0,)


def test_an_upgrade_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    SqliteStore(tmp_path).close()
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, "CREATE TABLE later (x);\nNONSENSE;\n"))
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
    with pytest.raises(TransientError):
        SqliteStore(tmp_path)
    monkeypatch.undo()
    store = SqliteStore(tmp_path)
    with store.database.reading() as sql:
        assert sql.execute("SELECT count(*) FROM sqlite_master WHERE name = 'later'").fetchone() == (0,)
    store.close()


def test_a_damaged_file_says_what_to_do(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path)
    for sequence in range(1, 50):
        store.commit(one(sequence, 2000))
    store.close()
    path = tmp_path / FILE
    data = bytearray(path.read_bytes())
    data[4096 : len(data) // 2] = b"\xff" * (len(data) // 2 - 4096)
    path.write_bytes(bytes(data))
    with pytest.raises(PermanentError, match="restore a backup"):
        list(SqliteStore(tmp_path).log("s", 0))


def test_no_file_at_all(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match="cannot be used"):
        SqliteStore(tmp_path / "file" / "sub")
    (tmp_path / FILE).write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(PermanentError, match="damaged"):
        SqliteStore(tmp_path)


def test_what_could_not_be_opened_is_not_held(tmp_path: Path) -> None:
    (tmp_path / "watchband.db").mkdir()
    with pytest.raises(ConfigError):
        SqliteStore(tmp_path)
    (tmp_path / "watchband.db").rmdir()
    SqliteStore(tmp_path).close()


def test_a_full_disk_is_worth_another_try(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path)
    with store.database.reading() as sql:
        pages = sql.execute("PRAGMA page_count").fetchone()[0]
        sql.execute(f"PRAGMA max_page_count = {pages + 2}")
    # Noise, which does not compress.
    values = np.random.default_rng(1).normal(size=100_000)
    large = Commit("s", 1, [Readings(KEY, np.arange(100_000), values)])
    with pytest.raises(TransientError, match=r"disk .* is full"):
        store.commit(large)
    with store.database.reading() as sql:
        sql.execute("PRAGMA max_page_count = 1000000")
    store.commit(large)
    (entry,) = store.log("s", 0)
    assert len(entry.readings[0].times) == 100_000
    store.close()


def test_a_series_whose_first_commit_failed_gets_its_own_number(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path)
    other = SeriesKey("other")
    with pytest.raises(TransientError):
        store.commit(Commit("s", 2, [Readings(other, np.zeros(1, np.int64), np.zeros(1))]))
    store.commit(one(1))
    store.commit(Commit("s", 2, [Readings(other, np.zeros(1, np.int64), np.ones(1))]))
    assert [e.readings[0].key for e in store.log("s", 0)] == [KEY, other]
    store.close()


def test_a_large_snapshot_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watchband.adapters.stores.sqlite.store.PART", 1000)
    store = SqliteStore(tmp_path)
    state = bytes(range(256)) * 40
    store.snapshot("s", "w", 5, b"x" * 20_000)
    store.snapshot("s", "w", 7, state)
    assert store.restore("s", "w") == (7, state)
    store.close()


def test_a_backup_is_a_store(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "live")
    store.commit(one(1))
    (tmp_path / "copy").mkdir()
    store.database.backup(tmp_path / "copy" / FILE)
    store.commit(one(2))
    copy = SqliteStore(tmp_path / "copy")
    assert (copy.head("s"), store.head("s")) == (1, 2)
    copy.close()
    store.close()


def test_after_close_it_says_so(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path)
    store.close()
    with pytest.raises(PermanentError, match="closed"):
        store.commit(one(1))


def test_the_first_format_is_brought_forward_with_everything(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(gzip.decompress((GOLDEN / "v1.db.gz").read_bytes()))
    with pytest.raises(StateVersionError, match="older release"):
        SqliteStore(tmp_path, readonly=True)
    store = SqliteStore(tmp_path)
    assert (store.head("engine"), dict(store.positions("engine"))) == (5, {"push": "5"})
    entries = list(store.log("engine", 0))
    assert [e.readings[0].values.tolist() for e in entries] == [[i, i + 1.0, i + 2.0] for i in range(1, 6)]
    assert all(e.readings[1].arrival is Arrival.LATE and e.events for e in entries)
    assert store.restore("engine", "w") == (3, b"state of entry 3" * 100)
    assert [a.opened for a in store.alerts()] == [e.readings[0].times[0] for e in entries if e.sequence in (2, 4)]
    assert [n.error for n in store.dead_letters()] == ["gone"]
    assert [(n.sink, n.tries) for n in store.outbox(10)] == [("x", 1), ("y", 0)]
    assert [(s.source, s.points) for s in store.series()] == [("push", 15), ("late", 5)]
    with store.database.reading() as sql:
        assert sql.execute("PRAGMA auto_vacuum").fetchone() == (schema.INCREMENTAL,)
    store.close()
    with sqlite3.connect(tmp_path / f"{FILE}.before-v{schema.VERSION}") as sql:
        assert sql.execute("PRAGMA user_version").fetchone() == (1,)


def test_one_may_look_while_another_writes(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no data"):
        SqliteStore(tmp_path, readonly=True)
    store = SqliteStore(tmp_path)
    store.commit(one(1))
    look = SqliteStore(tmp_path, readonly=True)
    assert look.head("s") == 1
    store.commit(one(2))
    assert (look.head("s"), [s.points for s in look.series()]) == (2, [6])
    with pytest.raises(PermanentError, match="to look at only"):
        look.commit(one(3))
    look.close()
    store.close()


def test_a_directory_that_cannot_be_written_is_said_to_be(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path)
    with store.database.reading() as sql:
        sql.execute("PRAGMA query_only = ON")
    with pytest.raises(TransientError, match="read-only"):
        store.commit(one(1))
    store.close()


def test_room_that_entries_leave_is_given_back(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path)
    store.adopt("s", "w", FoldRecord("abc", 0))
    noise = np.random.default_rng(1)
    for sequence in range(1, 21):
        store.commit(Commit("s", sequence, [Readings(KEY, np.arange(10_000), noise.normal(size=10_000))]))
    store.snapshot("s", "w", 20, b"x")

    def pages() -> int:
        with store.database.reading() as sql:
            return int(sql.execute("PRAGMA page_count").fetchone()[0])

    full = pages()
    assert store.trim(Trim("s", 19)) == 19
    assert pages() < full / 5
    store.close()
