"""Intervals for few events: the Bayesian bootstrap over stretches, with one event and one false alert not yet seen.

Every stretch gets a random weight of mean 1 (exponential). Beside them stand imagined stretches of small weight: an
event found or missed, a false alert more. Where every event is a stretch of its own this is the posterior of Jeffreys:
two of two events found give 0.4 to 1 and not 1 to 1, as a plain bootstrap has it; where events come in clusters the
interval is as wide as the clusters differ.

References
----------
Rubin, "The Bayesian Bootstrap", Annals of Statistics 9 (1981), doi:10.1214/aos/1176345338; Brown, Cai and DasGupta,
"Interval Estimation for a Binomial Proportion", Statistical Science 16 (2001), doi:10.1214/ss/1009213286.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from watchband.analysis.tuning.evidence import AT
from watchband.analysis.tuning.objective import Objective
from watchband.core.points import Float64
from watchband.evaluation.metrics.bootstrap import Interval

DRAWS = 2000
WEIGHTS_MOST = 1 << 22
"""Random weights that are held at a time: 32 MB."""
LEVEL = 0.95
SERIES_MIN = 8
"""Below this many series with events a mean over series has no interval that means anything."""

# Of one event: found by both, by the first only, by the second only, by none. Of one false alert: of both, of either.
_EVENTS = ((1, 1), (1, 0), (0, 1), (0, 0))
_FALSE = ((1, 1), (1, 0), (0, 1))
Statistic = Callable[[Float64], Float64]


def figure(
    table: Float64, statistic: Statistic, *, counts: bool = True, always: bool = False, seed: int = 0
) -> Interval:
    """A figure with its interval.

    Parameters
    ----------
    table : float64[stretches, len(COLUMNS)]
        Evidence.
    statistic : callable
        From sums to the figure.
    counts : bool, default True
        The figure is made of counts of events and alerts; else it is a mean over series, which has an interval from
        ``SERIES_MIN`` on.
    always : bool, default False
        Also where there are fewer: for figures of points, which are many.
    seed : int, default 0
        Equal seeds, equal bits.

    Examples
    --------
    >>> from watchband.analysis.tuning.evidence import COLUMNS
    >>> from watchband.analysis.tuning.objective import recall
    >>> one = np.zeros((2, len(COLUMNS)))
    >>> one[:, AT["found"]] = 1
    >>> found = figure(one, recall)
    >>> found.value, 0.3 < found.low < 0.5, found.high
    (1.0, True, 1.0)
    """
    value = float(statistic(table.sum(axis=0, keepdims=True))[0])
    if not (counts or always or _enough(table)):
        return Interval(value, np.nan, np.nan)
    return _interval(value, _draw(table, None, statistic, counts, seed)[0])


def difference(table: Float64, other: Float64, objective: Objective, *, seed: int = 0) -> Interval:
    """Of two configurations on the same stretches, the first minus the second: one weight a stretch for both."""
    value = objective.value(table.sum(axis=0)) - objective.value(other.sum(axis=0))
    if not objective.counts and not _enough(table):
        return Interval(value, np.nan, np.nan)
    mine, theirs = _draw(table, other, objective.statistic, objective.counts, seed)
    return _interval(value, mine - theirs)


def gap(validation: Float64, test: Float64, statistic: Statistic, *, counts: bool = True, seed: int = 0) -> Interval:
    """Of one configuration on two parts, the first minus the second: weights of their own for each."""
    value = float((statistic(validation.sum(axis=0, keepdims=True)) - statistic(test.sum(axis=0, keepdims=True)))[0])
    if not counts and not (_enough(validation) and _enough(test)):
        return Interval(value, np.nan, np.nan)
    before = _draw(validation, None, statistic, counts, seed)[0]
    after = _draw(test, None, statistic, counts, seed + 1)[0]
    return _interval(value, before - after)


def rate(count: float, weeks: float, *, draws: int = DRAWS, seed: int = 0) -> Interval:
    """Events a week from so many in so many weeks, with the interval of Jeffreys.

    Examples
    --------
    >>> found = rate(4, 4)
    >>> found.value, 0.2 < found.low < 0.5, 2 < found.high < 3
    (1.0, True, True)
    """
    if weeks <= 0:
        return Interval(np.nan, np.nan, np.nan)
    drawn = np.random.default_rng(seed).gamma(count + 0.5, 1 / weeks, draws)
    return _interval(count / weeks, drawn)


def _enough(table: Float64) -> bool:
    return float(table[:, AT["ranked"]].sum()) >= SERIES_MIN or float(table[:, AT["nab_perfect"]].sum()) >= SERIES_MIN


def _draw(
    table: Float64, other: Float64 | None, statistic: Statistic, counts: bool, seed: int
) -> tuple[Float64, Float64]:
    rng = np.random.default_rng(seed)
    sides = [table] if other is None else [table, other]
    # Some draws at a time: weights of many stretches would fill the memory.
    some = max(1, WEIGHTS_MOST // max(1, len(table)))
    weighed = []
    for begin in range(0, DRAWS, some):
        weights = rng.exponential(size=(min(some, DRAWS - begin), len(table)))
        weighed.append([weights @ known for known in sides])
    events = rng.gamma(1 / len(_EVENTS), size=(DRAWS, len(_EVENTS)))
    false = rng.gamma(1 / len(_FALSE), size=(DRAWS, len(_FALSE)))
    drawn = []
    for side in range(len(sides)):
        sums = np.concatenate([part[side] for part in weighed])
        if counts:
            found = np.array([cell[side] for cell in _EVENTS], float)
            sums[:, AT["found"]] += events @ found
            sums[:, AT["missed"]] += events @ (1 - found)
            sums[:, AT["false"]] += false @ np.array([cell[side] for cell in _FALSE], float)
        drawn.append(statistic(sums))
    return drawn[0], drawn[-1]


def _interval(value: float, drawn: Float64) -> Interval:
    known = drawn[np.isfinite(drawn)]
    if not len(known) or not np.isfinite(value):
        return Interval(value, np.nan, np.nan)
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(value, float(min(low, value)), float(max(high, value)))
