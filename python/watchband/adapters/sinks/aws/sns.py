"""SNS: each change of an alert to a topic, or as a text message to telephones."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from watchband.adapters.aws.access import AwsAccess
from watchband.adapters.sinks.aws.bodies import (
    ATTRIBUTES_MAX,
    FORMATS,
    as_json,
    attributes_of,
    body_of,
    group_of,
)
from watchband.adapters.sinks.aws.channel import Channel, arn_parts
from watchband.adapters.sinks.aws.text import gsm, text_of
from watchband.adapters.sinks.message import message_of
from watchband.core import params
from watchband.core.clock import Clock
from watchband.core.duration import HOUR
from watchband.core.errors import AdapterError, ConfigError, PermanentError, TransientError
from watchband.core.kinds import ListOf
from watchband.core.params import Choice, Integer, Maybe, Text, param
from watchband.core.ports import Notice

SUBJECT_MAX = 100
KNOWN_MAX = 10_000
NUMBERS_MAX = 50
_NUMBER = re.compile(r"\+[1-9]\d{6,14}")
_SENDER = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9-]{1,11}")
_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?")
_NEEDS = {
    "publish": "sns:Publish",
    "get_topic_attributes": "sns:GetTopicAttributes",
    "check_if_phone_number_is_opted_out": "sns:CheckIfPhoneNumberIsOptedOut",
}
_HINTS = {
    "NotFound": "The topic is gone, or was never there: create it again or name another in 'topic_arn'.",
    "EndpointDisabled": "The telephone or endpoint was disabled: enable it, or name another.",
    "KMS": "The topic is encrypted: its key must be enabled and may be used by the role that this runs as.",
    "opted out": "Who has it wants no text messages; they can opt in again; AWS's console can once a month.",
}


@dataclass(frozen=True, kw_only=True)
class SnsSettings(AwsAccess):
    """Alerts to a topic of Amazon SNS, or as text messages to telephones."""

    kind: ClassVar[str] = "sns"

    topic_arn: str | None = param(None, Maybe(Text("the ARN of a topic")), "Where to; one that ends in .fifo too.")
    phone_numbers: tuple[str, ...] | None = param(
        None, Maybe(ListOf(Text("a number such as +4915112345678"), 1)), "Instead: who gets a text message."
    )
    format: str = param(
        "native", Choice(FORMATS), "Watchband's own JSON, or that of an alarm of CloudWatch; people get text anyway."
    )
    labels: tuple[str, ...] = param(
        (), ListOf(Text("the name of a label")), "Labels that become attributes before others; ten attributes at most."
    )
    sender_id: str | None = param(
        None, Maybe(Text("up to 11 letters and digits, a letter among them")), "Who a text message is from."
    )
    text_type: str = param(
        "Transactional", Choice(("Transactional", "Promotional")), "How urgently text messages are carried."
    )
    per_minute: int = param(300, Integer(0), "Most notices in a minute; 0: any number.")

    def __post_init__(self) -> None:
        params.check(self)
        self.check_access()
        if (self.topic_arn is None) == (self.phone_numbers is None):
            raise ConfigError("SNS takes either 'topic_arn' or 'phone_numbers'. Give one of them.")
        if self.topic_arn is not None:
            if not _TOPIC.fullmatch(self.topic_arn):
                raise ConfigError(
                    f"'topic_arn' must be like arn:aws:sns:eu-west-1:111122223333:NAME. Got {self.topic_arn!r}."
                )
            region = arn_parts(self.topic_arn)[0]
            if self.region not in (None, region):
                raise ConfigError(f"'region' is {self.region} and the topic is in {region}. Leave 'region' out.")
        numbers = self.phone_numbers or ()
        if bad := [number for number in numbers if not _NUMBER.fullmatch(number)]:
            raise ConfigError(f"'phone_numbers' are written as +4915112345678, without spaces. Got {bad[0]!r}.")
        if len(numbers) > NUMBERS_MAX:
            raise ConfigError(f"'phone_numbers' are at most {NUMBERS_MAX}; subscribe more to a topic.")
        if self.sender_id is not None and not _SENDER.fullmatch(self.sender_id):
            raise ConfigError(
                f"'sender_id' is 1 to 11 letters and digits, a letter among them. Got {self.sender_id!r}."
            )

    def open(self, name: str, *, clock: Clock) -> Sns:
        """The sink; nothing outside is touched before ``write``."""
        return Sns(name, self, clock)


class Sns:
    """Publishes notices.

    A FIFO topic drops a repeat within five minutes by the notice's id. Other topics and telephones know no repeats:
    after a crash between SNS's answer and the note of it one may come twice, with the same id and the same words.
    """

    def __init__(self, name: str, settings: SnsSettings, clock: Clock) -> None:
        self.name, self.per_minute = name, settings.per_minute
        self._settings, self._clock = settings, clock
        region, self._account, topic = arn_parts(settings.topic_arn or "")
        self._fifo = topic.endswith(".fifo")
        access = replace(settings, region=region) if region else settings
        self._channel = Channel(access, "sns", "sns", _NEEDS, _HINTS)
        # Of each notice the numbers that got it, and those that never will.
        self._done: OrderedDict[str, set[str]] = OrderedDict()
        self._asked: dict[str, int] = {}

    def write(self, notice: Notice) -> None:
        """Publish a notice: once to the topic, or once to every number."""
        if self._settings.topic_arn is not None:
            self._channel.call("publish", **self._published(notice))
        else:
            self._by_text(notice)

    def verify(self) -> str:
        """What is known of the other side, without sending anything.

        Raises
        ------
        TransientError, PermanentError
            It cannot be reached, is not there, or may not be used.
        """
        if self._settings.topic_arn is None:
            numbers = self._settings.phone_numbers or ()
            for number in numbers:
                self._willing(number, must_ask=True)
            return f"{len(numbers)} telephone{'s' if len(numbers) > 1 else ''} that take text messages"
        found = self._channel.call("get_topic_attributes", TopicArn=self._settings.topic_arn).get("Attributes", {})
        confirmed = int(found.get("SubscriptionsConfirmed") or 0)
        kind = "FIFO topic" if self._fifo else "topic"
        return f"the {kind} is there, with {confirmed:,} confirmed subscription{'s' if confirmed != 1 else ''}"

    def close(self) -> None:
        """Let go of connections."""
        self._channel.close()

    def _published(self, notice: Notice) -> dict[str, Any]:
        settings = self._settings
        arn = settings.topic_arn or ""
        region, account, _ = arn_parts(arn)
        body = body_of(notice, settings.format, region=region, account=account)
        message = message_of(notice)
        texts = {"default": body, "email": message.text(), "sms": text_of(notice)}
        found = {
            "TopicArn": arn,
            "Subject": subject_of(message.headline),
            "MessageStructure": "json",
            "Message": as_json({name: _sendable(text) for name, text in texts.items()}),
            "MessageAttributes": typed(attributes_of(notice, settings.labels, room=ATTRIBUTES_MAX)),
        }
        if self._fifo:
            found |= {"MessageDeduplicationId": notice.id, "MessageGroupId": group_of(notice)}
        return found

    def _by_text(self, notice: Notice) -> None:
        settings = self._settings
        done = self._done.pop(notice.id, set())
        given = {"AWS.SNS.SMS.SMSType": settings.text_type}
        if settings.sender_id is not None:
            given["AWS.SNS.SMS.SenderID"] = settings.sender_id
        text, failed = text_of(notice), list[AdapterError]()
        for number in settings.phone_numbers or ():
            if number in done:
                continue
            try:
                self._willing(number)
                self._channel.call("publish", PhoneNumber=number, Message=text, MessageAttributes=typed(given))
            except AdapterError as error:
                failed.append(_about(number, error))
                if isinstance(error, PermanentError):
                    done.add(number)
            else:
                done.add(number)
        self._remember(notice.id, done)
        if failed:
            # One that may still be told is a reason to come again, whatever is wrong with the others.
            raise next((e for e in failed if isinstance(e, TransientError)), failed[0])

    def _willing(self, number: str, *, must_ask: bool = False) -> None:
        """Raise if who has a number wants no text messages: SNS would take one, and lose it without a word."""
        now = self._clock.now()
        if not must_ask and now < self._asked.get(number, 0) + HOUR:
            return
        try:
            found = self._channel.call("check_if_phone_number_is_opted_out", phoneNumber=number)
        except PermanentError:
            # Not being allowed to ask is no reason not to tell.
            if must_ask:
                raise
            found = {}
        if found.get("isOptedOut"):
            raise PermanentError(f"The number has opted out of text messages. {_HINTS['opted out']}")
        self._asked[number] = now

    def _remember(self, notice: str, done: set[str]) -> None:
        self._done[notice] = done
        if len(self._done) > KNOWN_MAX:
            self._done.popitem(last=False)


def _about(number: str, error: AdapterError) -> AdapterError:
    """The error with the number it is about, of which only the end is shown."""
    text = f"No text message to {masked(number)}: {error}".replace(number, masked(number))
    if isinstance(error, TransientError):
        return TransientError(text, status=error.status, retry_after=error.retry_after)
    return PermanentError(text, status=error.status)


def masked(number: str) -> str:
    """A telephone number for messages.

    Examples
    --------
    >>> masked("+4915112345678")
    '+49…678'
    """
    return f"{number[:3]}…{number[-3:]}"


def subject_of(headline: str) -> str:
    """A subject as SNS takes it: ASCII, up to 100 characters, beginning with a letter, digit or sign.

    Examples
    --------
    >>> subject_of("Critical: latency_ms is 3.05\\u00a0s, expected 0.678–0.998\\u00a0s (host=bäcker)")
    'Critical: latency_ms is 3.05 s, expected 0.678-0.998 s (host=b?cker)'
    """
    text = "".join(c if c.isascii() and c.isprintable() else "?" for c in gsm(headline))
    return text if len(text) <= SUBJECT_MAX else text[: SUBJECT_MAX - 2].rstrip() + ".."


def typed(attributes: dict[str, str]) -> dict[str, dict[str, str]]:
    """Attributes as SNS and SQS take them."""
    return {name: {"DataType": "String", "StringValue": text} for name, text in attributes.items()}


def _sendable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
