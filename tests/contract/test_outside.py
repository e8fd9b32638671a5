"""The failing server fails as it is told, and serves in between."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import closing

import pytest

from watchband.testing.outside import Answer, FaultyServer


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    made = FaultyServer(lambda request: Answer(f"{request.path} {request.query.get('a')}".encode()))
    yield made
    made.close()


def get(server: FaultyServer, timeout: float = 5.0, size: int | None = None) -> tuple[int, str | None, bytes]:
    address = server.url.removeprefix("http://")
    with closing(http.client.HTTPConnection(address, timeout=timeout)) as connection:
        connection.request("GET", "/x?a=1", headers={"Authorization": "Bearer s"})
        with connection.getresponse() as answer:
            return answer.status, answer.headers.get("Retry-After"), answer.read(size)


def test_statuses(server: FaultyServer) -> None:
    server.fail("429", "503")
    assert get(server)[:2] == (429, "7")
    status, _, body = get(server)
    assert (status, b"Bearer s" in body) == (503, True)
    assert get(server) == (200, None, b"/x 1")
    assert (len(server.requests), server.asked[0].headers["authorization"]) == (3, "Bearer s")


def test_answers_that_are_none(server: FaultyServer) -> None:
    server.fail("dies", "slow", "garbage", "huge")
    with pytest.raises(http.client.IncompleteRead):
        get(server)
    with pytest.raises(TimeoutError):
        get(server, timeout=0.1)
    assert get(server)[2].startswith(b"\x00")
    assert len(get(server, size=1 << 20)[2]) == 1 << 20
