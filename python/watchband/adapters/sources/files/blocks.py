"""Text files as blocks of whole lines: compression, encoding, limits and progress in one place."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

from watchband.adapters.objects.place import FilePath
from watchband.adapters.sources.files.hints import BLOCK_BYTES, EXPANSION_MAX, LINE_BYTES_MAX
from watchband.core.errors import DataError

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_PACKED = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"))


class _Bytes(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines of UTF-8 text and how many bytes of the file lie before their end."""

    text: bytes
    bytes_done: int


class TextFile:
    """A text file, perhaps compressed, read as UTF-8 in blocks of whole lines.

    Parameters
    ----------
    path, name : path, str
        Where it is and what messages call it.
        Plain, gzip or zstd, UTF-8 or UTF-16 with a byte order mark, else Latin-1; found from the content.

    Raises
    ------
    DataError
        Binary rubbish, a line beyond 1 MiB, a damaged or absurdly compressed archive.
    """

    def __init__(self, path: FilePath, name: str) -> None:
        self.path, self.name = path, name
        self.bytes_total = path.stat().st_size
        with path.open("rb") as raw:
            start = raw.read(4)
        self.packed = next((kind for magic, kind in _PACKED if start.startswith(magic)), "")
        head = self._head()
        self.mark, self.encoding = next(((m, e) for m, e in _BOMS if head.startswith(m)), (b"", "utf-8"))
        if not self.encoding.startswith("utf-16") and (at := head.find(b"\0")) >= 0:
            raise DataError(
                f"{name} is not text: byte 0x00 at position {at}. Expected CSV, JSON Lines, Prometheus JSON or "
                "Parquet; convert it first."
            )
        if self.encoding == "utf-8" and not _is_utf8(head):
            self.encoding = "latin-1"

    def _head(self) -> bytes:
        with self.path.open("rb") as raw:
            return self._stream(raw).read(256 << 10)

    def _stream(self, raw: BinaryIO) -> _Bytes:
        return _Unpacked(raw, self.name, self.packed) if self.packed else raw

    def pieces(self, size: int = 0) -> Iterator[Block]:
        """UTF-8 text of about ``size`` bytes (0: 2 MiB), cut anywhere between two characters or bytes."""
        with self.path.open("rb") as raw:
            decoder = codecs.getincrementaldecoder(self.encoding)("replace") if self.encoding != "utf-8" else None
            stream = self._stream(raw)
            stream.read(len(self.mark))
            while data := stream.read(size or BLOCK_BYTES):
                yield Block(decoder.decode(data).encode() if decoder else data, raw.tell())

    def blocks(self, size: int = 0) -> Iterator[Block]:
        """Text of about ``size`` bytes, each ending with a line; empty files give none."""
        rest, line_end = b"", b""
        pieces = self.pieces(size)
        piece = next(pieces, None)
        while piece is not None:
            following = next(pieces, None)
            data = rest + piece.text
            line_end = line_end or _line_end(data)
            if following is None and not data.endswith(line_end):
                data += line_end
            cut = data.rfind(line_end) + 1
            rest = data[cut:]
            if len(rest) > LINE_BYTES_MAX:
                raise DataError(
                    f"{self.name}: a line is longer than {LINE_BYTES_MAX:,} bytes, starting with "
                    f"{rest[:30]!r}. Expected one row of a table per line; is this another kind of file?"
                )
            if cut:
                yield Block(data[:cut], piece.bytes_done)
            piece = following


class _Unpacked(io.RawIOBase):
    """A compressed stream that refuses to become absurdly large and names its damage."""

    def __init__(self, raw: BinaryIO, name: str, packed: str) -> None:
        self._raw, self._name, self._packed, self._given = raw, name, packed, 0
        self._unpack: Any = gzip.GzipFile(fileobj=raw) if packed == "gzip" else _zstd(raw)

    def read(self, size: int = -1, /) -> bytes:
        try:
            data = bytes(self._unpack.read(size))
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(
                f"{self._name} is a damaged {self._packed} file ({error}) after {self._given:,} bytes of text. "
                "Copy it again."
            ) from None
        self._given += len(data)
        if self._given > (self._raw.tell() + (64 << 10)) * EXPANSION_MAX:
            raise DataError(
                f"{self._name} grows more than {EXPANSION_MAX}-fold when unpacked; that is no table of metrics. "
                "If it is, unpack it yourself first."
            )
        return data


def _zstd(raw: BinaryIO) -> Any:
    import pyarrow as pa

    return pa.CompressedInputStream(raw, "zstd")


def _line_end(data: bytes) -> bytes:
    return b"\r" if b"\n" not in data and b"\r" in data else b"\n"


def _is_utf8(head: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(head)
    except UnicodeDecodeError:
        return False
    return True
