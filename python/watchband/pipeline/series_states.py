"""SeriesState: how the series of a watch are now, why one does not alert, and when it will be ready to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from watchband.core import wording
from watchband.core.duration import MINUTE, format_duration
from watchband.core.points import Float64, Int64
from watchband.core.series import SeriesKey
from watchband.pipeline.policy import MEANING, SUPPRESSED, Event
from watchband.pipeline.raw import Raw
from watchband.pipeline.watch_state import WatchState

if TYPE_CHECKING:
    from watchband.pipeline.watch import Watch

NEVER = int(np.iinfo(np.int64).min)
_PROBE, _PROBE_MAX = 128, 16_384
"""Points of noise that a watch is shown to learn when it first has an opinion."""


class SeriesState(IntEnum):
    """How a series is, with CloudWatch's words."""

    OK = 0
    ALARM = 1
    INSUFFICIENT_DATA = 2
    NO_DATA = 3


def states(watch: Watch, state: WatchState) -> NDArray[np.int8]:
    """The ``SeriesState`` of every series: int8[series]. Some 10 ns a series."""
    found = np.full(len(state.keys), int(SeriesState.OK), np.int8)
    found[watch.decide.judged(state.decide) == 0] = SeriesState.INSUFFICIENT_DATA
    alarm = watch.decide.is_open(state.decide)
    if watch.pulse and state.pulse:
        found[watch.pulse.silent(state.pulse)] = SeriesState.NO_DATA
        alarm = alarm | watch.pulse.stuck(state.pulse)
        # What is silent has no value that could be strange, unless missing data is what the watch looks for.
        alarm = alarm & ((found != SeriesState.NO_DATA) | (watch.policy.missing == "breaching"))
    found[alarm] = SeriesState.ALARM
    return found


def tallies(watch: Watch, state: WatchState) -> dict[str, Int64]:
    """What was counted of every series so far: int64[series] by name.

    ``rows`` readings, of these ``nan`` and ``infinite`` without a value, ``duplicates`` and ``late`` ones; ``missing``
    readings that an interval would have had; ``imputed`` points; ``zero`` readings, ``stuck`` ones while a value was
    known to stand still, and ``silences`` that were told. Missing, zero, late and stuck are four different things.
    """
    found = watch.prepare.counts_of_each(state.prepare)
    found["missing"] = found.pop("missing_slots")
    if watch.pulse and state.pulse:
        found.update(watch.pulse.counts(state.pulse))
    return found


def warm_up(watch: Watch) -> int:
    """Points until a watch has its first opinion of a series, found by showing it noise; 0 if it never has one."""
    state = watch.start([SeriesKey("probe")])
    slot = 0 if watch.join is None or watch.join.slot_ns == 1 else watch.join.slot_ns
    step = slot or watch.prepare.resample_ns or watch.prepare.interval_ns or MINUTE
    rng, first, count = np.random.default_rng(0), 0, _PROBE
    further = 0 if watch.join is None else len(watch.join.columns) - 1
    low, high = watch.policy.logical_range
    middle = (low + high) / 2 if math.isfinite(low + high) else max(low, 0.0) if math.isfinite(low) else min(high, 10.0)
    while first < _PROBE_MAX:
        times = (first + np.arange(count)) * step
        raw = Raw.of(times, middle + np.abs(rng.normal(0.5, 0.1, count)))
        if further:
            raw = replace(raw, further=middle + np.abs(rng.normal(0.5, 0.1, (count, further))))
        results = watch.step(state, raw)
        spoke = np.flatnonzero(np.isfinite(results.p_value) | np.isfinite(results.limit_above))
        if len(spoke):
            return int(results.ordinal[spoke[0]]) + 1
        first, count = first + count, first + count
    return 0


@dataclass(frozen=True, slots=True, eq=False)
class Readiness:
    """When series have their first opinion.

    Parameters
    ----------
    left : int64[series]
        Points until then; 0 where there is one.
    at : int64[series]
        About when that is, ns UTC, if the series goes on as it does; ``NEVER`` where its rhythm is not known.
    """

    left: Int64
    at: Int64


def readiness(watch: Watch, state: WatchState) -> Readiness:
    """When every series of a state will be ready."""
    waiting = watch.decide.judged(state.decide) == 0
    left = np.where(waiting, np.maximum(1, watch.warm_up - state.decide.points_seen), 0)
    step = steps(watch, state)
    known = (step > 0) & (state.prepare.last_time != NEVER)
    at = np.where(known, state.prepare.last_time + left * step, NEVER)
    return Readiness(left, at)


def steps(watch: Watch, state: WatchState) -> Int64:
    """Distance of two points of every series, ns; 0 while it is not known: int64[series]."""
    if watch.prepare.resample_ns:
        return np.full(len(state.keys), watch.prepare.resample_ns, np.int64)
    interval = watch.prepare.intervals(state.prepare)
    if watch.pulse and state.pulse:
        interval = np.where(interval > 0, interval, watch.pulse.usual_step_ns(state.pulse).astype(np.int64))
    return interval


@dataclass(frozen=True, slots=True)
class Why:
    """Why a series alerts or does not.

    Parameters
    ----------
    standing : SeriesState
        How it is.
    time : int
        Event time of the last reading, ns UTC; ``NEVER`` before the first.
    score : float
        anomaly_score of the last judged point after the policies; NaN before the first. Above 1 counts.
    reasons : tuple of str
        Sentences, what matters most first.
    """

    standing: SeriesState
    time: int
    score: float
    reasons: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "state": self.standing.name,
            "time": None if self.time == NEVER else self.time,
            "score": None if math.isnan(self.score) else self.score,
            "reasons": list(self.reasons),
        }


def why(watch: Watch, state: WatchState, key: SeriesKey) -> Why | None:
    """Why a series alerts or does not; None where the watch has not seen it."""
    row = state.rows.get(key)
    if row is None:
        return None
    standing = SeriesState(int(states(watch, state)[row]))
    scores = watch.decide.last_scores(state.decide, row)
    score = float(scores[-1]) if scores[-1] >= 0 else math.nan
    time = int(state.prepare.last_time[row])
    reasons = [
        *_silent(watch, state, row),
        *_warming(watch, state, row),
        *_muted(state, row, time),
        *_opening(watch, state, row, scores),
        *_suppressed(watch, state, row),
        *_limits(watch, score),
        *_late(watch, state, row),
    ]
    return Why(standing, time, score, tuple(reasons))


def _moment(time: int, watch: Watch) -> str:
    return str(wording.moment(time, watch.zone))


def _silent(watch: Watch, state: WatchState, row: int) -> list[str]:
    if not watch.pulse or not state.pulse or not watch.pulse.silent(state.pulse)[row]:
        return []
    last = int(watch.pulse.last_time(state.pulse)[row])
    text = f"It has sent nothing since {_moment(last, watch)}."
    if watch.policy.missing in ("ignore", "not_breaching"):
        text += f" This watch takes missing data as '{watch.policy.missing}' and tells nobody."
    return [text]


def _warming(watch: Watch, state: WatchState, row: int) -> list[str]:
    ready = readiness(watch, state)
    if not ready.left[row]:
        return []
    text = f"It warms up: {int(ready.left[row])} more points until the first opinion"
    at = int(ready.at[row])
    return [f"{text}, until about {_moment(at, watch)}." if at != NEVER else f"{text}."]


def _muted(state: WatchState, row: int, time: int) -> list[str]:
    windows = state.upstream.windows
    return [
        f"Window {(window.title or window.name)!r} mutes it."
        for window in windows.events()
        if window.action == "mute" and window.start <= time < window.end and windows.matching(window, state.keys)[row]
    ]


def _opening(watch: Watch, state: WatchState, row: int, scores: Float64) -> list[str]:
    if watch.decide.is_open(state.decide)[row]:
        quiet, level = watch.policy.close_after, watch.policy.close_level
        return [f"An alert is open; {quiet} points in a row at most {level:g} of the limit close it."]
    found = []
    policy = watch.policy
    above: Sequence[bool] = (scores > 1).tolist()
    run = next((n for n, beyond in enumerate(reversed(above)) if not beyond), len(above))
    if policy.consecutive > 1 and 0 < run < policy.consecutive:
        found.append(f"It waits: {run} of {policy.consecutive} consecutive points are beyond the limit.")
    if policy.m_of_n and 0 < sum(above[-policy.m_of_n[1] :]) < policy.m_of_n[0]:
        m, n = policy.m_of_n
        found.append(f"It waits: {sum(above[-n:])} of the last {n} points are beyond the limit, {m} open an alert.")
    cooling = int(watch.decide.cooling(state.decide)[row])
    if cooling:
        step = int(steps(watch, state)[row])
        lasting = f", about {format_duration(cooling * step)}" if step else ""
        found.append(f"It cools down after the last alert for {cooling} more points{lasting}.")
    return found


def _suppressed(watch: Watch, state: WatchState, row: int) -> list[str]:
    last = watch.decide.last_events(state.decide, row)
    kinds = [event for event in Event if event in last and event in SUPPRESSED | Event.MISSING]
    told = (Event.WAITING, Event.COOLING, Event.MUTED)
    return [f"The last point: {MEANING[event]}." for event in kinds if event not in told]


def _limits(watch: Watch, score: float) -> list[str]:
    if math.isnan(score) or score > 1:
        return []
    policy = watch.policy
    found = [f"The last score is {score:.2f} of the limit."]
    if policy.direction != "both":
        found.append(f"Only values {policy.direction} the band count.")
    if policy.min_deviation or policy.min_deviation_relative:
        least = [f"{policy.min_deviation:g}"] if policy.min_deviation else []
        least += [f"{100 * policy.min_deviation_relative:g} %"] if policy.min_deviation_relative else []
        found.append(f"Points within {' or '.join(least)} of the expected value do not count.")
    return found


def _late(watch: Watch, state: WatchState, row: int) -> list[str]:
    late = int(watch.prepare.counts_of_each(state.prepare)["late"][row])
    if not late:
        return []
    return [f"{late} readings came too late to be judged; they are kept, and 'watchband recompute' judges them."]
