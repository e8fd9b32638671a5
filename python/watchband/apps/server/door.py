"""The door: what every request passes, whoever serves it. Limits on what is sent, headers, counts, no bare error."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from watchband.apps.server import bodies
from watchband.apps.server.problems import Problem, answer

log = logging.getLogger("watchband.server")
QUERY_MAX = 16_000
"""Bytes of an address behind the ``?``."""
SMALL_BODY = 256_000
"""Bytes of a body of everything but pushed points, which 'max_body' limits."""


class Door:
    """Middleware around the whole application.

    Parameters
    ----------
    app : callable
        What is behind it.
    requests : Counter
        Answers by route and status, counted up here.
    body_max : callable
        Largest body of pushed points, in bytes.
    """

    def __init__(self, app: ASGIApp, requests: Counter[tuple[str, int]], body_max: Callable[[], int]) -> None:
        self.app, self.requests, self.body_max = app, requests, body_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        said: list[int] = []

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                said.append(message["status"])
                _protect(MutableHeaders(scope=message), scope["path"])
            await send(message)

        try:
            if len(scope["query_string"]) > QUERY_MAX:
                raise Problem(414, f"An address may have {QUERY_MAX:,} bytes behind the '?'. Ask for less at a time.")
            await self.app(scope, self._limited(scope, receive), told)
        except Exception as error:
            if not isinstance(error, Problem):
                log.exception("a request failed", extra={"path": scope["path"]})
            if said:
                raise
            await (await answer(Request(scope), error))(scope, receive, told)
        finally:
            # Paths that nobody serves are one: they must not fill the memory.
            self.requests[getattr(scope.get("route"), "path", "other"), said[0] if said else 499] += 1

    def _limited(self, scope: Scope, receive: Receive) -> Receive:
        """What gives the body, up to its limit and in time."""
        size, whole, end = 0, False, 0.0

        async def limited() -> Message:
            nonlocal size, whole, end
            if whole:
                return await receive()
            now = asyncio.get_running_loop().time()
            end = end or now + bodies.BODY_S
            try:
                async with asyncio.timeout(end - now):
                    message = await receive()
            except TimeoutError:
                detail = f"The body did not come within {bodies.BODY_S:g} s. Send less at a time."
                raise HTTPException(408, detail, headers=bodies.CLOSE) from None
            size += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            most = self.body_max() if scope.get("state", {}).get("large") else SMALL_BODY
            if size > most:
                raise HTTPException(
                    413, f"A body may have {most:,} bytes here. Send it in parts.", headers=bodies.CLOSE
                )
            return message

        return limited


def _protect(headers: MutableHeaders, path: str) -> None:
    """No browser guesses what an answer is, and no cache keeps what one person may see."""
    headers.setdefault("X-Content-Type-Options", "nosniff")
    if not path.startswith("/assets/"):
        headers.setdefault("Cache-Control", "no-store")


async def full(scope: Any, receive: Receive, send: Send) -> None:
    """What a connection too many is told."""
    problem = Problem(
        503, "There are too many connections ('max_connections' of 'server').", retry_after=5, headers=bodies.CLOSE
    )
    await problem.response(scope["path"])(scope, receive, send)
