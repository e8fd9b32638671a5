"""Rows of a file as columns, and columns as numbers or text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from watchband.adapters.sources.files.hints import EXAMPLES_MAX
from watchband.core.points import Float64, Int64
from watchband.core.series import SeriesKey

Column = Any
"""A pyarrow array; the library is imported late and untyped."""

NULLS = [
    "",
    "NA",
    "N/A",
    "#N/A",
    "n/a",
    "nan",
    "NaN",
    "NAN",
    "-nan",
    "null",
    "NULL",
    "None",
    "none",
    "nil",
    "-",
    "--",
    "?",
]
"""Cells that say "no value"; they are missing, not wrong."""

_LOOSE_NUMBER = r"^\s*(?P<n>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?i:inf|infinity|nan))\s*%?\s*$"
_TRUTH = {"true": 1.0, "false": 0.0}


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of one file, column by column.

    Parameters
    ----------
    rows : int64[n]
        Number of each row within its file, from 0; rows that could not be split into cells are counted too.
    columns : mapping of str to pyarrow array
        All of length ``n``.
    line : callable
        Names a row of ``rows`` for a person: ``"line 17"``.
    bytes_done : int
        Bytes of the file consumed after this chunk.
    key : SeriesKey, optional
        The one series of these rows, where the format names it (Prometheus).
    """

    rows: Int64
    columns: Mapping[str, Column]
    line: Callable[[int], str]
    bytes_done: int
    key: SeriesKey | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def head(self, rows: int) -> Chunk:
        """The first ``rows`` rows."""
        columns = {name: column.slice(0, rows) for name, column in self.columns.items()}
        return Chunk(self.rows[:rows], columns, self.line, self.bytes_done, self.key)


@dataclass(slots=True)
class Tally:
    """What was wrong in one reading of a file: counted, and the first few named."""

    bad_times: int = 0
    ragged: int = 0
    bad_numbers: dict[str, int] = field(default_factory=dict)
    time_examples: list[str] = field(default_factory=list)
    ragged_examples: list[str] = field(default_factory=list)
    number_examples: dict[str, list[str]] = field(default_factory=dict)

    def bad_time(self, count: int, examples: list[str]) -> None:
        """Rows set aside because their time could not be read."""
        self.bad_times += count
        self.time_examples += examples[: EXAMPLES_MAX - len(self.time_examples)]

    def bad_row(self, example: str) -> None:
        """A row set aside because it has more or fewer cells than the table has columns."""
        self.ragged += 1
        if len(self.ragged_examples) < EXAMPLES_MAX:
            self.ragged_examples.append(example)

    def bad_number(self, column: str, count: int, examples: list[str]) -> None:
        """Cells read as missing because they are no numbers."""
        self.bad_numbers[column] = self.bad_numbers.get(column, 0) + count
        known = self.number_examples.setdefault(column, [])
        known += examples[: EXAMPLES_MAX - len(known)]

    def notes(self, expected_time: str) -> list[str]:
        """One sentence for each kind of trouble."""
        notes = []
        if self.bad_times:
            notes.append(
                f"{counted(self.bad_times, 'row')} set aside: the time cannot be read "
                f"({'; '.join(self.time_examples)}). Expected {expected_time}"
            )
        if self.ragged:
            notes.append(
                f"{counted(self.ragged, 'row')} set aside: wrong number of cells ({'; '.join(self.ragged_examples)})"
            )
        return notes

    def number_notes(self) -> list[str]:
        """One sentence for each column with cells that are no numbers."""
        return [
            f"{counted(count, 'cell')} of column {column!r} {'is' if count == 1 else 'are'} no number and missing "
            f"({'; '.join(self.number_examples[column])})"
            for column, count in self.bad_numbers.items()
        ]


class Reader(Protocol):
    """One open file of one format."""

    format: str
    names: list[str]
    notes: list[str]
    bytes_total: int

    def chunks(self, columns: list[str] | None, tally: Tally) -> Iterator[Chunk]:
        """The rows from the beginning; only ``columns`` where given (all: None)."""


def counted(count: int, noun: str) -> str:
    """``1 row``, ``2,000 rows``."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def shown(text: object) -> str:
    """A cell for a message: quoted, at most 40 characters."""
    cut = str(text)
    return repr(cut if len(cut) <= 40 else cut[:40] + "…")


def is_text(column: Column) -> bool:
    """Whether a column holds strings (plain or dictionary-encoded)."""
    import pyarrow.types as kinds

    kind = column.type
    if kinds.is_dictionary(kind):
        kind = kind.value_type
    return bool(kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_string_view(kind))


def as_text(column: Column) -> Column:
    """A column as strings; missing stays null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return column if column.type == pa.string() else pc.cast(column, pa.string())


def to_numbers(column: Column) -> tuple[Float64, NDArray[np.bool_]]:
    """A column as numbers.

    Returns
    -------
    values : float64[n]
        NaN where the cell is missing or is no number; a trailing ``%`` is dropped, true and false are 1 and 0.
    bad : bool[n]
        Cells that hold something, but no number.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as kinds

    kind = column.type
    if kinds.is_null(kind):
        return np.full(len(column), np.nan), np.zeros(len(column), bool)
    if is_text(column):
        text = as_text(column)
        try:
            return _floats(pc.cast(text, pa.float64())), np.zeros(len(column), bool)
        except pa.ArrowInvalid:
            return _loose_numbers(text)
    if kinds.is_boolean(kind):
        column = pc.cast(column, pa.uint8())
    elif not (kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_decimal(kind)):
        return np.full(len(column), np.nan), _valid(column)
    return _floats(pc.cast(column, pa.float64(), safe=False)), np.zeros(len(column), bool)


def _loose_numbers(text: Column) -> tuple[Float64, NDArray[np.bool_]]:
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.struct_field(pc.extract_regex(text, _LOOSE_NUMBER), "n")
    values = _floats(pc.cast(found, pa.float64()))
    held = _valid(text) & ~pc.fill_null(pc.is_in(pc.utf8_trim_whitespace(text), pa.array(NULLS)), True).to_numpy(False)
    bad = held & ~_valid(found)
    for word, number in _TRUTH.items():
        same = pc.fill_null(pc.equal(pc.utf8_lower(pc.utf8_trim_whitespace(text)), word), False).to_numpy(False)
        values[same] = number
        bad &= ~same
    return values, bad


def _floats(column: Column) -> Float64:
    return np.array(column.to_numpy(zero_copy_only=False), np.float64)


def _valid(column: Column) -> NDArray[np.bool_]:
    return np.asarray(column.is_valid().to_numpy(zero_copy_only=False), bool)
