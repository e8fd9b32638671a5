"""Selectors: which series are meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchband.core.errors import ConfigError
from watchband.core.matcher import Selector
from watchband.core.series import SeriesKey

WEB = SeriesKey("cpu", {"host": "web-1", "env": "prod", "path": 'a"b\\c'})


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("*", True),
        ("cpu", True),
        ("mem", False),
        ("cpu{}", True),
        ('cpu{host="web-1"}', True),
        ('cpu{host="web"}', False),
        ('cpu{host=~"web"}', False),
        ('cpu{host=~"web.*"}', True),
        ('{host=~"db.*|web.*",env!="dev"}', True),
        ('{__name__=~"cp."}', True),
        ('cpu{zone=""}', True),
        ('cpu{zone!="",}', False),
        ('cpu{zone!~".+"}', True),
        ("cpu{ env = 'prod' , host != 'x' }", True),
        (r'cpu{path="a\"b\\c"}', True),
        (r'cpu{path=~"a.b\\\\c"}', True),
        (r'cpu{host=~"web-\\d"}', True),
        (r'cpu{host=~"web-\d"}', True),
        ('cpu{host=~"web-[[:digit:]]"}', True),
        ('cpu{env=~"(?i)PROD"}', True),
    ],
)
def test_what_is_meant(text: str, meant: bool) -> None:
    assert Selector(text).matches(WEB) is meant


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1 to 4096 characters"),
        ("a" * 5000, "Got 5000"),
        ("cpu{", "from character 4"),
        ('cpu{host="a"', "from character 4"),
        ("cpu{host=web}", "from character 5"),
        ('cpu{host="a",env}', "from character 14"),
        ('cpu{a="b"} x', "from character 4"),
        ('cpu{host=~"("}', r"The pattern '\(' for label 'host' is no regular expression"),
        ('cpu{host=~"a{99999999999}"}', "is no regular expression"),
    ],
)
def test_what_cannot_be_read_says_where(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Selector(text)


@given(st.text(st.sampled_from("cpu{}=~!,\"'\\ab.*[(:]*+ \n"), max_size=20))
def test_no_text_is_too_odd(text: str) -> None:
    try:
        selector = Selector(text)
    except ConfigError:
        return
    assert selector.matches(WEB) in (True, False)


@given(st.text(min_size=1, max_size=8), st.text(max_size=8))
def test_a_value_that_is_quoted_is_found(metric: str, value: str) -> None:
    quoted = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    selector = Selector(f'{{x="{quoted}"}}')
    assert selector.matches(SeriesKey(metric, {"x": value}))
    assert not selector.matches(SeriesKey(metric, {"x": value + "!"}))
