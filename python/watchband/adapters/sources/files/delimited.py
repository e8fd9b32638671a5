"""Delimited text: CSV, TSV and its kin, with or without a header."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from watchband.adapters.objects.place import FilePath
from watchband.adapters.sources.files.blocks import TextFile
from watchband.adapters.sources.files.columns import NULLS, Chunk, Tally, shown
from watchband.adapters.sources.files.hints import COLUMNS_MAX, LINE_BYTES_MAX
from watchband.core.errors import DataError

_DELIMITERS = "\t;|,"
_NUMBER = re.compile(r"\s*[-+]?(\d+[.,]?\d*|[.,]\d+)([eE][-+]?\d+)?\s*%?\s*")
_TIME = re.compile(r"\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\D?.*")
_COMMA_NUMBER = re.compile(r"\s*[-+]?\d+,\d+([eE][-+]?\d+)?\s*")
_SEPARATOR_LINE = re.compile(r"sep=(.)\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one file is written: ``delimiter``, ``names``, lines before the data, decimal comma."""

    delimiter: str
    names: list[str]
    lines_before: int
    decimal_comma: bool
    has_header: bool
    notes: list[str]


class DelimitedReader:
    """A delimited text file, read in blocks of whole lines.

    Cells are given as strings (missing: null); what they mean is decided by the caller, so that one wrong
    cell never stops a file. Rows with more or fewer cells than columns are set aside and counted.
    """

    format = "CSV"

    def __init__(self, path: FilePath, name: str) -> None:
        self.file = TextFile(path, name)
        self.dialect = _sniff(name, self.file)
        self.names = self.dialect.names
        self.notes = self.dialect.notes
        self.bytes_total = self.file.bytes_total

    def chunks(self, columns: list[str] | None, tally: Tally) -> Iterator[Chunk]:
        """The rows from the beginning, one chunk per block."""
        skip, row, line = self.dialect.lines_before, 0, self.dialect.lines_before + 1
        for block in self.file.blocks():
            text = block.text
            while skip and text:
                end = _first_line_end(text)
                text, skip = text[end:], skip - 1
            if text.strip():
                chunk, rows = self._parse(text, columns, tally, row, line, block.bytes_done)
                row += rows
                if len(chunk):
                    yield chunk
            line += max(text.count(b"\n"), text.count(b"\r"))

    def rows(self, text: bytes, tally: Tally) -> Chunk:
        """Whole lines of the same table that stand elsewhere."""
        return self._parse(text, None, tally, 0, 1, len(text))[0]

    def _parse(
        self, text: bytes, columns: list[str] | None, tally: Tally, row: int, line: int, done: int
    ) -> tuple[Chunk, int]:
        names = self.names if columns is None else columns
        ragged: list[int] = []

        def on_ragged(found: Any) -> str:
            ragged.append(found.number - 1)
            if len(ragged) <= 3:
                place = _line_of(text, line, found.number - 1)
                tally.bad_row(f"line {place}: {found.actual_columns} cells, not {found.expected_columns}")
            else:
                tally.bad_row("")
            return "skip"

        table = self._table(text, names, on_ragged)
        count = table.num_rows + len(ragged)
        rows = np.delete(np.arange(count), ragged) if ragged else np.arange(count)
        chunk = Chunk(
            rows + row,
            {name: self._cells(table.column(name)) for name in names},
            lambda number: f"line {_line_of(text, line, number - row)}",
            done,
        )
        return chunk, count

    def _cells(self, column: Any) -> Any:
        import pyarrow as pa
        import pyarrow.compute as pc

        merged = column.combine_chunks()
        if isinstance(merged, pa.ChunkedArray):
            merged = pa.concat_arrays(merged.chunks)
        if not self.dialect.decimal_comma:
            return merged
        return pc.replace_substring_regex(merged, r"^\s*([-+]?\d+),(\d+(?:[eE][-+]?\d+)?)\s*$", r"\1.\2")

    def _table(self, text: bytes, names: list[str], on_ragged: Any) -> Any:
        import pyarrow as pa
        import pyarrow.csv as reader

        options = {
            "read_options": reader.ReadOptions(column_names=self.names, use_threads=False, block_size=len(text) + 1),
            "parse_options": reader.ParseOptions(
                delimiter=self.dialect.delimiter, invalid_row_handler=on_ragged, ignore_empty_lines=True
            ),
            "convert_options": reader.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                include_columns=names,
                null_values=NULLS,
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        }
        try:
            return reader.read_csv(pa.BufferReader(text), **options)
        except pa.ArrowInvalid as error:
            if "UTF8" in str(error):
                clean = text.decode("utf-8", "replace").encode()
                return reader.read_csv(pa.BufferReader(clean), **options)
            raise DataError(f"{self.file.name} cannot be read as delimited text: {error}.") from None


def _first_line_end(text: bytes) -> int:
    at = text.find(b"\n")
    if at < 0:
        at = text.find(b"\r")
    return at + 1 if at >= 0 else len(text)


def _line_of(text: bytes, first_line: int, number: int) -> int:
    """The line of the ``number``-th row of a block: rows are the lines that are not empty."""
    seen = -1
    for index, content in enumerate(text.splitlines()):
        seen += bool(content)
        if seen == number:
            return first_line + index
    return first_line


def _sniff(file: str, text_file: TextFile) -> Dialect:
    block = next(text_file.blocks(64 << 10), None)
    text = block.text.decode("utf-8", "replace") if block else ""
    lines = text.splitlines()
    if not any(line.strip() for line in lines):
        raise DataError(f"{file} is empty. Expected a table with a time column and a value column.")
    if len(lines[0]) > LINE_BYTES_MAX:
        raise DataError(f"{file}: its first line has {len(lines[0]):,} characters; that is no table of metrics.")
    forced, before = None, 0
    while before < len(lines) and (not lines[before].strip() or _is_preamble(lines, before)):
        if found := _SEPARATOR_LINE.match(lines[before]):
            forced = found[1]
        before += 1
    rows = [line for line in lines[before : before + 50] if line.strip()]
    if not rows:
        raise DataError(f"{file} holds only comments. Expected a table with a time column and a value column.")
    delimiter = forced or _find_delimiter(rows)
    cells = list(csv.reader(rows, delimiter=delimiter))
    first, rest = cells[0], cells[1:]
    if len(first) > COLUMNS_MAX:
        raise DataError(f"{file} has {len(first):,} columns; at most {COLUMNS_MAX:,} are read. Split it.")
    has_header = not any(_NUMBER.fullmatch(cell) or _TIME.fullmatch(cell) for cell in first)
    if has_header and not rest:
        raise DataError(f"{file} has only a header ({', '.join(map(shown, first[:5]))}). Expected rows below it.")
    notes: list[str] = []
    if has_header:
        names = _unique([c.strip().removeprefix("#").strip() for c in first], notes)
        before += 1
    else:
        names = ["timestamp", "value"] if len(first) == 2 else [f"column_{k + 1}" for k in range(len(first))]
        notes.append("no header; columns are named " + ", ".join(names[:4]) + ("…" if len(names) > 4 else ""))
    decimal = delimiter != "," and any(_COMMA_NUMBER.fullmatch(cell) for row in rest[:20] or [first] for cell in row)
    return Dialect(delimiter, names, before, decimal, has_header, notes)


def _is_preamble(lines: list[str], at: int) -> bool:
    """A comment, or Excel's ``sep=;``; but ``#time,value`` right above the data is a header."""
    line = lines[at]
    if _SEPARATOR_LINE.match(line):
        return True
    if not line.startswith("#"):
        return False
    following = lines[at + 1] if at + 1 < len(lines) else ""
    delimiter = _find_delimiter([line, following])
    same = line.count(delimiter) == following.count(delimiter) > 0
    return not same or following.startswith("#")


def _find_delimiter(rows: list[str]) -> str:
    """The first of tab, ``;``, ``|`` and comma that splits (nearly) every line into the same number of cells."""
    best, most = ",", 0.0
    for delimiter in _DELIMITERS:
        counts = [len(cells) for cells in csv.reader(rows, delimiter=delimiter)]
        usual = max(set(counts), key=counts.count)
        share = counts.count(usual) / len(counts)
        if usual > 1 and share > max(most, 0.5) + 1e-9 and (share == 1 or share > most + 0.2):
            best, most = delimiter, share
    if not most and all(len(row.strip().split(" ")) == len(rows[0].strip().split(" ")) > 1 for row in rows):
        return " "
    return best


def _unique(names: list[str], notes: list[str]) -> list[str]:
    given: list[str] = []
    for index, name in enumerate(names):
        wanted = name or (f"column_{index + 1}" if index else "index")
        fresh, count = wanted, 1
        while fresh in given:
            count += 1
            fresh = f"{wanted}_{count}"
        if fresh != wanted:
            notes.append(f"column {index + 1} is a second {wanted!r} and is read as {fresh!r}")
        given.append(fresh)
    return given
