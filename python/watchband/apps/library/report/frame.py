"""The frame of every page: head, top bar, what may run in it. The body, its script and its style are the page's own."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from string import Template
from urllib.parse import quote

from watchband.apps.library.report import words
from watchband.apps.library.report.markup import Markup, el, join

_ICONS = {
    "critical": '<path d="M8 0 16 8 8 16 0 8Z" fill="#8e024d"/><path d="M7 4h2v5H7zM7 10h2v2H7z" fill="#fff"/>',
    "warning": '<path d="M8 2 15 14H1Z" fill="none" stroke="#ad5204" stroke-width="2.4"/>',
    "info": '<circle cx="8" cy="8" r="6" fill="none" stroke="#76828e" stroke-width="2.4"/>',
    "calm": '<circle cx="8" cy="8" r="6" fill="none" stroke="#3f7fbd" stroke-width="2.4"/>',
}


def frame(
    *,
    title: str,
    glyph: str,
    about: str,
    zone: str,
    body: Markup,
    keys: Markup,
    made: str,
    style: str,
    script: str,
    data: str = "{}",
) -> str:
    """A whole page that opens from a file, with nothing to fetch.

    Script and style are embedded and allowed by their hashes only, so nothing in the data can run.

    Parameters
    ----------
    title : str
        Of the window.
    glyph : str
        ``critical``, ``warning``, ``info`` or ``calm``: its icon.
    about, zone : str
        What the page is about and in which time zone, in the top bar.
    body, keys : Markup
        What is shown, and the dialog behind ``?`` (its id is ``keys``).
    made : str
        By what, at the foot.
    style, script : str
        Our own text, never anybody's data.
    data : str
        JSON for the script, escaped as ``report.payload`` does.
    """
    return Template(asset(__package__, "report.html")).substitute(
        policy=f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'",
        title=join(title),
        icon="data:image/svg+xml," + quote(_icon(glyph)),
        style=style,
        script=script,
        skip=join(words.SKIP),
        theme=join(words.THEME),
        about=join(about),
        zone=join(zone),
        no_script=join(words.NO_SCRIPT),
        body=body,
        keys=keys,
        made=join(made),
        data=data,
    )


def card(name: str, title: str, *inside: object, aside: str = "") -> Markup:
    """A part of a page with a heading, which links and readers of screens find by ``name``."""
    head = el("div", el("h2", title, id=name), el("span", aside, cls="aside") if aside else None, cls="card-head")
    return el("section", head, *inside, cls="card", aria_labelledby=name, tabindex="-1")


def asset(package: str | None, name: str) -> str:
    """The text of a file that is part of a package."""
    return files(package or __name__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _icon(glyph: str) -> str:
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">{_ICONS[glyph]}</svg>'
