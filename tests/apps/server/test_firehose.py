"""Deliveries of Firehose: durable before they are answered, answered in its words, let in by its key."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.apps.server.world import World
from watchband.adapters.sources.push.metric_stream import MetricStreamSettings
from watchband.adapters.sources.push.settings import PushSettings
from watchband.apps.server.settings import ServerSettings, TokenSettings
from watchband.core.secret import Secret
from watchband.testing.streams import START

PATH = "/api/v1/firehose"
SOURCES = {"aws": MetricStreamSettings(statistics=("Sum", "Maximum"), lateness=0, history=None)}
SERIES = 'Load{{Host="a",namespace="Test",region="eu-west-1",stat="{}"}}'.format


@pytest.fixture
def world() -> Iterator[World]:
    with World(sources=SOURCES) as found:
        yield found


def line(minute: int = 0) -> bytes:
    return json.dumps(
        {
            "account_id": "111122223333",
            "region": "eu-west-1",
            "namespace": "Test",
            "metric_name": "Load",
            "dimensions": {"Host": "a"},
            "timestamp": START // 10**6 + 60_000 * minute,
            "value": {"count": 2.0, "sum": 5.0 + minute, "min": 1.0, "max": 4.0},
        }
    ).encode()


def delivery(*records: bytes, name: str = "r-1") -> bytes:
    data = [{"data": base64.b64encode(record).decode()} for record in records]
    return json.dumps({"requestId": name, "timestamp": 1, "records": data}).encode()


def send(world: World, body: bytes, **headers: str) -> Any:
    given = {"Content-Type": "application/json", "X-Amz-Firehose-Request-Id": "r-1", **headers}
    return world.client.post(PATH, content=body, headers=given)


@pytest.mark.parametrize("zipped", [False, True])
def test_a_delivery_is_durable_when_it_is_answered(world: World, zipped: bool) -> None:
    body = delivery(line(0) + b"\n" + line(1), line(2))
    encoding = {"Content-Encoding": "gzip"} if zipped else {}
    answer = send(world, gzip.compress(body) if zipped else body, **encoding)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"requestId": "r-1", "timestamp": world.clock.now() // 10**6}
    assert world.kept() == {SERIES("Sum"): [5.0, 6.0, 7.0], SERIES("Maximum"): [4.0, 4.0, 4.0]}


def test_a_repeat_is_answered_alike(world: World) -> None:
    first, second = (send(world, delivery(line())) for _ in range(2))
    assert first.json()["requestId"] == second.json()["requestId"] == "r-1"


def test_what_is_bad_stops_nothing_and_is_counted(world: World) -> None:
    answer = send(world, delivery(b"{broken", line()))
    assert answer.status_code == 200
    assert world.service.inflow.pushed["aws"].health.refused == 1
    assert send(world, delivery()).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        (delivery(b"{broken"), 400, "No record could be read; the first, record 0, line 0"),
        (b"no", 400, "This body is no JSON"),
        (delivery(line(), name="other"), 400, "The request id of the header is not the one in the body."),
    ],
)
def test_a_refusal_has_firehoses_words(world: World, body: bytes, status: int, why: str) -> None:
    answer = send(world, body)
    assert answer.status_code == status
    said = answer.json()
    assert said["requestId"] == "r-1"
    assert isinstance(said["timestamp"], int)
    assert why in said["errorMessage"]
    assert world.kept() == {}


def test_without_such_a_source_nothing_is_taken() -> None:
    with World(sources={"push": PushSettings()}) as world:
        answer = send(world, delivery(line()))
        assert answer.status_code == 404
        assert "No source of kind 'metric_stream' is configured" in answer.json()["errorMessage"]


def test_the_access_key_is_a_token_that_may_send() -> None:
    tokens = {
        "firehose": TokenSettings(Secret("a-long-key-for-firehose")),
        "eye": TokenSettings(Secret("looks"), "viewer"),
    }
    with World(sources=SOURCES, server=ServerSettings(listen="127.0.0.1:0", tokens=tokens)) as world:
        key = "X-Amz-Firehose-Access-Key"
        assert send(world, delivery(line())).status_code == 401
        assert send(world, delivery(line()), **{key: "wrong"}).status_code == 401
        assert send(world, delivery(line()), **{key: "looks"}).status_code == 403
        assert send(world, delivery(line()), **{key: "a-long-key-for-firehose"}).status_code == 200
        # Elsewhere the header lets nobody in.
        points = world.client.post("/api/v1/points", json=[], headers={key: "a-long-key-for-firehose"})
        assert points.status_code == 401
