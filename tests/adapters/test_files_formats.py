"""Prometheus JSON, JSON Lines, Parquet, compressed files, directories, globs, standard input."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from tests.adapters.conftest import Read, read_paths
from watchband.adapters.sources.files import Hints, open_table

Reader = Callable[..., Read]
S = 1739802600


def matrix(*series: tuple[dict[str, str], list[list[object]]], indent: int | None = None) -> str:
    result = [{"metric": metric, "values": values} for metric, values in series]
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}}, indent=indent)


POINTS: list[list[object]] = [[S, "0.5"], [S + 300.25, "1"], [S + 600, "NaN"], [S + 900, "+Inf"]]


@pytest.mark.parametrize("indent", [None, 2])
def test_prometheus_range_query(read: Reader, indent: int | None) -> None:
    text = matrix(
        ({"__name__": "up", "job": "node", "instance": "a:9100"}, POINTS),
        ({"__name__": "load"}, POINTS[:2]),
        indent=indent,
    )
    got = read(text, "answer.json")
    assert got.keys == ['up{instance="a:9100",job="node"}', "load"]
    times, values = got.column("times"), got.column("values")
    assert (times - S * 10**9).tolist() == [0, 300_250_000_000, 600 * 10**9, 900 * 10**9, 0, 300_250_000_000]
    assert np.array_equal(values, [0.5, 1, np.nan, np.inf, 0.5, 1], equal_nan=True)
    assert got.column("source_row").tolist() == list(range(6))
    assert "Prometheus JSON; time 'time' (epoch seconds)" in got.profile.describe()[0]


def test_without_a_name_the_file_names_the_metric(read: Reader) -> None:
    text = matrix(({"cluster": "eu"}, POINTS))
    assert read(text, "cluster_cpu_request_ratio.json").keys == ['cluster_cpu_request_ratio{cluster="eu"}']
    assert read(matrix(({}, POINTS)), "ratio.json.gz").keys == ["ratio"]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(POINTS),
        json.dumps({"result": [{"metric": {}, "values": POINTS}]}),
        json.dumps({"values": POINTS}, indent=1),
        json.dumps([{"metric": {}, "values": POINTS}]),
    ],
)
def test_bare_forms_of_a_prometheus_answer(read: Reader, text: str) -> None:
    got = read(text, "ratio.json")
    assert got.keys == ["ratio"]
    assert np.array_equal(got.column("values"), [0.5, 1, np.nan, np.inf], equal_nan=True)


def test_an_instant_query_gives_a_point_per_series(read: Reader) -> None:
    result = [{"metric": {"__name__": "up", "instance": i}, "value": [S, "1"]} for i in "ab"]
    got = read(json.dumps({"data": {"resultType": "vector", "result": result}}), "up.json")
    assert got.series == {f'up{{instance="{i}"}}': [("2025-02-17T14:30", 1.0)] for i in "ab"}


def test_what_is_no_point_is_set_aside(read: Reader) -> None:
    got = read(matrix(({}, [[S, "1"], [S + 1], "x", [S + 2, "2"]])), "ratio.json")
    assert got.column("values").tolist() == [1, 2]
    assert "2 rows set aside" in got.notes


def test_a_long_answer_is_read_series_by_series(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    from watchband.adapters.sources.files import blocks

    monkeypatch.setattr(blocks, "BLOCK_BYTES", 700)
    many = [({"__name__": "up", "pod": f"p{k}"}, [[S + j, f"{k}.{j}"] for j in range(k % 40)]) for k in range(200)]
    got = read(matrix(*many), "up.json")
    assert len(got.keys) == 200 - 5
    assert got.series['up{pod="p39"}'][-1] == ("2025-02-17T14:30:38", 39.38)


def test_an_array_of_objects(read: Reader) -> None:
    rows = [{"Timestamp": f"2025-02-17T00:0{k}:00Z", "Average": k / 2, "Unit": "Percent"} for k in range(3)]
    got = read(json.dumps(rows), "cpu.json")
    assert got.series == {
        'Average{Unit="Percent"}': [(f"2025-02-17T00:0{k}" if k else "2025-02-17T00:00", k / 2) for k in range(3)]
    }


def test_json_lines(read: Reader) -> None:
    lines = [
        {"ts": S, "host": "a", "load": 1.5},
        {"ts": S + 60, "host": "a", "load": None},
        {"ts": S + 60, "host": "b", "load": 2, "extra": {"deep": 3}},
    ]
    text = "\n".join(map(json.dumps, lines)) + '\nnonsense\n\n{"ts": 1739802720, "host": "a", "load": 4}\n'
    got = read(text, "loads.jsonl")
    assert got.keys == [f'{m}{{host="{h}"}}' for h in "ab" for m in ("load", "extra.deep")]
    assert got.series['load{host="a"}'][-1] == ("2025-02-17T14:32", 4.0)
    assert got.series['extra.deep{host="b"}'] == [("2025-02-17T14:31", 3.0)]
    assert "1 row set aside: wrong number of cells (line 4: 'nonsense' is no JSON object)" in got.notes
    assert got.column("source_row").tolist() == [0, 0, 1, 1, 2, 2, 4, 4]


@pytest.mark.parametrize(("unit", "tz"), [("s", None), ("ms", "UTC"), ("us", "Europe/Dublin"), ("ns", None)])
def test_parquet(tmp_path: Path, unit: str, tz: str | None) -> None:
    times = pa.array([S, S + 60, S + 120]).cast(pa.timestamp("s")).cast(pa.timestamp(unit))
    table = pa.table(
        {
            "time": times.cast(pa.timestamp(unit, tz)) if tz else times,
            "host": pa.array(["a", "b", "a"]).dictionary_encode(),
            "load": pa.array([1, None, 3], pa.int16()),
            "used": pa.array([0.5, 1.5, 2.5], pa.float32()),
            "tags": pa.array([[1], [2], []]),
        }
    )
    parquet.write_table(table, tmp_path / "loads.parquet")
    got = read_paths(tmp_path / "loads.parquet")
    assert got.keys == [f'{m}{{host="{h}"}}' for h in "ab" for m in ("load", "used")]
    assert got.series['load{host="a"}'] == [("2025-02-17T14:30", 1.0), ("2025-02-17T14:32", 3.0)]
    assert "nested columns are left out: tags" in got.notes


def test_the_content_decides_not_the_name(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"t": [f"2025-02-17 00:0{k}" for k in range(3)], "v": [1, 2, 3]}), tmp_path / "a.csv")
    got = read_paths(tmp_path / "a.csv")
    assert got.keys == ["a"]
    assert "the name says csv, the content is Parquet and is read as such" in got.notes
    (tmp_path / "b.log").write_text("time,v\n2025-02-17,1\n")
    assert read_paths(tmp_path / "b.log").keys == ["b.log"]


ROWS = "timestamp,value\n2025-02-17 00:00,1\n2025-02-17 00:05,2\n"


def test_directories_and_globs(tmp_path: Path) -> None:
    for name in ("a.csv", "deep/b.tsv", "deep/er/c.csv.gz", "d.txt", ".hidden.csv", "_SUCCESS.csv"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(ROWS.encode()) if name.endswith("gz") else ROWS.encode())
    assert read_paths(tmp_path).keys == ["a", "b", "c"]
    assert read_paths(str(tmp_path / "**" / "*.csv*")).keys == ["_SUCCESS", "a", "c"]
    assert read_paths([tmp_path / "a.csv", tmp_path, tmp_path / "d.txt"]).keys == ["a", "b", "c", "d"]


def test_standard_input_is_any_format_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    buffer = io.BytesIO()
    parquet.write_table(pa.table({"t": ["2025-02-17 00:00"], "value": [1.5]}), buffer)
    for content in (ROWS.encode(), gzip.compress(ROWS.encode()), buffer.getvalue(), json.dumps(POINTS).encode()):
        with open_table("-", stdin=io.BytesIO(content)) as table:
            assert [str(key) for key in table.keys] == ["stdin"]
            assert sum(map(len, table.batches())) > 0
            assert table.profile.files[0].file == "standard input"
    with pytest.raises(ValueError, match="standard input is empty"):
        open_table("-", stdin=io.BytesIO(b""))
    assert list(tmp_path.iterdir()) == []


def test_the_format_can_be_given(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text('{"t": "2025-02-17 00:00", "v": 1, "data": {"x": 1}}\n')
    assert read_paths(path, format="jsonl").keys == ["v", "data.x"]


def test_progress_goes_from_nothing_to_all(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.csv").write_text(ROWS)
    total = 2 * len(ROWS)
    seen: list[tuple[int, int]] = []
    with open_table(tmp_path, progress=lambda done, of: seen.append((done, of))) as table:
        assert seen == [(total // 2, total), (total, total)]
        seen.clear()
        list(table.batches(lambda done, of: seen.append((done, of))))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (total, total)


def test_a_table_can_be_read_twice(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(ROWS)
    with open_table(tmp_path, Hints()) as table:
        once, twice = (np.concatenate([b.values for b in table.batches()]) for _ in range(2))
    assert once.tolist() == twice.tolist()
