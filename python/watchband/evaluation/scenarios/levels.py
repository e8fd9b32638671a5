"""Scenes of values that go elsewhere: levels that stay, leaks, spikes, long and noisy incidents."""

from __future__ import annotations

import numpy as np

from watchband.core.duration import DAY, HOUR, MINUTE
from watchband.evaluation.scenarios.promises import (
    alerted,
    counted,
    covers,
    no_more_alerts,
    one_alert,
    over_by,
    quiet,
    same_band,
    tells,
)
from watchband.evaluation.scenarios.scene import Course, Happening, Play, Scene, scene
from watchband.evaluation.scenarios.shapes import at, every, point, traffic, utilisation, wander
from watchband.pipeline.policy import Policy
from watchband.pipeline.prepare import Raw


@scene(
    "level-shift",
    promise="A level that stays is alerted, alarms no more half a day after the hold of a day, and the alert says so.",
    complaint="a new level alarms for ever, because what is anomalous is never learned",
    sources=("online-ml/river#936", "netdata/netdata#12967", "DataDog/documentation#39969"),
    detectors=("auto", "seasonal_band"),
)
def level_shift(seed: int) -> Play:
    """Two thirds more traffic from a Tuesday noon of the fourth week on, for good."""
    times = every(5 * MINUTE, 36 * DAY)
    values = traffic(times, seed)
    start = at(22, 12)
    values[times >= start] += 0.66 * 400
    return Play(
        Raw.of(times, values),
        [
            alerted(start, start + 15 * MINUTE, "the shift"),
            one_alert(start, start + 36 * HOUR, "it", most=2),
            over_by(start, start + 36 * HOUR, start + 36 * HOUR, "it"),
            tells(start, start + DAY, "the alert says that it is the new normal", lambda a: "new normal" in a.reason),
            quiet(start + 36 * HOUR, at(36), "the new level, for twelve days,"),
            covers(start + 36 * HOUR, at(36), "at the new level", 0.97),
        ],
        [Happening(start, int(times[-1]) + 1, "new level")],
    )


@scene(
    "slow-leak",
    promise="Memory that leaks for three days is found before it reaches nine tenths of its limit.",
    complaint="a band that follows slow changes follows a leak to the limit",
    sources=("opendistro-for-elasticsearch/anomaly-detection#388",),
    detectors=("auto", "light"),
)
def slow_leak(seed: int) -> Play:
    """Memory at 40 % rises by a percent an hour from the fourth week on."""
    times = every(5 * MINUTE, 25 * DAY)
    rng = np.random.default_rng([seed, 4])
    values = 40 + 0.8 * wander(rng, len(times)) + 0.4 * rng.normal(size=len(times))
    start, limit = at(21), at(21, 50)
    values += np.clip((times - start) / HOUR, 0, None)
    values = np.minimum(values, 100)
    return Play(
        Raw.of(times, values),
        [alerted(start, limit, "the leak, before 90 %,")],
        [Happening(start, int(times[-1]) + 1, "leak")],
        metric="memory_percent",
        settings={"range_low": 0.0, "range_high": 100.0},
    )


@scene(
    "huge-spike",
    promise="One reading a million times too large is an alert, and a day later the band is nearly as sharp as before.",
    complaint="one absurd value widens the band, and nothing is found for weeks",
    sources=("AWS re:Post: anomaly band goes haywire",),
    detectors=("auto", "seasonal_band"),
)
def huge_spike(seed: int) -> Play:
    """A value of 10^6 times the usual, and a day later a rise by half for half an hour."""
    times = every(5 * MINUTE, 25 * DAY)
    values = traffic(times, seed)
    twin = values.copy()
    spike, later = at(22, 10), at(23, 10)
    values[point(times, spike)] *= 1e6
    for series in (values, twin):
        series[(times >= later) & (times < later + HOUR // 2)] *= 1.5
    return Play(
        Raw.of(times, values),
        [
            one_alert(spike, spike + 5 * MINUTE, "the spike"),
            no_more_alerts(spike + 5 * MINUTE, later, "the day after it"),
            same_band(at(23), at(25), "from the day after it", wider=1.75),
            alerted(later, later + HOUR // 2, "a rise by half the next day"),
        ],
        [Happening(spike, spike + 5 * MINUTE, "spike"), Happening(later, later + HOUR // 2, "rise by half")],
        twin=Play(Raw.of(times, twin)),
    )


@scene(
    "noisy-incident",
    promise="An incident of five hours that comes and goes is one alert, not a flood.",
    complaint="a flapping metric sends forty pages in a day",
    sources=("prometheus/alertmanager#204", "openshift/managed-cluster-config#2709", "elastic/kibana#259287"),
)
def noisy_incident(seed: int) -> Play:
    """For five hours values jump to three times the usual and back at random, a reading a minute."""
    times = every(MINUTE, 9 * DAY)
    values = traffic(times, seed)
    start = at(8, 9)
    end = start + 5 * HOUR
    rng = np.random.default_rng([seed, 5])
    bad = (times >= start) & (times < end) & (rng.random(len(times)) < 0.6)
    values[bad] *= rng.uniform(2, 4, int(bad.sum()))
    return Play(
        Raw.of(times, values),
        [
            alerted(start, start + 10 * MINUTE, "the incident"),
            one_alert(start, end, "it"),
            over_by(start, end, end + HOUR, "it"),
        ],
        [Happening(start, end, "incident")],
    )


@scene(
    "two-incidents",
    promise="Two incidents an hour apart are two alerts where readings come every minute: an alert closes after "
    "twelve quiet readings.",
    complaint="one alert hides the next, or one incident is told many times",
    sources=("elastic/kibana#259287", "elastic/kibana#92839"),
    detectors=("auto", "light"),
)
def two_incidents(seed: int) -> Play:
    """Ten minutes at double traffic, an hour later ten minutes again."""
    times = every(MINUTE, 9 * DAY)
    values = traffic(times, seed)
    first, second = at(8, 9), at(8, 10, 10)
    for start in (first, second):
        values[(times >= start) & (times < start + 10 * MINUTE)] *= 2
    return Play(
        Raw.of(times, values),
        [
            one_alert(first, first + 10 * MINUTE, "the first"),
            one_alert(second, second + 10 * MINUTE, "the second"),
        ],
        [Happening(s, s + 10 * MINUTE, "incident") for s in (first, second)],
    )


def _top(course: Course) -> float:
    return float(np.nanmax(course.results.yhat_upper))


def _bottom(course: Course) -> float:
    return float(np.nanmin(course.results.yhat_lower))


@scene(
    "near-hundred",
    promise="The band of a success rate near 100 % ends at 100, values of 100 are no news, a drop is an alert.",
    complaint="bands of 103 % that nothing can leave, alerts on a perfect score",
    sources=("VictoriaMetrics/VictoriaMetrics: data_range and clip_predictions of vmanomaly",),
)
def near_hundred(seed: int) -> Play:
    """A success rate of 99.9 % from counts, and half an hour at 97 %."""
    times = every(5 * MINUTE, 23 * DAY)
    rng = np.random.default_rng([seed, 6])
    asked = rng.poisson(traffic(times, seed, level=3000))
    start = at(22, 10)
    end = start + HOUR // 2
    rate = np.where((times >= start) & (times < end), 0.03, 0.001)
    values = 100 * (1 - rng.binomial(asked, rate) / np.maximum(asked, 1))
    return Play(
        Raw.of(times, values),
        [
            counted("the band never goes beyond 100", _top, -np.inf, 100.0),
            quiet(at(1), start, "a rate that is often 100"),
            alerted(start, start + 10 * MINUTE, "the drop"),
        ],
        [Happening(start, end, "errors")],
        metric="success_percent",
        policy=Policy(range_high=100.0),
        settings={"range_low": 0.0, "range_high": 100.0},
    )


@scene(
    "near-zero",
    promise="The band of an error rate near 0 does not go below 0, values of 0 are no news, a rise is an alert.",
    complaint="negative bands, alerts on no errors at all",
    sources=("grafana/promql-anomaly-detection: band clamped at 0", "PostHog/posthog#62037"),
)
def near_zero(seed: int) -> Play:
    """Per cent of failed requests near 0.1, and half an hour at 3."""
    times = every(5 * MINUTE, 23 * DAY)
    rng = np.random.default_rng([seed, 7])
    asked = rng.poisson(traffic(times, seed, level=3000))
    start = at(22, 10)
    end = start + HOUR // 2
    rate = np.where((times >= start) & (times < end), 0.03, 0.001)
    values = 100 * rng.binomial(asked, rate) / np.maximum(asked, 1)
    return Play(
        Raw.of(times, values),
        [
            counted("the band never goes below 0", _bottom, 0.0),
            quiet(at(1), start, "a rate that is often 0"),
            alerted(start, start + 10 * MINUTE, "the rise"),
        ],
        [Happening(start, end, "errors")],
        metric="error_percent",
        policy=Policy(range_low=0.0),
        settings={"range_low": 0.0, "range_high": 100.0},
    )


@scene(
    "saturated",
    promise="A CPU that is often at 100 % is no news at 100, and a fall to nothing is an alert.",
    complaint="a metric that stays at one value is anomalous for ever",
    sources=("netdata/netdata#12967",),
)
def saturated(seed: int) -> Play:
    """Utilisation cut off at 100 % every day, and an hour of idleness at noon."""
    times = every(5 * MINUTE, 23 * DAY)
    values = np.minimum(utilisation(times, seed, level=85, swing=40), 100.0)
    start = at(22, 11)
    values[(times >= start) & (times < start + HOUR)] = 2.0
    return Play(
        Raw.of(times, values),
        [
            quiet(at(1), start, "a machine that is full every day"),
            alerted(start, start + 10 * MINUTE, "the fall"),
        ],
        [Happening(start, start + HOUR, "idle")],
        metric="cpu_percent",
        settings={"range_low": 0.0, "range_high": 100.0},
    )


@scene(
    "slow-drift",
    promise="Traffic that grows by a third in six weeks is followed without an alert of its own.",
    complaint="growth is alerted until somebody retrains the model",
    sources=("online-ml/river#936",),
)
def slow_drift(seed: int) -> Play:
    """A third more traffic after six weeks of even growth."""
    times = every(15 * MINUTE, 56 * DAY)
    values = traffic(times, seed)
    start = at(14)
    grown = values * (1 + np.clip((times - start) / (42 * DAY), 0, 1) / 3)
    return Play(
        Raw.of(times, grown),
        [no_more_alerts(start, at(56), "growth"), covers(start, at(56), "while it grows", 0.98)],
        [Happening(start, int(times[-1]) + 1, "growth")],
        twin=Play(Raw.of(times, values)),
    )


SCENES: tuple[Scene, ...] = (
    level_shift,
    slow_leak,
    slow_drift,
    huge_spike,
    noisy_incident,
    two_incidents,
    near_hundred,
    near_zero,
    saturated,
)
