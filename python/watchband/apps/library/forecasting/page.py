"""The report of a forecast as one page: when and how sure first, the chart, then what it rests on."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from watchband.analysis.forecast.models import MODELS
from watchband.analysis.forecast.outcome import Forecast
from watchband.apps.library.forecasting import sentences
from watchband.apps.library.forecasting.drawing import drawing
from watchband.apps.library.report.frame import asset, frame
from watchband.apps.library.report.markup import Markup, el, join
from watchband.apps.library.report.page import keys_dialog
from watchband.apps.library.tuning import words
from watchband.core import wording

if TYPE_CHECKING:
    from watchband.apps.library.forecasting.result import Forecasts

TITLE = "Forecast"
COLUMNS = ("Model", "Mean error", "Root of mean square", "Of persistence's error")


def render(found: Forecasts) -> str:
    """The whole page as text."""
    from watchband import __version__

    cards = [_card(number, one, found.timezone) for number, one in enumerate(found.series)]
    return frame(
        title=f"{TITLE} of {found.title}",
        glyph="info",
        about=f"{TITLE} of {found.title}",
        zone=found.timezone,
        body=join(_head(found), *cards, _foot(found)),
        keys=keys_dialog(words.KEYS, ""),
        made=f"Watchband {__version__}",
        style=asset("watchband.apps.library.report", "report.css") + asset(__package__, "forecast.css"),
        script=asset("watchband.apps.library.tuning", "tuning.js"),
        data=json.dumps(words.SCRIPT),
    )


def _head(found: Forecasts) -> Markup:
    told = [el("p", s) for s in found.sentences[:6]]
    count = len(found.series)
    title = f"{count} series, {sentences.horizon(found.series[0])}" if count > 1 else sentences.horizon(found.series[0])
    return el("section", el("div", el("h1", title), *told), cls="verdict", aria_label=TITLE)


def _card(number: int, one: Forecast, zone: str) -> Markup:
    name = f"series-{number}"
    told = [*sentences.passages(one), sentences.interval(one, zone), sentences.model(one), sentences.covered(one)]
    return el(
        "section",
        el("div", el("h2", str(one.key), id=name), el("span", sentences.horizon(one), cls="aside"), cls="card-head"),
        drawing(one, zone),
        _legend(one),
        el("div", *[el("p", text) for text in told if text], cls="told"),
        _table(one),
        cls="card",
        aria_labelledby=name,
        tabindex="-1",
    )


def _legend(one: Forecast) -> Markup:
    share = f"{100 * one.level:g}{wording.NO_BREAK}%"
    parts = [("past", "what came"), ("expected", f"expected by {one.model}"), ("interval", f"{share} interval")]
    parts += [(name, f"{name}: {MODELS[name].says}") for name in one.baselines if name != one.model]
    if one.passages:
        parts.append(("threshold", f"threshold, and the {share} interval of when it is reached"))
    key = [
        el("li", el("svg", el("line", cls=cls, x1=0, x2=22, y1=6, y2=6), width=22, height=12, aria_hidden="true"), text)
        for cls, text in parts
    ]
    return el("ul", *key, cls="legend")


def _table(one: Forecast) -> Markup:
    metric = one.key.metric
    head = el("tr", *[el("th", c, scope="col", cls="num" if at else None) for at, c in enumerate(COLUMNS)])
    rows = []
    for name, trial in one.choice.trials.items():
        label = el("th", el("b", name), el("small", MODELS[name].says), scope="row")
        if trial.says:
            rows.append(el("tr", label, el("td", trial.says, colspan=3, cls="wrap")))
            continue
        share = sentences.against(trial, one)
        cells = (
            wording.quantity(metric, trial.mae),
            wording.quantity(metric, trial.rmse),
            f"{wording.number(100 * share)}{wording.NO_BREAK}%" if math.isfinite(share) else "",
        )
        rows.append(
            el("tr", label, *[el("td", c, cls="num") for c in cells], cls="is-found" if name == one.model else None)
        )
    note = (
        f"Over the later half of {len(one.choice.origins)} places of the past, from which every model looked as far "
        "ahead, having seen what came before; the earlier half chose."
    )
    table = el("table", el("thead", head), el("tbody", *rows))
    return el("div", el("div", table, cls="scroll", tabindex="0"), el("p", note, cls="card-foot"))


def _foot(found: Forecasts) -> Markup | None:
    left = [el("li", f"{name}: {why}") for name, why in found.left_out.items()]
    notes = [el("li", note) for note in found.notes]
    if found.command:
        notes.append(el("li", el("code", found.command)))
    if not left and not notes:
        return None
    inside = [el("ul", *notes)] if notes else []
    if left:
        inside += [el("h3", "Left out"), el("ul", *left)]
    return el(
        "section",
        el("div", el("h2", "How it was read", id="read"), cls="card-head"),
        el("div", *inside, cls="told"),
        cls="card",
        aria_labelledby="read",
        tabindex="-1",
    )
