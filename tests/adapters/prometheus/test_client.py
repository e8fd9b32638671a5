"""How a question travels: its form, proofs of who asks, and servers that only let a part of it through."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from tests.adapters.prometheus.api import Api
from watchband.adapters.sources.prometheus.client import Client
from watchband.adapters.sources.prometheus.failure import BusyError, DeniedError, TooSlowError
from watchband.adapters.sources.prometheus.settings import Prometheus
from watchband.core.clock import SystemClock
from watchband.core.duration import MINUTE, SECOND
from watchband.core.errors import ConfigError, PermanentError, TransientError
from watchband.core.secret import Secret
from watchband.testing.outside import Answer

FIRST = 1_769_904_000 * SECOND


@pytest.fixture
def api() -> Iterator[Api]:
    server = Api(lambda query, time: [{"metric": {}, "value": str(time)}], SystemClock())
    yield server
    server.close()


def ask(url: str, **settings: object) -> list[float]:
    client = Client(Prometheus(url=url, queries={"cpu": "x"}, **settings))  # type: ignore[arg-type]
    try:
        answer = client.ask("cpu", 'sum(x{a="ü"})', FIRST, FIRST + 2 * MINUTE, MINUTE)
    finally:
        client.close()
    return [v for r in answer.readings for v in r.values.tolist()]


def test_the_form_of_a_question(api: Api) -> None:
    assert ask(api.url, params={"dedup": "true"}, timeout=9 * SECOND) == [1_769_904_000 + 60 * k for k in range(3)]
    assert api.asked[0].method == "POST"
    assert api.asked[0].path == "/api/v1/query_range"
    assert api.forms[0] == {
        "query": 'sum(x{a="ü"})',
        "start": "1769904000",
        "end": "1769904120",
        "step": "60",
        "timeout": "9s",
        "partial_response": "false",
        "deny_partial_response": "1",
        "dedup": "true",
    }


@pytest.mark.parametrize("end", ["", "/", "/api/v1", "/api/v1/"])
def test_a_path_prefix_is_kept(api: Api, end: str) -> None:
    ask(f"{api.url}/team/prometheus{end}")
    assert api.asked[0].path == "/team/prometheus/api/v1/query_range"


def test_who_asks(api: Api) -> None:
    ask(api.url, username="me", password=Secret("a password"))
    ask(api.url, bearer_token=Secret("a token"))
    ask(api.url, headers={"X-Scope-OrgID": Secret("team-a"), "Authorization": Secret("Custom x")})
    sent = [request.headers for request in api.asked]
    assert sent[0]["authorization"] == "Basic " + base64.b64encode(b"me:a password").decode()
    assert sent[1]["authorization"] == "Bearer a token"
    assert (sent[2]["x-scope-orgid"], sent[2]["authorization"]) == ("team-a", "Custom x")


def test_a_rotated_token_is_read_anew(api: Api, tmp_path: object) -> None:
    path = tmp_path / "token"  # type: ignore[operator]
    path.write_text("first\n")
    client = Client(Prometheus(url=api.url, queries={"cpu": "x"}, bearer_token=Secret(file=str(path))))
    client.ask("cpu", "x", FIRST, FIRST, MINUTE)
    path.write_text("second\n")
    client.ask("cpu", "x", FIRST, FIRST, MINUTE)
    client.close()
    assert [r.headers["authorization"] for r in api.asked] == ["Bearer first", "Bearer second"]


def test_where_only_get_is_let_through(api: Api) -> None:
    answer = api.answer
    api.answer = lambda request: answer(request) if request.method == "GET" else Answer(b"no POST here", 405)
    assert len(ask(api.url)) == 3
    assert [r.method for r in api.asked] == ["POST", "GET"]
    assert api.asked[1].query["query"] == 'sum(x{a="ü"})'


def test_an_answer_that_misses_a_part_is_no_answer(api: Api) -> None:
    api.more = {"isPartial": True}
    with pytest.raises(TransientError, match="set partial_answers: true"):
        ask(api.url)
    assert len(ask(api.url, partial_answers=True)) == 3
    assert "partial_response" not in api.forms[1]


def test_a_server_that_is_not_there_is_left_alone() -> None:
    with pytest.raises(BusyError, match="does not answer"):
        ask("http://127.0.0.1:1")
    with pytest.raises(PermanentError, match="allow_private: true"):
        ask("http://127.0.0.1:1", allow_private=False)


def test_a_server_that_takes_too_long_is_asked_for_less(api: Api) -> None:
    api.fail("slow")
    with pytest.raises(TooSlowError, match="'timeout' is 1 s"):
        ask(api.url, timeout=SECOND)


def test_another_program_at_the_address(api: Api) -> None:
    api.answer = lambda request: Answer(b"<h1>404 page not found</h1>", 404)
    with pytest.raises(DeniedError, match=r"no query API at this address .*404 page not found"):
        ask(api.url)
    api.answer = lambda request: Answer(b"", 302, {"Location": "https://login.example/"})
    with pytest.raises(PermanentError, match=r"redirects to https://login\.example"):
        ask(api.url)


GOOD = {"url": "http://prom:9090", "queries": {"cpu": "up"}}
WRONG = {
    "'queries' names no query": {"queries": {}},
    "'step' is 5m, longer than 'every', 1m": {"step": 5 * MINUTE},
    "belong together": {"username": "me"},
    "exclude each other": {"username": "me", "password": Secret("x"), "bearer_token": Secret("y")},
    "'queries' parameter of Prometheus must be": {"queries": {"a-b": "up"}},
    "'url' parameter of Prometheus must be": {"url": "http://me:secret@prom:9090"},
    "'headers' parameter of Prometheus must be": {"headers": {"a b": Secret("x")}},
}


@pytest.mark.parametrize("words", WRONG)
def test_settings_that_cannot_be_say_so(words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Prometheus(**{**GOOD, **WRONG[words]})  # type: ignore[arg-type]


def test_settings_print_no_secret() -> None:
    text = repr(Prometheus(**GOOD, headers={"X-Token": Secret("hunter2")}, bearer_token=Secret("hunter3")))  # type: ignore[arg-type]
    assert "hunter" not in text
