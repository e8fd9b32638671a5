"""Expressions: what they read, and errors that point at the place."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchband.core.arithmetic import compute
from watchband.core.errors import ConfigError
from watchband.core.expression import LENGTH_MAX, ExpressionError, parse_expression


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("errors / requests", "(errors / requests)"),
        ("1 - free_bytes / size_bytes", "(1 - (free_bytes / size_bytes))"),
        ("a - b - c", "((a - b) - c)"),
        ("-a * -2", "(-(a) * -2)"),
        ("- -3 + a", "(3 + a)"),
        ("(a + b) * .5e1", "((a + b) * 5)"),
        ('rate(errors{job="api",code=~"5.."}) / rate(errors)', '(rate(errors{job="api",code=~"5.."}) / rate(errors))'),
        ('{__name__="a b"} % 2', '({__name__="a b"} % 2)'),
        ('a{x="}\\"{"} + 1', '(a{x="}\\"{"} + 1)'),
        ("a / on(host, job) b", "(a / on(host, job) b)"),
        ("a / on() b", "(a / on() b)"),
        ("a+ignoring(mode,)b", "(a + ignoring(mode) b)"),
        ("min(a, b, 3)", "min(min(a, b), 3)"),
        ("abs(a - sqrt(b)) every 5m", "abs((a - sqrt(b))) every 5m"),
        ("max + 1", "(max + 1)"),
        ("aws.ec2:cpu / 2", "(aws.ec2:cpu / 2)"),
        ("a # b".replace("#", "\n\t/"), "(a / b)"),
    ],
)
def test_read(text: str, read: str) -> None:
    assert str(parse_expression(text)) == read


def test_what_is_printed_reads_the_same() -> None:
    for text in ("a - (b - c)", "1e300 * a", "0.1 + a", "a / on(x) (b * 2)", "min(a, max(b, -1))"):
        once = str(parse_expression(text))
        assert str(parse_expression(once)) == once


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        ("", 0, "Expected a series, a number"),
        ("errors /", 8, "The expression ends here"),
        ("1 + 2", 0, "this one is a constant"),
        ("(a", 2, "Expected ')'"),
        ("a b", 2, "Expected an operator"),
        ("a $ b", 2, "'$' means nothing here"),
        ("a / on host b", 7, "Expected '(' behind 'on'"),
        ("a / on(1) b", 7, "name of a label"),
        ("a / on(x y) b", 9, "Expected ',' or ')'"),
        ("1 / on(a) b", 2, "one of the sides is a constant"),
        ("rate(a + b)", 0, "as it is: rate(requests_total)"),
        ("abs(a, b)", 0, "takes 1 argument. Got 2"),
        ("1 + min(a)", 4, "takes 2 to 16 arguments. Got 1"),
        ("2 * a{x=1}", 4, "cannot be read from character 3"),
        ('a{x=~"("}', 0, "no regular expression"),
        ("a{x", 1, "never closed"),
        ('{x="1"', 0, "never closed"),
        ("a every", 7, "Expected a duration"),
        ("a every 5m b", 7, "Expected a duration"),
        ("a every 5parsecs", 8, "5parsecs"),
        ("a * 1e999", 4, "larger than"),
        ("on + 1", 0, "Expected a series"),
        ("(" * 60 + "a", 17, "at most 50 levels"),
        ("-" * 100 + "a", 50, "at most 50 levels"),
        ("+".join("a" * 33), 64, "at most 32 series"),
        ("a" * (LENGTH_MAX + 1), LENGTH_MAX, "at most 4,096 characters"),
    ],
)
def test_mistakes_have_their_place(text: str, at: int, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_expression(text)
    assert message in str(caught.value)
    if "levels" not in message:
        assert caught.value.at == at


def test_the_caret_stands_below_the_place() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_expression("a +\n\tb ? c")
    *_, line, caret = str(caught.value).split("\n")
    assert (line, caret) == ("  \tb ? c", "  \t  ^")


@pytest.mark.parametrize(
    ("operator", "left", "right", "result"),
    [
        ("/", 1, 0, math.nan),
        ("/", 0, 0, math.nan),
        ("%", 5, 0, math.nan),
        ("%", -7, 5, -2),
        ("*", 1e300, 1e300, math.nan),
        ("+", math.inf, 1, math.nan),
        ("-", 1, math.nan, math.nan),
        ("min", math.nan, 1, math.nan),
        ("max", 2, 3, 3),
        ("sqrt", -1, 0, math.nan),
        ("sqrt", 9, 0, 3),
        ("abs", -2, 0, 2),
        ("neg", 2, 0, -2),
    ],
)
def test_what_has_no_value_has_none(operator: str, left: float, right: float, result: float) -> None:
    assert repr(float(compute(operator, left, right))) == repr(float(result))


PIECES = [
    "a",
    "b{x='1'}",
    "rate(",
    "min(",
    "(",
    ")",
    "+",
    "-",
    "*",
    "/",
    "%",
    "1",
    "1.5e3",
    "on(",
    "ignoring(x)",
    ",",
    " ",
]


@given(st.lists(st.sampled_from([*PIECES, "every", "5m", "{", "}", '"', "\\", "λ", "\0", "\n"]), max_size=30))
def test_any_text_is_read_or_refused(pieces: list[str]) -> None:
    try:
        once = str(parse_expression("".join(pieces)))
    except ConfigError:
        return
    assert str(parse_expression(once)) == once
