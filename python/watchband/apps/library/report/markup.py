"""HTML that is safe by construction: text is escaped unless it is already ``Markup``."""

from __future__ import annotations

from html import escape

VOID = frozenset({"br", "input", "link", "meta", "wbr"})


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def el(name: str, *children: object, **attributes: object) -> Markup:
    """One element; ``cls`` is its class, ``_`` in names of attributes stands for ``-``, None and False are left out.

    Examples
    --------
    >>> el("p", "a < b", cls="faint", data_i=3)
    '<p class="faint" data-i="3">a &lt; b</p>'
    """
    words = [name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        label = "class" if key == "cls" else key.rstrip("_").replace("_", "-")
        words.append(label if value is True else f'{label}="{escape(str(value))}"')
    opening = f"<{' '.join(words)}>"
    return Markup(opening if name in VOID and not children else f"{opening}{join(*children)}</{name}>")


def join(*children: object) -> Markup:
    """Children one after the other; None is left out, lists are opened."""
    parts: list[str] = []
    for child in children:
        if isinstance(child, (list, tuple)):
            parts.append(join(*child))
        elif isinstance(child, Markup):
            parts.append(str(child))
        elif child is not None:
            parts.append(escape(str(child), quote=False))
    return Markup("".join(parts))


def use(symbol: str, size: int) -> Markup:
    """A glyph of the page's sprite."""
    return el("svg", el("use", href=f"#{symbol}"), width=size, height=size, aria_hidden="true")
