"""What changes, as server-sent events: a page asks anew for what it shows; who was away is told what they missed."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from typing import Annotated

import anyio
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from watchband.apps.server.access import Viewer, Who, guarded
from watchband.apps.server.identity import Access
from watchband.apps.server.problems import Problem
from watchband.apps.service.changes import Changes

HEARTBEAT_S = 10.0
GATHER_S = 1.0
"""Changes are told at most this often."""
LISTENERS_MAX = 200
OF_ONE_MAX = 40
"""Pages that listen with the same key."""


class Stream:
    """The endpoint ``/api/v1/stream``.

    Parameters
    ----------
    changes : Changes
        What is told.
    access : Access
        Knows who is let in still.
    """

    def __init__(self, changes: Changes, access: Access) -> None:
        self.changes, self.access = changes, access
        self.listeners: Counter[str] = Counter()
        self.ended = False

    def router(self) -> APIRouter:
        """The route."""
        router = guarded("/api/v1")
        router.add_api_route("/stream", self.listen, methods=["GET"])
        return router

    async def listen(
        self,
        request: Request,
        who: Viewer,
        last_event_id: Annotated[str | None, Header()] = None,
        last: Annotated[str | None, Query(alias="last_event_id", max_length=100)] = None,
    ) -> StreamingResponse:
        """Events ``alerts``, ``series``, ``sources``, ``configuration`` and ``heartbeat``; ids are where to resume."""
        if self.listeners.total() >= LISTENERS_MAX:
            raise Problem(503, f"{LISTENERS_MAX} pages listen already.", retry_after=30)
        if who.given != "machine" and self.listeners[who.name] >= OF_ONE_MAX:
            raise Problem(429, f"{OF_ONE_MAX} pages of {who.name!r} listen already.", retry_after=30)
        mark = (last_event_id or last or "")[:100] or self.changes.mark
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(self._events(request, who, mark), media_type="text/event-stream", headers=headers)

    async def _events(self, request: Request, who: Who, mark: str) -> AsyncIterator[str]:
        self.listeners[who.name] += 1
        try:
            yield "retry: 2000\n\n"
            waited = 0.0
            # It ends with the key or session that it was opened with.
            while not self.ended and self.access.goes_on(who) and not await request.is_disconnected():
                kinds = self.changes.since(mark)
                if kinds:
                    mark, waited = self.changes.mark, 0.0
                    for kind in kinds:
                        yield f"id: {mark}\nevent: {kind}\ndata: {{}}\n\n"
                elif waited >= HEARTBEAT_S:
                    waited = 0.0
                    yield f"id: {mark}\nevent: heartbeat\ndata: {{}}\n\n"
                await anyio.sleep(GATHER_S)
                waited += GATHER_S
        finally:
            self.listeners[who.name] -= 1
            # Who listens no more is no longer counted: names must not fill the memory.
            self.listeners += Counter()
