"""The report of a tuning as one page: the decision first, then what it rests on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from watchband.analysis.tuning.budget import Budgeted, Option
from watchband.analysis.tuning.material import Parts
from watchband.analysis.tuning.result import Row, Tuned
from watchband.analysis.tuning.stratified import Leaked
from watchband.apps.library.report.frame import asset, card, frame
from watchband.apps.library.report.markup import Markup, el, join, use
from watchband.apps.library.report.page import keys_dialog
from watchband.apps.library.tuning import charts, words
from watchband.core import wording
from watchband.core.duration import MINUTE
from watchband.evaluation.metrics.bootstrap import Interval

if TYPE_CHECKING:
    from watchband.apps.library.tuning.tuning import Tuning

CUTS_MAX = 6


def render(tuning: Tuning) -> str:
    """The whole page as text."""
    from watchband import __version__

    headline = words.HEADLINES[tuning.decision]
    result = tuning.result
    if isinstance(result, Leaked):
        cards = [_leak(result)]
    else:
        cards = _budget_cards(result) if isinstance(result, Budgeted) else _objective_cards(result)
    body = [_head(tuning), _use(tuning), *cards, _parts(result.parts, tuning.timezone), _settings(tuning, __version__)]
    return frame(
        title=f"{headline} · {words.TITLE} of {tuning.title}",
        glyph=words.GLYPHS.get(tuning.decision, "info"),
        about=f"{words.TITLE} of {tuning.title}",
        zone=tuning.timezone,
        body=join(*body),
        keys=keys_dialog(words.KEYS, ""),
        made=f"Watchband {__version__}",
        style=asset("watchband.apps.library.report", "report.css") + asset(__package__, "tuning.css"),
        script=asset(__package__, "tuning.js"),
        data=json.dumps(words.SCRIPT),
    )


def _head(tuning: Tuning) -> Markup:
    result = tuning.result
    figures = [("configurations tried", f"{tuning.tried:,}"), ("series", f"{len(result.series):,}")]
    if isinstance(result, Tuned):
        figures.append(("events held out", f"{result.events[1]:,}"))
    else:
        figures.append(("weeks held out", f"{result.weeks[1]:.1f}"))
    return el(
        "section",
        use(words.GLYPHS.get(tuning.decision, "info"), 44),
        el("div", el("h1", words.HEADLINES[tuning.decision]), *[el("p", s) for s in tuning.sentences]),
        el("dl", *[el("div", el("dt", name), el("dd", value)) for name, value in figures], cls="figures"),
        cls="verdict",
        aria_label="Decision",
    )


def _use(tuning: Tuning) -> Markup:
    kept = tuning.decision not in ("better", "changed", "not met")
    return card(
        "use",
        words.USE,
        el("pre", el("code", f"watchband detect FILES {tuning.flags}"), tabindex="0", aria_label="Command"),
        el(
            "details",
            el("summary", "configuration.yaml"),
            el("pre", el("code", tuning.chosen.yaml()), tabindex="0", aria_label="Configuration"),
        ),
        aside=words.USE_KEPT if kept else words.USE_CHOSEN,
    )


def _objective_cards(result: Tuned) -> list[Markup]:
    cards = [_table(result), _rule(result)]
    if len(result.curve) and len(result.attempts) > 1:
        cards.insert(1, _curve(result))
    return [*cards, _trials(result)]


def _table(result: Tuned) -> Markup:
    ends = charts.shared_range([i for r in result.rows for i in (r.validation["objective"], r.test["objective"])])
    head = el(
        "tr", *[el("th", c, scope="col", cls="num" if i in (4, 5, 6) else None) for i, c in enumerate(words.COLUMNS)]
    )
    rows = [_row(row, ends) for row in result.rows]
    return card(
        "table",
        words.TABLE,
        el("div", el("table", el("thead", head), el("tbody", *rows), cls="compared"), cls="scroll", tabindex="0"),
        _legend(),
        el("p", words.TABLE_NOTE, cls="card-foot"),
        aside=f"{result.objective}, 95 % intervals, {words.tried(result.tried)}",
    )


def _legend(chosen_on: str = "chosen on", held_out: str = "held out, with its interval") -> Markup:
    marks = (("promised", chosen_on), ("dot-ink", held_out))
    items = [
        el("li", el("svg", el("circle", cls=cls, cx=6, cy=6, r=4), width=12, height=12, aria_hidden="true"), text)
        for cls, text in marks
    ]
    return el("ul", *items, cls="legend")


def _row(row: Row, ends: tuple[float, float]) -> Markup:
    name = el(
        "th",
        el("b", row.label),
        el("small", words.ROLES[row.role]),
        el("code", row.configuration.flags.removeprefix("--detector ")),
        scope="row",
    )
    before, after = row.validation["objective"], row.test["objective"]
    cells = (
        join(el("span", number(before.value))),
        join(el("b", number(after.value)), el("small", reach(after)), charts.scale(before, after, ends)),
        "–"
        if row.against is None
        else join(el("b", number(row.against.value, signed=True)), el("small", reach(row.against, signed=True))),
        number(row.test["alerts"].value, 2),
        _delay(row),
        f"{100 * row.test['fpr'].value:.2f} %",
    )
    marked = [
        el("td", cell, cls="num" if i > 2 else "interval", data_name=words.COLUMNS[i + 1])
        for i, cell in enumerate(cells)
    ]
    return el("tr", name, *marked, cls=f"is-{row.role}")


def _delay(row: Row) -> str:
    hours = row.test["delay"].value
    if not np.isfinite(hours):
        return "–"
    return wording.duration(round(hours * 60) * MINUTE) if hours >= 1 / 120 else "none"


def _curve(result: Tuned) -> Markup:
    rows = [
        el(
            "tr",
            el("td", s.number, cls="num"),
            el("td", number(s.validation), cls="num"),
            el("td", number(s.test), cls="num"),
        )
        for s in result.curve
    ]
    head = el("tr", *[el("th", c, scope="col", cls="num") for c in ("best since trial", "chosen on", "held out")])
    legend = el(
        "ul",
        el(
            "li",
            el("svg", el("line", cls="chosen-line", x1=0, x2=20, y1=6, y2=6), width=20, height=12, aria_hidden="true"),
            "chosen on, best so far",
        ),
        el(
            "li",
            el("svg", el("line", cls="held-line", x1=0, x2=20, y1=6, y2=6), width=20, height=12, aria_hidden="true"),
            "the same, held out",
        ),
        el(
            "li",
            el("svg", el("circle", cls="trial", cx=6, cy=6, r=2.5), width=12, height=12, aria_hidden="true"),
            "each trial, chosen on",
        ),
        el(
            "li",
            el("svg", el("circle", cls="given-up", cx=6, cy=6, r=2), width=12, height=12, aria_hidden="true"),
            "given up early",
        ),
        cls="legend",
    )
    return card(
        "curve",
        words.CURVE,
        el("div", charts.curve(result.attempts, result.curve), cls="plotted"),
        legend,
        el(
            "details",
            el("summary", "The curve as a table"),
            el("div", el("table", el("thead", head), el("tbody", *rows)), cls="scroll"),
            cls="points",
        ),
        el(
            "p",
            words.CURVE_NOTE,
            f" Gap of the best found: {number(result.gap.value, signed=True)} ({reach(result.gap, signed=True)}).",
            cls="card-foot",
        ),
        aside=words.tried(result.tried),
    )


def _rule(result: Tuned) -> Markup:
    rows = []
    for check in result.checks:
        said = ("yes" if check.holds else "no") + ("" if check.settled else words.UNSETTLED)
        rows.append(
            el("tr", el("th", check.asks, scope="row"), el("td", check.found, cls="wrap"), el("td", said, cls="wrap"))
        )
    head = el("tr", *[el("th", c, scope="col") for c in ("asks", "found", "holds")])
    return card(
        "rule",
        words.RULE,
        el("div", el("table", el("thead", head), el("tbody", *rows), cls="plain"), cls="scroll"),
        *[el("p", note, cls="card-foot") for note in result.notes],
    )


def _trials(result: Tuned) -> Markup:
    rows = [
        el(
            "tr",
            el("td", a.number, cls="num"),
            el("td", number(a.value) if np.isfinite(a.value) else "given up", cls="num"),
            el("td", el("code", a.configuration.flags.removeprefix("--detector ")), cls="wrap"),
        )
        for a in result.attempts
    ]
    head = el(
        "tr",
        el("th", "trial", scope="col", cls="num"),
        el("th", "chosen on", scope="col", cls="num"),
        el("th", "configuration", scope="col"),
    )
    inside = el("div", el("table", el("thead", head), el("tbody", *rows), cls="plain"), cls="scroll")
    return card(
        "trials",
        words.TRIALS,
        el("details", el("summary", f"{len(result.attempts)} trials of this study"), inside, cls="points"),
        aside=words.tried(result.tried),
    )


def _budget_cards(result: Budgeted) -> list[Markup]:
    chart = charts.rates(result.options, result.asked)
    cards = []
    if chart:
        aside = f"asked: {result.asked:.3g} a week per series"
        cards.append(
            card(
                "rates",
                words.BUDGETS,
                el("div", chart, cls="plotted"),
                _legend("chosen on", "later, both with intervals"),
                aside=aside,
            )
        )
    near = result.nearest()
    rest = sorted((o for o in result.options if o not in near), key=lambda o: (o.kind, o.past.value))
    folded = el("details", el("summary", f"{len(rest)} more"), _options(rest, result), cls="points") if rest else None
    cards.append(
        card(
            "options",
            words.OPTIONS,
            _options(near, result),
            folded,
            el("p", words.OPTIONS_NOTE, cls="card-foot"),
            aside=f"95 % intervals, {words.tried(result.tried)}",
        )
    )
    return cards


def _options(options: Sequence[Option], result: Budgeted) -> Markup:
    names = ("", "alerts a week per series", "later", "configuration")
    head = el("tr", *[el("th", c, scope="col", cls="num" if i in (1, 2) else None) for i, c in enumerate(names)])
    rows = [_option(o, o is result.chosen) for o in options]
    return el("div", el("table", el("thead", head), el("tbody", *rows), cls="plain"), cls="scroll", tabindex="0")


def _option(option: Option, chosen: bool) -> Markup:
    return el(
        "tr",
        el(
            "th",
            el("b", option.kind) if chosen else option.kind,
            el("small", "chosen") if chosen else None,
            scope="row",
        ),
        el("td", number(option.past.value, 2), el("small", reach(option.past, 2)), cls="num"),
        el("td", number(option.later.value, 2), el("small", reach(option.later, 2)), cls="num"),
        el("td", el("code", option.configuration.flags.removeprefix("--detector ")), cls="wrap"),
        cls="is-found" if chosen else None,
    )


def _leak(result: Leaked) -> Markup:
    names = ("", "chosen on", "test", "configuration")
    head = el("tr", *[el("th", c, scope="col", cls="num" if i in (1, 2) else None) for i, c in enumerate(names)])
    rows = [
        el(
            "tr",
            el("th", el("b", side.label), scope="row"),
            *[
                el("td", number(found.value), el("small", reach(found)), cls="num")
                for found in (side.validation, side.test)
            ],
            el("td", el("code", side.configuration.flags.removeprefix("--detector ")), cls="wrap"),
        )
        for side in result.sides
    ]
    return card(
        "leak",
        words.LEAK,
        el("div", el("table", el("thead", head), el("tbody", *rows), cls="plain"), cls="scroll", tabindex="0"),
        el("p", words.LEAK_NOTE, cls="card-foot"),
        aside=f"F1 of points, 95 % intervals, {words.tried(result.tried)}",
    )


def _parts(parts: Sequence[Parts], zone: str) -> Markup:
    cuts = sorted(set(parts), key=lambda p: p.validation.start)
    shown = []
    for cut in cuts[:CUTS_MAX]:
        told = (
            ("chosen on", cut.validation.start, cut.validation.stop),
            ("counts nowhere", cut.validation.stop, cut.test.start),
            ("held out", cut.test.start, cut.test.stop),
        )
        facts = [
            el(
                "div",
                el("dt", name),
                el("dd", f"{wording.moment(a, zone)} to {wording.moment(b, zone)} ({wording.duration(b - a)})"),
            )
            for name, a, b in told
        ]
        shown += [el("div", charts.timeline(cut), cls="plotted"), el("dl", *facts, cls="facts")]
    more = len(cuts) - CUTS_MAX
    note = el(
        "p", f"{more} more groups of series that overlap have cuts of their own; see summary.json.", cls="card-foot"
    )
    return card("parts", words.PARTS, *shown, note if more > 0 else None, aside="before the first part it learns only")


def _settings(tuning: Tuning, version: str) -> Markup:
    result = tuning.result
    stated: dict[str, object] = {"Watchband": version, "times shown in": tuning.timezone}
    if isinstance(result, Tuned):
        kind = "injected faults" if result.injected else "labels"
        stated |= {"objective": result.objective, "events from": kind, "seed": result.seed, "rule": result.rule}
    facts = [el("div", el("dt", name), el("dd", value)) for name, value in stated.items()]
    return card(
        "made",
        words.SETTINGS,
        el("dl", *facts, cls="facts"),
        *[el("p", note, cls="note") for note in tuning.notes],
        el("pre", el("code", tuning.command), tabindex="0", aria_label="Command") if tuning.command else None,
    )


def number(value: float, digits: int = 3, *, signed: bool = False) -> str:
    """A figure; a dash where there is none.

    Examples
    --------
    >>> number(-0.25, signed=True), number(float("nan"))
    ('−0.250', '–')
    """
    if not np.isfinite(value):
        return "–"
    return f"{value:{'+' if signed else ''}.{digits}f}".replace("-", "−")


def reach(found: Interval, digits: int = 3, *, signed: bool = False) -> str:
    """An interval in words; empty where there is none.

    Examples
    --------
    >>> reach(Interval(0, -0.5, 0.25), 2)
    '−0.50 to 0.25'
    """
    if not (np.isfinite(found.low) and np.isfinite(found.high)):
        return "no interval: too few series" if np.isfinite(found.value) else ""
    return f"{number(found.low, digits, signed=signed)} to {number(found.high, digits, signed=signed)}"
