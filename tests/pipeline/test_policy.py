"""Parameters of a policy, and the words for what it does."""

from __future__ import annotations

import math
from typing import Any

import pytest

from watchband.core import params
from watchband.core.errors import InvalidParameterError
from watchband.pipeline.policy import MEANING, RAISED, SUPPRESSED, Event, Policy


@pytest.mark.parametrize(
    "values",
    [
        {"direction": "up"},
        {"min_deviation": -1.0},
        {"min_deviation_relative": math.nan},
        {"consecutive": 0},
        {"m_of_n": (4, 3)},
        {"m_of_n": (0, 3)},
        {"m_of_n": (1, 2, 3)},
        {"m_of_n": 3},
        {"close_level": 0.0},
        {"close_level": 1.1},
        {"max_points": 0},
        {"missing": "notBreaching"},
        {"range_low": 2.0, "range_high": 1.0},
        {"range_low": 1.0, "range_high": 1.0},
    ],
    ids=str,
)
def test_what_a_policy_may_not_be(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameterError, match=next(iter(values))):
        Policy(**values)


def test_the_command_line_writes_m_of_n_with_a_slash() -> None:
    text = "m_of_n=3/5,range_low=0,range_high=none,direction=above,missing=breaching"
    policy = params.build(Policy, params.read_text(Policy, text))
    assert policy == Policy(m_of_n=(3, 5), range_low=0.0, direction="above", missing="breaching")
    assert policy.logical_range == (0.0, math.inf)
    with pytest.raises(InvalidParameterError, match="m/n"):
        params.read_text(Policy, "m_of_n=3")


def test_every_parameter_is_in_schema_and_table() -> None:
    names = set(params.params_of(Policy))
    assert set(params.schema(Policy)["properties"]) == names
    assert all(f"| `{name}` |" in params.table(Policy) for name in names)


def test_every_event_has_words_and_bits_of_its_own() -> None:
    assert set(MEANING) == set(Event)
    assert len(set(MEANING.values())) == len(Event)
    assert not SUPPRESSED & RAISED


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (Policy(), ""),
        (Policy(consecutive=5), "5 consecutive points"),
        (Policy(m_of_n=(1, 1)), ""),
        (Policy(consecutive=2, m_of_n=(3, 5)), "2 consecutive points and 3 of 5 points"),
    ],
)
def test_what_opens_an_alert_in_words(policy: Policy, words: str) -> None:
    assert policy.opening == words
