"""Four hosts: their rows go through Kinesis into a function that labels risk and tells of what becomes Critical."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.servers.moto import REGION
from tools.aws_demo.account import Account
from tools.aws_demo.shards import Event, events, invoke
from watchband.analysis.risk.artifact import save
from watchband.analysis.risk.fit import Settings, fit
from watchband.analysis.risk.rows import Rows
from watchband.apps.aws_lambda.function import Function
from watchband.apps.aws_lambda.kinesis_records import kinesis_lots
from watchband.apps.aws_lambda.surroundings import Surroundings
from watchband.core.timestamp import format_rfc3339, parse_rfc3339
from watchband.evaluation.simulate.scenes.hosts import CORE, INCIDENTS, ROWS, START_NS, STEP_NS, hosts
from watchband.features.cloudwatch10 import CLOUDWATCH10
from watchband.testing.clock import VirtualClock

NUMBER = "+4915187654321"
STREAM, TABLE, SHARDS = "cloudwatch-metrics-stream", "four-hosts", 2
_MOMENTS = [parse_rfc3339(f"2025-{text}:00Z") + k * STEP_NS for text in INCIDENTS for k in (0, 1)]
NEAR = frozenset(format_rfc3339(moment)[:16].encode() for moment in _MOMENTS)
STATES = ("Idle", "Normal", "High Load", "Critical")
CONFIG = """\
store: {{kind: dynamodb, region: eu-west-1, endpoint_url: {dynamodb}, table: {table}}}
sources:
  stream:
    {{kind: kinesis, stream: {stream}, region: eu-west-1, endpoint_url: {kinesis}, columns: [Timestamp, {columns}]}}
watches:
  latency: {{match: Latency_ms, detector: light, budget: 1/week, route: []}}
risk: {{model: {model}, entity: [part]}}
sinks:
  telephone: {{kind: sns, phone_numbers: ["{number}"], region: eu-west-1, endpoint_url: {others}}}
"""

Say = Callable[[str], None]


@dataclass
class Fortnight:
    """What two weeks brought.

    Attributes
    ----------
    records : int
        Rows that were sent.
    states : dict of str to list of int
        Rows of each host by state: Idle, Normal, High Load, Critical.
    critical : list of (str, str)
        Host and time of each row called Critical.
    texts : list of str
        Text messages.
    spent : list of float
        Seconds of each call of the function.
    """

    records: int = 0
    states: dict[str, list[int]] = field(default_factory=dict)
    critical: list[tuple[str, str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    spent: list[float] = field(default_factory=list)


def fitted(path: Path, seed: int) -> None:
    """A model of risk from another fortnight of such hosts."""
    columns = hosts(seed).columns
    times = np.tile(START_NS + STEP_NS * np.arange(ROWS, dtype=np.int64), 4)
    values = np.stack([columns[name] for name in CORE], axis=1)
    rows = Rows(np.repeat(np.arange(4), ROWS).astype(np.int32), times, values)
    save(fit(rows.chunks, CLOUDWATCH10, ["1", "2", "3", "4"], STEP_NS, Settings(sample=3_000)).labeller, path)


def play(there: Account, folder: Path, say: Say) -> Fortnight:
    """The model is fitted, the rows are sent, and the function is called with them."""
    there.table(TABLE)
    there.stream(STREAM, SHARDS)
    fitted(folder / "risk.json", seed=1)
    file = folder / "hosts.csv"
    _watchband("simulate", "hosts", "--out", str(file), "--quiet")
    target = f"kinesis://{STREAM}?region={REGION}&endpoint_url={there.kinesis}"
    sent = json.loads(_watchband("replay", str(file), "--to", target, "--as", "csv", "--json"))
    say(f"{sent['records']} rows of four hosts are in the stream {STREAM}")
    names = {"dynamodb": there.dynamodb, "kinesis": there.kinesis, "others": there.others, "number": NUMBER}
    names |= {"table": TABLE, "stream": STREAM, "model": str(folder / "risk.json")}
    config = folder / "four_hosts.yaml"
    config.write_text(CONFIG.format(**names, columns=", ".join(sent["columns"])))
    return _folded(there, config, say)


def _watchband(*words: str) -> str:
    command = [sys.executable, "-m", "watchband", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _folded(there: Account, config: Path, say: Say) -> Fortnight:
    clock = VirtualClock(START_NS + ROWS * STEP_NS)
    function = Function(Surroundings(config=str(config)), clock)
    found = Fortnight()

    def handler(event: Event) -> dict[str, object]:
        failed, _ = function.fold(kinesis_lots(function, event), lambda: 300.0)
        return {"batchItemFailures": [{"itemIdentifier": item} for item in failed]}

    before = len(there.texts())
    for event in events(there.client("kinesis"), STREAM, _near_an_incident):
        began = time.perf_counter()
        invoke(handler, event)
        found.spent.append(time.perf_counter() - began)
        found.records += len(event["Records"])
        for _, text in there.texts()[before + len(found.texts) :]:
            found.texts.append(text)
            say(f"text to {NUMBER}: {text}")
    for _, part in function.every_part():
        for entry in part.store.log("main", 0):
            for one in entry.readings:
                if one.key.metric == "risk_state":
                    _count(found, str(one.key.labels["part"]), one.times.tolist(), one.values.tolist())
    return found


def _near_an_incident(data: bytes) -> bool:
    """Rows of an incident and the next one come as they would live; the weeks between are played fast."""
    return data[:16] in NEAR


def _count(found: Fortnight, host: str, times: list[int], values: list[float]) -> None:
    counts = found.states.setdefault(host, [0] * len(STATES))
    for moment, value in zip(times, values, strict=True):
        counts[int(value)] += 1
        if value == STATES.index("Critical"):
            found.critical.append((host, format_rfc3339(moment)))
