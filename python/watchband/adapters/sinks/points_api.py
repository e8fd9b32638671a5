"""Points to a running Watchband service: batches of JSON lines by POST, with retries and back-pressure."""

from __future__ import annotations

import hashlib
import ipaddress
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPMessage
from typing import IO, Any
from urllib.parse import urlsplit, urlunsplit

from watchband.core.errors import ConfigError, PermanentError, TransientError

PATH = "/api/v1/points"
TRIES = 8
WAIT_FIRST, WAIT_MOST = 0.25, 30.0
"""Seconds before the second try, and at most; doubled in between."""
_ANSWER_BYTES = 300


class PointsApi:
    """Sends lines ``{"series": {labels}, "time": RFC 3339, "value": x}`` to a service.

    A batch that fails is sent again with the same ``Idempotency-Key``, so that a service can tell it from a new one. An
    answer 429 or 503 with ``Retry-After`` is waited for as long as it says; while it is, nothing else is sent.

    Parameters
    ----------
    url : str
        Of the service; without a path ``/api/v1/points`` is meant.
    token : str, optional
        Sent as a bearer token.
    allowed : collection of str
        Hosts besides the loopback that may be sent to.
    timeout : float, default 10
        Seconds to wait for an answer.
    tries : int, default 8
        Times a batch is sent before it is given up.
    sleep : callable
        Stands for ``time.sleep`` in tests.

    Raises
    ------
    ConfigError
        No http(s) URL, one with a password, a host that is not allowed, or a token that would travel in the clear.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        allowed: Collection[str] = (),
        timeout: float = 10.0,
        tries: int = TRIES,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = check_url(url, token, allowed)
        self._token, self._timeout, self._tries, self._sleep = token, timeout, tries, sleep
        # No proxy either: the host that was checked is the host that is spoken to.
        self._opener = urllib.request.build_opener(_NoRedirects, urllib.request.ProxyHandler({}))
        self.sent = self.retries = 0

    def send(self, lines: bytes, count: int) -> None:
        """Send a batch of ``count`` lines and wait until it is taken.

        Raises
        ------
        TransientError
            The service did not take it after all tries.
        PermanentError
            It refused it for good; the answer is quoted.
        """
        key = hashlib.blake2b(lines, digest_size=16).hexdigest()
        wait, why = WAIT_FIRST, ""
        for attempt in range(self._tries):
            if attempt:
                self.retries += 1
            try:
                with self._opener.open(self._request(lines, key), timeout=self._timeout) as answer:
                    answer.read()
                self.sent += count
                return
            except urllib.error.HTTPError as error:
                why, asked = _refused(error, self.url)
            except (urllib.error.URLError, HTTPException, OSError) as error:
                why, asked = f"{self.url} does not answer: {getattr(error, 'reason', None) or error}", None
            if attempt + 1 < self._tries:
                self._sleep(min(wait if asked is None else asked, WAIT_MOST))
                wait = min(2 * wait, WAIT_MOST)
        raise TransientError(f"{why}. Gave up after {self._tries} tries; {self.sent:,} points were sent before.")

    def _request(self, lines: bytes, key: str) -> urllib.request.Request:
        headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": key, "User-Agent": "watchband"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        return urllib.request.Request(self.url, data=lines, headers=headers, method="POST")


def check_url(url: str, token: str | None, allowed: Collection[str]) -> str:
    """The address to send to; ConfigError where it must not be sent to."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"{url!r} is no URL: {error}.") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ConfigError(f"{url!r} is no address of a service. Write http://localhost:8080 or https://HOST.")
    if parts.username or parts.password:
        raise ConfigError("A URL must not hold a password. Give the token by WATCHBAND_TOKEN or --token-file.")
    loopback = host == "localhost" or _is_loopback(host)
    if not loopback and host not in allowed:
        raise ConfigError(
            f"{host} is not this machine. Simulated points go elsewhere only if you say so: --allow-host {host}."
        )
    if token and parts.scheme == "http" and not loopback:
        raise ConfigError(f"The token would travel to {host} in the clear. Use https.")
    path = parts.path if parts.path not in ("", "/") else PATH
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refused(error: urllib.error.HTTPError, url: str) -> tuple[str, float | None]:
    """What the service said and how long it asks to wait; PermanentError where another try cannot help."""
    with error:
        said = " ".join(error.read(_ANSWER_BYTES).decode("utf-8", "replace").split())
    why = f"{url} answered {error.code}" + (f": {said}" if said else "")
    if error.code in (408, 425, 429) or error.code >= 500:
        return why, _seconds(error.headers.get("Retry-After"))
    hint = " Is the token right?" if error.code in (401, 403) else ""
    raise PermanentError(f"{why}.{hint}") from None


def _seconds(text: str | None) -> float | None:
    """Seconds of a Retry-After header: a number, or the time of day until which to wait."""
    if text is None:
        return None
    try:
        # In this order NaN becomes 0.
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(parsedate_to_datetime(text).timestamp() - time.time(), 0.0)
    except ValueError:
        return None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry points and token to a host that nobody allowed."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Any:
        return None
