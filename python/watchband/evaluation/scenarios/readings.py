"""Scenes of readings that come badly: holes, bursts, late, twice, stuck, nothing but zero, resets, another cadence."""

from __future__ import annotations

import numpy as np

from watchband.core.duration import DAY, HOUR, MINUTE
from watchband.evaluation.scenarios.promises import (
    alerted,
    as_without,
    counted,
    no_more_alerts,
    same_band,
)
from watchband.evaluation.scenarios.scene import Happening, Play, Scene, scene
from watchband.evaluation.scenarios.shapes import at, every, point, traffic
from watchband.pipeline.prepare import Prepare, Raw

_MISSING = "missing is taken for zero, zero for an outage, and the recovery for an anomaly"
_MISSING_SOURCES = (
    "opensearch-project/project-website#4006",
    "getsentry/seer#913",
    "hastic/hastic-server#677",
    "apache/pinot#6428",
)


@scene(
    "gap",
    promise="Six hours without readings, and a day without, give no alert; what comes after is judged at once.",
    complaint=_MISSING,
    sources=_MISSING_SOURCES,
)
def gap(seed: int) -> Play:
    """Two holes, and a quarter of an hour at double traffic three hours after the second."""
    times = every(5 * MINUTE, 26 * DAY)
    values = traffic(times, seed)
    holes = [(at(21, 8), at(21, 14)), (at(23, 9), at(24, 9))]
    spike = at(24, 12)
    values[(times >= spike) & (times < spike + 15 * MINUTE)] *= 2
    kept = ~np.logical_or.reduce([(times >= a) & (times < b) for a, b in holes])
    return Play(
        Raw.of(times[kept], values[kept]),
        [
            no_more_alerts(holes[0][0], holes[1][0], "the first hole"),
            no_more_alerts(holes[1][0], spike, "the second"),
            counted("holes that were counted", lambda c: float(c.quality[0].gaps), 2, 2),
            alerted(spike, spike + 10 * MINUTE, "double traffic three hours after the second"),
        ],
        [Happening(a, b, "no readings") for a, b in holes] + [Happening(spike, spike + 15 * MINUTE, "double traffic")],
        twin=Play(Raw.of(times, values)),
    )


def _cut(raw_times: np.ndarray, values: np.ndarray, ends: list[int]) -> list[Raw]:
    pieces = np.split(np.arange(len(raw_times)), ends)
    return [Raw.of(raw_times[p], values[p]) for p in pieces if len(p)]


@scene(
    "bursts",
    promise="Readings that arrive in bursts, out of order within each, are judged as if each had come in time.",
    complaint="the verdict depends on when the job ran and what had arrived",
    sources=("elastic/kibana#275289", "VictoriaMetrics/VictoriaMetrics: vmanomaly changelog 1.29.0, 1.30.1"),
)
def bursts(seed: int) -> Play:
    """Deliveries of 1 to 40 readings, shuffled."""
    times = every(5 * MINUTE, 16 * DAY)
    values = traffic(times, seed)
    values[point(times, at(15, 10)) :][:3] *= 2
    rng = np.random.default_rng([seed, 9])
    ends = np.cumsum(rng.integers(1, 41, len(times)))
    ends = ends[ends < len(times)]
    order = np.concatenate([rng.permutation(piece) for piece in np.split(np.arange(len(times)), ends)])
    return Play(
        Raw.of(times[order], values[order]),
        [as_without("readings in bursts"), alerted(at(15, 10), at(15, 10, 15), "double traffic")],
        [Happening(at(15, 10), at(15, 10, 15), "double traffic")],
        twin=Play(Raw.of(times, values)),
        batches=_cut(times[order], values[order], ends.tolist()),
    )


@scene(
    "late",
    promise="Readings that come after newer ones were judged are counted and change nothing.",
    complaint="late data is alerted, or never is, and nobody says that it was late",
    sources=("opendistro-for-elasticsearch/alerting-kibana-plugin#215", "elastic docs: handling delayed data"),
)
def late(seed: int) -> Play:
    """Hourly deliveries of twelve readings; in every fourth one comes an hour late."""
    times = every(5 * MINUTE, 16 * DAY)
    values = traffic(times, seed)
    rng = np.random.default_rng([seed, 10])
    hours = np.arange(len(times)).reshape(-1, 12)
    # One of the first nine readings of an hour, so that newer ones of its own hour come before it.
    tardy = (hours[np.arange(len(hours)), rng.integers(0, 9, len(hours))])[:-1][rng.random(len(hours) - 1) < 0.25]
    batches = []
    waiting: list[int] = []
    for hour in hours:
        now = [*waiting, *np.setdiff1d(hour, tardy).tolist()]
        waiting = np.intersect1d(hour, tardy).tolist()
        batches.append(Raw.of(times[now], values[now]))
    arrived = np.ones(len(times), bool)
    arrived[tardy] = False
    everything = Raw.of(np.concatenate([b.times for b in batches]), np.concatenate([b.values for b in batches]))
    return Play(
        everything,
        [
            counted("late readings, each counted", lambda c: float(c.quality[0].late), len(tardy), len(tardy)),
            as_without("late readings"),
        ],
        twin=Play(Raw.of(times[arrived], values[arrived])),
        batches=batches,
    )


@scene(
    "duplicated",
    promise="Readings sent twice, the second time with another value, count once.",
    complaint="a retry of the agent doubles the alerts",
    sources=("elastic/kibana#259287",),
)
def duplicated(seed: int) -> Play:
    """A third of the readings come again in the same delivery, ten times as large."""
    times = every(5 * MINUTE, 16 * DAY)
    values = traffic(times, seed)
    again = np.random.default_rng([seed, 11]).random(len(times)) < 1 / 3
    index = np.repeat(np.arange(len(times)), 1 + again)
    repeats = np.r_[False, index[1:] == index[:-1]]
    return Play(
        Raw.of(times[index], np.where(repeats, 10.0, 1.0) * values[index]),
        [
            as_without("repeats"),
            counted("repeats, each counted", lambda c: float(c.quality[0].duplicates), again.sum(), again.sum()),
        ],
        twin=Play(Raw.of(times, values)),
    )


@scene(
    "stuck",
    promise="A sensor that repeats one value for six hours does not teach that nothing moves: the band stays, and "
    "when it moves again that is no alert.",
    complaint="a stuck sensor becomes the norm, and its repair is the anomaly",
    sources=("opendistro-for-elasticsearch/anomaly-detection#388", "openhab/openhab-addons#18291"),
)
def stuck(seed: int) -> Play:
    """Six hours of one value at night, where it lies within the band for some time."""
    times = every(5 * MINUTE, 26 * DAY)
    values = traffic(times, seed)
    start, end = at(22, 1), at(22, 7)
    frozen = values.copy()
    inside = (times >= start) & (times < end)
    frozen[inside] = frozen[point(times, start)]
    return Play(
        Raw.of(times, frozen),
        [
            no_more_alerts(end, at(26), "the time after it"),
            same_band(end + 6 * HOUR, at(26), "from six hours after it"),
        ],
        [Happening(start, end, "stuck")],
        twin=Play(Raw.of(times, values)),
    )


@scene(
    "constant-zero",
    promise="A metric that is always 0 gives no alert for two weeks, and the first 5 does.",
    complaint="a constant metric is anomalous for ever, or never",
    sources=("netdata/netdata#12967", "VictoriaMetrics/VictoriaMetrics: vmanomaly changelog 1.29.6"),
)
def constant_zero(seed: int) -> Play:
    """Two weeks of 0, then a 5 for a quarter of an hour."""
    times = every(5 * MINUTE, 15 * DAY)
    values = np.zeros(len(times))
    start = at(14, 3 + seed % 12)
    values[(times >= start) & (times < start + 15 * MINUTE)] = 5
    return Play(
        Raw.of(times, values),
        [
            counted("alerts in the two weeks before", lambda c: float(len(c.opened(at(0), start))), 0, 0),
            alerted(start, start + 15 * MINUTE, "its first 5"),
        ],
        [Happening(start, start + 15 * MINUTE, "5")],
        metric="failures",
    )


@scene(
    "counter-reset",
    promise="A counter that starts again from 0 gives no alert, and a halved rate does.",
    complaint="every restart of a process is a spike or a negative rate",
    sources=("earthgecko/skyline: counters to derivatives",),
)
def counter_reset(seed: int) -> Play:
    """A counter of requests that is reset five times; later an hour at a tenth of the rate."""
    times = every(5 * MINUTE, 24 * DAY)
    rate = traffic(times, seed)
    start = at(23, 10)
    rate[(times >= start) & (times < start + HOUR)] *= 0.1
    resets = [at(day, 9, 3) for day in (8, 12, 15, 19, 22)]
    total = np.cumsum(rate)
    plain = total.copy()
    for moment in resets:
        total[times >= moment] -= total[point(times, moment) - 1]
    return Play(
        Raw.of(times, total),
        [
            *[no_more_alerts(m, m + 2 * HOUR, f"reset {i}") for i, m in enumerate(resets, 1)],
            counted("resets, each counted", lambda c: float(c.quality[0].counter_resets), 5, 5),
            alerted(start, start + 15 * MINUTE, "a tenth of the rate"),
        ],
        [Happening(m, m + 5 * MINUTE, "reset") for m in resets] + [Happening(start, start + HOUR, "low rate")],
        twin=Play(Raw.of(times, plain), prepare=Prepare(counter=True)),
        prepare=Prepare(counter=True),
        metric="requests_total",
    )


@scene(
    "other-cadence",
    promise="A metric that moves from a reading a minute to one in five gives no alert, and is judged as before.",
    complaint="a changed scrape interval is thousands of gaps, or a model that starts anew",
    sources=("grafana/promql-anomaly-detection#16",),
)
def other_cadence(seed: int) -> Play:
    """Eight days a reading a minute, then every five; an outage of an hour three days later."""
    times = every(MINUTE, 13 * DAY)
    values = traffic(times, seed)
    change, start = at(8, 11), at(11, 10)
    values[(times >= start) & (times < start + HOUR)] *= 0.1
    kept = (times < change) | ((times // MINUTE) % 5 == 0)
    return Play(
        Raw.of(times[kept], values[kept]),
        [
            no_more_alerts(change, start, "the change of cadence"),
            alerted(start, start + 15 * MINUTE, "an outage three days later"),
            same_band(change + DAY, start, "from a day after the change", wider=1.6),
        ],
        [Happening(change, int(times[-1]) + 1, "every 5 minutes"), Happening(start, start + HOUR, "outage")],
        twin=Play(Raw.of(times, values)),
    )


SCENES: tuple[Scene, ...] = (
    gap,
    bursts,
    late,
    duplicated,
    stuck,
    constant_zero,
    counter_reset,
    other_cadence,
)
