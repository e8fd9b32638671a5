"""Statistics of the samples of a period (User Guide: CloudWatch statistics definitions)."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from watchband.testing.cloudwatch.account import Sample
from watchband.testing.cloudwatch.refusal import Refusal

PLAIN = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
_NUMBER = r"(?:100(?:\.0{1,10})?|[0-9]{1,2}(?:\.[0-9]{1,10})?)"
_SHORT = re.compile(rf"(p|tm|wm|tc|ts)({_NUMBER})")
_RANGE = re.compile(r"(TM|WM|TC|TS|PR)\((-?[0-9.]*%?):(-?[0-9.]*%?)\)")


def check(name: str) -> None:
    """Refuse what is no statistic."""
    if name in PLAIN or name == "IQM" or _SHORT.fullmatch(name):
        return
    match = _RANGE.fullmatch(name)
    if match is None or not (match[2] or match[3]):
        raise Refusal("InvalidParameterValue", f"The value {name} for parameter Stat is not a statistic.")
    shares = [bound.endswith("%") for bound in match.groups()[1:] if bound]
    if len(set(shares)) != 1 or (match[1] == "PR" and shares[0]):
        raise Refusal("InvalidParameterValue", f"The bounds of {name} must both be percentages or both be values.")


def statistic(name: str, samples: Sequence[Sample]) -> float | None:
    """The statistic of some samples; None where it cannot be known.

    Examples
    --------
    >>> two = [Sample(0, 1, v, v, v, 0) for v in (1.0, 3.0)]
    >>> statistic("Average", two), statistic("p50", two), statistic("TC(2:)", two)
    (2.0, 2.0, 1.0)
    """
    count = sum(s.count for s in samples)
    if name in PLAIN:
        total = math.fsum(s.total for s in samples)
        found = {
            "SampleCount": count,
            "Sum": total,
            "Average": total / count if count else None,
            "Minimum": min(s.least for s in samples),
            "Maximum": max(s.most for s in samples),
        }
        return found[name]
    if not all(s.raw for s in samples):
        return None
    values = np.sort(np.repeat([s.least for s in samples], [max(1, round(s.count)) for s in samples]))
    short = _SHORT.fullmatch(name)
    if short is not None and short[1] == "p":
        # AWS does not say how it interpolates: linearly here.
        return float(np.percentile(values, float(short[2])))
    if name == "IQM":
        kind, low, high = "TM", "25%", "75%"
    elif short is not None:
        kind, low, high = short[1].upper(), "0%", f"{short[2]}%"
    else:
        match = _RANGE.fullmatch(name)
        assert match is not None, name
        kind, low, high = match.groups()
    return _within(kind, values, low, high)


def _within(kind: str, values: NDArray[np.float64], low: str, high: str) -> float | None:
    """A statistic of the values between two bounds."""
    below, above = _edge(values, low, -math.inf), _edge(values, high, math.inf)
    inside = values[(values >= below) & (values <= above)]
    if kind == "WM":
        # Winsorized: what lies outside counts as the edge.
        return float(np.mean(np.clip(values, below, above)))
    if kind == "PR":
        return 100.0 * len(inside) / len(values)
    if kind == "TC":
        return float(len(inside))
    if kind == "TS":
        return float(inside.sum())
    return float(inside.mean()) if len(inside) else None


def _edge(values: NDArray[np.float64], text: str, default: float) -> float:
    if not text:
        return default
    return float(np.percentile(values, float(text[:-1]))) if text.endswith("%") else float(text)
