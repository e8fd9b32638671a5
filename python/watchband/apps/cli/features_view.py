"""What ``watchband features`` prints for people."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from watchband.apps.cli.terminal import put
from watchband.apps.library.matrix.matrix import Matrix
from watchband.core.duration import format_duration
from watchband.features.families import KINDS
from watchband.features.selection import KEPT, Selection

WIDTH_MAX = 110
SHOWN_MAX = 20


def _chosen(selection: Selection) -> str:
    """How many features were kept, and why the others were not."""
    fates = [str(fate["fate"]) for fate in selection.fates.values()]
    lost = [f"{fates.count(fate)} {fate}" for fate in dict.fromkeys(fates) if fate != KEPT]
    before = selection.settings.get("before")
    by = f"chosen by {selection.rows:,} rows{f' before {before}' if before else ''}"
    return f"{len(selection.names)} of {len(fates)} features, {by}; left out: {', '.join(lost) or 'none'}."


def show(found: Matrix, out: Path | None, beside: Path | None, console: Console | None = None) -> None:
    """Print what was made: families, rows of each series, where it was written."""
    console = console or Console(highlight=False, soft_wrap=False)
    features = found.features
    slot = "learned" if features.interval_ns is None else format_duration(features.interval_ns)
    head = Text(f"{features.label or 'features'}", style="bold")
    head.append(f"  {len(found.names)} features, looking back on {features.lookback} slots; a slot is {slot}", style="")
    families = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    families.add_column("Family", no_wrap=True)
    families.add_column("Features", justify="right")
    families.add_column("What it is")
    for family in features.families:
        count = sum(1 for _ in family.ops(features.columns))
        families.add_row(family.kind, str(count), KINDS[family.kind].what)
    rows = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name, side in (("Series", "left"), ("Rows", "right"), ("Complete", "right"), ("From", "left")):
        rows.add_column(name, justify=side, overflow="fold")  # type: ignore[arg-type]
    for one in found.counts[:SHOWN_MAX]:
        rows.add_row(one["series"], f"{one['rows']:,}", f"{one['complete']:,}", one["first_complete"] or "never")
    parts: list[RenderableType] = [head, Text(), families, Text(), rows]
    if found.selection is not None:
        parts += [Text(), Text(_chosen(found.selection))]
    if (more := len(found.counts) - SHOWN_MAX) > 0:
        parts.append(Text(f"{more} more series; --json has them all."))
    parts += [Text(), *(Text(note, style="dim") for note in found.notes)]
    if out is not None and beside is not None:
        parts.append(Text(f"Wrote {out} and {beside}"))
    put(parts, console, min(console.width, WIDTH_MAX))
