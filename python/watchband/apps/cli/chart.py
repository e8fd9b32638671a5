"""A small chart of a band and a value, in braille: 2 × 4 dots a character, plain text where there is no colour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.text import Text

from watchband.core.points import Float64, Int64

BAND = "color(24)"
"""Dark enough for light ink, light enough for dark ink: the ground of the terminal is not known."""
OUT = "bold color(202)"

# Bits of the eight dots of a braille character, by column and row from the top.
_DOTS = np.array([[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]], np.int32)
_AIR = 0.06


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """What is drawn: one stretch of one series, arrays of one length, ``outside`` where it is anomalous."""

    times: Int64
    y: Float64
    lower: Float64
    upper: Float64
    outside: NDArray[np.bool_]


def draw(stretch: Stretch, width: int, height: int, *, colour: bool = True) -> tuple[list[Text], tuple[float, float]]:
    """The chart and the values of its lowest and highest row.

    Parameters
    ----------
    stretch : Stretch
        At least one point with a finite value.
    width, height : int
        Characters.
    colour : bool, default True
        Show the band as ground; without colour it is a texture, where the value leaves room for it.

    Returns
    -------
    lines : list of Text, ``height + 1`` of them
        First a rail over the stretch that is outside, then the plot from top to bottom.
    limits : (float, float)
        Values at the lower and the upper edge of the plot.
    """
    low, high = _limits(stretch)
    column = _columns(stretch.times, 2 * width)
    dots, warm = _curve(stretch, column, (low, high), width, height)
    bottom, top = _band(stretch, column // 2, (low, high), width, 8 * height)
    outside = np.zeros(width, np.bool_)
    outside[column[stretch.outside] // 2] = True
    lines = [Text("".join("━" if o else " " for o in outside), style=OUT)]
    for at in range(height):
        line, floor = Text(), 8 * (height - 1 - at)
        for x in range(width):
            start, stop = (int(np.clip(edge - floor, 0, 8)) for edge in (bottom[x], top[x]))
            if dots[at, x]:
                within = stop - start >= 4 or (stop > start and not warm[at, x])
                ground = f"on {BAND}" if colour and within else ""
                line.append(chr(0x2800 + int(dots[at, x])), f"{OUT if warm[at, x] else ''} {ground}".strip())
            else:
                line.append(*(_ground(start, stop) if colour else ("░" if stop - start >= 4 else " ", "")))
        lines.append(line)
    return lines, (low, high)


def _ground(start: int, stop: int) -> tuple[str, str]:
    """A character whose part from ``start`` to ``stop`` eighths of its height is band, and its style."""
    if stop <= start:
        return " ", ""
    if stop - start == 8:
        return " ", f"on {BAND}"
    if stop == 8:
        # The part below the band is drawn, in the ground's own colour.
        return chr(0x2580 + start), f"{BAND} reverse"
    return chr(0x2580 + (stop if start == 0 else max(stop - start // 2, 1))), BAND


def _limits(stretch: Stretch) -> tuple[float, float]:
    y = stretch.y[np.isfinite(stretch.y)]
    shown = np.concatenate([y, stretch.lower[np.isfinite(stretch.lower)], stretch.upper[np.isfinite(stretch.upper)]])
    low, high = float(y.min()), float(y.max())
    # A band far wider than the values (warm-up) must not squeeze them into one row.
    room = (high - low) or max(abs(high), 1.0)
    floor = 0.0 if low >= 0 else -np.inf
    low, high = max(float(shown.min()), low - room), min(float(shown.max()), high + room)
    if high == low:
        low, high = low - max(abs(low), 1.0) / 2, high + max(abs(high), 1.0) / 2
    air = _AIR * (high - low)
    return max(low - air, floor), high + air


def _columns(times: Int64, count: int) -> NDArray[np.int64]:
    span = max(int(times[-1]) - int(times[0]), 1)
    return np.asarray(np.minimum((times - times[0]) * float(count) / span, count - 1), np.int64)


def _level(values: Float64, limits: tuple[float, float], count: int) -> NDArray[np.int64]:
    """Dot row of each value, 0 at the top."""
    low, high = limits
    part = (high - values) / (high - low)
    level = np.clip(np.floor(np.nan_to_num(part, nan=0.0) * count), 0, count - 1)
    return np.asarray(level, np.int64)


def _curve(
    stretch: Stretch, column: NDArray[np.int64], limits: tuple[float, float], width: int, height: int
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    dots = np.zeros((height, width), np.int32)
    warm = np.zeros((height, width), np.bool_)
    level = _level(stretch.y, limits, 4 * height)
    finite = np.isfinite(stretch.y)
    steps = np.diff(stretch.times)
    break_at = 4 * float(np.median(steps)) if len(steps) else 0.0
    last: int | None = None
    for i in np.flatnonzero(finite).tolist():
        joined = last is not None and i == last + 1 and stretch.times[i] - stretch.times[i - 1] <= break_at
        hot = bool(stretch.outside[i])
        for x, y in _segment(column, level, last if joined else None, i):
            dots[y // 4, x // 2] |= _DOTS[x % 2, y % 4]
            warm[y // 4, x // 2] |= hot
        last = i
    return dots, warm


def _segment(
    column: NDArray[np.int64], level: NDArray[np.int64], start: int | None, stop: int
) -> list[tuple[int, int]]:
    """Dots from one point to the next: along, and down the later column."""
    x1, y1 = int(column[stop]), int(level[stop])
    if start is None:
        return [(x1, y1)]
    x0, y0 = int(column[start]), int(level[start])
    length = max(abs(x1 - x0), abs(y1 - y0), 1)
    return [(x0 + round((x1 - x0) * k / length), y0 + round((y1 - y0) * k / length)) for k in range(1, length + 1)]


def _band(
    stretch: Stretch, column: NDArray[np.int64], limits: tuple[float, float], width: int, levels: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lower and upper edge of the band in each column, 0 to ``levels``; equal where there is none."""
    edges = np.zeros((2, width), np.int64)
    known = np.isfinite(stretch.lower) | np.isfinite(stretch.upper)
    if not known.any():
        return edges[0], edges[1]
    at = np.flatnonzero(known)
    # Columns between two points show the band of the earlier one.
    found = np.searchsorted(column[at], np.arange(width), side="right") - 1
    point = at[np.maximum(found, 0)]
    lower = np.where(np.isfinite(stretch.lower), stretch.lower, -np.inf)[point]
    upper = np.where(np.isfinite(stretch.upper), stretch.upper, np.inf)[point]
    scale = levels / (limits[1] - limits[0])
    low = np.clip(np.floor((np.maximum(lower, limits[0]) - limits[0]) * scale), 0, levels - 1)
    high = np.clip(np.ceil((np.minimum(upper, limits[1]) - limits[0]) * scale), low + 1, levels)
    edges[:, found >= 0] = np.stack([low, high])[:, found >= 0]
    return edges[0], edges[1]
