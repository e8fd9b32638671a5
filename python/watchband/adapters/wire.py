"""Below ``outbound``: connections to addresses that were checked, under one deadline; imported with httpx.

The name is resolved here and nowhere else, so what was checked is what is connected to. TLS and the Host header keep
the name of the URL.
"""

from __future__ import annotations

import contextlib
import ssl
import threading
import time
import weakref
from collections.abc import Iterable, Iterator
from typing import Any

import httpcore
import httpx

from watchband import __version__
from watchband.adapters.addresses import Resolve, permitted
from watchband.core.errors import ConfigError

AGENT = f"watchband/{__version__}"
CONNECTIONS_MAX = 8
KEEP_S = 30.0


class Transport(httpx.BaseTransport):
    """httpx over a pool that connects by ``_Backend``."""

    def __init__(self, allow_private: bool, ca_file: str | None, resolve: Resolve) -> None:
        self._backend = _Backend(allow_private, resolve)
        self._pool = httpcore.ConnectionPool(
            ssl_context=_trust(ca_file),
            max_connections=CONNECTIONS_MAX,
            keepalive_expiry=KEEP_S,
            http2=False,
            network_backend=self._backend,
        )

    def limited(self, seconds: float) -> contextlib.AbstractContextManager[None]:
        """Nothing that this thread does inside takes longer."""
        return self._backend.deadline.limited(seconds)

    def unlimited(self) -> None:
        """The whole may take as long as it likes from here on."""
        self._backend.deadline.set(None)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """One request, one answer whose body is still to be read."""
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        asked = httpcore.Request(
            request.method, url, headers=request.headers.raw, content=request.stream, extensions=request.extensions
        )
        answer = self._pool.handle_request(asked)
        assert isinstance(answer.stream, Iterable)
        return httpx.Response(
            answer.status, headers=answer.headers, stream=_Body(answer.stream), extensions=answer.extensions
        )

    def cut(self) -> None:
        """Wake every thread that waits for the other side."""
        self._backend.cut()

    def close(self) -> None:
        """Let go of idle connections."""
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream

    def close(self) -> None:
        self._stream.close()


class _Deadline(threading.local):
    """Until when this thread's request must be done."""

    until: float | None = None

    def set(self, until: float | None) -> None:
        self.until = until

    @contextlib.contextmanager
    def limited(self, seconds: float) -> Iterator[None]:
        self.until = time.monotonic() + seconds
        try:
            yield
        finally:
            self.until = None

    def left(self, most: float | None, error: type[Exception]) -> float | None:
        """Seconds that a step may take."""
        if self.until is None:
            return most
        left = self.until - time.monotonic()
        if left <= 0:
            raise error("the whole took too long")
        return left if most is None else min(left, most)


class _Backend(httpcore.NetworkBackend):
    def __init__(self, allow_private: bool, resolve: Resolve) -> None:
        self._allow_private, self._resolve = allow_private, resolve
        self._tcp = httpcore.SyncBackend()
        self._open: weakref.WeakSet[_Line] = weakref.WeakSet()
        self._cut = False
        self.deadline = _Deadline()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        error: Exception | None = None
        for address in permitted(host, port, allow_private=self._allow_private, resolve=self._resolve):
            left = self.deadline.left(timeout, httpcore.ConnectTimeout)
            try:
                stream = self._tcp.connect_tcp(address, port, left, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as refused:
                error = refused
            else:
                return self.kept(_Line(stream, self))
        assert error is not None
        raise error

    def kept(self, line: _Line) -> _Line:
        self._open.add(line)
        if self._cut:
            line.cut()
        return line

    def cut(self) -> None:
        self._cut = True
        for line in list(self._open):
            line.cut()


class _Line(httpcore.NetworkStream):
    """A connection whose every step keeps to the deadline, and that another thread can cut."""

    def __init__(self, stream: httpcore.NetworkStream, backend: _Backend) -> None:
        self._stream, self._backend = stream, backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._backend.deadline.left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._backend.deadline.left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._backend.deadline.left(timeout, httpcore.ConnectTimeout)
        return self._backend.kept(_Line(self._stream.start_tls(ssl_context, server_hostname, left), self._backend))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def cut(self) -> None:
        socket = self._stream.get_extra_info("socket")
        with contextlib.suppress(OSError):
            socket.shutdown(2)


def _trust(ca_file: str | None) -> ssl.SSLContext:
    """The system's certificates and those that come with httpx, or only those of a file."""
    if ca_file is not None:
        try:
            return ssl.create_default_context(cafile=ca_file)
        except OSError as error:
            raise ConfigError(
                f"The certificates in {ca_file} cannot be read: {error.strerror or error}. Expected a PEM file."
            ) from None
    import certifi

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
