"""``watchband archive``: commands, one query over archive and live store, tables whose columns are those of parts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlglot
from sqlglot import exp
from typer.testing import CliRunner

from tests.adapters.archives import KEYS, START, at, fill, held, readings
from tests.servers.moto import KEYS as AWS
from tests.servers.moto import Moto
from watchband.adapters.archive.archive import DATASETS
from watchband.adapters.archive.ask import FarLake
from watchband.adapters.archive.export import Exporter
from watchband.adapters.archive.rows import COLUMNS
from watchband.adapters.archive.tables import definitions
from watchband.adapters.stores.sqlite.store import SqliteStore
from watchband.apps.cli.main import app
from watchband.core.duration import DAY
from watchband.core.errors import ConfigError
from watchband.core.ports import Commit, Readings

PARQUET = {
    "string": "VARCHAR",
    "map<string,string>": "MAP(VARCHAR, VARCHAR)",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "bigint": "BIGINT",
    "int": "INTEGER",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    store = SqliteStore(tmp_path / "data")
    fill(store)
    store.close()
    return tmp_path / "data"


@pytest.fixture(scope="module")
def moto() -> Iterator[Moto]:
    with Moto() as server:
        yield server


def said(*words: str, code: int = 0) -> str:
    found = CliRunner().invoke(app, ["archive", *words])
    assert found.exit_code == code, found.output
    return found.output


def test_the_commands(data: Path, tmp_path: Path) -> None:
    far = f"file://{tmp_path}/far/"
    made = json.loads(said("export", far, "--data", str(data), "--json"))
    assert made["exported"]["entries"] == 48
    assert "Wrote 0 readings" in said("export", far, "--data", str(data))
    assert "up to entry 48" in said("show", far, "--check")
    assert json.loads(said("compact", far, "--json"))["compacted"]["partitions"] == 0
    back = tmp_path / "back"
    assert "Restored" in said("restore", far, "--data", str(back))
    store = SqliteStore(back, readonly=True)
    assert held(at(far)) == readings(store)
    store.close()
    config = tmp_path / "watchband.yaml"
    config.write_text(f"store: {{kind: sqlite, path: {data}}}\narchive: {{address: '{far}'}}\n")
    assert json.loads(said("export", "--config", str(config), "--json"))["exported"]["entries"] == 0
    assert "Which archive?" in said("export", code=2)
    assert "bucket of S3" in said("tables", far, code=2)
    told = json.loads(said("query", far, "SELECT count(*) AS n FROM points", "--data", str(data), "--json"))
    assert told == [{"n": len(held(at(far)))}]


def test_one_query_counts_no_reading_twice_and_none_is_missed(data: Path, tmp_path: Path) -> None:
    store, archive = SqliteStore(data), at(f"file://{tmp_path}/far/")
    wanted = sorted((e, s, g, t) for e, s, g, _, t, _ in readings(store))

    def asked(question: str, **more: Any) -> list[dict[str, Any]]:
        with FarLake(archive, store, **more).ask(question) as reader:
            found: list[dict[str, Any]] = reader.read_all().to_pylist()
            return found

    points = "SELECT entry, series, source, time_ns, tier FROM points"
    for part in (0, 48):
        if part:
            Exporter(archive, store).run()
            fill(store, range(48, 53), 49)
            wanted = sorted((e, s, g, t) for e, s, g, _, t, _ in readings(store))
        found = asked(points)
        assert sorted((r["entry"], r["series"], r["source"], r["time_ns"]) for r in found) == wanted
        assert {r["tier"] for r in found} == ({"archive", "live"} if part else {"live"})
    span = (START + DAY, START + DAY + DAY // 2)
    inside = asked(points, span=span)
    assert sorted(r["time_ns"] for r in inside) == sorted(t for *_, t in wanted if span[0] <= t < span[1])
    # What was corrected stands as corrected, the last time it came.
    store.commit(Commit("main", 54, [Readings(KEYS[0], np.array([START + 1]), np.array([42.0]))]))
    (last,) = asked(f"SELECT value, tier FROM latest WHERE time_ns = {START + 1} AND metric = 'cpu' AND source = ''")
    assert last == {"value": 42.0, "tier": "live"}
    assert asked("SELECT count(*) AS n FROM marks") == [{"n": 13}]
    assert asked(
        "SELECT labels['zone'] AS zone FROM points WHERE metric = 'cpu' AND labels['zone'] IS NOT NULL LIMIT 1"
    )
    with pytest.raises(ConfigError, match="The views are points"):
        asked("SELECT * FROM nothing")
    with pytest.raises(ConfigError, match="one SELECT"):
        asked("DROP VIEW points")
    store.close()


def columns_of(made: exp.Expression) -> dict[str, str]:
    return {
        c.name: c.args["kind"].sql("hive").lower().replace(" ", "")
        for c in made.find(exp.Schema).expressions  # type: ignore[union-attr]
        if isinstance(c, exp.ColumnDef)
    }


@pytest.mark.parametrize("partition", ["date", "metric"])
def test_tables_are_understood_and_have_the_columns_of_the_parts(
    partition: str, data: Path, moto: Moto, monkeypatch: pytest.MonkeyPatch
) -> None:
    import duckdb

    for name, value in {**AWS, "AWS_ENDPOINT_URL": moto.url}.items():
        monkeypatch.setenv(name, value)
    moto.reset()
    where = {"LocationConstraint": AWS["AWS_REGION"]}
    moto.client("s3").create_bucket(Bucket="my-bucket", CreateBucketConfiguration=where)
    archive, store = at("s3://my-bucket/far/"), SqliteStore(data, readonly=True)
    Exporter(archive, store, partition=partition).run()
    told = definitions("athena", archive)
    parsed = [one for one in sqlglot.parse(told, read="athena") if one is not None]
    tables = {one.this.this.name: one for one in parsed if one.args["kind"] == "TABLE"}
    assert set(tables) == {f"watchband_{name}" for name in DATASETS}
    for name in DATASETS:
        by = {"readings": ["metric"] if partition == "metric" else [], "results": ["watch"]}.get(name, [])
        assert columns_of(tables[f"watchband_{name}"]) == {n: k for n, k in COLUMNS[name].items() if n not in by}
        for part in archive.parts(name)[:1]:
            with archive.place.open(archive.entry(part)) as file:
                Path(data / "part.parquet").write_bytes(file.read())
            path = str(data / "part.parquet")
            rows = duckdb.sql(f"DESCRIBE SELECT * FROM read_parquet('{path}', hive_partitioning = false)").fetchall()
            assert {row[0]: row[1] for row in rows} == {n: PARQUET[k] for n, k in COLUMNS[name].items()}
    layout = "readings/metric=${metric}/date=${date}/" if partition == "metric" else "readings/date=${date}/"
    assert f"'storage.location.template' = 's3://my-bucket/far/{layout}'" in told
    assert "'projection.date.range' = '2024-10-03,NOW+1DAYS'" in told
    assert ("'projection.metric.type' = 'injected'" in told) == (partition == "metric")
    views = [one for one in parsed if one.args["kind"] == "VIEW"]
    assert len(views) == len(DATASETS) + 3
    spectrum = definitions("redshift", archive, "spectrum.watchband")
    folders = {p.partition for name in DATASETS for p in archive.parts(name)}
    assert all(f"LOCATION 's3://my-bucket/far/{folder}/'" in spectrum for folder in folders)
    understood = [one for one in sqlglot.parse(spectrum, read="redshift") if one is not None]
    assert len(understood) == 2 * len(DATASETS) + 3 + len(folders)
    for engine, name in (("presto", "watchband"), ("athena", "No; name")):
        with pytest.raises(ConfigError):
            definitions(engine, archive, name)
    store.close()
    archive.close()
