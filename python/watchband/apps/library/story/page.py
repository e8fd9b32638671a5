"""The story as one page: the verdict, then each question of somebody who decides, then how it was made."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from watchband.apps.library.report.frame import asset, card, frame
from watchband.apps.library.report.markup import Markup, el, join, use
from watchband.apps.library.report.page import keys_dialog
from watchband.apps.library.story import charts, sentences
from watchband.apps.library.story.call import MISTAKES_SHOWN, PICTURES
from watchband.apps.library.story.figures import figure
from watchband.apps.library.tuning import words
from watchband.core import wording

if TYPE_CHECKING:
    from watchband.apps.library.story.call import Story

TITLE = "Report of a training"
GLYPHS = {"better": "calm", "worse": "warning"}
ROLES = {"champion": "chosen", "finalist": "best of its kind", "baseline": "simple rule"}
ALT = {
    "anomaly_plot.png": "The series with the worst alerts: what was expected as a band, what came as a line, "
    "alerts marked.",
    "forecast_plot.png": "The first series and its forecast one step ahead over the last fifth.",
}
CAPTIONS = {
    "anomaly_plot.png": "What the champion says of the data: the band it expected, and what left it.",
    "forecast_plot.png": "A linear forecast of the first series, beside persistence and the value a day before.",
}
FOREST_NOTE = (
    "The dot is the held-out part, with its 95 % interval; the ring is where it was chosen, which flatters what was "
    "searched. Where intervals overlap much, the data cannot tell two apart."
)
TRIALS_NOTE = (
    "One dot a configuration, at its value on the part it was chosen on; the best of each detector went to the test."
)


def render(story: Story) -> str:
    """The whole page as text."""
    from watchband import __version__

    body = [
        _head(story),
        _do(story),
        _told("asked", "What was asked", sentences.asked(story)),
        _told("which", "On which data", sentences.data(story), charts.parts(story.selection.get("parts", []))),
        _tried(story),
        _won(story),
        _cost(story),
        _misses(story),
        _told("sure", "How sure we are", sentences.sure(story)),
        *[_picture(story, name) for name in PICTURES],
        _made(story),
    ]
    found = sentences.verdict(story)
    return frame(
        title=f"{sentences.headline(story)} · {TITLE}",
        glyph=GLYPHS.get(found, "info"),
        about=f"{TITLE} on {story.title}",
        zone="UTC",
        body=join(*body),
        keys=keys_dialog(words.KEYS, ""),
        made=f"Watchband {__version__}",
        style=asset("watchband.apps.library.report", "report.css")
        + asset("watchband.apps.library.report", "panel.css")
        + asset(__package__, "story.css"),
        script=asset("watchband.apps.library.tuning", "tuning.js"),
        data=json.dumps(words.SCRIPT),
    )


def _head(story: Story) -> Markup:
    champion = story.champion
    recall, alerts = figure(champion, "test", "recall"), figure(champion, "test", "alerts")
    delay = figure(champion, "test", "delay")
    figures = [("incidents found", _share(recall)), ("alerts a week and series", _plain(alerts[0]))]
    if math.isfinite(delay[0]):
        figures.append(("told after", wording.duration(round(max(delay[0], 0) * 3.6e12))))
    first = [*story.card.get("sentences", [])[:1], *sentences.cost(story)[:1], *sentences.sure(story)[:1]]
    return el(
        "section",
        use(GLYPHS.get(sentences.verdict(story), "info"), 44),
        el("div", el("h1", sentences.headline(story)), *[el("p", s) for s in first]),
        el("dl", *[el("div", el("dt", n), el("dd", v)) for n, v in figures], cls="figures"),
        cls="verdict",
        aria_label="Verdict",
    )


def _share(found: tuple[float, float, float]) -> str:
    return sentences.percent(found[0]) if math.isfinite(found[0]) else "–"


def _plain(value: float, digits: int = 2) -> str:
    return wording.number(value, digits) if math.isfinite(value) else "–"


def _told(name: str, title: str, told: Sequence[str], *more: object) -> Markup:
    return card(name, title, el("div", *[el("p", s) for s in told], cls="told"), *more)


def _do(story: Story) -> Markup:
    steps = [
        el("li", el("p", says), el("pre", el("code", command), tabindex="0", aria_label="Command") if command else None)
        for says, command in sentences.steps(story)
    ]
    return card("do", "What to do", el("ol", *steps, cls="todo"))


def _tried(story: Story) -> Markup:
    drawn = charts.trials(story.trials, story.champion["configuration"]["detector"])
    note = el("p", TRIALS_NOTE, cls="card-foot") if drawn else None
    return _told("tried", "What was tried", sentences.tried(story), drawn, note)


def _won(story: Story) -> Markup:
    names = ("", "chosen on", "held out", "champion less this", "state of a series")
    head = el(
        "tr", *[el("th", c, scope="col", cls="num" if i else None) if c else el("td") for i, c in enumerate(names)]
    )
    rows = [_row(row) for row in story.rows]
    table = el("table", el("thead", head), el("tbody", *rows), cls="plain finalists")
    return _told(
        "won",
        "What won, and why",
        sentences.won(story),
        charts.forest(story.rows, str(story.selection["objective"])),
        el("p", FOREST_NOTE, cls="note"),
        el("div", table, cls="scroll", tabindex="0", role="group", aria_label="Finalists and simple rules"),
    )


def _row(row: dict[str, Any]) -> Markup:
    chosen, held = figure(row, "validation", "objective"), figure(row, "test", "objective")
    less = figure({"t": {"d": row.get("champion_minus_this_on_test")}}, "t", "d")
    size = row.get("state_bytes_per_series")
    return el(
        "tr",
        el("th", el("b", row["label"]), el("small", ROLES.get(row["role"], row["role"])), scope="row"),
        el("td", _plain(chosen[0], 3), cls="num"),
        el("td", el("b", _plain(held[0], 3)), _ends(held), cls="num"),
        el("td", _signed(less[0]), _ends(less, signed=True), cls="num"),
        el("td", wording.quantity("x_bytes", float(size)) if size else "–", cls="num"),
        cls="is-found" if row["role"] == "champion" else None,
    )


def _ends(found: tuple[float, float, float], *, signed: bool = False) -> Markup | None:
    if not (math.isfinite(found[1]) and math.isfinite(found[2])):
        return None
    told = [_signed(v) if signed else _plain(v, 3) for v in found[1:]]
    return el("small", f"{told[0]} to {told[1]}")


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", wording.MINUS) if math.isfinite(value) else "–"


def _cost(story: Story) -> Markup:
    return _told("cost", "What it would have cost in alerts", sentences.cost(story), charts.rates(story.rows))


def _misses(story: Story) -> Markup:
    shown = story.mistakes[:MISTAKES_SHOWN]
    rows = [
        el(
            "tr",
            el("th", "missed" if m["kind"] == "false_negative" else "without reason", scope="row"),
            el("td", m["series"], cls="wrap"),
            el("td", m["start"].replace("T", " ").removesuffix("Z")[:16]),
            el("td", m["fault"] or "–"),
        )
        for m in shown
    ]
    names = ("", "series", "began (UTC)", "kind")
    head = el("tr", *[el("th", c, scope="col") if c else el("td") for c in names])
    table = el("table", el("thead", head), el("tbody", *rows), cls="plain") if rows else None
    more = len(story.mistakes) - len(shown)
    return _told(
        "misses",
        "What it misses",
        sentences.misses(story),
        el("div", table, cls="scroll", tabindex="0", role="group", aria_label="Mistakes") if table else None,
        el("p", f"{more:,} more stand in mistakes.csv.", cls="card-foot") if more > 0 else None,
    )


def _picture(story: Story, name: str) -> Markup | None:
    data = story.picture(name)
    if data is None or data[:8] != b"\x89PNG\r\n\x1a\n":
        return None
    source = "data:image/png;base64," + base64.b64encode(data).decode()
    stem = name.partition(".")[0]
    return card(stem, CAPTIONS[name], el("div", el("img", src=source, alt=ALT[name]), cls="plot-image"))


def _made(story: Story) -> Markup:
    made, selection = story.card, story.selection
    latency = made.get("latency") or {}
    facts: list[tuple[str, object]] = [
        ("trained", str(made.get("created", ""))[:16].replace("T", " ") + " UTC"),
        ("champion", made["champion"]["text"]),
        ("fingerprint of the data", story.data.get("fingerprint", "–")),
        ("seed", selection.get("seed", "–")),
        *[(name, version) for name, version in made.get("versions", {}).items()],
    ]
    if latency.get("alone_us_per_sample") is not None:
        told = f"{wording.number(latency['batch_us_per_sample'], 2)} µs in a batch, " + (
            f"{wording.number(latency['alone_us_per_sample'], 2)} µs alone"
        )
        facts.append(("processor time a reading", told))
    notes = [el("p", str(n), cls="note") for n in [*made.get("notes", []), *story.left]]
    command = made.get("command")
    return card(
        "made",
        "How this was made",
        el("dl", *[el("div", el("dt", n), el("dd", v)) for n, v in facts], cls="facts"),
        *notes,
        el("pre", el("code", command), tabindex="0", aria_label="Command") if command else None,
    )
