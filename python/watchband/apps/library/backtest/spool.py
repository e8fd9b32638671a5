"""The spool: readings as they come, series mixed, written down so that each series can be replayed by itself."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np

from watchband.apps.library.engine import FeedBatch
from watchband.apps.library.joining import SlotBatch
from watchband.core.points import Float64, Int64
from watchband.core.series import SeriesKey

HELD_MAX = 1 << 21
"""Readings that wait in memory before they are written: 34 MB."""
CHUNK_POINTS = 1 << 14
"""Readings given at a time."""


@dataclass(eq=False)
class Spooled:
    """One series in the spool.

    Parameters
    ----------
    key : SeriesKey
        The series.
    file : str, default ""
        Where it came from, if known.
    readings : int
        How many there are.
    first, last : int
        Earliest and latest time, ns UTC.
    """

    key: SeriesKey
    file: str = ""
    readings: int = 0
    first: int = 0
    last: int = 0
    places: list[tuple[int, int]] = field(default_factory=list, repr=False)
    _times: hashlib.blake2b = field(default_factory=lambda: hashlib.blake2b(digest_size=16), repr=False)
    _values: hashlib.blake2b = field(default_factory=lambda: hashlib.blake2b(digest_size=16), repr=False)

    def take(self, times: Int64, values: Float64) -> None:
        """Note what the readings are."""
        low, high = int(times.min()), int(times.max())
        self.first = min(self.first, low) if self.readings else low
        self.last = max(self.last, high) if self.readings else high
        self.readings += len(times)
        # Times and values apart: where the input was cut makes no difference.
        self._times.update(times.tobytes())
        self._values.update(values.tobytes())

    @property
    def digest(self) -> str:
        """Of the name and every reading, 32 hexadecimal digits."""
        parts = (str(self.key).encode(), self._times.digest(), self._values.digest())
        return hashlib.blake2b(b"\n".join(parts), digest_size=16).hexdigest()


class Spool:
    """Readings of many series on disk, 16 bytes each. A context manager that removes its file.

    Parameters
    ----------
    folder : Path
        Where the file is made.
    columns : int, default 1
        Values of a reading; more than one where several metrics are joined.
    """

    def __init__(self, folder: Path, columns: int = 1) -> None:
        self.series: list[Spooled] = []
        self.columns = columns
        self.path = folder / "readings.spool"
        self._file: BinaryIO | None = self.path.open("w+b")
        self._held: dict[int, list[tuple[Int64, Float64]]] = {}
        self._count = 0

    def take(self, batches: Iterable[FeedBatch | SlotBatch]) -> None:
        """Write all readings down; times stay in their order of arrival within a series."""
        for batch in batches:
            self.series += [Spooled(key) for key in batch.keys[len(self.series) :]]
            if not len(batch.row):
                continue
            order = np.argsort(batch.row, kind="stable")
            numbers, starts = np.unique(batch.row[order], return_index=True)
            for number, part in zip(numbers.tolist(), np.split(order, starts[1:]), strict=True):
                times, values = np.ascontiguousarray(batch.times[part]), np.ascontiguousarray(batch.values[part])
                if isinstance(batch, SlotBatch):
                    values = np.column_stack([values, batch.further[part]])
                self.series[number].take(times, values)
                self._held.setdefault(number, []).append((times, values))
            self._count += len(batch.row)
            if self._count >= HELD_MAX:
                self._write()
        self._write()

    def _write(self) -> None:
        assert self._file is not None
        for number, parts in self._held.items():
            times, values = (np.concatenate([part[k] for part in parts]) for k in (0, 1))
            self.series[number].places.append((self._file.tell(), len(times)))
            self._file.write(times.tobytes())
            self._file.write(values.tobytes())
        self._file.flush()
        self._held, self._count = {}, 0

    def chunks(self, number: int, points: int = CHUNK_POINTS) -> Iterator[tuple[Int64, Float64]]:
        """The readings of one series, some at a time; any number of threads may ask.

        Values are float64[n], or float64[n, columns] where there are several.
        """
        width = self.columns
        with self.path.open("rb") as file:
            for place, count in self.series[number].places:
                for start in range(0, count, points):
                    some = min(points, count - start)
                    file.seek(place + 8 * start)
                    times = np.frombuffer(file.read(8 * some), np.int64)
                    file.seek(place + 8 * (count + width * start))
                    values = np.frombuffer(file.read(8 * some * width), np.float64)
                    yield times, values.reshape(some, width) if width > 1 else values

    def before(self, number: int, until: int | None) -> tuple[int, int]:
        """How many readings of one series come before a time (None: its end), and the time of the last of them.

        Without any that time lies before the first reading.
        """
        series = self.series[number]
        if until is None or until > series.last:
            return series.readings, series.last
        count, last = 0, series.first - 1
        for times, _ in self.chunks(number):
            early = times[times < until]
            count += len(early)
            last = max(last, int(early.max(initial=last)))
        return count, last

    def close(self) -> None:
        """Remove the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
            self.path.unlink(missing_ok=True)

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
