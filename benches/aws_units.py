"""``python -m benches.aws_units [--write]``: what a reading takes in functions: units, calls, bytes, time.

The handler of DynamoDB Streams is called with readings of sensors, one a minute each, as Lambda would call it, over
AWS's own DynamoDB Local, which says the units of every call (ReturnConsumedCapacity) by AWS's rules. ``--write`` puts
what was measured into ``docs/aws-units.json``, of which ``docs/aws-costs.md`` is made.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from benches.timing import machine

KEPT = Path(__file__).resolve().parent.parent / "docs" / "aws-units.json"
BEGIN = datetime(2026, 6, 1, tzinfo=UTC)
DETECTORS = {"light": "light", "forest": "thresholded_forest"}
CASES = (
    ("light", 1, 1, 300),
    ("light", 10, 10, 60),
    ("light", 100, 100, 24),
    ("light", 500, 500, 16),
    ("light", 500, 10_000, 120),
    ("forest", 15, 1, 60),
)
"""Detector, readings a call, sensors, calls that are counted: some snapshots are among them. 500 is the most that
Lambda gives by the template."""
WARM = 20
"""Calls before anything is counted, at least."""
ARCHIVED = (200, 1440)
"""Sensors and minutes of the file whose bytes are counted."""
CONFIG = """
sources:
  readings: {{kind: dynamodb_stream, values: [temperature]}}
watches:
  all: {{match: '*', detector: {detector}, budget: 1/week}}
store:
  kind: dynamodb
  region: eu-west-1
  table: {table}
  endpoint_url: '{url}'
  bucket: {bucket}
  bucket_endpoint_url: '{objects}'
  patience: 60s
"""


@dataclass
class Counted:
    """What the calls of a client took."""

    calls: Counter[str] = field(default_factory=Counter)
    writes: float = 0.0
    reads: float = 0.0
    objects: int = 0

    def listen(self, client: Any) -> None:
        """Count every call of it from now on."""
        client.meta.events.register("provide-client-params.dynamodb", self._asked)
        client.meta.events.register("after-call.dynamodb", self._answered)

    def watch(self, kind: Any) -> None:
        """Count the snapshots that are put into a bucket."""
        put = kind.put

        def counting(objects: Any, name: str, data: bytes) -> None:
            self.objects += 1
            put(objects, name, data)

        kind.put = counting

    def _asked(self, params: dict[str, Any], model: Any, **_: Any) -> dict[str, Any]:
        shape = model.input_shape
        known = shape is not None and "ReturnConsumedCapacity" in shape.members
        return {**params, "ReturnConsumedCapacity": "TOTAL"} if known else params

    def _answered(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        self.calls[model.name] += 1
        used = parsed.get("ConsumedCapacity", [])
        units = sum(one["CapacityUnits"] for one in (used if isinstance(used, list) else [used]))
        if model.name in ("GetItem", "BatchGetItem", "Query", "Scan"):
            self.reads += units
        else:
            self.writes += units


class Plant:
    """Sensors that are read once a minute, as events of a table's stream."""

    def __init__(self, sensors: int) -> None:
        self._sensors, self._random, self._number = sensors, np.random.default_rng(3), 0

    def event(self, readings: int) -> dict[str, Any]:
        """The next readings, in their order."""
        return {"Records": [self._record() for _ in range(readings)]}

    def _record(self) -> dict[str, Any]:
        minute, sensor = divmod(self._number, self._sensors)
        self._number += 1
        value = 27.2 + 0.1 * float(np.round(self._random.normal(), 1))
        at = (BEGIN + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%SZ")
        image = {
            "sensor": {"S": f"evaporator-{sensor:05d}"},
            "Timestamp": {"S": at},
            "temperature": {"N": f"{value:.2f}"},
        }
        return {
            "eventID": f"{self._number:032x}",
            "eventName": "INSERT",
            "eventSource": "aws:dynamodb",
            "eventSourceARN": "arn:aws:dynamodb:eu-west-1:111122223333:table/readings/stream/x",
            "dynamodb": {"SequenceNumber": f"{self._number:021d}", "NewImage": image, "StreamViewType": "NEW_IMAGE"},
        }


def measured(server: Any, moto: Any, detector: str, readings: int, sensors: int, calls: int) -> dict[str, Any]:
    """What a call with so many readings takes, on average over some calls of a warm function."""
    from watchband.adapters.aws.access import AwsSession
    from watchband.adapters.stores.dynamodb.objects import S3Objects
    from watchband.adapters.stores.dynamodb.table import table_shape
    from watchband.apps.aws_lambda import function, handler

    table = server.table()
    server.client().create_table(**table_shape(table))
    where = {"LocationConstraint": "eu-west-1"}
    moto.client("s3").create_bucket(Bucket=table, CreateBucketConfiguration=where)
    warm = max(WARM, -(-3 * sensors // readings))
    given = {"table": table, "url": server.url, "bucket": table, "objects": moto.url}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "watchband.yaml")
        path.write_text(CONFIG.format(detector=DETECTORS[detector], **given))
        os.environ.update(WATCHBAND_CONFIG=str(path), WATCHBAND_TABLE=table)
        made = function.the_function(os.environ)
        assert isinstance(made.session, AwsSession)
        plant, counted = Plant(sensors), Counted()
        for _ in range(warm):
            handler.dynamodb_stream(plant.event(readings), None)
        counted.listen(made.session.client("dynamodb"))
        counted.watch(S3Objects)
        events = [plant.event(readings) for _ in range(calls)]
        before = time.process_time()
        for event in events:
            assert handler.dynamodb_stream(event, None) == {"batchItemFailures": []}
        spent = time.process_time() - before
    return {
        "detector": detector,
        "readings": readings,
        "sensors": sensors,
        "calls": calls,
        "write_units": round(counted.writes / calls, 3),
        "read_units": round(counted.reads / calls, 3),
        "requests": round(sum(counted.calls.values()) / calls, 3),
        "objects": round(counted.objects / calls, 4),
        "cpu_ms": round(1000 * spent / calls, 2),
        "stored_bytes": round(_stored(server, table) / (readings * (warm + calls)), 2),
    }


def _stored(server: Any, table: str) -> int:
    """Bytes of the log in a table, by DynamoDB's rules: names and values of attributes, and 100 for each item."""
    total, start = 0, {}
    while True:
        page = server.client().scan(TableName=table, **start)
        for item in page["Items"]:
            if item["pk"]["S"].startswith("log#"):
                total += 100 + sum(len(name) + _bytes(value) for name, value in item.items())
        if "LastEvaluatedKey" not in page:
            return total
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def _bytes(typed: dict[str, Any]) -> int:
    (kind, value), *_ = typed.items()
    if kind in ("S", "B"):
        return len(value)
    if kind == "N":
        return len(value) // 2 + 2
    if kind in ("L", "SS"):
        return 3 + sum(_bytes(one) if isinstance(one, dict) else len(one) for one in value)
    if kind == "M":
        return 3 + sum(len(name) + _bytes(one) + 1 for name, one in value.items())
    return 1


def item_units(server: Any) -> float:
    """Write units of one reading as an item of the readings table."""
    table = server.table()
    client = server.client()
    keys = (("sensor", "HASH"), ("Timestamp", "RANGE"))
    client.create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
    )
    answer = client.put_item(TableName=table, Item=_item(), ReturnConsumedCapacity="TOTAL")
    return float(answer["ConsumedCapacity"]["CapacityUnits"])


def _item() -> dict[str, Any]:
    found: dict[str, Any] = Plant(1).event(1)["Records"][0]["dynamodb"]["NewImage"]
    return found


def archived_bytes(decimals: int) -> float:
    """Bytes of a reading in Parquet: a day of sensors by series and time, zstd; values of so many decimals."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sensors, minutes = ARCHIVED
    random = np.random.default_rng(3)
    times = np.tile(np.arange(minutes, dtype=np.int64) * 60_000_000 + int(BEGIN.timestamp()) * 1_000_000, sensors)
    values = np.round(27.2 + 0.1 * random.normal(size=sensors * minutes), decimals)
    names = np.repeat([f'temperature{{sensor="evaporator-{n:05d}"}}' for n in range(sensors)], minutes)
    columns = {
        "series": pa.array(names).dictionary_encode(),
        "time": pa.array(times, pa.timestamp("us", "UTC")),
        "value": values,
    }
    written = io.BytesIO()
    # Times differ by the same: their differences are kept. Values repeat: a dictionary of them.
    pq.write_table(
        pa.table(columns),
        written,
        compression="zstd",
        use_dictionary=["series", "value"],
        column_encoding={"time": "DELTA_BINARY_PACKED"},
    )
    return round(len(written.getvalue()) / values.size, 3)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benches.aws_units", description=__doc__)
    parser.add_argument("--write", action="store_true", help="into docs/aws-units.json")
    given = parser.parse_args()
    os.environ.update(AWS_ACCESS_KEY_ID="local", AWS_SECRET_ACCESS_KEY="local", AWS_REGION="eu-west-1")
    from tests.servers.dynamodb.server import DynamoServer
    from tests.servers.moto import Moto

    server, moto = DynamoServer(), Moto()
    try:
        cases = []
        for case in CASES:
            cases.append(measured(server, moto, *case))
            print(json.dumps(cases[-1]), file=sys.stderr, flush=True)
        document = {
            "command": "python -m benches.aws_units --write",
            "machine": machine(),
            "boto3": metadata.version("boto3"),
            "item_write_units": item_units(server),
            "item_bytes": 100 + sum(len(name) + _bytes(value) for name, value in _item().items()),
            "archived_bytes": archived_bytes(2),
            "archived_bytes_full": archived_bytes(15),
            "cases": cases,
        }
    finally:
        server.remove()
        moto.close()
    text = json.dumps(document, indent=1) + "\n"
    if given.write:
        KEPT.write_text(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
