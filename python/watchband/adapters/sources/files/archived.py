"""An archive as files: each of its days is one, with the labels of its readings as columns."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np

from watchband.adapters.archive.archive import ObjectArchive
from watchband.adapters.archive.manifest import ROOT, Part
from watchband.adapters.archive.rows import LABELS_KEY
from watchband.adapters.objects.address import Address
from watchband.adapters.objects.place import Entry, ObjectPath
from watchband.adapters.sources.files.columns import Chunk, Tally
from watchband.adapters.sources.files.hints import BATCH_VALUES_MAX
from watchband.core.clock import SystemClock
from watchband.core.errors import ConfigError, DataError
from watchband.core.series import SeriesKey

TIME, METRIC, VALUE = "time", "metric", "value"
_READ = ("series", "time_ns", "value")


@dataclass(frozen=True)
class ArchivedDay(ObjectPath):
    """The readings of a day; ``entry`` stands for all of its parts."""

    archive: ObjectArchive | None = field(default=None, repr=False, compare=False)
    parts: tuple[Part, ...] = ()
    span: tuple[int, int] = (-(2**63), 2**63 - 1)


def archived_days(text: str) -> list[ArchivedDay]:
    """The days of the archive at an address, if there is one: each reading that its manifest names once.

    Raises
    ------
    ConfigError
        The archive has nothing of that time.
    """
    address = Address.parse(text)
    if not address.template.plain:
        return []
    plain, _, query = text.partition("?")
    asked = [one for one in query.split("&") if one and not one.startswith(("since=", "until=", "max_"))]
    archive = ObjectArchive(plain + ("?" + "&".join(asked) if asked else ""))
    if archive.place.find(archive.folder + ROOT) is None:
        archive.close()
        return []
    since, until = address.window(SystemClock().now())
    span = (-(2**63) if since is None else since, 2**63 - 1 if until is None else until)
    parts = sorted(archive.parts("readings", span), key=lambda p: (p.date, p.key))
    found = []
    for date, some in groupby(parts, key=lambda p: p.date):
        day = tuple(some)
        size = sum(part.nbytes for part in day)
        if size > address.limits.each:
            raise DataError(f"{archive.name} has {size:,} bytes of {date}; at most {address.limits.each:,} are read.")
        found.append(ArchivedDay(archive.place, Entry(f"{archive.folder}readings/{date}", size), archive, day, span))
    if not found:
        raise ConfigError(f"The archive {archive.name} has no readings of the time that was asked for.")
    if len(found) > address.limits.objects or sum(d.entry.size for d in found) > address.limits.total:
        raise DataError(
            f"{text!r} means more than {address.limits.objects:,} days or {address.limits.total:,} bytes. Narrow it "
            "with since= and until=, or raise max_objects and max_size."
        )
    return found


class ArchiveReader:
    """A day of an archive, as one more format that the readers know: columns time, metric, one a label, value."""

    format = "archive"

    def __init__(self, day: ArchivedDay, name: str) -> None:
        assert day.archive is not None
        self.day, self.name, self.archive = day, name, day.archive
        self.bytes_total = max(1, day.entry.size)
        self.notes: list[str] = []
        labels: set[str] = set()
        for part in day.parts:
            with self.archive.open(part) as file:
                labels |= set(json.loads((file.metadata.metadata or {}).get(LABELS_KEY, b"[]")))
        # A label may be called as a column of ours is: it comes under another name.
        self._labels = {name: (f"label_{name}" if name in (TIME, METRIC, VALUE) else name) for name in sorted(labels)}
        self.names = [TIME, METRIC, *self._labels.values(), VALUE]

    def chunks(self, columns: list[str] | None, tally: Tally) -> Iterator[Chunk]:
        """The rows of all parts, one after the other."""
        names = self.names if columns is None else columns
        rows_max = max(1, BATCH_VALUES_MAX // max(len(names), 1))
        row = done = 0
        for part in self.day.parts:
            for table in self.archive.read(part, _READ, rows_max):
                inside = self._within(table)
                if len(inside):
                    arrays = self._columns(inside, names)
                    yield Chunk(np.arange(row, row + len(inside)), arrays, lambda number: f"row {number + 1}", done)
                    row += len(inside)
            done += part.nbytes

    def _within(self, table: Any) -> Any:
        since, until = self.day.span
        times = np.asarray(table["time_ns"])
        inside = (times >= since) & (times < until)
        return table if inside.all() else table.filter(inside)

    def _columns(self, table: Any, names: list[str]) -> dict[str, Any]:
        import pyarrow as pa

        series = table["series"].combine_chunks().dictionary_encode()
        keys = [SeriesKey.parse(text) for text in series.dictionary.to_pylist()]
        found: dict[str, Any] = {
            TIME: pa.array(np.asarray(table["time_ns"]), pa.timestamp("ns", "UTC")),
            VALUE: table["value"].combine_chunks(),
        }
        texts: dict[str, list[str | None]] = {METRIC: [key.metric for key in keys]}
        texts |= {column: [key.labels.get(label) for key in keys] for label, column in self._labels.items()}
        for name, values in texts.items():
            found[name] = pa.array(values, pa.string()).take(series.indices)
        return {name: found[name] for name in names}
