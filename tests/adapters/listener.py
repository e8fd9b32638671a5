"""A web server on the loopback that answers as a test says and remembers what it was asked."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Says:
    """One answer; ``raw`` goes out as it is, piece by piece, after which the connection ends."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    raw: tuple[bytes, ...] = ()
    between: Callable[[], None] = lambda: None


Answering = Callable[[Asked], Says]


class Listener:
    """``with Listener(answer) as there: … there.url … there.asked``."""

    def __init__(self, answer: Answering | Says | None = None, *, tls: ssl.SSLContext | None = None) -> None:
        self.answer: Answering = answer if callable(answer) else lambda asked: answer or Says()
        self.asked: list[Asked] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_any(self) -> None:
                listener._handle(self)

            do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = do_any  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        body = handler.rfile.read(int(handler.headers.get("content-length") or 0))
        headers = {k.lower(): v for k, v in handler.headers.items()}
        asked = Asked(handler.command, parts.path, parse_qs(parts.query), headers, body)
        self.asked.append(asked)
        says = self.answer(asked)
        if says.raw:
            handler.close_connection = True
            for piece in says.raw:
                handler.wfile.write(piece)
                handler.wfile.flush()
                says.between()
            return
        handler.send_response(says.status)
        for name, value in {"Content-Length": str(len(says.body)), **says.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(says.body)

    def __enter__(self) -> Listener:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
