"""Rows of an archive: columns, order and form of each data set, and the bytes of a part."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from watchband.core.duration import DAY
from watchband.core.errors import DataError
from watchband.core.events import event_to_dict
from watchband.core.points import Float64, Int64
from watchband.core.ports import Arrival, Commit, Readings
from watchband.core.series import SeriesKey

GROUP_ROWS = 100_000
"""Rows of a row group: what an engine skips by statistics, or reads."""
FORMAT_KEY, LABELS_KEY = b"watchband.archive", b"watchband.labels"
LABELS_MAX = 200
EPOCH_LEAST, EPOCH_MOST = -(2**62), 2**62
"""Times beyond these, 1823 and 2116, have no date that every engine knows."""

COLUMNS: Mapping[str, Mapping[str, str]] = {
    "readings": {
        "series": "string",
        "metric": "string",
        "labels": "map<string,string>",
        "time": "timestamp",
        "time_ns": "bigint",
        "value": "double",
        "source": "string",
        "late": "boolean",
        "arrival": "int",
        "shard": "string",
        "entry": "bigint",
        "place": "bigint",
    },
    "entries": {
        "shard": "string",
        "entry": "bigint",
        "time": "timestamp",
        "time_ns": "bigint",
        "readings": "bigint",
        "events": "string",
        "positions": "string",
    },
    "marks": {
        "kind": "string",
        "watch": "string",
        "series": "string",
        "time": "timestamp",
        "time_ns": "bigint",
        "value": "double",
        "shard": "string",
        "entry": "bigint",
        "place": "bigint",
    },
    "alerts": {
        "id": "string",
        "series": "string",
        "watch": "string",
        "detector": "string",
        "kind": "string",
        "severity": "string",
        "opened": "timestamp",
        "closed": "timestamp",
        "value": "double",
        "expected": "double",
        "lower": "double",
        "upper": "double",
        "anomaly_score": "double",
        "reason": "string",
        "body": "string",
    },
    "results": {
        "watch": "string",
        "series": "string",
        "time": "timestamp",
        "time_ns": "bigint",
        "y": "double",
        "yhat": "double",
        "yhat_lower": "double",
        "yhat_upper": "double",
        "anomaly_score": "double",
        "alert_score": "double",
        "flags": "int",
    },
}
"""Columns of each data set with their types in Hive's words."""
SORTED: Mapping[str, tuple[str, ...]] = {
    "readings": ("series", "time_ns", "entry", "place"),
    "entries": ("entry",),
    "marks": ("series", "time_ns", "entry", "place"),
    "alerts": ("opened", "id"),
    "results": ("watch", "series", "time_ns"),
}
"""By what the rows of a part are ordered."""
_TEXTS = ("series", "metric", "source", "shard", "kind", "watch", "detector", "severity")
_COUNTED = ("time", "time_ns", "entry", "place")
_NAN = int(np.array([np.nan]).view(np.int64)[0])


def schema(dataset: str) -> Any:
    """The columns of a data set as Arrow has them; times are UTC, to the microsecond where they are no ``_ns``."""
    import pyarrow as pa

    kinds = {
        "string": pa.string(),
        "map<string,string>": pa.map_(pa.string(), pa.string()),
        "timestamp": pa.timestamp("us", "UTC"),
        "bigint": pa.int64(),
        "int": pa.int32(),
        "double": pa.float64(),
        "boolean": pa.bool_(),
    }
    return pa.schema([(name, kinds[kind]) for name, kind in COLUMNS[dataset].items()])


def date_of(time: int) -> str:
    """The day (UTC) of a time in ns."""
    return str(np.datetime64(min(max(time, EPOCH_LEAST), EPOCH_MOST) // DAY, "D"))


def micros(times: Int64) -> Any:
    """Times in ns as Arrow's times in µs, rounded down."""
    import pyarrow as pa

    return pa.array(np.floor_divide(times, 1000), pa.timestamp("us", "UTC"))


def values_of(values: Float64) -> Any:
    """Values as Arrow's: no value is null, any other NaN stays what it is."""
    import pyarrow as pa

    return pa.array(values, mask=values.view(np.int64) == _NAN)


def from_values(column: Any) -> Float64:
    """The inverse of ``values_of``, bit for bit."""
    import pyarrow as pa

    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    found = np.array(whole.fill_null(0.0).to_numpy(zero_copy_only=False), np.float64)
    found[np.asarray(whole.is_null())] = np.nan
    return found


def labels_of(keys: Sequence[SeriesKey]) -> Any:
    """The labels of some series, a map each."""
    import pyarrow as pa

    return pa.array([list(dict(key.labels).items()) for key in keys], pa.map_(pa.string(), pa.string()))


def taken(texts: Sequence[str], index: Any) -> Any:
    """A column of texts of which there are few."""
    import pyarrow as pa

    return pa.DictionaryArray.from_arrays(pa.array(index, pa.int32()), pa.array(list(texts), pa.string()))


def merged(readings: Sequence[Readings]) -> list[Readings]:
    """Neighbours of the same series, source and arrival as one: how they were cut says nothing. Empty ones go."""
    found: list[list[Readings]] = []
    for one in readings:
        if not len(one.times):
            continue
        last = found[-1][0] if found else None
        if last is not None and (last.key, last.source, last.arrival) == (one.key, one.source, one.arrival):
            found[-1].append(one)
        else:
            found.append([one])
    return [
        some[0]
        if len(some) == 1
        else Readings(
            some[0].key,
            np.concatenate([r.times for r in some]),
            np.concatenate([r.values for r in some]),
            some[0].source,
            some[0].arrival,
        )
        for some in found
    ]


def digest_of(entry: Commit) -> str:
    """A checksum of all that an entry says, whatever store it is read from."""
    hashed = hashlib.blake2b(digest_size=16)
    for one in merged(entry.readings):
        hashed.update(f"{one.key}\0{one.source}\0{int(one.arrival)}\0{len(one.times)}\0".encode())
        hashed.update(np.ascontiguousarray(one.times, "<i8").tobytes())
        hashed.update(np.ascontiguousarray(one.values, "<f8").tobytes())
    hashed.update(b"\1" + (events_text(entry) or "").encode() + b"\1" + (positions_text(entry) or "").encode())
    return hashed.hexdigest()


def events_text(entry: Commit) -> str | None:
    """The events of an entry as JSON; None where there are none."""
    return json.dumps([event_to_dict(e) for e in entry.events], sort_keys=True) if entry.events else None


def positions_text(entry: Commit) -> str | None:
    """Where each source stood behind it as JSON; None where that was not said."""
    return json.dumps(dict(entry.positions), sort_keys=True) if entry.positions else None


def readings_table(shard: str, entries: Sequence[Commit], behind: int = 0) -> Any:
    """The readings of some entries, sorted; ``behind`` is added to their numbers."""
    import pyarrow as pa

    slices = [(entry.sequence + behind, one) for entry in entries for one in entry.readings if len(one.times)]
    keys: dict[SeriesKey, int] = {}
    sources: dict[str, int] = {}
    counts = [len(r.times) for _, r in slices]
    row = np.repeat(np.array([keys.setdefault(r.key, len(keys)) for _, r in slices], np.int32), counts)
    source = np.repeat(np.array([sources.setdefault(r.source, len(sources)) for _, r in slices], np.int32), counts)
    arrival = np.repeat(np.array([int(r.arrival) for _, r in slices], np.int32), counts)
    entry = np.repeat(np.array([number for number, _ in slices], np.int64), counts)
    times = np.concatenate([np.empty(0, np.int64), *(r.times for _, r in slices)])
    values = np.concatenate([np.empty(0), *(r.values for _, r in slices)])
    fresh = np.flatnonzero(np.r_[True, np.diff(entry) != 0][: len(entry)])
    place = np.arange(len(entry)) - np.repeat(fresh, np.diff(np.r_[fresh, len(entry)]))
    known = list(keys)
    texts = [str(key) for key in known]
    rank = np.empty(len(texts), np.int32)
    order = sorted(range(len(texts)), key=texts.__getitem__)
    rank[order] = np.arange(len(texts), dtype=np.int32)
    by = np.lexsort((place, entry, times, rank[row]))
    some = [known[i] for i in order]
    index = rank[row][by]
    return pa.table(
        {
            "series": taken([texts[i] for i in order], index),
            "metric": taken([key.metric for key in some], index),
            "labels": labels_of(some).take(pa.array(index)),
            "time": micros(times[by]),
            "time_ns": pa.array(times[by]),
            "value": values_of(values[by]),
            "source": taken(list(sources), source[by]),
            "late": pa.array(arrival[by] == int(Arrival.LATE)),
            "arrival": pa.array(arrival[by]),
            "shard": taken([shard], np.zeros(len(by), np.int32)),
            "entry": pa.array(entry[by]),
            "place": pa.array(place[by].astype(np.int64)),
        }
    )


def completed(table: Any) -> Any:
    """Readings without ``metric``, ``labels`` and ``time`` with them again; they follow from the rest."""
    import pyarrow as pa

    series = table["series"].combine_chunks().dictionary_encode()
    keys = [SeriesKey.parse(text) for text in series.dictionary.to_pylist()]
    index = np.asarray(series.indices)
    columns = {name: table[name] for name in table.column_names}
    columns |= {
        "series": series,
        "metric": taken([key.metric for key in keys], index),
        "labels": labels_of(keys).take(pa.array(index)),
        "time": micros(np.asarray(table["time_ns"])),
        "late": pa.array(np.asarray(table["arrival"]) == int(Arrival.LATE)),
    }
    return pa.table({name: columns[name] for name in COLUMNS["readings"]})


class PartWriter:
    """A part in the making: tables with the columns of a data set, in their order, become one Parquet file.

    Strings by dictionary, numbers plain or by differences, zstd. No value passes a dictionary, which takes all NaN and
    both zeros for the same.

    Attributes
    ----------
    rows, first, last, low, high : int
        Rows so far, their earliest and latest time (ns UTC), first and last entry of the log.
    """

    def __init__(self, dataset: str) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.dataset, self.rows = dataset, 0
        self.first, self.last, self.low, self.high = 2**63 - 1, -(2**63), 2**63 - 1, -(2**63)
        self._labels: set[str] = set()
        self._file = io.BytesIO()
        names = list(COLUMNS[dataset])
        self._fields = [_written(field) for field in schema(dataset)]
        self._writer = pq.ParquetWriter(
            self._file,
            pa.schema(self._fields),
            compression="zstd",
            compression_level=3,
            use_dictionary=[n for n in names if n in _TEXTS] + ["labels.key_value.key", "labels.key_value.value"],
            column_encoding={n: "DELTA_BINARY_PACKED" for n in names if n in _COUNTED},
            write_statistics=True,
            write_page_index=True,
            store_schema=False,
            version="2.6",
        )

    @property
    def nbytes(self) -> int:
        """Bytes so far, without the row group that is being gathered."""
        return self._file.tell()

    def add(self, table: Any) -> None:
        """Some more rows."""
        import pyarrow as pa
        import pyarrow.compute as pc

        columns = [_cast(table[field.name], field.type) for field in self._fields]
        self._writer.write_table(pa.table(columns, names=list(COLUMNS[self.dataset])), row_group_size=GROUP_ROWS)
        self.rows += len(table)
        first, last = span_of(self.dataset, table)
        self.first, self.last = min(self.first, first), max(self.last, last)
        if "entry" in COLUMNS[self.dataset]:
            ends = pc.min_max(table["entry"]).as_py()
            self.low, self.high = min(self.low, ends["min"]), max(self.high, ends["max"])
        if "labels" in COLUMNS[self.dataset] and len(self._labels) <= LABELS_MAX:
            self._labels |= _label_names(table)

    def finish(self) -> bytes:
        """The file."""
        told = {FORMAT_KEY: self.dataset.encode()}
        if 0 < len(self._labels) <= LABELS_MAX:
            told[LABELS_KEY] = json.dumps(sorted(self._labels)).encode()
        self._writer.add_key_value_metadata(told)
        self._writer.close()
        return self._file.getvalue()


def _written(field: Any) -> Any:
    import pyarrow as pa

    return pa.field(field.name, pa.dictionary(pa.int32(), pa.string()) if field.name in _TEXTS else field.type)


def _cast(column: Any, kind: Any) -> Any:
    import pyarrow as pa

    if pa.types.is_dictionary(kind) and not pa.types.is_dictionary(column.type):
        return column.dictionary_encode().cast(kind)
    return column if column.type == kind else column.cast(kind)


def _label_names(table: Any) -> set[str]:
    import pyarrow.compute as pc

    column = table["labels"].combine_chunks()
    chunks = column.chunks if hasattr(column, "chunks") else [column]
    return {name for chunk in chunks for name in pc.unique(chunk.keys).to_pylist()}


def span_of(dataset: str, table: Any) -> tuple[int, int]:
    """Earliest and latest time of a table, ns UTC."""
    import pyarrow as pa
    import pyarrow.compute as pc

    name = "opened" if dataset == "alerts" else "time_ns"
    found = pc.min_max(table[name].cast(pa.int64())).as_py()
    by = 1000 if dataset == "alerts" else 1
    return found["min"] * by, found["max"] * by


def check_part(dataset: str, found: Any, where: str) -> None:
    """``DataError`` where a file has not the columns of its data set."""
    if missing := [name for name in COLUMNS[dataset] if name not in found.names]:
        raise DataError(f"{where} has no column {missing[0]!r}: it is no part of this archive.")
