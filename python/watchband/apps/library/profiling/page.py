"""The profile as one page: the verdict and what to do first, then the series, worst first, then who moves with whom."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from watchband.analysis.profile.profile import Profile
from watchband.analysis.profile.together import Together
from watchband.apps.library.profiling import charts, sentences
from watchband.apps.library.profiling.blocks import blocks_of
from watchband.apps.library.report.frame import asset, card, frame
from watchband.apps.library.report.markup import Markup, el, join, use
from watchband.apps.library.report.page import keys_dialog
from watchband.apps.library.tuning import words
from watchband.core import wording

if TYPE_CHECKING:
    from watchband.apps.library.profiling.result import Profiles

TITLE = "Profile"
ROWS_MAX = 1000
FINDINGS_MAX = 6
TABLE = ("Series", "", "Readings", "Span", "Interval", "Missing", "Seasons", "Level", "First to know")
TOGETHER_NOTE = (
    "Rank correlation of what is left when each series' mean day, week and hour are taken out: two metrics "
    "that only share "
    "their working day do not show here. “with the day” is the plain one. Intervals count a reading only as "
    "far as it is "
    "news (Bartlett). That two move together is no cause."
)


def render(found: Profiles) -> str:
    """The whole page as text."""
    from watchband import __version__

    calm = not found.faulty
    body = [_head(found, calm), _next(found)]
    if len(found.series) == 1:
        body += [card(name, title, *inside) for name, title, inside in blocks_of(found.series[0], found.timezone)]
    else:
        body.append(_table(found))
        if found.together is not None:
            body.append(_together(found.together))
        drawn = [p for p in found.series if p.detailed]
        body += [_series(at, p, found.timezone) for at, p in enumerate(drawn)]
        left = len(found.series) - len(drawn)
        if left:
            body.append(el("p", f"{left:,} more series have no pictures here; profile them alone.", cls="muted"))
    body.append(_foot(found))
    return frame(
        title=f"{found.headline} · {TITLE} of {found.title}",
        glyph="calm" if calm else "info",
        about=f"{TITLE} of {found.title}",
        zone=found.timezone,
        body=join(*body),
        keys=keys_dialog(words.KEYS, ""),
        made=f"Watchband {__version__}",
        style=asset("watchband.apps.library.report", "report.css")
        + asset("watchband.apps.library.report", "panel.css")
        + asset(__package__, "profile.css"),
        script=asset("watchband.apps.library.tuning", "tuning.js"),
        data=json.dumps(words.SCRIPT),
    )


def _head(found: Profiles, calm: bool) -> Markup:
    one = found.series[0] if len(found.series) == 1 else None
    first = min(p.spacing.first for p in found.series)
    last = max(p.spacing.last for p in found.series)
    span = f"{wording.moment(first, found.timezone)} to {wording.moment(last, found.timezone)}."
    if one is not None:
        told = [sentences.finding(f, one, found.timezone) for f in one.findings[:FINDINGS_MAX]]
    else:
        told = [f"{p.key}: {sentences.finding(p.findings[0], p, found.timezone)}" for p in found.faulty[:3]]
    figures = [("readings", f"{found.rows:,}"), ("span", wording.duration(last - first))]
    if one is not None:
        figures.append(("interval", wording.duration(one.spacing.interval) if one.spacing.even else "none"))
    else:
        figures.insert(0, ("series", f"{len(found.series):,}"))
    return el(
        "section",
        use("calm" if calm else "info", 44),
        el("div", el("h1", found.headline), el("p", span), *[el("p", s) for s in told]),
        el("dl", *[el("div", el("dt", name), el("dd", value)) for name, value in figures], cls="figures"),
        cls="verdict",
        aria_label="Verdict",
    )


def _next(found: Profiles) -> Markup:
    steps = [
        el("li", el("pre", el("code", a.command), tabindex="0", aria_label="Command"), el("p", a.why))
        for a in found.advice
    ]
    return card("next", "What to do next", el("ol", *steps, cls="steps"))


def _table(found: Profiles) -> Markup:
    head = el(
        "tr",
        *[el("th", c, scope="col", cls="num" if i in (2, 5) else None) if c else el("td") for i, c in enumerate(TABLE)],
    )
    rows = [_row(at, p, found.timezone) for at, p in enumerate(found.series[:ROWS_MAX])]
    more = len(found.series) - len(rows)
    return card(
        "series",
        "Series, worst first",
        el("div", el("table", el("thead", head), el("tbody", *rows), cls="series-table"), cls="scroll", tabindex="0",
           role="group", aria_label="Table of series"),
        el("p", f"{more:,} more stand in profile.json and --json.", cls="card-foot") if more > 0 else None,
        aside=f"{len(found.faulty):,} with faults, {len(found.series):,} in all",
    )  # fmt: skip


def _row(at: int, p: Profile, zone: str) -> Markup:
    spacing, values = p.spacing, p.values
    lost = (values.missing + values.infinite) / max(p.looked, 1)
    name: object = el("a", str(p.key), href=f"#s{at}") if p.detailed else str(p.key)
    known = [sentences.SHORT[f.kind] for f in p.findings[:3]]
    cells = (
        (f"{p.rows:,}", "num"),
        (wording.duration(spacing.span), None),
        (wording.duration(spacing.interval) if spacing.even else "none", None),
        (sentences.percent(max(lost, spacing.absent_share)), "num"),
        (sentences.strongest(p), "wrap"),
        (sentences.COURSES[p.course.verdict] if p.course else "–", None),
        (join(el("b", ", ".join(known)) if p.faults else ", ".join(known) or "–"), "wrap"),
    )
    return el(
        "tr",
        el("th", name, scope="row"),
        el("td", charts.mini(p.sketch), cls="mini"),
        *[el("td", text, cls=cls, data_name=TABLE[i + 2]) for i, (text, cls) in enumerate(cells)],
        cls="has-fault" if p.faults else None,
    )


def _series(at: int, p: Profile, zone: str) -> Markup:
    """One series of many: its chart, what to know, and the rest folded."""
    (_, _, first), *rest = blocks_of(p, zone)
    told = [el("li", sentences.finding(f, p, zone)) for f in p.findings[:FINDINGS_MAX]]
    folded = [el("details", el("summary", title), el("div", *inside), cls="points") for _, title, inside in rest]
    return el(
        "section",
        el("div", el("h2", str(p.key), id=f"s{at}"), el("span", sentences.headline(p), cls="aside"), cls="card-head"),
        el("ul", *told, cls="told-list") if told else None,
        *first,
        *folded,
        cls="card",
        aria_labelledby=f"s{at}",
        tabindex="-1",
    )


def _together(found: Together) -> Markup:
    shown = min(len(found.names), charts.HEAT_MAX)
    names = ("", "and", "correlation", "95 % interval", "with the day")
    head = el(
        "tr", *[el("th", c, scope="col", cls="num" if i > 1 else None) if c else el("td") for i, c in enumerate(names)]
    )
    rows = [
        el(
            "tr",
            el("th", p.one, scope="row"),
            el("td", p.other, cls="wrap"),
            el("td", _signed(p.rest), cls="num"),
            el("td", f"{_signed(p.low)} to {_signed(p.high)}", cls="num"),
            el("td", _signed(p.whole), cls="num"),
        )
        for p in found.pairs
    ]
    pairs = (
        el("table", el("thead", head), el("tbody", *rows), cls="plain")
        if rows
        else el("p", "No two move together beyond chance.", cls="note")
    )
    aside = f"{found.compared:,} pairs, buckets of {wording.duration(found.bucket)}"
    return card(
        "together",
        "Who moves with whom",
        el("div", charts.heat(found), cls="scroll", tabindex="0", role="group", aria_label="Table of correlations"),
        el("p", f"The {shown} that move most with others, of {len(found.names)}.", cls="note")
        if shown < len(found.names) else None,
        el("div", pairs, cls="scroll", tabindex="0", role="group", aria_label="Table of strongest pairs"),
        el("p", TOGETHER_NOTE, cls="card-foot"),
        aside=aside,
    )  # fmt: skip


def _signed(value: float) -> str:
    return "0.00" if abs(value) < 0.005 else f"{value:+.2f}".replace("-", wording.MINUS)


def _foot(found: Profiles) -> Markup:
    notes = [el("li", n) for n in found.notes]
    if found.command:
        notes.append(el("li", el("code", found.command)))
    inside: list[object] = [el("ul", *notes)] if notes else []
    if found.problems:
        shown = found.problems[:50]
        inside += [el("h3", f"Left out, {len(found.problems)}"), el("ul", *[el("li", p) for p in shown])]
    return card("read", "How it was read", el("div", *inside, cls="told"))
