"""What is too much, too slow or too often is refused in the one shape of errors, by a server that really runs."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.apps.server.test_sign_in import LONG, SHUT, bearer, new_key
from tests.apps.server.world import World
from watchband.apps.server import answers, bodies, protocol, stream
from watchband.apps.server.door import QUERY_MAX, SMALL_BODY
from watchband.apps.server.settings import ServerSettings

NOTE = "/api/v1/incidents/none/notes"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World(server=ServerSettings(listen="127.0.0.1:0", max_body=1_000_000)) as world:
        yield world


@contextmanager
def connected(world: World) -> Iterator[socket.socket]:
    host, _, port = world.web.address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=30) as found:
        yield found


def told(found: socket.socket) -> tuple[int, dict[str, Any]]:
    """What is answered until the connection is closed."""
    said = b""
    while part := found.recv(65_536):
        said += part
    head, _, body = said.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head, said
    assert b"connection: close" in head.lower()
    problem = json.loads(body)
    assert problem["status"] == int(head.split()[1])
    return problem["status"], problem


def test_small_answers_are_sent_at_once(world: World) -> None:
    # Held back until the client confirms what came before, each answer of a kept connection would take 40 ms.
    world.client.get("/healthz")
    accepted: Any = [c.transport.get_extra_info("socket") for c in world.web._server.server_state.connections]
    assert [one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for one in accepted] == [1] * len(accepted) != []


def test_a_header_that_does_not_end_is_not_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEADER_S", 0.5)
    with connected(world) as slow:
        slow.sendall(b"GET /api/v1/about HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        for _ in range(3):
            slow.sendall(b"a")
        assert told(slow)[0] == 408
    with connected(world) as slow:
        # The second request of a connection too.
        slow.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert slow.recv(15) == b"HTTP/1.1 200 OK"
        while b"ok\n" not in slow.recv(4096):
            pass
        slow.sendall(b"GET /api")
        assert told(slow)[0] == 408
    with connected(world) as silent:
        assert silent.recv(10) == b""


def test_a_body_that_does_not_come_is_not_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_S", 0.3)
    for path in (NOTE, "/api/v1/points", "/api/v1/session", "/predict"):
        with connected(world) as slow:
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
            slow.sendall(head.encode())
            assert told(slow)[0] == 408, path


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_has_a_limit_and_that_of_points_is_another(world: World, chunked: bool) -> None:
    def posted(path: str, size: int) -> int:
        body = b'{"text": "' + b"x" * size + b'"}'
        given: Any = iter([body[: size // 2], body[size // 2 :]]) if chunked else body
        try:
            answer = world.client.post(path, content=given, headers={"content-type": "application/json"})
        except (httpx.WriteError, httpx.RemoteProtocolError, httpx.ReadError):
            # It was refused while more was on its way.
            return 413
        assert answer.headers["content-type"] == "application/problem+json"
        return answer.status_code

    assert posted(NOTE, SMALL_BODY + 1) == 413
    assert posted(NOTE, 100) == 404
    assert posted("/api/v1/points", SMALL_BODY + 1) == 400
    assert posted("/api/v1/points", 1_000_001) == 413


def test_an_address_and_a_header_have_limits(world: World) -> None:
    answer = world.client.get("/api/v1/series", params={"text": "x" * QUERY_MAX})
    assert (answer.status_code, answer.json()["status"]) == (414, 414)
    with connected(world) as found:
        # More than is read of a header: what is left unread may make a reset of the end.
        found.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * (64 << 10))
        assert told(found)[0] == 400


@pytest.mark.parametrize("said", [b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9\r\n\r\n"])
def test_what_is_no_request_is_told_so(world: World, said: bytes) -> None:
    with connected(world) as found:
        found.sendall(said)
        status, problem = told(found)
        assert (status, problem["detail"][:23]) == (400, "This is no HTTP request")


def test_there_are_so_many_connections() -> None:
    with World(server=ServerSettings(listen="127.0.0.1:0", max_connections=3)) as world:
        with connected(world), connected(world), connected(world), connected(world) as fourth:
            fourth.sendall(b"GET /api/v1/about HTTP/1.1\r\nHost: x\r\n\r\n")
            status, problem = told(fourth)
            assert (status, "max_connections" in problem["detail"]) == (503, True)
        assert world.client.get("/healthz").status_code == 200


def test_requests_of_one_key_are_limited_and_of_nobody_else() -> None:
    with World(server=replace(SHUT, max_requests_per_second=1)) as world:
        _, ann = new_key(world, "ann", "viewer")
        found = [world.client.get("/api/v1/about", headers=bearer(ann)) for _ in range(14)]
        assert [a.status_code for a in found[:10]] == [200] * 10
        assert found[-1].status_code == 429
        assert int(found[-1].headers["retry-after"]) >= 1
        assert "max_requests_per_second" in found[-1].json()["detail"]
        assert world.client.get("/api/v1/about", headers=bearer(LONG)).status_code == 200
        for _ in range(15):
            answer = world.client.post("/api/v1/points", json=[], headers=bearer(LONG))
            assert answer.status_code != 429


def test_one_key_listens_so_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "OF_ONE_MAX", 1)
    with World(server=SHUT) as world:
        _, ann = new_key(world, "ann", "viewer")
        with world.client.stream("GET", "/api/v1/stream", headers=bearer(ann)) as first:
            # Held on to: a generator that is let go of closes the connection.
            texts = first.iter_text()
            assert next(texts).startswith("retry:")
            answer = world.another().get("/api/v1/stream", headers=bearer(ann))
            assert (answer.status_code, "retry-after" in answer.headers) == (429, True)
            with world.another().stream("GET", "/api/v1/stream", headers=bearer(LONG)) as other:
                assert other.status_code == 200


def test_no_answer_takes_for_ever(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    done = threading.Event()
    monkeypatch.setattr(answers, "ANSWER_S", 0.3)
    monkeypatch.setattr("watchband.apps.server.api.summary_of", lambda service: done.wait(30) and {})
    answer = world.client.get("/api/v1/summary")
    done.set()
    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)


def test_no_browser_guesses_and_no_cache_keeps_an_answer(world: World) -> None:
    for path in ("/api/v1/about", "/metrics", "/nowhere", "/api/v1/incidents/none"):
        headers = world.client.get(path).headers
        assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store"), path


def test_an_error_of_the_program_tells_nothing_of_its_inside(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(service: object) -> None:
        raise RuntimeError("the inside")

    monkeypatch.setattr("watchband.apps.server.api.summary_of", broken)
    answer = world.client.get("/api/v1/summary")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "inside" not in answer.text


def test_the_rest_of_a_body_that_was_refused_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEADER_S", 0.5)
    with World(server=SHUT) as world, connected(world) as slow:
        slow.sendall(b"POST /api/v1/keys HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        said = b""
        while part := slow.recv(4096):
            said += part
        assert said.startswith(b"HTTP/1.1 401 ")
