"""What a series is enough for: each use, what it needs, what is there."""

from __future__ import annotations

from dataclasses import dataclass

from watchband.analysis.profile.seasons import Seasons
from watchband.analysis.profile.spacing import Spacing
from watchband.analysis.profile.values import Values
from watchband.core.duration import DAY

FIRST_POINTS = 75
"""Points until an alert is told at once (``tell_after`` of a watch)."""
FORECAST_POINTS = 30
TUNE_POINTS = 64
ABSENT_NOTED, ABSENT_MAX = 0.1, 0.5


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a series.

    Parameters
    ----------
    name : str
        ``judge``, ``day``, ``week``, ``budget``, ``forecast`` or ``choose``.
    need, have : int
        In the unit: ns or points.
    unit : str
        ``time`` or ``points``.
    enough : str
        ``yes``, ``partly`` or ``no``.
    """

    name: str
    need: int
    have: int
    unit: str
    enough: str


def uses_of(spacing: Spacing, values: Values, seasons: Seasons) -> list[Use]:
    """Every use with its answer.

    Time counts as far as readings came in it where more than a tenth are absent: a month of which half is missing is
    two
    weeks.
    """
    there = spacing.span + spacing.interval
    if spacing.absent_share > ABSENT_NOTED:
        there = round(there * (1 - spacing.absent_share))
    changes = values.distinct > 1
    per_day = DAY / spacing.interval if spacing.interval else 0.0

    def points(name: str, need: int) -> Use:
        return Use(name, need, values.count, "points", "yes" if values.count >= need and changes else "no")

    def time(name: str, need: int, half: int, per_day_min: float = 0.0) -> Use:
        fine = changes and spacing.absent_share <= ABSENT_MAX and per_day >= per_day_min
        enough = "no" if not fine or there < half else "yes" if there >= need else "partly"
        return Use(name, need, there, "time", enough)

    week = seasons.named("week")
    found = [
        points("judge", FIRST_POINTS),
        time("day", 3 * DAY, 2 * DAY, 4),
        time("week", 14 * DAY, 10 * DAY, 1),
        time("budget", 28 * DAY, 14 * DAY),
        points("forecast", FORECAST_POINTS),
        time("choose", (42 if week and week.there else 28) * DAY, 14 * DAY),
    ]
    if found[-1].enough != "no" and values.count < TUNE_POINTS:
        found[-1] = Use("choose", TUNE_POINTS, values.count, "points", "no")
    return found
