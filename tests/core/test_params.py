"""Parameters as data: one declaration, one message."""

from __future__ import annotations

import pytest

from watchband.core import params
from watchband.core.errors import ConfigError, InvalidParameterError, UnknownNameError
from watchband.core.params import Among, Choice, Flag, Integer, Maybe, Past, Real, Span, Text
from watchband.detectors import DETECTORS
from watchband.detectors.rolling_zscore import RollingZscore
from watchband.pipeline.catalogue import CATALOGUE
from watchband.pipeline.ensemble import Ensemble


@pytest.mark.parametrize(
    ("constraint", "good", "bad", "words"),
    [
        (Integer(2, 5), [2, 5], [1, 6, 2.0, True, "2"], "an integer from 2 to 5"),
        (Integer(0), [0, 10**9], [-1], "an integer >= 0"),
        (Real(0, 1, low_open=True), [1, 0.5], [0, 1.1, float("nan"), True, None], "a number in (0, 1]"),
        (Real(0, low_open=True), [3], [0, float("inf")], "a number > 0"),
        (Choice(("a", "b")), ["a"], ["c", 1], "one of 'a', 'b'"),
        (Flag(), [True, False], [1, "yes"], "true or false"),
        (Text("a zone"), ["UTC"], [1], "a zone"),
        (Maybe(Integer(1)), [None, 1], [0], "an integer >= 1, or none"),
    ],
)
def test_constraints(constraint: params.Constraint, good: list[object], bad: list[object], words: str) -> None:
    assert all(constraint.allows(v) for v in good)
    assert not any(constraint.allows(v) for v in bad)
    assert str(constraint) == words
    assert constraint.schema()


def test_the_message_names_parameter_owner_constraint_and_value() -> None:
    message = r"The 'window' parameter of RollingZscore must be an integer from 2 to 10000\. Got -3\."
    with pytest.raises(InvalidParameterError, match=message):
        RollingZscore(window=-3)


def test_an_unknown_key_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'window'"):
        DETECTORS.build({"type": "rolling_zscore", "windw": 3})


def test_command_line_form() -> None:
    detector = DETECTORS.parse("rolling_zscore:window=12,ddof=0,inclusive=true,width=2.5")
    assert detector == RollingZscore(window=12, ddof=0, inclusive=True, width=2.5)
    assert DETECTORS.parse("rolling_zscore") == RollingZscore()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rolling_zscore:window", "Write window=VALUE"),
        ("rolling_zscore:window=twelve", "must be an integer from 2 to 10000. Got 'twelve'"),
        ("rolling_zscore:inclusive=perhaps", "must be true or false. Got 'perhaps'"),
        ("rolling_zscor", "Did you mean 'rolling_zscore'"),
    ],
)
def test_command_line_mistakes(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        DETECTORS.parse(text)


def test_schema_and_table_come_from_the_declaration() -> None:
    schema = params.schema(RollingZscore)
    assert schema["properties"]["window"]["maximum"] == 10_000
    assert schema["additionalProperties"] is False
    assert "| `ddof` | `1` | an integer from 0 to 1 |" in params.table(RollingZscore)


def test_a_search_lies_beside_its_parameter_and_within_its_constraint() -> None:
    for name in CATALOGUE.names():
        found = CATALOGUE.get(name)
        searched = params.searches_of(found)
        assert searched, f"{name} says nothing of where a better parameter is looked for"
        for key, search in searched.items():
            constraint = params.params_of(found)[key].constraint
            ends = search.values if isinstance(search, Among) else (search.low, search.high)
            assert all(constraint.allows(v) for v in ends), (name, key)
            if not isinstance(search, Past):
                for end in ends:
                    params.build(found, {key: end})


def test_a_searched_number_is_written_with_three_digits_and_stays_inside() -> None:
    assert Span(0.5, 8.0).tidy(3.14159) == 3.14
    assert Span(0.123456, 8.0).tidy(0.12346) == 0.123456
    assert Span(10, 2000).tidy(1234) == 1234


def test_the_band_of_a_preset_takes_the_share_it_is_given() -> None:
    plain, told = CATALOGUE.parse("auto"), CATALOGUE.parse("auto:band_share=0.5")
    assert isinstance(plain, Ensemble)
    assert isinstance(told, Ensemble)
    assert told.weights[0] == 0.5
    assert sum(told.weights) == pytest.approx(1)
    assert told.weights[1] / told.weights[2] == pytest.approx(plain.weights[1] / plain.weights[2])
    assert told.fingerprint == plain.fingerprint
