"""The lower part of the backtest's report: the time line of every series, the worst mistakes with their charts."""

from __future__ import annotations

from collections.abc import Sequence

from watchband.apps.library.backtest.page import pieces, words
from watchband.apps.library.backtest.result import Backtest, Mistake, Told
from watchband.apps.library.backtest.views import ViewCache
from watchband.apps.library.report.markup import Markup, el, use
from watchband.core import wording
from watchband.evaluation.backtest.assess import FALSE, Outcome
from watchband.evaluation.backtest.periods import Span
from watchband.pipeline.explain import emphasised

SERIES_MAX = 40
"""Series on the time line: those with the most mistakes of the first candidate come first."""
WORST = 6
"""Mistakes of each kind that get a chart."""
TABLE_MAX = 200


def switch(found: Backtest) -> Markup | None:
    """The choice of the candidate that everything below is about; None for a single one."""
    if len(found.names) < 2:
        return None
    buttons = [
        el("button", name, type="button", data_candidate=at, aria_pressed="true" if at == 0 else "false")
        for at, name in enumerate(found.names)
    ]
    return el(
        "div",
        el("span", "Candidate", id="switch-name", cls="muted"),
        el("div", *buttons, cls="seg", role="group", aria_labelledby="switch-name"),
        el("span", cls="sr", role="status", id="switched"),
        cls="switch",
    )


def of_candidate(at: int, *children: object, name: str = "div", cls: str = "") -> Markup:
    """Something that is shown while the candidate is chosen; without a script everything is."""
    return el(name, *children, cls=cls or None, data_of=at)


def timeline_card(found: Backtest) -> Markup:
    """A row a series: labelled events, and what the chosen candidate alerted."""
    order = sorted(found.told, key=lambda one: (-_mistakes(one.outcomes[found.names[0]][1]), str(one.series.key)))
    shown, left = order[:SERIES_MAX], len(order) - SERIES_MAX
    whole = [Span(one.series.first, one.series.last) for one in shown]
    common = pieces.together(whole)
    axis = (
        el("div", el("span"), pieces.time_axis(common, found.zone), el("span"), cls="lane axis-lane")
        if common
        else None
    )
    rows = [_lane(found, one, common, own) for one, own in zip(shown, whole, strict=True)]
    legend = [el("li", _sample(kind), text) for kind, text in (words.LEGEND if found.labelled else words.LEGEND_BARE)]
    return el(
        "section",
        el(
            "div",
            el("h2", words.TIMELINE, id="timeline"),
            el("ul", *legend, cls="legend", aria_label="Marks"),
            cls="card-head",
        ),
        axis,
        el("ol", *rows, cls="lanes"),
        el("p", words.MORE_SERIES.format(n=f"{left:,}"), cls="card-foot") if left > 0 else None,
        cls="card",
        aria_labelledby="timeline",
    )


def _mistakes(outcome: Outcome) -> int:
    return sum(not e.found for e in outcome.events) + sum(t.verdict in FALSE for t in outcome.told)


def _lane(found: Backtest, one: Told, common: Span | None, own: Span) -> Markup:
    key, shown = one.series.key, common or own
    warm = Span(one.series.first, min(one.span.start, one.series.last))
    labels = ", ".join(f"{k}={v}" for k, v in key.labels.items())
    # Without a common axis every row says what its own one is.
    small = (labels, "" if common else pieces.stretch(own, found.zone))
    strips, counts = [], []
    for at, name in enumerate(found.names):
        outcome = one.outcomes[name][1]
        strips.append(of_candidate(at, pieces.strip(outcome, warm, shown, _spoken(str(key), name, outcome))))
        counts.append(of_candidate(at, *_count(found, outcome), name="span"))
    return el(
        "li",
        el("span", el("b", key.metric), *[el("small", text) for text in small if text], cls="name", title=str(key)),
        el("div", *strips),
        el("span", *counts, cls="count"),
        cls="lane",
    )


def _count(found: Backtest, outcome: Outcome) -> list[object]:
    if not found.labelled:
        return [el("b", f"{len(outcome.told):,}")]
    hits = sum(e.found for e in outcome.events)
    false = sum(t.verdict in FALSE for t in outcome.told)
    return [el("b", f"{hits}/{len(outcome.events)}"), el("small", f"{false} false", cls="is-out" if false else None)]


def _spoken(series: str, candidate: str, outcome: Outcome) -> str:
    hits = sum(e.found for e in outcome.events)
    false = sum(t.verdict in FALSE for t in outcome.told)
    found = f"{hits} of {len(outcome.events)} events found, {false} false"
    return f"{series} under {candidate}: {len(outcome.told)} alerts, {found}."


def _sample(kind: str) -> Markup:
    """A mark of the legend."""
    box = {"x": 1, "y": 2, "width": 16, "height": 12, "rx": 1.5}
    if kind == "missed":
        drawn = el("g", el("rect", cls="event is-missed", **box), el("circle", cls="ring", cx=9, cy=8, r=5))
    elif kind in ("event", "learning"):
        drawn = el("rect", cls="event" if kind == "event" else "learn", **box)
    else:
        drawn = pieces.mark(kind, 9, 8)
    return el("svg", drawn, viewBox="0 0 18 16", width=18, height=16, aria_hidden="true")


def mistakes_card(found: Backtest, views: ViewCache) -> Markup | None:
    """The worst false alerts and missed events of each candidate, each with a chart and one sentence."""
    if not found.labelled:
        return None
    parts = []
    for at, name in enumerate(found.names):
        every = found.mistakes(name)
        columns = []
        for kind, title in (("missed event", words.MISSED), ("false alert", words.FALSE)):
            some = [one for one in every if one.kind == kind]
            rows = [_mistake(found, one, views) for one in some[:WORST]]
            columns.append(
                el(
                    "div",
                    el("h3", title, " ", el("span", f"{len(some):,}", cls="muted"), cls="group-label"),
                    el("ol", *rows, cls="errors"),
                )
            )
        body: object = el("div", *columns, cls="columns") if every else el("p", words.NO_MISTAKES, cls="note")
        parts.append(of_candidate(at, body, _table(found, every) if every else None))
    return el(
        "section",
        el("div", el("h2", words.MISTAKES, id="mistakes"), cls="card-head"),
        *parts,
        cls="card",
        aria_labelledby="mistakes",
    )


def strangest_card(found: Backtest, views: ViewCache) -> Markup | None:
    """The strangest alerts that nobody called right or wrong, each with a chart and one sentence."""
    every = {name: found.strangest(name) for name in found.names}
    if found.labelled and not any(every.values()):
        return None
    parts = []
    for at, name in enumerate(found.names):
        rows = [_mistake(found, one, views) for one in every[name][: 2 * WORST]]
        columns = el("div", *[el("ol", *rows[k::2], cls="errors") for k in (0, 1)], cls="columns")
        body: object = columns if rows else el("p", words.NO_ALERTS, cls="note")
        parts.append(of_candidate(at, body, _table(found, every[name]) if rows else None))
    return el(
        "section",
        el("div", el("h2", words.STRANGEST, id="strangest"), cls="card-head"),
        *parts,
        cls="card",
        aria_labelledby="strangest",
    )


def _mistake(found: Backtest, one: Mistake, views: ViewCache) -> Markup:
    start, end, sentence, small = _told(one, found.zone)
    view = views.get(one.series, one.candidate)
    label = f"{one.series}, {one.kind} at {wording.moment(start, found.zone)}"
    chart = pieces.close_up(view, start, end, label, event=one.event is not None) if view is not None else None
    return el(
        "li",
        el("h4", one.series),
        el("p", *sentence, cls="why"),
        chart if chart else el("p", words.NO_CHART, cls="muted"),
        el("p", small, cls="when"),
        tabindex="-1",
    )


def _told(one: Mistake, zone: str) -> tuple[int, int, list[object], str]:
    """From, to, sentence and the line below it."""
    if one.told is not None:
        alert = one.told.alert
        end = alert.closed if alert.closed is not None else alert.peak_time
        words_: list[object] = [el("b", text) if bold else text for text, bold in emphasised(alert)]
        quiet = " in a stretch that was to stay quiet" if one.told.verdict == "quiet" else ""
        return alert.decided, max(end, alert.decided), words_, f"{wording.moment(alert.decided, zone)}{quiet}"
    assert one.event is not None
    label = one.event.label
    what = label.fault.replace("_", " ") or "event"
    size = f" of {wording.number(label.size)} times the noise" if label.size == label.size else ""
    lasted = wording.duration(label.end - label.start) if label.end > label.start else "one point"
    text: list[object] = ["No alert opened in this ", el("b", what), f"{size}, {lasted}."]
    return label.start, label.end, text, wording.moment(label.start, zone)


def _table(found: Backtest, every: Sequence[Mistake]) -> Markup:
    rows = []
    for one in every[:TABLE_MAX]:
        start, end, _, _ = _told(one, found.zone)
        score = f"{one.told.alert.anomaly_score:.2f}" if one.told else ""
        what = one.told.alert.kind if one.told else (one.event.label.fault if one.event else "")
        cells = (one.kind, one.series, wording.moment(start, found.zone), wording.duration(end - start), what, score)
        rows.append(el("tr", *[el("td", cell, cls="num" if at == 5 else None) for at, cell in enumerate(cells)]))
    heads = ("mistake", "series", "at", "length", "kind", "score")
    left = len(every) - len(rows)
    title = words.EVERY if every[0].kind != "alert" else words.EVERY_ALERT
    return el(
        "details",
        el("summary", title, " ", el("kbd", "t")),
        el(
            "div",
            el("table", el("thead", el("tr", *[el("th", h, scope="col") for h in heads])), el("tbody", *rows)),
            cls="scroll",
        ),
        el("p", words.MORE.format(n=f"{left:,}"), cls="note") if left > 0 else None,
        cls="points",
    )


def failures_card(found: Backtest) -> Markup | None:
    """What could not be replayed, and why."""
    if not found.failures:
        return None
    rows = [
        el("tr", el("td", f.series), el("td", f.candidate), el("td", f.error, cls="wrap"))
        for f in found.failures[:TABLE_MAX]
    ]
    heads = [el("th", h, scope="col") for h in ("series", "candidate", "why")]
    return el(
        "section",
        el("div", use("warning", 16), el("h2", words.FAILURES, id="failures"), cls="card-head"),
        el("p", words.FAILURES_NOTE, cls="note"),
        el("div", el("table", el("thead", el("tr", *heads)), el("tbody", *rows)), cls="scroll"),
        cls="card",
        aria_labelledby="failures",
    )


def settings_card(found: Backtest, version: str) -> Markup:
    """Settings, notes, the command that makes the same again."""
    stated = {**{k.removesuffix("_ns").replace("_", " "): _setting(k, v) for k, v in found.settings.items()}}
    facts = [el("div", el("dt", k), el("dd", v)) for k, v in {**stated, "Watchband": version}.items()]
    return el(
        "section",
        el("div", el("h2", words.SETTINGS, id="made"), cls="card-head"),
        el("dl", *facts, cls="facts"),
        *[el("p", note, cls="note") for note in found.notes],
        el("pre", el("code", found.command), tabindex="0", role="region", aria_label="Command")
        if found.command
        else None,
        cls="card",
        aria_labelledby="made",
    )


def _setting(name: str, value: object) -> str:
    return wording.duration(int(str(value))) if name.endswith("_ns") else str(value)
