"""What ``watchband config diff`` prints for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from watchband.apps.cli.terminal import WIDTH_MAX, put
from watchband.apps.config.config import Config
from watchband.apps.config.diff import Change
from watchband.apps.config.writing import flow

SIGN = {"new": ("+", "green"), "gone": ("-", "color(202)"), "changed": ("~", "color(67)")}
SHOWN = 60
"""Characters of a value."""


def show_changes(old: Config, new: Config, changes: Sequence[Change], console: Console | None = None) -> None:
    """Print every change by section, and what it means for what is known."""
    console = console or Console(highlight=False, soft_wrap=False)
    if not changes:
        put([Text("No difference: a reload changes nothing.")], console, min(console.width, WIDTH_MAX))
        return
    parts: list[RenderableType] = [_summary(old, new, changes)]
    section = ""
    for change in changes:
        if change.section != section:
            section = change.section
            parts += [Text(), Text(section, style="bold")]
        parts.append(_change(change))
    put(parts, console, min(console.width, WIDTH_MAX))


def _summary(old: Config, new: Config, changes: Sequence[Change]) -> Text:
    states = [change.state for change in changes]
    untouched = len(new.watches) - sum(state in ("kept", "anew") for state in states)
    kept = untouched + states.count("kept")
    counts = [
        (kept, "goes on with all it knows", "go on with all they know"),
        (states.count("anew"), "begins anew", "begin anew"),
        (states.count("dropped"), "is dropped", "are dropped"),
    ]
    said = [f"{n} {'watch' if n == 1 else 'watches'} {one if n == 1 else many}" for n, one, many in counts if n]
    restart = [change.section for change in changes if "restart" in change.effect]
    text = Text(", ".join(said) + "." if said else "No watch is touched.", style="bold")
    if restart:
        text.append(f" A restart is needed for: {', '.join(restart)}.", style="bold color(202)")
    return text


def _change(change: Change) -> RenderableType:
    sign, style = SIGN[change.what]
    line = Text.assemble((f"{sign} ", style), (change.name or change.section, "bold"), "  ", change.effect)
    if not change.keys:
        return Padding(line, (0, 0, 0, 2))
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for key in change.keys:
        value = Text.assemble(_shown(key.old), (" → ", "dim"), _shown(key.new))
        if key.key in change.because:
            value.append("  (why it begins anew)", style="dim")
        table.add_row(key.key, value)
    return Padding(Group(line, Padding(table, (0, 0, 0, 4))), (0, 0, 0, 2))


def _shown(value: object) -> str:
    text = "none" if value is None else flow(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"
