"""One entry of a shard's log as bytes: columns, compressed, checked; the same in every store.

::

    magic  WBE1
    u32    checksum of all that follows
    u8     1 if the body is compressed
    body   u32 slices, u32 points, u32 bytes of the events
           u32[slices] number of the series, u32[slices] points of the slice
           i64[points] times, the first as it is, then each less the one before it
           f64[points] values
           events as JSON

Little-endian throughout. The series are numbers of the store's own table, which is what keeps an entry of one point
each for many series small.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from watchband.core.errors import StateCorruptError
from watchband.core.events import ControlEvent, event_from_dict, event_to_dict
from watchband.core.points import Float64, Int64

MAGIC = b"WBE1"
_HEAD = struct.Struct("<4sIB")
_SIZES = struct.Struct("<III")
COMPRESS_FROM = 512
"""Bytes of a body below which compressing gains nothing."""
BODY_MAX = 1 << 30


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
    """

    series: Int64
    counts: Int64
    times: Int64
    values: Float64
    events: Sequence[ControlEvent] = ()

    def to_bytes(self) -> bytes:
        """The entry; ``from_bytes`` is the inverse, bit for bit."""
        events = (
            json.dumps([event_to_dict(e) for e in self.events], separators=(",", ":")).encode() if self.events else b""
        )
        # Differences wrap around where times do, and back when they are summed.
        steps = np.diff(self.times, prepend=np.int64(0)) if len(self.times) else self.times
        body = b"".join(
            [
                _SIZES.pack(len(self.series), len(self.times), len(events)),
                np.asarray(self.series, "<u4").tobytes(),
                np.asarray(self.counts, "<u4").tobytes(),
                np.asarray(steps, "<i8").tobytes(),
                np.asarray(self.values, "<f8").tobytes(),
                events,
            ]
        )
        packed = zlib.compress(body, 1) if len(body) >= COMPRESS_FROM else body
        smaller = len(packed) < len(body)
        tail = bytes([smaller]) + (packed if smaller else body)
        return MAGIC + struct.pack("<I", zlib.crc32(tail)) + tail

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
        except (ValueError, KeyError, TypeError, struct.error, zlib.error) as error:
            raise StateCorruptError(f"This entry of the log makes no sense ({error}).") from error

    @classmethod
    def _of_body(cls, body: bytes) -> Columns:
        slices, points, length = _SIZES.unpack_from(body)
        edges = np.cumsum([_SIZES.size, 4 * slices, 4 * slices, 8 * points, 8 * points, length]).tolist()
        if edges[-1] != len(body):
            raise ValueError(f"{len(body)} bytes, expected {edges[-1]}")
        series, counts = (np.frombuffer(body, "<u4", slices, at).astype(np.int64) for at in edges[:2])
        if int(counts.sum()) != points:
            raise ValueError(f"{points} points, but slices of {int(counts.sum())}")
        times = np.cumsum(np.frombuffer(body, "<i8", points, edges[2]), dtype=np.int64)
        values = np.frombuffer(body, "<f8", points, edges[3]).astype(np.float64)
        events = json.loads(body[edges[4] :]) if length else []
        return cls(series, counts, times, values, tuple(map(event_from_dict, events)))


def _inflated(data: bytes) -> bytes:
    reader = zlib.decompressobj()
    body = reader.decompress(data, BODY_MAX)
    if reader.unconsumed_tail or not reader.eof:
        raise ValueError(f"a body of more than {BODY_MAX} bytes, or one cut short")
    return body
