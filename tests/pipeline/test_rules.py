"""Decision rules: their text, and what a budget allows."""

from __future__ import annotations

import pytest

from watchband.core.duration import DAY, HOUR, MINUTE, SECOND, WEEK
from watchband.core.errors import ConfigError, InvalidParameterError
from watchband.pipeline.rules import P_LIMIT_MAX, Budget, Contamination, Cutoff, Rule, Sigma, parse_rule


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("budget:1/week", Budget()),
        ("1/week", Budget(1, WEEK)),
        ("0.5/1d", Budget(0.5, DAY)),
        ("3/PT1H", Budget(3, HOUR)),
        ("cutoff:3", Cutoff(3.0)),
        ("sigma:2.5", Sigma(2.5)),
        ("sigma:3,train=500", Sigma(3, 500)),
        ("sigma:3,train=500,robust", Sigma(3, 500, True)),
        ("sigma:3,robust", Sigma(3, 0, True)),
        ("contamination:0.03", Contamination(0.03)),
    ],
)
def test_text_and_back(text: str, rule: Rule) -> None:
    assert parse_rule(text) == rule
    assert parse_rule(str(rule)) == rule


@pytest.mark.parametrize("text", ["", "often", "budget:1", "sigma:", "sigma:x", "cutoff:high", "x/week", "width:2"])
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"A rule is written budget:1/week|A budget is so many alerts a period"):
        parse_rule(text)


@pytest.mark.parametrize("text", ["0/week", "cutoff:-1", "contamination:0.9", "sigma:nan"])
def test_values_out_of_range_are_named(text: str) -> None:
    with pytest.raises(InvalidParameterError, match="must be"):
        parse_rule(text)


def test_a_budget_is_a_share_of_points() -> None:
    assert Budget(1, DAY).p_limit(SECOND) == pytest.approx(1 / 86400)
    assert Budget(7, WEEK).p_limit(MINUTE) == pytest.approx(1 / 1440)
    assert Budget(1, HOUR).p_limit(DAY) == P_LIMIT_MAX
