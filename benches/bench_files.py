"""Rows a second of every file format, looked through and read, beside pandas that reads the same file at once."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benches.timing import Case
from watchband.adapters.sources.files import open_table


def cases(points: int, peers: bool) -> list[Case]:
    """One file of ``points`` rows for each format."""
    folder = Path(tempfile.mkdtemp(prefix="watchband-bench-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    found = []
    for name, path in _write(folder, points).items():
        found.append(Case(name, "watchband", _reading(path), points, note="two readings"))
        if peers and path.suffix == ".csv":
            found.append(
                Case(name, "pandas", _pandas(path, dayfirst="slash" in path.stem), points, note="all in memory")
            )
    return found


def _reading(path: Path) -> Callable[[], object]:
    def work() -> float:
        with open_table(path) as table:
            return sum(float(batch.values.sum()) for batch in table.batches())

    return work


def _pandas(path: Path, dayfirst: bool) -> Callable[[], object]:
    import pandas

    form = "%m/%d/%Y %H:%M" if dayfirst else "ISO8601"

    def work() -> float:
        frame = pandas.read_csv(path)
        frame["timestamp"] = pandas.to_datetime(frame["timestamp"], format=form)
        return float(frame["value"].sum())

    return work


def _write(folder: Path, rows: int) -> dict[str, Path]:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    times = np.datetime64("2014-02-14T14:30") + np.arange(rows) * np.timedelta64(1, "m")
    values = np.round(np.random.default_rng(0).random(rows), 4)
    stamps = [str(t).replace("T", " ") + ":00" for t in times]
    slashes = [f"{t.month}/{t.day}/{t.year} {t.hour}:{t.minute:02}" for t in times.tolist()]
    paths = {
        "csv, ISO 8601": folder / "iso.csv",
        "csv, M/D/YYYY and a label": folder / "slash.csv",
        "JSON Lines": folder / "rows.jsonl",
        "Prometheus JSON": folder / "answer.json",
        "Parquet": folder / "rows.parquet",
    }
    iso, slash, lines, answer, table = paths.values()
    iso.write_text("timestamp,value\n" + "".join(f"{t},{v}\n" for t, v in zip(stamps, values, strict=True)))
    labelled = (f"{t},{v},web-{k % 7}\n" for k, (t, v) in enumerate(zip(slashes, values, strict=True)))
    slash.write_text("timestamp,value,host\n" + "".join(labelled))
    lines.write_text("".join(f'{{"timestamp":"{t}","value":{v}}}\n' for t, v in zip(stamps, values, strict=True)))
    seconds = times.astype("datetime64[s]").astype(np.int64).tolist()
    result = [
        {
            "metric": {"pod": str(k)},
            "values": [[t, str(v)] for t, v in zip(seconds[k::100], values[k::100], strict=True)],
        }
        for k in range(100)
    ]
    answer.write_text(json.dumps({"status": "success", "data": {"result": result}}))
    parquet.write_table(pa.table({"timestamp": times.astype("datetime64[ms]"), "value": values}), table)
    return paths
