"""Options in words become a watch."""

from __future__ import annotations

import pytest

from watchband.apps.library.moments import iso, parse_moment, parse_span
from watchband.apps.library.options import Options, detector_text
from watchband.core.errors import ConfigError
from watchband.detectors import RollingZscore, SeasonalBand
from watchband.pipeline.presets import Auto
from watchband.pipeline.rules import Budget, Contamination, Cutoff, Sigma

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({}, Budget()),
        ({"budget": "2/day"}, Budget(2, 86_400 * SECOND)),
        ({"cutoff": 3.0}, Cutoff(3.0)),
        ({"width": 2.0}, Cutoff(2.0)),
        ({"sigma": 2.5}, Sigma(2.5)),
        ({"sigma": "2.5,train=500,robust"}, Sigma(2.5, 500, True)),
        ({"contamination": 0.03}, Contamination(0.03)),
        ({"detector": "threshold:high=5"}, Cutoff(1.0)),
    ],
)
def test_rules(given: dict[str, object], rule: object) -> None:
    assert Options(**given).rule() == rule  # type: ignore[arg-type]


def test_the_detector_is_told_what_it_can_use() -> None:
    options = Options(timezone="Europe/Dublin", holidays="IE", range="0:100")
    built = options.build_detector()
    assert isinstance(built, Auto)
    assert built.band == SeasonalBand(timezone="Europe/Dublin", holidays="IE", range_low=0.0, range_high=100.0)
    own = Options(detector="seasonal_band:timezone=UTC", timezone="Europe/Dublin").build_detector()
    assert own == SeasonalBand(timezone="UTC")
    assert Options(detector="rolling_zscore", timezone="Europe/Dublin", range="0:1").build_detector() == RollingZscore()


def test_policy_and_prepare() -> None:
    options = Options(range="0:", m_of_n="3/5", gap="linear:12", interval="5m", min_count=20.0, direction="above")
    policy, prepare = options.policy(), options.prepare()
    assert (policy.range_low, policy.range_high, policy.m_of_n, policy.min_count) == (0.0, None, (3, 5), 20.0)
    assert (prepare.gap, prepare.gap_limit, prepare.interval_ns) == ("linear", 12, 300 * SECOND)
    assert Options(gap="fixed:-1.5").prepare().gap_value == -1.5


def test_settings_name_what_is_not_the_default() -> None:
    assert set(Options().settings()) == {"detector", "rule"}
    assert Options(direction="above").settings()["direction"] == "above"
    assert detector_text(SeasonalBand(timezone="UTC", holidays="IE")) == "seasonal_band:holidays=IE"


@pytest.mark.parametrize(
    ("text", "zone", "seconds"),
    [
        ("1970-01-02", "UTC", 86_400),
        ("1970-01-01T01:00", "UTC", 3600),
        ("1970-01-01 01:00", "Europe/Berlin", 0),
        ("1970-01-01T01:00:00+01:00", "UTC", 0),
        ("1700000000", "UTC", 1_700_000_000),
        ("1700000000000", "UTC", 1_700_000_000),
        ("1700000000000000", "UTC", 1_700_000_000),
        ("1700000000000000000", "UTC", 1_700_000_000),
    ],
)
def test_moments(text: str, zone: str, seconds: int) -> None:
    assert parse_moment(text, zone) == seconds * SECOND


def test_spans_include_the_last_day() -> None:
    assert parse_span("1970-01-01/1970-01-01") == (0, 86_400 * SECOND)
    assert parse_span("1970-01-01T01:00/1970-01-01T02:00") == (3600 * SECOND, 7200 * SECOND)
    with pytest.raises(ConfigError, match="ends before it begins"):
        parse_span("1970-01-02T00:00/1970-01-01T00:00")


def test_iso_in_a_zone() -> None:
    assert iso(0, "Europe/Berlin") == "1970-01-01T01:00:00+01:00"
    assert iso(1) == "1970-01-01T00:00:00.000000001Z"
