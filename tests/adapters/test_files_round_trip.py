"""Random series, written in every format, come back equal; memory does not grow with the file."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchband.adapters.sources.files import open_table
from watchband.adapters.sources.files.hints import BATCH_VALUES_MAX

Series = dict[str, list[tuple[int, float]]]
START = 1_700_000_000

values = st.floats(allow_nan=True, allow_infinity=False, width=64)
series = st.lists(st.tuples(st.integers(1, 10_000), values), min_size=3, max_size=30)
fleets = st.dictionaries(st.sampled_from(["web-1", "web-2", "db", "x y", 'q"u', "ü"]), series, min_size=1)


def number(value: float) -> str:
    return "" if np.isnan(value) else repr(value)


def long_rows(fleet: Series) -> list[tuple[int, str, float]]:
    """Rows of all hosts in time order."""
    return sorted(((t, host, v) for host, points in fleet.items() for t, v in points), key=lambda row: row[0])


def stamp(second: int) -> str:
    return str(np.datetime64(START + second, "s"))


def to_csv(fleet: Series) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["timestamp", "host", "load"])
    writer.writerows((stamp(t), host, number(v)) for t, host, v in long_rows(fleet))
    return out.getvalue().encode()


def to_epoch_tsv(fleet: Series) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter="\t", lineterminator="\r\n")
    writer.writerow(["load", "host", "time"])
    writer.writerows((number(v), host, (START + t) * 1000) for t, host, v in long_rows(fleet))
    return out.getvalue().encode()


def to_json_lines(fleet: Series) -> bytes:
    rows = ({"ts": stamp(t) + "Z", "host": host, "load": None if np.isnan(v) else v} for t, host, v in long_rows(fleet))
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def to_prometheus(fleet: Series) -> bytes:
    result = [
        {"metric": {"__name__": "load", "host": host}, "values": [[START + t, repr(v)] for t, v in points]}
        for host, points in fleet.items()
    ]
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}}).encode()


def to_parquet(fleet: Series) -> bytes:
    rows = long_rows(fleet)
    table = pa.table(
        {
            "time": pa.array([(START + t) * 10**9 for t, _, _ in rows], pa.timestamp("ns")),
            "host": [host for _, host, _ in rows],
            "load": [v for _, _, v in rows],
        }
    )
    out = io.BytesIO()
    parquet.write_table(table, out)
    return out.getvalue()


FORMATS: dict[str, Callable[[Series], bytes]] = {
    "a.csv": to_csv,
    "a.tsv": to_epoch_tsv,
    "a.jsonl": to_json_lines,
    "a.json": to_prometheus,
    "a.parquet": to_parquet,
}


@pytest.mark.parametrize("name", FORMATS)
@given(fleet=fleets)
def test_what_is_written_comes_back(name: str, fleet: dict[str, list[tuple[int, float]]]) -> None:
    for host, points in fleet.items():
        steps = np.cumsum([step for step, _ in points])
        fleet[host] = [(int(t), v) for t, (_, v) in zip(steps, points, strict=True)]
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(FORMATS[name](fleet))
        with open_table(path) as table:
            got: Series = {key.labels["host"]: [] for key in table.keys}
            assert {key.metric for key in table.keys} == {"load"}
            for batch in table.batches():
                for row, time, value in zip(batch.row, batch.times, batch.values, strict=True):
                    got[table.keys[row].labels["host"]].append((int(time) // 10**9 - START, float(value)))
    assert table.problems == []
    assert {h: repr(p) for h, p in got.items()} == {h: repr(p) for h, p in fleet.items()}


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_memory_is_bounded(tmp_path: Path, form: str) -> None:
    """What Python allocates while a file is read stays far below what is read, whatever its length."""
    rows = 400_000 if form != "jsonl" else 120_000
    path = tmp_path / f"cpu.{form}"
    stamps = np.datetime_as_string(np.datetime64("2025-02-17T00:00:00") + np.arange(rows) * np.timedelta64(1, "s"))
    if form == "csv":
        path.write_text("timestamp,value\n" + "\n".join(f"{t},{k % 7}.5" for k, t in enumerate(stamps)))
    elif form == "jsonl":
        path.write_text("\n".join(f'{{"timestamp":"{t}","value":{k % 7}.5}}' for k, t in enumerate(stamps)))
    else:
        parquet.write_table(pa.table({"timestamp": stamps.tolist(), "value": np.arange(rows) % 7 + 0.5}), path)
    seen, arrow = 0, pa.total_allocated_bytes()
    with open_table(path) as table:
        tracemalloc.start()
        try:
            for batch in table.batches():
                assert len(batch) <= BATCH_VALUES_MAX
                assert pa.total_allocated_bytes() - arrow < 40e6
                seen += int(batch.values.sum() * 2)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert seen == sum((k % 7) * 2 + 1 for k in range(rows))
    assert peak < (20e6 if form != "jsonl" else 60e6)
