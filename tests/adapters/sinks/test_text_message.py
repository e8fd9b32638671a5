"""Text messages: at most 140 characters, and whatever the names are the reading, what was expected, and since when."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchband.adapters.sinks.aws.text import TEXT_MAX, UNITS_MAX, fits, gsm, is_gsm, septets, text_of, units
from watchband.core.duration import MINUTE
from watchband.core.ports import Notice
from watchband.core.series import SeriesKey
from watchband.testing.contracts.sink import START, a_notice

KINDS = ("value", "level", "pattern", "variance", "out of range", "no data", "stuck", "drift", "breach")
NAMES = st.text(min_size=1, max_size=300) | st.text("{}[]~^|€", min_size=1, max_size=300) | st.just("温" * 400)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@given(
    metric=st.sampled_from(["t", "latency_ms", "memory_bytes", "x_seconds"]) | NAMES,
    labels=st.lists(NAMES, max_size=4),
    value=NUMBERS,
    edges=st.tuples(NUMBERS, NUMBERS),
    kind=st.sampled_from(KINDS),
    severity=st.sampled_from(["critical", "warning", "info"]),
    change=st.sampled_from([(1, None), (2, None), (3, 10**6), (1, 10**3)]),
    zone=st.sampled_from(["UTC", "Asia/Kolkata", "America/St_Johns", "Pacific/Chatham"]),
)
@settings(max_examples=400, deadline=None)
def test_it_fits_and_says_it_whatever_the_names(
    metric: str,
    labels: list[str],
    value: float,
    edges: tuple[float, float],
    kind: str,
    severity: str,
    change: tuple[int, int | None],
    zone: str,
) -> None:
    series = SeriesKey(metric, {f"l{k}": text for k, text in enumerate(labels)})
    lower, upper = sorted(edges)
    revision, minutes = change
    closed = None if minutes is None else START + minutes * MINUTE
    given_ = {"value": value, "lower": lower, "upper": upper, "kind": kind, "severity": severity, "closed": closed}
    text = text_of(dataclasses.replace(a_notice(revision, series=series, **given_), zone=zone))
    assert len(text) <= TEXT_MAX
    assert septets(text) <= TEXT_MAX if is_gsm(text) else units(text) <= UNITS_MAX
    assert text.isprintable()
    told = text.startswith(("Ended: ", "Critical", "Warning", "Info"))
    assert told, text
    assert ", since " in text
    assert text.split(", since ")[-1][:1].isdigit(), "the time is cut"
    if not (kind == "no data" and closed is not None):
        assert ", expected " in text
    if kind != "no data" and revision < 3:
        assert any(word in text for word in (" is ", " at ", " was ", "(was ")), "it does not say the reading"


def alert(**changes: object) -> Notice:
    given_ = {"series": SeriesKey("temperature_celsius", {"plant": "north", "unit": "boiler-7"}), "value": 91.4}
    return a_notice(1, **{**given_, "lower": 62.0, "upper": 71.0, **changes})  # type: ignore[arg-type]


def test_the_words() -> None:
    assert text_of(alert()) == (
        "Critical: temperature_celsius north boiler-7 is 91.4, expected 62-71, since 1 Mar 14:02 CET"
    )
    ended = dataclasses.replace(alert(closed=START + 8 * MINUTE), revision=2)
    assert text_of(ended) == (
        "Ended: temperature_celsius north boiler-7 is as usual again after 8 min (was 91.4, expected 62-71), "
        "since 1 Mar 14:02 CET"
    )


def test_a_long_name_keeps_its_beginning_and_its_end() -> None:
    series = SeriesKey("temperature_celsius", {"host": "rack-" * 40 + "slot-19"})
    text = text_of(alert(series=series))
    assert text.startswith("Critical: temperature_celsius rack-")
    assert "..ack-" in text or ".." in text
    assert "slot-19 is 91.4, expected 62-71, since 1 Mar 14:02 CET" in text
    assert len(text) == TEXT_MAX


def test_a_name_in_another_script_stays_and_makes_two_parts_at_most() -> None:
    text = text_of(alert(series=SeriesKey("温度", {"場所": "北棟" * 100})))
    assert text.startswith("Critical: 温度 北棟")
    assert text.endswith(" is 91.4, expected 62-71, since 1 Mar 14:02 CET")
    assert units(text) <= 134


def test_readings_that_are_no_numbers() -> None:
    for value in (math.nan, math.inf):
        text = text_of(alert(value=value, lower=value, upper=value, expected=20.0))
        assert "has no number to tell, expected near 20, since" in text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("°C 5–7 µs ≤ 3", "C 5-7 us <= 3"), ("ÀÉÊñç", "AÉEñc"), ("Ω[1]", "Ω[1]"), ("温度", "温度"), ("1 × 10⁻⁹", "1e-9")],
)
def test_the_alphabet_of_text_messages(text: str, wanted: str) -> None:
    assert gsm(text) == wanted


def test_signs_that_take_two_places_count_twice() -> None:
    assert septets("{x}") == 5
    assert not fits("{" * 71)
    assert fits("{" * 70)


def test_a_state_of_risk_is_told_by_its_name() -> None:
    series = SeriesKey("risk_state", {"host": "web-1"})
    opened = text_of(a_notice(1, series=series, value=3.0, lower=math.nan, upper=2.0, severity="critical"))
    assert opened.startswith("Critical: risk_state web-1 is Critical, expected at most High Load, since ")
    ended = text_of(a_notice(2, series=series, value=3.0, upper=2.0, severity="critical", closed=START + 5 * MINUTE))
    assert "(was Critical, expected at most High Load)" in ended
