"""What a notebook shows of a detection: verdict, the worst alerts, a still chart of the series they are in."""

from __future__ import annotations

import numpy as np

from watchband.apps.library.report import page, words
from watchband.apps.library.report.markup import Markup, el
from watchband.apps.library.report.picture import picture
from watchband.apps.library.view import DetectionView, SeriesView

ALERTS_MAX = 8
CHARTS_MAX = 3
CHART = (760, 132)
POINTS_MAX = 500

_OWN = """
padding: 12px 16px; border: 1px solid var(--line); border-radius: 8px; background: var(--surface); color: var(--ink);
font: 400 13px/1.45 var(--sans); max-width: 820px;
h3, h4, p, ol { margin: 0; padding: 0; color: inherit; }
h3 { font-size: 18px; font-weight: 650; } h4 { margin-top: 12px; font-size: 13px; font-weight: 650; }
p, small { color: var(--ink-2); } ol { margin: 8px 0 0; list-style: none; }
li { padding: 4px 0; border-top: 1px solid var(--line); }
"""


def notebook(view: DetectionView, style: str) -> str:
    """HTML without script for ``_repr_html_``.

    Parameters
    ----------
    view : DetectionView
        What was found.
    style : str
        The report's style sheet: its tokens and chart rules are used, inside this element only.
    """
    text, _ = page.verdict(view)
    rows = [_row(view, i) for i in range(min(ALERTS_MAX, len(view.alerts)))]
    more = len(view.alerts) - len(rows)
    shown = sorted(view.series, key=lambda s: -_worst(s))[:CHARTS_MAX]
    return el(
        "div",
        el("style", Markup(_scoped(style))),
        el("h3", text),
        el("p", page.span(view)),
        el("ol", *rows) if rows else None,
        el("p", f"and {more:,} more") if more else None,
        *[_chart(s, view.timezone) for s in shown],
        cls="watchband",
    )


def _row(view: DetectionView, at: int) -> Markup:
    alert = view.ranked[at]
    when = words.moment(alert.opened, view.timezone)
    return el("li", el("b", f"{words.SEVERITY[alert.severity]} "), alert.reason, el("small", f" {when}"))


def _chart(series: SeriesView, zone: str) -> list[Markup]:
    still = picture(series.thin(POINTS_MAX), *CHART, label=page.sentence(series, zone))
    low, high = float(np.nanmin(series.y, initial=np.inf)), float(np.nanmax(series.y, initial=-np.inf))
    between = f"{words.quantity(series, low)} to {words.quantity(series, high)}" if low <= high else "no values"
    return [el("h4", str(series.key), " ", el("small", between)), still]


def _worst(series: SeriesView) -> float:
    return max((a.anomaly_score for a in series.alerts), default=0.0)


def _scoped(style: str) -> str:
    """Tokens and chart rules of the page, for descendants of this element only."""
    tokens = style[style.index(":root {") + len(":root {") : style.index("}", style.index(":root {"))]
    rules = style[style.index("/* what charts are drawn with */") : style.index("@media")]
    themes = "".join(f'[data-jp-theme-light="{k}"] .watchband{{color-scheme:{v}}}' for k, v in _JUPYTER)
    return f".watchband{{{tokens}{_OWN}{rules}}}{themes}"


_JUPYTER = (("true", "light"), ("false", "dark"))
