"""What a configuration asks of AWS: for each source, sink and store the actions, and what they are done to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from watchband.adapters.aws.access import AwsAccess
from watchband.apps.aws_doctor.finding import Statement
from watchband.apps.config.config import Config

DYNAMODB = (
    "dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:ConditionCheckItem", "dynamodb:DeleteItem",
    "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem",
)  # fmt: skip
"""What the store calls; a transaction needs the actions of what is in it."""
LEASES = ("dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan")
MAKES = ("dynamodb:CreateTable", "dynamodb:DescribeTable")
KINESIS = ("kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards")
OBJECTS = ("s3:DeleteObject", "s3:GetObject", "s3:PutObject")
MESSAGES = ("sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage")
METRICS = ("cloudwatch:GetMetricData", "cloudwatch:ListMetrics")
_QUEUE = re.compile(r"https?://[^/]+/(\d{12})/([^/?]+)")


@dataclass(frozen=True)
class Place:
    """Whose resources they are, for their ARNs.

    Parameters
    ----------
    account, region, partition : str
        ``*`` where it is not known.
    """

    account: str = "*"
    region: str = "*"
    partition: str = "aws"

    def arn(self, service: str, resource: str, *, region: bool = True, account: bool = True) -> str:
        """The ARN of something here.

        Examples
        --------
        >>> Place("111122223333", "eu-west-1").arn("dynamodb", "table/watchband")
        'arn:aws:dynamodb:eu-west-1:111122223333:table/watchband'
        """
        where = self.region if region else ""
        return f"arn:{self.partition}:{service}:{where}:{self.account if account else ''}:{resource}"

    def queue(self, url: str) -> str:
        """The ARN of a queue by its address."""
        match = _QUEUE.match(url)
        name = match[2] if match else url.rsplit("/", 1)[-1]
        account = match[1] if match else self.account
        return f"arn:{self.partition}:sqs:{self.region}:{account}:{name}"

    def bucket(self, name: str, keys: str = "") -> str:
        """The ARN of a bucket, or of objects in it."""
        return self.arn("s3", f"{name}/{keys}" if keys else name, region=False, account=False)


@dataclass(frozen=True)
class User:
    """A part of a configuration that speaks to AWS.

    Parameters
    ----------
    about : str
        ``store``, ``source NAME`` or ``sink NAME``.
    settings : AwsAccess
        What stands there.
    """

    about: str
    settings: AwsAccess

    def over(self, here: AwsAccess) -> User:
        """The same with what it leaves open taken from another access."""
        given = {
            name: value
            for name in ("region", "profile", "endpoint_url")
            if getattr(self.settings, name) is None and (value := getattr(here, name)) is not None
        }
        return replace(self, settings=replace(self.settings, **given)) if given else self

    def statements(self, place: Place) -> list[Statement]:
        """What it has to be allowed."""
        kind = getattr(self.settings, "kind", "")
        made = _MADE.get((self.about.split(" ")[0], kind))
        return made(self.settings, place) if made else []


def users(config: Config) -> Iterator[User]:
    """Every part of a configuration that speaks to AWS."""
    if isinstance(config.store, AwsAccess):
        yield User("store", config.store)
    for name, source in config.sources.items():
        if isinstance(source.settings, AwsAccess):
            yield User(f"source {name}", source.settings)
    for name, sink in config.sinks.items():
        if isinstance(sink, AwsAccess):
            yield User(f"sink {name}", sink)


def wanted(parts: Sequence[User]) -> dict[str, Any]:
    """The policy that all parts need together, without asking who they are: accounts and regions may be ``*``."""
    found: dict[tuple[str, tuple[str, ...]], Statement] = {}
    for part in parts:
        for one in part.statements(Place(region=part.settings.region or "*")):
            sid, number = one.sid, 2
            while (sid, one.resources) not in found and any(sid == known for known, _ in found):
                sid, number = f"{one.sid}{number}", number + 1
            found[sid, one.resources] = replace(one, sid=sid)
    return {"Version": "2012-10-17", "Statement": [one.document() for one in found.values()]}


def _store(settings: Any, place: Place) -> list[Statement]:
    actions = (*DYNAMODB, *MAKES) if settings.create else DYNAMODB
    found = [Statement("Store", actions, (place.arn("dynamodb", f"table/{settings.table}"),))]
    if settings.bucket:
        found.append(Statement("Snapshots", OBJECTS, (place.bucket(settings.bucket, f"{settings.prefix}*"),)))
    return found


def _kinesis(settings: Any, place: Place) -> list[Statement]:
    given = settings.stream
    stream = given if given.startswith("arn:") else place.arn("kinesis", f"stream/{given}")
    found = [Statement("Stream", KINESIS, (stream,))]
    if settings.leases:
        actions = (*LEASES, *MAKES) if settings.create_leases else LEASES
        found.append(Statement("Leases", actions, (place.arn("dynamodb", f"table/{settings.leases}"),)))
    return found


def _s3(settings: Any, place: Place) -> list[Statement]:
    found = []
    if at := bucket_of(settings.objects):
        name, prefix = at
        found += [
            Statement("ObjectsList", ("s3:ListBucket",), (place.bucket(name),)),
            Statement("Objects", ("s3:GetObject",), (place.bucket(name, f"{prefix}*"),)),
        ]
    if settings.queue_url:
        found.append(Statement("Messages", MESSAGES, (place.queue(settings.queue_url),)))
    if settings.dead_letters and (at := bucket_of(settings.dead_letters)):
        found.append(Statement("ObjectLetters", ("s3:PutObject",), (place.bucket(at[0], f"{at[1]}*"),)))
    return found


def bucket_of(address: str) -> tuple[str, str] | None:
    """Bucket and fixed beginning of the keys that an address means, or none.

    Examples
    --------
    >>> bucket_of("s3://my-bucket/metrics/{date}/*.csv?region=eu-west-1"), bucket_of("file:///tmp")
    (('my-bucket', 'metrics/'), None)
    """
    match = re.fullmatch(r"s3://([^/?]+)/?([^?*{]*)(.*)", address)
    return (match[1], match[2]) if match else None


def _cloudwatch(settings: Any, _: Place) -> list[Statement]:
    tags = any(getattr(one, "tags", None) for one in (settings.metrics or {}).values())
    return [Statement("Metrics", (*METRICS, "tag:GetResources") if tags else METRICS, ("*",))]


def _bands(settings: Any, _: Place) -> list[Statement]:
    only = ("StringEquals", "cloudwatch:namespace", settings.namespace)
    return [Statement("Bands", ("cloudwatch:PutMetricData",), ("*",), only)]


def _sns(settings: Any, _: Place) -> list[Statement]:
    if settings.topic_arn:
        return [Statement("Alerts", ("sns:GetTopicAttributes", "sns:Publish"), (settings.topic_arn,))]
    # A text message to a telephone has no resource.
    return [Statement("Texts", ("sns:CheckIfPhoneNumberIsOptedOut", "sns:Publish"), ("*",))]


def _sqs(settings: Any, place: Place) -> list[Statement]:
    actions = ("sqs:GetQueueAttributes", "sqs:SendMessage")
    return [Statement("AlertMessages", actions, (place.queue(settings.queue_url),))]


def _eventbridge(settings: Any, place: Place) -> list[Statement]:
    bus = settings.event_bus
    arn = bus if bus.startswith("arn:") else place.arn("events", f"event-bus/{bus}")
    return [Statement("AlertEvents", ("events:DescribeEventBus", "events:PutEvents"), (arn,))]


_MADE: Mapping[tuple[str, str], Callable[[Any, Place], list[Statement]]] = {
    ("store", "dynamodb"): _store,
    ("source", "kinesis"): _kinesis,
    ("source", "s3"): _s3,
    ("source", "cloudwatch"): _cloudwatch,
    ("sink", "cloudwatch"): _bands,
    ("sink", "sns"): _sns,
    ("sink", "sqs"): _sqs,
    ("sink", "eventbridge"): _eventbridge,
}
