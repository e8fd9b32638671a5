"""What the operators and functions of expressions do with values."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping


def compute(operator: str, left: float, right: float = 0.0) -> float:
    """One operation on two values (on the left one alone for ``abs``, ``sqrt`` and ``neg``).

    NaN, which is no value, stays NaN whatever it meets. What has no finite result (division by zero, the root of a
    negative number, more than a float holds) is NaN too: a ratio of nothing to nothing is not known.

    Examples
    --------
    >>> compute("/", 1, 4), compute("/", 1, 0), compute("%", -7, 5), compute("min", 2, float("nan"))
    (0.25, nan, -2.0, nan)
    """
    if math.isnan(left) or math.isnan(right):
        return math.nan
    try:
        found = _OPERATIONS[operator](left, right)
    except (ZeroDivisionError, OverflowError, ValueError):
        return math.nan
    return found if math.isfinite(found) else math.nan


_OPERATIONS: Mapping[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    # The sign of the left side, as PromQL and C have it.
    "%": math.fmod,
    "min": min,
    "max": max,
    "abs": lambda a, _: abs(a),
    "sqrt": lambda a, _: math.sqrt(a),
    "neg": lambda a, _: -a,
}
