"""robustness.html: the matrix as a page that opens anywhere, in the look of the reports."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from watchband import __version__
from watchband.apps.library.report import words as report_words
from watchband.apps.library.report.frame import asset, frame
from watchband.apps.library.report.markup import Markup, el, join, use
from watchband.apps.library.robustness.maps import (
    MEASURES,
    Grid,
    Measure,
    by_kind_and_fault,
    overview,
    said,
    words,
)
from watchband.apps.library.robustness.work import Job
from watchband.core import wording
from watchband.core.duration import DAY
from watchband.evaluation.robustness.cells import Cell, table, weakest
from watchband.evaluation.robustness.run import Outcome

TITLE = "Robustness"
KEYS = (("1 2 3", "show F1, delay or alerts a week"), ("d", "theme"), ("?", "these keys"))
REPORT = "watchband.apps.library.report"


def write_page(job: Job, outcomes: Sequence[Outcome], path: Path) -> Path:
    """Write ``robustness.html``; it is replaced."""
    path.write_text(render(job, outcomes), encoding="utf-8")
    return path


def render(job: Job, outcomes: Sequence[Outcome]) -> str:
    """The whole page as text."""
    detectors = list(dict.fromkeys(o.detector for o in outcomes))
    best = verdict(outcomes)
    return frame(
        title=f"{TITLE} · {best}",
        glyph="info",
        about=f"{TITLE} of {', '.join(detectors)}",
        zone="",
        body=join(
            _head(outcomes, best),
            _measures(),
            _overview_card(outcomes),
            *[_heat_card(by_kind_and_fault(outcomes, name), outcomes) for name in detectors],
            _made_card(job),
        ),
        keys=_keys(),
        made=f"Watchband {__version__}",
        style=asset(REPORT, "report.css") + asset(__package__, "page.css"),
        script=asset(__package__, "page.js"),
    )


def verdict(outcomes: Sequence[Outcome]) -> str:
    """The answer in one sentence: how much the first detector finds, at what price.

    Examples
    --------
    >>> verdict([])
    'Nothing was tried'
    """
    first = table(outcomes, ("detector",))
    chosen = [c for c in first if c.key["detector"] == outcomes[0].detector] if outcomes else []
    if not chosen:
        return "Nothing was tried"
    cell = chosen[0]
    name, promise = cell.key["detector"], wording.number(cell.promise.value, 2)
    if not cell.events:
        return f"{name} rings {promise} times as often as promised"
    recall = wording.number(100 * cell.recall.value, 2)
    return f"{name} finds {recall} % of the faults and rings {promise} times as often as promised"


def _head(outcomes: Sequence[Outcome], sentence: str) -> Markup:
    series = {o.setting for o in outcomes if o.points}
    events = sum(o.found + o.missed for o in outcomes if o.detector == outcomes[0].detector) if outcomes else 0
    worst = weakest(outcomes, outcomes[0].detector, 3) if outcomes else []
    second: list[object] = ["In the usual condition; alerts outside faults are counted from the first point on. "]
    if worst:
        pairs = [f"{words(c.key['fault'])} of {words(c.key['kind'])}" for c in worst]
        second += ["Weakest: ", el("b", ", ".join(pairs)), "."]
    figures = (("series", len(series)), ("faults", events), ("detectors", len({o.detector for o in outcomes})))
    return el(
        "section",
        use("info", 44),
        el("div", el("h1", sentence), el("p", *second)),
        el("dl", *[el("div", el("dt", name), el("dd", f"{n:,}")) for name, n in figures], cls="figures"),
        cls="verdict",
        aria_label="Verdict",
    )


def _measures() -> Markup:
    choices = [
        el(
            "label",
            el("input", type="radio", name_="measure", id=f"m-{m.name}", checked=i == 0, data_key=i + 1),
            m.title,
        )
        for i, m in enumerate(MEASURES)
    ]
    return el(
        "fieldset",
        el("legend", "Shown"),
        *choices,
        *[el("p", m.meaning, cls=f"says says-{m.name}") for m in MEASURES],
        cls="measures",
    )


def _overview_card(outcomes: Sequence[Outcome]) -> Markup:
    return el(
        "section",
        el(
            "div",
            el("h2", "Detectors, one condition changed at a time", id="overview"),
            el("span", "small: 95 % interval", cls="aside"),
            cls="card-head",
        ),
        el(
            "div",
            *[
                el(
                    "div", _heat(grid, intervals=True, corner=grid.title), cls="scroll", tabindex="0",
                    role="region", aria_label=grid.title,
                )
                for grid in overview(outcomes)
            ],
            cls="heats",
        ),
        cls="card",
        aria_labelledby="overview",
    )  # fmt: skip


def _heat_card(grid: Grid, outcomes: Sequence[Outcome]) -> Markup:
    at = f"map-{grid.title}"
    rows = [c for row in grid.rows for column in grid.columns if (c := grid.cells.get((row, column)))]
    listed = el(
        "table",
        el("thead", el("tr", *[el("th", t, scope="col") for t in ("kind", "fault", "figures")])),
        el(
            "tbody",
            *[
                el("tr", el("td", words(c.key["kind"])), el("td", words(c.key["fault"])), el("td", said(c)))
                for c in rows
            ],
        ),
    )
    return el(
        "section",
        el(
            "div",
            el("h2", f"{grid.title}: kinds of metrics and faults", id=at),
            el("span", "usual time frame, noise and completeness", cls="aside"),
            cls="card-head",
        ),
        el(
            "div", _heat(grid, intervals=False, corner="kind"), cls="scroll", tabindex="0", role="region",
            aria_label=f"Heat map of {grid.title}",
        ),
        el(
            "details",
            el("summary", "All figures with intervals"),
            el("div", listed, cls="scroll", tabindex="0", role="region", aria_label=f"Figures of {grid.title}"),
        ),
        cls="card",
        aria_labelledby=at,
    )  # fmt: skip


def _heat(grid: Grid, *, intervals: bool, corner: str) -> Markup:
    head = el(
        "tr", el("th", corner, cls="axis-name", scope="col"), *[el("th", words(c), scope="col") for c in grid.columns]
    )
    body = [
        el(
            "tr",
            el("th", words(row), scope="row"),
            *[_cell(grid.cells.get((row, column)), intervals) for column in grid.columns],
        )
        for row in grid.rows
    ]
    return el("table", el("thead", head), el("tbody", *body), cls="heat")


def _cell(cell: Cell | None, intervals: bool) -> Markup:
    if cell is None:
        return el("td", el("span", "·", aria_hidden="true"), el("span", "cannot be", cls="sr"), cls="none")
    tones = [f"{m.name}-{tone}" for m in MEASURES if (tone := m.tone(cell)) is not None]
    return el("td", *[_value(cell, m, intervals) for m in MEASURES], cls=" ".join(tones), title=said(cell))


def _value(cell: Cell, measure: Measure, intervals: bool) -> Markup:
    figure = measure.figure(cell)
    if math.isnan(figure.value):
        return el("span", "·", cls=f"v-{measure.name}")
    around = None
    if intervals:
        around = el("small", f"{measure.text(figure.low)} to {measure.text(figure.high)}")
    return el("span", measure.text(figure.value), around, cls=f"v-{measure.name}")


def _days(ns: int) -> str:
    return "a day" if ns == DAY else f"{wording.number(ns / DAY)} days"


def _made_card(job: Job) -> Markup:
    shapes = [(name, f"{f.points:,} points, one alert promised in {_days(f.budget)}") for name, f in job.frames.items()]
    form = "small form" if job.small else "every condition with every other" if job.cross else "one departure at a time"
    facts = [*shapes, ("form", form), ("seed", str(job.seed)), ("series of each", str(job.replicas))]
    return el(
        "section",
        el("div", el("h2", report_words.SETTINGS, id="made"), cls="card-head"),
        el("dl", *[el("div", el("dt", n), el("dd", t)) for n, t in facts], cls="facts"),
        cls="card",
        aria_labelledby="made",
    )


def _keys() -> Markup:
    rows = [el("div", el("dt", *[el("kbd", k) for k in keys.split()]), el("dd", text)) for keys, text in KEYS]
    return el(
        "dialog",
        el("h2", report_words.KEYS_TITLE),
        el("dl", *rows),
        el("form", el("button", "Close", cls="btn"), method="dialog"),
        id="keys",
        aria_label=report_words.KEYS_TITLE,
    )
