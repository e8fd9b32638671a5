"""Asks a server's ``query_range``, by POST, and by GET where only that is let through."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from watchband.adapters.answers import seconds_of
from watchband.adapters.outbound import Limits, Outbound, Stream
from watchband.adapters.sources.prometheus.answer import Answer, read_answer
from watchband.adapters.sources.prometheus.failure import BusyError, TooMuchError, TooSlowError, failure
from watchband.core.duration import SECOND
from watchband.core.errors import TransientError
from watchband.core.secret import Secret

if TYPE_CHECKING:
    from watchband.adapters.sources.prometheus.settings import Prometheus

PATH = "/api/v1/query_range"
BODY_MAX = 64 << 20
"""Bytes of an answer after decompression; a longer one is asked for in parts."""
_ERRORS = range(400, 600)
_WORDS_BYTES = 4096


class Client:
    """One server as its settings describe it.

    Parameters
    ----------
    settings : Prometheus
        Address, authentication and limits.
    """

    def __init__(self, settings: Prometheus) -> None:
        self._settings = settings
        base = settings.url.rstrip("/").removesuffix("/api/v1")
        self._url = base + PATH
        self._seconds = settings.timeout / SECOND
        self._method = "POST"
        limits = Limits(min(5.0, self._seconds / 2), self._seconds, self._seconds, BODY_MAX)
        self._out = Outbound(allow_private=settings.allow_private, limits=limits, ca_file=settings.ca_file)

    def ask(self, name: str, expr: str, first: int, last: int, step: int) -> Answer:
        """Readings of an expression at ``first``, ``first + step``, … ``last``, both included, ns UTC.

        Raises
        ------
        TooMuchError, TooSlowError, StumbledError, BusyError
            Ask for less; for much less; step over it; leave the server alone.
        TransientError, PermanentError
            As everywhere.
        """
        form = {"query": expr, "start": _seconds(first), "end": _seconds(last), "step": _seconds(step)}
        answer = read_answer(self._body(form), name, self._settings.keep_names, first, last)
        if answer.partial and not self._settings.partial_answers:
            raise TransientError(
                f"The server answered query {name!r} with a part of the data only. It is asked again until it has "
                "all; set partial_answers: true to take what there is."
            )
        return answer

    def close(self) -> None:
        """Give up what is under way."""
        self._out.close()

    def _body(self, form: dict[str, str]) -> bytes:
        settings = self._settings
        form["timeout"] = f"{self._seconds:g}s"
        if not settings.partial_answers:
            # Thanos and the cluster of VictoriaMetrics otherwise leave out what a part of them does not answer.
            form |= {"partial_response": "false", "deny_partial_response": "1"}
        form |= settings.params or {}
        began = time.monotonic()
        try:
            status, headers, body = self._asked(form, began)
        except TransientError as error:
            if isinstance(error, TooMuchError):
                raise
            if time.monotonic() - began >= 0.9 * self._seconds:
                raise TooSlowError(f"{error} Its 'timeout' is {self._seconds:g} s.") from None
            raise BusyError(str(error)) from None
        if status == 405 and self._method == "POST":
            self._method = "GET"
            return self._body(form)
        if status != 200:
            raise failure(status, self._without_secrets(body), seconds_of(headers.get("retry-after")))
        return body

    def _asked(self, form: dict[str, str], began: float) -> tuple[int, Mapping[str, str], bytes]:
        parts: list[bytes] = []
        size = 0
        with self._sent(form) as stream:
            for chunk in stream.chunks():
                size += len(chunk)
                if stream.status != 200 and size > _WORDS_BYTES:
                    parts.append(chunk[:_WORDS_BYTES])
                    break
                if size > BODY_MAX:
                    raise TooMuchError(f"The answer is larger than {BODY_MAX >> 20} MiB.")
                if time.monotonic() - began > self._seconds:
                    raise TooSlowError(f"The answer took longer than 'timeout', {self._seconds:g} s.")
                parts.append(chunk)
            return stream.status, stream.headers, b"".join(parts)

    def _sent(self, form: dict[str, str]) -> AbstractContextManager[Stream]:
        sent: dict[str, Any] = {"params" if self._method == "GET" else "data": form, "headers": self._headers()}
        return self._out.stream(self._method, self._url, allow=_ERRORS, **sent)

    def _headers(self) -> dict[str, str]:
        settings = self._settings
        headers = {name: secret.reveal() for name, secret in (settings.headers or {}).items()}
        if settings.bearer_token is not None:
            headers["Authorization"] = f"Bearer {settings.bearer_token.reveal()}"
        if settings.username is not None and settings.password is not None:
            headers["Authorization"] = f"Basic {_basic(settings.username, settings.password)}"
        return headers

    def _without_secrets(self, body: bytes) -> bytes:
        """Some servers repeat what they were sent."""
        settings = self._settings
        texts = [
            s.reveal() for s in (settings.password, settings.bearer_token, *(settings.headers or {}).values()) if s
        ]
        if settings.username is not None and settings.password is not None:
            texts.append(_basic(settings.username, settings.password))
        for text in sorted(texts, key=len, reverse=True):
            if text:
                body = body.replace(text.encode(), b"(secret)")
        return body


def _basic(username: str, password: Secret) -> str:
    return base64.b64encode(f"{username}:{password.reveal()}".encode()).decode()


def _seconds(ns: int) -> str:
    """Decimal seconds, exact to the millisecond."""
    whole, rest = divmod(ns, SECOND)
    return f"{whole}.{rest // 1_000_000:03d}" if rest else str(whole)
