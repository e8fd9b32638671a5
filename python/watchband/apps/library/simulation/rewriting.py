"""Other values in a file's own form: in text only the lines that change are written anew, every other byte stays."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from watchband.adapters.sources.files.delimited import DelimitedReader
from watchband.adapters.sources.files.json_documents import JsonReader
from watchband.adapters.sources.files.json_lines import JsonLinesReader
from watchband.adapters.sources.files.parquet import ParquetReader
from watchband.adapters.sources.files.reading import OpenFile
from watchband.core.errors import DataError

Changes = Mapping[tuple[int, str], str | None]
"""From row and column to the new number as text, or None: no value any more."""
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+\Z")
_NUMBER = re.compile(r"[-+]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][-+]?\d+)?")


def rewrite(file: OpenFile, changes: Changes, target: Path) -> None:
    """Write a file with some values changed.

    A reading that goes away takes its row with it where the row holds no other metric.

    Parameters
    ----------
    file : OpenFile
        As it was read.
    changes : mapping
        What is new.
    target : Path
        The new file.

    Raises
    ------
    DataError
        A row or cell that is not where it was read.
    """
    reader = file.reader
    if isinstance(reader, ParquetReader):
        _parquet(file, changes, target)
        return
    if not isinstance(reader, (DelimitedReader, JsonLinesReader, JsonReader)):
        raise DataError(f"{file.found.name} is no file that can be written again.")
    if reader.file.packed == "zstd":
        raise DataError(f"{file.found.name} is packed with zstd. Unpack it first, or pack it with gzip.")
    with file.found.path.open("rb") as opened:
        raw = opened.read()
    zipped = reader.file.packed == "gzip"
    data = gzip.decompress(raw) if zipped else raw
    mark, encoding = reader.file.mark, reader.file.encoding
    errors = "surrogateescape" if encoding == "utf-8" else "surrogatepass"
    text = data[len(mark) :].decode(encoding, errors)
    alone = len(file.roles.values) == 1
    if isinstance(reader, DelimitedReader):
        text = _delimited(text, reader, changes, alone, file)
    elif isinstance(reader, JsonLinesReader):
        text = _json_lines(text, changes, alone)
    else:
        text = _document(text, reader, changes, alone)
    found = mark + text.encode(encoding, errors)
    # Without the time of writing, equal content is equal bytes.
    target.write_bytes(gzip.compress(found, mtime=0) if zipped else found)


def _delimited(text: str, reader: DelimitedReader, changes: Changes, alone: bool, file: OpenFile) -> str:
    by_row = _by_row(changes)
    columns = {name: at for at, name in enumerate(reader.names)}
    out, row = [], -1
    for number, line in enumerate(_LINE.findall(text)):
        content = line.rstrip("\r\n")
        if number >= reader.dialect.lines_before and content:
            row += 1
            if row in by_row:
                if alone and None in by_row[row].values():
                    continue
                cells = _cells(content, reader.dialect.delimiter)
                for name, new in by_row[row].items():
                    at = columns[name]
                    if at >= len(cells):
                        raise DataError(f"{file.found.name}, line {number + 1} has no cell for {name!r} any more.")
                    cells[at] = _with_number(cells[at], new, reader.dialect.decimal_comma)
                line = reader.dialect.delimiter.join(cells) + line[len(content) :]
        out.append(line)
    return "".join(out)


def _cells(line: str, delimiter: str) -> list[str]:
    """Cells as they stand, quotes included."""
    cells, begin, quoted = [], 0, False
    for at, character in enumerate(line):
        if character == '"':
            quoted = not quoted
        elif character == delimiter and not quoted:
            cells.append(line[begin:at])
            begin = at + 1
    return [*cells, line[begin:]]


def _with_number(cell: str, new: str | None, comma: bool) -> str:
    """The cell with another number in its place; quotes, spaces and a percent sign stay."""
    if new is None:
        return ""
    written = new.replace(".", ",") if comma else new
    found = _NUMBER.search(cell)
    return written if found is None else cell[: found.start()] + written + cell[found.end() :]


def _by_row(changes: Changes) -> dict[int, dict[str, str | None]]:
    rows: dict[int, dict[str, str | None]] = {}
    for (row, column), new in changes.items():
        rows.setdefault(row, {})[column] = new
    return rows


def _json_lines(text: str, changes: Changes, alone: bool) -> str:
    by_row, out, row = _by_row(changes), [], -1
    for line in _LINE.findall(text):
        if line.strip():
            row += 1
            if row in by_row:
                if alone and None in by_row[row].values():
                    continue
                found = json.loads(line)
                for name, new in by_row[row].items():
                    _put(found, name, new)
                content = line.strip()
                line = line.replace(content, json.dumps(found, ensure_ascii=False), 1)
        out.append(line)
    return "".join(out)


def _put(row: dict[str, Any], name: str, new: str | None) -> None:
    """Set a field, which may lie in an inner object by a dotted name."""
    if name not in row and "." in name:
        outer, _, inner = name.partition(".")
        if isinstance(row.get(outer), dict):
            _put(row[outer], inner, new)
            return
    row[name] = None if new is None else _like(row.get(name), new)


def _like(was: Any, new: str) -> Any:
    """The new number as the old one was written: as text, as a whole number, or with a fraction."""
    if isinstance(was, str):
        return new
    return int(new) if isinstance(was, int) and re.fullmatch(r"[-+]?\d+", new) else float(new)


def _document(text: str, reader: JsonReader, changes: Changes, alone: bool) -> str:
    document, by_row = json.loads(text), _by_row(changes)
    if reader.kind == "objects":
        kept = []
        for row, element in enumerate(document):
            new = by_row.get(row, {})
            if new and alone and None in new.values():
                continue
            for name, value in new.items():
                _put(element, name, value)
            kept.append(element)
        return json.dumps(kept, ensure_ascii=False) + "\n"
    if reader.kind == "pairs":
        return json.dumps(_points(document, 0, by_row), ensure_ascii=False) + "\n"
    row = 0
    result = document["data"]["result"] if isinstance(document.get("data"), dict) else document.get("result")
    for element in [document] if result is None else result:
        values = element.get("values")
        if isinstance(values, list):
            element["values"] = _points(values, row, by_row)
            row += len(values)
        elif "value" in element:
            element["value"] = (_points([element["value"]], row, by_row) or [element["value"]])[0]
            row += 1
    return json.dumps(document, ensure_ascii=False) + "\n"


def _points(pairs: list[Any], first: int, by_row: dict[int, dict[str, str | None]]) -> list[Any]:
    kept = []
    for row, pair in enumerate(pairs, first):
        if row in by_row:
            (new,) = by_row[row].values()
            if new is None:
                continue
            pair = [pair[0], _like(pair[1], new)]
        kept.append(pair)
    return kept


def _parquet(file: OpenFile, changes: Changes, target: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(file.found.path)
    gone: set[int] = set()
    for name in {column for _, column in changes}:
        at = table.column_names.index(name)
        cells = table.column(at).to_pylist()
        for (row, column), new in changes.items():
            if column == name:
                cells[row] = None if new is None else _like(cells[row], new)
                if new is None and len(file.roles.values) == 1:
                    gone.add(row)
        table = table.set_column(at, table.schema.field(at), pa.array(cells, table.schema.field(at).type))
    if gone:
        here = pa.array([row not in gone for row in range(table.num_rows)])
        table = table.filter(here)
    pq.write_table(table, target, compression="zstd")
