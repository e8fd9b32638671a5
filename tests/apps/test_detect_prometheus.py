"""``watchband detect --prometheus``: a first explained anomaly from a server, without any file."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.adapters.prometheus.api import Api
from tests.apps.test_cli import run
from watchband.apps.library.pulled import open_prometheus
from watchband.core.clock import SystemClock
from watchband.core.duration import DAY, MINUTE, SECOND
from watchband.core.errors import ConfigError
from watchband.testing.clock import VirtualClock

QUICK = ("--detector", "rolling_zscore:window=60", "--cutoff", "8")
NOISE = np.random.default_rng(3).normal(0, 1, 977)


def load(query: str, moment: int) -> list[dict[str, object]]:
    """An hour ago something happened to host b."""
    if query == "nothing":
        return []
    ago = time.time() - moment
    value = 20 + NOISE[moment // 60 % 977]
    metric = {"host": "b"} if query.startswith("sum") else {"__name__": "load", "host": "b"}
    return [{"metric": metric, "value": str(value + 60 * (3000 < ago < 3600))}]


@pytest.fixture
def api() -> Iterator[Api]:
    server = Api(load, SystemClock())
    yield server
    server.close()


def test_an_anomaly_is_found_and_explained(api: Api) -> None:
    found = run("detect", "--prometheus", api.url, "--query", "load", "--since", "1d", *QUICK)
    assert found.exit_code == 0, found.stderr
    assert 'load{host="b"}' in found.stdout
    assert "critical" in found.stdout
    words = " ".join(found.stdout.split())
    assert f"{api.url}: query = load; the last 1d, a reading every 1m" in words
    assert sum(last - first for _, first, last, _ in api.ranges) > 86_400 - 60 * (len(api.ranges) + 1)


def test_queries_have_names_and_many_are_asked(api: Api, tmp_path: Path) -> None:
    words = ("--query", "busy = load", "--query", "total=sum(load)", "--since", "2h", "--interval", "2m")
    found = run("detect", "--prometheus", api.url, *words, "--json", "--out", tmp_path / "out", *QUICK)
    assert found.exit_code == 0, found.stderr
    document = json.loads(found.stdout)
    assert {a["series"] for a in document["alerts"]} <= {'busy{host="b"}', 'total{host="b"}'}
    assert {step for *_, step in api.ranges} == {120}
    assert (tmp_path / "out" / "report.html").exists()


def test_a_token_travels(api: Api, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("of the team\n")
    asked = ("--query", "load", "--since", "2h", "--token-file", tmp_path / "token")
    assert run("detect", "--prometheus", api.url, *asked, *QUICK).exit_code == 0
    assert api.asked[0].headers["authorization"] == "Bearer of the team"


def test_what_goes_wrong_is_one_line(api: Api, tmp_path: Path) -> None:
    def said(*words: object) -> str:
        result = run("detect", *map(str, words))
        assert result.exit_code == 2
        assert result.stderr.count("\n") == 1
        return result.stderr

    assert "There is no query" in said("--prometheus", api.url)
    assert "nothing for 'nothing' in the last 2h" in said(
        "--prometheus", api.url, "--query", "nothing", "--since", "2h"
    )
    assert "one of both" in said(tmp_path / "x.csv", "--prometheus", api.url, "--query", "load")
    assert "Two queries are called 'a'" in said("--prometheus", api.url, "--query", "a=x", "--query", "a=y")
    assert "does not answer" in said("--prometheus", "http://127.0.0.1:1", "--query", "load")
    api.refuse = lambda query, first, last: (400, b'{"errorType":"bad_data","error":"parse error: unexpected end"}')
    assert "parse error: unexpected end" in said("--prometheus", api.url, "--query", "sum(load")


def test_remarks_of_the_server_are_notes() -> None:
    clock = VirtualClock()
    server = Api(lambda query, moment: [{"metric": {}, "value": "1"}], clock)
    try:
        server.more = {"warnings": ["a block is missing"]}
        feed = open_prometheus(server.url, ["load"], since_ns=DAY, step_ns=MINUTE, clock=clock)
        batches = list(feed.batches())
        assert sum(len(b.times) for b in batches) == DAY // MINUTE
        assert [b.ordinal[0] for b in batches] == list(np.cumsum([0, *(len(b.times) for b in batches[:-1])]))
        assert feed.notes[1] == "query: a block is missing"
    finally:
        server.close()


def test_comparisons_are_no_names() -> None:
    for text, name in (
        ("a == 1", "query"),
        ("x=y==1", "x"),
        ('a{b="c"}', "query"),
        ("a:b = up", "a:b"),
        ("a=~b", "query"),
    ):
        feed = open_prometheus("http://prom:9090", [text], since_ns=3600 * SECOND)
        assert feed.notes[0].startswith(f"http://prom:9090: {name} = ")
    with pytest.raises(ConfigError, match="url"):
        open_prometheus("prom:9090", ["up"], since_ns=DAY)
