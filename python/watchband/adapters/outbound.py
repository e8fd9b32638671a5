"""The one way out over HTTP(S), for sources and sinks: checked addresses, limits on everything, errors without secrets.

::

    request ─► URL checked ─► name resolved ─► every address checked ─► one of them connected to ─► TLS by the name
"""

from __future__ import annotations

import contextlib
import json
from base64 import b64decode, b64encode
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urljoin, urlsplit

from watchband.adapters import answers
from watchband.adapters.addresses import Resolve, resolved
from watchband.core.errors import PermanentError, TransientError

if TYPE_CHECKING:
    import httpx

    from watchband.adapters.wire import Transport

CHUNK = 64 * 1024
LINE_MAX = 1 << 20
_REDIRECTS = (301, 302, 303, 307, 308)
_PUBLIC_HEADERS = ("accept", "content-type", "user-agent", "idempotency-key", "last-event-id")
_HARMLESS_HEADERS = (*_PUBLIC_HEADERS, "host", "connection", "accept-encoding", "content-length", "transfer-encoding")


@dataclass(frozen=True)
class Limits:
    """How long and how much.

    Parameters
    ----------
    connect, read, total : float
        Seconds until a connection stands, of silence while an answer comes, and for the whole of it. ``total`` covers
        a streamed answer up to its headers only.
    body : int
        Bytes of an answer after decompression.
    """

    connect: float = 5.0
    read: float = 15.0
    total: float = 30.0
    body: int = 16 << 20


@dataclass(frozen=True)
class Answer:
    """A whole answer; header names are in lower case. ``secrets`` are struck out of what errors quote."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    secrets: Sequence[str] = field(default=(), repr=False)

    def json(self) -> Any:
        """The body as JSON.

        Raises
        ------
        TransientError
            It is none: something between here and there answered instead.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            said = answers.excerpt(self.body, self.secrets)
            raise TransientError(
                f"The answer (status {self.status}) is no JSON: {said!r}. Is there a proxy or another program at this "
                "address?",
                status=self.status,
            ) from None


class Outbound:
    """A client for one source or sink; may be used by several threads.

    No proxies, no cookies, no environment: what was configured is what is spoken to.

    Parameters
    ----------
    allow_private : bool
        Private, loopback and link-local addresses may be spoken to.
    schemes : collection of str, default http and https
        Of the URL, and of those it redirects to.
    limits : Limits, optional
        Times and sizes.
    redirects : int, default 0
        So many redirects of a GET are followed, each to a checked address; to another host without the headers that
        may hold secrets.
    secret_path : bool, default False
        The path of the URL is a secret too (incoming webhooks): errors name the host only.
    ca_file : str, optional
        Certificates that are trusted instead of the system's.
    resolve : callable, optional
        (host, port) to numeric addresses; stands for the system's resolver in tests.

    Examples
    --------
    >>> out = Outbound(allow_private=False)
    >>> out.request("GET", "http://127.0.0.1:9090/api/v1/query")
    Traceback (most recent call last):
    watchband.core.errors.PermanentError: 127.0.0.1 stands for 127.0.0.1, which is a loopback address. \
Write allow_private: true if that is meant.
    """

    def __init__(
        self,
        *,
        allow_private: bool,
        schemes: Collection[str] = ("http", "https"),
        limits: Limits | None = None,
        redirects: int = 0,
        secret_path: bool = False,
        ca_file: str | None = None,
        resolve: Resolve = resolved,
    ) -> None:
        self.limits = limits or Limits()
        self._schemes, self._redirects, self._secret_path = tuple(schemes), redirects, secret_path
        self._allow_private, self._ca_file, self._resolve = allow_private, ca_file, resolve
        self._transport: Transport | None = None
        self._client: httpx.Client | None = None

    def request(
        self,
        method: str,
        url: str,
        *,
        allow: Collection[int] = (),
        limits: Limits | None = None,
        **sent: Any,
    ) -> Answer:
        """Send a request and take the whole answer.

        Parameters
        ----------
        method, url : str
            Where to.
        allow : collection of int
            Statuses from 300 on that are given back instead of raised.
        limits : Limits, optional
            Instead of the client's own.
        **sent
            ``params``, ``headers``, ``content``, ``json``, ``data`` and ``files`` as httpx takes them; ``auth`` is user
            and password.

        Raises
        ------
        TransientError
            No connection, no whole answer in time, or a status 408, 425, 429 or from 500 on.
        PermanentError
            An address that must not be spoken to, any other status from 300 on, or an answer that is too large.
        """
        most = limits or self.limits
        with self._sent(method, url, allow, most, sent, whole=True) as response:
            body = self._body(response, most.body)
            secrets = _secrets(response.request, path=self._secret_path)
            return Answer(response.status_code, dict(response.headers), body, secrets)

    @contextlib.contextmanager
    def stream(
        self,
        method: str,
        url: str,
        *,
        allow: Collection[int] = (),
        limits: Limits | None = None,
        **sent: Any,
    ) -> Iterator[Stream]:
        """Send a request and read the answer as it comes; ``limits.read`` is then how long it may be silent.

        ``close`` of another thread ends the reading with a TransientError.
        """
        with self._sent(method, url, allow, limits or self.limits, sent, whole=False) as response:
            yield Stream(response.status_code, dict(response.headers), response, self._named(str(response.url)))

    @contextlib.contextmanager
    def _sent(
        self, method: str, url: str, allow: Collection[int], limits: Limits, sent: dict[str, Any], *, whole: bool
    ) -> Iterator[httpx.Response]:
        client, transport = self._opened()
        headers = dict(sent.pop("headers", None) or {})
        if auth := sent.pop("auth", None):
            headers["Authorization"] = "Basic " + b64encode(":".join(auth).encode()).decode()
        left = self._redirects
        with transport.limited(limits.total), answers.mapped(self._named(url)):
            while True:
                self._check(url)
                timeout = (limits.connect, limits.read, limits.read, limits.total)
                request = client.build_request(method, url, headers=headers, timeout=timeout, **sent)
                response = client.send(request, stream=True)
                try:
                    status = response.status_code
                    if status in _REDIRECTS and left and method in ("GET", "HEAD") and "location" in response.headers:
                        url, headers = _redirected(url, response.headers["location"], headers)
                        sent.pop("params", None)
                        left -= 1
                        continue
                    if status >= 300 and status not in allow:
                        raise self._refused(response, url)
                    if not whole:
                        transport.unlimited()
                    yield response
                    return
                finally:
                    response.close()

    def _opened(self) -> tuple[httpx.Client, Transport]:
        if self._client is None or self._transport is None:
            import httpx

            from watchband.adapters.wire import AGENT, Transport

            self._transport = Transport(self._allow_private, self._ca_file, self._resolve)
            self._client = httpx.Client(
                transport=self._transport, trust_env=False, follow_redirects=False, headers={"User-Agent": AGENT}
            )
        return self._client, self._transport

    def _check(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            fits = bool(parts.hostname) and (parts.port is None or parts.port > 0)
        except ValueError:
            raise PermanentError("This is no address of a service: the URL cannot be read.") from None
        if parts.scheme not in self._schemes or not fits:
            raise PermanentError(f"{self._named(url)} is no address to speak to: {' or '.join(self._schemes)} only.")
        if parts.username or parts.password:
            raise PermanentError("A URL must not hold a name or password. Give them by their own settings.")

    def _named(self, url: str) -> str:
        return answers.named(url, secret_path=self._secret_path)

    def _body(self, response: httpx.Response, most: int) -> bytes:
        parts: list[bytes] = []
        size = 0
        for part in response.iter_bytes(CHUNK):
            size += len(part)
            if size > most:
                raise PermanentError(
                    f"{self._named(str(response.url))} answered more than {most:,} bytes. Ask for less at a time."
                )
            parts.append(part)
        return b"".join(parts)

    def _refused(self, response: httpx.Response, url: str) -> TransientError | PermanentError:
        secrets = _secrets(response.request, path=self._secret_path)
        said = b""
        with contextlib.suppress(Exception):
            for part in response.iter_bytes(CHUNK):
                said += part
                if len(said) >= CHUNK:
                    break
        text = answers.excerpt(said, secrets)
        return answers.refused(self._named(url), response.status_code, text, response.headers)

    def close(self) -> None:
        """Let go of every connection; threads that wait for an answer wake up with a TransientError."""
        if self._transport is not None:
            self._transport.cut()
        if self._client is not None:
            self._client.close()


class Stream:
    """An answer that is read as it comes."""

    def __init__(self, status: int, headers: Mapping[str, str], response: httpx.Response, where: str) -> None:
        self.status, self.headers = status, headers
        self._response, self._where = response, where

    def chunks(self) -> Iterator[bytes]:
        """Bytes as they arrive; ends where the other side ends."""
        with answers.mapped(self._where):
            yield from self._response.iter_bytes()

    def lines(self, most: int = LINE_MAX) -> Iterator[bytes]:
        """Lines without their ends, which are LF, CRLF or CR; a last one without an end is not given.

        Raises
        ------
        PermanentError
            A line of more than ``most`` bytes.
        """
        rest, after_return = b"", False
        for chunk in self.chunks():
            if after_return and chunk.startswith(b"\n"):
                chunk = chunk[1:]
            if chunk:
                after_return = chunk.endswith(b"\r")
            parts = (rest + chunk).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
            rest = parts.pop()
            if max(map(len, [*parts, rest])) > most:
                raise PermanentError(f"{self._where} sent a line of more than {most:,} bytes.")
            yield from parts


def _secrets(request: httpx.Request, *, path: bool) -> list[str]:
    """What an answer may repeat of its question, and nobody is to read: headers, query, perhaps the path."""
    found = [value for name, value in request.headers.items() if name.lower() not in _HARMLESS_HEADERS]
    for value in list(found):
        _, _, token = value.partition(" ")
        found.append(token)
        with contextlib.suppress(ValueError):
            found.append(b64decode(token, validate=True).decode().partition(":")[2])
    parts = urlsplit(str(request.url))
    found += [parts.query, *(value for _, value in parse_qsl(parts.query))]
    found += [parts.path, *parts.path.split("/")] if path else []
    # A word of a few letters stands in every text.
    return [text for text in found if len(text) > 5]


def _redirected(url: str, location: str, headers: dict[str, str]) -> tuple[str, dict[str, str]]:
    there = urljoin(url, location)
    old, new = urlsplit(url), urlsplit(there)
    if (old.scheme, old.netloc) == (new.scheme, new.netloc):
        return there, headers
    return there, {k: v for k, v in headers.items() if k.lower() in _PUBLIC_HEADERS}
