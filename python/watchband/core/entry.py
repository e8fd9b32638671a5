"""One entry of a shard's log as bytes: columns, compressed, checked; the same in every store.

::

    magic  WBE1
    u32    checksum of all that follows
    u8     1 if the body is compressed
    body   u32 slices, u32 points, u32 bytes of the text
           u32[slices] number of the series, u32[slices] points of the slice
           u16[slices] who gave it and what becomes of it: 4 * number of the source + arrival
           i64[points] times, the first as it is, then each less the one before it
           f64[points] values
           text: names of the sources and events as JSON, nothing where there are neither

Little-endian throughout. The series are numbers of the store's own table, which is what keeps an entry of one point
each for many series small.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from watchband.core.errors import StateCorruptError
from watchband.core.events import ControlEvent, event_from_dict, event_to_dict
from watchband.core.points import Float64, Int64
from watchband.core.ports import Arrival, Readings
from watchband.core.series import SeriesKey

MAGIC = b"WBE1"
_HEAD = struct.Struct("<4sIB")
_SIZES = struct.Struct("<III")
COMPRESS_FROM = 512
"""Bytes of a body below which compressing gains nothing."""
BODY_MAX = 1 << 30
SOURCES_MAX = 1 << 14
_ARRIVALS = tuple(Arrival)


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Readings by the numbers of their series.

    Parameters
    ----------
    series : int64[s]
        Number of the series of each slice.
    counts : int64[s]
        Points of each slice.
    times, values : int64[n], float64[n]
        All slices, one after the other.
    events : sequence of ControlEvent
        What else the entry says.
    sources : sequence of str
        Names of the sources that gave the slices.
    source, arrival : int64[s]
        Of each slice the place of its source in ``sources``, and its ``Arrival``.
    """

    series: Int64
    counts: Int64
    times: Int64
    values: Float64
    events: Sequence[ControlEvent]
    sources: Sequence[str]
    source: Int64
    arrival: Int64

    @classmethod
    def of(cls, readings: Sequence[Readings], numbers: Sequence[int], events: Sequence[ControlEvent] = ()) -> Columns:
        """Readings as columns; ``numbers`` are those of their series."""
        places: dict[str, int] = {}
        source = [places.setdefault(r.source, len(places)) for r in readings]
        return cls(
            np.array(numbers, np.int64),
            np.array([len(r.times) for r in readings], np.int64),
            np.concatenate([np.empty(0, np.int64), *(r.times for r in readings)]),
            np.concatenate([np.empty(0), *(r.values for r in readings)]),
            tuple(events),
            tuple(places),
            np.array(source, np.int64),
            np.array([r.arrival for r in readings], np.int64),
        )

    def readings(self, keys: Sequence[SeriesKey]) -> tuple[Readings, ...]:
        """The readings again; ``keys`` are those of ``series``, in its order. Nothing is shared with these columns."""
        edges = np.cumsum(np.r_[0, self.counts]).tolist()
        # Slices of one copy: nobody writes beyond his own.
        times, values, sources = self.times.copy(), self.values.copy(), self.sources
        slices = zip(keys, pairwise(edges), self.source.tolist(), self.arrival.tolist(), strict=True)
        return tuple(
            Readings(key, times[a:b], values[a:b], sources[source], _ARRIVALS[arrival])
            for key, (a, b), source, arrival in slices
        )

    def to_bytes(self) -> bytes:
        """The entry; ``from_bytes`` is the inverse, bit for bit.

        Raises
        ------
        ValueError
            More than ``SOURCES_MAX`` sources.
        """
        if len(self.sources) > SOURCES_MAX:
            raise ValueError(f"An entry holds readings of at most {SOURCES_MAX:,} sources. Got {len(self.sources):,}.")
        # Differences wrap around where times do, and back when they are summed.
        steps = np.diff(self.times, prepend=np.int64(0)) if len(self.times) else self.times
        text = self._text()
        body = b"".join(
            [
                _SIZES.pack(len(self.series), len(self.times), len(text)),
                np.asarray(self.series, "<u4").tobytes(),
                np.asarray(self.counts, "<u4").tobytes(),
                np.asarray(4 * self.source + self.arrival, "<u2").tobytes(),
                np.asarray(steps, "<i8").tobytes(),
                np.asarray(self.values, "<f8").tobytes(),
                text,
            ]
        )
        packed = zlib.compress(body, 1) if len(body) >= COMPRESS_FROM else body
        smaller = len(packed) < len(body)
        tail = bytes([smaller]) + (packed if smaller else body)
        return MAGIC + struct.pack("<I", zlib.crc32(tail)) + tail

    def _text(self) -> bytes:
        named = tuple(self.sources) not in ((), ("",))
        parts: dict[str, object] = {"sources": list(self.sources)} if named else {}
        if self.events:
            parts["events"] = [event_to_dict(e) for e in self.events]
        return json.dumps(parts, separators=(",", ":")).encode() if parts else b""

    @classmethod
    def from_bytes(cls, data: bytes) -> Columns:
        """Read an entry back.

        Raises
        ------
        StateCorruptError
            Truncated, damaged or something else; never a partial entry.
        """
        if len(data) < _HEAD.size or data[:4] != MAGIC:
            raise StateCorruptError(f"These {len(data)} bytes are no entry of a log: expected {MAGIC!r} first.")
        _, checksum, packed = _HEAD.unpack_from(data)
        if zlib.crc32(data[8:]) != checksum or packed > 1:
            raise StateCorruptError("The checksum of this entry of the log does not match: truncated or damaged.")
        try:
            body = _inflated(data[_HEAD.size :]) if packed else data[_HEAD.size :]
            return cls._of_body(body)
        except (ValueError, KeyError, TypeError, AttributeError, struct.error, zlib.error) as error:
            raise StateCorruptError(f"This entry of the log makes no sense ({error}).") from error

    @classmethod
    def _of_body(cls, body: bytes) -> Columns:
        slices, points, length = _SIZES.unpack_from(body)
        widths = [4 * slices, 4 * slices, 2 * slices, 8 * points, 8 * points]
        at = np.cumsum([_SIZES.size, *widths, length]).tolist()
        if at[-1] != len(body):
            raise ValueError(f"{len(body)} bytes, expected {at[-1]}")
        series, counts = (np.frombuffer(body, "<u4", slices, start).astype(np.int64) for start in at[:2])
        if int(counts.sum()) != points:
            raise ValueError(f"{points} points, but slices of {int(counts.sum())}")
        source, arrival = divmod(np.frombuffer(body, "<u2", slices, at[2]).astype(np.int64), 4)
        times = np.cumsum(np.frombuffer(body, "<i8", points, at[3]), dtype=np.int64)
        values = np.frombuffer(body, "<f8", points, at[4]).astype(np.float64)
        text = json.loads(body[at[5] :]) if length else {}
        sources = tuple(map(str, text.get("sources", [""] if slices else [])))
        if slices and (int(source.max()) >= len(sources) or int(arrival.max()) > max(Arrival)):
            raise ValueError(f"a slice of source {int(source.max())} of {len(sources)}, arrival {int(arrival.max())}")
        events = tuple(map(event_from_dict, text.get("events", ())))
        return cls(series, counts, times, values, events, sources, source, arrival)


def _inflated(data: bytes) -> bytes:
    reader = zlib.decompressobj()
    body = reader.decompress(data, BODY_MAX)
    if reader.unconsumed_tail or not reader.eof:
        raise ValueError(f"a body of more than {BODY_MAX} bytes, or one cut short")
    return body
