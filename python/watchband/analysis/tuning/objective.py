"""Objectives: what is to be best, each a function of sums of evidence, higher is better."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from watchband.analysis.tuning.evidence import AT
from watchband.core.errors import ConfigError
from watchband.core.points import Float64

FORMS = "f1, vus-pr, nab, recall@PRECISION such as recall@0.8, cost or cost:missed=10,false=1,hour=0"


@dataclass(frozen=True, slots=True)
class Objective:
    """What a search is after.

    Parameters
    ----------
    text : str
        As the user writes it.
    words : str
        As people call it.
    statistic : callable
        From float64[draws, len(COLUMNS)], sums of evidence, to float64[draws]; higher is better.
    budget_is_searched : bool
        The alert budget is searched too; else it is the one the user asks for.
    counts : bool
        It is made of counts of events and alerts; else it is a mean over series.
    """

    text: str
    words: str
    statistic: Callable[[Float64], Float64]
    budget_is_searched: bool
    counts: bool

    def value(self, sums: Float64) -> float:
        """Of one set of sums."""
        return float(self.statistic(np.atleast_2d(sums))[0])


def objective(text: str) -> Objective:
    """An objective from its text.

    Raises
    ------
    ConfigError
        The text is none; the message shows the forms.

    Examples
    --------
    >>> from watchband.analysis.tuning.evidence import COLUMNS
    >>> sums = np.zeros(len(COLUMNS))
    >>> sums[AT["found"]], sums[AT["missed"]], sums[AT["false"]] = 3, 1, 2
    >>> [round(objective(name).value(sums), 3) for name in ("f1", "recall@0.5", "recall@0.8")]
    [0.667, 0.75, -0.2]
    """
    name, _, rest = text.strip().lower().partition(":")
    if name == "f1" and not rest:
        return Objective("f1", "event F1 at the budget", f1, False, True)
    if name == "vus-pr" and not rest:
        return Objective("vus-pr", "VUS-PR", vus_pr, False, False)
    if name == "nab" and not rest:
        return Objective("nab", "NAB score, standard profile, of the alerts as they open", nab, True, False)
    if found := re.fullmatch(r"recall@(0?\.\d+|1(?:\.0*)?)", text.strip().lower()):
        least = float(found[1])
        words = f"event recall at a precision of {least:g} or more"
        return Objective(f"recall@{least:g}", words, recall_at(least), True, True)
    if name == "cost":
        return _cost(text, rest)
    raise ConfigError(f"An objective is written {FORMS}. Got {text!r}.")


def _cost(text: str, rest: str) -> Objective:
    prices = {"missed": 10.0, "false": 1.0, "hour": 0.0}
    for part in filter(None, rest.split(",")):
        name, equals, value = part.partition("=")
        try:
            if not equals or name not in prices or float(value) < 0:
                raise ValueError(part)
            prices[name] = float(value)
        except ValueError as error:
            raise ConfigError(
                f"A cost is written cost:missed=10,false=1,hour=0 with prices >= 0. Got {text!r}."
            ) from error
    told = ",".join(f"{k}={v:g}" for k, v in prices.items())
    words = (
        f"cost a week and series, negative: {prices['missed']:g} a missed event, {prices['false']:g} a false alert, "
        f"{prices['hour']:g} an hour of delay"
    )
    return Objective(f"cost:{told}", words, cost_of(**{f"{k}_price": v for k, v in prices.items()}), True, True)


def _column(sums: Float64, name: str) -> Float64:
    return np.asarray(sums[:, AT[name]])


def _share(part: Float64, whole: Float64) -> Float64:
    share = np.full(len(whole), np.nan)
    np.divide(part, whole, out=share, where=whole > 0)
    return share


def f1(sums: Float64) -> Float64:
    """Event F1; NaN without events and false alerts."""
    found = np.asarray(2 * _column(sums, "found"), np.float64)
    whole = np.asarray(found + _column(sums, "missed") + _column(sums, "false"), np.float64)
    return _share(found, whole)


def precision(sums: Float64) -> Float64:
    """Found events among found events and false alerts."""
    found = _column(sums, "found")
    return _share(found, found + _column(sums, "false"))


def recall(sums: Float64) -> Float64:
    """Found events among all events."""
    found = _column(sums, "found")
    return _share(found, found + _column(sums, "missed"))


def false_rate(sums: Float64) -> Float64:
    """Share of normal points that were called anomalous: the FPR of points."""
    wrong = _column(sums, "wrong")
    return _share(wrong, wrong + _column(sums, "right"))


def point_f1(sums: Float64) -> Float64:
    """F1 of points one by one, as older work reports it."""
    hits = 2 * _column(sums, "hits")
    return _share(hits, hits + _column(sums, "misses") + _column(sums, "wrong"))


def alerts_a_week(sums: Float64) -> Float64:
    """Alerts a week and series."""
    return _share(_column(sums, "alerts"), _column(sums, "weeks"))


def delay_hours(sums: Float64) -> Float64:
    """Hours from the start of a found event to its alert."""
    return _share(_column(sums, "delay_hours"), _column(sums, "found"))


def vus_pr(sums: Float64) -> Float64:
    """Mean over series with events."""
    return _share(_column(sums, "vus_pr"), _column(sums, "ranked"))


def nab(sums: Float64) -> Float64:
    """0 is silence, 100 a detection on the first point of every window and nowhere else."""
    silent = _column(sums, "nab_silent")
    return np.asarray(100 * _share(_column(sums, "nab") - silent, _column(sums, "nab_perfect") - silent), np.float64)


def recall_at(least: float) -> Callable[[Float64], Float64]:
    """Recall where the precision is enough, else how much precision lacks (below 0)."""

    def of(sums: Float64) -> Float64:
        reached = np.nan_to_num(precision(sums), nan=0.0)
        return np.where(reached >= least - 1e-12, recall(sums), reached - least)

    return of


def cost_of(missed_price: float, false_price: float, hour_price: float) -> Callable[[Float64], Float64]:
    """Minus what missed events, false alerts and delay cost a week and series."""

    def of(sums: Float64) -> Float64:
        whole = missed_price * _column(sums, "missed") + false_price * _column(sums, "false")
        return -_share(whole + hour_price * _column(sums, "delay_hours"), _column(sums, "weeks"))

    return of
