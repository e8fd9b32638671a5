"""report.html: one page that opens anywhere, with nothing to fetch.

``write_report(view, path)`` is what others call; ``render`` gives the text. Script and style are our own files,
embedded and allowed by their hashes only (Content-Security-Policy), so nothing in the data can run.
"""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from pathlib import Path
from string import Template
from urllib.parse import quote

from watchband.apps.library.report import page, words
from watchband.apps.library.report.markup import join
from watchband.apps.library.report.notebook import notebook
from watchband.apps.library.report.payload import payload
from watchband.apps.library.view import DetectionView, SeriesView

POINTS_TOTAL = 105_000
"""Points embedded in one page, all series together: some 3.5 MB."""
POINTS_SERIES_MAX = 30_000
SERIES_MAX = 200
"""Charts in one page; series with alerts come first."""

_ICONS = {
    "critical": '<path d="M8 0 16 8 8 16 0 8Z" fill="#8e024d"/><path d="M7 4h2v5H7zM7 10h2v2H7z" fill="#fff"/>',
    "warning": '<path d="M8 2 15 14H1Z" fill="none" stroke="#ad5204" stroke-width="2.4"/>',
    "info": '<circle cx="8" cy="8" r="6" fill="none" stroke="#76828e" stroke-width="2.4"/>',
    "calm": '<circle cx="8" cy="8" r="6" fill="none" stroke="#3f7fbd" stroke-width="2.4"/>',
}


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
    script, style = _file("report.js"), _file("report.css")
    return Template(_file("report.html")).substitute(
        policy=f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'",
        title=join(f"{'' if glyph == 'calm' else '▲ '}{text} · {view.title or 'Watchband'}"),
        icon="data:image/svg+xml," + quote(_icon(glyph)),
        style=style,
        script=script,
        skip=join(words.SKIP),
        theme=join(words.THEME),
        about=join(view.title),
        zone=join(view.timezone),
        hint=join(words.CHART_HINT),
        no_script=join(words.NO_SCRIPT),
        body=page.body(view, drawn),
        keys=page.keys_dialog(),
        made=join(f"Watchband {view.version}".strip()),
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
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _icon(glyph: str) -> str:
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">{_ICONS[glyph]}</svg>'
