"""The pictures of a profile: course, distribution, seasons, level, and who moves with whom."""

from __future__ import annotations

import math

import numpy as np

from watchband.analysis.profile.course import Course
from watchband.analysis.profile.profile import Profile, Sketch
from watchband.analysis.profile.seasons import Season
from watchband.analysis.profile.together import Together, strongest_first
from watchband.analysis.profile.values import QUANTILES
from watchband.apps.library.profiling import sentences
from watchband.apps.library.report.markup import Markup, el, join
from watchband.apps.library.report.panel import Panel
from watchband.core import wording
from watchband.core.points import Float64

HEAT_MAX = 14
MINI = (132, 30)
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def whole(about: Profile, zone: str) -> Markup:
    """The series from its lowest to its highest value, with gaps, still stretches and far values marked."""
    sketch = about.sketch
    if sketch is None:
        return Markup("")
    low, high = float(np.nanmin(sketch.low)), float(np.nanmax(sketch.high))
    air = 0.06 * (high - low)
    panel = Panel((sketch.start, sketch.end), (0.0 if 0 <= low < 0.3 * high else low - air, high + air), 220)
    panel.values_axis(about.key.metric)
    panel.times_axis(zone)
    width = (sketch.end - sketch.start) / max(len(sketch.low), 1)
    for gap in about.spacing.longest:
        if gap.end - gap.start > 2 * width:
            panel.box("missing", gap.start, gap.end, panel.base - 7, panel.base)
    for still in about.still.longest:
        panel.box("stands", still.start, still.end, panel.base - 3, panel.base)
    places: Float64 = sketch.start + (np.arange(len(sketch.low), dtype=np.float64) + 0.5) * width
    panel.area("reach-area", places, sketch.low, sketch.high)
    panel.line("past", places, (sketch.low + sketch.high) / 2)
    for far in about.far.farthest if about.far and not _common(about) else ():
        panel.dot("anom", (far.start + far.end) / 2, far.value, 3.2)
    told = sentences.headline(about)
    return panel.drawn(f"{about.key} over {wording.duration(about.spacing.span)}. {told}.")


def _common(about: Profile) -> bool:
    """Whether far values are no exception, so that marking ten of them would mislead."""
    return about.far is not None and about.far.points > 0.02 * max(about.values.count, 1)


def mini(sketch: Sketch | None) -> Markup:
    """The series in a row of a table."""
    if sketch is None:
        return Markup("")
    width, height = MINI
    low, high = float(np.nanmin(sketch.low)), float(np.nanmax(sketch.high))
    room = (high - low) or 1.0
    columns = np.array_split(np.arange(len(sketch.low)), min(width // 2, len(sketch.low)))
    parts = []
    for at, part in enumerate(columns):
        known = part[np.isfinite(sketch.low[part])]
        if not len(known):
            continue
        x = 1 + at * (width - 2) / len(columns)
        top, bottom = (
            3 + (height - 6) * (1 - (float(v) - low) / room)
            for v in (sketch.high[known].max(), sketch.low[known].min())
        )
        parts.append(f"M{x:.1f} {top:.1f}V{max(bottom, top + 1.2):.1f}")
    line = el("path", cls="mini-line", d="".join(parts))
    return el("svg", line, viewBox=f"0 0 {width} {height}", width=width, height=height, aria_hidden="true")


def distribution(about: Profile) -> Markup:
    """How often which value came, with the quantiles and what lies beyond counted at the ends."""
    shape = about.values.histogram
    if shape is None:
        return Markup("")
    counts = shape.counts.astype(np.float64)
    panel = Panel((shape.low, shape.high), (0, float(counts.max()) * 1.12), 170)
    panel.values_axis(count=3)
    width = (shape.high - shape.low) / len(counts)
    for at, count in enumerate(counts.tolist()):
        if count:
            left = shape.low + at * width
            panel.box("bar", left + 0.06 * width, left + 0.94 * width, panel.y(count), panel.base)
    names = dict(zip(QUANTILES, about.values.quantiles, strict=True))
    for quantile, text in ((0.05, "5 %"), (0.5, "median"), (0.95, "95 %")):
        if names[0.05] < names[0.95] or quantile == 0.5:
            panel.upright("quantile", names[quantile], text)
    metric = about.key.metric
    ends, sign = wording.quantities(metric, [shape.low, shape.high], 3)
    panel.places_axis(
        [
            (shape.low, wording.with_unit(ends[0], sign) + (f", {shape.below:,} below" if shape.below else "")),
            (shape.high, wording.with_unit(ends[1], sign) + (f", {shape.above:,} above" if shape.above else "")),
        ]
    )
    median = wording.quantity(metric, about.values.median)
    return panel.drawn(f"Distribution of {about.values.count:,} values of {about.key}; half are below {median}.")


def season(found: Season, metric: str) -> Markup:
    """The mean course over one period, around its level."""
    course = found.course
    if len(course) < 2:
        return Markup("")
    low, high = float(course.min()), float(course.max())
    air = 0.12 * (high - low) or 1.0
    panel = Panel((0, len(course)), (low - air, high + air), 150)
    panel.values_axis(metric, 3)
    edges = np.repeat(np.arange(len(course) + 1), 2)[1:-1].astype(np.float64)
    panel.line("course", edges, np.repeat(course, 2))
    panel.level("axis", 0.0)
    panel.places_axis(_phases(found))
    named = sentences.period(found)
    texts, sign = wording.quantities(metric, [low, high])
    return panel.drawn(f"Mean course of the {named}: from {wording.span(texts[0], texts[1], sign)} around its level.")


def _phases(found: Season) -> list[tuple[float, str]]:
    bins = len(found.course)
    if found.name == "day":
        return [(bins * h / 24, f"{h:02d}:00") for h in (0, 6, 12, 18)] + [(bins, "24:00")]
    if found.name == "week":
        return [(bins * (d + 0.5) / 7, name) for d, name in enumerate(DAYS)]
    if found.name == "hour":
        return [(bins * m / 60, f":{m:02d}") for m in (0, 15, 30, 45)]
    return [(0, "0"), (bins / 2, wording.duration(found.period // 2)), (bins, wording.duration(found.period))]


def level(found: Course, about: Profile, zone: str) -> Markup:
    """The level of each block after the seasons are taken out, with the usual spread around it."""
    levels = found.levels
    if len(levels) < 2 or not math.isfinite(found.spread):
        return Markup("")
    low, high = float(levels.min() - 2 * found.spread), float(levels.max() + 2 * found.spread)
    panel = Panel((about.spacing.first, about.spacing.last), (low, high), 150)
    panel.values_axis(about.key.metric, 3)
    panel.times_axis(zone)
    places = np.linspace(about.spacing.first, about.spacing.last, len(levels) + 1)
    middle = (places[1:] + places[:-1]) / 2
    panel.area("band", middle, levels - found.spread, levels + found.spread)
    panel.line("course", middle, levels)
    if found.step_at:
        panel.upright("quantile", found.step_at, "the level moved")
    return panel.drawn(sentences.course(found, about.key.metric, zone))


def heat(found: Together) -> Markup:
    """The correlations as a table: the number in every cell, ink by size, blue below zero."""
    chosen = strongest_first(found, HEAT_MAX)
    names = [found.names[i] for i in chosen]
    head = el("tr", el("td"), *[el("th", str(k + 1), scope="col", title=n) for k, n in enumerate(names)])
    rows = []
    for k, i in enumerate(chosen):
        cells = [el("td", "" if i == j else _cell(found.table[i, j]), cls=_tone(found.table, i, j)) for j in chosen]
        rows.append(el("tr", el("th", el("span", str(k + 1), cls="place"), " ", names[k], scope="row"), *cells))
    return el("table", el("thead", head), el("tbody", *rows), cls="heat")


def _cell(value: float) -> str:
    if not math.isfinite(value):
        return "–"
    text = f"{value:.2f}".replace("-", wording.MINUS)
    return "0" if abs(value) < 0.005 else text if abs(value) >= 0.995 else text.replace("0.", ".")


def _tone(table: Float64, i: int, j: int) -> str:
    value = float(table[i, j])
    if i == j or not math.isfinite(value):
        return "tone-none"
    return f"tone-{'minus' if value < 0 else 'plus'}-{min(4, int(abs(value) * 5))}"


def bar(share: float, says: str) -> Markup:
    """A share as a bar of one hundred pixels."""
    width = f"{100 * min(max(share, 0.0), 1.0):.0f}"
    return el(
        "svg",
        el("rect", cls="bar-back", x=0, y=3, width=100, height=8),
        el("rect", cls="bar", x=0, y=3, width=width, height=8),
        width=100,
        height=14,
        role="img",
        aria_label=says,
    )


def legend(about: Profile) -> Markup:
    """What the marks of the first chart mean, those that are there."""
    marks = [("reach-key", "lowest to highest of each stretch of time")]
    if about.spacing.gaps:
        marks.append(("missing", "no readings"))
    if about.still.stuck:
        marks.append(("stands", "does not move"))
    if about.far and about.far.points and not _common(about):
        marks.append(("anom", "far from usual"))
    shapes = {"anom": el("circle", cls="anom", cx=11, cy=6, r=4)}
    items = [
        el(
            "li",
            el("svg", shapes.get(cls) or el("rect", cls=cls, x=1, y=3, width=20, height=7), width=22, height=12,
               aria_hidden="true"),
            text,
        )
        for cls, text in marks
    ]  # fmt: skip
    return join(el("ul", *items, cls="legend"))
