"""What a page says of one series, block by block: course, values, seasons, level, far values, gaps, uses."""

from __future__ import annotations

from collections.abc import Sequence

from watchband.analysis.profile.course import KPSS_LEVEL, KPSS_TREND, Course
from watchband.analysis.profile.far import DEVIATIONS
from watchband.analysis.profile.profile import Profile
from watchband.apps.library.profiling import charts, sentences
from watchband.apps.library.report.markup import Markup, el
from watchband.core import wording

Block = tuple[str, str, list[object]]
"""Its id, its title, what stands in it."""

SEASON_NOTE = (
    "Strength: each cycle is predicted by the mean of the other cycles; the share of the movement around the "
    "moving level "
    "that this explains, on cycles it was not learned from. It must be more than when every cycle is moved "
    "along by some part "
    "of itself, tried 19 ways. Days and weeks begin by the clock of the page."
)
LEVEL_NOTE = (
    "Medians of stretches of {block} after the seasons are taken out, with the usual spread around them. "
    "Test of Kwiatkowski, "
    "Phillips, Schmidt and Shin: {level} around a level (steady below {level_max}), {trend} around a line "
    "(below {trend_max})."
)
FAR_NOTE = (
    "Distance from the median of its stretch after the seasons are taken out, in usual distances: of half "
    "the values on that "
    "side, times 1.48. Beyond {most:g} counts. No alert follows from this: a detector knows more, and learns."
)
USES_NOTE = "Time counts as far as there are readings in it."


def blocks_of(about: Profile, zone: str) -> list[Block]:
    """Every block that has something to say; the first is the course."""
    made = [
        _whole(about, zone), _fit(about), _values(about), _seasons(about), _level(about, zone), _far(about, zone),
        _breaks(about, zone),
    ]  # fmt: skip
    return [block for block in made if block[2]]


def _facts(rows: Sequence[tuple[str, object]]) -> Markup:
    return el("dl", *[el("div", el("dt", name), el("dd", value)) for name, value in rows], cls="facts")


def _whole(about: Profile, zone: str) -> Block:
    spacing, values = about.spacing, about.values
    facts: list[tuple[str, object]] = [
        ("readings", f"{about.rows:,}"),
        ("from", wording.moment(spacing.first, zone)),
        ("to", wording.moment(spacing.last, zone)),
        ("interval", wording.duration(spacing.interval) if spacing.even else "none that most keep"),
        ("gaps", f"{spacing.gaps:,}" + (f", {sentences.percent(spacing.absent_share)} absent" if spacing.gaps else "")),
        ("without value", f"{values.missing + values.infinite:,}"),
        ("duplicates", f"{spacing.duplicates:,}"),
        ("out of order", f"{spacing.backwards:,}"),
    ]
    if about.looked < about.rows:
        facts.append(("looked at", f"the last {about.looked:,}"))
    return "course", "The whole course", [charts.whole(about, zone), charts.legend(about), _facts(facts)]


def _fit(about: Profile) -> Block:
    rows = [
        el(
            "tr",
            el("th", sentences.USES[u.name], scope="row"),
            el("td", charts.bar(min(1.0, u.have / u.need), sentences.answer(u)), cls="hide-narrow"),
            el("td", sentences.use(u), cls="wrap"),
            el("td", el("b", sentences.answer(u)) if u.enough == "yes" else sentences.answer(u)),
        )
        for u in about.uses
    ]
    table = el("table", el("tbody", *rows), cls="plain")
    return "fit", "What it is enough for", [el("div", table, cls="scroll"), el("p", USES_NOTE, cls="card-foot")]


def _values(about: Profile) -> Block:
    values, metric = about.values, about.key.metric
    if not values.count:
        return "values", "", []
    texts, sign = wording.quantities(metric, [values.low, values.high, values.median, values.mean, values.deviation], 4)
    facts: list[tuple[str, object]] = [
        ("looks like", sentences.KINDS[values.kind]),
        ("range", wording.span(texts[0], texts[1], sign)),
        ("median", wording.with_unit(texts[2], sign)),
        ("mean", wording.with_unit(texts[3], sign)),
        ("standard deviation", wording.with_unit(texts[4], sign)),
        ("different values", f"{values.distinct:,}"),
    ]
    if values.resolution > 0:
        facts.append(("moves in steps of", wording.quantity(metric, values.resolution)))
    if values.zeros > 0:
        facts.append(("zeros", sentences.percent(values.zeros)))
    if values.negative > 0:
        facts.append(("below zero", sentences.percent(values.negative)))
    if abs(values.skew) >= 0.2:
        facts.append(("longer tail", "above" if values.skew > 0 else "below"))
    return "values", "Values", [charts.distribution(about), _facts(facts)]


def _seasons(about: Profile) -> Block:
    tried = about.seasons.tried
    if not tried:
        told = "Shorter than two hours, or it never changes: no season can be measured."
        return "seasons", "Seasons", [el("p", told, cls="note")]
    metric = about.key.metric
    rows = [
        el(
            "tr",
            el("th", sentences.period(s).capitalize() if s.name in ("hour", "day", "week") else sentences.period(s),
               scope="row"),
            el("td", charts.bar(s.strength, sentences.percent(s.strength)), cls="hide-narrow"),
            el("td", sentences.percent(s.strength) if s.name != "loose" else wording.number(s.strength, 2), cls="num"),
            el("td", sentences.season(s), cls="wrap"),
        )
        for s in tried
    ]  # fmt: skip
    drawn = [
        el("div", el("h3", f"Mean {sentences.period(s)}"), charts.season(s, metric))
        for s in about.seasons.there
        if len(s.course) > 1
    ]
    return (
        "seasons",
        "Seasons",
        [
            el("div", el("table", el("tbody", *rows), cls="plain"), cls="scroll"),
            el("div", *drawn, cls="pair") if drawn else None,
            el("p", SEASON_NOTE, cls="card-foot"),
        ],
    )


def _level(about: Profile, zone: str) -> Block:
    found = about.course
    if found is None:
        return "level", "", []
    metric = about.key.metric
    told = [el("p", sentences.course(found, metric, zone))]
    if found.slope is not None and found.verdict != "trend":
        told.append(el("p", _slope(found, metric)))
    if found.noise_ratio >= 3:
        told.append(
            el("p", f"Noise at its noisiest is {wording.number(found.noise_ratio, 2)} times that at its calmest.")
        )
    note = LEVEL_NOTE.format(
        block=wording.duration(found.block), level=wording.number(found.level_test), level_max=KPSS_LEVEL,
        trend=wording.number(found.trend_test), trend_max=KPSS_TREND,
    )  # fmt: skip
    inside: list[object] = [el("div", *told, cls="told"), charts.level(found, about, zone)]
    if found.verdict != "short":
        inside.append(el("p", note, cls="card-foot"))
    return "level", "Level: trend and stationarity", inside


def _slope(found: Course, metric: str) -> str:
    assert found.slope is not None
    slope = found.slope
    if not slope.sure:
        return f"No trend: the 95{wording.NO_BREAK}% interval of its slope has 0 in it."
    change = wording.quantity(metric, abs(slope.change))
    return f"Over the whole it {'rose' if slope.change > 0 else 'fell'} by {change}."


def _far(about: Profile, zone: str) -> Block:
    found = about.far
    if found is None:
        return "far", "", []
    if not found.points:
        return "far", "Far values", [el("p", "None: no value lies far from the usual of its time.", cls="note")]
    metric = about.key.metric
    rows = []
    for f in found.farthest:
        texts, sign = wording.quantities(metric, [f.value, f.usual])
        rows.append(
            el(
                "tr",
                el("th", wording.moment(f.start, zone), scope="row"),
                el("td", f"{f.points:,}", cls="num"),
                el("td", el("b", wording.with_unit(texts[0], sign)), cls="num"),
                el("td", wording.with_unit(texts[1], sign), cls="num"),
                el("td", wording.number(f.distance), cls="num"),
            )
        )
    names = ("from", "points", "farthest", "usual then", "usual distances")
    head = el("tr", *[el("th", c, scope="col", cls="num" if i else None) for i, c in enumerate(names)])
    share = sentences.percent(found.points / max(about.values.count, 1))
    stretches = sentences.counted(found.stretches, "stretch", "stretches")
    told = f"{sentences.counted(found.points, 'value')} ({share}) in {stretches}."
    table = el("table", el("thead", head), el("tbody", *rows), cls="plain")
    return (
        "far",
        "Far values",
        [el("p", told, cls="note"),
         el("div", table, cls="scroll", tabindex="0", role="group", aria_label="Table of far values"),
         el("p", FAR_NOTE.format(most=DEVIATIONS), cls="card-foot")],
    )  # fmt: skip


def _breaks(about: Profile, zone: str) -> Block:
    """Gaps and stretches that stand still, longest first."""
    gaps = [
        el("li", f"{wording.moment(g.start, zone)}, {wording.duration(g.end - g.start)} without a reading")
        for g in about.spacing.longest
    ]
    stuck = [
        el("li", f"{wording.moment(s.start, zone)}, {wording.duration(s.end - s.start)} at "
                 f"{wording.quantity(about.key.metric, s.value)}, {s.points:,} readings")
        for s in about.still.longest
    ]  # fmt: skip
    inside: list[object] = []
    if gaps:
        more = f", the longest {len(gaps)} of {about.spacing.gaps:,}" if about.spacing.gaps > len(gaps) else ""
        inside.append(el("div", el("h3", f"Gaps{more}"), el("ul", *gaps), cls="told"))
    if stuck:
        inside.append(el("div", el("h3", "Stands still"), el("ul", *stuck), cls="told"))
    return "breaks", "Gaps and still stretches", inside
