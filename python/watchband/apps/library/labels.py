"""Label files: CSV, JSON, JSON Lines and Parquet, and the windows file of the Numenta benchmark."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from watchband.apps.library.moments import iso, parse_moment
from watchband.core.errors import ConfigError, DataError
from watchband.evaluation.labels import Label

COLUMNS = ("series", "start", "end", "fault", "settled", "size", "expect", "incident", "root")
"""Of every label file; only ``start`` and ``end`` are needed."""
SUFFIXES = (".csv", ".json", ".jsonl", ".ndjson", ".parquet", ".pq")
_TIMES = ("start", "end", "settled")
_TRUE = {"true", "1", "yes"}
_SECONDS_MOST = 1e11
"""Epoch numbers from here on are not in seconds."""
_NS_MOST = (1 << 63) - 1


def read_labels(path: str | os.PathLike[str]) -> list[Label]:
    """Labels from a file.

    Parameters
    ----------
    path : path
        CSV, JSON (an array of objects), JSON Lines or Parquet with the columns of ``Label``: times in RFC 3339 or epoch
        numbers, only ``start`` and ``end`` required; or a windows file of the Numenta benchmark,
        ``{"path/file.csv": [["start", "end"], …]}``, whose labels get the path as their series (see ``labels_of``).

    Raises
    ------
    ConfigError
        No such file, or a suffix that no label file has.
    DataError
        The file cannot be read, lacks a column, or a row of it is no label; the message names the row.
    """
    path = check_label_path(path)
    if not path.is_file():
        raise ConfigError(f"No such label file: {str(path)!r}.")
    try:
        rows = _rows(path)
    except (OSError, ValueError, RecursionError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as labels: {error}.") from error
    return [_label(row, f"{path}, label {number}") for number, row in enumerate(rows, 1)]


def write_labels(path: str | os.PathLike[str], labels: Iterable[Label]) -> int:
    """Write labels and return their number; the suffix says the format. ``read_labels`` gives the same labels back.

    CSV and JSON Lines are written as the labels come and hold none of them.

    Raises
    ------
    ConfigError
        A suffix that no label file has.
    """
    path = check_label_path(path)
    suffix = path.suffix.lower()
    if suffix in (".parquet", ".pq"):
        found = list(labels)
        _write_parquet(path, found)
        return len(found)
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        if suffix == ".csv":
            rows.writeheader()
        for count, label in enumerate(labels, 1):
            row = to_row(label)
            if suffix == ".csv":
                rows.writerow({k: "" if v is None else v for k, v in row.items()})
            else:
                before = ("[\n  " if count == 1 else ",\n  ") if suffix == ".json" else ""
                after = "" if suffix == ".json" else "\n"
                file.write(before + json.dumps(row, ensure_ascii=False) + after)
        if suffix == ".json":
            file.write("\n]\n" if count else "[]\n")
    return count


def check_label_path(path: str | os.PathLike[str]) -> Path:
    """The path; ConfigError where its suffix is that of no label file."""
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"{path} is no label file. Expected a name that ends in one of {', '.join(SUFFIXES)}.")
    return path


def to_row(label: Label) -> dict[str, Any]:
    """A label as plain data: RFC 3339 times, None for a size that is not known."""
    row = {name: getattr(label, name) for name in COLUMNS}
    row |= {name: iso(row[name]) for name in _TIMES}
    return row | {"size": None if math.isnan(label.size) else label.size, "root": label.root}


def _rows(path: Path) -> list[Mapping[str, Any]]:
    suffix = path.suffix.lower()
    if suffix in (".parquet", ".pq"):
        return _from_parquet(path)
    text = path.read_text(encoding="utf-8-sig")
    if suffix == ".csv":
        return list(csv.DictReader(io.StringIO(text)))
    if suffix == ".json":
        return _from_json(json.loads(text))
    return _objects([json.loads(line) for line in text.splitlines() if line.strip()])


def _from_json(document: Any) -> list[Mapping[str, Any]]:
    if isinstance(document, dict) and isinstance(document.get("labels"), list):
        document = document["labels"]
    if isinstance(document, dict):
        if not all(isinstance(spans, list) for spans in document.values()):
            raise ValueError('an object of windows is written {"path/file.csv": [["start", "end"], …]}')
        spans = [(name, span) for name, found in document.items() for span in found]
        # Labels of single instants, as the benchmark has them besides, are windows of one time.
        pairs = [(name, span if isinstance(span, list) else [span, span]) for name, span in spans]
        if any(len(span) != 2 for _, span in pairs):
            raise ValueError("a window has a start and an end")
        return [{"series": name, "start": start, "end": end} for name, (start, end) in pairs]
    if not isinstance(document, list):
        raise ValueError("expected an array of labels or an object of windows")
    return _objects(document)


def _objects(found: list[Any]) -> list[Mapping[str, Any]]:
    if not all(isinstance(row, dict) for row in found):
        raise ValueError("every label is an object with at least a start and an end")
    return found


def _label(row: Mapping[str, Any], where: str) -> Label:
    given = {k: v for k, v in row.items() if k in COLUMNS and v not in (None, "")}
    missing = [name for name in ("start", "end") if name not in given]
    if missing:
        got = ", ".join(str(name) for name in row)
        raise DataError(f"{where} has no {' and no '.join(missing)}. Got the columns {got}; expected series,start,end.")
    try:
        times = {name: moment(given[name]) for name in _TIMES if name in given}
        return Label(
            str(given.get("series", "")),
            times["start"],
            times["end"],
            str(given.get("fault", "")),
            times.get("settled"),
            float(given.get("size", math.nan)),
            str(given.get("expect", "alert")),
            str(given.get("incident", "")),
            given.get("root") is True or str(given.get("root", "")).lower() in _TRUE,
        )
    except (ValueError, TypeError) as error:
        raise DataError(f"{where}: {error}") from error


def moment(value: Any) -> int:
    """Nanoseconds of a time as label files write it: RFC 3339 (without a zone: UTC) or an epoch number."""
    if isinstance(value, float) and abs(value) < _SECONDS_MOST:
        return round(value * 1_000_000) * 1000
    whole = isinstance(value, float) and value.is_integer()
    found = parse_moment(str(int(value) if whole else value))
    if not -_NS_MOST <= found <= _NS_MOST:
        raise ValueError(f"{value!r} is beyond the years 1678 to 2261 that nanoseconds reach.")
    return found


def _from_parquet(path: Path) -> list[Mapping[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {}
    table = pq.read_table(path)
    for name in table.column_names:
        column = table.column(name)
        if pa.types.is_timestamp(column.type):
            ns = column.cast(pa.timestamp("ns")).cast(pa.int64()).to_pylist()
            columns[name] = [None if t is None else iso(t) for t in ns]
        else:
            columns[name] = column.to_pylist()
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def _write_parquet(path: Path, labels: list[Label]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds: dict[str, Any] = {name: pa.timestamp("ns", "UTC") if name in _TIMES else pa.string() for name in COLUMNS} | {
        "size": pa.float64(),
        "root": pa.bool_(),
    }
    columns = []
    for name, kind in kinds.items():
        cells = [getattr(label, name) for label in labels]
        if name in _TIMES:
            columns.append(pa.array(np.array(cells, np.int64), pa.int64()).cast(kind))
        else:
            columns.append(pa.array(cells, kind, from_pandas=name == "size"))
    pq.write_table(pa.table(columns, schema=pa.schema(list(kinds.items()))), path)
