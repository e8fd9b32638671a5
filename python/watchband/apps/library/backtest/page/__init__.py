"""``report.html`` of a backtest: one page that opens anywhere, with nothing to fetch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from watchband.apps.library.backtest.ledger import write_whole
from watchband.apps.library.backtest.page import lists, summary, words
from watchband.apps.library.backtest.views import ViewCache
from watchband.apps.library.report.frame import asset, frame
from watchband.apps.library.report.markup import el, join
from watchband.apps.library.report.page import keys_dialog

if TYPE_CHECKING:
    from watchband.apps.library.backtest.result import Backtest


def write_report(found: Backtest, path: str | Path) -> Path:
    """Write the report of a backtest; the file is replaced.

    Parameters
    ----------
    found : Backtest
        What came of it.
    path : str or Path
        The file.
    """
    target = Path(path)
    write_whole(target, render(found))
    return target


def render(found: Backtest) -> str:
    """The whole page as text."""
    from watchband import __version__

    glyph = summary.glyph(found)
    below = [lists.failures_card(found), lists.settings_card(found, __version__)]
    if found.told:
        views = ViewCache(found)
        cards = [
            summary.head(found),
            summary.candidates_card(found),
            summary.splits_card(found),
            lists.switch(found),
            lists.timeline_card(found),
            lists.mistakes_card(found, views),
            lists.strangest_card(found, views),
            *below,
        ]
    else:
        cards = [el("h1", summary.headline(found)), *below]
    return frame(
        title=f"{summary.headline(found)} · {words.TITLE}",
        glyph=glyph,
        about=f"{words.TITLE} of {found.title}",
        zone=found.zone,
        body=join(*cards),
        keys=keys_dialog(words.KEYS, ""),
        made=f"Watchband {__version__}",
        style=asset("watchband.apps.library.report", "report.css") + asset(__package__, "backtest.css"),
        script=asset(__package__, "backtest.js"),
        data=_data(found),
    )


def _data(found: Backtest) -> str:
    text = json.dumps({"words": words.SCRIPT, "candidates": found.names}, ensure_ascii=False)
    # Inside a script element only "</script", "<!--" and "<script" have a meaning: no "<" leaves none of them.
    return text.translate({ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026", 0x2028: "\\u2028"})
