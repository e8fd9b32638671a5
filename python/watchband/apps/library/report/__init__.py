"""report.html: one page that opens anywhere, with nothing to fetch.

``write_report(view, path)`` is what others call; ``render`` gives the text. Script and style are our own files,
embedded and allowed by their hashes only (Content-Security-Policy), so nothing in the data can run.
"""

from __future__ import annotations

from pathlib import Path

from watchband.apps.library.report import page, words
from watchband.apps.library.report.frame import asset, frame
from watchband.apps.library.report.markup import el, join
from watchband.apps.library.report.notebook import notebook
from watchband.apps.library.report.payload import payload
from watchband.apps.library.view import DetectionView, SeriesView

POINTS_TOTAL = 105_000
"""Points embedded in one page, all series together: some 3.5 MB."""
POINTS_SERIES_MAX = 30_000
SERIES_MAX = 200
"""Charts in one page; series with alerts come first."""


def write_report(view: DetectionView, path: str | Path) -> Path:
    """Write ``report.html``.

    Parameters
    ----------
    view : DetectionView
        What was found.
    path : str or Path
        The file to write; it is replaced.

    Returns
    -------
    Path
        The file.
    """
    target = Path(path)
    target.write_text(render(view), encoding="utf-8")
    return target


def render(view: DetectionView) -> str:
    """The whole page as text."""
    drawn = thinned(view)
    text, glyph = page.verdict(view)
    return frame(
        title=f"{'' if glyph == 'calm' else '▲ '}{text} · {view.title or 'Watchband'}",
        glyph=glyph,
        about=view.title,
        zone=view.timezone,
        body=join(el("p", words.CHART_HINT, id="chart-hint", cls="sr"), page.body(view, drawn)),
        keys=page.keys_dialog(),
        made=f"Watchband {view.version}".strip(),
        style=_file("report.css"),
        script=_file("report.js"),
        data=payload(view, drawn),
    )


def notebook_html(view: DetectionView) -> str:
    """The short form for notebooks: verdict, worst alerts, still charts; no script."""
    return notebook(view, _file("report.css"))


def thinned(view: DetectionView) -> list[SeriesView]:
    """The series that get a chart, those with alerts first, each thinned to its share of the page."""
    rank = {str(a.series): i for i, a in reversed(list(enumerate(view.ranked)))}
    order = sorted(view.series, key=lambda s: (rank.get(str(s.key), len(rank) + 1), str(s.key)))[:SERIES_MAX]
    share = min(POINTS_SERIES_MAX, max(300, POINTS_TOTAL // max(1, len(order))))
    return [s.thin(share) for s in order]


def _file(name: str) -> str:
    return asset(__package__, name)
