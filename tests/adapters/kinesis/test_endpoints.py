"""The source and ``replay`` against servers written by others: kinesalite and moto's; the same bits as ``detect``."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.adapters.kinesis.reading import Worker
from tests.servers.kinesalite import Kinesalite
from tests.servers.moto import Moto
from watchband.adapters.aws.access import AwsAccess, AwsSession
from watchband.adapters.aws.put_records import Producer
from watchband.adapters.sources.files.table import open_table
from watchband.adapters.sources.kinesis.settings import Kinesis
from watchband.apps.cli.main import app
from watchband.apps.library.replaying.records import readings_of
from watchband.core.clock import SystemClock
from watchband.core.duration import SECOND
from watchband.core.points import Points
from watchband.core.state import State
from watchband.detectors.rolling_zscore import RollingZscore
from watchband.testing.contracts.source_rig import Reading
from watchband.testing.contracts.source_rig import readings_of as readings_in
from watchband.testing.outside import eventually

HOSTS = 4
ROWS = 60


@pytest.fixture(scope="module", params=["kinesalite", "moto"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with Kinesalite() if request.param == "kinesalite" else Moto() as there:
        yield there.url


@pytest.fixture(scope="module")
def moto() -> Iterator[Moto]:
    with Moto() as there:
        yield there


@pytest.fixture
def stream(url: str, request: pytest.FixtureRequest) -> tuple[Any, str]:
    """A client and a new stream of two shards."""
    client = AwsSession(AwsAccess(endpoint_url=url), "A test").client("kinesis")
    name = f"s{abs(hash(request.node.name))}"
    client.create_stream(StreamName=name, ShardCount=2)
    ready(client, name)
    return client, name


def ready(client: Any, name: str) -> None:
    summary = "StreamDescriptionSummary"
    eventually(lambda: client.describe_stream_summary(StreamName=name)[summary]["StreamStatus"] == "ACTIVE")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Four hosts stacked without an id, each with a CPU and a latency; one of them falls ill."""
    rng = np.random.default_rng(5)
    lines = ["Timestamp,CPUUtilization,Latency_ms"]
    for host in range(HOSTS):
        for row in range(ROWS):
            cpu, latency = 20 * host + rng.normal(0, 1), 5 + rng.normal(0, 0.3)
            ill = 90 if host == 2 and row == 50 else 0
            lines.append(f"2/17/2025 {row // 12}:{row % 12 * 5:02d},{cpu + ill:.6f},{latency:.6f}")
    path = tmp_path / "hosts.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def of_file(path: Path) -> list[Reading]:
    with open_table(path) as table:
        found = readings_of(table)
    keys = [str(key) for key in found.keys]
    triples = zip(found.row.tolist(), found.times.tolist(), found.values.tolist(), strict=True)
    return [(keys[row], time, value) for row, time, value in triples]


def replayed(path: Path, url: str, name: str, *flags: str) -> dict[str, Any]:
    command = ["replay", str(path), "--to", f"kinesis://{name}?endpoint_url={url}", "--json", *flags]
    result = CliRunner().invoke(app, command, prog_name="watchband")
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def reader(url: str, name: str, **settings: Any) -> Worker:
    found = Kinesis(stream=name, endpoint_url=url, every=SECOND // 5, discover_every=SECOND, **settings)
    return Worker(lambda: found.open("k", clock=SystemClock()))


def scores(cuts: list[list[Reading]]) -> dict[str, bytes]:
    """What a detector says of each series, as bytes; it moves on cut by cut."""
    detector = RollingZscore(window=12)
    states: dict[str, State] = {}
    found: dict[str, bytes] = {}
    for cut in cuts:
        series: dict[str, list[tuple[int, float]]] = {}
        for name, time, value in cut:
            series.setdefault(name, []).append((time, value))
        for name, pairs in series.items():
            state = states.setdefault(name, detector.start(1))
            times, values = zip(*pairs, strict=True)
            said = detector.step(state, Points.of(np.array(times, np.int64), np.array(values)))
            found[name] = found.get(name, b"") + said.score.tobytes()
    return found


@pytest.mark.parametrize("form", ["points", "csv"])
def test_what_is_replayed_is_read_with_the_same_bits(url: str, stream: tuple[Any, str], file: Path, form: str) -> None:
    _, name = stream
    expected = of_file(file)
    sent = replayed(file, url, name, "--as", form)
    assert (sent["records"], sent["points"]) == (HOSTS * ROWS, len(expected))
    assert sent["calls"] == 1
    columns = {"columns": ("Timestamp", *sent["columns"])} if form == "csv" else {}
    worker = reader(url, name, limit=50, **columns)
    worker.until(lambda: len(worker.readings) >= len(expected))
    worker.stop()
    assert sorted(worker.readings) == sorted(expected)
    assert scores([readings_in(batch) for batch in worker.kept]) == scores([expected])
    assert len({batch.position for batch in worker.kept}) > 4


def test_a_split_and_a_merge_in_mid_stream(url: str, stream: tuple[Any, str]) -> None:
    client, name = stream
    producer = Producer(AwsAccess(endpoint_url=url), name, SystemClock())
    wrote = 0

    def write(count: int) -> None:
        nonlocal wrote
        points = []
        for n in range(count):
            point = {"series": f'cpu{{host="h{n % 9}"}}', "time": 1_800_000_000 + wrote, "value": wrote}
            points.append((f"h{n % 9}", json.dumps(point).encode()))
            wrote += 1
        producer.put(points)

    worker = reader(url, name, limit=7)
    write(40)
    worker.until(lambda: len(worker.readings) > 10)
    first = client.list_shards(StreamName=name)["Shards"][0]
    middle = str(int(first["HashKeyRange"]["EndingHashKey"]) // 2)
    client.split_shard(StreamName=name, ShardToSplit=first["ShardId"], NewStartingHashKey=middle)
    ready(client, name)
    write(40)
    worker.until(lambda: len(worker.readings) > 60)
    left, right = [s["ShardId"] for s in client.list_shards(StreamName=name)["Shards"] if "ParentShardId" in s]
    client.merge_shards(StreamName=name, ShardToMerge=left, AdjacentShardToMerge=right)
    ready(client, name)
    write(40)
    worker.until(lambda: len(worker.readings) >= wrote)
    worker.stop()
    assert sorted(value for *_, value in worker.readings) == list(range(wrote))
    by_host: dict[str, list[float]] = {}
    for series, _, value in worker.readings:
        by_host.setdefault(series, []).append(value)
    assert all(values == sorted(values) for values in by_host.values()), "parents before children"
    producer.close()


def test_two_workers_share_a_stream_by_leases_in_dynamodb(
    moto: Moto, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Both are at work, one stops, the other reads on; between them they read everything."""
    client = AwsSession(AwsAccess(endpoint_url=moto.url), "A test").client("kinesis")
    client.create_stream(StreamName="shared", ShardCount=4)
    ready(client, "shared")
    producer = Producer(AwsAccess(endpoint_url=moto.url), "shared", SystemClock())
    workers = [reader(moto.url, "shared", leases="leases", create_leases=True, lease=2 * SECOND) for _ in range(2)]
    stopped = [threading.Event(), threading.Event()]

    def run(worker: Worker, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                worker.step()
            except StopIteration:
                return

    threads = [threading.Thread(target=run, args=pair, daemon=True) for pair in zip(workers, stopped, strict=True)]
    for thread in threads:
        thread.start()
    wrote = 0

    def write() -> None:
        nonlocal wrote
        for n in range(24):
            point = {"series": f'cpu{{host="h{n}"}}', "time": 1_800_000_000 + wrote, "value": wrote}
            producer.put([(f"h{n}", json.dumps(point).encode())])
            wrote += 1

    def values(*which: Worker) -> set[float]:
        return {value for worker in which for *_, value in worker.readings}

    def both() -> bool:
        """Each is at work once the other has given it some."""
        write()
        return all(worker.readings for worker in workers)

    eventually(both, 40)
    stopped[0].set()
    assert workers[0].source is not None
    workers[0].source.close()
    threads[0].join(20)
    workers[0].stop()
    before = wrote
    write()
    eventually(lambda: set(range(before, wrote)) <= values(workers[1]), 40)
    eventually(lambda: values(*workers) == set(range(wrote)), 20)
    stopped[1].set()
    assert workers[1].source is not None
    workers[1].source.close()
    threads[1].join(20)
    producer.close()
