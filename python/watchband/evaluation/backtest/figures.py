"""Figures of a backtest: what a contender found, how often it alerted, and how sure one can be of either."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np

from watchband.core.duration import SECOND, WEEK
from watchband.core.points import Float64
from watchband.evaluation.backtest.assess import FALSE, VERDICTS, Outcome
from watchband.evaluation.metrics.bootstrap import Interval, f1, interval, paired, ratio
from watchband.evaluation.metrics.proportion import f1_of_counts, poisson, wilson

UNITS_MIN = 10
"""With fewer series than this each is cut into equal stretches of time, so that there is something to draw from."""
UNITS = 20
FOUND, MISSED, FALSE_ALERTS, ALERTS, WEEKS, DELAY, PROMISED = range(7)
"""Columns of ``units``."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What is told of one contender over some series.

    Parameters
    ----------
    series : int
        Series that were replayed.
    weeks : float
        Weeks of series that count.
    alerts, false, quiet, again, aftermath, unknown : int
        All alerts; those outside events, and those of them in stretches that were to stay quiet; further ones
        within an event, and after one; those of which nobody said anything.
    events, found, missed : int
        Labelled events.
    alerts_per_week, false_per_week : Interval
        A series. Without labels nothing is known to be false: NaN.
    promised_per_week : float
        What the budget allows a series; NaN for rules that promise nothing.
    over_promise : Interval
        Alerts outside events (all alerts, without labels) over what the budget allows.
    event_precision, event_recall, event_f1 : Interval
        0 to 1; NaN where there is nothing to count.
    delay_seconds : Interval
        From the start of a found event to its alert, mean.
    delay_median_seconds : float
        The same, median.
    units : int
        What the intervals were drawn over: series, or stretches of them where they are few.
    """

    series: int
    weeks: float
    alerts: int
    false: int
    quiet: int
    again: int
    aftermath: int
    unknown: int
    events: int
    found: int
    missed: int
    alerts_per_week: Interval
    false_per_week: Interval
    promised_per_week: float
    over_promise: Interval
    event_precision: Interval
    event_recall: Interval
    event_f1: Interval
    delay_seconds: Interval
    delay_median_seconds: float
    units: int

    def values(self) -> dict[str, float]:
        """Every figure as a plain number, by name; NaN where it is not known."""
        found = {}
        for one in fields(self):
            value = getattr(self, one.name)
            found[one.name] = float(value.value if isinstance(value, Interval) else value)
        return found


def figures(outcomes: Sequence[Outcome], promised: float = float("nan"), *, labelled: bool = True) -> Figures:
    """Figures of one contender.

    Parameters
    ----------
    outcomes : sequence of Outcome
        One a series.
    promised : float
        Alerts a week that its budget allows.
    labelled : bool, default True
        False: nothing is known to be false or missed.

    Examples
    --------
    >>> from watchband.evaluation.backtest.assess import assess
    >>> from watchband.evaluation.labels import Label
    >>> figures([assess("cpu", [], [Label("cpu", 5, 9)], 0, WEEK)], promised=1.0).event_recall.value
    0.0
    """
    table = units(outcomes, promised)
    unknown = Interval(np.nan, np.nan, np.nan)
    told = [one for outcome in outcomes for one in outcome.told]
    events = [one for outcome in outcomes for one in outcome.events]
    count = {name: sum(one.verdict == name for one in told) for name in VERDICTS}
    found, false = sum(one.found for one in events), count["false"] + count["quiet"]
    missed, weeks = len(events) - found, float(table[:, WEEKS].sum())
    delays = [one.delay_ns / SECOND for one in events if one.found]
    # Where not every alert can be called right or wrong, all of them stand against the promise.
    outside = (false, FALSE_ALERTS) if labelled and not count["unknown"] else (len(told), ALERTS)

    def rate(number: int, column: int, per: int) -> Interval:
        return _hull(interval(table, ratio(column, per)), poisson(number, float(table[:, per].sum())))

    return Figures(
        series=len({one.series for one in outcomes}),
        weeks=weeks,
        alerts=len(told),
        false=false,
        quiet=count["quiet"],
        again=count["again"],
        aftermath=count["aftermath"],
        unknown=count["unknown"],
        events=len(events),
        found=found,
        missed=missed,
        alerts_per_week=rate(len(told), ALERTS, WEEKS) if weeks else unknown,
        false_per_week=rate(false, FALSE_ALERTS, WEEKS) if labelled and weeks else unknown,
        promised_per_week=promised,
        over_promise=rate(*outside, PROMISED) if promised == promised and weeks else unknown,
        event_precision=_hull(interval(table, _precision), wilson(found, found + false)) if labelled else unknown,
        event_recall=_hull(interval(table, _recall), wilson(found, len(events))) if labelled else unknown,
        event_f1=_hull(interval(table, f1), f1_of_counts(found, missed, false)) if labelled else unknown,
        delay_seconds=interval(table, ratio(DELAY, FOUND)) if labelled else unknown,
        delay_median_seconds=float(np.median(delays)) if delays else float("nan"),
        units=len(table),
    )


def _hull(drawn: Interval, exact: Interval) -> Interval:
    """The wider of both ends: the bootstrap knows that series differ, the exact one how little few counts prove."""
    ends = [(a, b) for a, b in ((drawn.low, drawn.high), (exact.low, exact.high)) if a == a]
    if not ends or drawn.value != drawn.value:
        return drawn
    return Interval(drawn.value, min(a for a, _ in ends), max(b for _, b in ends))


def difference(one: Sequence[Outcome], other: Sequence[Outcome]) -> Interval:
    """Event F1 of one contender minus that of another over the same series, with a paired interval."""
    return paired(units(one), units(other), f1)


def units(outcomes: Sequence[Outcome], promised: float = float("nan")) -> Float64:
    """What the intervals are drawn over: float64[units, 7].

    One row a series; of fewer than ten series, one a stretch of time, some twenty in all. An event belongs to the
    stretch in which it begins.
    """
    pieces = [] if not outcomes else [1 if len(outcomes) >= UNITS_MIN else -(-UNITS // len(outcomes))] * len(outcomes)
    rows = []
    for outcome, count in zip(outcomes, pieces, strict=True):
        length = outcome.end - outcome.start
        edges = [outcome.start + length * k // count for k in range(count + 1)]
        for begin, end in pairwise(edges):
            rows.append(_row(outcome if count == 1 else outcome.within(begin, end), promised))
    return np.array(rows, np.float64).reshape(-1, 7)


def _row(outcome: Outcome, promised: float) -> list[float]:
    found = [one for one in outcome.events if one.found]
    weeks = (outcome.end - outcome.start) / WEEK
    return [
        len(found),
        len(outcome.events) - len(found),
        sum(one.verdict in FALSE for one in outcome.told),
        len(outcome.told),
        weeks,
        sum(one.delay_ns for one in found) / SECOND,
        promised * weeks,
    ]


def _precision(sums: Float64) -> Float64:
    return _share(sums[:, FOUND], sums[:, FALSE_ALERTS])


def _recall(sums: Float64) -> Float64:
    return _share(sums[:, FOUND], sums[:, MISSED])


def _share(part: Float64, rest: Float64) -> Float64:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(part + rest > 0, part / (part + rest), np.nan)
