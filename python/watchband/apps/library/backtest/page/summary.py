"""The upper part of the backtest's report: the verdict, the table of candidates, the splits."""

from __future__ import annotations

from watchband.apps.library.backtest.page import words
from watchband.apps.library.backtest.page.pieces import scale
from watchband.apps.library.backtest.result import Backtest
from watchband.apps.library.backtest.sentences import leading, overfitting, verdict, what_counts
from watchband.apps.library.options import rule_words
from watchband.apps.library.report.markup import Markup, el, use
from watchband.core import wording
from watchband.evaluation.backtest.contender import Contender
from watchband.evaluation.backtest.figures import Figures
from watchband.evaluation.backtest.points import PointFigures
from watchband.evaluation.metrics.bootstrap import Interval


def glyph(found: Backtest) -> str:
    """Calm where the first candidate found everything without a false alert, else a ring."""
    if not found.told or not found.labelled:
        return "info"
    first = found.figures[found.names[0]]
    return "calm" if not first.missed and not first.false else "info"


def headline(found: Backtest) -> str:
    """The shortest answer."""
    if not found.told:
        return "Nothing was replayed"
    name, one = next(iter(found.figures.items()))
    if found.labelled and one.events:
        return f"{name} finds {one.found} of {one.events:,} events"
    return f"{name} alerts {wording.number(one.alerts_per_week.value)} times a week"


def head(found: Backtest) -> Markup:
    """Verdict, second sentence, three figures."""
    first = next(iter(found.figures.values()))
    facts = [("series", f"{first.series:,}"), ("series-weeks", wording.number(first.weeks))]
    facts += [("events", f"{first.events:,}")] if found.labelled else []
    figures = [el("div", el("dt", name), el("dd", value)) for name, value in facts]
    return el(
        "section",
        use(glyph(found), 44),
        el("div", el("h1", headline(found)), el("p", verdict(found), " ", what_counts(found), ".")),
        el("dl", *figures, cls="figures"),
        cls="verdict",
        aria_label="Verdict",
    )


def candidates_card(found: Backtest) -> Markup:
    """One row a candidate: rates against the promise, F1 with its interval, what it found and missed."""
    top = max((_top(one) for one in found.figures.values()), default=1.0)
    columns = ["rate", *(["f1", "precision", "recall", "found", "false", "delay"] if found.labelled else ["alerts"])]
    columns += ["vus", "fpr"] if found.points else []
    titles = [el("th", words.COLUMNS[c], cls="num" if c not in ("rate", "f1") else None, scope="col") for c in columns]
    rows = [_row(found, at, one, columns, top) for at, one in enumerate(found.contenders)]
    first = next(iter(found.figures.values()))
    unit = "series" if first.units == first.series else f"stretches of {first.series} series"
    notes = [line for line in (leading(found), *overfitting(found)) if line]
    return el(
        "section",
        el(
            "div",
            el("h2", words.CANDIDATES, id="candidates"),
            el("span", words.CANDIDATES_ASIDE.format(units=f"{first.units} {unit}"), cls="aside"),
            cls="card-head",
        ),
        el(
            "div",
            el(
                "table",
                el("thead", el("tr", el("th", "candidate", scope="col"), *titles)),
                el("tbody", *rows),
                cls="candidates",
                aria_labelledby="candidates",
            ),
            cls="scroll",
            tabindex="0",
            role="region",
            aria_label="Table of candidates",
        ),
        el("div", *[el("p", note) for note in notes], cls="card-foot") if notes else None,
        cls="card",
        aria_labelledby="candidates",
    )


def _top(one: Figures) -> float:
    known = [v for v in (one.alerts_per_week.value, one.alerts_per_week.high, one.promised_per_week) if v == v]
    return max(known, default=1.0)


def _row(found: Backtest, at: int, one: Contender, columns: list[str], top: float) -> Markup:
    figures = found.figures[one.name]
    rule = rule_words(str(one.watch.rule))
    notes = ["for comparison"] * one.baseline + [rule] * (rule not in one.name and not one.baseline)
    points = found.points.get(one.name)
    cells = [_cell(figures, points, column, top) for column in columns]
    if found.lead is not None and found.lead.clear and found.lead.first == one.name:
        notes.append("ahead")
    return el(
        "tr",
        el("th", el("b", one.name), el("small", ", ".join(notes)) if notes else None, scope="row"),
        *cells,
        cls="is-baseline" if one.baseline else None,
        data_row=at,
    )


def _cell(one: Figures, points: PointFigures | None, column: str, top: float) -> Markup:
    if column == "rate":
        promised = one.promised_per_week
        small = f"promised {wording.number(promised)}" if promised == promised else "promises nothing"
        return _interval(column, one.alerts_per_week, top, small, promised)
    if column == "f1":
        return _interval(column, one.event_f1, 1.0)
    text = {
        "precision": lambda: two(one.event_precision.value),
        "recall": lambda: two(one.event_recall.value),
        "found": lambda: f"{one.found:,} of {one.events:,}",
        "false": lambda: f"{one.false:,}",
        "delay": lambda: delay(one.delay_median_seconds),
        "alerts": lambda: f"{one.alerts:,}",
        "vus": lambda: two(points.vus_pr.value) if points else "–",
        "fpr": lambda: f"{100 * points.point_fpr:.2f} %" if points else "–",
    }[column]()
    return el("td", text, cls="num", data_name=words.COLUMNS[column])


def _interval(column: str, one: Interval, top: float, small: str = "", promise: float = float("nan")) -> Markup:
    between = f"{two(one.low)} to {two(one.high)}" if one.low == one.low else ""
    return el(
        "td",
        el("b", two(one.value)),
        el("span", between, cls="muted"),
        scale(one, top, promise),
        el("small", small) if small else None,
        cls="interval",
        data_name=words.COLUMNS[column],
    )


def splits_card(found: Backtest) -> Markup | None:
    """For each split what everybody did while choosing and while reporting; None without splits."""
    choices = found.choices
    if choices is None:
        return None
    value, name = (_f1, "event F1") if found.labelled else (_rate, "alerts a week")
    heads = [el("th", f"split {one.number}: before", cls="num", scope="col") for one in choices.splits]
    heads = [
        h for pair in zip(heads, [el("th", "after", cls="num", scope="col") for _ in heads], strict=True) for h in pair
    ]
    rows = []
    for candidate in found.names:
        cells = []
        for one in choices.splits:
            chosen = one.chosen == candidate
            before, after = two(value(one.choosing[candidate])), two(value(one.reporting[candidate]))
            cells += [el("td", el("b", before, " chosen") if chosen else before, cls="num")]
            cells += [el("td", el("b", after) if chosen else after, cls="num")]
        rows.append(el("tr", el("th", candidate, scope="row"), *cells))
    return el(
        "section",
        el("div", el("h2", words.SPLITS, id="splits"), el("span", name, cls="aside"), cls="card-head"),
        el("p", words.SPLITS_NOTE, cls="note"),
        el(
            "div",
            el("table", el("thead", el("tr", el("th", "candidate", scope="col"), *heads)), el("tbody", *rows)),
            cls="scroll",
            tabindex="0",
            role="region",
            aria_label="Table of splits",
        ),
        cls="card",
        aria_labelledby="splits",
    )


def _f1(one: Figures) -> float:
    return one.event_f1.value


def _rate(one: Figures) -> float:
    return one.alerts_per_week.value


def two(value: float) -> str:
    """Two digits behind the point, a dash where it is not known."""
    return "–" if value != value else f"{value:.2f}".replace("-", wording.MINUS)


def delay(seconds: float) -> str:
    """A delay in words, a dash where there is none."""
    return "–" if seconds != seconds else wording.duration(round(seconds * 1e9))
