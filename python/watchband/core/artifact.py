"""A fitted model as one file: a document and named arrays. No pickle; nothing in the bytes is executed.

::

    magic  WBMODEL\\n   8
    format             u16
    header, bytes      u32
    whole, bytes       u64
    header             JSON: kind, document, and of each array name, element type and shape
    arrays             in the header's order, little-endian, row by row
    checksum           blake2b, 16 bytes, of everything before it

Equal contents give equal bytes. Every length is held to a limit before anything is allocated for it. The checksum finds
damage and is what other files name this one by; it is no signature: who can write the file can write another.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import struct
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchband.core.errors import (
    ConfigError,
    NotThereError,
    StateCorruptError,
    StateMismatchError,
    StateVersionError,
)

MAGIC = b"WBMODEL\n"
FORMAT = 1
SUFFIX = ".wbm"
FILE_BYTES_MAX = 1 << 30
HEADER_BYTES_MAX = 16 << 20
ARRAYS_MAX = 1024
DIMENSIONS_MAX = 4
DTYPES = ("<f8", "<f4", "<i8", "<i4", "<u2", "|u1", "|b1")
ADVICE = "Put the file back from a backup, or train anew: watchband train FILE… --out DIR."

_PREFIX = struct.Struct("<8sHIQ")
_DIGEST = 16
_KIND = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


@dataclass(frozen=True, slots=True, eq=False)
class Artifact:
    """What a file holds.

    Parameters
    ----------
    kind : str
        What it is a model of: ``"isolation_forest"``.
    document : mapping
        Plain data, as JSON knows it.
    arrays : mapping of str to array
        Read-only.
    checksum : str
        Thirty-two hexadecimal digits; of every byte of the file but these.
    nbytes : int
        Of the whole file.
    """

    kind: str
    document: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]
    checksum: str
    nbytes: int


def to_bytes(kind: str, document: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """What ``write`` writes; equal contents give equal bytes.

    Raises
    ------
    ConfigError
        Something in it cannot be written so that it is read back the same: a NaN in the document, an array of
        objects, a name with blanks, more than the limits allow.
    """
    if not _KIND.fullmatch(kind):
        raise ConfigError(f"The kind of a model is up to 64 of a-z, 0-9, '_', '.', '-'. Got {kind!r}.")
    if len(arrays) > ARRAYS_MAX:
        raise ConfigError(f"A model file holds up to {ARRAYS_MAX} arrays. Got {len(arrays)}.")
    plain = {name: _plain(name, arrays[name]) for name in sorted(arrays)}
    entries = [[name, array.dtype.str, list(array.shape)] for name, array in plain.items()]
    try:
        header = {"kind": kind, "document": dict(document), "arrays": entries}
        text = json.dumps(header, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigError(
            f"The document of this {kind!r} cannot be written as JSON ({error}). Numbers that may be NaN go into an "
            "array."
        ) from None
    size = _PREFIX.size + len(text) + sum(array.nbytes for array in plain.values()) + _DIGEST
    if len(text) > HEADER_BYTES_MAX or size > FILE_BYTES_MAX:
        raise ConfigError(
            f"This {kind!r} would have {size:,} bytes, {len(text):,} of them header. A model file has up to "
            f"{FILE_BYTES_MAX:,} and {HEADER_BYTES_MAX:,}: fit it on fewer rows or with fewer trees."
        )
    parts = [_PREFIX.pack(MAGIC, FORMAT, len(text), size), text, *(array.tobytes() for array in plain.values())]
    digest = hashlib.blake2b(digest_size=_DIGEST)
    for part in parts:
        digest.update(part)
    return b"".join([*parts, digest.digest()])


def _plain(name: str, array: NDArray[Any]) -> NDArray[Any]:
    if not _NAME.fullmatch(name):
        raise ConfigError(f"The name of an array is up to 128 letters, digits, '_', '.', '-'. Got {name!r}.")
    given = np.asarray(array)
    little = given.dtype.newbyteorder("<") if given.dtype.kind in "fiub" else given.dtype
    if little.str not in DTYPES or given.ndim > DIMENSIONS_MAX:
        raise ConfigError(
            f"Array {name!r} is {given.dtype} with {given.ndim} dimensions. A model file takes "
            f"{', '.join(np.dtype(known).name for known in DTYPES)} with up to {DIMENSIONS_MAX}."
        )
    # A view of zero dimensions stays one: ``ascontiguousarray`` would make it a row.
    return np.require(given.astype(little, copy=False), requirements="C")


def write(
    path: str | os.PathLike[str], kind: str, document: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> str:
    """Write a model, whole and durable or not at all, in place of what was there; returns its checksum.

    Raises
    ------
    ConfigError
        As ``to_bytes``.
    OSError
        The file cannot be written; what was there before is still there.
    """
    data = to_bytes(kind, document, arrays)
    replace(path, data)
    return data[-_DIGEST:].hex()


def replace(path: str | os.PathLike[str], data: bytes) -> None:
    """Put bytes in a file's place, whole and durable or not at all; its folder is made."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read(path: str | os.PathLike[str], kind: str | None = None) -> Artifact:
    """Read what ``write`` wrote; of any kind where none is named.

    Raises
    ------
    NotThereError
        There is no such file, or it cannot be read.
    StateCorruptError
        Truncated, damaged or foreign.
    StateVersionError
        Written in a newer format.
    StateMismatchError
        A model of another kind.
    """
    file = Path(path)
    try:
        found = file.stat()
        # Looked at before it is opened: the opening of a pipe waits for somebody to write.
        if not stat.S_ISREG(found.st_mode):
            raise NotThereError(f"{file} is not a file. Name a model file, which ends in {SUFFIX}.")
        if found.st_size > FILE_BYTES_MAX:
            raise StateCorruptError(
                f"{file} has {found.st_size:,} bytes; a model file has up to {FILE_BYTES_MAX:,}. {ADVICE}"
            )
        with file.open("rb") as opened:
            data = opened.read(found.st_size + 1)
    except OSError as error:
        raise NotThereError(f"The model file {file} cannot be read: {error.strerror}. {ADVICE}") from None
    return from_bytes(data, kind, name=str(file))


def from_bytes(data: bytes, kind: str | None = None, *, name: str = "this model") -> Artifact:
    """Read what ``to_bytes`` made; ``name`` is what errors call it.

    Raises
    ------
    StateCorruptError, StateVersionError, StateMismatchError
        As ``read``.
    """
    header, body = _open(data, name)
    try:
        found, document = header["kind"], header["document"]
        if not isinstance(found, str) or not _KIND.fullmatch(found) or not isinstance(document, dict):
            raise ValueError("its kind or its document is of another type")
        arrays = _arrays(header["arrays"], body)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise StateCorruptError(f"The header of {name} makes no sense ({error}). {ADVICE}") from None
    if kind is not None and found != kind:
        raise StateMismatchError(f"{name} is a model of kind {found!r}; {kind!r} is needed here. Name another file.")
    return Artifact(found, document, arrays, bytes(data[-_DIGEST:]).hex(), len(data))


def _open(data: bytes, name: str) -> tuple[dict[str, Any], memoryview]:
    size = len(data)
    if data[: len(MAGIC)] != MAGIC[:size] or not size:
        raise StateCorruptError(
            f"{name} is not a model of Watchband: its {size:,} bytes begin with {bytes(data[:8])!r}, expected "
            f"{MAGIC!r}. Check that the right file is named."
        )
    if size < _PREFIX.size + _DIGEST:
        raise StateCorruptError(f"{name} ends after {size} bytes, inside its header: truncated. {ADVICE}")
    _, form, length, whole = _PREFIX.unpack_from(data)
    if form > FORMAT:
        raise StateVersionError(
            f"{name} is written in format {form}; this release reads up to {FORMAT}. Upgrade Watchband."
        )
    if size != whole:
        said = "truncated" if size < whole else "something was added to it"
        raise StateCorruptError(f"{name} has {size:,} bytes, its header says {whole:,}: {said}. {ADVICE}")
    if hashlib.blake2b(memoryview(data)[:-_DIGEST], digest_size=_DIGEST).digest() != data[-_DIGEST:]:
        raise StateCorruptError(f"The checksum of {name} does not match: it was changed or is damaged. {ADVICE}")
    if form < 1 or length > min(HEADER_BYTES_MAX, size - _PREFIX.size - _DIGEST):
        raise StateCorruptError(f"The header of {name} makes no sense (format {form}, {length:,} bytes). {ADVICE}")
    try:
        header = json.loads(bytes(data[_PREFIX.size : _PREFIX.size + length]))
    except (ValueError, RecursionError) as error:
        raise StateCorruptError(f"The header of {name} cannot be read ({error}). {ADVICE}") from None
    if not isinstance(header, dict):
        raise StateCorruptError(f"The header of {name} is not a table. {ADVICE}")
    return header, memoryview(data)[_PREFIX.size + length : -_DIGEST]


def _arrays(entries: Any, body: memoryview) -> dict[str, NDArray[Any]]:
    if not isinstance(entries, list) or len(entries) > ARRAYS_MAX:
        raise ValueError(f"its arrays are no list of up to {ARRAYS_MAX}")
    arrays: dict[str, NDArray[Any]] = {}
    at = 0
    for name, dtype, shape in entries:
        if not isinstance(name, str) or not _NAME.fullmatch(name) or name in arrays:
            raise ValueError(f"an array is named {name!r}, or two are")
        sizes = isinstance(shape, list) and len(shape) <= DIMENSIONS_MAX and all(type(n) is int for n in shape)
        if dtype not in DTYPES or not sizes or any(not 0 <= n <= FILE_BYTES_MAX for n in shape):
            raise ValueError(f"array {name!r} is of type {dtype!r} and shape {shape!r}")
        size = int(np.prod(shape, dtype=object)) * np.dtype(dtype).itemsize if shape else np.dtype(dtype).itemsize
        if size > len(body) - at:
            raise ValueError(f"array {name!r} wants {size} bytes, {len(body) - at} are left")
        raw = np.frombuffer(body[at : at + size], np.dtype(dtype))
        if dtype == "|b1" and raw.view(np.uint8).max(initial=0) > 1:
            raise ValueError(f"array {name!r} has values that are neither true nor false")
        # A copy: of its own alignment, and the file's bytes can go.
        array = raw.reshape(shape).astype(raw.dtype.newbyteorder("="), copy=True)
        array.flags.writeable = False
        arrays[name] = array
        at += size
    if at != len(body):
        raise ValueError(f"{len(body) - at} bytes are left over")
    return arrays
