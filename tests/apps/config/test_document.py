"""YAML with places: what is read, how the environment fills it, and that no text whatsoever makes it stumble."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchband.apps.config.document import BYTES_MAX, DocumentError, Node, parse_document, read_document
from watchband.core.errors import ConfigError

VARIABLES = {"HOST": "db-1", "EMPTY": "", "PORT": "9090", "PASSWORD": "1e5"}


def parse(text: str) -> object:
    return parse_document(text, "w.yaml", VARIABLES).plain()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("# nothing", {}),
        ("a: 5", {"a": 5}),
        ("[1, 2.5, 1_000, 1.5e3, -.5, 1e5]", [1, 2.5, 1000, 1500.0, -0.5, 100_000.0]),
        ("[yes, no, on, 12:30, 0x1F, 017, 'true', 2026-01-01]", ["yes", "no", "on", "12:30", "0x1F", "017", "true",
         "2026-01-01"]),
        ("[~, null, true, False]", [None, None, True, False]),
        ("a: !!str 5", {"a": "5"}),
        ("a: " + "9" * 5000, {"a": "9" * 5000}),
        ("a: .inf", {"a": ".inf"}),
        ("a: ${HOST}", {"a": "db-1"}),
        ("a: ${PORT}", {"a": 9090}),
        ("a: '${PORT}'", {"a": "9090"}),
        ("a: http://${HOST}:${PORT}/x", {"a": "http://db-1:9090/x"}),
        ("a: ${NO:-${}", {"a": "${"}),
        ("a: ${EMPTY:-b c}", {"a": "b c"}),
        ("a: ${EMPTY}", {"a": None}),
        ("a: '$1 ${1} $$ $${HOST} $'", {"a": "$1 ${1} $ ${HOST} $"}),
        ("x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}", {"x": {"a": 1, "b": 2}, "y": {"a": 1, "b": 3}}),
        ("y: {<<: [{a: 1}, {a: 2, b: 2}], c: 3}", {"y": {"a": 1, "b": 2, "c": 3}}),
        ("\ufeffa: 1".encode().decode("utf-8-sig"), {"a": 1}),
    ],
)  # fmt: skip
def test_what_is_read(text: str, expected: object) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2", r"w.yaml:2:1: 'a' is already given at w.yaml:1:1"),
        ("a:\n\t- b", r"w.yaml:2:1: This is not YAML: .* Indent with spaces"),
        ("a: ${NO}", r"w.yaml:1:4: The environment has no variable NO. Set it, or write \$\{NO:-DEFAULT\}"),
        ("a: !python/object:os.system x", "w.yaml:1:4: The tag '!python/object:os.system' means nothing here"),
        ("a: !!python/name:os.system {}", "w.yaml:1:4: The tag .* means nothing here"),
        ("{a: ${HOST}}", r"w.yaml:1:.*This is not YAML: .* write '\$\{NAME\}' in quotes"),
        ("? [a]\n: b", "w.yaml:1:3: A key is a word"),
        ("a: {<<: 5}", "'<<' takes a mapping"),
        ("a: *b", "w.yaml:1:4: This is not YAML: found undefined alias"),
        ("--- a\n--- b", "w.yaml:2:1: This is not YAML: .* another document"),
        ("ok: 1\na: \x07", "w.yaml:2:4: This is not YAML: special characters"),
        ('a: "\\U00110000"', "w.yaml:1:1: This is not YAML"),
        ("&a [*a]", "or 40 levels"),
        ("[" * 100_000, "40 levels"),
        ("a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
            f"{new}: &{new} [{','.join([f'*{old}'] * 10)}]\n" for old, new in zip("abcdef", "bcdefg", strict=True)
        ), "more than 200,000 parts"),
    ],
)  # fmt: skip
def test_what_is_refused_says_where(text: str, said: str) -> None:
    with pytest.raises(DocumentError, match=said):
        parse(text)


PIECES = st.sampled_from(
    ["a", "b: ", "- ", "\n", "  ", "{", "}", "[", "]", ",", ": ", "'", '"', "\\", "&a ", "*a", "<<: ", "!x ", "!!str ",
     "${HOST}", "${NO}", "${NO:-x}", "$", "|", ">", "#", "---\n", "...", "? ", "%YAML 1.2\n", "\t", "9" * 30, "1e9",
     "~", "é", "\u2028", "\x85", "\ufeff", "\ud800", "\x00"]
)  # fmt: skip


@settings(max_examples=400)
@given(st.one_of(st.lists(PIECES, max_size=12).map("".join), st.text(max_size=30)))
def test_no_text_is_too_odd(text: str) -> None:
    try:
        found: object = parse_document(text, "w.yaml", VARIABLES)
    except DocumentError as error:
        found = error
    assert isinstance(found, Node) or re.match(r"w.yaml:\d+:\d+: [^\n]+$", str(found))


def test_a_directory_is_one_configuration(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("watches: {two: {match: b}}\nengine: {threads: 1}")
    (tmp_path / "a.yml").write_text("watches: {one: {match: a}}")
    (tmp_path / ".hidden.yaml").write_text("watches: 5")
    (tmp_path / "empty.yaml").write_text("# nothing")
    found = read_document(tmp_path)
    assert found.plain() == {"watches": {"one": {"match": "a"}, "two": {"match": "b"}}, "engine": {"threads": 1}}
    (tmp_path / "c.yaml").write_text("watches: {one: {match: c}}")
    with pytest.raises(DocumentError, match=r"c.yaml:1:11: 'one' of 'watches' is already given at .*a.yml:1:11"):
        read_document(tmp_path)
    (tmp_path / "c.yaml").write_text("engine: [a]")
    with pytest.raises(DocumentError, match=r"c.yaml:1:1: 'engine' is already given at .*b.yaml:2:1"):
        read_document(tmp_path)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        read_document(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match=r"holds no \*.yaml file"):
        read_document(tmp_path)
    (tmp_path / "w.yaml").write_bytes(b"a: 1\nb: \xff")
    with pytest.raises(DocumentError, match=r"w.yaml:2:1: This is not UTF-8"):
        read_document(tmp_path / "w.yaml")
    (tmp_path / "w.yaml").write_bytes(b"#" * (BYTES_MAX + 1))
    with pytest.raises(ConfigError, match="larger than 2 MiB"):
        read_document(tmp_path / "w.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_document("a\0b")
