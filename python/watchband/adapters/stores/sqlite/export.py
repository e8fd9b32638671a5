"""The log as a table that ``watchband detect`` reads: what was folded live, in the order in which it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from watchband.core.errors import ConfigError
from watchband.core.ports import Arrival, Commit, Store

SUFFIXES = (".parquet", ".csv")
OWN = ("time", "metric", "value")
ENTRIES = 256


def export(
    store: Store, shard: str, path: Path, span: tuple[int, int], *, late: bool = False
) -> tuple[int, Mapping[str, str]]:
    """Write the readings of a log as a long table: ``time``, ``metric``, a column for each label, ``value``.

    Readings that came too late to be judged are left out unless ``late``.

    Returns
    -------
    rows : int
        Readings that were written.
    columns : mapping of str to str
        Label of each column of labels.
    """
    if path.suffix not in SUFFIXES:
        raise ConfigError(f"The log is written to {' or '.join(SUFFIXES)}. Got {path.name!r}.")
    if path.exists():
        raise ConfigError(f"{path} is there already. Give another name.")
    names = sorted({name for s in store.series() for name in dict(s.key.labels)})
    columns = {f"label_{name}" if name in OWN else name: name for name in names}
    writer: Any = None
    rows = 0
    partial = path.with_name(path.name + ".partial")
    try:
        for table in _tables(store, shard, columns, span, late):
            writer = writer or _writer(path.suffix, partial, table.schema)
            writer.write_table(table)
            rows += table.num_rows
    finally:
        if writer is not None:
            writer.close()
    if writer is None:
        raise ConfigError("There are no readings in that range of the log.")
    partial.rename(path)
    return rows, columns


def _writer(suffix: str, path: Path, schema: Any) -> Any:
    if suffix == ".csv":
        from pyarrow import csv

        return csv.CSVWriter(path, schema)
    import pyarrow.parquet as pq

    return pq.ParquetWriter(path, schema, compression="zstd")


def _tables(store: Store, shard: str, columns: Mapping[str, str], span: tuple[int, int], late: bool) -> Iterator[Any]:
    page: list[Commit] = []
    for entry in store.log(shard, 0):
        page.append(entry)
        if len(page) >= ENTRIES:
            yield from _table(page, columns, span, late)
            page = []
    yield from _table(page, columns, span, late)


def _table(page: list[Commit], columns: Mapping[str, str], span: tuple[int, int], late: bool) -> Iterator[Any]:
    import pyarrow as pa

    readings = [r for e in page for r in e.readings if len(r.times) and (late or r.arrival is not Arrival.LATE)]
    if not readings:
        return
    counts = [len(r.times) for r in readings]
    times = np.concatenate([r.times for r in readings])
    inside = np.flatnonzero((times >= span[0]) & (times < span[1]))

    def spread(values: list[str | None]) -> Any:
        known = sorted({v for v in values if v is not None})
        place = {v: i for i, v in enumerate(known)}
        index = np.repeat(np.array([place.get(v, -1) if v is not None else -1 for v in values]), counts)[inside]
        return pa.DictionaryArray.from_arrays(
            pa.array(index.astype(np.int32), mask=index < 0), pa.array(known, pa.string())
        ).dictionary_decode()

    yield pa.table(
        {
            "time": pa.array(times[inside], pa.timestamp("ns", "UTC")),
            "metric": spread([r.key.metric for r in readings]),
            **{c: spread([dict(r.key.labels).get(name) for r in readings]) for c, name in columns.items()},
            "value": pa.array(np.concatenate([r.values for r in readings])[inside]),
        }
    )
