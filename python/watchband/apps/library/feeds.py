"""Where readings come from: files through the readers, frames and arrays as one more format of theirs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from watchband.apps.library.engine import FeedBatch
from watchband.apps.library.options import Options
from watchband.core.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

    from watchband.adapters.sources.files import Hints, Table
    from watchband.adapters.sources.files.columns import Chunk, Tally

Progress = Callable[[str, int, int], None]
"""Called with what is being done, and bytes done of bytes in all."""


class Feed(Protocol):
    """Readings, once."""

    title: str

    @property
    def notes(self) -> list[str]:
        """How the input was read; complete after the last batch."""
        ...

    def batches(self) -> Iterator[FeedBatch]:
        """The readings, batch by batch."""
        ...


class TableFeed:
    """The readings of a table of the readers."""

    def __init__(self, table: Table, title: str, progress: Progress | None = None) -> None:
        self.title = title
        self._table = table
        self._progress = progress

    @property
    def table(self) -> Table:
        """What is read."""
        return self._table

    @property
    def notes(self) -> list[str]:
        """Roles of the columns and notes; complete after the last batch."""
        profile = self._table.profile
        if len(profile.files) != 1:
            return profile.describe()
        file = profile.files[0]
        return [file.describe(), *file.notes, *(f"left out: {problem}" for problem in self._table.problems)]

    @property
    def files(self) -> dict[str, str]:
        """The file of each series, by the name of the series."""
        return {str(key): file.file for file in self._table.profile.files for key in file.keys}

    def batches(self) -> Iterator[FeedBatch]:
        """The readings; a copy of standard input is removed at the end.

        Raises
        ------
        DataError
            The only file breaks off: what came before it is not the whole.
        """
        told = self._progress
        with self._table as table:
            yield from table.batches((lambda done, total: told("judging", done, total)) if told else None)
            if table.problems and len(table.profile.files) == 1:
                raise table.problems[-1].error


def hints_of(options: Options, columns: Mapping[str, Any]) -> Hints:
    """What the readers are told: columns by name, time zone, interval."""
    from watchband.adapters.sources.files import Hints

    return Hints(
        format=columns.get("format"),
        time=columns.get("time"),
        values=tuple(columns.get("value") or ()),
        labels=tuple(columns.get("label") or ()),
        metric=columns.get("metric"),
        day_first=columns.get("day_first") or None,
        timezone=options.timezone,
        interval_ns=options.interval_ns(),
    )


def open_files(
    paths: Sequence[str | os.PathLike[str]],
    options: Options,
    columns: Mapping[str, Any],
    progress: Progress | None = None,
) -> TableFeed:
    """Look through files, folders, globs or standard input.

    Raises
    ------
    ConfigError, DataError
        See ``open_table``.
    """
    from watchband.adapters.sources.files import open_table

    looking = (lambda done, total: progress("looking through", done, total)) if progress else None
    table = open_table(paths, hints_of(options, columns), progress=looking)
    names = [Path(p).name or os.fspath(p) for p in paths]
    title = ("standard input" if names[0] == "-" else names[0]) if len(names) == 1 else f"{len(names)} inputs"
    return TableFeed(table, title, progress)


def open_source(source: Any, options: Options, columns: Mapping[str, Any]) -> TableFeed:
    """Whatever ``detect`` reads: paths, frames, series, arrays."""
    if isinstance(source, (str, os.PathLike)):
        return open_files([source], options, columns)
    if isinstance(source, list) and source and all(isinstance(p, (str, os.PathLike)) for p in source):
        return open_files(source, options, columns)
    from watchband.adapters.sources.files.table import open_one
    from watchband.apps.library.frames import VALUE, table_of

    reader = FrameReader(table_of(source))
    table = open_one(reader, f"This {reader.format}", VALUE, hints_of(options, columns))
    return TableFeed(table, reader.format)


class FrameReader:
    """An Arrow table in memory, as one more format that the readers know."""

    format = "frame"
    rows_max = 65_536

    def __init__(self, table: pa.Table) -> None:
        import pyarrow as pa

        nested = [field.name for field in table.schema if pa.types.is_nested(field.type)]
        self._table = table.drop_columns(nested) if nested else table
        self.names: list[str] = self._table.column_names
        self.notes = [f"nested columns are left out: {', '.join(nested)}"] if nested else []
        self.bytes_total = int(table.nbytes)
        if not table.num_rows:
            raise DataError("This frame has no rows. Expected a table with a time column and a value column.")

    def chunks(self, columns: list[str] | None, tally: Tally) -> Iterator[Chunk]:
        """The rows from the beginning."""
        from watchband.adapters.sources.files.columns import Chunk

        names = self.names if columns is None else columns
        rows_max = max(1, self.rows_max // max(len(names), 1))
        row = 0
        for batch in self._table.select(names).to_batches(max_chunksize=rows_max):
            done = self.bytes_total * (row + batch.num_rows) // self._table.num_rows
            arrays = {name: batch.column(name) for name in names}
            yield Chunk(np.arange(row, row + batch.num_rows), arrays, lambda number: f"row {number + 1}", done)
            row += batch.num_rows
