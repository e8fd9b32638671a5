"""Scenes of outages: found, one alert each, and never learned as normal."""

from __future__ import annotations

from watchband.core.duration import DAY, HOUR, MINUTE
from watchband.core.points import Float64, Int64
from watchband.evaluation.scenarios.promises import (
    alerted,
    lasting,
    no_more_alerts,
    one_alert,
    over_by,
    same_band,
    tells,
)
from watchband.evaluation.scenarios.scene import Happening, Play, Promise, Scene, scene
from watchband.evaluation.scenarios.shapes import at, every, traffic
from watchband.pipeline.prepare import Raw

_LEARNED = "the model learns the outage, and the next one passes for normal"
_SOURCES = (
    "opendistro-for-elasticsearch/anomaly-detection#388",
    "elementary-data/elementary#980",
    "elementary-data/elementary#1491",
)

Outages = list[tuple[int, int, float]]
"""From, until, and what is left of the traffic."""


def _with(times: Int64, values: Float64, outages: Outages) -> Float64:
    out = values.copy()
    for start, end, left in outages:
        out[(times >= start) & (times < end)] *= left
    return out


def _play(times: Int64, seed: int, outages: Outages, promises: list[Promise]) -> Play:
    values = traffic(times, seed)
    happenings = [Happening(start, end, "outage") for start, end, _ in outages]
    return Play(Raw.of(times, _with(times, values, outages)), promises, happenings, twin=Play(Raw.of(times, values)))


@scene(
    "outage-minutes",
    promise="Twenty minutes without traffic are one alert, and the same again a day later.",
    complaint=_LEARNED,
    sources=_SOURCES,
)
def minutes(seed: int) -> Play:
    """Twenty minutes to nearly nothing on the sixth day and an hour later on the next, a reading a minute."""
    times = every(MINUTE, 8 * DAY)
    first, second = at(5, 10, 20), at(6, 11, 20)
    outages = [(first, first + 20 * MINUTE, 0.02), (second, second + 20 * MINUTE, 0.02)]
    return _play(
        times,
        seed,
        outages,
        [
            alerted(first, first + 3 * MINUTE, "the first outage"),
            over_by(first, first + 20 * MINUTE, first + 80 * MINUTE, "it"),
            alerted(second, second + 3 * MINUTE, "the next one"),
            no_more_alerts(first + 21 * MINUTE, second, "the time between them"),
            same_band(first + 2 * HOUR, second, "from two hours after it"),
        ],
    )


@scene(
    "outage-hours",
    promise="An outage of six hours is one alert; a week later the next one is found as well.",
    complaint=_LEARNED,
    sources=_SOURCES,
)
def hours(seed: int) -> Play:
    """Six hours at a tenth of the traffic in the fourth week, and again a week later at another hour."""
    times = every(5 * MINUTE, 31 * DAY)
    first, second = at(22, 9), at(29, 13)
    outages = [(first, first + 6 * HOUR, 0.1), (second, second + 6 * HOUR, 0.1)]
    return _play(
        times,
        seed,
        outages,
        [
            alerted(first, first + 15 * MINUTE, "the first outage"),
            one_alert(first, first + 6 * HOUR, "it"),
            lasting(first, first + 6 * HOUR, "it", 5 * HOUR),
            alerted(second, second + 15 * MINUTE, "the next one"),
            no_more_alerts(first + 6 * HOUR, second, "the week between them"),
            same_band(first + DAY, second, "from the day after it"),
        ],
    )


@scene(
    "outage-same-hour",
    promise="Two outages at the same hour on two days are two outages, and that hour is expected as before.",
    complaint="what happened yesterday at this hour is taken for today's normal",
    sources=("opendistro-for-elasticsearch/anomaly-detection#388", "elementary-data/elementary#1589"),
)
def same_hour(seed: int) -> Play:
    """Two hours at a tenth of the traffic from ten o'clock on two consecutive days."""
    times = every(5 * MINUTE, 26 * DAY)
    first, second = at(22, 10), at(23, 10)
    outages = [(first, first + 2 * HOUR, 0.1), (second, second + 2 * HOUR, 0.1)]
    return _play(
        times,
        seed,
        outages,
        [
            alerted(first, first + 15 * MINUTE, "the first outage"),
            alerted(second, second + 15 * MINUTE, "the second"),
            no_more_alerts(second + 2 * HOUR, at(26), "traffic as usual on the days after"),
            same_band(at(24, 9), at(24, 13), "at that hour of the next day"),
        ],
    )


@scene(
    "outage-early",
    promise="An outage on the first day of a series is found, and the return to normal is no alert.",
    complaint="a detector is blind while it initialises, or starts by learning an outage",
    sources=("opensearch-project/anomaly-detection#576", "opensearch-project/OpenSearch#3630"),
    detectors=("auto", "seasonal_band"),
)
def early(seed: int) -> Play:
    """An hour and a half without traffic ten hours after the first reading, a reading a minute."""
    times = every(MINUTE, 2 * DAY)
    start = at(0, 10)
    end = start + 90 * MINUTE
    return _play(
        times,
        seed,
        [(start, end, 0.02)],
        [
            alerted(start, start + 5 * MINUTE, "the outage"),
            no_more_alerts(end, end + 6 * HOUR, "the return to normal"),
            same_band(end + 2 * HOUR, end + 8 * HOUR, "two hours after its end", moved=1.0, wider=3.5),
        ],
    )


@scene(
    "outage-long",
    promise="An outage of 20 hours is one alert that stays open to the end, and the day after is judged as ever.",
    complaint="after some hours an outage has become normal, and the recovery is what is alerted",
    sources=("opensearch-project/project-website#4006", "opendistro-for-elasticsearch/anomaly-detection#388"),
)
def long(seed: int) -> Play:
    """Twenty hours at a fifth of the traffic, from six in the morning of a Tuesday in the fourth week."""
    times = every(5 * MINUTE, 29 * DAY)
    start = at(22, 6)
    end = start + 20 * HOUR
    return _play(
        times,
        seed,
        [(start, end, 0.05)],
        [
            alerted(start, start + HOUR, "the outage"),
            one_alert(start, end, "it"),
            lasting(start, end, "it", 5 * HOUR),
            tells(start, end, "the alert does not call it the new normal", lambda a: not a.adopted),
            no_more_alerts(end, at(29), "the time after it"),
            same_band(end + 6 * HOUR, at(29), "from six hours after it"),
            same_band(start + 6 * HOUR, end, "also inside it", moved=1.5, wider=8.0),
        ],
    )


SCENES: tuple[Scene, ...] = (minutes, hours, same_hour, early, long)
