"""What ``watchband tune`` prints for people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from watchband.analysis.tuning.budget import Budgeted
from watchband.analysis.tuning.result import Row, Tuned
from watchband.analysis.tuning.stratified import Leaked
from watchband.apps.cli.terminal import put
from watchband.apps.library.tuning.tuning import Tuning
from watchband.core import wording
from watchband.core.duration import MINUTE
from watchband.evaluation.metrics.bootstrap import Interval

WIDTH_MAX = 118
GLYPH = {"better": "◆", "changed": "◆"}


def show(tuning: Tuning, out: Path | None = None, save: Path | None = None, console: Console | None = None) -> None:
    """Print the decision, the table, the rule of old with its intervals, and what to run.

    Parameters
    ----------
    tuning : Tuning
        Of a run.
    out, save : Path, optional
        What was written.
    console : Console, optional
        Where to; default is stdout.
    """
    console = console or Console(highlight=False, soft_wrap=False)
    width = min(console.width, WIDTH_MAX)
    result = tuning.result
    parts: list[RenderableType] = [_head(tuning), Text(), *_decision(tuning), Text()]
    if isinstance(result, Leaked):
        parts += _leak_table(result)
    else:
        parts += _budget_table(result) if isinstance(result, Budgeted) else _objective_table(result)
    parts += [
        Text(),
        Text("Use it:", style="bold"),
        Padding(Text(f"watchband detect FILES {tuning.flags}"), (0, 0, 0, 2)),
    ]
    if out is not None:
        parts.append(Text(f"Wrote {out}/: report.html, summary.json, configuration.yaml, configuration.json"))
    if save is not None:
        parts.append(Text(f"Wrote {save}"))
    put(parts, console, width)


def _head(tuning: Tuning) -> RenderableType:
    result, zone = tuning.result, tuning.timezone
    line = Text(tuning.title, style="bold")
    count = len(result.series)
    line.append(f"  {count} series, {result.weeks[0]:.1f} weeks to choose on, {result.weeks[1]:.1f} held out", style="")
    cuts = {(p.validation, p.test) for p in result.parts}
    notes = [Text(note, style="dim") for note in tuning.notes]
    if len(cuts) == 1:
        (before, after) = next(iter(cuts))
        told = (
            f"chosen on {wording.moment(before.start, zone)} to {wording.moment(before.stop, zone)}, held out from "
            f"{wording.moment(after.start, zone)} to {wording.moment(after.stop, zone)} {zone}"
        )
        notes.insert(0, Text(told, style="dim"))
    if isinstance(result, Tuned):
        kind = "injected faults" if result.injected else "labelled events"
        notes.insert(0, Text(f"{result.events[0]} {kind} to choose on, {result.events[1]} held out", style="dim"))
    return Group(line, *[Padding(n, (0, 0, 0, 2)) for n in notes])


def _decision(tuning: Tuning) -> list[RenderableType]:
    first, *rest = tuning.sentences
    glyph = GLYPH.get(tuning.decision, "○")
    return [Text.assemble((f"{glyph} ", "color(67)"), (first, "bold")), *[Text(s) for s in rest]]


def _table(*columns: str, left: tuple[int, ...] = (0,)) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for i, name in enumerate(columns):
        table.add_column(name, justify="left" if i in left else "right", no_wrap=i == 0)
    return table


def _objective_table(result: Tuned) -> list[RenderableType]:
    table = _table("", "chosen on", "held out", "minus what you have")
    what = _table("", "", left=(0, 1))
    what.show_header = False
    for row in result.rows:
        name = Text(row.label, style="" if row.role == "baseline" else "bold")
        table.add_row(
            name,
            figure_text(row.validation["objective"], 2),
            figure_text(row.test["objective"], 2),
            "–" if row.against is None else figure_text(row.against, 2, signed=True),
        )
        what.add_row(name, Text(row.configuration.flags.removeprefix("--detector ")))
        what.add_row("", Text(_beneath(row), style="dim"))
    told = Text(f"{result.objective}, 95 % intervals. {tried(result.tried)}", style="dim")
    rule = _table("rule of 35 rows", "found", "holds", left=(0, 2))
    for check in result.checks:
        unsettled = "" if check.settled else ", not settled"
        rule.add_row(check.asks, check.found, ("yes" if check.holds else "no") + unsettled)
    return [table, told, Text(), what, Text(), rule, *[Text(note, style="dim") for note in result.notes]]


def _leak_table(result: Leaked) -> list[RenderableType]:
    table = _table("", "chosen on", "test", "configuration", left=(0, 3))
    for side in result.sides:
        table.add_row(
            Text(side.label, style="bold"),
            figure_text(side.validation, 2),
            figure_text(side.test, 2),
            side.configuration.flags.removeprefix("--detector "),
        )
    return [table, Text(f"F1 of points, 95 % intervals. {result.tried} configurations tried.", style="dim")]


def _beneath(row: Row) -> str:
    """What a row means on the held-out part."""
    alerts, false = row.test["alerts"].value, 100 * row.test["fpr"].value
    return f"{alerts:.2f} alerts a week per series, {_hours(row)}, {false:.2f} % of normal points anomalous"


def tried(count: int) -> str:
    """How many configurations a table chose from.

    Examples
    --------
    >>> tried(54)
    '54 configurations tried, baselines counted.'
    """
    return f"{count} configurations tried, baselines counted."


def _budget_table(result: Budgeted) -> list[RenderableType]:
    table = _table("", "alerts a week", "later", "configuration", left=(0, 3))
    detector = f"--detector {result.options[0].configuration.text} "
    for option in result.nearest():
        chosen = option is result.chosen
        table.add_row(
            Text(("▸ " if chosen else "  ") + option.kind, style="bold" if chosen else ""),
            figure_text(option.past, 2),
            figure_text(option.later, 2),
            option.configuration.flags.removeprefix(detector),
        )
    told = (
        f"of each series; asked: {result.asked:.3g}; 95 % intervals. {result.tried} configurations of "
        f"{result.options[0].configuration.text} tried, those nearest to what is asked are shown."
    )
    return [table, Text(told, style="dim")]


def figure_text(found: Interval, digits: int = 3, *, signed: bool = False) -> str:
    """A figure with its interval, which is missing where nothing can be said.

    Examples
    --------
    >>> figure_text(Interval(0.5, -0.25, 0.75), 2), figure_text(Interval(float("nan"), 0, 0))
    ('0.50 (−0.25 to 0.75)', '–')
    """
    if not np.isfinite(found.value):
        return "–"
    form = f"{'+' if signed else ''}.{digits}f"
    text = f"{found.value:{form}}"
    if np.isfinite(found.low) and np.isfinite(found.high):
        text += f" ({found.low:{form}}{' to ' if signed or found.low < 0 else '–'}{found.high:{form}})"
    return text.replace("-", "−")


def _hours(row: Row) -> str:
    hours = row.test["delay"].value
    if not np.isfinite(hours):
        return "nothing found"
    return f"found after {wording.duration(round(hours * 60) * MINUTE)}" if hours >= 1 / 120 else "found at once"
