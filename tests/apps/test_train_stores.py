"""``watchband train`` on what services keep: every kind of store gives what its readings as a file give."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import watchband as wb
from tests.apps.test_cli import run
from tests.champions import POINTS, readings, write
from tests.servers.dynamodb.server import DynamoServer
from tests.servers.postgres import Server
from watchband.adapters.stores.dynamodb.store import DynamoStore
from watchband.adapters.stores.postgres.store import PostgresStore
from watchband.adapters.stores.sqlite.store import SqliteStore
from watchband.apps.library.training import call
from watchband.apps.library.training.stored import LogFeed, StoredFeed
from watchband.apps.library.tuning.readings import gathered
from watchband.core.errors import ConfigError, DataError
from watchband.core.ports import Commit, Readings, Store
from watchband.core.secret import Secret
from watchband.core.series import SeriesKey

REST = "sources: {push: {}}\nwatches: {w: {}}\nsinks: {chat: {kind: stdout}}\n"
CPU = SeriesKey("cpu", {"host": "a"})


def fill(store: Store) -> Store:
    """Two metrics of a host in four entries."""
    times, values, _ = readings()
    assert store.lead()
    for number, begin in enumerate(range(0, POINTS, 600), 1):
        here = slice(begin, begin + 600)
        keys = (CPU, SeriesKey("mem", {"host": "a"}))
        store.commit(Commit("main", number, [Readings(key, times.view(np.int64)[here], values[here]) for key in keys]))
    return store


def train_on(config: Path, labels: Path, *words: str) -> dict[str, object]:
    said = run(
        "train", "--config", config, "--labels", labels, "--candidates", "ewma", "--trials", "1", "--json", *words
    )
    assert said.exit_code == 0, said.stderr
    return dict(json.loads(said.stdout))


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.csv"
    path.write_text("start,end\n" + "".join(f"{a}Z,{b}Z\n" for a, b in readings()[2]))
    return path


def check(store: Store, config: Path, labels: Path) -> None:
    fill(store)
    try:
        found = train_on(config, labels, "--series", 'cpu{host="a"}')
        late = train_on(config, labels, "--series", "cpu", "--since", str(readings()[0][400])[:19] + "Z")
        lost = run("train", "--config", config, "--series", "disk")
    finally:
        store.close()
    data, after = found["data"], late["data"]
    assert isinstance(data, dict)
    assert isinstance(after, dict)
    assert (data["series"], data["readings"]) == ([str(CPU)], POINTS)
    assert after["readings"] == POINTS - 400
    times, values, events = readings()
    plain = wb.train((times, values), events, candidates="ewma", trials=1, metric="cpu")
    rows, same = found["rows"], plain.rows
    assert isinstance(rows, list)
    assert rows[0]["test"]["objective"] == same[0]["test"]["objective"]
    assert lost.exit_code == 2
    assert "No series of" in lost.stderr


def test_sqlite(tmp_path: Path, labels: Path) -> None:
    (tmp_path / "w.yaml").write_text(f"store: {{path: {tmp_path / 'data'}}}\n" + REST)
    check(SqliteStore(tmp_path / "data"), tmp_path / "w.yaml", labels)


def test_postgres(postgres: Server, tmp_path: Path, labels: Path) -> None:
    url, words = postgres.database(), tmp_path / "password"
    words.write_text(postgres.password)
    (tmp_path / "w.yaml").write_text(f"store: {{kind: postgres, url: '{url}', password_file: {words}}}\n" + REST)
    check(PostgresStore(url, password=Secret(postgres.password), lease_s=60.0), tmp_path / "w.yaml", labels)


def test_dynamodb(dynamodb_server: DynamoServer, tmp_path: Path, labels: Path) -> None:
    table, access = dynamodb_server.table(), dynamodb_server.access
    told = f"kind: dynamodb, table: {table}, region: {access.region}, endpoint_url: '{access.endpoint_url}'"
    (tmp_path / "w.yaml").write_text(f"store: {{{told}}}\n" + REST)
    check(DynamoStore(table, access=access, lease_s=60), tmp_path / "w.yaml", labels)


def test_a_store_by_time_and_by_series_is_the_same(tmp_path: Path) -> None:
    fill(SqliteStore(tmp_path / "data")).close()
    feeds: list[Callable[[], StoredFeed | LogFeed]] = [
        lambda: StoredFeed(tmp_path / "data"),
        lambda: StoredFeed(tmp_path / "data", by_time=True),
        lambda: LogFeed(lambda: SqliteStore(tmp_path / "data", readonly=True), "it", "main"),
    ]
    found = [gathered(make()) for make in feeds]
    for one in found[1:]:
        assert one.keys() == found[0].keys()
        for key, (times, values) in one.items():
            assert np.array_equal(times, found[0][key][0])
            assert np.array_equal(values, found[0][key][1])


def test_more_than_fits_is_refused_while_it_is_read_and_buckets_are_what_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call, "POINTS_MAX", 1500)
    file, events = write(tmp_path / "cpu.csv"), [("cpu", a, b) for a, b in readings()[2]]
    words: dict[str, Any] = {"candidates": "ewma", "trials": 1, "budget": "4/day"}
    with pytest.raises(ConfigError, match=r"Up to 1,500 readings are held in memory, and there are more\. Gather them"):
        wb.train(str(file), events, **words)
    found = wb.train(str(file), events, resample="10m", aggregate="max", out=tmp_path / "model", **words)
    assert found.document()["data"]["readings"] == POINTS // 2
    monkeypatch.undo()
    model = wb.load_model(tmp_path / "model")
    scored = model.score(str(file))
    whole = wb.detect(str(file), detector=model.detector, resample="10m", aggregate="max", **model.configuration.policy,
                      budget="4/day")  # fmt: skip
    assert np.array_equal(scored.table["score"].to_numpy(), whole.table["score"].to_numpy(), equal_nan=True)


def test_one_of_files_data_and_config(tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text(REST)
    both = run("train", "--data", tmp_path, "--config", tmp_path / "w.yaml")
    assert both.exit_code == 2
    assert "one of them" in both.stderr
    SqliteStore(tmp_path / "data").close()
    empty = LogFeed(lambda: SqliteStore(tmp_path / "data", readonly=True), "it", "main")
    with pytest.raises(DataError, match="It keeps none"):
        list(empty.batches())
