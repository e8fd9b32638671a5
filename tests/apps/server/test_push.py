"""Points over HTTP: what is taken, what is refused, and in which words and numbers."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

from tests.adapters.push.requests import V1, V2, compressed, request
from tests.apps.server.world import World
from tests.apps.service.worlds import batch
from watchband.apps.server.allowance import Allowance
from watchband.apps.server.bodies import inflated
from watchband.apps.server.problems import Problem
from watchband.apps.server.settings import ServerSettings, TokenSettings
from watchband.core.secret import Secret
from watchband.testing.streams import START

SECOND = 1_000_000_000
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def world() -> Iterator[World]:
    with World() as found:
        yield found


def point(value: float = 1.5, **more: Any) -> dict[str, Any]:
    return {"series": {"__name__": "cpu", "host": "a"}, "time": START // SECOND, "value": value} | more


def arrow() -> bytes:
    table = pa.table(
        {"__name__": ["cpu"], "host": ["a"], "time": pa.array([START], pa.timestamp("ns", "UTC")), "value": [1.5]}
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue())


def test_an_answer_says_how_many_are_durable(world: World) -> None:
    answer = world.client.post("/api/v1/points", json=[point(), point(2.5, time=START // SECOND + 60)])
    assert (answer.status_code, answer.json()) == (200, {"accepted": 2, "entry": 1, "refused": 0, "refusals": []})
    assert world.kept() == {'cpu{host="a"}': [1.5, 2.5]}


@pytest.mark.parametrize(
    ("media", "body"),
    [
        ("application/json", json.dumps(point()).encode()),
        ("application/json; charset=utf-8", json.dumps({"points": [point()]}).encode()),
        ("application/x-ndjson", json.dumps(point()).encode() + b"\n"),
        ("application/vnd.apache.arrow.stream", arrow()),
        ("text/plain", f"cpu,host=a value=1.5 {START}".encode()),
    ],
)
def test_forms_of_points(world: World, media: str, body: bytes) -> None:
    for encoding, sent in (
        ("identity", body),
        ("gzip", gzip.compress(body)),
        ("zstd", pa.compress(body, "zstd", asbytes=True)),
    ):
        answer = world.client.post(
            "/api/v1/points", content=sent, headers={"Content-Type": media, "Content-Encoding": encoding}
        )
        assert answer.status_code == 200, answer.text
        assert answer.json()["accepted"] == 1
    assert world.kept() == {'cpu{host="a"}': [1.5] * 3}


def test_what_is_refused_is_listed_and_stops_nothing_else(world: World) -> None:
    answer = world.client.post("/api/v1/points", json=[point(), point(time="yesterday"), point("much")])  # type: ignore[arg-type]
    found = answer.json()
    assert (answer.status_code, found["accepted"], found["refused"]) == (200, 1, 2)
    assert [r["where"] for r in found["refusals"]] == ["point 1", "point 2"]
    nothing = world.client.post("/api/v1/points", json=[point(time="yesterday")])
    assert (nothing.status_code, nothing.json()["refused"]) == (400, 1)
    assert world.service.inflow.pushed["push"].health.refused == 3


@pytest.mark.parametrize(
    ("headers", "body", "status", "said"),
    [
        ({"Content-Type": "image/png"}, b"", 415, "Send one of application/json"),
        (JSON | {"Content-Encoding": "br"}, b"", 415, "Send gzip, zstd or none"),
        (JSON | {"Content-Encoding": "gzip"}, b"not gzip", 400, "not gzip"),
        (JSON | {"Content-Encoding": "zstd"}, b"not zstd", 400, "not zstd"),
        (JSON, b"{", 400, "This is not JSON"),
        (JSON, b"x" * 20_000, 413, "Send it in parts"),
    ],
)
def test_bodies_that_cannot_be_read(headers: dict[str, str], body: bytes, status: int, said: str) -> None:
    with World(server=ServerSettings(listen="127.0.0.1:0", max_body=10_000)) as world:
        answer = world.client.post("/api/v1/points", content=body, headers=headers)
        found = answer.json()
        assert (answer.status_code, found["status"]) == (status, status)
        assert said in found["detail"]
        assert answer.headers["content-type"] == "application/problem+json"
        assert set(found) >= {"type", "title", "status", "detail", "instance"}
        assert not world.kept()


def test_a_body_without_a_length_is_limited_too() -> None:
    with World(server=ServerSettings(listen="127.0.0.1:0", max_body=10_000)) as world:
        parts = (b"x" * 1000 for _ in range(100))
        answer = world.client.post("/api/v1/points", content=parts, headers=JSON)
        assert answer.status_code == 413


def test_a_body_that_does_not_come_is_not_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watchband.apps.server.bodies.BODY_S", 0.2)
    host, _, port = world.web.address.rpartition(":")
    with socket.create_connection((host, int(port))) as slow:
        slow.sendall(b"POST /api/v1/points HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n[")
        assert slow.recv(64).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_small_body_must_not_become_a_large_one(encoding: str) -> None:
    bomb = (
        gzip.compress(bytes(5_000_000)) if encoding == "gzip" else pa.compress(bytes(5_000_000), "zstd", asbytes=True)
    )
    with pytest.raises(Problem, match="inflated") as caught:
        inflated(bomb, encoding, most=1_000_000)
    assert caught.value.status == 413
    whole = inflated(bomb, encoding, most=5_000_000)
    assert len(whole) == 5_000_000
    if encoding == "gzip":
        with pytest.raises(Problem, match="not gzip"):
            inflated(bomb[:-10], encoding)


@pytest.mark.parametrize(("version", "media"), [(1, V1), (2, V2)])
def test_remote_write(world: World, version: int, media: str) -> None:
    parts = [({"__name__": "up", "job": "x"}, [(START // 1_000_000, 1.0), (START // 1_000_000 + 1000, 0.0)])]
    body = compressed(request(parts, version))
    headers = {"Content-Type": media, "Content-Encoding": "snappy"}
    answer = world.client.post("/api/v1/write", content=body, headers=headers)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["x-prometheus-remote-write-samples-written"] == "2"
    assert world.kept() == {'up{job="x"}': [1.0, 0.0]}
    assert world.service.inflow.pushed["remote_write"].health.batches == 1


def test_remote_write_tells_prometheus_what_to_drop(world: World) -> None:
    parts = [({"job": "nameless"}, [(0, 1.0)]), ({"__name__": "up"}, [(START // 1_000_000, 1.0)])]
    answer = world.client.post("/api/v1/write", content=compressed(request(parts)), headers={"Content-Type": V1})
    assert answer.status_code == 400
    assert answer.headers["x-prometheus-remote-write-samples-written"] == "1"
    assert "1 refused" in answer.json()["detail"]
    assert world.kept() == {"up": [1.0]}
    for headers in ({"Content-Type": "text/plain"}, {"Content-Type": V1, "Content-Encoding": "gzip"}):
        assert world.client.post("/api/v1/write", content=b"", headers=headers).status_code == 415
    assert world.client.post("/api/v1/write", content=b"junk", headers={"Content-Type": V1}).status_code == 400


def test_clients_of_influxdb_are_answered_as_they_know_it(world: World) -> None:
    for path in ("/write?db=x&precision=s", "/api/v2/write?bucket=x&precision=s"):
        assert world.client.post(path, content=f"mem,host=a used=3i {START // SECOND}").status_code == 204
    answer = world.client.post("/write", content=f"mem used=1 {START}\nnonsense")
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("partial write: 1 points were taken and 1 refused")
    assert world.client.post("/write?precision=h", content="mem used=1").status_code == 400
    assert world.kept() == {'mem_used{host="a"}': [3.0, 3.0], "mem_used": [1.0]}


def test_a_full_inbox_says_when_to_come_again() -> None:
    release, entered = threading.Event(), threading.Event()
    many = {"series": "cpu", "times": [START // SECOND + i for i in range(3000)], "values": [1.0] * 3000}
    with World(max_waiting=1000) as world:
        world.service.engine.call(lambda: (entered.set(), release.wait(30)))
        assert entered.wait(10)
        waiting = world.service.offer("push", batch(0, 10).readings)
        points = world.client.post("/api/v1/points", json=many)
        assert (points.status_code, points.headers.get("retry-after")) == (429, "1"), points.text
        parts = [({"__name__": "up"}, [(START // 1_000_000 + i, 1.0) for i in range(2000)])]
        write = world.client.post("/api/v1/write", content=compressed(request(parts)), headers={"Content-Type": V1})
        assert (write.status_code, write.headers["retry-after"]) == (503, "1")
        release.set()
        assert waiting.result(10)


def test_while_it_starts_and_ends_nothing_is_taken() -> None:
    with World(starts=False) as world:
        answer = world.client.post("/api/v1/points", json=point())
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        world.service.start()
        assert world.client.post("/api/v1/points", json=point()).status_code == 200
        world.service.stop(10)
        answer = world.client.post("/api/v1/points", json=point())
        assert (answer.status_code, "shut down" in answer.json()["detail"]) == (503, True)
        assert world.kept() == {'cpu{host="a"}': [1.5]}


def test_without_a_source_of_its_kind_nothing_is_taken() -> None:
    with World(sources={}) as world:
        answer = world.client.post("/api/v1/points", json=point())
        assert answer.status_code == 404
        assert "sources: {push: {}}" in answer.json()["detail"]


def test_points_a_second_are_limited_on_average() -> None:
    now = [0.0]
    allowance = Allowance(lambda: now[0])
    allowance.spend(1_000_000, 100)
    with pytest.raises(Problem) as caught:
        allowance.spend(1, 100)
    assert (caught.value.status, caught.value.headers["Retry-After"]) == (429, "60")
    now[0] += 9_991
    allowance.spend(1, 100)
    allowance.spend(10**9, None)


TOKENS = {"agent": TokenSettings(Secret("w")), "ops": TokenSettings(Secret("a"), "admin")}


@pytest.mark.parametrize(
    ("listen", "tokens", "headers", "path", "status"),
    [
        ("127.0.0.1:0", {}, {}, "/api/v1/points", 200),
        ("127.0.0.1:0", {}, {"Origin": "http://evil"}, "/api/v1/points", 403),
        ("0.0.0.0:0", {}, {}, "/api/v1/points", 401),
        ("0.0.0.0:0", TOKENS, {}, "/api/v1/points", 401),
        ("127.0.0.1:0", TOKENS, {}, "/api/v1/points", 401),
        ("0.0.0.0:0", TOKENS, {"Authorization": "Bearer no"}, "/api/v1/points", 401),
        ("0.0.0.0:0", TOKENS, {"Authorization": "Basic w"}, "/api/v1/points", 401),
        ("0.0.0.0:0", TOKENS, {"Authorization": "Bearer w"}, "/api/v1/points", 200),
        ("0.0.0.0:0", TOKENS, {"Authorization": "bearer a"}, "/api/v1/points", 200),
        ("0.0.0.0:0", TOKENS, {"Authorization": "Token w"}, "/api/v1/points", 200),
        ("0.0.0.0:0", TOKENS, {"Authorization": "Bearer w"}, "/-/reload", 403),
        ("0.0.0.0:0", TOKENS, {"Authorization": "Bearer a"}, "/-/reload", 400),
    ],
)
def test_who_may_change_what(listen: str, tokens: Any, headers: dict[str, str], path: str, status: int) -> None:
    with World(server=ServerSettings(listen=listen, tokens=tokens)) as world:
        answer = world.client.post(path, json=point(), headers=headers)
        assert answer.status_code == status, answer.text
        assert status != 401 or answer.headers["www-authenticate"].startswith("Bearer")
        assert bool(world.kept()) == (status == 200)
