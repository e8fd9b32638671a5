"""Looks over the messages of an Arrow IPC stream before the library reads them: sizes that fit, nothing compressed.

A compressed buffer says itself how large it is once inflated, and the library takes that much memory at once. A
message is a table of offsets (a flatbuffer); three of its numbers are read here, each checked.

::

    u32 0xffffffff, i32 bytes of the header, header (padded to 8), body ... until a header of 0 bytes, or the end
"""

from __future__ import annotations

import struct

from watchband.adapters.sources.push.payload import PayloadError

MESSAGES_MAX = 10_000
_CONTINUES = 0xFFFFFFFF
_HEADER_TYPE, _HEADER, _BODY_LENGTH = 1, 2, 3
_SCHEMA, _DICTIONARY, _RECORDS = 1, 2, 3
_COMPRESSION, _DATA = 3, 1
_NO_STREAM = "This is no Arrow IPC stream"


def check_messages(body: bytes) -> None:
    """Walk over the messages of a stream.

    Raises
    ------
    PayloadError
        Truncated, compressed within, more messages than may be sent, or no such stream.
    """
    at, count = 0, 0
    try:
        while at < len(body):
            mark, length = struct.unpack_from("<Ii", body, at)
            if mark != _CONTINUES or length < 0:
                raise PayloadError(f"{_NO_STREAM}: no message begins at byte {at}. Files of Arrow begin otherwise.")
            if length == 0:
                return
            at += 8
            if length > len(body) - at:
                raise PayloadError(f"{_NO_STREAM}: it ends within a message.")
            rest = _body_length(body[at : at + length])
            at += length
            if rest < 0 or rest > len(body) - at:
                raise PayloadError(f"{_NO_STREAM}: it ends within a message.")
            at += rest
            count += 1
            if count > MESSAGES_MAX:
                raise PayloadError(f"A stream has at most {MESSAGES_MAX:,} messages. Send it in parts.")
    except struct.error:
        raise PayloadError(f"{_NO_STREAM}: it ends within a message.") from None
    if not count:
        raise PayloadError(f"{_NO_STREAM}: it is empty.")


def _body_length(header: bytes) -> int:
    """Bytes that follow a header; PayloadError for a message that is not read."""
    (root,) = struct.unpack_from("<I", header)
    (kind,) = struct.unpack_from("<B", header, place) if (place := _field(header, root, _HEADER_TYPE)) else (0,)
    if kind not in (_SCHEMA, _DICTIONARY, _RECORDS):
        raise PayloadError(f"{_NO_STREAM}: a message of kind {kind}.")
    table = _table(header, root, _HEADER)
    if kind == _DICTIONARY and table:
        table = _table(header, table, _DATA)
    if kind != _SCHEMA and table and _field(header, table, _COMPRESSION):
        raise PayloadError("This Arrow stream is compressed within. Write it plain, and compress the body as a whole.")
    place = _field(header, root, _BODY_LENGTH)
    return int(struct.unpack_from("<q", header, place)[0]) if place else 0


def _table(header: bytes, table: int, number: int) -> int:
    """Where the table that a field refers to begins; 0 if the field is not there."""
    place = _field(header, table, number)
    return place + int(struct.unpack_from("<I", header, place)[0]) if place else 0


def _field(header: bytes, table: int, number: int) -> int:
    """Where a field of a table stands; 0 if it is not there."""
    (back,) = struct.unpack_from("<i", header, table)
    layout = table - back
    if layout < 0:
        raise struct.error
    (size,) = struct.unpack_from("<H", header, layout)
    if 4 + 2 * number + 2 > size:
        return 0
    (offset,) = struct.unpack_from("<H", header, layout + 4 + 2 * number)
    return table + offset if offset else 0
