"""What answers over HTTP mean for whoever asked: try again, when, or never; in words without secrets."""

from __future__ import annotations

import contextlib
import math
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from watchband.core.errors import AdapterError, PermanentError, TransientError

SAID_MAX = 300
RETRY_AFTER_MAX = 24 * 3600.0
_TRANSIENT = (408, 425, 429)
_HINTS = {
    401: "Is the token or password right?",
    403: "Is the token right, and may it do this?",
    404: "Is the address right?",
    405: "Is the address right?",
    413: "Send less at a time.",
}


def named(url: str, *, secret_path: bool = False) -> str:
    """A URL for an error text: without user, query and fragment, and without its path where that is a secret.

    Examples
    --------
    >>> named("https://u:p@host:8443/a?token=1"), named("https://hooks.slack.com/services/T0/B0/X", secret_path=True)
    ('https://host:8443/a', 'https://hooks.slack.com/…')
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        host = f"[{host}]" if ":" in host else host
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "the address"
    path = "/…" if secret_path else parts.path
    return "".join(c if c.isprintable() else "�" for c in f"{parts.scheme}://{host}{port}{path}"[:200])


def excerpt(body: bytes, secrets: Sequence[str] = ()) -> str:
    """The beginning of an answer in one line, with what must not be shown struck out."""
    text = body.decode("utf-8", "replace")
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "(secret)")
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= SAID_MAX else line[: SAID_MAX - 1] + "…"


def refused(where: str, status: int, said: str, headers: Mapping[str, str]) -> TransientError | PermanentError:
    """The error that a status from 300 on is."""
    if 300 <= status < 400:
        host = named(headers.get("location", "")).removesuffix("://")
        to = f" to {host}" if host and host != "the address" else ""
        return PermanentError(f"{where} redirects{to} (status {status}). Configure the final address.", status=status)
    why = f"{where} answered {status}" + (f": {said}" if said else "")
    if status in _TRANSIENT or status >= 500:
        return TransientError(why, status=status, retry_after=seconds_of(headers.get("retry-after")))
    hint = _HINTS.get(status)
    return PermanentError(f"{why}. {hint}" if hint else why, status=status)


def seconds_of(text: str | None, now: float | None = None) -> float | None:
    """Seconds that a Retry-After header asks for, at most a day: a number, or a time until which to wait.

    Examples
    --------
    >>> seconds_of("2.5"), seconds_of("Thu, 01 Jan 1970 00:01:00 GMT", now=10.0), seconds_of("soon"), seconds_of("nan")
    (2.5, 50.0, None, None)
    """
    if text is None:
        return None
    try:
        found = float(text)
    except ValueError:
        try:
            found = parsedate_to_datetime(text).timestamp() - (time.time() if now is None else now)
        except (ValueError, OverflowError):
            return None
    return None if math.isnan(found) else min(max(found, 0.0), RETRY_AFTER_MAX)


@contextlib.contextmanager
def mapped(where: str) -> Iterator[None]:
    """Errors of httpx and httpcore as ours."""
    import httpcore
    import httpx

    try:
        yield
    except AdapterError:
        raise
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpcore.UnsupportedProtocol):
        raise PermanentError(f"{where} is no address to speak to.") from None
    except (httpcore.LocalProtocolError, httpx.LocalProtocolError):
        raise PermanentError(f"The request to {where} has a header that cannot be sent.") from None
    except (httpcore.ConnectTimeout, httpcore.ReadTimeout, httpcore.WriteTimeout, httpcore.PoolTimeout) as error:
        what = {"ConnectTimeout": "no connection", "PoolTimeout": "no free connection"}.get(
            type(error).__name__, "no whole answer"
        )
        raise TransientError(f"{where}: {what} within the time allowed.") from None
    except (httpcore.NetworkError, httpcore.ProtocolError, httpx.TransportError, httpx.StreamError) as error:
        raise TransientError(f"{where} {_broken(error)}.") from None
    except httpx.DecodingError:
        raise TransientError(f"{where} answered with a body that cannot be decompressed.") from None


def _broken(error: Exception) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"shows a certificate that is not trusted: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return f"does not speak TLS as expected: {cause.reason or 'handshake failed'}"
        if isinstance(cause, OSError) and cause.strerror:
            return f"does not answer: {cause.strerror}"
        cause = cause.__cause__ or cause.__context__
    return "broke off"
