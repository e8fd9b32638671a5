"""Records to a stream: full calls, again only what failed, order of keys, speed, and what the command says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.adapters.kinesis.reading import Worker
from watchband.adapters.aws.access import AwsAccess
from watchband.adapters.aws.put_records import BYTES_MAX, RECORDS_MAX, Producer, calls_of
from watchband.adapters.sources.files.table import open_table
from watchband.adapters.sources.kinesis.settings import Kinesis
from watchband.apps.cli.main import app
from watchband.apps.library.replaying.call import read_address, replay
from watchband.apps.library.replaying.records import entries_of, readings_of
from watchband.core.duration import MINUTE, SECOND
from watchband.core.errors import ConfigError, PermanentError, TransientError
from watchband.testing.clock import VirtualClock
from watchband.testing.kinesis.server import KinesisServer


@pytest.fixture
def server() -> Iterator[KinesisServer]:
    made = KinesisServer(VirtualClock())
    made.stream("metrics", 2)
    yield made
    made.close()


def producer(server: KinesisServer, *, ordered: bool = False) -> Producer:
    return Producer(AwsAccess(endpoint_url=server.url), "metrics", server.clock, ordered=ordered)


def stored(server: KinesisServer) -> list[tuple[str, bytes]]:
    shards = server.streams["metrics"].shards.values()
    records = sorted((r for shard in shards for r in shard.records), key=lambda record: record.sequence)
    return [(record.key, record.data) for record in records]


def numbered(count: int, keys: int = 7) -> list[tuple[str, bytes]]:
    return [(f"k{n % keys}", str(n).encode()) for n in range(count)]


def test_calls_are_full_and_within_limits(server: KinesisServer) -> None:
    entries = numbered(1201)
    sender = producer(server)
    sender.put(entries)
    assert sender.calls == 3
    assert sorted(stored(server)) == sorted(entries)
    large = [("k", b"x" * 900_000)] * 12
    assert [len(call) for call in calls_of(large)] == [5, 5, 2]
    assert all(sum(len(data) + len(key) for key, data in call) <= BYTES_MAX for call in calls_of(large))
    assert max(len(call) for call in calls_of(entries)) == RECORDS_MAX


def test_only_what_failed_is_sent_again(server: KinesisServer) -> None:
    server.fail_records(1, 3)
    server.fail_records(0)
    sender = producer(server)
    sender.put(numbered(6))
    puts = [asked["Records"] for operation, asked in server.bodies if operation == "PutRecords"]
    assert [len(records) for records in puts] == [6, 2, 1]
    assert sender.again == 3
    assert sorted(stored(server)) == sorted(numbered(6))


def test_an_ordered_key_keeps_its_order_whatever_fails(server: KinesisServer) -> None:
    for _ in range(4):
        server.fail_records(0, 2)
    sender = producer(server, ordered=True)
    sender.put(numbered(40))
    for key in {key for key, _ in numbered(40)}:
        found = [int(data) for name, data in stored(server) if name == key]
        assert found == sorted(found)
        assert found == [n for n in range(40) if f"k{n % 7}" == key]


def test_throttles_and_broken_answers_cost_time_only(server: KinesisServer) -> None:
    server.refuse("PutRecords", "ProvisionedThroughputExceededException", 3)
    server.fail("503", "dies", "garbage")
    sender = producer(server)
    sender.put(numbered(30))
    # An answer that was lost may have been a success: a repeat is known by its time.
    assert set(stored(server)) == set(numbered(30))


def test_a_shard_takes_a_thousand_records_a_second(server: KinesisServer) -> None:
    sender = producer(server)
    sender.put([("one", str(n).encode()) for n in range(2500)])
    assert sorted(stored(server)) == sorted(("one", str(n).encode()) for n in range(2500))
    assert sender.again > 0


def test_what_never_succeeds_is_told(server: KinesisServer) -> None:
    for _ in range(12):
        server.fail_records(0)
    with pytest.raises(TransientError, match=r"1 records were not taken after 12 tries.*Rate exceeded"):
        producer(server).put([("a", b"1")])
    server.denied.add("PutRecords")
    with pytest.raises(PermanentError, match="not authorized"):
        producer(server).put([("a", b"1")])
    with pytest.raises(PermanentError, match="at most"):
        producer(server).put([("a", b"x" * (1 << 20))])
    with pytest.raises(PermanentError, match="1 to 256 characters"):
        producer(server).put([("", b"x")])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rows = [f"2026-01-01T00:{minute:02d}:00Z,{host},{minute + n}" for n, host in enumerate("ab") for minute in range(5)]
    path = tmp_path / "cpu.csv"
    path.write_text("time,host,cpu\n" + "\n".join(rows) + "\n")
    return path


class Kept:
    """A target that notes when what came."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock, self.came = clock, list[tuple[int, str]]()

    def put(self, entries: list[tuple[str, bytes]]) -> None:
        self.came += [(self.clock.now(), key) for key, _ in entries]


def test_records_go_by_entity_in_order_of_time_and_at_their_speed(file: Path) -> None:
    with open_table(file) as table:
        readings = readings_of(table)
    clock = VirtualClock()
    target, began = Kept(clock), clock.now()
    told: list[int] = []
    found = replay(
        entries_of(readings), target, 10, speed=60, clock=clock, progress=lambda done, total: told.append(done)
    )
    assert [key for _, key in target.came] == ['{host="a"}', '{host="b"}'] * 5
    assert [round((at - began) / SECOND) for at, _ in target.came] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert (found.records, found.points, told) == (10, 10, [2, 4, 6, 8, 10])


def test_the_command_sends_a_file_and_the_source_reads_it(server: KinesisServer, file: Path) -> None:
    address = f"kinesis://metrics?endpoint_url={server.url}&region=eu-west-1"
    result = CliRunner().invoke(app, ["replay", str(file), "--to", address], prog_name="watchband")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == "10 records with 10 points in 1 calls\n"
    settings = Kinesis(stream="metrics", endpoint_url=server.url)
    worker = Worker(lambda: settings.open("k", clock=server.clock))
    worker.until(lambda: len(worker.readings) >= 10)
    first = json.loads(stored(server)[0][1])[0]
    assert first == {"series": {"__name__": "cpu", "host": "a"}, "time": "2026-01-01T00:00:00Z", "value": 0.0}
    assert [time for series, time, _ in worker.readings if '"b"' in series] == [
        1_767_225_600 * SECOND + minute * MINUTE for minute in range(5)
    ]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--to", "metrics"], "is no address of a stream"),
        (["--to", "kinesis://metrics?shard=1"], "'shard' is nothing"),
        ([], "Say where to"),
        (["--to", "kinesis://m", "--speed", "fast"], "A speed is written"),
        (["--to", "kinesis://m?endpoint_url=http://127.0.0.1:9", "--as", "xml"], "Records are points or csv"),
    ],
)
def test_what_cannot_be_sent_is_told(file: Path, flags: list[str], said: str) -> None:
    result = CliRunner().invoke(app, ["replay", str(file), *flags], prog_name="watchband")
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_stream_may_be_an_arn() -> None:
    arn = "arn:aws:kinesis:eu-west-1:111122223333:stream/metrics"
    assert read_address(f"kinesis://{arn}")[0] == arn
    with pytest.raises(ConfigError, match="role_arn"):
        read_address("kinesis://m?role_arn=me")
