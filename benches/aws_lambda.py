"""``python -m benches.aws_lambda``: what a function takes: memory at its peak, and how long it takes to start.

In a process of its own, against DynamoDB Local: import, first invocation (configuration, clients, an empty table), then
batches of ten readings of a hundred hosts, a thousand or as many as are said. Seconds are CPU time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.servers.dynamodb.server import REGION, DynamoServer
from watchband.adapters.stores.dynamodb.table import table_shape

PROGRAM = """
import base64, json, resource, sys, time
began = time.process_time()
from watchband.apps.aws_lambda import handler
imported = time.process_time()

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

def event(number, count):
    records = []
    for i in range(count):
        at = number * count + i
        time_s, host = 1760000000 + at // 100 * 60, f"h{at % 100}"
        point = {"metric": "cpu", "labels": {"host": host}, "time": time_s, "value": 20 + at % 7}
        data = base64.b64encode(json.dumps(point).encode()).decode()
        said = {"partitionKey": host, "sequenceNumber": str(10**20 + at), "data": data}
        arn = "arn:aws:kinesis:eu-west-1:1:stream/s"
        records.append({"eventID": f"shardId-0:{at}", "eventSourceARN": arn, "kinesis": said})
    return {"Records": records}

at_import = peak()
handler.kinesis(event(0, 10), None)
first, at_first = time.process_time(), peak()
for number in range(1, int(sys.argv[1])):
    handler.kinesis(event(number, 10), None)
ended = time.process_time()
heavy = [name for name in ("duckdb", "fastapi", "sklearn", "pyarrow", "pandas", "httpx") if name in sys.modules]
print(json.dumps({
    "import_s": imported - began, "first_s": first - imported,
    "batch_ms": 1000 * (ended - first) / (int(sys.argv[1]) - 1),
    "import_mb": at_import, "first_mb": at_first, "peak_mb": peak(), "heavy": heavy,
}))
"""


def measured(batches: int) -> dict[str, object]:
    """The figures of one function."""
    server = DynamoServer()
    keys = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_REGION": REGION}
    try:
        table = server.table()
        server.client().create_table(**table_shape(table))
        with tempfile.TemporaryDirectory() as folder:
            config = Path(folder, "watchband.yaml")
            config.write_text("watches: {all: {match: '*'}}\n")
            told = {"WATCHBAND_CONFIG": str(config), "WATCHBAND_TABLE": table, "AWS_ENDPOINT_URL_DYNAMODB": server.url}
            found = subprocess.run(
                [sys.executable, "-c", PROGRAM, str(batches)],
                env={**os.environ, **keys, **told}, capture_output=True, text=True, check=True,
            )  # fmt: skip
    finally:
        server.remove()
    said: dict[str, object] = json.loads(found.stdout)
    return said


def main() -> None:
    found = measured(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
    for name, figure in found.items():
        print(f"{name:10} {figure:.2f}" if isinstance(figure, float) else f"{name:10} {figure}")


if __name__ == "__main__":
    main()
