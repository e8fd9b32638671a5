"""Seasons: which periods there are, and how much of the variation each explains on cycles it was not learned from.

Strength is measured out of sample. Every cycle is predicted by the mean course of the *other* cycles; strength is the
share
of the variation around the moving level that this explains. Noise explains nothing, whatever its length, and a day that
occurred once explains nothing either. Waves without a period match by chance where there are few cycles: a season has
to
explain more than any of ``SHUFFLES`` series in which every cycle was moved along by an arbitrary part of itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchband.analysis.profile.even import Even
from watchband.core.duration import DAY, HOUR, WEEK
from watchband.core.points import Float64, Int64

CLOCK = ((HOUR, 12, "hour"), (DAY, 48, "day"), (WEEK, 168, "week"))
"""Periods that are always tried: length, bins of a course, name."""
MONDAY = 4 * DAY
"""The first Monday after 1970-01-01, a Thursday."""
STRENGTH_MIN = 0.05
WEEK_GAIN_MIN = 0.02
FOUND_MIN = 0.1
"""A period off the clock has to explain more: it was searched for."""
LOOSE_MIN, LOOSE_CYCLES_MIN = 0.3, 32
CYCLES_MIN = 2
CLIP = 5.0
PEAKS = 6
SHUFFLES = 19
NEAR_CLOCK, NEAR_CLOCK_MIN = 0.15, 0.5
"""A period near one of the clock is mostly a day whose swing changes: it has to explain half."""
POINTS_MAX = 65_536


@dataclass(frozen=True, slots=True, eq=False)
class Season:
    """A period and what it explains.

    Parameters
    ----------
    name : str
        ``hour``, ``day``, ``week``, ``found`` (another period that keeps time) or ``loose`` (one that does not).
    period : int
        ns.
    cycles : float
        How many of them the series has.
    strength : float
        Share of the variation explained on other cycles, 0 to 1; of a ``week`` beyond what its day explains; of a
        ``loose`` one the correlation of the series with itself a period before.
    chance : float
        The most that any shuffled series explained.
    course : float64[bins]
        Mean course over the period, around its level; empty where the season is loose.
    """

    name: str
    period: int
    cycles: float
    strength: float
    chance: float
    course: Float64

    @property
    def there(self) -> bool:
        """Whether it explains enough to be spoken of, and more than chance."""
        least = {"week": WEEK_GAIN_MIN, "found": FOUND_MIN, "loose": LOOSE_MIN}.get(self.name, STRENGTH_MIN)
        return self.strength >= max(least, self.chance)


@dataclass(frozen=True, slots=True, eq=False)
class Seasons:
    """Every period that was tried on the clock, those that were found beside it, and what all leave."""

    tried: tuple[Season, ...]
    adjusted: Float64
    """float64[n]: the values less the courses of the seasons that are there."""

    @property
    def there(self) -> list[Season]:
        """Those that explain enough, strongest first."""
        return sorted((s for s in self.tried if s.there), key=lambda s: -s.strength)

    def named(self, name: str) -> Season | None:
        """A season by name, None where it was not tried."""
        return next((s for s in self.tried if s.name == name), None)


def seasons_of(even: Even, shift: int = 0) -> Seasons:
    """Which periods there are.

    Parameters
    ----------
    even : Even
        The series.
    shift : int
        What local time is ahead of UTC, ns: a day begins at midnight there.

    Notes
    -----
    O(n log n) for the search off the clock, on the last ``POINTS_MAX`` places.

    Examples
    --------
    >>> at = np.arange(288 * 10)
    >>> noise = np.random.default_rng(1).normal(0, 1, len(at))
    >>> found = seasons_of(Even(0, 300 * 10**9, np.sin(2 * np.pi * at / 288) * 2 + noise))
    >>> [(s.name, round(s.strength, 1)) for s in found.there]
    [('day', 0.7)]
    """
    times, values = even.times + shift - MONDAY, even.values
    if int(np.isfinite(values).sum()) < 3 * CLIP or float(np.nanmax(values)) == float(np.nanmin(values)):
        return Seasons((), values)
    rest = _clipped(values)
    whole = np.array(values)
    tried: list[Season] = []
    for period, bins, name in CLOCK:
        cycles = even.span / period
        steps = period / even.step
        if cycles < CYCLES_MIN or steps < 4:
            continue
        bins = min(bins, int(steps))
        tried.append(Season(name, period, cycles, *explained(times, rest, period, bins)))
        if tried[-1].there:
            moves = _at(tried[-1].course, times, period)
            rest, whole = rest - moves, whole - moves
    tried += _off_the_clock(even, times, rest, [s for s in tried if s.there])
    for season in tried:
        if season.name == "found" and season.there:
            whole = whole - _at(season.course, times, season.period)
    return Seasons(tuple(tried), whole)


def explained(
    times: Int64, values: Float64, period: int, bins: int, shuffles: int = SHUFFLES
) -> tuple[float, float, Float64]:
    """Share of the variation around the level of each cycle that the mean course of the other cycles explains.

    Returns
    -------
    strength : float
        At least 0.
    chance : float
        The most that a shuffled series explained.
    course : float64[bins]
        The mean course of all cycles, with mean 0.
    """
    cycle = (times // period).astype(np.int64)
    cycle -= cycle[0]
    level = _level(cycle, times, values, period)
    moved = values - level
    known = np.isfinite(moved)
    phase = ((times % period) * bins // period).astype(np.int64)
    cells = int(cycle[-1] + 1) * bins
    place = (cycle * bins + phase)[known]
    shape = (-1, bins)
    counts = np.asarray(np.bincount(place, minlength=cells), np.float64).reshape(shape)
    sums = np.asarray(np.bincount(place, moved[known], cells), np.float64).reshape(shape)
    squares = np.bincount(place, moved[known] ** 2, cells).reshape(shape)
    total = float(squares.sum())
    all_counts, all_sums = counts.sum(0), sums.sum(0)
    course = np.where(all_counts > 0, all_sums / np.maximum(all_counts, 1), 0.0)
    course = course - course.mean()
    if total <= 0:
        return 0.0, 0.0, course
    chance = 0.0
    for number in range(1, shuffles + 1):
        # Golden ratio: every cycle is moved by another part of itself, spread evenly, the same in every run.
        moved_by = (np.arange(len(counts)) * number * 0.6180339887 * bins).astype(np.int64)
        place = (np.arange(bins)[None, :] + moved_by[:, None]) % bins
        chance = max(chance, _gain(np.take_along_axis(counts, place, 1), np.take_along_axis(sums, place, 1)) / total)
    return max(0.0, _gain(counts, sums) / total), chance, course


def _gain(counts: Float64, sums: Float64) -> float:
    """What the mean of the other cycles takes from the squares; cells with no other cycle are left as they are."""
    others, left = counts.sum(0) - counts, sums.sum(0) - sums
    mean = np.where(others > 0, left / np.maximum(others, 1), 0.0)
    return float((2 * mean * sums - counts * mean**2).sum())


def _level(cycle: Int64, times: Int64, values: Float64, period: int) -> Float64:
    """Means of whole cycles, joined by lines: a level that holds nothing of the season."""
    known = np.isfinite(values)
    count = int(cycle[-1]) + 1
    counts = np.bincount(cycle[known], minlength=count)
    sums = np.bincount(cycle[known], values[known], count)
    places = np.bincount(cycle, minlength=count)
    full = (counts >= 0.75 * places.max()) & (counts > 0)
    if not full.any():
        full = counts > 0
    at = np.flatnonzero(full)
    centres = (times[0] // period + at + 0.5) * float(period)
    return np.asarray(np.interp(times.astype(np.float64), centres, sums[at] / counts[at]))


def _at(course: Float64, times: Int64, period: int) -> Float64:
    return course[((times % period) * len(course) // period).astype(np.int64)]


def _clipped(values: Float64) -> Float64:
    """Values without the few that lie far out, which would be all of the variation."""
    middle = float(np.nanmedian(values))
    low, high = np.nanquantile(values, (0.05, 0.95))
    room = CLIP * max(float(high - low), 0.0)
    return values if room == 0 else np.clip(values, middle - room, middle + room)


def _off_the_clock(even: Even, times: Int64, rest: Float64, there: list[Season]) -> list[Season]:
    rest, times = rest[-POINTS_MAX:], times[-POINTS_MAX:]
    flat = _without_slow(rest)
    n = len(flat)
    if n < 64 or not float(np.abs(flat).max()) > 0:
        return []
    spectrum = np.fft.rfft(flat, 1 << (2 * n - 1).bit_length())
    power = np.abs(spectrum) ** 2
    found = _keeping_time(even, times, rest, power, n, there)
    if found:
        return [found]
    # Longer waves may be the moving mean's own.
    itself = np.fft.irfft(power)[: n // LOOSE_CYCLES_MIN]
    itself = itself / itself[0]
    below = np.flatnonzero(itself < 0)
    if not len(below):
        return []
    # The first hill after the series has forgotten where it was.
    inner = itself[int(below[0]) :]
    peak = int(below[0]) + int(np.argmax(inner)) if len(inner) else 0
    if peak < 4 or itself[peak] < LOOSE_MIN or _known(peak * even.step, there):
        return []
    return [Season("loose", peak * even.step, n / peak, float(itself[peak]), 0.0, np.empty(0))]


def _keeping_time(
    even: Even, times: Int64, rest: Float64, power: NDArray[np.float64], n: int, there: list[Season]
) -> Season | None:
    size = 2 * (len(power) - 1)
    first, last = max(2, 5 * size // n), size // 4
    if last <= first + 2:
        return None
    inner = power[first:last]
    hills = np.flatnonzero((inner[1:-1] >= inner[:-2]) & (inner[1:-1] > inner[2:])) + 1 + first
    best: Season | None = None
    for hill in hills[np.argsort(-power[hills], kind="stable")][:PEAKS].tolist():
        for offset in np.linspace(-1, 1, 9).tolist():
            period = round(size / (hill + offset) * even.step)
            if _known(period, there) or len(times) * even.step / period < 5:
                continue
            strength, _, course = explained(times, rest, period, int(min(24, period // even.step)), 0)
            near = any(abs(period / clock - 1) < NEAR_CLOCK for clock, _, _ in CLOCK)
            if strength >= (NEAR_CLOCK_MIN if near else FOUND_MIN) and (best is None or strength > best.strength):
                best = Season("found", period, len(times) * even.step / period, strength, 0.0, course)
    if best is None:
        return None
    strength, chance, course = explained(times, rest, best.period, len(best.course))
    return Season("found", best.period, best.cycles, strength, chance, course) if strength > 1.5 * chance else None


def _known(period: int, there: list[Season]) -> bool:
    """Whether a period is one that is there already, a whole part of it or a multiple."""
    for season in there:
        ratio = season.period / period if season.period >= period else period / season.period
        if ratio < 48 and abs(ratio - round(ratio)) < 0.04 * max(1.0, math.sqrt(ratio)):
            return True
    return False


def _without_slow(values: Float64) -> Float64:
    """Less a moving mean over an eighth of the series; nothing where nothing came."""
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0)
    half = max(2, len(values) // 16)
    sums, counts = (np.concatenate([[0.0], np.cumsum(a)]) for a in (filled, known.astype(np.float64)))
    at = np.arange(len(values))
    low, high = np.maximum(at - half, 0), np.minimum(at + half + 1, len(values))
    mean = (sums[high] - sums[low]) / np.maximum(counts[high] - counts[low], 1)
    return np.where(known, values - mean, 0.0)
