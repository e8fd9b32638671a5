"""Aggregated records of the Kinesis Producer Library: several user records in one, taken apart.

The layout is public (amazon-kinesis-producer, aggregation-format.md): four magic bytes, a protobuf message of tables
of keys and of records, and the MD5 of the message.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from watchband.core.errors import DataError

MAGIC = b"\xf3\x89\x9a\xc2"
_DIGEST = 16
RECORDS_MAX = 100_000


def is_aggregated(data: bytes) -> bool:
    """Whether a record is one, whole: anything else that begins so is plain.

    Examples
    --------
    >>> is_aggregated(b"1,2,3")
    False
    """
    if not data.startswith(MAGIC) or len(data) <= len(MAGIC) + _DIGEST:
        return False
    return _md5(data[len(MAGIC) : -_DIGEST]) == data[-_DIGEST:]


def user_records(data: bytes) -> list[tuple[str, int, bytes]]:
    """Of an aggregated record each user record: partition key, hash key, bytes.

    Raises
    ------
    DataError
        The message is none.
    """
    keys: list[str] = []
    hashes: list[int] = []
    found: list[tuple[str, int, bytes]] = []
    parts: list[bytes] = []
    for number, value in _fields(data[len(MAGIC) : -_DIGEST]):
        if not isinstance(value, bytes):
            continue
        if number == 1:
            keys.append(value.decode("utf-8", "replace"))
        elif number == 2:
            try:
                hashes.append(int(value))
            except ValueError:
                raise DataError("an explicit hash key is no number") from None
        elif number == 3:
            parts.append(value)
            if len(parts) > RECORDS_MAX:
                raise DataError(f"it holds more than {RECORDS_MAX:,} records")
    for part in parts:
        fields = dict(_fields(part))
        key, explicit, body = fields.get(1, 0), fields.get(2), fields.get(3)
        if not isinstance(key, int) or key >= len(keys) or not isinstance(body, bytes):
            raise DataError("a user record has no key or no data")
        if isinstance(explicit, int) and explicit < len(hashes):
            found.append((keys[key], hashes[explicit], body))
        else:
            found.append((keys[key], hash_of(keys[key]), body))
    return found


def hash_of(key: str) -> int:
    """The hash key by which Kinesis finds the shard of a partition key."""
    return int.from_bytes(_md5(key.encode()))


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            value, at = _varint(message, at)
            yield number, value
        elif kind == 2:
            length, at = _varint(message, at)
            if at + length > len(message):
                raise DataError("the message is cut")
            yield number, message[at : at + length]
            at += length
        else:
            raise DataError(f"field {number} is of a kind that does not occur here")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 64, 7):
        if at >= len(data):
            raise DataError("the message is cut")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise DataError("a number is too long")
