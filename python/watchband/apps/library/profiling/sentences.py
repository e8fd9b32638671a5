"""What a profile says, in sentences: plain words, a figure, against what."""

from __future__ import annotations

import math

from watchband.analysis.profile.course import Course
from watchband.analysis.profile.far import DEVIATIONS
from watchband.analysis.profile.findings import Finding
from watchband.analysis.profile.fitness import Use
from watchband.analysis.profile.profile import Profile
from watchband.analysis.profile.seasons import Season
from watchband.core import wording
from watchband.core.duration import DAY, HOUR

USES = {
    "judge": "Judging at once",
    "day": "A band that knows the hours of the day",
    "week": "A band that knows the days of the week",
    "budget": "Trying a budget of one alert a week on the past",
    "forecast": "A forecast",
    "choose": "Choosing a setting with a part held out",
}
KINDS = {
    "empty": "no value at all",
    "constant": "a constant",
    "counter": "a counter: it only goes up, and from the beginning after a restart",
    "sparse": "mostly zero",
    "whole": "whole numbers",
    "share": "a share with two ends",
    "measure": "a measurement",
}
SHORT = {
    "empty": "no value",
    "few": "few readings",
    "missing": "missing values",
    "gaps": "gaps",
    "irregular": "no interval",
    "duplicates": "duplicates",
    "backwards": "out of order",
    "moment": "one moment only",
    "constant": "constant",
    "counter": "counter",
    "stuck": "stuck",
    "wanders": "wanders",
    "step": "level moved",
    "trend": "trend",
    "noise": "noise changes",
    "far": "far values",
    "young": "short history",
}
COURSES = {
    "steady": "steady",
    "trend": "a trend",
    "step": "level moved",
    "wanders": "wanders",
    "short": "too short to say",
}


def percent(share: float) -> str:
    """A share as people read it.

    Examples
    --------
    >>> percent(0.0349).replace(wording.NO_BREAK, " "), percent(0.0), percent(0.00001).replace(wording.NO_BREAK, " ")
    ('3.49 %', '0\\xa0%', '< 0.1 %')
    """
    if 0 < share < 0.001:
        return f"< 0.1{wording.NO_BREAK}%"
    return f"{wording.number(100 * share)}{wording.NO_BREAK}%"


def counted(count: int, one: str, many: str = "") -> str:
    """So many of something."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def finding(found: Finding, about: Profile, zone: str) -> str:
    """One finding in a sentence that says what it means for a detector."""
    told = _of_time(found, about, zone)
    return told if told else _of_values(found, about, zone)


def _of_time(found: Finding, about: Profile, zone: str) -> str:
    spacing, span = about.spacing, wording.duration(about.spacing.span)
    if found.kind == "empty":
        return f"None of its {about.rows:,} readings is a number."
    if found.kind == "few":
        return f"Only {counted(about.values.count, 'reading')} with a value: too few to say what is usual."
    if found.kind == "moment":
        return f"All {about.rows:,} readings stand at one time."
    if found.kind == "missing":
        infinite = f", {about.values.infinite:,} of them infinite" if about.values.infinite else ""
        return (
            f"{percent(found.figure)} of the readings have no value{infinite}. Missing is not zero: they are left out."
        )
    if found.kind == "gaps":
        longest = spacing.longest[0]
        return (
            f"{percent(found.figure)} of the expected readings are absent, in {counted(spacing.gaps, 'gap')}; "
            "the longest, "
            f"{wording.duration(longest.end - longest.start)}, begins {wording.moment(longest.start, zone)}."
        )
    if found.kind == "irregular":
        return (
            f"Readings keep no interval: {percent(found.figure)} of the steps are multiples of the median, "
            f"{wording.duration(spacing.interval)}. Gather them in buckets (--resample)."
        )
    if found.kind == "duplicates":
        several = ", which may be several series: name the column that tells them apart with --label"
        many = several if found.figure * 5 > about.looked else ""
        return f"{counted(int(found.figure), 'reading stands', 'readings stand')} at the time of another{many}."
    if found.kind == "backwards":
        return f"Time runs backwards at {counted(int(found.figure), 'place')}; the readings were sorted."
    if found.kind == "young":
        return f"{span} of history: the days of the week are known after two weeks."
    return ""


def _of_values(found: Finding, about: Profile, zone: str) -> str:
    values, metric, still = about.values, about.key.metric, about.still
    if found.kind == "constant":
        return f"It never changes: all {values.count:,} values are {wording.quantity(metric, values.low)}."
    if found.kind == "counter":
        return (
            "It only goes up: watch what it gains (--counter), not where it stands. Seasons and level are those "
            "of its gains."
        )
    if found.kind == "stuck":
        longest = still.longest[0]
        return (
            f"It stands still for {percent(found.figure)} of its readings, longest for "
            f"{wording.duration(longest.end - longest.start)} at {wording.quantity(metric, longest.value)} from "
            f"{wording.moment(longest.start, zone)}; usually for {counted(still.usual, 'reading')} at most."
        )
    if found.kind in ("wanders", "step", "trend") and about.course:
        return course(about.course, metric, zone)
    if found.kind == "noise":
        return (
            f"Its noise changes: {wording.number(found.figure, 2)} times as large at its noisiest as at its calmest. "
            "A band of one width is too wide by day or too narrow by night."
        )
    if found.kind == "far" and about.far:
        far = about.far
        if found.figure > 0.02:
            return (
                f"{percent(found.figure)} of the values lie far from the usual of their time: bursts or several states "
                "rather than a level with noise. Their pattern says more than their distance."
            )
        worst = far.farthest[0]
        return (
            f"{counted(far.points, 'value lies', 'values lie')} more than {DEVIATIONS:g} usual distances off, in "
            f"{counted(far.stretches, 'stretch', 'stretches')}; the farthest is "
            f"{wording.quantity(metric, worst.value)} at {wording.moment(worst.start, zone)}, where "
            f"{wording.quantity(metric, worst.usual)} was usual."
        )
    return SHORT[found.kind]


def course(found: Course, metric: str, zone: str) -> str:
    """Where the level goes: stationarity in plain words."""
    slope = found.slope
    if found.verdict == "short" or slope is None:
        return "Too short to say whether the level is steady."
    if found.verdict == "steady":
        return "The level is steady: it moves by less than the usual spread, and comes back."
    if found.verdict == "trend":
        texts, sign = wording.quantities(metric, [abs(slope.per_day), slope.low, slope.high], 3)
        way = "rises" if slope.per_day > 0 else "falls"
        return (
            f"The level {way} by {wording.with_unit(texts[0], sign)} a day (95{wording.NO_BREAK}% interval "
            f"{wording.span(texts[1], texts[2], sign)}) and keeps to that line."
        )
    if found.verdict == "step":
        texts, sign = wording.quantities(metric, [found.before, found.after])
        return (
            f"The level moved once: near {wording.with_unit(texts[0], sign)} until "
            f"{wording.moment(found.step_at, zone)}, near {wording.with_unit(texts[1], sign)} after."
        )
    return "The level wanders: where it was says little about where it will be. A band must follow it, not remember it."


def season(found: Season) -> str:
    """A season in a sentence: what it explains, and how that was measured."""
    share = percent(found.strength)
    cycles = f"over {wording.number(found.cycles, 2)} of them"
    if found.name == "loose":
        return (
            f"It repeats about every {wording.duration(found.period)} without keeping time: the correlation "
            "with itself "
            f"that much earlier is {wording.number(found.strength, 2)}."
        )
    if 0.01 < found.strength < found.chance:
        return (
            f"No {period(found)} beyond chance: the others explain {share} of the movement within one, and as much "
            "where every one is moved along by some part of itself."
        )
    if not found.there:
        return f"No {period(found)} worth speaking of: the others explain {share} of the movement within one."
    if found.name == "week":
        return f"The days of the week differ: the other weeks explain {share} of what its day leaves, {cycles}."
    named = {"hour": "It has an hour", "day": "It has a day"}.get(found.name, f"It repeats every {period(found)}")
    return f"{named}: the mean of the other {plural(found)} explains {share} of the movement within one, {cycles}."


def period(found: Season) -> str:
    """What a season is called."""
    return found.name if found.name in ("hour", "day", "week") else wording.duration(found.period)


def plural(found: Season) -> str:
    """Several of them."""
    return {"hour": "hours", "day": "days", "week": "weeks"}.get(found.name, "cycles")


def strongest(about: Profile, count: int = 2) -> str:
    """The seasons in a few words, for a table."""
    there = about.seasons.there
    return ", ".join(f"{period(s)} {percent(s.strength)}" for s in there[:count]) if there else "none"


def use(found: Use) -> str:
    """Whether there is enough, in words: "9 d of 14 "
    "d"."""
    if found.unit == "points":
        return f"{found.have:,} of {found.need:,} values" if found.enough == "no" else f"{found.have:,} values"
    have, need = wording.duration(_coarse(found.have)), wording.duration(found.need)
    return f"{have} of {need}" if found.enough != "yes" else f"{have}, {need} needed"


def _coarse(ns: int) -> int:
    """Whole days of a long time."""
    return ns - ns % DAY if ns >= 2 * DAY else ns - ns % HOUR if ns >= HOUR else ns


def answer(found: Use) -> str:
    """Yes, partly or no."""
    return {"yes": "enough", "partly": "partly", "no": "not yet"}[found.enough]


def headline(about: Profile) -> str:
    """The verdict on one series."""
    uses = {u.name: u for u in about.uses}
    if about.values.kind in ("empty", "constant"):
        return "Nothing to learn from" if about.values.kind == "empty" else "It never changes"
    if about.faults:
        worst = " and ".join(SHORT[f.kind] for f in about.faults[:2])
        return f"Look at this first: {worst}"
    if uses["week"].enough == "yes":
        return "Fit: enough history for a weekly band"
    if uses["day"].enough == "yes":
        return f"Fit for a daily band; {use(uses['week'])} for a weekly one"
    if uses["judge"].enough == "yes":
        return f"A beginning: {use(uses['day'])} for a daily band"
    return "Too short to learn from"


def finite(value: float) -> float | None:
    """For documents: None where it is not known."""
    return float(f"{value:.10g}") if math.isfinite(value) else None
