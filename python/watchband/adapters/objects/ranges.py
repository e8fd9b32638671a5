"""An object as a file that can seek: fetched in blocks, of which the last few are kept."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

BLOCK_BYTES = 4 << 20
KEPT_BYTES = 64 << 20
"""Bytes of blocks that are kept of all files of one place: the beginning of a file is read some times over."""


class Blocks:
    """Blocks that were fetched last, of many objects; safe to use by several threads."""

    def __init__(self, most: int = KEPT_BYTES) -> None:
        self._most, self._held = most, 0
        self._blocks: OrderedDict[tuple[str, str, int], bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[str, str, int], fetch: Callable[[], bytes]) -> bytes:
        """A block, fetched if it is not kept."""
        with self._lock:
            if (found := self._blocks.get(key)) is not None:
                self._blocks.move_to_end(key)
                return found
        found = fetch()
        with self._lock:
            if key not in self._blocks:
                self._blocks[key] = found
                self._held += len(found)
            while self._held > self._most and len(self._blocks) > 1:
                self._held -= len(self._blocks.popitem(last=False)[1])
        return found


class RangedFile(io.RawIOBase):
    """A file of ``size`` bytes of which ``fetch(start, end)`` gives a part.

    Parameters
    ----------
    size : int
        Bytes in all.
    fetch : callable
        Bytes from ``start`` up to, not including, ``end``.
    blocks : Blocks
        Where they are kept.
    key : (str, str)
        Name and etag of the object.

    Examples
    --------
    >>> text = b"0123456789"
    >>> file = RangedFile(10, lambda start, end: text[start:end], Blocks(), ("digits", ""))
    >>> file.seek(-3, 2), file.read(2), file.tell()
    (7, b'78', 9)
    """

    def __init__(self, size: int, fetch: Callable[[int, int], bytes], blocks: Blocks, key: tuple[str, str]) -> None:
        self._size, self._fetch, self._blocks, self._key = size, fetch, blocks, key
        self._at = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a byte."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        """Read into a buffer what one block holds of it."""
        view = memoryview(buffer).cast("B")
        if self._at >= self._size or not len(view):
            return 0
        number, within = divmod(self._at, BLOCK_BYTES)
        start = number * BLOCK_BYTES
        end = min(start + BLOCK_BYTES, self._size)
        block = self._blocks.get((*self._key, number), lambda: self._fetch(start, end))
        part = block[within : within + len(view)]
        view[: len(part)] = part
        self._at += len(part)
        return len(part)

    def read(self, size: int | None = -1, /) -> bytes:
        """As many bytes as were asked for, where there are as many."""
        left = self._size - self._at if size is None or size < 0 else min(size, self._size - self._at)
        parts = []
        while left > 0:
            buffer = bytearray(min(left, BLOCK_BYTES))
            count = self.readinto(buffer)
            if not count:
                break
            parts.append(bytes(buffer[:count]))
            left -= count
        return b"".join(parts)
