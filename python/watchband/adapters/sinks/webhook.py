"""Webhook: each change of an alert by POST to an address, signed, with a key by which a repeat is known."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import quote

from watchband.adapters.addresses import check_url
from watchband.adapters.outbound import Limits, Outbound
from watchband.adapters.sinks.labels import webhook_body
from watchband.adapters.sinks.message import document, event_of, plain
from watchband.core import params
from watchband.core.clock import Clock
from watchband.core.duration import SECOND
from watchband.core.errors import ConfigError, PermanentError, TransientError
from watchband.core.kinds import Duration, FilePath, MapOf, SecretText, Url
from watchband.core.params import Choice, Flag, Integer, Maybe, Text, param
from watchband.core.ports import Notice
from watchband.core.secret import Secret
from watchband.core.timestamp import format_rfc3339

HEADER = r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}"
SIGNATURE = "Watchband-Signature"


@dataclass(frozen=True, kw_only=True)
class WebhookSettings:
    """Each change of an alert by POST, as JSON."""

    kind: ClassVar[str] = "webhook"

    url: str | None = param(None, Maybe(Url()), "Where to.")
    secret_url: Secret | None = param(None, Maybe(SecretText()), "The same where the address itself is a secret.")
    body: str = param(
        "native",
        Choice(("native", "alertmanager", "cloudevents")),
        "Watchband's own, Alertmanager's v4, CloudEvents 1.0.",
    )
    signing_key: Secret | None = param(None, Maybe(SecretText()), "Key of the HMAC-SHA256 in Watchband-Signature.")
    authorization: Secret | None = param(None, Maybe(SecretText()), "The Authorization header, for example Bearer ….")
    headers: dict[str, str] | None = param(None, Maybe(MapOf(Text("text"), HEADER)), "More headers.")
    secret_headers: dict[str, Secret] | None = param(
        None, Maybe(MapOf(SecretText(), HEADER)), "More headers, with secrets in them."
    )
    timeout: int = param(10 * SECOND, Duration(SECOND // 10, 300 * SECOND), "For the whole answer.")
    per_minute: int = param(300, Integer(0), "Most notices in a minute; 0: any number.")
    allow_private: bool = param(False, Flag(), "The address may be private or on this machine.")
    ca_file: str | None = param(None, Maybe(FilePath()), "Certificates to trust instead of the system's.")

    def __post_init__(self) -> None:
        params.check(self)
        if (self.url is None) == (self.secret_url is None):
            raise ConfigError("A webhook has either 'url' or 'secret_url'. Give one of them.")
        if self.url is not None:
            check_url(self.url, allow_private=self.allow_private)
        if any(c in text for text in (self.headers or {}).values() for c in "\r\n\0"):
            raise ConfigError("A text in 'headers' has a line end. Remove it.")

    def open(self, name: str, *, clock: Clock) -> Webhook:
        """The sink."""
        return Webhook(name, self, clock)


class Webhook:
    """Posts notices; the same notice always has the same body, byte for byte, and the same ``Idempotency-Key``."""

    def __init__(self, name: str, settings: WebhookSettings, clock: Clock) -> None:
        self.name, self.per_minute = name, settings.per_minute
        self._settings, self._clock = settings, clock
        self._out = Outbound(
            allow_private=settings.allow_private,
            limits=Limits(read=settings.timeout / SECOND, total=settings.timeout / SECOND, body=1 << 20),
            secret_path=settings.secret_url is not None,
            ca_file=settings.ca_file,
        )

    def write(self, notice: Notice) -> None:
        """Post a notice; any answer from 200 to 299 means that it was taken."""
        settings = self._settings
        kind, body = body_of(notice, settings.body, self.name)
        headers = {"Content-Type": kind, "Idempotency-Key": notice.id, "Watchband-Event": event_of(notice)}
        headers |= settings.headers or {}
        headers |= {name: header(secret, name) for name, secret in (settings.secret_headers or {}).items()}
        if settings.authorization is not None:
            headers["Authorization"] = header(settings.authorization, "authorization")
        if settings.signing_key is not None:
            headers[SIGNATURE] = signature(settings.signing_key, self._clock.now() // SECOND, body)
        url = settings.url or (settings.secret_url.reveal() if settings.secret_url else "")
        answer = self._out.request("POST", url, content=body, headers=headers, allow=(409,))
        if answer.status == 409:
            # Whoever keeps keys answers so while the first of two requests is still at work.
            raise TransientError("The receiver is still busy with this notice (status 409).", status=409)

    def close(self) -> None:
        """Let go of connections; a ``write`` in flight ends."""
        self._out.close()


def body_of(notice: Notice, form: str, sink: str) -> tuple[str, bytes]:
    """Content type and body of a notice; a pure function of it."""
    if form == "alertmanager":
        return "application/json", _json(webhook_body(notice, sink))
    if form == "cloudevents":
        return "application/cloudevents+json", _json(cloud_event(notice))
    return "application/json", _json(document(notice))


def cloud_event(notice: Notice) -> dict[str, Any]:
    """A notice as a CloudEvent 1.0, structured."""
    alert = notice.alert
    return {
        "specversion": "1.0",
        "id": notice.id,
        "source": f"/watchband/watches/{quote(alert.watch.encode('utf-8', 'replace'), safe='')}",
        "type": f"io.watchband.anomaly.{event_of(notice)}.v1",
        "subject": plain(str(alert.series), 1000),
        "time": format_rfc3339(max(alert.decided, alert.peak_time, alert.closed or 0)),
        "datacontenttype": "application/json",
        "data": document(notice),
    }


def signature(key: Secret, seconds: int, body: bytes) -> str:
    """``t=SECONDS,v1=HEX``: HMAC-SHA256 of ``SECONDS.BODY``, so that an old request cannot be sent again as new.

    Examples
    --------
    >>> signature(Secret("k"), 7, b"{}")[:22]
    't=7,v1=676b269d79cd27a'
    """
    digest = hmac.new(key.reveal().encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


def _json(document: dict[str, Any]) -> bytes:
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


def header(secret: Secret, name: str) -> str:
    """A secret as the text of a header."""
    text = secret.reveal()
    if not text.isascii() or any(c in text for c in "\r\n\0"):
        raise PermanentError(f"The secret for the header {name!r} holds characters that no header may have.")
    return text
