"""Parquet files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from watchband.adapters.objects.place import FilePath, ObjectPath
from watchband.adapters.sources.files.columns import Chunk, Tally
from watchband.adapters.sources.files.hints import BATCH_VALUES_MAX, COLUMNS_MAX
from watchband.core.errors import DataError


class ParquetReader:
    """A Parquet file, read in batches of rows; nested columns are left out."""

    format = "Parquet"

    def __init__(self, path: FilePath, name: str) -> None:
        import pyarrow as pa

        self.path, self.name = path, name
        self.bytes_total = path.stat().st_size
        try:
            with self._open() as file:
                schema, self.rows = file.schema_arrow, file.metadata.num_rows
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{name} is a damaged Parquet file: {_one_line(error)} Copy it again.") from None
        nested = [field.name for field in schema if pa.types.is_nested(field.type)]
        self.names = [field.name for field in schema if field.name not in nested]
        self.notes = [f"nested columns are left out: {', '.join(nested)}"] if nested else []
        if not self.rows:
            raise DataError(f"{name} has no rows. Expected a table with a time column and a value column.")
        if len(self.names) > COLUMNS_MAX:
            raise DataError(f"{name} has {len(self.names):,} columns; at most {COLUMNS_MAX:,} are read. Split it.")
        if len(set(self.names)) < len(self.names):
            twice = sorted({one for one in self.names if self.names.count(one) > 1})
            raise DataError(f"{name} has several columns called {', '.join(twice)}. Rename them.")

    def _open(self) -> Any:
        import pyarrow.parquet as parquet

        if isinstance(self.path, ObjectPath):
            # A column chunk is fetched in few ranges; those that were read lately are kept.
            return parquet.ParquetFile(self.path.open(), pre_buffer=False)
        return parquet.ParquetFile(self.path)

    def chunks(self, columns: list[str] | None, tally: Tally) -> Iterator[Chunk]:
        """The rows from the beginning."""
        import pyarrow as pa

        names = self.names if columns is None else columns
        row = 0
        rows_max = max(1, BATCH_VALUES_MAX // max(len(names), 1))
        try:
            with self._open() as file:
                for batch in file.iter_batches(batch_size=rows_max, columns=names):
                    count = batch.num_rows
                    done = self.bytes_total * (row + count) // self.rows
                    arrays = {name: batch.column(name) for name in names}
                    yield Chunk(np.arange(row, row + count), arrays, lambda number: f"row {number + 1}", done)
                    row += count
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{self.name} is a damaged Parquet file: {_one_line(error)} after {row:,} rows.") from None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200].rstrip(".") + "."
