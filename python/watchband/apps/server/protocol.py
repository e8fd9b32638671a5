"""HTTP on a connection, with patience that ends: for a request that does not come, and for connections too many."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from watchband.apps.server.door import full
from watchband.apps.server.problems import MEDIA_TYPE, document

HEADER_S = 20.0
"""From the first byte of a request, or the opening of a connection, to the end of its headers."""


class Patient(H11Protocol):
    """Refuses what takes longer than ``HEADER_S``, and connections beyond ``most``."""

    most: ClassVar[int] = 0
    _timer: asyncio.TimerHandle | None = None
    _began = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A connection is there; its request is waited for from now on."""
        super().connection_made(transport)
        if len(self.connections) > 2 * self.most:
            # Not even an answer: each would cost a request's work.
            transport.abort()
            return
        if len(self.connections) > self.most:
            self.app = full
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """It has gone."""
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes: of a header, then of a body."""
        self._began = True
        super().data_received(data)
        if self._owed and not self.transport.is_closing():
            self._arm()
        else:
            self._disarm()

    @property
    def _owed(self) -> bool:
        """Whether the other side is to send something that nobody else waits for."""
        if self.conn.their_state is h11.IDLE:
            return True
        # The rest of a body that was answered already.
        return self.conn.their_state is h11.SEND_BODY and self.cycle is not None and self.cycle.response_complete

    def on_response_complete(self) -> None:
        """Answered; the next request of the connection may be a while in coming."""
        self._began = False
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY:
            self._arm()

    def send_400_response(self, msg: str) -> None:
        """What came is no request."""
        self._refuse(400, f"This is no HTTP request: {msg}")

    def _arm(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(HEADER_S, self._late)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        self._timer = None
        if self.transport.is_closing():
            return
        if self._began and self.conn.our_state is h11.IDLE:
            self._refuse(408, f"The request's header did not come within {HEADER_S:g} s.")
        else:
            # Opened, or kept, and never used.
            self.transport.close()

    def _refuse(self, status: int, detail: str) -> None:
        body = json.dumps(document(status, detail, "")).encode()
        headers = [
            ("Content-Type", MEDIA_TYPE),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("Connection", "close"),
        ]
        try:
            response = h11.Response(status_code=status, headers=headers, reason=HTTPStatus(status).phrase)
            for event in (response, h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        except h11.LocalProtocolError:
            # An answer was under way: nothing can be said any more.
            pass
        self.transport.close()


def protocol(most: int) -> type[Patient]:
    """The protocol with a limit on connections."""
    return type("Patient", (Patient,), {"most": most})
