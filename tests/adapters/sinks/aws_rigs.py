"""Sinks on AWS before moto's server, with a listener between that fails as it is told."""

from __future__ import annotations

import json
import os
import re
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

from tests.adapters.listener import Asked, Says
from tests.adapters.sinks.rigs import SECRET, WebRig, clean
from tests.servers.moto import ACCOUNT, KEYS, REGION, Moto, fresh, shared
from watchband.adapters.sinks.aws.eventbridge import EventBridgeSettings
from watchband.adapters.sinks.aws.sns import SnsSettings
from watchband.adapters.sinks.aws.sqs import SqsSettings
from watchband.adapters.sinks.aws.text import TEXT_MAX, fits
from watchband.core.ports import Notice, Sink
from watchband.testing.contracts.sink import BUSY_S, Arrived

ATTRIBUTE = re.compile(r"(?!\.)(?!.*\.\.)(?!(?i:aws|amazon)\.)[A-Za-z0-9_.-]{1,256}(?<!\.)")


STEERING = set("\u202e\u2067\u2068\u2069\x00\x1b\r\n")


class AwsRig(WebRig):
    """What arrives in a queue, wherever it was sent."""

    secrets: Sequence[str] = (SECRET,)

    def __init__(self) -> None:
        self.before = {name: os.environ.get(name) for name in (*KEYS, "AWS_PROFILE", "AWS_SESSION_TOKEN")}
        os.environ.update(KEYS)
        self.moto = shared()
        self.got: list[dict[str, Any]] = []
        super().__init__()
        self.queue = self.made_queue()
        self.make()

    def made_queue(self, suffix: str = "") -> str:
        given = {"FifoQueue": "true"} if suffix else {}
        return queue_of(self.moto, suffix, **given)

    def make(self) -> None:
        """What the sink speaks to, and the queue behind it."""

    def take(self, asked: Asked) -> Says:
        self.taken.append(asked)
        return forwarded(self.moto.url, asked)

    def messages(self) -> list[dict[str, Any]]:
        """Everything that arrived in the queue."""
        self.got += received(self.moto, self.queue)
        return self.got

    def arrived(self) -> Sequence[Arrived]:
        texts = [self.text(message) for message in self.messages()]
        return [Arrived(identity(text), text) for text in texts]

    def text(self, message: dict[str, Any]) -> str:
        return str(message["Body"])

    def harmless(self, arrived: Arrived, notice: Notice) -> None:
        found = json.loads(arrived.text)
        told = found.get("Watchband", found)["alert"]["labels"]["label"]
        whole = clean(notice.alert.series.labels["label"]).replace("\ufffe", "?")
        assert told == whole or (whole.startswith(told[:-1]) and len(told) > 1000), "not the label it was"
        self.check_attributes(self.got[-1])

    def check_attributes(self, message: dict[str, Any]) -> None:
        attributes = message.get("MessageAttributes", {})
        assert len(attributes) <= 10
        assert all(ATTRIBUTE.fullmatch(name) for name in attributes), list(attributes)
        assert all(not set(one["StringValue"]) & STEERING for one in attributes.values())

    def close(self) -> None:
        super().close()
        for name, value in self.before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


class XmlRig(AwsRig):
    """SNS answers in XML, also when it refuses."""

    settings = SnsSettings

    def answer(self, asked: Asked) -> Says:
        if self.now == "busy":
            return refusal(400, "Throttling", "Rate exceeded", {"Retry-After": f"{BUSY_S:g}"})
        if self.now == "refusing":
            return refusal(403, "AuthorizationError", f"may not do {asked.path} {asked.headers}")
        return super().answer(asked)


class SnsRig(XmlRig):
    form = "native"
    suffix = ""

    def make(self) -> None:
        sns = self.moto.client("sns")
        self.topic = topic_of(self.moto, self.suffix)
        sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn_of(self.queue))

    def sink(self) -> Sink:
        return self.opened(SnsSettings(topic_arn=self.topic, format=self.form, endpoint_url=self.there.url))

    def text(self, message: dict[str, Any]) -> str:
        return str(json.loads(message["Body"])["Message"])

    def check_attributes(self, message: dict[str, Any]) -> None:
        found = json.loads(message["Body"])
        attributes = found["MessageAttributes"]
        assert len(found["Subject"]) <= 100
        assert found["Subject"].isascii()
        assert found["Subject"].isprintable()
        assert len(attributes) <= 10
        assert all(ATTRIBUTE.fullmatch(name) and one["Value"] for name, one in attributes.items()), list(attributes)


class SnsAlarmRig(SnsRig):
    form = "cloudwatch"


class SnsFifoRig(SnsRig):
    suffix = ".fifo"

    def made_queue(self, suffix: str = "") -> str:
        return super().made_queue(".fifo")


class SnsTextRig(XmlRig):
    knows_repeats = False

    def make(self) -> None:
        self.number = f"+4915{int(fresh('1').partition('-')[2]) * 100 + 11:09d}"

    def sink(self) -> Sink:
        return self.opened(SnsSettings(phone_numbers=(self.number,), endpoint_url=self.there.url))

    def arrived(self) -> Sequence[Arrived]:
        return [Arrived("", text) for number, text in self.moto.texts() if number == self.number]

    def harmless(self, arrived: Arrived, notice: Notice) -> None:
        assert len(arrived.text) <= TEXT_MAX
        assert fits(arrived.text)
        assert arrived.text.isprintable()
        assert ", expected " in arrived.text
        assert ", since " in arrived.text


class SqsRig(AwsRig):
    settings = SqsSettings
    suffix = ""

    def made_queue(self, suffix: str = "") -> str:
        return super().made_queue(self.suffix)

    def sink(self) -> Sink:
        path = self.queue.partition("://")[2].partition("/")[2]
        return self.opened(SqsSettings(queue_url=f"{self.there.url}/{path}", endpoint_url=self.there.url))


class SqsFifoRig(SqsRig):
    suffix = ".fifo"


class EventBridgeRig(AwsRig):
    settings = EventBridgeSettings

    def make(self) -> None:
        self.bus = fresh("bus")
        bus_of(self.moto, self.bus, self.queue, {"source": ["watchband"]})

    def sink(self) -> Sink:
        return self.opened(EventBridgeSettings(event_bus=self.bus, endpoint_url=self.there.url))

    def text(self, message: dict[str, Any]) -> str:
        event = json.loads(message["Body"])
        return json.dumps({**event["detail"], "detail-type": event["detail-type"]}, ensure_ascii=False)


def refusal(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Says:
    """An error as SNS says it."""
    said = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    body = f'<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">{said}</ErrorResponse>'
    return Says(status, body.encode(), {"Content-Type": "text/xml", **(headers or {})})


def forwarded(url: str, asked: Asked) -> Says:
    """What moto says to a request."""
    headers = {name: text for name, text in asked.headers.items() if name not in ("host", "connection")}
    request = urllib.request.Request(f"{url}{asked.path}", asked.body, headers, method=asked.method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return Says(answer.status, answer.read(), {"Content-Type": answer.headers["Content-Type"] or ""})
    except urllib.error.HTTPError as error:
        with error:
            return Says(error.code, error.read(), {"Content-Type": error.headers["Content-Type"] or ""})


def identity(text: str) -> str:
    """The id of the notice that a body is of."""
    found = json.loads(text)
    return str(found.get("Watchband", found)["id"])


def queue_of(moto: Moto, suffix: str = "", **given: str) -> str:
    """The address of a new queue."""
    return str(moto.client("sqs").create_queue(QueueName=fresh("queue") + suffix, Attributes=given)["QueueUrl"])


def topic_of(moto: Moto, suffix: str = "") -> str:
    """The ARN of a new topic."""
    given = {"FifoTopic": "true"} if suffix else {}
    return str(moto.client("sns").create_topic(Name=fresh("topic") + suffix, Attributes=given)["TopicArn"])


def bus_of(moto: Moto, name: str, queue: str, pattern: dict[str, Any]) -> None:
    """A bus with a rule that sends to a queue."""
    events = moto.client("events")
    events.create_event_bus(Name=name)
    events.put_rule(Name=fresh("rule"), EventBusName=name, EventPattern=json.dumps(pattern))
    (rule,) = events.list_rules(EventBusName=name)["Rules"]
    events.put_targets(Rule=rule["Name"], EventBusName=name, Targets=[{"Id": "1", "Arn": arn_of(queue)}])


def arn_of(queue: str) -> str:
    """The ARN of a queue."""
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue.rpartition('/')[2]}"


def received(moto: Moto, queue: str) -> list[dict[str, Any]]:
    """Takes what is in a queue."""
    sqs, found = moto.client("sqs"), []
    while got := sqs.receive_message(
        QueueUrl=queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"], AttributeNames=["All"]
    ).get("Messages", []):
        for message in got:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        found += got
    return found
