"""Leases: races, death, an equal share, and workers that read one stream; tables in memory and in DynamoDB."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest

from tests.servers.moto import Moto
from watchband.adapters.aws.access import AwsAccess, AwsSession
from watchband.adapters.sources.kinesis.lease_table import DynamoLeases
from watchband.adapters.sources.kinesis.leases import Lease, Leases, LeaseTable
from watchband.adapters.sources.kinesis.shards import BEGIN, END, Shard
from watchband.core.duration import SECOND
from watchband.core.errors import PermanentError, TransientError
from watchband.testing.clock import VirtualClock

LEASE = 30 * SECOND
SHARDS = {f"s{n}": Shard(f"s{n}") for n in range(6)}


class MemoryTable:
    """A table that may fail before or behind any write."""

    def __init__(self) -> None:
        self.leases: dict[str, Lease] = {}
        self.writes = 0
        self.fails: Callable[[int], str] = lambda write: ""

    def all(self) -> Sequence[Lease]:
        return list(self.leases.values())

    def get(self, shard: str) -> Lease | None:
        return self.leases.get(shard)

    def create(self, lease: Lease) -> bool:
        return self._write(lease.shard not in self.leases, lease.shard, lease)

    def change(self, seen: Lease, to: Lease) -> bool:
        found = self.leases.get(seen.shard)
        return self._write(found is not None and found.counter == seen.counter, to.shard, to)

    def remove(self, seen: Lease) -> bool:
        found = self.leases.get(seen.shard)
        return self._write(found is not None and found.counter == seen.counter, seen.shard, None)

    def _write(self, wins: bool, shard: str, to: Lease | None) -> bool:
        self.writes += 1
        fault = self.fails(self.writes)
        if fault == "before":
            raise TransientError("no answer")
        if wins and to is not None:
            self.leases[shard] = to
        elif wins:
            del self.leases[shard]
        if fault == "behind":
            raise TransientError("no answer")
        return wins


@pytest.fixture(scope="module")
def moto() -> Iterator[Moto]:
    with Moto() as there:
        yield there


@pytest.fixture(params=["memory", "dynamodb"])
def table(request: pytest.FixtureRequest) -> LeaseTable:
    if request.param == "memory":
        return MemoryTable()
    return dynamo(request.getfixturevalue("moto"), f"leases-{random.Random(request.node.name).randrange(10**9)}")


def dynamo(moto: Moto, name: str, create: bool = True) -> DynamoLeases:
    session = AwsSession(AwsAccess(endpoint_url=moto.url, region="eu-west-1"), "A test")
    return DynamoLeases(lambda: session, name, "stream/source", create, VirtualClock())


def test_of_two_writers_one_wins(table: LeaseTable) -> None:
    lease = Lease("s0", checkpoint=BEGIN)
    assert table.create(lease)
    assert not table.create(replace(lease, owner="late"))
    mine, other = replace(lease, owner="a", counter=1), replace(lease, owner="b", counter=1)
    assert table.change(lease, mine)
    assert not table.change(lease, other)
    assert table.get("s0") == mine
    assert list(table.all()) == [mine]
    assert not table.remove(lease)
    assert table.remove(mine)
    assert table.get("s0") is None


def test_a_table_that_is_not_there_is_told_where_it_may_not_be_made(moto: Moto) -> None:
    with pytest.raises(PermanentError, match="create_leases: true"):
        dynamo(moto, "nowhere", create=False).all()


def test_two_workers_share_and_one_takes_over_from_the_dead(table: LeaseTable) -> None:
    clock = VirtualClock()
    a, b = (Leases(table, name, LEASE, clock) for name in "ab")
    assert len(a.tend(SHARDS, {}, BEGIN)) == 6
    for _ in range(8):
        clock.sleep(10)
        mine, others = a.tend(SHARDS, {}, BEGIN), b.tend(SHARDS, {}, BEGIN)
        assert not mine.keys() & others.keys(), "two on one shard"
    assert len(mine) == len(others) == 3
    assert a.lost == b.lost == 0
    first = min(mine)
    a.durable(first, "17")
    a.renew()
    # It dies: for the time of a lease its shards are its own, then the other has them, with the checkpoint.
    clock.sleep(15)
    assert not b.tend(SHARDS, {}, BEGIN).keys() & mine.keys()
    clock.sleep(31)
    taken = b.tend(SHARDS, {}, BEGIN)
    assert len(taken) == 6
    assert taken[first] == "17"
    assert not any(a.holds(shard) for shard in SHARDS)
    # And it comes back to life: it has nothing, and gets its share again.
    assert a.tend(SHARDS, {}, BEGIN).keys().isdisjoint(taken)


def test_a_stop_gives_everything_back_at_once(table: LeaseTable) -> None:
    clock = VirtualClock()
    a, b = (Leases(table, name, LEASE, clock) for name in "ab")
    a.tend(SHARDS, {}, BEGIN)
    a.durable("s3", "5")
    a.release()
    found = b.tend(SHARDS, {}, BEGIN)
    assert len(found) == 6
    assert found["s3"] == "5"


def test_children_wait_for_the_ends_of_their_parents(table: LeaseTable) -> None:
    clock = VirtualClock()
    shards = {s.id: s for s in (Shard("p1"), Shard("p2"), Shard("c", ("p1", "p2")))}
    a = Leases(table, "a", LEASE, clock)
    assert a.tend(shards, {}, "AT:5") == {"p1": "AT:5", "p2": "AT:5"}
    a.durable("p1", END)
    assert a.tend(shards, {}, "AT:5") == {"p2": "AT:5"}
    a.durable("p2", END)
    # A child of what was read begins with its first record.
    assert a.tend(shards, {}, "AT:5") == {"c": BEGIN}
    a.tend({"c": shards["c"]}, {}, "AT:5")
    assert [lease.shard for lease in table.all()] == ["c"]


@pytest.mark.parametrize("fault", ["before", "behind"])
def test_a_write_that_fails_at_any_place_leaves_one_owner(fault: str) -> None:
    """Killed between any two writes, or after one whose answer was lost: another worker has every shard in the end."""
    for at in range(1, 40):
        table, clock = MemoryTable(), VirtualClock()
        table.fails = lambda write, at=at: fault if write == at else ""  # type: ignore[misc]
        a, b = (Leases(table, name, LEASE, clock) for name in "ab")
        died = False
        for _ in range(4):
            try:
                mine = {} if died else a.tend(SHARDS, {}, BEGIN)
                a.durable("s1", "9")
            except TransientError:
                died = True
            try:
                others = b.tend(SHARDS, {}, BEGIN)
            except TransientError:
                others = {}
            if not died:
                both = [shard for shard in mine.keys() & others.keys() if a.holds(shard) and b.holds(shard)]
                assert not both, f"write {at}: two on {both}"
            clock.sleep(10)
        clock.sleep(60)
        b.tend(SHARDS, {}, BEGIN)
        clock.sleep(60)
        assert len(b.tend(SHARDS, {}, BEGIN)) == 6, f"write {at}"
