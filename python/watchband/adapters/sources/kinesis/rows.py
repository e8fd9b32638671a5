"""Raw rows of a table as records: a line of CSV, or a JSON object by column names."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from watchband.adapters.sources.files.cells import numbers
from watchband.adapters.sources.files.cells import times as times_of
from watchband.adapters.sources.files.columns import shown
from watchband.adapters.sources.files.hints import Hints
from watchband.adapters.sources.files.timestamps import EXPECTED
from watchband.adapters.sources.push.keys import Cache
from watchband.core.errors import ConfigError, DataError
from watchband.core.ports import Readings
from watchband.core.series import SeriesKey

COLUMNS = (
    "Timestamp", "CPUUtilization", "MemoryUtilization", "DiskReadBytes_MB", "DiskWriteBytes_MB", "DiskReadOps",
    "DiskWriteOps", "NetworkIn_MB", "NetworkOut_MB", "StatusCheckFailed", "EBSBurstBalance_MB",
    "EBSVolumeReadBytes_MB", "EBSVolumeWriteBytes_MB", "EBSVolumeReadOps", "EBSVolumeWriteOps", "EBSVolumeTotalIOs",
    "EBSConsumedReadOps", "EBSConsumedWriteOps", "EBSConsumedIOs", "EBSConsumedReadBytes_MB",
    "EBSConsumedWriteBytes_MB", "Latency_ms", "DiskQueueLength", "RunningProcesses", "ActiveConnections",
)  # fmt: skip
"""A host's row of CloudWatch metrics: a time and 24 values."""
CELLS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Row:
    """One row: which record it came with, its partition key, names of its columns, and cells as texts."""

    item: int
    key: str
    columns: tuple[str, ...]
    cells: Sequence[str]


@dataclass
class RowReader:
    """Rows as readings.

    Parameters
    ----------
    columns : tuple of str
        Of a line of CSV, in order.
    time : str
        The column of times.
    labels : tuple of str
        Columns that are labels; all others are values.
    key_label : str or None
        The label that holds the partition key.
    hints : Hints
        Zone and order of day and month, of times that leave them open.
    """

    columns: tuple[str, ...]
    time: str
    labels: tuple[str, ...]
    key_label: str | None
    hints: Hints
    _known: dict[str, int | None] = field(default_factory=dict)
    _keys: Cache[tuple[str, str, tuple[str, ...]], SeriesKey] = field(default_factory=Cache)

    def lines(self, item: int, key: str, text: str) -> list[Row]:
        """Rows of a text; a header is left out.

        Raises
        ------
        DataError
            A line has more or fewer cells than there are columns.
        """
        found = []
        try:
            for cells in csv.reader(text.splitlines(), strict=True):
                if not cells or [c.strip() for c in cells] == list(self.columns):
                    continue
                if len(cells) != len(self.columns):
                    raise DataError(
                        f"a row of {len(cells)} cells, where 'columns' names {len(self.columns)}: {shown(text)}"
                    )
                found.append(Row(item, key, self.columns, cells))
        except csv.Error as error:
            raise DataError(f"no CSV: {error}") from None
        if not found:
            raise DataError("no row in it")
        return found

    def document(self, item: int, key: str, document: dict[str, Any]) -> Row:
        """The row of a JSON object.

        Raises
        ------
        DataError
            Too many columns.
        """
        if len(document) > CELLS_MAX:
            raise DataError(f"an object of {len(document):,} columns; at most {CELLS_MAX:,} are read")
        cells = ["" if cell is None else str(cell) for cell in document.values()]
        return Row(item, key, tuple(document), cells)

    def read(self, rows: Sequence[Row]) -> tuple[list[Readings], dict[int, str]]:
        """Readings in the order of the rows, and by record why some of it is none."""
        found: list[Readings] = []
        reasons: dict[int, str] = {}
        for columns in dict.fromkeys(row.columns for row in rows):
            self._alike(columns, [row for row in rows if row.columns == columns], found, reasons)
        return found, reasons

    def _alike(
        self, columns: tuple[str, ...], rows: Sequence[Row], found: list[Readings], reasons: dict[int, str]
    ) -> None:
        """Rows of the same columns."""
        at = columns.index(self.time)
        if len(self._known) > CELLS_MAX:
            self._known.clear()
        times, bad = times_of([row.cells[at] for row in rows], self.hints, self._known)
        for number in np.flatnonzero(bad).tolist():
            reasons[rows[number].item] = f"no time in {self.time!r}: {shown(rows[number].cells[at])}. {EXPECTED}"
        groups: dict[tuple[str, tuple[str, ...]], list[int]] = {}
        named = [columns.index(label) for label in self.labels if label in columns]
        for number, row in enumerate(rows):
            if not bad[number]:
                groups.setdefault((row.key, tuple(row.cells[n] for n in named)), []).append(number)
        for place, column in enumerate(columns):
            if place == at or place in named:
                continue
            texts = [row.cells[place] for row in rows]
            values, wrong = numbers(texts)
            for number in np.flatnonzero(wrong & ~bad).tolist():
                reasons.setdefault(rows[number].item, f"no number in {column!r}: {shown(texts[number])}")
            for (key, cells), mine_at in groups.items():
                mine = np.array(mine_at)
                mine = mine[~np.isnan(values[mine])]
                if len(mine):
                    series = self._key(column, key, [columns[n] for n in named], cells)
                    found.append(Readings(series, times[mine], values[mine]))

    def _key(self, column: str, key: str, names: Iterable[str], cells: tuple[str, ...]) -> SeriesKey:
        known = self._keys.get((column, key, cells))
        if known is None:
            labels = {} if self.key_label is None else labels_of(key, self.key_label)
            labels |= {name: cell for name, cell in zip(names, cells, strict=True) if cell}
            known = SeriesKey(column.strip() or "value", labels)
            self._keys.put((column, key, cells), known)
        return known


def labels_of(key: str, label: str) -> dict[str, str]:
    """Labels of a partition key: those of an entity as ``replay`` writes it, or one with the key itself.

    Examples
    --------
    >>> labels_of('{host="a",zone="b"}', "host"), labels_of("i-17", "host")
    ({'host': 'a', 'zone': 'b'}, {'host': 'i-17'})
    """
    if key.startswith("{"):
        try:
            return dict(SeriesKey.parse("x" + key).labels)
        except ConfigError:
            pass
    return {label: key}
