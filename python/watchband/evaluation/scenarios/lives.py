"""Scenes of a service's life and of its budget: restarts, first hours, rare events, clean metrics of every kind."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from watchband.core.duration import DAY, HOUR, MINUTE, WEEK
from watchband.evaluation.scenarios.promises import alerted, as_without, keeps_budget, one_alert
from watchband.evaluation.scenarios.scene import Happening, Play, Scene, scene
from watchband.evaluation.scenarios.shapes import START, at, counts, every, point, traffic
from watchband.evaluation.simulate.kinds import KINDS
from watchband.pipeline.prepare import Raw
from watchband.pipeline.rules import Budget

MONTH = 30 * DAY


@scene(
    "restart",
    promise="Restarts in the middle of an incident change nothing: the same alert, the same identity, no second one.",
    complaint="after a restart models start cold, and open alerts are sent again",
    sources=("numenta/nupic#3021", "SeldonIO/alibi-detect#827", "elastic/kibana#259287"),
)
def restart(seed: int) -> Play:
    """An outage of two hours in which the process ends and comes back three times."""
    times = every(5 * MINUTE, 16 * DAY)
    values = traffic(times, seed)
    start = at(15, 10)
    end = start + 2 * HOUR
    values[(times >= start) & (times < end)] *= 0.1
    whole = Raw.of(times, values)
    cuts = [point(times, start) + k for k in (1, 6, 20)] + [point(times, end) + 4]
    pieces = [Raw.of(times[p], values[p]) for p in np.split(np.arange(len(times)), cuts)]
    return Play(
        whole,
        [one_alert(start, end, "the outage"), as_without("with restarts")],
        [Happening(start, end, "outage, restarts")],
        twin=Play(whole),
        batches=pieces,
        through_bytes=True,
    )


@scene(
    "first-hours",
    promise="Forty new series send at most twice their budget in their first day, and an outage in it is found.",
    complaint="days of initialisation, or a flood while the model warms up",
    sources=(
        "opensearch-project/anomaly-detection#576",
        "andrewm4894/anomstack#171",
        "Datadog: three weeks of history",
    ),
    detectors=("auto", "seasonal_band"),
    once=True,
)
def first_hours(seed: int) -> Play:
    """A day of forty new series, a reading a minute, under a budget of one alert a day."""
    times = every(MINUTE, DAY)
    series = [traffic(times, 1000 * seed + i, level=50 * 1.2**i) for i in range(40)]
    return Play(
        Raw.fleet([(times, values) for values in series]),
        [keeps_budget(2.0, what="in the first day")],
        rule=Budget(1, DAY),
    )


@scene(
    "first-outage",
    promise="Two hours after its first reading a series that stops working is an alert.",
    complaint="nothing is found for days after the start",
    sources=("opensearch-project/OpenSearch#3630", "andrewm4894/anomstack#171"),
)
def first_outage(seed: int) -> Play:
    """Two hours of readings a minute from ten in the morning, then nearly nothing."""
    times = every(MINUTE, 4 * HOUR, start=at(1, 10))
    values = traffic(times, seed)
    start = at(1, 12)
    values[times >= start] *= 0.05
    return Play(
        Raw.of(times, values),
        [alerted(start, start + 5 * MINUTE, "the outage")],
        [Happening(start, int(times[-1]) + 1, "outage")],
    )


@scene(
    "rare-events",
    promise="Events that come 0.3 times a minute keep a budget of one alert a month within twice.",
    complaint="low counts are too noisy to be watched",
    sources=("getsentry/sentry#107649", "earthgecko/skyline: 0 to 7 sent a day", "PostHog/posthog#62037"),
    detectors=("auto", "seasonal_band"),
    once=True,
)
def rare_events(seed: int) -> Play:
    """Four series of a month, a reading a minute, and nothing happens."""
    times = every(MINUTE, MONTH)
    return Play(
        Raw.fleet([(times, counts(times, 100 * seed + i, 0.3)) for i in range(4)]),
        [keeps_budget(2.0)],
        rule=Budget(1, MONTH),
        metric="errors",
    )


@scene(
    "rare-events-burst",
    promise="Among events that come 0.3 times a minute a minute with fifteen is an alert, under one alert a month.",
    complaint="what keeps rare events quiet hides the one burst that matters",
    sources=("getsentry/sentry#107649", "PostHog/posthog#62037"),
    detectors=("auto", "seasonal_band"),
)
def rare_events_burst(seed: int) -> Play:
    """Two weeks of rare events, then a minute with fifteen."""
    times = every(MINUTE, 15 * DAY)
    values = counts(times, seed, 0.3)
    start = at(14, 10)
    values[point(times, start)] = 15
    return Play(
        Raw.of(times, values),
        [alerted(start, start + MINUTE, "the burst")],
        [Happening(start, start + MINUTE, "burst")],
        rule=Budget(1, MONTH),
        metric="errors",
    )


def clean(seed: int, series: int, points: int, rule: Budget, kinds: Sequence[str] = tuple(KINDS)) -> Play:
    """Clean metrics of some kinds, ``series`` of each, and nothing happens: the budget's own scene."""
    times = START + 5 * MINUTE * np.arange(points, dtype=np.int64)
    order = list(KINDS)
    values = [
        KINDS[kind](np.random.default_rng([seed, 12, order.index(kind), i]), points).values
        for kind in kinds
        for i in range(series)
    ]
    return Play(Raw.fleet([(times, v) for v in values]), [keeps_budget(2.0)], rule=rule, metric="clean")


def _budget(name: str, period: int, words: str) -> Scene:
    @scene(
        name,
        promise=f"Clean metrics of all simulated kinds together keep a budget of one alert a {words} within twice.",
        complaint="nobody publishes a false-alarm rate that can be checked",
        sources=("Netdata documentation, ML accuracy: a bound of 10^-36", "opensearch-project/project-website#3524"),
        once=True,
    )
    def play(seed: int) -> Play:
        return clean(seed, 2, 6000, Budget(1, period))

    return play


budget_day = _budget("budget-day", DAY, "day")
budget_week = _budget("budget-week", WEEK, "week")
budget_month = _budget("budget-month", MONTH, "month")

SCENES: tuple[Scene, ...] = (
    restart,
    first_hours,
    first_outage,
    rare_events,
    rare_events_burst,
    budget_day,
    budget_week,
    budget_month,
)
