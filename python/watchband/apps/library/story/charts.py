"""The pictures of the story: trials, finalists with their intervals, alerts a week, and which time was used "
"for what."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from watchband.apps.library.axes import value_ticks
from watchband.apps.library.report.markup import Markup, el, join
from watchband.apps.library.report.panel import Panel
from watchband.apps.library.story.figures import best_of, figure
from watchband.core import wording
from watchband.core.timestamp import parse_rfc3339

ROW = 26
LABEL = 176
"""Pixels a row, and the width of its name."""
PARTS_MAX = 4
PART_WORDS = {
    "train": ("block-learn", "to learn"),
    "validation": ("block-choose", "to choose"),
    "test": ("block-test", "to test"),
}


def forest(rows: Sequence[dict[str, Any]], objective: str) -> Markup:
    """One line a candidate: ring where it was chosen, dot with its interval where it was held out."""
    lines = [(r["label"], figure(r, "validation", "objective")[0], figure(r, "test", "objective")) for r in rows]
    known = [v for _, a, b in lines for v in (a, *b) if math.isfinite(v)]
    if not known:
        return Markup("")
    low, high = min([0.0, *known]), max(known)
    high = high if high > low else low + 1
    drawn = [_line(name, chosen, held, low, high) for name, chosen, held in lines]
    best = lines[0]
    says = f"{objective} held out: {best[0]} {best[2][0]:.2f}, " + ", ".join(f"{n} {h[0]:.2f}" for n, _, h in lines[1:])
    return _rows(drawn, low, high, says)


def rates(rows: Sequence[dict[str, Any]]) -> Markup:
    """Alerts a week and series on the test part, with intervals."""
    lines = [(r["label"], math.nan, figure(r, "test", "alerts")) for r in rows]
    known = [v for _, _, b in lines for v in b if math.isfinite(v)]
    if not known:
        return Markup("")
    high = max(known) or 1.0
    drawn = [_line(name, chosen, held, 0.0, high) for name, chosen, held in lines]
    says = "Alerts a week and series: " + ", ".join(f"{n} {wording.number(h[0], 2)}" for n, _, h in lines)
    return _rows(drawn, 0.0, high, says)


def trials(found: Sequence[tuple[str, float]], champion: str) -> Markup:
    """One dot a trial, a line a detector."""
    kinds = best_of(found)
    known = [v for values in kinds.values() for v in values if math.isfinite(v)]
    if not known:
        return Markup("")
    low, high = min(0.0, *known), max(known)
    high = high if high > low else low + 1
    drawn = []
    for name, values in kinds.items():
        marks = [_dot("trial", v, low, high) for v in values if math.isfinite(v)]
        best = max((v for v in values if math.isfinite(v)), default=math.nan)
        if math.isfinite(best):
            marks.append(_dot("dot-ink" if name == champion else "promised", best, low, high, 4.5))
        given_up = sum(not math.isfinite(v) for v in values)
        more = f", {given_up} given up" if given_up else ""
        drawn.append((name, f"{len(values)} tried{more}", marks))
    says = "Best value of each detector where it was chosen: " + ", ".join(
        f"{n} {max((v for v in vs if math.isfinite(v)), default=math.nan):.2f}" for n, vs in kinds.items()
    )
    return _rows(drawn, low, high, says)


def parts(found: Sequence[dict[str, Any]]) -> Markup | None:
    """Which time was used for what, one bar a group of series that overlap."""
    if not found:
        return None
    drawn = []
    for cut in found[:PARTS_MAX]:
        ends = {name: [parse_rfc3339(cut[name][end]) for end in ("from", "to")] for name in PART_WORDS}
        panel = Panel((ends["train"][0], ends["test"][1]), (0, 1), 74)
        for name, (cls, said) in PART_WORDS.items():
            first, last = ends[name]
            panel.box(cls, first, last, 20, 44)
            panel.text((first + last) / 2, said, "tick mid", 14)
        panel.times_axis("UTC", 5)
        drawn.append(panel.drawn("The past in order of time: to learn, to choose, to test, with gaps between."))
    return join(drawn)


Line = tuple[str, str, list[Markup]]


def _line(name: str, chosen: float, held: tuple[float, float, float], low: float, high: float) -> Line:
    value, least, most = held
    marks = []
    if math.isfinite(least) and math.isfinite(most):
        marks.append(el("line", cls="reach", x1=_x(least, low, high), x2=_x(most, low, high), y1=ROW / 2, y2=ROW / 2))
    if math.isfinite(chosen):
        marks.append(_dot("promised", chosen, low, high, 4.5))
    if math.isfinite(value):
        marks.append(_dot("dot-ink", value, low, high, 4.5))
    return name, wording.number(value, 2) if math.isfinite(value) else "–", marks


def _dot(cls: str, value: float, low: float, high: float, radius: float = 3.0) -> Markup:
    return el("circle", cls=cls, cx=_x(value, low, high), cy=ROW / 2, r=radius)


def _x(value: float, low: float, high: float) -> str:
    return f"{2 + 96 * (min(max(value, low), high) - low) / (high - low):.2f}%"


def _rows(lines: Sequence[Line], low: float, high: float, says: str) -> Markup:
    """Names at the left, marks on one scale, figures at the right, the scale below."""
    ticks = [(v, t) for v, t in value_ticks(low, high, 4) if low <= v <= high]
    grid = [el("line", cls="grid", x1=_x(v, low, high), x2=_x(v, low, high), y1=0, y2=ROW) for v, _ in ticks]
    rows = [
        el(
            "li",
            el("span", name, cls="name"),
            el("svg", *grid, *marks, height=ROW, cls="strip"),
            el("span", told, cls="told-figure"),
        )
        for name, told, marks in lines
    ]
    scale = [el("text", t, cls="tick mid", x=_x(v, low, high), y=12) for v, t in ticks]
    foot = el("li", el("span", cls="name"), el("svg", *scale, height=16, cls="strip"), el("span", cls="told-figure"))
    return el("div", el("ul", *rows, foot, cls="strips", aria_hidden="true"), role="img", aria_label=says)
