"""Paths into documents, and readings by them."""

from __future__ import annotations

from typing import Any

import pytest

from watchband.adapters.sources.sse.source import SseSettings
from watchband.adapters.sources.web.paths import Match, Path
from watchband.core.errors import ConfigError, DataError
from watchband.core.secret import Secret

DOCUMENT = {
    "results": [
        {"code": "a", "values": [{"date": 1, "value": 2}, {"date": 3, "value": 4}]},
        {"code": "b", "values": [{"date": 5, "value": 6}]},
    ],
    "odd name.": {"x": [10, 20]},
    "empty": {},
}


def values(path: str) -> list[Any]:
    return [match.value for match in Path(path).matches(Match(DOCUMENT))]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("results[*].values[*].value", [2, 4, 6]),
        ("results[-1].values[0].date", [5]),
        ("$.results[0]['code']", ["a"]),
        ("['odd name.'].x[*]", [10, 20]),
        ('["odd name."].*[-1]', [20]),
        ("results.*.#", [0, 1]),
        ("results[*].values[*].^.^.code", ["a", "a", "b"]),
        ("results[1].values[0].$.results[0].code", None),
        ("results[9]", []),
        ("results.code", []),
        ("empty.*", []),
        ("nothing.at.all", []),
        ("^", []),
    ],
)
def test_paths(path: str, found: list[Any] | None) -> None:
    if found is None:
        with pytest.raises(ConfigError, match="cannot be read from character"):
            Path(path)
    else:
        assert values(path) == found


def test_from_a_reading_to_its_surroundings() -> None:
    (_, _, third) = Path("results[*].values[*]").matches(Match(DOCUMENT))
    assert [Path(p).one(third) for p in ("value", "^.^.code", "^.^.#", "#", "$.results[0].code")] == [6, "b", 1, 0, "a"]
    with pytest.raises(DataError, match=r"nothing at 'x\.y'"):
        Path("x.y").one(third)


@pytest.mark.parametrize("path", ["a b", "a[", "a[x]", "a..b", "a.#.b", "[*", "x" * 600])
def test_no_path(path: str) -> None:
    with pytest.raises(ConfigError):
        Path(path)


def settings(**changes: Any) -> SseSettings:
    return SseSettings(**{"url": "http://localhost/x", "readings": {"t": "r[*]"}, **changes})


def mapped(text: str, **changes: Any) -> tuple[dict[str, list[tuple[int, float]]], int]:
    mapper = settings(**changes).mapper("s")
    found: dict[str, list[tuple[int, float]]] = {}
    for key, time, value in mapper.text(text, 7).points:
        found.setdefault(str(key), []).append((time, value))
    return found, mapper.refused


def test_readings_in_every_form() -> None:
    text = """{"r": [{"value": 1, "time": "1970-01-01T00:00:01Z"}, {"value": "2.5", "time": 1700000000},
                     {"value": true, "time": "1700000000"}, {"value": null, "time": 1700000000000}]}"""
    found, refused = mapped(text)
    assert (repr(found["t"]), refused) == (
        f"[(1000000000, 1.0), ({17 * 10**17}, 2.5), ({17 * 10**17}, 1.0), ({17 * 10**17}, nan)]", 0,
    )  # fmt: skip


def test_bad_readings_stop_no_other(caplog: pytest.LogCaptureFixture) -> None:
    text = """{"r": [{"value": "n/a", "time": 1700000000}, {"time": 1700000000}, {"value": 1}, 5, [1],
                     {"value": [], "time": 1},
                     {"value": 1, "time": "yesterday"}, {"value": 1e400, "time": 1700000000}]}"""
    found, refused = mapped(text)
    assert (found, refused) == ({"t": [(17 * 10**17, float("inf"))]}, 7)
    assert (
        mapped(
            "{",
        )[1]
        == mapped("[" * 100_000)[1]
        == 1
    )
    assert "Got 'n/a'" in caplog.text


def test_a_document_of_too_many_readings_is_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watchband.adapters.sources.web.mapping.READINGS_MAX", 2)
    assert mapped("[1, 2, 3]", readings={"t": "[*]"}, time=None) == ({}, 1)


def test_bare_numbers_at_the_time_they_came() -> None:
    assert mapped("27.5", readings={"t": "$"}, time=None) == ({"t": [(7, 27.5)]}, 0)
    found, _ = mapped('{"a": 1, "b": 2}', readings={"t": "*"}, time=None, labels_from={"sensor": "#"})
    assert found == {'t{sensor="a"}': [(7, 1.0)], 't{sensor="b"}': [(7, 2.0)]}


def test_the_name_of_the_metric_may_stand_in_the_document() -> None:
    found, _ = mapped(
        '{"r": [{"value": 1, "kind": "hum"}]}', time=None, labels_from={"__name__": "kind"}, labels={"x": "y"}
    )
    assert found == {'hum{x="y"}': [(7, 1.0)]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"readings": {}}, "at least one metric"),
        ({"readings": {"t": "a..b"}}, "cannot be read from character"),
        ({"value": "a[*]"}, "leads to one place"),
        ({"token": Secret("a"), "authorization": Secret("b")}, "exclude each other"),
        ({"username": "me"}, "go together"),
        ({"labels": {"__name__": "x"}}, "cannot hold __name__"),
        ({"labels": {"a b": "x"}}, "'labels' parameter"),
        ({"url": "ftp://host/"}, "'url' parameter"),
    ],
)
def test_settings_that_make_no_sense(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        settings(**changes)


def test_credentials() -> None:
    assert settings(username="me", password=Secret("pw")).sent() == {"Authorization": "Basic bWU6cHc="}
    assert settings(token=Secret("t"), headers={"X": "1"}).sent() == {"X": "1", "Authorization": "Bearer t"}
    assert settings(authorization=Secret("k"), authorization_header="X-Key").sent() == {"X-Key": "k"}


def test_parameters_of_the_query() -> None:
    asked = settings(params={"a": "1", "from": "{since}", "ms": "{since_ms}", "s": "{since_s}-"})
    assert asked.asked(1_500_000_000) == {"a": "1", "from": "1970-01-01T00:00:01.5Z", "ms": "1500", "s": "1-"}
    assert asked.asked(None) == {"a": "1"}
