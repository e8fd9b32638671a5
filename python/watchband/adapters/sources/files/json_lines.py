"""JSON Lines: one object per line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from watchband.adapters.sources.files.blocks import TextFile
from watchband.adapters.sources.files.columns import Chunk, Column, Tally, shown
from watchband.adapters.sources.files.hints import COLUMNS_MAX
from watchband.core.errors import DataError


class JsonLinesReader:
    """One JSON object per line; fields may come and go, and nested objects are read as ``outer.inner``."""

    format = "JSON Lines"

    def __init__(self, path: Path, name: str) -> None:
        self.file = TextFile(path, name)
        self.bytes_total = self.file.bytes_total
        self.notes: list[str] = []
        block = next(self.file.blocks(64 << 10), None)
        if block is None or not block.text.strip():
            raise DataError(f"{name} is empty. Expected one JSON object per line.")
        rows, bad = read_lines(block.text)
        if not any(rows):
            raise DataError(f"{name} holds no JSON object per line ({bad[0][1] if bad else 'no line'}).")
        self.names = names_of(rows, name)

    def chunks(self, columns: list[str] | None, tally: Tally) -> Iterator[Chunk]:
        """The rows from the beginning; a line that is no object is set aside and counted."""
        names = self.names if columns is None else columns
        row = line = 0
        for block in self.file.blocks():
            rows, bad = read_lines(block.text)
            for at, what in bad:
                tally.bad_row(f"line {line + at + 1}: {what}")
            kept = [index for index, found in enumerate(rows) if found is not None]
            numbers = np.array(kept, np.int64) + row
            arrays = to_columns([rows[index] or {} for index in kept], names)
            first = line
            if kept:
                yield Chunk(numbers, arrays, lambda n, f=first, r=row: f"line {f + n - r + 1}", block.bytes_done)  # type: ignore[misc]
            row += len(rows)
            line += block.text.count(b"\n")


def read_lines(text: bytes) -> tuple[list[dict[str, Any] | None], list[tuple[int, str]]]:
    """Objects of the lines (None: not one), and position and text of the lines that are none."""
    rows: list[dict[str, Any] | None] = []
    bad: list[tuple[int, str]] = []
    for index, line in enumerate(text.splitlines()):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict):
            rows.append(flat(found) if any(isinstance(v, dict) for v in found.values()) else found)
        else:
            rows.append(None)
            bad.append((index, f"{shown(line[:60].decode('utf-8', 'replace'))} is no JSON object"))
    return rows, bad


def flat(row: dict[str, Any], depth: int = 4) -> dict[str, Any]:
    """Nested objects as dotted names; lists are left as they are."""
    out: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict) and depth:
            out |= {f"{name}.{inner}": deep for inner, deep in flat(value, depth - 1).items()}
        else:
            out[name] = value
    return out


def names_of(rows: list[dict[str, Any] | None], file: str) -> list[str]:
    """All field names in order of first appearance."""
    names = list(dict.fromkeys(name for row in rows if row for name in row))
    if len(names) > COLUMNS_MAX:
        raise DataError(f"{file} has {len(names):,} fields; at most {COLUMNS_MAX:,} are read. Split it.")
    return names


def to_columns(rows: list[dict[str, Any]], names: list[str]) -> dict[str, Column]:
    """Objects as columns: numbers where all are numbers, else text."""
    return {name: _to_column([row.get(name) for row in rows]) for name in names}


def _to_column(cells: list[Any]) -> Column:
    import pyarrow as pa

    kinds = {type(cell) for cell in cells} - {type(None)}
    if kinds <= {int, float}:
        try:
            return pa.array(cells, pa.float64() if float in kinds else pa.int64() if kinds else pa.null())
        except (pa.ArrowInvalid, OverflowError):
            return pa.array([None if cell is None else float(cell) for cell in cells], pa.float64())
    if kinds == {bool}:
        return pa.array(cells, pa.bool_())
    return pa.array([None if cell is None or cell == "" else _text(cell) for cell in cells], pa.string())


def _text(cell: Any) -> str:
    return cell if isinstance(cell, str) else json.dumps(cell)
