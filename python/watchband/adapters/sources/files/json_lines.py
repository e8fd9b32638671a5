"""JSON Lines: one object per line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from watchband.adapters.objects.place import FilePath
from watchband.adapters.sources.files.blocks import TextFile
from watchband.adapters.sources.files.columns import Chunk, Column, Tally, shown
from watchband.adapters.sources.files.hints import COLUMNS_MAX
from watchband.core.errors import DataError


class JsonLinesReader:
    """One JSON object per line; fields may come and go, and nested objects are read as ``outer.inner``."""

    format = "JSON Lines"

    def __init__(self, path: FilePath, name: str) -> None:
        self.file = TextFile(path, name)
        self.bytes_total = self.file.bytes_total
        self.notes: list[str] = []
        block = next(self.file.blocks(64 << 10), None)
        if block is None or not block.text.strip():
            raise DataError(f"{name} is empty. Expected one JSON object per line.")
        rows, _ = read_lines(block.text, 0, tally := Tally())
        if not any(rows):
            raise DataError(f"{name} holds no JSON object per line ({'; '.join(tally.ragged_examples)}).")
        self.names = names_of(rows, name)

    def chunks(self, columns: list[str] | None, tally: Tally) -> Iterator[Chunk]:
        """The rows from the beginning; a line that is no object is set aside and counted."""
        names = self.names if columns is None else columns
        row = line = 0
        for block in self.file.blocks():
            lines = block.text.count(b"\n")
            if (fast := _read_block(block.text, names, lines)) is not None:
                yield Chunk(np.arange(row, row + lines), fast, _namer(range(lines), row, line), block.bytes_done)
                row += lines
            else:
                rows, places = read_lines(block.text, line, tally)
                kept = [index for index, found in enumerate(rows) if found is not None]
                arrays = to_columns([rows[index] or {} for index in kept], names)
                if kept:
                    yield Chunk(np.array(kept, np.int64) + row, arrays, _namer(places, row, line), block.bytes_done)
                row += len(rows)
            line += lines

    def rows(self, text: bytes, tally: Tally) -> Chunk:
        """Whole lines of the same kind that stand elsewhere."""
        found, places = read_lines(text, 0, tally)
        kept = [index for index, row in enumerate(found) if row is not None]
        arrays = to_columns([found[index] or {} for index in kept], self.names)
        return Chunk(np.array(kept, np.int64), arrays, _namer(places, 0, 0), len(text))


def _namer(places: Sequence[int], row: int, line: int) -> Callable[[int], str]:
    return lambda number: f"line {line + places[number - row] + 1}"


def _read_block(text: bytes, names: list[str], lines: int) -> dict[str, Column] | None:
    """A block by the columnar library; None where it is not one flat object of steady types per line."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.json as reader
    import pyarrow.types as kinds

    try:
        table = reader.read_json(pa.BufferReader(text), reader.ReadOptions(use_threads=False, block_size=len(text) + 1))
    except pa.ArrowInvalid:
        return None
    if table.num_rows != lines or any(kinds.is_nested(kind) for kind in table.schema.types):
        return None
    table = table.combine_chunks()
    columns = {name: table.column(name).chunk(0) for name in table.column_names if name in names}
    for name, column in columns.items():
        if kinds.is_temporal(column.type):  # guessed from the text, which may hold more elsewhere
            columns[name] = pc.cast(column, pa.string())
    return {name: columns[name] if name in columns else pa.nulls(lines) for name in names}


def read_lines(text: bytes, line: int, tally: Tally) -> tuple[list[dict[str, Any] | None], list[int]]:
    """Objects of the lines that are not empty (None: no object) and where they stand; ``line`` lines lie before."""
    rows: list[dict[str, Any] | None] = []
    places: list[int] = []
    for index, content in enumerate(text.splitlines()):
        if not content.strip():
            continue
        try:
            found = json.loads(content)
        except (ValueError, RecursionError):
            found = None
        places.append(index)
        if isinstance(found, dict):
            rows.append(flat(found) if any(isinstance(v, dict) for v in found.values()) else found)
        else:
            rows.append(None)
            what = shown(content[:60].decode("utf-8", "replace"))
            tally.bad_row(f"line {line + index + 1}: {what} is no JSON object")
    return rows, places


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
    return {name: to_column([row.get(name) for row in rows]) for name in names}


def to_column(cells: list[Any]) -> Column:
    """Cells as numbers where all are numbers, else as text."""
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
