"""What to know before anything else: faults and traits of a series, weighed so that the worst come first."""

from __future__ import annotations

import math
from dataclasses import dataclass

from watchband.analysis.profile.course import Course
from watchband.analysis.profile.far import FarOut
from watchband.analysis.profile.fitness import Use
from watchband.analysis.profile.spacing import Spacing
from watchband.analysis.profile.still import Still
from watchband.analysis.profile.values import Values

ROWS_MIN = 30
ABSENT_NOTED, ABSENT_BAD = 0.005, 0.05
MISSING_NOTED, MISSING_BAD = 0.001, 0.02
FAULT = 10
"""From this weight on a finding is a fault to look at, below it a trait to know."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A kind (its words are the page's), how much it weighs, and the figure it is about."""

    kind: str
    weight: float
    figure: float


def findings_of(
    spacing: Spacing, values: Values, still: Still, course: Course | None, far: FarOut | None, uses: list[Use]
) -> list[Finding]:
    """Everything worth saying, heaviest first."""
    rows = values.count + values.missing + values.infinite
    found = [Finding(kind, *told) for kind, told in _of_rows(spacing, values, rows).items() if told]
    if values.kind == "constant":
        found.append(Finding("constant", 60, values.low))
    if values.kind == "counter":
        found.append(Finding("counter", 5, 0))
    if still.stuck:
        found.append(Finding("stuck", 10 + 40 * still.points / max(rows, 1), still.points / max(rows, 1)))
    if course is not None:
        weights = {"wanders": 8.0, "step": 7.0, "trend": 6.0}
        if course.verdict in weights and values.kind != "counter":
            found.append(Finding(course.verdict, weights[course.verdict], 0))
        if course.noise_ratio >= 3:
            found.append(Finding("noise", 4, course.noise_ratio))
    if far is not None and far.points and values.kind not in ("counter", "sparse"):
        found.append(Finding("far", 3, far.points / max(rows, 1)))
    week = next(u for u in uses if u.name == "week")
    if week.enough != "yes" and values.kind != "constant" and values.count >= ROWS_MIN and spacing.span:
        found.append(Finding("young", 9 if week.enough == "no" else 2, week.have))
    return sorted(found, key=lambda f: -f.weight)


def _of_rows(spacing: Spacing, values: Values, rows: int) -> dict[str, tuple[float, float] | None]:
    missing = (values.missing + values.infinite) / max(rows, 1)
    absent = spacing.absent_share
    return {
        "empty": (100.0, rows) if not values.count else None,
        "few": (80.0, values.count) if 0 < values.count < ROWS_MIN else None,
        "missing": (10 + 50 * missing if missing >= MISSING_BAD else 4, missing)
        if values.count and missing >= MISSING_NOTED
        else None,
        "gaps": (_gap_weight(absent), absent) if spacing.even and absent >= ABSENT_NOTED else None,
        "irregular": (20.0, spacing.regular) if spacing.interval and not spacing.even else None,
        "duplicates": (10 + 20 * spacing.duplicates / rows, spacing.duplicates) if spacing.duplicates else None,
        "backwards": (10.0, spacing.backwards) if spacing.backwards else None,
        "moment": (80.0, rows) if not spacing.interval and rows > 1 else None,
    }


def _gap_weight(absent: float) -> float:
    return 10 + 60 * absent if absent >= ABSENT_BAD else 3 + 20 * absent


def weight_of(found: list[Finding]) -> float:
    """How much a series wants to be looked at: the heaviest finding, and a little of the rest."""
    if not found:
        return 0.0
    return found[0].weight + 0.1 * math.fsum(f.weight for f in found[1:])
