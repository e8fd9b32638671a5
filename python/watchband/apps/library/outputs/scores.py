"""``scores.parquet`` and ``scores.csv``: one row per input row, written as they come."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from watchband.apps.library.outputs import table
from watchband.apps.library.rows import Rows
from watchband.core.series import SeriesKey

GROUP_ROWS = 1 << 17
"""Rows of one row group of the Parquet file: the most that is held back."""


class ScoresWriter:
    """Writes both files block by block; use as a context, so that the files are closed.

    Parameters
    ----------
    folder : Path
        Where ``scores.parquet`` and ``scores.csv`` are made.
    """

    def __init__(self, folder: Path) -> None:
        import pyarrow as pa
        import pyarrow.csv as pc
        import pyarrow.parquet as pq

        text = pa.schema(
            [field.with_type(pa.string()) if field.name == "timestamp" else field for field in table.schema()]
        )
        options = pc.WriteOptions(quoting_style="needed")
        self._parquet = pq.ParquetWriter(folder / "scores.parquet", table.schema(), compression="zstd")
        self._csv = pc.CSVWriter(folder / "scores.csv", text, write_options=options)
        self._held: list[Rows] = []
        self._keys: Sequence[SeriesKey] = ()
        self._count = 0
        self.rows_held_max = 0

    def take(self, rows: Rows, keys: Sequence[SeriesKey]) -> None:
        """Write a block; series are named by ``keys``."""
        if not len(rows):
            return
        self._csv.write_table(table.to_arrow(rows, keys, text_times=True))
        self._held.append(rows)
        self._count += len(rows)
        self._keys = keys
        self.rows_held_max = max(self.rows_held_max, self._count)
        if self._count >= GROUP_ROWS:
            self._write_group()

    def _write_group(self) -> None:
        if self._held:
            self._parquet.write_table(table.to_arrow(Rows.joined(self._held), self._keys))
        self._held, self._count = [], 0

    def __enter__(self) -> ScoresWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._write_group()
        self._parquet.close()
        self._csv.close()
