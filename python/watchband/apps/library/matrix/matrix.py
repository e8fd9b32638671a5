"""A matrix of features over series or entities, made part by part."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from watchband.apps.library.matrix.tables import Table
from watchband.core.errors import ConfigError, DataError
from watchband.core.points import Float64, Int64, Points
from watchband.core.timestamp import format_rfc3339
from watchband.features.feature_set import FeatureSet
from watchband.features.selection import Selection

if TYPE_CHECKING:
    import pyarrow as pa

CELLS_MAX = 4_000_000
"""Numbers of one part: what memory is bounded by while a matrix is written."""
ENDINGS = (".csv", ".parquet")


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Rows of one series or entity: times int64[n] in ns, rows float64[n, k], ``complete`` where a row has no NaN."""

    name: str
    times: Int64
    rows: Float64

    @property
    def complete(self) -> Any:
        """bool[n]."""
        return ~np.isnan(self.rows).any(axis=1)


@dataclass(eq=False)
class Matrix:
    """Features of series or entities.

    Parameters
    ----------
    features : FeatureSet
        What the columns are.
    tables : sequence of Table
        What they are made of.
    title : str
        Of the input.
    drop : bool, default False
        Leave out rows in which a feature is NaN.
    notes : list of str
        How the input was read.
    selection : Selection, optional
        The features that are given, and in which order; all if none.
    """

    features: FeatureSet
    tables: Sequence[Table]
    title: str = ""
    drop: bool = False
    notes: list[str] = field(default_factory=list)
    selection: Selection | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns."""
        return self.features.names if self.selection is None else self.selection.names

    def parts(self) -> Iterator[Part]:
        """The rows, series by series, some at a time; made anew at every call."""
        every = self.features.names
        size = max(1, CELLS_MAX // len(every))
        for table in self.tables:
            state = self.features.start()
            for start in range(0, len(table.times), size):
                times = table.times[start : start + size]
                rows = self.features.step(state, Points.of(times, table.values[start : start + size]))
                part = Part(table.name, times, self.selection.apply(rows, every) if self.selection else rows)
                yield Part(table.name, times[part.complete], part.rows[part.complete]) if self.drop else part

    def to_arrays(self) -> tuple[list[str], Int64, Float64]:
        """Name of the series of each row, times int64[n], rows float64[n, k]."""
        parts = list(self.parts())
        names = [name for part in parts for name in [part.name] * len(part.times)]
        return names, np.concatenate([p.times for p in parts]), np.concatenate([p.rows for p in parts])

    def arrow(self, part: Part, *, text_times: bool = False) -> pa.Table:
        """A part as an Arrow table: series, timestamp, a column a feature."""
        import pyarrow as pa

        times = pa.array(part.times.view("M8[ns]")).cast(pa.timestamp("ns", "UTC"))
        if text_times:
            times = pa.array([format_rfc3339(time) for time in part.times.tolist()], pa.string())
        columns = [pa.array(np.ascontiguousarray(column), from_pandas=True) for column in part.rows.T]
        name = pa.array([part.name] * len(part.times), pa.string())
        return pa.table([name, times, *columns], names=["series", "timestamp", *self.names])

    def to_frame(self) -> pa.Table:
        """All rows as one Arrow table; ``.to_pandas()`` and ``polars.from_arrow`` read it."""
        import pyarrow as pa

        return pa.concat_tables([self.arrow(part) for part in self.parts()])

    def write(self, path: Path) -> Path:
        """Write the rows as they come, and the schema beside them as ``NAME.schema.json``; answers with its path.

        A selection stands there as ``NAME.selection.json``.

        Raises
        ------
        ConfigError
            The file ends neither in ``.csv`` nor in ``.parquet``.
        """
        import pyarrow.csv as pc
        import pyarrow.parquet as pq

        check_target(path)
        text = path.suffix == ".csv"
        shape = self.arrow(Part("", np.empty(0, np.int64), np.empty((0, len(self.names)))), text_times=text).schema
        schema = json.dumps(self.features.schema(), indent=1)
        if text:
            writer: Any = pc.CSVWriter(path, shape, write_options=pc.WriteOptions(quoting_style="needed"))
        else:
            writer = pq.ParquetWriter(path, shape.with_metadata({"watchband.features": schema}), compression="zstd")
        with writer:
            for part in self.parts():
                made = self.arrow(part, text_times=text)
                writer.write_table(made if text else made.cast(writer.schema))
        beside = path.with_suffix(".schema.json")
        beside.write_text(schema + "\n")
        if self.selection is not None:
            text_of = json.dumps(self.selection.document(), indent=1)
            path.with_suffix(".selection.json").write_text(text_of + "\n")
        return beside

    @cached_property
    def counts(self) -> list[dict[str, Any]]:
        """For each series or entity: rows, complete rows, the first complete one."""
        found: dict[str, dict[str, Any]] = {}
        for part in self.parts():
            one = found.setdefault(part.name, {"series": part.name, "rows": 0, "complete": 0, "first_complete": None})
            complete = part.complete
            one["rows"] += len(part.times)
            one["complete"] += int(complete.sum())
            if one["first_complete"] is None and complete.any():
                one["first_complete"] = format_rfc3339(int(part.times[np.argmax(complete)]))
        return list(found.values())

    def check(self) -> None:
        """Raise unless there is a complete row.

        Raises
        ------
        DataError
            Too few rows, or a feature that is never known.
        """
        if any(one["complete"] for one in self.counts):
            return
        rows = max((one["rows"] for one in self.counts), default=0)
        need = self.features.lookback + 1
        if rows < need:
            raise DataError(
                f"{self.title or 'The input'} has {rows} rows at most in a series; one complete row of the set "
                f"{self.features.label!r} looks back on {need} slots. Give more of its past, or another set."
            )
        known = np.zeros(len(self.names), bool)
        for part in self.parts():
            known |= ~np.isnan(part.rows).all(axis=0)
        never = [name for name, ever in zip(self.names, known.tolist(), strict=True) if not ever]
        told = (
            f"{', '.join(never[:5])} {'is' if len(never) == 1 else 'are'} never known"
            if never
            else ("readings are missing in every row")
        )
        raise DataError(f"{self.title or 'The input'} gives no complete row: {told}. Look at its gaps and --interval.")

    def document(self) -> dict[str, Any]:
        """What ``--json`` prints."""
        return {
            "format": 1,
            "set": self.features.label,
            "features": len(self.names),
            "state_bytes": self.features.state_bytes_max,
            "lookback": self.features.lookback,
            "series": self.counts,
            "schema": self.features.schema(),
            "selection": None if self.selection is None else self.selection.document(),
            "notes": self.notes,
        }


def check_target(path: Path) -> None:
    """Raise unless a matrix can be written as this file.

    Raises
    ------
    ConfigError
        Another ending than ``.csv`` or ``.parquet``.
    """
    if path.suffix not in ENDINGS:
        raise ConfigError(f"A matrix of features is written as .csv or .parquet. Got {path.name!r}.")
