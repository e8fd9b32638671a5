"""Large arrays in fewer bytes, every bit kept: the bytes of one place of all elements together, coded by frequency.

Exponents, the upper bits of small numbers and a tree's links repeat themselves; mantissas do not and are stored as they
are. Plain deflate without its search for repetitions, which costs ten times as much and finds little here.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEAST, MOST = 8192, 1 << 20
"""Bytes a series from which an array is worth it, and up to which it does not take too long."""

_LENGTH = struct.Struct("<I")
_PLANE_MAX = 1 << 30
_SAMPLE = 4096
_BITS_MOST = 7.8
"""Bits that a byte of a place holds, by a sample, from which on the place is written as it is."""
_DEFLATED_MOST = 1100
"""No byte of deflate becomes more."""


def pack(array: NDArray[Any]) -> bytes | None:
    """A little-endian array as bytes that ``unpack`` reads; None where it is small or would not become smaller."""
    size, width = array.itemsize, array.nbytes // max(1, len(array))
    if not LEAST <= width <= MOST or size == 1 or array.size > _PLANE_MAX:
        return None
    planes = np.ascontiguousarray(array).view(np.uint8).reshape(-1, size).T
    parts = []
    for plane in planes:
        coded = plain = plane.tobytes()
        if _bits(plane) < _BITS_MOST:
            coder = zlib.compressobj(1, zlib.DEFLATED, -15, 9, zlib.Z_HUFFMAN_ONLY)
            coded = coder.compress(plain) + coder.flush()
        coded = coded if len(coded) < len(plain) else plain
        parts += [_LENGTH.pack(len(coded)), coded]
    packed = b"".join(parts)
    return packed if len(packed) < array.nbytes else None


def _bits(plane: NDArray[np.uint8]) -> float:
    """Bits that a byte holds, by its frequencies in a sample."""
    sample = plane[:: max(1, len(plane) // _SAMPLE)]
    counts = np.bincount(sample)
    share = counts[counts > 0] / len(sample)
    return float(-(share * np.log2(share)).sum())


def unpack(data: memoryview, dtype: np.dtype[Any], count: int) -> NDArray[Any]:
    """The ``count`` elements that ``pack`` was given.

    Raises
    ------
    ValueError
        These are no such bytes. No more than the array's own size is ever made of them.
    """
    if count > _DEFLATED_MOST * len(data):
        raise ValueError(f"{len(data)} packed bytes cannot be {count} elements of {dtype}")
    planes = np.empty((count, dtype.itemsize), np.uint8)
    at = 0
    for place in range(dtype.itemsize):
        if at + _LENGTH.size > len(data):
            raise ValueError(f"packed bytes end before place {place} of {dtype}")
        (length,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        if at + length > len(data):
            raise ValueError(f"place {place} of {dtype} wants {length} packed bytes, {len(data) - at} are left")
        planes[:, place] = np.frombuffer(_plane(data[at : at + length], count), np.uint8)
        at += length
    if at != len(data):
        raise ValueError(f"{len(data) - at} packed bytes are left over")
    return planes.view(dtype).reshape(count)


def _plane(coded: memoryview, count: int) -> bytes | memoryview:
    if len(coded) == count:
        return coded
    decoder = zlib.decompressobj(-15)
    try:
        plane = decoder.decompress(coded, count + 1)
    except zlib.error as error:
        raise ValueError(f"packed bytes make no sense: {error}") from error
    if len(plane) != count or not decoder.eof:
        raise ValueError(f"a place has {len(plane)} of {count} bytes")
    return plane
