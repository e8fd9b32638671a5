"""Readings that left the log of an embedded store before it was archived elsewhere: they lie in its own files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from watchband.adapters.archive.archive import plain
from watchband.adapters.archive.export import Local
from watchband.adapters.archive.rows import completed, from_values, values_of
from watchband.adapters.stores.archive import FOLDER
from watchband.core.ports import Arrival, Store

ROWS = 250_000
PLACE = 10**9
"""Where these readings stand in their entry: behind all others, since what came with them is not known any more."""
_NAME = re.compile(r"date=[^/]+/(.+?)-(\d{12})-(\d{12})(?:\.\..+-(\d{12}))?\.parquet")


def left_before(directory: Path, store: Store, shard: str = "main") -> Local:
    """What ``Exporter`` takes as ``local`` for the store of a directory."""

    def tables(after: int, through: int) -> Iterator[tuple[Any, int]]:
        place = PLACE
        for file in store.archived():
            found = _NAME.fullmatch(file.name)
            if found is None or found[1] != plain(shard):
                continue
            last = int(found[4] or found[3])
            if last <= after:
                continue
            for table in _read(directory / FOLDER / file.name, shard, min(last, through), place):
                place += len(table)
                yield table, last

    return tables


def _read(path: Path, shard: str, entry: int, place: int) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=ROWS):
            found = pa.Table.from_batches([batch])
            count = len(found)
            late = np.asarray(found["late"])
            yield completed(
                pa.table(
                    {
                        "series": found["series"].cast(pa.string()),
                        "time_ns": found["time"].cast(pa.int64()),
                        "value": values_of(from_values(found["value"])),
                        "source": found["source"].cast(pa.string()),
                        "arrival": np.where(late, int(Arrival.LATE), int(Arrival.ON_TIME)).astype(np.int32),
                        "shard": pa.array([shard] * count, pa.string()),
                        "entry": np.full(count, entry, np.int64),
                        "place": place + np.arange(count),
                    },
                    names=None,
                )
                .append_column("metric", pa.nulls(count, pa.string()))
                .append_column("labels", pa.nulls(count, pa.string()))
                .append_column("late", pa.array(late))
                .append_column("time", pa.nulls(count, pa.int64()))
            )
            place += count
