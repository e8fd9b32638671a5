"""Instances from the tree: what the values may be, where mistakes stand, and that secrets stay secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from watchband.apps.config.build import build
from watchband.apps.config.document import DocumentError, parse_document
from watchband.core import params
from watchband.core.errors import ConfigError
from watchband.core.kinds import Duration, FilePath, Group, ListOf, MapOf, SecretText, Size, Url
from watchband.core.params import REQUIRED, Choice, Flag, Integer, Maybe, Real, Text, param
from watchband.core.secret import Secret


@dataclass(frozen=True)
class Inner:
    n: int = param(1, Integer(0, 9), "A digit.")

    def __post_init__(self) -> None:
        params.check(self)


@dataclass(frozen=True, kw_only=True)
class Thing:
    url: str = param(REQUIRED, Url(), "Where it is.")
    every: int = param(60_000_000_000, Duration(1), "How often.")
    zero: int = param(0, Duration(0), "May be nothing.")
    size: int = param(1, Size(), "How large.")
    word: str = param("a", Choice(("a", "b")), "Which.")
    name: str = param("x", Text(), "Called so.")
    real: float | None = param(None, Maybe(Real(0)), "A number.")
    yes: bool = param(False, Flag(), "Whether.")
    many: tuple[str, ...] = param((), ListOf(Text()), "Several.")
    token: Secret | None = param(None, Maybe(SecretText()), "Secret.")
    headers: Mapping[str, Secret] = param({}, MapOf(SecretText()), "Secrets by name.")
    file: str = param("here.txt", FilePath(), "A file.")
    inner: Inner = param(Inner(), Group(Inner), "More.")
    inners: Mapping[str, Inner] = param({}, MapOf(Group(Inner)), "More by name.")

    def __post_init__(self) -> None:
        params.check(self)
        if self.name == "bad" or self.name == "s3cret":
            raise ConfigError(f"The name {self.name!r} is taken.")


def thing(text: str, **variables: str) -> Thing:
    return build(Thing, parse_document("url: http://h\n" + text, "/etc/w.yaml", variables), "thing 't'")


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("every: 1h30m", "every", 5_400_000_000_000),
        ("every: PT5M", "every", 300_000_000_000),
        ("zero: 0", "zero", 0),
        ("size: 1.5KiB", "size", 1536),
        ("size: 10", "size", 10),
        ("name: 007", "name", "007"),
        ("name: 1.50", "name", "1.50"),
        ("name: true", "name", "true"),
        ("real: 3", "real", 3),
        ("real: ", "real", None),
        ("many: a", "many", ("a",)),
        ("many: [a, 5]", "many", ("a", "5")),
        ("file: sub/x", "file", "/etc/sub/x"),
        ("file: /x", "file", "/x"),
        ("yes: true", "yes", True),
        ("inner: {n: 3}", "inner", Inner(3)),
        ("inners: {a: {n: 2}, b: {}}", "inners", {"a": Inner(2), "b": Inner()}),
    ],
)
def test_values(text: str, key: str, value: Any) -> None:
    assert getattr(thing(text), key) == value


def test_a_path_begins_where_the_file_stands_even_a_default_one() -> None:
    assert thing("").file == "/etc/here.txt"


@pytest.mark.parametrize("text", ["1e5", "0x10", "true", "null", "1_000", "007", "~", "on"])
def test_a_secret_is_its_characters(text: str) -> None:
    assert thing("token: ${T}", T=text).token == Secret(text)
    assert thing(f"headers: {{X-Key: {text}}}").headers["X-Key"].reveal() == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("evry: 1m", r"/etc/w.yaml:2:1: Unknown key of thing 't' 'evry'. Did you mean 'every'\?"),
        ("every: 5", r"/etc/w.yaml:2:8: 'every' of thing 't': A duration is written like 30s"),
        ("every: [1m]", "'every' of thing 't' must be a duration .* Got a list of 1"),
        ("every: -1m", "A duration is written like"),
        ("every: " + "9" * 400 + ".5y", "a text of 403 characters"),
        ("size: 5 apples", "'size' of thing 't' must be a size such as 512MB"),
        ("word: c", "'word' of thing 't' must be one of 'a', 'b'. Got 'c'"),
        ("real: " + "9" * 400, "must be a number >= 0, or none. Got '9999"),
        ("real: .nan", "'real' of thing 't' must be a number"),
        ("yes: 2", "'yes' of thing 't' must be true or false. Got 2"),
        ("url: ftp://x", "'url' .* already given"),
        ("token: ", "'token' of thing 't': it is empty. Leave the key out"),
        ("token: ${EMPTY}", "'token' of thing 't': it is empty. The environment's variable"),
        ("token: a\ntoken_file: b", "exclude each other"),
        ("token_file: [x]", "must be the path of a file"),
        ("name: bad", r":2:7: The name 'bad' is taken"),
        ("inner: {m: 3}", r":2:9: Unknown key of 'inner' of thing 't' 'm'. .*Known: n"),
        ("inner: {n: 30}", r":2:12: 'n' of 'inner' of thing 't' must be an integer from 0 to 9. Got 30"),
        ("inners: {a: {n: x}}", r":2:17: 'n' of 'a' of 'inners' of thing 't' must be"),
        ("inners: [1]", "must be a mapping"),
    ],
)
def test_mistakes_have_their_place(text: str, said: str) -> None:
    with pytest.raises(DocumentError, match=said):
        thing(text, EMPTY="")


def test_what_is_required_is_asked_for() -> None:
    with pytest.raises(DocumentError, match=r"w.yaml:1:1: Thing 't' needs 'url': an address .* Where it is."):
        build(Thing, parse_document("{}", "w.yaml", {}), "thing 't'")


def test_no_message_shows_what_came_from_the_environment() -> None:
    for text in ("name: ${S}", "every: ${S}", "word: ${S}", "real: ${S}", "inner: ${S}", "headers: ${S}"):
        with pytest.raises(DocumentError) as caught:
            thing(text, S="s3cret")
        assert "s3cret" not in str(caught.value)
        assert "environment" in str(caught.value)
