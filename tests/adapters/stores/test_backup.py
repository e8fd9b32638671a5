"""Backup and restore: whole, consistent, checked; what was there is never lost."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.champions import champion
from tests.pipeline.test_retention import ENTRIES, KEYS, START, Now, everything, filled, run
from watchband.adapters.stores.archive import FOLDER, ParquetArchive
from watchband.adapters.stores.sqlite.backup import MANIFEST, MODELS, backup, restore
from watchband.adapters.stores.sqlite.store import SqliteStore
from watchband.apps.cli.main import app
from watchband.core.duration import DAY
from watchband.core.errors import ConfigError, PermanentError
from watchband.core.ports import Commit, Readings
from watchband.pipeline.retention import Retention


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    clock = Now(START + 4 * DAY)
    made = filled(SqliteStore(tmp_path / "data", clock=clock))
    run(Retention(made, archive=ParquetArchive(tmp_path / "data" / FOLDER), raw=2 * DAY, clock=clock))
    assert isinstance(made, SqliteStore)
    return made


def contents(directory: Path) -> tuple[object, ...]:
    store = SqliteStore(directory)
    found = everything(store, ParquetArchive(directory / FOLDER)), store.states(), store.head("s"), store.series()
    store.close()
    return found


def test_a_backup_restored_is_the_store_as_it_was(store: SqliteStore, tmp_path: Path) -> None:
    made = backup(tmp_path / "data", tmp_path / "copy")
    assert (made.entries, made.series, made.files, made.linked) == (48, 2, 2, 2)
    store.commit(Commit("s", ENTRIES + 1, [Readings(KEYS[0], np.array([START]), np.ones(1))]))
    store.close()
    restore(tmp_path / "copy", tmp_path / "new")
    found = contents(tmp_path / "new")
    assert found[2] == ENTRIES
    assert not (tmp_path / "new").stat().st_mode & 0o077
    assert sorted(p.name for p in tmp_path.iterdir()) == ["copy", "data", "new"]
    restore(tmp_path / "copy", tmp_path / "data", replace=True)
    assert contents(tmp_path / "data") == found
    assert contents(tmp_path / "data.before-restore")[2] == ENTRIES + 1


def test_models_are_in_it_with_checksums(store: SqliteStore, tmp_path: Path) -> None:
    store.close()
    folder = tmp_path / "data" / MODELS
    folder.mkdir()
    for name in ("a.wbm", "b.wbm"):
        (folder / name).write_bytes(name.encode() * 100)
    (folder / "c.part").write_bytes(b"not whole")
    made = backup(tmp_path / "data", tmp_path / "copy")
    assert sorted(made.models) == ["a.wbm", "b.wbm"]
    restore(tmp_path / "copy", tmp_path / "new")
    assert (tmp_path / "new" / MODELS / "b.wbm").read_bytes() == b"b.wbm" * 100
    assert sorted(p.name for p in (tmp_path / "new" / MODELS).iterdir()) == ["a.wbm", "b.wbm"]
    # On another disk it would be a copy: a link would change the store's own file.
    (tmp_path / "copy" / MODELS / "a.wbm").unlink()
    with pytest.raises(PermanentError, match=r"a\.wbm is missing or was changed"):
        restore(tmp_path / "copy", tmp_path / "other")
    (tmp_path / "copy" / MODELS / "a.wbm").write_bytes(b"another")
    with pytest.raises(PermanentError, match=r"a\.wbm is missing or was changed"):
        restore(tmp_path / "copy", tmp_path / "other")
    assert not (tmp_path / "other").exists()
    manifest = json.loads((tmp_path / "copy" / MANIFEST).read_text())
    del manifest["models"]
    (tmp_path / "copy" / MANIFEST).write_text(json.dumps(manifest))
    assert restore(tmp_path / "copy", tmp_path / "other").models == {}, "a backup of an earlier release"


def test_models_that_lie_outside_are_named(store: SqliteStore, tmp_path: Path) -> None:
    store.close()
    champion(tmp_path / "models" / "cpu")
    (tmp_path / "w.yaml").write_text(
        "store: {path: data}\nsources: {push: {}}\nwatches: {cpu: {model: models/cpu}, other: {match: x}}\n"
    )
    said = CliRunner().invoke(app, ["backup", str(tmp_path / "copy"), "--config", str(tmp_path / "w.yaml")])
    assert said.exit_code == 0, said.output
    assert f"Not in it: {tmp_path / 'models' / 'cpu'} (model of the watch cpu)" in said.output
    assert said.output.count("Not in it") == 1


def test_it_is_consistent_while_another_writes(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "data")
    stop = threading.Event()

    def write() -> None:
        at = 0
        while not stop.is_set():
            at += 1
            store.commit(Commit("s", at, [Readings(KEYS[0], np.arange(500) + at, np.ones(500))], (), {"p": str(at)}))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            backup(tmp_path / "data", tmp_path / str(number))
    finally:
        stop.set()
        writer.join()
        store.close()
    for number in range(3):
        copy = SqliteStore(tmp_path / str(number))
        head = copy.head("s")
        assert [e.sequence for e in copy.log("s", 0)] == list(range(1, head + 1))
        assert dict(copy.positions("s")) == ({"p": str(head)} if head else {})
        copy.close()


def test_nothing_is_overwritten(store: SqliteStore, tmp_path: Path) -> None:
    backup(tmp_path / "data", tmp_path / "copy")
    with pytest.raises(ConfigError, match="there already"):
        backup(tmp_path / "data", tmp_path / "copy")
    with pytest.raises(ConfigError, match="is not empty"):
        restore(tmp_path / "copy", tmp_path / "data")
    with pytest.raises(PermanentError, match="in use by another process"):
        restore(tmp_path / "copy", tmp_path / "data", replace=True)
    store.close()
    with pytest.raises(ConfigError, match="is no backup"):
        restore(tmp_path / "data", tmp_path / "new")
    restore(tmp_path / "copy", tmp_path / "data", replace=True)
    with pytest.raises(ConfigError, match="from an earlier restore"):
        restore(tmp_path / "copy", tmp_path / "data", replace=True)


@pytest.mark.parametrize("what", ["database", "archive", "manifest"])
def test_a_damaged_backup_is_refused_and_changes_nothing(store: SqliteStore, tmp_path: Path, what: str) -> None:
    backup(tmp_path / "data", tmp_path / "copy")
    store.close()
    before = contents(tmp_path / "data")
    copy = tmp_path / "copy"
    if what == "database":
        data = bytearray((copy / "watchband.db").read_bytes())
        data[5000:9000] = b"\xff" * 4000
        (copy / "watchband.db").write_bytes(data)
    elif what == "archive":
        next((copy / FOLDER).glob("*/*.parquet")).unlink()
    else:
        (copy / MANIFEST).write_text("{")
    with pytest.raises(PermanentError, match="damaged"):
        restore(copy, tmp_path / "data", replace=True)
    assert contents(tmp_path / "data") == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["copy", "data"]


def test_a_damaged_store_is_not_backed_up(store: SqliteStore, tmp_path: Path) -> None:
    name = store.archived()[0].name
    store.close()
    path = tmp_path / "data" / FOLDER / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(PermanentError, match="has not its"):
        backup(tmp_path / "data", tmp_path / "copy")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data"]


def test_the_commands(store: SqliteStore, tmp_path: Path) -> None:
    def said(*args: str) -> str:
        found = CliRunner().invoke(app, list(args))
        assert found.exit_code == 0, found.output
        return found.stdout

    text = said("backup", str(tmp_path / "one"), "--data", str(tmp_path / "data"))
    assert "48 entries" in text
    assert "2 files" in text
    made = json.loads(said("backup", str(tmp_path / "two"), "--data", str(tmp_path / "data"), "--json"))
    assert (made["entries"], made["directory"]) == (48, str(tmp_path / "two"))
    store.close()
    assert "2 series" in said("restore", str(tmp_path / "one"), "--data", str(tmp_path / "new"))
    assert "before-restore" in said("restore", str(tmp_path / "one"), "--data", str(tmp_path / "new"), "--replace")
