"""What ``watchband backtest`` prints for people."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from watchband.apps.cli.terminal import FAULT, WIDTH_MAX, put
from watchband.apps.library.backtest.result import Backtest, Mistake
from watchband.apps.library.backtest.sentences import leading, overfitting, verdict, what_counts
from watchband.core import wording
from watchband.evaluation.backtest.figures import Figures
from watchband.evaluation.metrics.bootstrap import Interval

WIDE = 96
"""Columns of a terminal from which precision and recall have room."""


def show(found: Backtest, top: int, out: Path | None = None, console: Console | None = None) -> None:
    """Print what was replayed, the table of candidates, what follows from it, and the worst mistakes.

    Parameters
    ----------
    found : Backtest
        Of a run.
    top : int
        Mistakes of the first candidate shown one by one, as many of each kind.
    out : Path, optional
        The results directory, if there is one.
    console : Console, optional
        Where to; default is stdout.
    """
    console = console or Console(highlight=False, soft_wrap=False)
    width = min(console.width, WIDTH_MAX)
    parts: list[RenderableType] = [_input(found), Text(), Text(verdict(found), style="bold"), Text()]
    parts.append(_table(found, width))
    parts += [Text(line) for line in (leading(found), *overfitting(found)) if line]
    parts += _mistakes(found, top)
    parts += [Padding(Text(f"! {f.series}, {f.candidate}: {f.error}", style=FAULT), (0, 0)) for f in found.failures[:9]]
    if out is not None:
        parts += [Text(), Text(f"Wrote {out}/: report.html, summary.json, alerts, mistakes, candidates, scores/")]
    put(parts, console, width)


def _input(found: Backtest) -> RenderableType:
    line = Text(found.title, style="bold")
    line.append(f"  {what_counts(found)}", style="")
    return Group(line, *[Padding(Text(note, style="dim"), (0, 0, 0, 2)) for note in found.notes[:6]])


def _table(found: Backtest, width: int) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("Candidate", overflow="fold", min_width=min(16, width // 3))
    columns: dict[str, Callable[[Figures], Text]] = {
        "alerts\na week": lambda f: _interval(f.alerts_per_week),
        "promised": lambda f: _number(f.promised_per_week),
    }
    columns |= _LABELLED if found.labelled else {"alerts": lambda f: Text(f"{f.alerts:,}")}
    shown = {name: cell for name, cell in columns.items() if width >= _FROM_WIDTH.get(name, 0)}
    for name in shown:
        table.add_column(name, justify="right", no_wrap=True)
    for one in found.contenders:
        figures = found.figures[one.name]
        table.add_row(Text(one.name, style="dim" if one.baseline else ""), *[cell(figures) for cell in shown.values()])
    return table


_LABELLED: dict[str, Callable[[Figures], Text]] = {
    "F1": lambda f: _interval(f.event_f1),
    "precision": lambda f: _number(f.event_precision.value),
    "recall": lambda f: _number(f.event_recall.value),
    "found": lambda f: Text(f"{f.found}/{f.events}"),
    "false": lambda f: Text(f"{f.false:,}"),
    "delay": lambda f: Text(delay(f.delay_median_seconds)),
}
# Rather than names or figures cut off, a narrow terminal has fewer figures.
_FROM_WIDTH = {"precision": WIDE, "recall": WIDE, "promised": 76, "delay": 76, "found": 56, "false": 56}


def delay(seconds: float) -> str:
    """A delay in words, a dash where there is none."""
    return "–" if seconds != seconds else wording.duration(round(seconds * 1e9))


def _interval(one: Interval) -> Text:
    if one.value != one.value:
        return Text("–", style="dim")
    text = Text(f"{one.value:.2f}")
    if one.low == one.low:
        text.append(f"\n{one.low:.2f}–{one.high:.2f}", style="dim")
    return text


def _number(value: float) -> Text:
    return Text("–", style="dim") if value != value else Text(f"{value:.2f}")


def _mistakes(found: Backtest, top: int) -> list[RenderableType]:
    name = found.names[0]
    parts: list[RenderableType] = []
    every = [*found.mistakes(name), *found.strangest(name)] if top else []
    kinds = {"false alert": "False alerts", "missed event": "Missed events", "alert": "Strangest alerts"}
    for kind, title in kinds.items():
        some = [one for one in every if one.kind == kind]
        if some:
            parts += [Text(), Text(f"{title} of {name}: {len(some):,}", style="bold")]
            parts += [_mistake(one, found.zone) for one in some[:top]]
    return parts


def _mistake(one: Mistake, zone: str) -> RenderableType:
    if one.told is not None:
        alert = one.told.alert
        when = wording.moment(alert.decided, zone)
        return Padding(Text.assemble((f"{when}  ", "dim"), alert.reason), (0, 0, 0, 2))
    assert one.event is not None
    label = one.event.label
    when = wording.moment(label.start, zone)
    lasted = wording.duration(label.end - label.start)
    what = label.fault.replace("_", " ") or "event"
    return Padding(Text.assemble((f"{when}  ", "dim"), (one.series, "bold"), f" {what}, {lasted}"), (0, 0, 0, 2))
