"""SQS: each change of an alert as a message, or what no other sink took: a queue of dead letters."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from urllib.parse import urlsplit

from watchband.adapters.aws.access import AwsAccess
from watchband.adapters.sinks.aws.bodies import FORMATS, alarm, attributes_of, fitted, group_of
from watchband.adapters.sinks.aws.channel import Channel
from watchband.adapters.sinks.aws.sns import typed
from watchband.adapters.sinks.message import document, plain
from watchband.core import params
from watchband.core.clock import Clock
from watchband.core.errors import ConfigError
from watchband.core.kinds import ListOf, Url
from watchband.core.params import REQUIRED, Choice, Flag, Integer, Text, param
from watchband.core.ports import Notice

ERROR_MAX = 500
_HOST = re.compile(r"(?:sqs\.(?P<region>[a-z0-9-]+)|(?P<old>[a-z0-9-]+)\.queue)\.amazonaws\.com(?:\.cn)?")
_NEEDS = {"send_message": "sqs:SendMessage", "get_queue_attributes": "sqs:GetQueueAttributes"}
_HINTS = {
    "QueueDoesNotExist": "The queue is gone, or was never there: create it again or name another in 'queue_url'.",
    "NonExistentQueue": "The queue is gone, or was never there: create it again or name another in 'queue_url'.",
    "Kms": "The queue is encrypted: its key must be enabled and may be used by the role that this runs as.",
}


@dataclass(frozen=True, kw_only=True)
class SqsSettings(AwsAccess):
    """Alerts as messages of a queue of Amazon SQS, or the dead letters of all other sinks."""

    kind: ClassVar[str] = "sqs"

    queue_url: str = param(REQUIRED, Url(), "The queue; one that ends in .fifo too.")
    dead_letters: bool = param(
        False, Flag(), "Not alerts, but what could not be delivered to the other sinks after all tries."
    )
    format: str = param("native", Choice(FORMATS), "Watchband's own JSON, or that of an alarm of CloudWatch.")
    labels: tuple[str, ...] = param(
        (), ListOf(Text("the name of a label")), "Labels that become attributes before others; ten attributes at most."
    )
    per_minute: int = param(600, Integer(0), "Most notices in a minute; 0: any number.")

    def __post_init__(self) -> None:
        params.check(self)
        self.check_access()
        parts = urlsplit(self.queue_url)
        if len([part for part in parts.path.split("/") if part]) < 1 or parts.query or parts.fragment:
            raise ConfigError(
                "'queue_url' must be like https://sqs.eu-west-1.amazonaws.com/111122223333/NAME. "
                f"Got {self.queue_url!r}."
            )
        region = queue_region(self.queue_url)
        if region and self.region not in (None, region):
            raise ConfigError(f"'region' is {self.region} and the queue is in {region}. Leave 'region' out.")

    def open(self, name: str, *, clock: Clock) -> Sqs:
        """The sink; nothing outside is touched before ``write``."""
        return Sqs(name, self)


class Sqs:
    """Sends notices; a FIFO queue drops a repeat within five minutes by the notice's id.

    Attributes
    ----------
    buries : bool
        It takes dead letters and nothing else.
    """

    def __init__(self, name: str, settings: SqsSettings) -> None:
        self.name, self.per_minute = name, settings.per_minute
        self.buries = settings.dead_letters
        self._settings = settings
        region = queue_region(settings.queue_url)
        self._fifo = settings.queue_url.endswith(".fifo")
        access = replace(settings, region=region) if region else settings
        self._channel = Channel(access, "sqs", "sqs", _NEEDS, _HINTS)

    def write(self, notice: Notice) -> None:
        """Send a notice; nothing if the queue is for dead letters."""
        if not self.buries:
            attributes = {"id": notice.id, **attributes_of(notice, self._settings.labels, room=9)}
            self._send(notice, notice.id, self._document(notice), attributes)

    def bury(self, notice: Notice, error: str) -> None:
        """Send what another sink did not take, with that sink and why.

        Raises
        ------
        TransientError, PermanentError
            The queue did not take it either.
        """
        failed = {"sink": notice.sink, "tries": notice.tries + 1, "error": plain(error, ERROR_MAX)}
        attributes = {"id": notice.id, "sink": notice.sink, **attributes_of(notice, self._settings.labels, room=8)}
        body = {**self._document(notice), "dead_letter": failed}
        self._send(notice, f"{notice.id}-{notice.sink}", body, attributes)

    def verify(self) -> str:
        """What is known of the queue, without sending anything.

        Raises
        ------
        TransientError, PermanentError
            It cannot be reached, is not there, or may not be used.
        """
        asked = {"QueueUrl": self._settings.queue_url, "AttributeNames": ["ApproximateNumberOfMessages"]}
        found = self._channel.call("get_queue_attributes", **asked).get("Attributes", {})
        waiting = int(found.get("ApproximateNumberOfMessages") or 0)
        kind = "FIFO queue" if self._fifo else "queue"
        return f"the {kind} is there, with {waiting:,} message{'s' if waiting != 1 else ''} waiting"

    def close(self) -> None:
        """Let go of connections."""
        self._channel.close()

    def _document(self, notice: Notice) -> dict[str, Any]:
        if self._settings.format == "native":
            return document(notice)
        parts = [part for part in urlsplit(self._settings.queue_url).path.split("/") if part]
        return alarm(notice, queue_region(self._settings.queue_url), parts[0] if len(parts) > 1 else "")

    def _send(self, notice: Notice, repeat: str, body: dict[str, Any], attributes: dict[str, str]) -> None:
        fifo = {"MessageDeduplicationId": _repeat_id(repeat), "MessageGroupId": group_of(notice)} if self._fifo else {}
        self._channel.call(
            "send_message",
            QueueUrl=self._settings.queue_url,
            MessageBody=fitted(body),
            MessageAttributes=typed(attributes),
            **fifo,
        )


def queue_region(url: str) -> str:
    """The region in the address of a queue; empty where it is not one of AWS's.

    Examples
    --------
    >>> queue_region("https://sqs.eu-west-1.amazonaws.com/111122223333/alerts"), queue_region("http://127.0.0.1/1/a")
    ('eu-west-1', '')
    """
    found = _HOST.fullmatch(urlsplit(url).hostname or "")
    return (found["region"] or found["old"]) if found else ""


def _repeat_id(text: str) -> str:
    """At most 128 letters, digits and signs: a sink's name may have a space."""
    return re.sub(r"[^A-Za-z0-9_.:/-]", "_", text)[:128]
