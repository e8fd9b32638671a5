"""The Kinesis source keeps what every source promises, against the strict stand-in."""

from __future__ import annotations

import json

import pytest

from tests.adapters.kinesis.conftest import SECRET
from watchband.adapters.sources.kinesis.settings import Kinesis
from watchband.core.duration import MINUTE, SECOND
from watchband.testing.contracts.source import CHECKS
from watchband.testing.contracts.source_rig import PERMANENT, TRANSIENT, Rig
from watchband.testing.kinesis.server import KinesisServer

PAST, NEWS = 2, 2
HOSTS = ("a", "b")


class KinesisRig(Rig):
    """Two hosts on two shards, minute by minute: readings of the past, then as time goes on."""

    faults, secret, bad = (*TRANSIENT, *PERMANENT), SECRET, 2
    at_a_time = 4

    def __init__(self) -> None:
        super().__init__()
        self.server = KinesisServer(self.clock)
        self.stream = self.server.stream("metrics", 2)
        self.requests = self.server.requests
        for _ in range(PAST):
            self.put()
        self.clock.sleep(1)
        self.history_until = self.clock.now() // MINUTE * MINUTE + MINUTE
        self.settings = Kinesis(
            stream="metrics",
            endpoint_url=self.server.url,
            limit=2,
            timeout=SECOND,
            every=10 * SECOND,
            concurrency=self.at_a_time,
        )
        self.later = 0
        for _ in range(NEWS):
            self.later += 1
            self.expected += self.readings(self.due)
            self.clock.at(self.due, self.write)
        self.stream.put("a", b"\xff\xfe nothing")
        self.stream.put("b", b'{"series": "cpu", "time": "yesterday", "value": 1}')

    @property
    def due(self) -> int:
        return self.history_until + self.later * MINUTE

    def readings(self, time: int) -> list[tuple[str, int, float]]:
        return [(f'cpu{{host="{host}"}}', time, time / SECOND % 977 + len(host)) for host in HOSTS]

    def write(self) -> None:
        now = self.clock.now() // MINUTE * MINUTE
        for host, (series, time, value) in zip(HOSTS, self.readings(now), strict=True):
            self.stream.put(host, json.dumps({"series": series, "time": time, "value": value}).encode())

    def put(self) -> None:
        self.clock.sleep((MINUTE - self.clock.now() % MINUTE) / SECOND)
        self.expected += self.readings(self.clock.now())
        self.write()

    def more(self) -> None:
        self.put()

    def fail(self, fault: str) -> None:
        self.server.fail(fault)

    def close(self) -> None:
        self.server.close()


class OneByOneRig(KinesisRig):
    """Shards are asked in turn: a call that is under way as the process ends would take the next fault with it."""

    at_a_time = 1


@pytest.mark.parametrize("check", CHECKS)
def test_the_source_keeps_the_contract(check: str) -> None:
    CHECKS[check](OneByOneRig if check == "faults" else KinesisRig)
