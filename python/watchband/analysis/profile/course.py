"""Where the level goes: trend, whether it comes back, and whether the noise keeps its size."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from watchband.analysis.profile.even import Even
from watchband.core.points import Float64

BLOCKS_MAX = 48
BLOCKS_MIN = 8
BLOCK_POINTS_MIN = 8
KPSS_LEVEL, KPSS_TREND = 0.463, 0.146
"""Limits of the test of Kwiatkowski, Phillips, Schmidt and Shin at 5 %, around a level and around a line."""
STEP_MIN = 0.6
"""Share of the blocks' variation that one step of the level must explain to be named."""
NOTICEABLE = 0.5
"""Changes below half the usual spread of values are not spoken of, however sure."""
NOISE_RATIO = 3.0
Z = 1.96


@dataclass(frozen=True, slots=True)
class Slope:
    """Change a day: median of the slopes of all pairs of blocks, its 95 % interval, and the change over the series."""

    per_day: float
    low: float
    high: float
    change: float

    @property
    def sure(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """Where the level goes, after the seasons are taken out.

    Parameters
    ----------
    verdict : str
        ``steady``, ``trend``, ``step``, ``wanders`` or ``short`` (too little to say).
    slope : Slope or None
        None where it is too short.
    spread : float
        Usual distance from the level of its block.
    level_test, trend_test : float
        KPSS statistics of the blocks around a level and around a line.
    step_at : int
        Where the level moved, ns; 0 where it made no one step.
    before, after : float
        The levels on both sides of it.
    noise_ratio : float
        Noise of the noisiest tenth of the blocks over that of the calmest; NaN where a calm one has none.
    block : int
        Length of a block, ns.
    levels : float64[blocks]
        Median of each.
    """

    verdict: str
    slope: Slope | None
    spread: float
    level_test: float
    trend_test: float
    step_at: int
    before: float
    after: float
    noise_ratio: float
    block: int
    levels: Float64


def course_of(even: Even, adjusted: Float64) -> Course:
    """Where the level goes.

    Parameters
    ----------
    even : Even
        The series.
    adjusted : float64[n]
        Its values less their seasons.

    Examples
    --------
    >>> noise = np.random.default_rng(1).normal(0, 1, 2000)
    >>> hourly = 3_600_000_000_000
    >>> course_of(Even(0, hourly, noise), noise).verdict
    'steady'
    >>> course_of(Even(0, hourly, noise), noise + 0.01 * np.arange(2000)).verdict
    'trend'
    """
    size = max(BLOCK_POINTS_MIN, -(-len(adjusted) // BLOCKS_MAX))
    count = len(adjusted) // size
    blocks = adjusted[len(adjusted) - count * size :].reshape(count, size) if count else np.empty((0, size))
    full = np.isfinite(blocks).sum(1) >= max(3, size // 4) if count else np.empty(0, np.bool_)
    blocks, at = blocks[full], np.flatnonzero(full)
    nan = math.nan
    if len(blocks) < BLOCKS_MIN:
        return Course("short", None, _spread(adjusted), nan, nan, 0, nan, nan, nan, size * even.step, np.empty(0))
    levels = np.asarray(np.nanmedian(blocks, 1))
    # Spread within blocks; a value that hardly moves has none there, but may move between them.
    noise = np.asarray(np.nanmedian(np.abs(blocks - levels[:, None]), 1)) * 1.4826
    spread = float(np.median(noise)) or float(np.nanmean(np.abs(blocks - levels[:, None])))
    slope = _slope(levels, at, size * even.step)
    level_test, trend_test = kpss(levels), kpss(levels, trend=True)
    place, share = _step(levels)
    verdict = "wanders"
    big = float(np.quantile(levels, 0.9) - np.quantile(levels, 0.1)) >= NOTICEABLE * spread
    noticed = slope.sure and abs(slope.change) >= NOTICEABLE * spread
    if not big or (level_test < KPSS_LEVEL and not noticed):
        verdict = "steady"
    elif trend_test < KPSS_TREND and noticed:
        verdict = "trend"
    elif share >= STEP_MIN:
        verdict = "step"
    start = even.start + even.step * (len(adjusted) - count * size)
    stepped = verdict == "step"
    low, high = np.quantile(noise, (0.1, 0.9))
    return Course(
        verdict,
        slope,
        spread,
        level_test,
        trend_test,
        start + int(at[place]) * size * even.step if stepped else 0,
        float(np.median(levels[:place])) if stepped else nan,
        float(np.median(levels[place:])) if stepped else nan,
        float(high / low) if low > 0 else nan,
        size * even.step,
        levels,
    )


def kpss(levels: Float64, *, trend: bool = False) -> float:
    """The statistic of Kwiatkowski, Phillips, Schmidt and Shin (1992), with Bartlett's weights over 4 "
    "(n/100)^¼ lags."""
    n = len(levels)
    at = np.arange(n, dtype=np.float64)
    line = np.polyval(np.polyfit(at, levels, 1), at) if trend else np.full(n, levels.mean())
    rest = levels - line
    lags = max(1, math.floor(4 * (n / 100) ** 0.25))
    long_run = float(rest @ rest) / n
    for k in range(1, lags + 1):
        long_run += 2 * (1 - k / (lags + 1)) * float(rest[k:] @ rest[:-k]) / n
    return float((np.cumsum(rest) ** 2).sum() / n**2 / long_run) if long_run > 0 else 0.0


def _slope(levels: Float64, at: np.ndarray, block: int) -> Slope:
    """Theil and Sen's slope with Sen's interval, widened by what neighbouring blocks share."""
    n = len(levels)
    i, j = np.triu_indices(n, 1)
    slopes = np.sort((levels[j] - levels[i]) / (at[j] - at[i]))
    middle = float(np.median(slopes))
    rest = levels - middle * at
    rest = rest - np.median(rest)
    power = float(rest @ rest)
    shared = min(max(float(rest[1:] @ rest[:-1]) / power, 0.0), 0.95) if power > 0 else 0.0
    deviation = math.sqrt(n * (n - 1) * (2 * n + 5) / 18 * (1 + shared) / (1 - shared))
    reach = round(Z * deviation / 2)
    centre = len(slopes) // 2
    low, high = (slopes[min(max(centre + k, 0), len(slopes) - 1)] for k in (-reach, reach))
    per_day = 86_400e9 / block
    return Slope(middle * per_day, float(low) * per_day, float(high) * per_day, middle * float(at[-1] - at[0]))


def _step(levels: Float64) -> tuple[int, float]:
    """The place where one step of the level explains most, and how much of the variation that is."""
    n = len(levels)
    sums = np.cumsum(levels)[:-1]
    k = np.arange(1, n)
    gain = (sums - k * float(levels.mean())) ** 2 * n / (k * (n - k))
    total = float(((levels - levels.mean()) ** 2).sum())
    inner = slice(1, n - 2)  # a side of one block is no level
    place = int(np.argmax(gain[inner])) + 2
    return place, float(gain[place - 1]) / total if total > 0 else 0.0


def _spread(values: Float64) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(np.abs(known - np.median(known)))) * 1.4826 if len(known) else math.nan
