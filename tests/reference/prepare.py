"""``prepare`` written for reading: several passes over whole lists, no state, no cleverness."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

NAN = math.nan


def prepare(
    rows: Sequence[tuple[int, float]],
    *,
    interval_ns: int | None = None,
    resample_ns: int | None = None,
    aggregate: str = "mean",
    gap: str = "ignore",
    gap_value: float = 0.0,
    gap_limit: int = 288,
    counter: bool = False,
) -> tuple[list[tuple[int, float, bool]], list[int]]:
    """Points (time, value, imputed) of one series and the ordinal of every row."""
    readings = first_of_each_time(rows)
    if counter:
        readings = rates(readings)
    place = {time: time for time, _ in readings}
    if resample_ns:
        place = {time: time // resample_ns * resample_ns for time, _ in readings}
        readings = buckets(readings, resample_ns, aggregate)
    points = fill(readings, resample_ns or interval_ns, gap, gap_value, gap_limit)
    ordinal = {time: at for at, (time, _, _) in enumerate(points)}
    return points, [ordinal[place[time]] for time, _ in rows]


def first_of_each_time(rows: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    first: dict[int, float] = {}
    for time, value in rows:
        first.setdefault(time, value if math.isfinite(value) else NAN)
    return sorted(first.items())


def rates(readings: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    result = []
    for at, (time, value) in enumerate(readings):
        known = [(t, v) for t, v in readings[:at] if not math.isnan(v)]
        if math.isnan(value) or not known:
            result.append((time, NAN))
            continue
        then, before = known[-1]
        increase = value if value < before else value - before
        result.append((time, increase / ((time - then) / 1e9)))
    return result


def buckets(readings: Sequence[tuple[int, float]], width: int, aggregate: str) -> list[tuple[int, float]]:
    how = {"mean": lambda v: sum(v) / len(v), "sum": sum, "max": max, "last": lambda v: v[-1]}[aggregate]
    inside: dict[int, list[float]] = {}
    for time, value in readings:
        inside.setdefault(time // width * width, []).extend([] if math.isnan(value) else [value])
    return [(start, how(values) if values else NAN) for start, values in inside.items()]


def intervals(steps: Sequence[int]) -> list[tuple[int, float]]:
    """Interval and share of steps on it, as known before each step and after the last."""
    known: list[tuple[int, float]] = [(0, 0.0)]
    interval, counted, against = 0, [], []  # type: int, list[int], list[int]
    for step in steps:
        counted.append(step)
        against = [] if interval and near(step, interval) else [*against, step]
        if len(against) == (64 if interval else 32):
            interval, counted, against = sorted(against)[(len(against) - 1) // 2], against, []
        share = sum(near(s, interval) for s in counted) / len(counted) if interval else 0.0
        known.append((interval, share))
    return known


def near(step: int, interval: int) -> bool:
    return abs(step - interval) <= interval // 4


def fill(
    readings: Sequence[tuple[int, float]], given: int | None, gap: str, gap_value: float, limit: int
) -> list[tuple[int, float, bool]]:
    steps = [b[0] - a[0] for a, b in itertools.pairwise(readings)]
    learned = intervals(steps)
    points: list[tuple[int, float, bool]] = []
    known, run = NAN, 0.0
    for at, (time, value) in enumerate(readings):
        interval, share = (given, 1.0) if given else learned[max(at - 1, 0)]
        missing = 0
        if at and interval and share >= 0.9 and steps[at - 1] > 1.5 * interval:
            missing = math.floor(steps[at - 1] / interval + 0.5) - 1
        if gap == "ignore":
            points.append((time, value, False))
            continue
        if missing and run + missing > limit:
            missing, run = 0, math.inf
        for slot in range(1, missing + 1):
            then = time - steps[at - 1] + slot * interval
            line = known + (value - known) * (slot * interval / steps[at - 1])
            linear = known if math.isnan(value) else line
            word = {"zero": 0.0, "fixed": gap_value, "previous": known, "linear": linear, "model": NAN}
            points.append((then, word[gap], True))
            run += 1
        if not math.isnan(value):
            points.append((time, value, False))
            known, run = value, 0
            continue
        stand_in = {"zero": 0.0, "fixed": gap_value, "model": NAN}.get(gap, known)
        imputed = run < limit and not (math.isnan(stand_in) and gap != "model")
        points.append((time, stand_in if imputed else NAN, imputed))
        run += 1
    return points
