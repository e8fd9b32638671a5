"""Simulated readings as files: CSV, JSON Lines, Parquet, Prometheus JSON, or the table that a scene is found in."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np

from watchband.apps.library.outputs.table import iso_texts
from watchband.core.errors import ConfigError
from watchband.core.series import SeriesKey
from watchband.evaluation.simulate.delivery import Arrived, Delivery, Playable

if TYPE_CHECKING:
    import pyarrow as pa

    from watchband.apps.library.simulation.call import Simulation

SUFFIXES = (".csv", ".jsonl", ".ndjson", ".parquet", ".pq", ".json")
LAYOUTS = ("auto", "long", "table")
GROUP_ROWS = 1 << 17
Progress = Callable[[int, int], None]
"""Called with series done and series in all."""


def write(simulation: Simulation, path: Path, *, layout: str = "auto", progress: Progress | None = None) -> Path:
    """Write readings as they are made; memory does not grow with their number.

    Parameters
    ----------
    simulation : Simulation
        What to write.
    path : Path
        ``.csv``, ``.jsonl`` and ``.parquet`` have the columns series, timestamp and value (CSV of a single series
        without labels: timestamp and its name), ``.json`` is the answer of a Prometheus range query.
    layout : str, default "auto"
        ``table``: the wide table that the scene is usually found in (CSV only); ``long``: the columns above;
        ``auto``: the table where the scene has one, the file is a CSV and every point arrives.
    progress : callable, optional
        Told after every series.

    Raises
    ------
    ConfigError
        A suffix or layout that there is not.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ConfigError(f"{path} has no known suffix. Expected one of {', '.join(SUFFIXES)}.")
    if layout not in LAYOUTS:
        raise ConfigError(f"The layout is one of {', '.join(LAYOUTS)}. Got {layout!r}.")
    columns = simulation.scene.columns if simulation.scene else {}
    whole = simulation.delivery == Delivery()
    if layout == "table" and not (columns and suffix == ".csv" and whole):
        raise ConfigError(
            "Only the scene 'hosts' has a table of its own, only as CSV, and only where every point arrives. Leave "
            "--layout out."
        )
    with _complete(path) as partial:
        if columns and suffix == ".csv" and whole and layout != "long":
            _write_columns(partial, columns)
        else:
            _write_long(simulation, partial, suffix, progress)
    return path


@contextmanager
def _complete(path: Path) -> Iterator[Path]:
    """A name beside the path that becomes it at the end: half a file would look like a whole one."""
    if not path.parent.is_dir():
        raise ConfigError(f"Cannot write to {path}: there is no folder {path.parent}. Make it or name another.")
    partial = path.with_name(f".{path.name}.partial")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _write_long(simulation: Simulation, path: Path, suffix: str, progress: Callable[[int, int], object] | None) -> None:
    opened = {".csv": _csv, ".json": _prometheus, ".parquet": _parquet, ".pq": _parquet}.get(suffix, _json_lines)
    single = _single_name(simulation)
    with opened(path, single) as put:
        for number, series in enumerate(simulation.series, 1):
            for arrived in simulation.delivery.readings(series):
                put(series.name, arrived)
            if progress:
                progress(number, len(simulation.series))


def long_table(readings: Iterable[tuple[Playable, Arrived]]) -> pa.Table:
    """Readings as an Arrow table with the columns series, timestamp and value."""
    import pyarrow as pa

    batches = [_batch(series.name, arrived) for series, arrived in readings if len(arrived.times)]
    return pa.Table.from_batches(batches, schema=_schema()) if batches else _schema().empty_table()


def json_line(key: str, time: str, value: float) -> str:
    """One reading as a line; ``key`` is the name of the series as JSON."""
    return f'{{"series": {key}, "timestamp": "{time}", "value": {value!r}}}\n'


def _single_name(simulation: Simulation) -> str:
    """Name of the only series, where it has no labels."""
    if len(simulation.series) != 1:
        return ""
    name = simulation.series[0].name
    return "" if SeriesKey.parse(name).labels else name


Put = Callable[[str, Arrived], None]


@contextmanager
def _csv(path: Path, single: str) -> Iterator[Put]:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(f"timestamp,{cell(single)}\n" if single else "series,timestamp,value\n")

        def put(name: str, arrived: Arrived) -> None:
            before = "" if single else cell(name) + ","
            file.writelines(
                f"{before}{time},{value!r}\n"
                for time, value in zip(iso_texts(arrived.times).tolist(), arrived.values.tolist(), strict=True)
            )

        yield put


def cell(text: str) -> str:
    """A cell of a CSV file, quoted where it needs to be."""
    row = io.StringIO()
    csv.writer(row, lineterminator="").writerow([text])
    return row.getvalue()


@contextmanager
def _json_lines(path: Path, single: str) -> Iterator[Put]:
    with path.open("w", encoding="utf-8") as file:

        def put(name: str, arrived: Arrived) -> None:
            key = json.dumps(name)
            rows = zip(iso_texts(arrived.times).tolist(), arrived.values.tolist(), strict=True)
            file.writelines(json_line(key, time, value) for time, value in rows)

        yield put


@contextmanager
def _prometheus(path: Path, single: str) -> Iterator[Put]:
    with path.open("w", encoding="utf-8") as file:
        open_series: list[str] = []
        file.write('{"status": "success", "data": {"resultType": "matrix", "result": [')

        def put(name: str, arrived: Arrived) -> None:
            _prometheus_points(file, name, arrived, open_series)

        yield put
        file.write("]}]}}\n" if open_series else "]}}\n")


def _prometheus_points(file: TextIO, name: str, arrived: Arrived, open_series: list[str]) -> None:
    pairs = ", ".join(
        f'[{time / 1e9!r}, "{value!r}"]'
        for time, value in zip(arrived.times.tolist(), arrived.values.tolist(), strict=True)
    )
    if open_series and open_series[-1] == name:
        file.write(", " + pairs if pairs else "")
        return
    key = SeriesKey.parse(name)
    metric = json.dumps({"__name__": key.metric, **key.labels})
    file.write(("]}, " if open_series else "") + f'{{"metric": {metric}, "values": [{pairs}')
    open_series.append(name)


@contextmanager
def _parquet(path: Path, single: str) -> Iterator[Put]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    held: list[Any] = []
    with pq.ParquetWriter(path, _schema(), compression="zstd") as writer:

        def put(name: str, arrived: Arrived) -> None:
            held.append(_batch(name, arrived))
            if sum(batch.num_rows for batch in held) >= GROUP_ROWS or len(held) >= GROUP_ROWS // 64:
                writer.write_table(pa.Table.from_batches(held))
                held.clear()

        yield put
        if held:
            writer.write_table(pa.Table.from_batches(held))


def _schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema([("series", pa.string()), ("timestamp", pa.timestamp("ns", "UTC")), ("value", pa.float64())])


def _batch(name: str, arrived: Arrived) -> Any:
    import pyarrow as pa

    names = pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(arrived.times), np.int32)), pa.array([name]))
    times = pa.array(arrived.times).cast(pa.timestamp("ns", "UTC"))
    return pa.record_batch([names.cast(pa.string()), times, pa.array(arrived.values)], schema=_schema())


def _write_columns(path: Path, columns: dict[str, np.ndarray]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*(column.tolist() for column in columns.values()), strict=True))
