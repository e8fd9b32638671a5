"""Lines of a file as readings; what its columns are is told from its beginning."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from watchband.adapters.sources.files.columns import Tally, to_numbers
from watchband.adapters.sources.files.delimited import DelimitedReader
from watchband.adapters.sources.files.hints import Hints
from watchband.adapters.sources.files.json_lines import JsonLinesReader
from watchband.adapters.sources.files.keys import key_of, with_label
from watchband.adapters.sources.files.locate import Found, stem_of
from watchband.adapters.sources.files.roles import Roles, find_roles
from watchband.adapters.sources.files.scan import Groups, times_of
from watchband.core.errors import DataError
from watchband.core.points import Float64, Int64
from watchband.core.ports import Readings
from watchband.core.series import SeriesKey

SAMPLE_BYTES = 64 << 10
"""Of a file's beginning, from which its columns are told."""


@dataclass
class Parsed:
    """Readings of some lines, row after row: the place of the series in ``keys``, time and value.

    ``refused`` counts rows and cells that are none.
    """

    keys: list[SeriesKey]
    series: Int64
    times: Int64
    values: Float64
    refused: int

    def readings(self) -> list[Readings]:
        """By series, each in the order of the file."""
        found = []
        for number in np.unique(self.series).tolist():
            mine = self.series == number
            found.append(Readings(self.keys[number], self.times[mine], self.values[mine]))
        return found


@dataclass
class Layout:
    """How the lines of one file are read.

    Parameters
    ----------
    reader : DelimitedReader or JsonLinesReader
        Made for the file's beginning.
    roles : Roles
        What each column is.
    found : Found
        The name that the file had first.
    hints : Hints
        What the user said.
    label : str
        Label that holds the file's name; empty: none.
    skip : int
        Bytes before the first row.
    """

    reader: DelimitedReader | JsonLinesReader
    roles: Roles
    found: Found
    hints: Hints
    label: str
    skip: int
    _keys: dict[tuple[object, str], SeriesKey] = field(default_factory=dict)

    def parse(self, text: bytes) -> Parsed:
        """Readings of whole lines."""
        tally = Tally()
        chunk = self.reader.rows(text if text.endswith(b"\n") else text + b"\n", tally)
        times = times_of(chunk, self.roles, tally)
        good = ~times.bad
        groups = Groups()
        numbers = groups.of(chunk, self.roles.grouping)
        names = list(groups.numbers)
        width = len(self.roles.values)
        cells, wrong = zip(*(to_numbers(chunk.columns[name]) for name in self.roles.values), strict=True)
        values, bad = np.stack(cells, axis=1), np.stack(wrong, axis=1)
        # An empty cell is no reading: of several columns in one file not each has a value in each row.
        present = good[:, None] & ~np.isnan(values)
        series = numbers[:, None] * width + np.arange(width)
        moments = np.broadcast_to(times.ns[:, None], values.shape)
        keys = [self._key(group, column) for group in names for column in self.roles.values]
        refused = tally.ragged + int(times.bad.sum()) + int((bad & good[:, None]).sum())
        return Parsed(keys, series[present], moments[present].astype(np.int64), values[present], refused)

    def _key(self, group: tuple[SeriesKey | None, tuple[str, ...]], column: str) -> SeriesKey:
        key = self._keys.get((group, column))
        if key is None:
            key = key_of(group, column, self.found, self.roles, self.hints)
            if self.label:
                key = with_label(key, self.label, self.found.stem)
            self._keys[group, column] = key
        return key


def layout_of(sample: bytes, line: str, hints: Hints, label: str) -> Layout:
    """What the lines of a file are, told from its beginning.

    Raises
    ------
    DataError
        No table with times and numbers; or none yet.
    ConfigError
        A hint names a column that is not there.
    """
    found = Found(Path(line), line, stem_of(Path(line).name))
    with tempfile.NamedTemporaryFile() as copy:
        copy.write(sample)
        copy.flush()
        path = Path(copy.name)
        kind = hints.format or ("jsonl" if sample.lstrip().startswith(b"{") else "csv")
        reader = JsonLinesReader(path, line) if kind == "jsonl" else DelimitedReader(path, line)
        chunk = next(reader.chunks(None, Tally()), None)
    if chunk is None:
        raise DataError(f"{line} holds no row yet.")
    roles = find_roles(chunk, reader.names, hints, line)
    if roles.time is None or roles.form.kind == "row":
        raise DataError(f"{line} has no times. A file that grows needs a column of them; name it with 'time'.")
    before = reader.dialect.lines_before if isinstance(reader, DelimitedReader) else 0
    skip = 0
    for _ in range(before):
        skip = sample.find(b"\n", skip) + 1
    return Layout(reader, roles, found, hints, label, skip)
