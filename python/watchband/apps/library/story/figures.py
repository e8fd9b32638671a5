"""Figures of the card and of tables, as numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any


def figure(row: Mapping[str, Any], part: str, name: str) -> tuple[float, float, float]:
    """Value and ends of the interval of a figure; NaN where not known."""
    found = row.get(part, {}).get(name) or {}
    return number(found.get("value")), number(found.get("low")), number(found.get("high"))


def best_of(trials: Sequence[tuple[str, float]]) -> dict[str, list[float]]:
    """Values of the trials of each detector, the detector with the best one first."""
    found: dict[str, list[float]] = {}
    for detector, value in trials:
        found.setdefault(detector, []).append(value)
    return dict(
        sorted(found.items(), key=lambda pair: -max((v for v in pair[1] if math.isfinite(v)), default=-math.inf))
    )


def number(value: Any) -> float:
    """A number as it stands in a file; NaN where there is none."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan
