"""A rule for a good model once used on 35 rows, with the intervals that it lacks: why these prove nothing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from watchband.analysis.tuning.evidence import AT, COLUMNS
from watchband.analysis.tuning.intervals import LEVEL, figure
from watchband.analysis.tuning.objective import f1
from watchband.analysis.tuning.result import Check
from watchband.core.points import Float64
from watchband.evaluation.metrics.bootstrap import Interval

GAP_MAX, F1_MIN, FALSE_MAX, BANDED_MIN = 0.01, 0.60, 0.10, 0.5
ROWS = {"found": 5, "missed": 4, "false": 2}
"""Of the 35 test rows that rule was first used on: 9 anomalies, 5 found, 2 false, 24 right."""


def rule_of_35_rows(test: Mapping[str, Interval], gap: Interval, banded: float) -> list[Check]:
    """|validation F1 - test F1| < .01, test F1 > .60, low FPR, interpretability, each beside its interval.

    Parameters
    ----------
    test : mapping of str to Interval
        Figures of the test part.
    gap : Interval
        Event F1 on the validation part minus that on the test part.
    banded : float
        Share of points with a drawn band.
    """
    size = Interval(abs(gap.value), *_absolute(gap))
    return [
        _check("|validation F1 − test F1| < .01", size, size.value < GAP_MAX, GAP_MAX),
        _check("test F1 > .60", test["f1"], test["f1"].value > F1_MIN, F1_MIN),
        _check("low FPR (of points, < .10)", test["fpr"], test["fpr"].value < FALSE_MAX, FALSE_MAX),
        Check(
            "can be interpreted",
            f"a band is drawn at {100 * banded:.0f} % of the points" if banded else "no band: a score only",
            banded > BANDED_MIN,
            True,
        ),
    ]


def _absolute(gap: Interval) -> tuple[float, float]:
    if gap.low <= 0 <= gap.high:
        return 0.0, max(-gap.low, gap.high)
    return min(abs(gap.low), abs(gap.high)), max(abs(gap.low), abs(gap.high))


def _check(asks: str, found: Interval, holds: bool, limit: float) -> Check:
    known = np.isfinite(found.low) and np.isfinite(found.high)
    settled = bool(known and not found.low <= limit <= found.high)
    return Check(asks, str(found), bool(holds), settled)


def rows_like_the_first() -> Float64:
    """float64[35, len(COLUMNS)]: the 35 rows, one stretch each."""
    table = np.zeros((35, len(COLUMNS)))
    at = 0
    for name, count in ROWS.items():
        table[at : at + count, AT[name]] = 1
        at += count
    return table


def few_rows() -> tuple[Interval, float]:
    """F1 of those 35 rows with its interval, and how often two parts of 35 rows differ by less than .01 by luck.

    Returns
    -------
    tuple of Interval and float
        The figure, and the share of pairs of equal detectors for which the rule's first line holds.

    Examples
    --------
    >>> figure_of, luck = few_rows()
    >>> round(figure_of.value, 3), figure_of.low < 0.35, figure_of.high > 0.8, luck < 0.15
    (0.625, True, True, True)
    """
    rng = np.random.default_rng(0)
    share = np.array([*ROWS.values(), 35 - sum(ROWS.values())]) / 35
    sums = np.zeros((2, 20_000, len(COLUMNS)))
    for part in sums:
        part[:, [AT[name] for name in ROWS]] = rng.multinomial(35, share, 20_000)[:, :3]
    near = np.abs(f1(sums[0]) - f1(sums[1])) < GAP_MAX
    return figure(rows_like_the_first(), f1), float(near.mean())


def why_few_prove_nothing() -> str:
    """The reason in words, computed and not quoted."""
    found, luck = few_rows()
    return (
        f"The rule comes from 35 test rows with F1 {found.value:.3f}: their {100 * LEVEL:.0f} % interval is "
        f"{found.low:.2f} to {found.high:.2f}, and two sets of 35 rows of one and the same detector differ by less "
        f"than .01 in only {100 * luck:.0f} % of all cases. A line that its interval does not settle says "
        "nothing about the next month."
    )
