"""What stands between Kinesis and a function: shards are read, and what they hold is handed over in events."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

RECORDS = 500
"""Of an event, at most."""
TRIES = 5

Event = dict[str, Any]


def events(client: Any, stream: str, alone: Callable[[bytes], bool] = lambda data: False) -> Iterator[Event]:
    """Everything that a stream holds, shard by shard in turn, as Lambda hands it to a function.

    Parameters
    ----------
    client : boto3's client of Kinesis
    stream : str
        Its name.
    alone : callable
        Whether a record is an event by itself, as it is when records come one by one and not all at once.
    """
    arn = client.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["StreamARN"]
    shards = [one["ShardId"] for one in client.list_shards(StreamName=stream)["Shards"]]
    pages = [_pages(client, stream, arn, shard, alone) for shard in shards]
    while pages:
        for one in list(pages):
            event = next(one, None)
            if event is None:
                pages.remove(one)
            else:
                yield event


def _pages(client: Any, stream: str, arn: str, shard: str, alone: Callable[[bytes], bool]) -> Iterator[Event]:
    begun = client.get_shard_iterator(StreamName=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    iterator = begun["ShardIterator"]
    while iterator:
        found = client.get_records(ShardIterator=iterator, Limit=RECORDS)
        iterator = found.get("NextShardIterator")
        if found["Records"]:
            for _, part in groupby(enumerate(found["Records"]), lambda one: one[0] if alone(one[1]["Data"]) else -1):
                yield {"Records": [_record(arn, shard, record) for _, record in part]}
        elif not found.get("MillisBehindLatest"):
            return


def _record(arn: str, shard: str, record: dict[str, Any]) -> dict[str, Any]:
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": record["PartitionKey"],
            "sequenceNumber": record["SequenceNumber"],
            "data": base64.b64encode(record["Data"]).decode(),
            "approximateArrivalTimestamp": math.floor(record["ApproximateArrivalTimestamp"].timestamp() * 1000) / 1000,
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{shard}:{record['SequenceNumber']}",
        "eventName": "aws:kinesis:record",
        "awsRegion": arn.split(":")[3],
        "eventSourceARN": arn,
    }


def invoke(handler: Callable[[Event], dict[str, Any]], event: Event) -> None:
    """Call a function as its event source mapping does: from the first record that failed on, again.

    Raises
    ------
    RuntimeError
        Something fails again and again.
    """
    for _ in range(TRIES):
        failed = [one["itemIdentifier"] for one in handler(event)["batchItemFailures"]]
        if not failed:
            return
        at = min(n for n, one in enumerate(event["Records"]) if one["kinesis"]["sequenceNumber"] in failed)
        event = {"Records": event["Records"][at:]}
    raise RuntimeError(f"{len(event['Records'])} records failed {TRIES} times.")
