"""Flags and words of the commands that look into a store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from watchband.apps.cli.flags import OUTPUT

DATA = Path("watchband-data")
Data = Annotated[
    Path, typer.Option("--data", help="The store's directory, as 'path' of the section 'store'.", metavar="DIR")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.", rich_help_panel=OUTPUT)]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.", rich_help_panel=OUTPUT)]


def many(count: int, one: str, several: str | None = None) -> str:
    """A count of things in words."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def amount(nbytes: int) -> str:
    """A number of bytes for people.

    Examples
    --------
    >>> amount(999), amount(1_250_000)
    ('999 B', '1.2 MB')
    """
    size, units = float(nbytes), ["B", "kB", "MB", "GB", "TB"]
    while size >= 1000 and len(units) > 1:
        size, units = size / 1000, units[1:]
    return f"{size:.0f} {units[0]}" if units[0] == "B" else f"{size:.1f} {units[0]}"
