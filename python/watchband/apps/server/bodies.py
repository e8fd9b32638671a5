"""Bodies of requests: read up to a limit, inflated up to another."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import Request
from starlette.requests import ClientDisconnect

from watchband.apps.server.problems import Problem

BODY_S = 30.0
"""A sender that is slower keeps a connection from others."""
CLOSE = {"Connection": "close"}
"""What follows on the connection is the rest of a body that nobody reads."""
INFLATED_MAX = 64 << 20
"""Bytes of a body once it is inflated."""
_CODECS = {"gzip": "gzip", "x-gzip": "gzip", "zstd": "zstd"}


async def read_body(request: Request, most: int) -> bytes:
    """The body as it was sent.

    Raises
    ------
    Problem
        413: more than ``most`` bytes; 408: it takes longer than ``BODY_S`` seconds.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > most:
        raise _too_large(most)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_S):
            async for part in request.stream():
                size += len(part)
                if size > most:
                    raise _too_large(most)
                parts.append(part)
    except TimeoutError:
        raise Problem(408, f"The body did not come within {BODY_S:g} s. Send less at a time.", headers=CLOSE) from None
    except ClientDisconnect:
        raise Problem(400, "The sender went away.") from None
    return b"".join(parts)


def inflated(body: bytes, encoding: str, most: int = INFLATED_MAX) -> bytes:
    """The body without its ``Content-Encoding``.

    Raises
    ------
    Problem
        415: an encoding that is not read; 413: it inflates to more than ``most`` bytes; 400: it is damaged.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding not in _CODECS:
        raise Problem(
            415,
            f"The Content-Encoding {encoding[:40]!r} is not read. Send gzip, zstd or none.",
            headers={"Accept-Encoding": "gzip, zstd"},
        )
    import pyarrow as pa

    found = bytearray()
    try:
        with pa.CompressedInputStream(pa.BufferReader(body), _CODECS[encoding]) as stream:
            while len(found) <= most and (part := _read(stream, most + 1 - len(found))):
                found += part
    except (OSError, ValueError, EOFError) as error:
        raise Problem(400, f"This body is not {encoding}: {str(error)[:200]}") from None
    if len(found) > most:
        raise Problem(413, f"A body may have {most >> 20} MiB once inflated. Send it in parts.")
    return bytes(found)


def _read(stream: Any, most: int) -> bytes:
    return bytes(stream.read(min(most, 1 << 20)))


def _too_large(most: int) -> Problem:
    return Problem(413, f"A body may have {most:,} bytes ('max_body' of 'server'). Send it in parts.", headers=CLOSE)
