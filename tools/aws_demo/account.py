"""An account of AWS on this machine: DynamoDB Local, Kinesalite, and Moto for S3 and SNS, on free loopback ports."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from tests.servers.dynamodb.server import DynamoServer
from tests.servers.kinesalite import Kinesalite
from tests.servers.moto import KEYS, REGION, Moto

KEY = {"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}
TEXTS = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")]


class Account:
    """Three servers, and what is made in them as the template makes it.

    Attributes
    ----------
    dynamodb, kinesis, others : str
        Their addresses.
    """

    def __init__(self, dynamo: DynamoServer, kinesalite: Kinesalite, moto: Moto) -> None:
        self._dynamo, self._moto = dynamo, moto
        self.dynamodb, self.kinesis, self.others = dynamo.url, kinesalite.url, moto.url

    def client(self, service: str) -> Any:
        """boto3's client of a service."""
        import boto3

        url = {"dynamodb": self.dynamodb, "kinesis": self.kinesis}.get(service, self.others)
        # A session of its own: the usual one keeps the credentials that it found first, in whatever environment.
        return boto3.session.Session().client(service, region_name=REGION, endpoint_url=url)

    def table(self, name: str) -> None:
        """Make a table of the store."""
        self.client("dynamodb").create_table(
            TableName=name, BillingMode="PAY_PER_REQUEST", AttributeDefinitions=TEXTS, KeySchema=list(KEY)
        )

    def stream(self, name: str, shards: int) -> None:
        """Make a stream, and wait until it is there."""
        kinesis = self.client("kinesis")
        kinesis.create_stream(StreamName=name, ShardCount=shards)
        kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})

    def bucket(self, name: str) -> None:
        """Make a bucket."""
        self.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})

    def texts(self) -> list[tuple[str, str]]:
        """Text messages that were sent, each with its number."""
        return self._moto.texts()


@contextmanager
def account() -> Iterator[Account]:
    """The servers while they run; credentials that open nothing else are in the environment as long."""
    with ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, KEYS))
        for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
            os.environ.pop(name, None)
        moto = stack.enter_context(Moto())
        kinesalite = stack.enter_context(Kinesalite())
        dynamo = DynamoServer()
        stack.callback(dynamo.remove)
        os.environ["AWS_ENDPOINT_URL_S3"] = moto.url
        yield Account(dynamo, kinesalite, moto)
