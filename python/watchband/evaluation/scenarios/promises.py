"""What scenes promise: each function gives one promise, in words and as a check."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from watchband.core.alert import Alert
from watchband.core.duration import format_duration
from watchband.core.points import Float64
from watchband.evaluation.scenarios.scene import Course, Measure, Promise
from watchband.evaluation.scenarios.shapes import START
from watchband.pipeline.rules import Budget

FOREVER = 2**62


def _at(moment: int) -> str:
    return f"{format_duration((moment - START) // 1_000_000_000 * 1_000_000_000)} in"


def _names(alerts: list[Alert]) -> str:
    return ", ".join(f"{alert.kind} {_at(alert.opened)}" for alert in alerts[:4]) or "none"


def alerted(start: int, end: int, what: str) -> Promise:
    """An alert opens from ``start`` to before ``end``."""

    def check(course: Course) -> Measure:
        found = course.opened(start, end)
        if found:
            late = found[0].decided - start
            return Measure(True, f"after {format_duration(late)}" if late else "at once")
        before = [a for a in course.alerts if a.opened < start and (a.closed is None or a.closed >= start)]
        return Measure(False, f"an alert of {_at(before[-1].opened)} was still open" if before else "no alert")

    return Promise(f"{what} is alerted within {format_duration(end - start)}", check)


def one_alert(start: int, end: int, what: str, most: int = 1) -> Promise:
    """At least one and at most ``most`` alerts open from ``start`` to before ``end``."""

    def check(course: Course) -> Measure:
        found = course.opened(start, end)
        return Measure(1 <= len(found) <= most, f"{len(found)}: {_names(found)}")

    count = "one alert" if most == 1 else f"one to {most} alerts"
    return Promise(f"{what} is {count}", check)


def _budgeted(course: Course, start: int, end: int) -> float:
    """Alerts that the rule's budget allows from ``start`` to before ``end``, over all series."""
    rule = course.play.rule
    assert isinstance(rule, Budget)
    return course.play.raw.series * rule.alerts * (end - start) / rule.period_ns


def no_more_alerts(start: int, end: int, what: str) -> Promise:
    """From ``start`` to before ``end`` no more alerts open than in the twin, but for noise within the budget."""
    return no_more_alerts_in([(start, end)], what)


def no_more_alerts_in(spans: Sequence[tuple[int, int]], what: str) -> Promise:
    """The same of several stretches together."""

    def check(course: Course) -> Measure:
        assert course.twin is not None
        here = [alert for span in spans for alert in course.opened(*span)]
        there = sum(len(course.twin.opened(*span)) for span in spans)
        said = f"{len(here)} ({_names(here)}), {there} without"
        return Measure(len(here) <= there, said, len(here) - there, sum(_budgeted(course, *span) for span in spans))

    return Promise(f"{what} gives no alerts of its own", check)


def quiet(start: int, end: int, what: str) -> Promise:
    """From ``start`` to before ``end`` no more alerts open than the budget allows for noise."""

    def check(course: Course) -> Measure:
        found = course.opened(start, end)
        return Measure(not found, f"{len(found)}: {_names(found)}", len(found), _budgeted(course, start, end))

    return Promise(f"{what} gives no more alerts than its budget", check)


def lasting(start: int, until: int, what: str, slack: int) -> Promise:
    """The alert that opened about ``start`` is open until ``until`` and closes within ``slack`` after it."""

    def check(course: Course) -> Measure:
        found = [a for a in course.opened(start, until) if a.closed is None or a.closed >= until]
        if not found:
            return Measure(False, "no alert lasted until its end")
        closed = found[0].closed
        if closed is None:
            return Measure(False, "still open")
        return Measure(closed <= until + slack, f"closed {format_duration(closed - until)} after")

    return Promise(f"the alert on {what} stays open to its end and closes within {format_duration(slack)}", check)


def over_by(start: int, until: int, end: int, what: str, kind: str = "") -> Promise:
    """Every alert that opened from ``start`` to before ``until`` has closed by ``end``."""

    def check(course: Course) -> Measure:
        found = [a for a in course.opened(start, until) if not kind or a.kind == kind]
        open_ = [a for a in found if a.closed is None or a.closed > end]
        last = max((a.closed for a in found if a.closed is not None), default=start)
        return Measure(bool(found) and not open_, f"{len(open_)} open" if open_ else f"closed by {_at(last)}")

    return Promise(f"no alert on {what} is open after {format_duration(end - start)}", check)


def tells(start: int, end: int, what: str, told: Callable[[Alert], bool]) -> Promise:
    """Of the alerts that opened from ``start`` to before ``end`` one says so."""

    def check(course: Course) -> Measure:
        found = course.opened(start, end)
        right = [a for a in found if told(a)]
        return Measure(bool(right), (right or found)[0].reason if found else "no alert")

    return Promise(what, check)


def _paired(course: Course, start: int, end: int) -> tuple[dict[str, Float64], dict[str, Float64]]:
    """Expected value and band of the course and of its twin at the times both have."""
    assert course.twin is not None
    columns = ("y", "yhat", "yhat_lower", "yhat_upper")
    sides = []
    for one in (course, course.twin):
        inside = one.within(start, end)
        sides.append((one.results.time[inside], {k: getattr(one.results, k)[inside] for k in columns}))
    _, i, j = np.intersect1d(sides[0][0], sides[1][0], return_indices=True)
    return {k: v[i] for k, v in sides[0][1].items()}, {k: v[j] for k, v in sides[1][1].items()}


def same_band(start: int, end: int, what: str, *, moved: float = 0.5, wider: float = 1.5) -> Promise:
    """From ``start`` to before ``end`` the band is where it would be anyway.

    ``moved`` is in half widths of the twin's band (the 90 % quantile of the distance of expected values), ``wider``
    a factor of the median width.
    """

    def check(course: Course) -> Measure:
        here, there = _paired(course, start, end)
        half = np.nanmedian(there["yhat_upper"] - there["yhat_lower"]) / 2
        shift = float(np.nanquantile(np.abs(here["yhat"] - there["yhat"]), 0.9) / half)
        width = float(np.nanmedian(here["yhat_upper"] - here["yhat_lower"]) / (2 * half))
        held = shift <= moved and width <= wider
        return Measure(held, f"moved by {shift:.2g} half widths, {width:.2g} times as wide")

    return Promise(
        f"{what} the band is where it would be anyway: expected values within {moved:g} half widths, at most {wider:g} "
        "times as wide",
        check,
    )


def as_without(what: str, start: int = -FOREVER, end: int = FOREVER) -> Promise:
    """From ``start`` to before ``end`` every verdict and alert equals the twin's, bit for bit."""

    def check(course: Course) -> Measure:
        assert course.twin is not None
        here, there = course.within(start, end), course.twin.within(start, end)
        columns = ("time", "y", "yhat_lower", "yhat_upper", "anomaly_score", "alert_score")
        unequal = [
            k
            for k in columns
            if getattr(course.results, k)[here].tobytes() != getattr(course.twin.results, k)[there].tobytes()
        ]
        ids = [a.id for a in course.opened(start, end)] == [a.id for a in course.twin.opened(start, end)]
        equal = ids and not unequal
        return Measure(equal, "equal" if equal else f"unequal: {', '.join(unequal) or 'alerts'}")

    return Promise(f"{what}: the same verdicts and alerts, bit for bit", check)


def covers(start: int, end: int, what: str, share: float = 0.9) -> Promise:
    """From ``start`` to before ``end`` the band contains most values."""

    def check(course: Course) -> Measure:
        inside = course.within(start, end) & np.isfinite(course.results.anomaly_score)
        found = float(1 - course.strange[inside].mean())
        return Measure(found >= share, f"{100 * found:.3g} %")

    return Promise(f"{what} {100 * share:g} % of the values lie in the band", check)


def counted(words: str, measure: Callable[[Course], float], least: float, most: float = math.inf) -> Promise:
    """A number of the course lies between two."""

    def check(course: Course) -> Measure:
        found = measure(course)
        return Measure(least <= found <= most, f"{found:.4g}")

    return Promise(words, check)


def keeps_budget(times: float = 2.0, what: str = "the budget is kept") -> Promise:
    """Alerts of clean series do not refute that their rate is at most ``times`` the promised one."""

    def check(course: Course) -> Measure:
        rule, raw = course.play.rule, course.play.raw
        assert isinstance(rule, Budget)
        spans = [int(raw.times[b - 1] - raw.times[a]) for a, b in pairwise(raw.offsets.tolist())]
        promised = rule.alerts * sum(spans) / rule.period_ns
        found = len(course.alerts)
        said = f"{found} alerts where {promised:.3g} are promised ({found / promised:.2f})"
        return Measure(found <= times * promised, said, found, times * promised)

    return Promise(f"{what}: at most {times:g} times as many alerts as promised", check)
