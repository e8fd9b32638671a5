"""Constraints of adapters and the configuration: what they allow, read, write and say."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchband.core.duration import DAY, MINUTE, SECOND, WEEK
from watchband.core.errors import ConfigError
from watchband.core.kinds import Duration, FilePath, Group, Listen, ListOf, MapOf, SecretText, Size, Url
from watchband.core.params import Constraint, Integer, Maybe, Text, schema, table, written
from watchband.core.secret import Secret


@pytest.mark.parametrize(
    ("constraint", "good", "bad"),
    [
        (Duration(), [1, DAY], [0, -1, 1.5, True, "5m", None]),
        (Duration(0, MINUTE), [0, MINUTE], [MINUTE + 1]),
        (Size(10), [10, 10**15], [9, 10.0, True, "10"]),
        (
            Url(),
            ["http://a", "https://a.b:80/c?d=e", "http://[::1]:9/", "http://user@h"],
            ["a", "ftp://a", "http://", "http://u:p@h", "http://a b", "http://a:99999", "http://[", "http://a:0", 5],
        ),
        (Listen(), ["a:1", "127.0.0.1:0", "[::1]:8470"], ["a", ":80", "a:", "a:65536", "a:-1", "[x]:1", "::1:80", 80]),
        (FilePath(), ["a", "/a/b", "../x"], ["", "a\0b", None, 5]),
        (SecretText(), [Secret("a")], ["a", None]),
        (ListOf(Integer(1), 1), [(1,), (1, 2)], [(), [1], (0,), 1]),
        (MapOf(Integer(1), "[a-z]+"), [{}, {"a": 1}], [{"A": 1}, {"a": 0}, {1: 1}, []]),
    ],
)
def test_what_is_allowed(constraint: Constraint, good: list[Any], bad: list[Any]) -> None:
    assert [value for value in good if not constraint.allows(value)] == []
    assert [value for value in bad if constraint.allows(value)] == []
    assert str(constraint)


@pytest.mark.parametrize(
    ("constraint", "text", "value"),
    [
        (Duration(), "90m", 90 * MINUTE),
        (Duration(0), "0", 0),
        (Size(), "512MB", 512_000_000),
        (Size(), "4 GiB", 4 << 30),
        (Size(), "1.5kB", 1500),
        (Size(), "17", 17),
        (ListOf(Integer(0)), "5", (5,)),
    ],
)
def test_what_words_stand_for(constraint: Constraint, text: str, value: object) -> None:
    assert constraint.read(text) == value


@pytest.mark.parametrize(
    ("constraint", "text"),
    [(Duration(), "5"), (Duration(), "0"), (Size(), "5 apples"), (Size(), "-5"), (Size(), "GB"), (MapOf(Text()), "a")],
)
def test_words_that_stand_for_nothing(constraint: Constraint, text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (ConfigError is one)
        constraint.read(text)


@pytest.mark.parametrize(
    ("constraint", "value", "said"),
    [
        (Duration(), 30 * DAY, "30d"),
        (Duration(), 2 * WEEK, "2w"),
        (Duration(), 90 * MINUTE, "90m"),
        (Duration(0), 0, "0s"),
        (Duration(), SECOND + 1, "1000000001ns"),
        (Size(), 4_000_000_000, "4GB"),
        (Size(), 1 << 30, "1GiB"),
        (Size(), 1001, "1001B"),
        (Maybe(Duration()), None, None),
        (Maybe(Duration()), MINUTE, "1m"),
    ],
)
def test_how_values_are_written(constraint: Constraint, value: object, said: object) -> None:
    assert written(constraint, value) == said


@given(st.integers(1, 10**18))
def test_what_is_written_is_read_as_the_same(value: int) -> None:
    for constraint in (Duration(), Size()):
        assert constraint.read(str(written(constraint, value))) == value


@given(st.text(max_size=12))
def test_no_text_is_too_odd(text: str) -> None:
    for constraint in (Duration(0), Size(), Url(), Listen(), FilePath()):
        constraint.allows(text)
        try:
            value = constraint.read(text)
        except ValueError:
            continue
        if constraint.allows(value) and not isinstance(constraint, Duration):
            jsonschema.validate(text, constraint.schema())


def test_a_schema_takes_what_is_read() -> None:
    for constraint, texts in ((Duration(), ["5m", "1h30m", "PT5M", "P1DT12H", "week", "2 weeks", "1.5h"]),
                              (Size(), ["1B", "1.5 GiB", "17"]), (Listen(), ["a:1", "[::1]:80"])):  # fmt: skip
        for text in texts:
            constraint.read(text)
            jsonschema.validate(text, constraint.schema())


def test_a_group_is_a_class_of_its_own() -> None:
    from watchband.adapters.stores.sqlite.settings import Retention, SqliteSettings

    group = Group(Retention)
    assert group.allows(Retention())
    assert not group.allows({})
    assert group.schema() == schema(Retention)
    assert "`path`" in table(SqliteSettings)
    with pytest.raises(ValueError, match="not written in one word"):
        group.read("30d")


def test_a_password_in_an_address_is_no_address() -> None:
    assert "no password" in str(Url())
    with pytest.raises(ConfigError):
        Duration().read("soon")
