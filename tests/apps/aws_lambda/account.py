"""An account for functions under test: DynamoDB Local, moto's SNS and SQS, and events as AWS writes them."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from tests.servers.dynamodb.server import REGION, DynamoServer
from tests.servers.moto import KEYS, fresh, shared
from watchband.adapters.stores.dynamodb.table import table_shape
from watchband.apps.aws_lambda.function import Function
from watchband.apps.aws_lambda.surroundings import Surroundings
from watchband.core.clock import SystemClock
from watchband.core.timestamp import format_rfc3339

MINUTE = 60_000_000_000
START = 1_760_000_000_000_000_000 // MINUTE * MINUTE
STREAM = "cloudwatch-metrics-stream"
CONFIG = """
store: {kind: dynamodb, lease: 1s}
watches:
  all: {match: '*', detector: 'rolling_median:window=60', cutoff: 8, consecutive: 5, no_data: false, stuck: false}
"""
_NUMBERS = count(10**20)


class Calm(SystemClock):
    """Waits for almost nothing."""

    def sleep(self, seconds: float) -> None:
        super().sleep(min(seconds, 0.02))


@dataclass
class Account:
    """Tables and queues with names of their own; ``function`` is a process of Lambda."""

    server: DynamoServer
    folder: Path
    text: str = CONFIG
    parts: int = 1
    topic: bool = False
    table: str = field(init=False)

    def __post_init__(self) -> None:
        self.table = self.server.table()
        self.server.client().create_table(**table_shape(self.table))
        self.sns, self.sqs = shared().client("sns"), shared().client("sqs")
        self.topic_arn = self.sns.create_topic(Name=fresh("alerts"))["TopicArn"] if self.topic else ""
        self.letters = self.sqs.create_queue(QueueName=fresh("letters"))["QueueUrl"]
        self.told = self.sqs.create_queue(QueueName=fresh("told"))["QueueUrl"]
        if self.topic:
            arn = self.sqs.get_queue_attributes(QueueUrl=self.told, AttributeNames=["QueueArn"])["Attributes"]
            self.sns.subscribe(TopicArn=self.topic_arn, Protocol="sqs", Endpoint=arn["QueueArn"])
        (self.folder / "watchband.yaml").write_text(self.text)

    @property
    def environment(self) -> dict[str, str]:
        """Of the functions."""
        return {
            **KEYS,
            # DynamoDB Local keeps the tables of every key apart.
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL_DYNAMODB": self.server.url,
            "AWS_ENDPOINT_URL_SNS": shared().url,
            "AWS_ENDPOINT_URL_SQS": shared().url,
            "AWS_ENDPOINT_URL_S3": shared().url,
            "WATCHBAND_CONFIG": str(self.folder / "watchband.yaml"),
            "WATCHBAND_TABLE": self.table,
            "WATCHBAND_TOPIC": self.topic_arn,
            "WATCHBAND_DEAD_LETTERS": self.letters,
            "WATCHBAND_PARTS": str(self.parts),
        }

    @contextmanager
    def at_work(self) -> Iterator[Account]:
        """With its environment."""
        before = dict(os.environ)
        os.environ.update(self.environment)
        try:
            yield self
        finally:
            os.environ.clear()
            os.environ.update(before)

    def function(self) -> Function:
        """A process that has just begun."""
        return Function(Surroundings.of(self.environment), Calm())

    def received(self, url: str) -> list[dict[str, Any]]:
        """What a queue has, taken out of it."""
        found: list[dict[str, Any]] = []
        while messages := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for one in messages:
                found.append(json.loads(one["Body"]))
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
        return found


def course(n: int, seed: int = 0, event: tuple[int, int] | None = None) -> list[float]:
    """A metric with noise, and an event from one point to before another."""
    values = 20 + np.random.default_rng(seed).normal(0, 1, n)
    if event is not None:
        values[event[0] : event[1]] += 60
    return [float(v) for v in values]


def points(host: str, values: Sequence[float], first: int = 0) -> list[tuple[str, bytes]]:
    """Partition key and data of points, one a minute."""
    found = []
    for i, value in enumerate(values, first):
        point = {"metric": "cpu", "labels": {"host": host}, "time": format_rfc3339(START + i * MINUTE), "value": value}
        found.append((f'{{host="{host}"}}', json.dumps(point).encode()))
    return found


def kinesis_event(records: Sequence[tuple[str, bytes]], shard: int = 0) -> dict[str, Any]:
    """As Lambda hands it over."""
    return {
        "Records": [
            {
                "eventSource": "aws:kinesis",
                "eventID": f"shardId-{shard:012d}:{(number := next(_NUMBERS))}",
                "eventSourceARN": f"arn:aws:kinesis:{REGION}:123456789012:stream/{STREAM}",
                "kinesis": {
                    "kinesisSchemaVersion": "1.0",
                    "partitionKey": key,
                    "sequenceNumber": str(number),
                    "data": base64.b64encode(data).decode(),
                    "approximateArrivalTimestamp": START / 1e9,
                },
            }
            for key, data in records
        ]
    }


def stream_event(items: Sequence[dict[str, Any]], name: str = "INSERT") -> dict[str, Any]:
    """Of DynamoDB Streams."""
    return {
        "Records": [
            {
                "eventID": f"{(number := next(_NUMBERS)):032x}",
                "eventName": name,
                "eventSource": "aws:dynamodb",
                "eventSourceARN": f"arn:aws:dynamodb:{REGION}:123456789012:table/HVACData/stream/2021",
                "dynamodb": {"SequenceNumber": str(number), "NewImage": item, "StreamViewType": "NEW_IMAGE"},
            }
            for item in items
        ]
    }


def queue_event(bodies: Sequence[str]) -> dict[str, Any]:
    """Of SQS."""
    return {
        "Records": [
            {
                "messageId": f"{next(_NUMBERS):x}",
                "body": body,
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:{REGION}:123456789012:readings",
            }
            for body in bodies
        ]
    }
