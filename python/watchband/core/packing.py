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

LEAST = 8192
"""Bytes a series from which an array is worth it."""

_LENGTH = struct.Struct("<I")
_PLANE_MAX = 1 << 30
_DEFLATED_MOST = 1100
"""No byte of deflate becomes more."""


def pack(array: NDArray[Any]) -> bytes | None:
    """A little-endian array as bytes that ``unpack`` reads; None where it is small or would not become smaller."""
    size, width = array.itemsize, array.nbytes // max(1, len(array))
    if width < LEAST or size == 1 or array.size > _PLANE_MAX:
        return None
    planes = np.ascontiguousarray(array).view(np.uint8).reshape(-1, size).T
    parts = []
    for plane in planes:
        coder = zlib.compressobj(1, zlib.DEFLATED, -15, 9, zlib.Z_HUFFMAN_ONLY)
        coded = coder.compress(plane.tobytes()) + coder.flush()
        parts += [_LENGTH.pack(len(coded)), coded]
    packed = b"".join(parts)
    return packed if len(packed) < array.nbytes else None


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
        decoder = zlib.decompressobj(-15)
        try:
            plane = decoder.decompress(data[at : at + length], count + 1)
        except zlib.error as error:
            raise ValueError(f"packed bytes of place {place} of {dtype}: {error}") from error
        if len(plane) != count or not decoder.eof or at + length > len(data):
            raise ValueError(f"place {place} of {dtype} has {len(plane)} of {count} bytes")
        planes[:, place] = np.frombuffer(plane, np.uint8)
        at += length
    if at != len(data):
        raise ValueError(f"{len(data) - at} packed bytes are left over")
    return planes.view(dtype).reshape(count)
