"""The source against the stand-in: limits, expired iterators, splits and merges, poison, aggregated records."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.adapters.kinesis.reading import Worker
from watchband.adapters.sources.kinesis.aggregated import MAGIC
from watchband.adapters.sources.kinesis.settings import Kinesis
from watchband.adapters.sources.kinesis.source import KinesisSource
from watchband.core.duration import MINUTE, SECOND
from watchband.core.errors import ConfigError, PermanentError, TransientError
from watchband.core.events import WatermarkMoved
from watchband.testing.clock import VirtualClock
from watchband.testing.kinesis.server import KinesisServer

HOSTS = [f"h{n}" for n in range(8)]


class World:
    """A stream of eight hosts, one reading a minute, and who reads it."""

    def __init__(self, shards: int = 2) -> None:
        self.clock = VirtualClock()
        self.server = KinesisServer(self.clock)
        self.stream = self.server.stream("metrics", shards)
        self.wrote: list[tuple[str, int, float]] = []

    def write(self, minutes: int = 1) -> None:
        for _ in range(minutes):
            now = self.clock.now() // MINUTE * MINUTE
            for n, host in enumerate(HOSTS):
                self.wrote.append((f'cpu{{host="{host}"}}', now, float(n + len(self.wrote))))
                series, time, value = self.wrote[-1]
                self.stream.put(host, json.dumps({"series": series, "time": time, "value": value}).encode())
            self.clock.sleep(60)

    def worker(self, **settings: object) -> Worker:
        found = Kinesis(stream="metrics", endpoint_url=self.server.url, **settings)  # type: ignore[arg-type]
        return Worker(lambda: found.open("k", clock=self.clock))


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.server.close()


def source_of(worker: Worker) -> KinesisSource:
    assert isinstance(worker.source, KinesisSource)
    return worker.source


def in_order(worker: Worker) -> None:
    """Each series came in order of time, nothing twice."""
    times: dict[str, list[int]] = {}
    for series, time, _ in worker.readings:
        times.setdefault(series, []).append(time)
    for series, found in times.items():
        assert found == sorted(set(found)), series


def test_splits_and_merges_in_mid_stream_lose_and_repeat_nothing(world: World) -> None:
    worker = world.worker(limit=3)
    world.write(3)
    left, right = world.stream.split("shardId-000000000000")
    world.write(2)
    worker.until(lambda: len(worker.readings) > 15)
    # Again while it is read: one of the children is merged with the other old shard.
    merged = world.stream.merge(right, "shardId-000000000001")
    world.write(2)
    worker.until(lambda: len(worker.readings) >= len(world.wrote))
    assert sorted(worker.readings) == sorted(world.wrote)
    in_order(worker)
    _, _, at = json.loads(worker.position)
    assert at["shardId-000000000000"] == at["shardId-000000000001"] == at[right] == "END"
    assert at[left].isdigit()
    assert at[merged].isdigit()


def test_it_goes_on_after_any_batch_of_a_split(world: World) -> None:
    world.write(2)
    world.stream.split("shardId-000000000001")
    world.write(2)
    worker = world.worker(limit=4)
    while len(worker.readings) < len(world.wrote):
        worker.step()
        worker.stop()
    assert sorted(worker.readings) == sorted(world.wrote)
    in_order(worker)


def test_a_forgotten_parent_holds_up_nobody(world: World) -> None:
    world.write()
    world.stream.split("shardId-000000000000")
    world.stream.forget("shardId-000000000000")
    before = len(world.wrote)
    world.write()
    worker = world.worker()
    # What the forgotten shard held is lost with it.
    kept = {key for key, *_ in world.wrote if world.stream.of(json_host(key)).id == "shardId-000000000001"}
    expected = [one for n, one in enumerate(world.wrote) if n >= before or one[0] in kept]
    worker.until(lambda: len(worker.readings) >= len(expected))
    assert sorted(worker.readings) == sorted(expected)


def json_host(series: str) -> str:
    return series.split('"')[1]


def test_throttled_calls_wait_and_the_limits_are_kept(world: World) -> None:
    world.write(4)
    world.server.refuse("GetRecords", "ProvisionedThroughputExceededException", 6)
    worker = world.worker(limit=1)
    worker.until(lambda: len(worker.readings) >= len(world.wrote))
    assert sorted(worker.readings) == sorted(world.wrote)
    # Six were told to fail; the stand-in refuses a sixth call in a second by itself, and there was none.
    assert source_of(worker).throttled == 6


def test_large_answers_are_paid_in_time(world: World) -> None:
    """Of a shard 2 MB a second: after 3 MB nobody asks at once."""
    for n in range(6):
        time, body = world.clock.now() + n * SECOND, "x" * 900_000
        world.stream.put("big", json.dumps({"series": "cpu", "time": time, "value": n, "note": body}).encode())
    worker = world.worker(limit=3)
    worker.until(lambda: len(worker.readings) >= 6)
    assert source_of(worker).throttled == 0


def test_an_expired_iterator_is_asked_for_again(world: World) -> None:
    world.write()
    worker = world.worker()
    worker.until(lambda: len(worker.readings) >= 8)
    # The engine is busy with the last batch for ten minutes.
    world.clock.sleep(600)
    world.write()
    worker.until(lambda: len(worker.readings) >= 16)
    assert sorted(worker.readings) == sorted(world.wrote)
    assert source_of(worker).expired >= 1


def test_what_cannot_be_read_is_kept_aside_once_and_the_rest_goes_on(world: World, tmp_path: Path) -> None:
    letters = tmp_path / "dead.jsonl"
    world.write()
    world.stream.put("h1", b"\xff\x00")
    world.stream.put("h1", b'{"series": "cpu", "time": 1, "value": "high"}')
    world.stream.put("h1", b"1,2,3")
    world.write()
    worker = world.worker(dead_letters=str(letters))
    worker.until(lambda: len(worker.readings) >= 16)
    assert source_of(worker).refused == 3
    lines = [json.loads(line) for line in letters.read_text().splitlines()]
    assert [base64.b64decode(one["data"]) for one in lines] == [
        b"\xff\x00", b'{"series": "cpu", "time": 1, "value": "high"}', b"1,2,3"
    ]  # fmt: skip
    assert all(one["partition_key"] == "h1" and one["sequence"].isdigit() and one["reason"] for one in lines)
    assert "25" in lines[2]["reason"]
    # The process dies before its batch is durable: what is read again stands there once.
    worker.position = ""
    worker.start()
    worker.until(lambda: len(worker.readings) >= 32)
    assert len(letters.read_text().splitlines()) == 3


def test_without_room_for_dead_letters_nothing_behind_them_is_taken(world: World, tmp_path: Path) -> None:
    world.stream.put("h1", b"\xff")
    worker = world.worker(dead_letters=str(tmp_path / "no" / "dead.jsonl"))
    with pytest.raises(TransientError, match="Dead letters cannot be kept"):
        worker.until(lambda: False)
    assert not any(batch.position and json.loads(batch.position)[2] for batch in worker.kept)


def test_rows_of_hosts(world: World) -> None:
    """Raw rows, as text and as JSON; the partition key is the host."""
    values = ",".join(str(n + 0.5) for n in range(24))
    world.stream.put("i-1", f"2/17/2025 0:05,{values}\n".encode())
    world.stream.put('{host="i-1",zone="a"}', f"2/17/2025 0:05,{values}".encode())
    world.stream.put("i-1", b'{"Timestamp": "2025-02-17T00:10:00Z", "CPUUtilization": 3, "Latency_ms": null}')
    world.stream.put("i-1", f"2/17/2025 0:15,{values.replace('0.5,', 'none at all,', 1)}".encode())
    worker = world.worker()
    worker.until(lambda: len(worker.readings) >= 24 + 24 + 1 + 23)
    found = {(series, time): value for series, time, value in worker.readings}
    start = 1_739_750_400 * SECOND
    assert found['CPUUtilization{host="i-1"}', start + 5 * MINUTE] == 0.5
    assert found['ActiveConnections{host="i-1",zone="a"}', start + 5 * MINUTE] == 23.5
    assert found['CPUUtilization{host="i-1"}', start + 10 * MINUTE] == 3.0
    assert ('CPUUtilization{host="i-1"}', start + 15 * MINUTE) not in found
    assert source_of(worker).refused == 1


def field(number: int, data: bytes | int) -> bytes:
    """A field of a protobuf message."""
    if isinstance(data, int):
        return varint(number << 3) + varint(data)
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def aggregated(records: list[tuple[str, bytes]]) -> bytes:
    keys = list(dict.fromkeys(key for key, _ in records))
    message = b"".join(field(1, key.encode()) for key in keys)
    message += b"".join(field(3, field(1, keys.index(key)) + field(3, data)) for key, data in records)
    return MAGIC + message + hashlib.md5(message, usedforsecurity=False).digest()


def test_aggregated_records_are_taken_apart(world: World) -> None:
    mine = [host for host in HOSTS if world.stream.of(host).id == "shardId-000000000000"]
    other = next(host for host in HOSTS if host not in mine)
    point = '{{"series": {{"__name__": "cpu", "host": "{}"}}, "time": "2026-02-01T00:00:00Z", "value": 1}}'.format
    body = [(host, point(host).encode()) for host in [*mine, other]]
    world.stream.put(mine[0], aggregated([*body, (mine[0], b"?")]))
    broken = aggregated(body)
    world.stream.put(mine[0], broken[:-1] + bytes([broken[-1] ^ 1]))
    worker = world.worker()
    worker.until(lambda: len(worker.readings) >= len(mine))
    # The one of the other shard comes there, and is left out here.
    assert {series for series, *_ in worker.readings} == {f'cpu{{host="{host}"}}' for host in mine}
    assert source_of(worker).refused == 2


def test_the_lag_is_what_kinesis_says(world: World) -> None:
    world.write(10)
    worker = world.worker(limit=1)
    worker.until(lambda: len(worker.readings) >= 4)
    assert source_of(worker).behind_s == pytest.approx(600, abs=120)
    worker.until(lambda: len(worker.readings) >= 80)
    worker.step()
    assert source_of(worker).behind_s == 0


def test_backfill_says_where_a_first_start_begins(world: World) -> None:
    world.write(10)
    some = world.worker(backfill=3 * MINUTE)
    some.until(lambda: len(some.readings) >= 24)
    none = world.worker(backfill=0)
    none.step()
    assert all(batch.history for batch in some.kept if batch.readings)
    world.write()
    some.until(lambda: len(some.readings) >= 32)
    none.until(lambda: len(none.readings) >= 8)
    assert [one[1] for one in none.readings] == [one[1] for one in world.wrote[-8:]]
    assert not any(batch.history for batch in none.kept)


def test_a_silent_shard_does_not_hold_the_watermark_for_ever(world: World) -> None:
    for n in range(5):
        time = world.clock.now()
        world.stream.put("h0", json.dumps({"series": "cpu", "time": time, "value": n}).encode())
        world.clock.sleep(60)
    worker = world.worker(delay=30 * SECOND)

    def mark() -> int:
        return max((e.time for b in worker.kept for e in b.events if isinstance(e, WatermarkMoved)), default=0)

    worker.until(lambda: mark() >= world.clock.now() - 40 * SECOND, 50)


def test_no_stream_and_no_permission_are_told(world: World) -> None:
    missing = Kinesis(stream="other", endpoint_url=world.server.url).open("k", clock=world.clock)
    with pytest.raises(PermanentError, match="'other' in this region"):
        next(missing.read())
    world.server.denied.add("GetRecords")
    with pytest.raises(PermanentError, match="not authorized"):
        world.worker().until(lambda: False)


def test_many_shards_come_in_pages() -> None:
    world = World(7)
    world.server.page = 3
    world.write(1)
    worker = world.worker()
    worker.until(lambda: len(worker.readings) >= 8)
    assert world.server.calls["ListShards"] == 3
    world.server.close()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"stream": "a b"}, "'stream' must be a name"),
        ({"stream": "s", "leases": "x"}, "'leases' must be a table"),
        ({"stream": "s", "time": "at"}, "'columns' does not name"),
        ({"stream": "s", "labels": ("host",)}, "no column of values"),
        ({"stream": "s", "columns": ("Timestamp", "a", "a")}, "twice"),
    ],
)
def test_settings_that_do_not_fit_are_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Kinesis(**given)  # type: ignore[arg-type]


def test_readings_do_not_depend_on_how_records_are_cut(world: World) -> None:
    values = ",".join("1" for _ in range(24))
    for n, text in enumerate(["17/2/2025 0:00", "2/17/2025 0:05", "1739751000", "2025-02-17 00:15", "2/17/2025 0:20"]):
        world.stream.put("a", f"{text},{values}".encode())
        world.stream.put("a", json.dumps({"series": "cpu", "time": n + 1, "value": n}).encode())
    found = []
    for limit in (1, 3, 100):
        worker = world.worker(limit=limit)
        worker.until(lambda worker=worker: len(worker.readings) >= 4 * 24 + 5)  # type: ignore[misc]
        found.append(sorted(worker.readings))
        assert source_of(worker).refused == 1
    assert found[0] == found[1] == found[2]
    assert np.isfinite([value for *_, value in found[0]]).all()
