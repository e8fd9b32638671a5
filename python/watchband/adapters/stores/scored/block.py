"""A block: scored points of up to 64 series as bytes, columns compressed together.

::

    magic  WBS2; of older blocks WBS1, without the last of the other columns
    u32    checksum of all that follows
    body   u32 slices, u32 points; deflated: u32[slices] number of the series, u32[slices] points of the slice
           i64[points] times, the first as it is, then each less the one before it
           f64[points] y, f32[points] each of the other columns, u8[points] flags
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from watchband.core.errors import StateCorruptError
from watchband.core.points import Float64, Int64

MAGIC, BEFORE = b"WBS2", b"WBS1"
_HEAD = struct.Struct("<4sI")
_SIZES = struct.Struct("<II")
BODY_MAX = 1 << 28
FLOATS = ("yhat", "yhat_lower", "yhat_upper", "anomaly_score", "alert_score", "counted_score")
"""Kept with 24 bits: they are drawn and counted, never folded."""

MISSING, IMPUTED, EXCLUDED, ALERTING, HELD, SUPPRESSED = 1, 2, 4, 8, 16, 32
"""Flags of a point: it has no value, the gap policy put it in, it was not learned, an alert was open at it, learning
was held back, a policy kept it from counting."""


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Points of one series with what was said of them, in order of time; arrays of [n].

    Parameters
    ----------
    time : int64[n]
        ns UTC.
    y, yhat, yhat_lower, yhat_upper, anomaly_score, alert_score, counted_score : float64[n]
        As in the results of a watch; all but ``y`` to seven digits.
    flags : uint8[n]
        ``MISSING``, ``IMPUTED``, ``EXCLUDED``, ``ALERTING``, ``HELD``, ``SUPPRESSED``.
    """

    time: Int64
    y: Float64
    yhat: Float64
    yhat_lower: Float64
    yhat_upper: Float64
    anomaly_score: Float64
    alert_score: Float64
    counted_score: Float64
    flags: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.time)

    @classmethod
    def empty(cls) -> Scored:
        """No points."""
        none = np.zeros(0)
        return cls(np.zeros(0, np.int64), none, none, none, none, none, none, none, np.zeros(0, np.uint8))

    def at(self, picked: NDArray[np.int64] | NDArray[np.bool_] | slice) -> Scored:
        """Some of the points."""
        return Scored(*(getattr(self, f.name)[picked] for f in fields(self)))

    @classmethod
    def merged(cls, parts: list[Scored]) -> Scored:
        """Points of one series from several places: in order of time, of equal times the one given last."""
        if not parts:
            return cls.empty()
        whole = cls(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)))
        order = np.argsort(whole.time, kind="stable")
        times = whole.time[order]
        return whole.at(order[np.r_[times[1:] != times[:-1], True]] if len(times) else order)


def encode(series: Int64, counts: Int64, points: Scored) -> bytes:
    """A block of slices; ``series`` are numbers of the book's own table. ``decode`` is the inverse.

    Cost: some 40 ns a point.
    """
    # Where it is the score that is drawn, as of every single detector, it takes no room.
    counted = np.where(points.counted_score == points.anomaly_score, np.nan, points.counted_score)
    floats = [*(getattr(points, name) for name in FLOATS[:-1]), counted]
    parts = [
        np.asarray(series, "<u4"),
        np.asarray(counts, "<u4"),
        np.asarray(np.diff(points.time, prepend=np.int64(0)), "<i8"),
        np.asarray(points.y, "<f8"),
        *(np.asarray(column, "<f4") for column in floats),
        np.asarray(points.flags, np.uint8),
    ]
    # Bytes of like weight side by side: what hardly changes from point to point packs to almost nothing.
    body = _SIZES.pack(len(series), len(points)) + zlib.compress(b"".join(_spread(p) for p in parts), 1)
    return _HEAD.pack(MAGIC, zlib.crc32(body)) + body


def decode(data: bytes) -> tuple[Int64, Int64, Scored]:
    """Numbers of the series, their counts of points, and the points, slice after slice.

    Raises
    ------
    StateCorruptError
        Truncated, damaged or something else.
    """
    try:
        magic, checksum = _HEAD.unpack_from(data)
        if magic not in (MAGIC, BEFORE) or zlib.crc32(data[_HEAD.size :]) != checksum:
            raise ValueError("magic or checksum does not match")
        slices, n = _SIZES.unpack_from(data, _HEAD.size)
        sizes = [4 * slices, 4 * slices, 8 * n, 8 * n, *([4 * n] * (len(FLOATS) - (magic == BEFORE))), n]
        if sum(sizes) > BODY_MAX:
            raise ValueError(f"{n} points in one block")
        reader = zlib.decompressobj()
        body = reader.decompress(data[_HEAD.size + _SIZES.size :], sum(sizes) + 1)
        if len(body) != sum(sizes):
            raise ValueError(f"{len(body)} bytes, expected {sum(sizes)}")
    except (ValueError, struct.error, zlib.error) as error:
        raise StateCorruptError(f"This block of scored points makes no sense ({error}).") from error
    edges = np.cumsum([0, *sizes]).tolist()
    raw = [body[a:b] for a, b in pairwise(edges)]
    counts = _gathered(raw[1], "<u4").astype(np.int64)
    if int(counts.sum()) != n:
        raise StateCorruptError(f"This block of scored points has {n} points, but slices of {int(counts.sum())}.")
    floats = [_gathered(part, "<f4").astype(np.float64) for part in raw[4:-1]]
    named = dict(zip(FLOATS, floats, strict=False))
    own = named.get("counted_score", named["anomaly_score"])
    named["counted_score"] = np.where(np.isnan(own), named["anomaly_score"], own)
    points = Scored(
        time=np.cumsum(_gathered(raw[2], "<i8"), dtype=np.int64),
        y=_gathered(raw[3], "<f8").astype(np.float64),
        flags=np.frombuffer(raw[-1], np.uint8),
        **named,
    )
    return _gathered(raw[0], "<u4").astype(np.int64), counts, points


def _spread(array: NDArray[np.generic]) -> bytes:
    return np.ascontiguousarray(array.view(np.uint8).reshape(len(array), -1).T).tobytes() if len(array) else b""


def _gathered(data: bytes, kind: str) -> NDArray[np.generic]:
    width = np.dtype(kind).itemsize
    return np.ascontiguousarray(np.frombuffer(data, np.uint8).reshape(width, -1).T).view(kind)[:, 0]
