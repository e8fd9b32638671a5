"""A web server for tests that fails on demand: on loopback, in a thread, gone when it is closed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from watchband.core.clock import Clock, SystemClock

SLOW_S = 60.0
"""A slow answer takes so long, unless the other side gives up or the server is closed."""
CHUNK = b"x" * 65_536
HUGE_CHUNKS = 16_384
"""1 GiB: nobody should read that far."""


@dataclass(frozen=True)
class Request:
    """What was asked."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """What is said: a whole body, or parts that are sent one by one, each at once, until there are no more."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    parts: Iterable[bytes] | None = None


class FaultyServer:
    """Serves what a function says, except where it is told to fail.

    Parameters
    ----------
    answer : callable
        Request to Answer.
    clock : Clock, optional
        Stamps ``requests``.
    retry_after : float
        Seconds that a 429 asks for.
    content_type : str
        Of answers that do not say, and of those that fail with status 200.

    Attributes
    ----------
    url : str
        ``http://127.0.0.1:PORT``.
    requests : list of int
        When something was asked, ns of ``clock``.
    asked : list of Request
        What.
    """

    def __init__(
        self,
        answer: Callable[[Request], Answer],
        *,
        clock: Clock | None = None,
        retry_after: float = 7,
        content_type: str = "application/json",
    ) -> None:
        self.answer, self.clock, self.retry_after = answer, clock or SystemClock(), retry_after
        self.content_type = content_type
        self.requests: list[int] = []
        self.asked: list[Request] = []
        self._faults: list[str] = []
        self.closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def fail(self, *faults: str) -> None:
        """The next answers fail: ``dies``, ``garbage``, ``slow``, ``huge`` or a status."""
        self._faults += faults

    def next_fault(self) -> str:
        """What the next answer fails by, or nothing."""
        return self._faults.pop(0) if self._faults else ""

    def close(self) -> None:
        """Stop listening; answers under way break off."""
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


def _handler(server: FaultyServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            request = Request(
                self.command,
                address.path,
                dict(parse_qsl(address.query, keep_blank_values=True)),
                {name.lower(): value for name, value in self.headers.items()},
                self.rfile.read(length),
            )
            server.requests.append(server.clock.now())
            server.asked.append(request)
            fault = server.next_fault()
            self.close_connection = True
            try:
                if fault:
                    self._fail(fault, request)
                else:
                    self._send(server.answer(request))
            except OSError:
                return

        do_POST = do_PUT = do_HEAD = do_GET  # noqa: N815 (named by the base class)

        def _send(self, answer: Answer) -> None:
            self.send_response(answer.status)
            for name, value in {"Content-Type": server.content_type, **answer.headers}.items():
                self.send_header(name, value)
            if answer.parts is None:
                self.send_header("Content-Length", str(len(answer.body)))
            self.send_header("Connection", "close")
            self.end_headers()
            if self.command != "HEAD":
                for part in [answer.body] if answer.parts is None else answer.parts:
                    self.wfile.write(part)
                    self.wfile.flush()

        def _fail(self, fault: str, request: Request) -> None:
            # Servers do repeat what they were sent, header and all.
            said = f"<h1>{fault}</h1> {dict(request.headers)} {dict(request.query)}".encode()
            if fault == "slow":
                server.closing.wait(SLOW_S)
            elif fault == "garbage":
                self._send(Answer(b"\x00\xff{]" + said))
            elif fault == "huge":
                self._send(Answer(parts=self._huge()))
            elif fault == "dies":
                self.send_response(200)
                self.send_header("Content-Type", server.content_type)
                self.send_header("Content-Length", "100000")
                self.end_headers()
                self.wfile.write(b'data: {"results": [{"')
            else:
                wait = {"Retry-After": f"{server.retry_after:g}"} if fault == "429" else {}
                self._send(Answer(said, int(fault), wait))

        def _huge(self) -> Iterable[bytes]:
            for _ in range(HUGE_CHUNKS):
                if server.closing.is_set():
                    return
                yield CHUNK

        def log_message(self, *args: Any) -> None:
            pass

    return Handler


def eventually(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until something holds; AssertionError if it does not come to that."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, f"it did not happen within {seconds:g} s"
        time.sleep(0.005)
