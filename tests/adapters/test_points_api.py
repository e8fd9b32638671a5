"""Points to a service: batches, retries, back-pressure, and hosts that are not spoken to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from watchband.adapters.sinks.points_api import PATH, PointsApi, check_url
from watchband.core.errors import ConfigError, PermanentError, TransientError


class Service(ThreadingHTTPServer):
    """Answers as it is told, one answer a request, then 200; keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, dict(self.headers), body))
        code, headers, said = self.server.answers.pop(0) if self.server.answers else (202, {}, b"")
        self.send_response(code)
        for name, value in {**headers, "Content-Length": str(len(said))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: Any) -> None:
        pass


def running() -> Iterator[Service]:
    """A service that runs until the test is over."""
    server = Service()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def service() -> Iterator[Service]:
    yield from running()


def api(service: Service, **options: Any) -> tuple[PointsApi, list[float]]:
    slept: list[float] = []
    return PointsApi(service.url, sleep=slept.append, **options), slept


def test_a_batch_is_one_post(service: Service) -> None:
    sink, slept = api(service, token="secret")
    sink.send(b'{"value":1}\n', 1)
    ((path, headers, body),) = service.asked
    assert (path, body) == (PATH, b'{"value":1}\n')
    assert headers["Authorization"] == "Bearer secret"
    assert headers["Content-Type"] == "application/x-ndjson"
    assert (sink.sent, sink.retries, slept) == (1, 0, [])


def test_it_waits_as_long_as_the_service_says(service: Service) -> None:
    service.answers = [(429, {"Retry-After": "7"}, b"slow down"), (503, {"Retry-After": "0.5"}, b""), (500, {}, b"")]
    sink, slept = api(service)
    sink.send(b"x\n", 3)
    assert slept == [7.0, 0.5, 1.0]
    assert (sink.sent, sink.retries) == (3, 3)
    keys = {headers["Idempotency-Key"] for _, headers, _ in service.asked}
    assert len(keys) == 1
    service.answers = [
        (429, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, b""),
        (429, {"Retry-After": "soon"}, b""),
        (429, {"Retry-After": "nan"}, b""),
    ]
    sink.send(b"y\n", 1)
    assert slept[3:] == [0.0, 0.5, 0.0]
    assert service.asked[-1][1]["Idempotency-Key"] not in keys


def test_it_gives_up_and_says_why(service: Service) -> None:
    service.answers = [(500, {}, b"disk full")] * 3
    sink, slept = api(service, tries=3)
    with pytest.raises(TransientError, match=r"answered 500: disk full\. Gave up after 3 tries"):
        sink.send(b"x\n", 1)
    assert slept == [0.25, 0.5]


def test_nobody_there() -> None:
    server = Service()
    url = server.url
    server.server_close()
    with pytest.raises(TransientError, match="does not answer"):
        PointsApi(url, tries=2, sleep=lambda _: None).send(b"x\n", 1)


@pytest.mark.parametrize(
    ("code", "said"), [(400, "no such series"), (401, "Is the token right"), (302, "answered 302")]
)
def test_what_another_try_cannot_help(service: Service, code: int, said: str) -> None:
    service.answers = [(code, {"Location": "http://example.org/"}, b"no such series")]
    sink, slept = api(service)
    with pytest.raises(PermanentError, match=said):
        sink.send(b"x\n", 1)
    assert slept == []
    assert len(service.asked) == 1


@pytest.mark.parametrize(
    ("url", "token", "said"),
    [
        ("http://example.org", None, "--allow-host example.org"),
        ("http://127.0.0.1.example.org", None, "not this machine"),
        ("https://user:pass@localhost", None, "must not hold a password"),
        ("ftp://localhost", None, "no address of a service"),
        ("http://", None, "no address"),
        ("http://localhost:port", None, "no URL"),
        ("http://allowed.example", "secret", "in the clear"),
    ],
)
def test_addresses_that_are_not_sent_to(url: str, token: str | None, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        check_url(url, token, ("allowed.example",))


def test_addresses_that_are() -> None:
    assert check_url("http://localhost:8080", None, ()) == "http://localhost:8080/api/v1/points"
    assert check_url("http://[::1]:8080/", "t", ()) == "http://[::1]:8080/api/v1/points"
    assert check_url("https://allowed.example/in?x=1", "t", ("allowed.example",)) == "https://allowed.example/in?x=1"
