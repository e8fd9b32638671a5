"""Sentences of alerts and explanations of points, word for word."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from watchband.core.alert import Alert
from watchband.core.errors import ConfigError
from watchband.core.series import SeriesKey
from watchband.core.wording import NO_BREAK
from watchband.detectors import RollingZscore
from watchband.pipeline.decide import NEVER, Record
from watchband.pipeline.explain import Context, alert_of, band_widths, emphasised, explain_point
from watchband.pipeline.policy import Event, Policy
from watchband.pipeline.prepare import Raw
from watchband.pipeline.results import Results
from watchband.pipeline.rules import Cutoff
from watchband.pipeline.watch import Watch
from watchband.testing.streams import MINUTE, START, times

NOON = START + 12 * 60 * MINUTE
NAN = math.nan
BASE = Record(
    row=0,
    opened=NOON + 2 * MINUTE,
    decided=NOON + 2 * MINUTE,
    closed=NEVER,
    peak_time=NOON + 3 * MINUTE,
    last_time=NOON + 3 * MINUTE,
    points=2,
    events=0,
    value=97.2,
    expected=14.0,
    lower=3.1,
    upper=24.8,
    anomaly_score=4.0,
    confidence=1.0,
    side=1.0,
    mean=95.0,
    before=14.0,
)
CLOSED = NOON + 20 * MINUTE


def alert(metric: str = "cpu_load", policy: Policy | None = None, zone: str = "UTC", **changes: object) -> Alert:
    record = dataclasses.replace(BASE, **changes)  # type: ignore[arg-type]
    return alert_of(record, SeriesKey(metric), Context("w", "seasonal_band", policy or Policy(), zone))


CASES = {
    "value": (
        alert(),
        "cpu_load is **97.2**; expected 3.1–24.8. 3.3 band widths above for 1 min since 12:02, seen by seasonal_band.",
    ),
    "below, over": (
        alert(side=-1.0, value=-18.6, closed=CLOSED, last_time=NOON + 2 * MINUTE),
        "cpu_load was **−18.6**; expected 3.1–24.8. 1 band width below at 12:02, seen by seasonal_band.",
    ),
    "just outside": (
        alert(value=24.9),
        "cpu_load is **24.9**; expected 3.1–24.8. Just above its band for 1 min since 12:02, seen by seasonal_band.",
    ),
    "just outside of a lopsided band": (
        alert(value=480.0, lower=1_900.0, upper=36_000.0, expected=6_000.0, side=-1.0),
        "cpu_load is **480**; expected 1,900–36,000. 0.042 band widths below for 1 min since 12:02, seen by "
        "seasonal_band.",
    ),
    "what is left of a sum": (
        alert(value=-1e-5, lower=29.3, upper=126.0, side=-1.0),
        "cpu_load is **0**; expected 29.3–126. 0.3 band widths below for 1 min since 12:02, seen by seasonal_band.",
    ),
    "one side": (
        alert(lower=NAN, closed=CLOSED),
        "cpu_load was **97.2**; expected at most 24.8. 3.4 band widths above for 1 min from 12:02, seen by "
        "seasonal_band.",
    ),
    "units": (
        alert("memory_bytes", value=9.72e9, lower=1.0e9, upper=2.48e9),
        "memory_bytes is **9.05 GiB**; expected 0.931–2.31 GiB. 4.9 band widths above for 1 min since 12:02, seen by "
        "seasonal_band.",
    ),
    "digits that tell apart": (
        alert(value=1000.9, lower=1000.2, upper=1000.4),
        "cpu_load is **1,000.9**; expected 1,000.2–1,000.4. 2.5 band widths above for 1 min since 12:02, seen by "
        "seasonal_band.",
    ),
    "level": (
        alert(points=70, last_time=NOON + 130 * MINUTE),
        "cpu_load has stayed near **95** since 12:02; before, near 14. 3.3 band widths above for 2 h 8 min since "
        "12:02, seen by seasonal_band.",
    ),
    "adopted": (
        alert(events=int(Event.ADOPTED), closed=CLOSED),
        "cpu_load stayed near **95** from 12:02; before, near 14. 3.3 band widths above for 1 min from 12:02, seen "
        "by seasonal_band. The level stayed and is the new normal.",
    ),
    "pattern": (
        alert(events=int(Event.NO_BAND), lower=NAN, upper=NAN, expected=NAN, side=0.0),
        "cpu_load is **97.2**; its course does not fit what it usually does. Score 4 times the limit for 1 min since "
        "12:02, seen by seasonal_band.",
    ),
    "pattern with an expectation": (
        alert(events=int(Event.NO_BAND), lower=NAN, upper=NAN),
        "cpu_load is **97.2** instead of 14; its course does not fit what it usually does. Score 4 times the limit "
        "for 1 min since 12:02, seen by seasonal_band.",
    ),
    "out of range": (
        alert("disk_percent", Policy(range_low=0, range_high=100), events=64, value=120.0, lower=0.0, upper=100.0),
        "disk_percent is **120 %**, outside its range 0–100 %. 0.2 band widths above for 1 min since 12:02, seen by "
        "seasonal_band.",
    ),
    "no data": (
        alert(events=int(Event.BREACHING), value=NAN, anomaly_score=3.0, side=0.0),
        "cpu_load has sent nothing for **1 min**. Score 3 times the limit for 1 min since 12:02, seen by "
        "seasonal_band.",
    ),
    "little history": (
        alert(confidence=0.08),
        "cpu_load is **97.2**; expected 3.1–24.8. 3.3 band widths above for 1 min since 12:02, seen by seasonal_band. "
        "Little history so far: confidence 8 %.",
    ),
    "another zone, over midnight": (
        alert(zone="Asia/Tokyo", last_time=NOON + 5 * 60 * MINUTE),
        "cpu_load is **97.2**; expected 3.1–24.8. 3.3 band widths above for 4 h 58 min since Mon 21:02, seen by "
        "seasonal_band.",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_sentence_and_what_is_bold_in_it(name: str) -> None:
    made, wanted = CASES[name]
    assert made.reason.replace(NO_BREAK, " ") == wanted.replace("**", "")
    bold = "".join(f"**{text}**" if strong else text for text, strong in emphasised(made))
    assert bold.replace(NO_BREAK, " ") == wanted


@pytest.mark.parametrize(
    ("made", "kind", "severity"),
    [
        (alert(), "value", "critical"),
        (alert(points=60, anomaly_score=1.6), "level", "warning"),
        (alert(points=60, events=int(Event.NO_BAND), anomaly_score=1.1), "pattern", "info"),
        (alert(events=int(Event.OUT_OF_RANGE)), "out of range", "critical"),
        (alert(events=int(Event.BREACHING | Event.NO_BAND)), "no data", "critical"),
    ],
)
def test_kind_and_severity(made: Alert, kind: str, severity: str) -> None:
    assert (made.kind, made.severity) == (kind, severity)


def test_policies_that_shaped_an_alert_are_named() -> None:
    policy = Policy(consecutive=5, m_of_n=(3, 6), range_high=1.0)
    made = alert(policy=policy, events=int(Event.OUT_OF_RANGE | Event.TIMED_OUT))
    assert made.policies == ("5 consecutive points and 3 of 6 points", "out of range", "longest time open")
    assert alert().policies == ()


def test_band_widths() -> None:
    assert band_widths(30.0, 0.0, 20.0, 10.0) == 0.5
    assert band_widths(-5.0, 0.0, 20.0, 10.0) == 0.25
    assert band_widths(10.0, 0.0, 20.0, 10.0) == 0.0
    assert band_widths(30.0, NAN, 20.0, 10.0) == 0.5
    assert math.isnan(band_widths(30.0, NAN, NAN, 10.0))


@pytest.fixture(scope="module")
def results() -> Results:
    watch = Watch("w", RollingZscore(window=20), Cutoff(5), Policy(direction="above", consecutive=2, range_high=150.0))
    values = np.random.default_rng(0).normal(50, 1, 100)
    values[[30, 60, 61]] += [-30, 30, 60]
    values[80] = 400.0
    values[90] = np.nan
    state = watch.start([SeriesKey("cpu_percent")])
    moments = times(100, MINUTE)
    return watch.step(state, Raw.of(moments, values), excluded=[(int(moments[95]), int(moments[97]))])


def at(minute: int) -> int:
    return START + minute * MINUTE


def test_a_suppressed_point_says_by_what(results: Results) -> None:
    point = explain_point(results, at(30))
    assert point.suppressed == ("on the side that is not watched",)
    assert point.anomaly_score == 0
    assert point.score > 5
    assert "Suppressed: on the side that is not watched." in point.sentences()


def test_waiting_opening_raising_missing_excluded_warming(results: Results) -> None:
    assert explain_point(results, at(60)).suppressed == ("not yet enough points beyond the limit",)
    opening = explain_point(results, at(61))
    assert opening.suppressed == ()
    assert opening.events == ("an alert opened",)
    assert opening.alert == results.alerts[0].id
    assert explain_point(results, at(80)).raised == ("outside the logical range",)
    missing = explain_point(results, at(90))
    assert "no value" in missing.events
    assert missing.sentences()[0].endswith("has no value.")
    assert explain_point(results, at(95)).excluded
    early = explain_point(results, at(5))
    assert "There is no opinion on it." in early.sentences()


def test_the_whole_text_of_one_point(results: Results) -> None:
    said = [text.replace(NO_BREAK, " ") for text in explain_point(results, at(61)).sentences("Europe/Dublin")]
    point = explain_point(results, at(61))
    assert said[0] == f"cpu_percent at 1 Jan 2024 01:01 is {point.value:.3g} %."
    assert said[1].startswith("Expected 51")
    assert "band at most" in said[1]
    assert "above 1 is anomalous" in said[2]
    assert said[-1] == f"Belongs to alert {point.alert}."


def test_the_point_at_or_before_the_time(results: Results) -> None:
    assert explain_point(results, at(61) + 1).time == at(61)
    with pytest.raises(ConfigError, match="no point at or before"):
        explain_point(results, at(0) - 1)
    other = dataclasses.replace(results, row=np.arange(len(results), dtype=np.int32) % 2)
    with pytest.raises(ConfigError, match="which row"):
        explain_point(other, at(61))
    assert explain_point(other, at(61), row=0).time == at(60)
