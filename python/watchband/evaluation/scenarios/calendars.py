"""Scenes of the calendar: daylight saving, holidays, jobs by the day and by the week, announced work."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from watchband.core.duration import DAY, HOUR, MINUTE
from watchband.evaluation.scenarios.promises import (
    alerted,
    as_without,
    counted,
    no_more_alerts,
    no_more_alerts_in,
    quiet,
)
from watchband.evaluation.scenarios.scene import Course, Happening, Play, Scene, scene
from watchband.evaluation.scenarios.shapes import START, at, every, local, point, traffic
from watchband.features import calendar
from watchband.pipeline.prepare import Raw
from watchband.pipeline.rules import Budget


def _moment(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000_000


def _switches(zone: str, switches: tuple[int, int], seed: int) -> Play:
    """A year of traffic by the clocks of a zone, beside the same traffic by a clock that is never changed."""
    times = every(HOUR, 365 * DAY)
    spans = [(start, start + 2 * DAY) for start in switches]
    rule = Budget(1, 30 * DAY)
    return Play(
        Raw.of(times, traffic(times, seed, zone=zone, noise=0.01)),
        [no_more_alerts_in(spans, "both switches, two days each,")],
        [Happening(start, end, "switch") for start, end in spans],
        twin=Play(Raw.of(times, traffic(times, seed, noise=0.01)), rule=rule),
        settings={"timezone": zone},
        rule=rule,
        zone=zone,
    )


_DST_COMPLAINT = "two days a year every daily curve is an hour off, and everything alerts"
_DST_SOURCES = ("elastic/elasticsearch#107115", "elastic/ml-cpp#2690", "elastic/kibana#189469")


@scene(
    "dst-dublin",
    promise="Both switches of daylight saving give no alert where the time zone is given.",
    complaint=_DST_COMPLAINT,
    sources=_DST_SOURCES,
)
def dublin(seed: int) -> Play:
    """A year by the clocks of Dublin."""
    return _switches("Europe/Dublin", (_moment("2024-03-31T01:00"), _moment("2024-10-27T01:00")), seed)


@scene(
    "dst-new-york",
    promise="The same on the other side of the ocean, where the clocks change on other days.",
    complaint=_DST_COMPLAINT,
    sources=_DST_SOURCES,
)
def new_york(seed: int) -> Play:
    """A year by the clocks of New York."""
    return _switches("America/New_York", (_moment("2024-03-10T07:00"), _moment("2024-11-03T06:00")), seed)


@scene(
    "holidays",
    promise="Public holidays on which traffic is as on Sundays give no alert where the country is given.",
    complaint="every public holiday is an incident",
    sources=("elementary-data/elementary#2052", "newrelic/docs-website#20484"),
    detectors=("auto", "seasonal_band"),
)
def holidays(seed: int) -> Play:
    """A year in Germany, with its holidays, beside one in which nobody rests."""
    zone = "Europe/Berlin"
    times = every(30 * MINUTE, 365 * DAY)
    clock = local(times, zone)
    free = calendar.holidays("DE")
    free = free[(free >= int(clock[0] // DAY)) & (free <= int(clock[-1] // DAY))]
    # A holiday in the first four weeks comes before weekends are known.
    free = free[free * DAY > START + 28 * DAY]
    moments = [int(times[point(clock, day * DAY)]) for day in free.tolist()]
    spans = [(moment, moment + DAY) for moment in moments]
    return Play(
        Raw.of(times, traffic(times, seed, zone=zone, days_off=set(free.tolist()))),
        [no_more_alerts_in(spans, f"{len(spans)} holidays")],
        [Happening(m, m + DAY, "holiday") for m in moments],
        twin=Play(Raw.of(times, traffic(times, seed, zone=zone)), settings={"timezone": zone}),
        settings={"timezone": zone, "holidays": "DE"},
        zone=zone,
    )


def _job(values: np.ndarray, times: np.ndarray, starts: list[int], length: int) -> None:
    for start in starts:
        values[(times >= start) & (times < start + length)] += 500


@scene(
    "daily-job",
    promise="A job that runs every night is alerted in its first week, and from the ninth night on no more.",
    complaint="once-a-day jobs are flagged for ever",
    sources=("netdata/netdata#15971", "grafana/promql-anomaly-detection#63"),
    detectors=("auto", "seasonal_band"),
)
def daily_job(seed: int) -> Play:
    """From the second week on twenty minutes of work at two every night."""
    times = every(5 * MINUTE, 36 * DAY)
    values = traffic(times, seed)
    twin = values.copy()
    starts = [at(day, 2) for day in range(7, 36)]
    _job(values, times, starts, 20 * MINUTE)

    def flagged(course: Course) -> float:
        return float(sum(bool(course.opened(s, s + 20 * MINUTE)) for s in starts[8:]))

    return Play(
        Raw.of(times, values),
        [
            alerted(starts[0], starts[0] + 10 * MINUTE, "the first night"),
            counted("nights alerted of the 21 from the ninth on", flagged, 0, 0),
            no_more_alerts(starts[8] + 20 * MINUTE, at(36), "what lies between the nights"),
        ],
        [Happening(s, s + 20 * MINUTE, "job") for s in starts],
        twin=Play(Raw.of(times, twin)),
    )


@scene(
    "weekly-job",
    promise="A job that runs every Sunday is alerted on its first Sundays and from the sixth on no more.",
    complaint="a weekly report is an incident every week",
    sources=("netdata/netdata#15971", "grafana/promql-anomaly-detection#63"),
    detectors=("auto", "seasonal_band"),
)
def weekly_job(seed: int) -> Play:
    """From the third week on two hours of work on Sundays at two in the morning."""
    times = every(15 * MINUTE, 91 * DAY)
    values = traffic(times, seed)
    starts = [at(7 * week + 6, 2) for week in range(2, 13)]
    _job(values, times, starts, 2 * HOUR)

    def flagged(course: Course) -> float:
        return float(sum(bool(course.opened(s, s + 2 * HOUR)) for s in starts[5:]))

    return Play(
        Raw.of(times, values),
        [
            alerted(starts[0], starts[0] + 30 * MINUTE, "the first Sunday"),
            counted("Sundays alerted of the 6 from the sixth on", flagged, 0, 0),
        ],
        [Happening(s, s + 2 * HOUR, "job") for s in starts],
    )


@scene(
    "deploy-window",
    promise="What happens in an excluded window is not learned: everything after is as if nothing had been measured.",
    complaint="maintenance windows mute the pages and poison the model",
    sources=("elastic/kibana#65706", "bosun-monitor/bosun#1492", "prometheus/alertmanager#517"),
)
def deploy_window(seed: int) -> Play:
    """Two hours of wild values in a window that was announced."""
    times = every(5 * MINUTE, 25 * DAY)
    values = traffic(times, seed)
    start, end = at(22, 10), at(22, 12)
    inside = (times >= start) & (times < end)
    silent = values.copy()
    silent[inside] = np.nan
    wild = values.copy()
    wild[inside] *= np.random.default_rng([seed, 8]).uniform(0, 20, int(inside.sum()))
    return Play(
        Raw.of(times, wild),
        [as_without("after the window", end + 2 * HOUR, at(25))],
        [Happening(start, end, "window")],
        twin=Play(Raw.of(times, silent), excluded=((start, end),)),
        excluded=((start, end),),
    )


@scene(
    "quiet-nights",
    promise="A metric that sends nothing at night is judged by day as ever, and mornings are no alert.",
    complaint="a detector does not resume after a night without traffic",
    sources=("opendistro-for-elasticsearch/anomaly-detection#317",),
)
def quiet_nights(seed: int) -> Play:
    """Readings from six to ten in the evening only; an outage of an hour in the fourth week."""
    times = every(5 * MINUTE, 24 * DAY)
    values = traffic(times, seed)
    hour = times % DAY // HOUR
    awake = (hour >= 6) & (hour < 22)
    start = at(22, 10)
    values[(times >= start) & (times < start + HOUR)] *= 0.1
    mornings = [at(day, 6) for day in range(7, 24)]

    def woken(course: Course) -> float:
        return float(sum(bool(course.opened(m, m + HOUR // 2)) for m in mornings))

    return Play(
        Raw.of(times[awake], values[awake]),
        [
            counted("mornings alerted of the 17 after the first week", woken, 0, 1),
            alerted(start, start + 15 * MINUTE, "the outage"),
            quiet(at(7), start, "the two weeks before it"),
        ],
        [Happening(start, start + HOUR, "outage")],
    )


SCENES: tuple[Scene, ...] = (dublin, new_york, holidays, daily_job, weekly_job, deploy_window, quiet_nights)
