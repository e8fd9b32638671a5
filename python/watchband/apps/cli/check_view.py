"""What ``watchband check`` prints for people."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from watchband.apps.cli.terminal import FAULT, GLYPH, STYLE, WIDTH_MAX, put
from watchband.apps.config.config import Config
from watchband.apps.config.findings import SinkTrial, SourceTrial, Trial, plan
from watchband.apps.config.trial import Tell
from watchband.core import wording
from watchband.core.alert import Alert
from watchband.core.duration import HOUR

SPAN_MIN = HOUR
"""Past that is needed to say what would have alerted."""
SHOWN = 5
"""Alerts that are shown one by one."""


@contextmanager
def trial_bar(*, quiet: bool) -> Iterator[Tell | None]:
    """A bar on stderr, on a terminal only."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, Progress, TextColumn

    bar = BarColumn(complete_style="color(67)", finished_style="color(67)", pulse_style="color(67)")
    columns = (TextColumn("asking the sources"), bar, TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("", total=1.0)

        def tell(share: float, points: int, series: int) -> None:
            bars.update(task, completed=share, description=f"{points:,} readings, {series:,} series")

        yield tell


def show_check(config: Config, trial: Trial | None, console: Console | None = None) -> None:
    """Print what the file says, what the sources gave, and what would have alerted."""
    console = console or Console(highlight=False, soft_wrap=False)
    width = min(console.width, WIDTH_MAX)
    parts: list[RenderableType] = [_head(config)]
    for warning in config.warnings:
        said = Text.assemble(("warning  ", FAULT), (f"{warning.place}: ", "dim"), warning.message)
        parts.append(Padding(said, (0, 0, 0, 2)))
    if trial is not None:
        parts += [Text(), _sources(trial.sources)]
        parts += [Text(f"{s.name} costs: {s.cost['text']}", style="dim") for s in trial.sources if s.cost]
        if trial.sinks:
            parts += [Text(), _sinks(trial.sinks)]
    if config.watches:
        parts += [Text(), _watches(config, trial)]
    if trial is not None:
        parts += [Text(), *_verdict(config, trial)]
    put(parts, console, width)


def _head(config: Config) -> Text:
    counts = [
        (len(config.sources), "source", "sources"),
        (len(config.expressions), "expression", "expressions"),
        (len(config.watches), "watch", "watches"),
        (len(config.sinks), "sink", "sinks"),
    ]
    said = ", ".join(f"{n} {one if n == 1 else many}" for n, one, many in counts if n or one != "expression")
    can = "can be run" if config.watches else "cannot be run, for there are no watches"
    return Text.assemble((config.path, "bold"), f"  {can}: {said}.")


def _table(*columns: tuple[str, bool]) -> Table:
    """Columns with whether they are of numbers."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for position, (name, number) in enumerate(columns):
        table.add_column(name, justify="right" if number else "left", no_wrap=number or position == 0)
    return table


def _sources(sources: list[SourceTrial]) -> Table:
    table = _table(("source", False), ("kind", False), ("series", True), ("readings", True), ("", False))
    for source in sources:
        numbers = ("", "") if source.state == "pushed" else (f"{source.series:,}", f"{source.points:,}")
        table.add_row(Text(source.name, style="bold"), source.kind, *numbers, _state(source))
    return table


def _sinks(sinks: list[SinkTrial]) -> Table:
    table = _table(("sink", False), ("kind", False), ("told nothing", False))
    for sink in sinks:
        said = Text(sink.error, style=FAULT) if sink.error else Text(sink.said, style="dim")
        table.add_row(Text(sink.name, style="bold"), sink.kind, said)
    return table


def _state(source: SourceTrial) -> Text:
    if source.state == "pushed":
        return Text("is pushed to; what comes is not known before", style="dim")
    if source.state == "failed":
        return Text(source.error, style=FAULT)
    said = []
    if source.first is not None and source.last is not None:
        said.append(f"{wording.moment(source.first, 'UTC')} to {wording.moment(source.last, 'UTC')} UTC")
    if source.state == "cut":
        said.append("not read to its end" if source.points else "gave nothing in the time it had")
    if source.dropped:
        said.append(f"{source.dropped:,} dropped by relabelling")
    if source.silent:
        said.append(f"no series of {', '.join(source.silent)}")
    return Text("; ".join(said), style=FAULT if source.silent or source.state == "cut" else "dim")


def _watches(config: Config, trial: Trial | None) -> Table:
    if trial is None:
        table = _table(("watch", False), ("detector", False), ("a series takes up to", True))
        for watch in plan(config):
            table.add_row(Text(watch.name, style="bold"), watch.detector, _bytes(watch.each))
        return table
    numbers = ("series", "memory up to", "alerts in a day")
    table = _table(("watch", False), ("detector", False), *((name, True) for name in numbers))
    for found in trial.watches:
        alerts = f"{found.alerts:,}" if trial.judged and found.series and trial.span >= SPAN_MIN else ""
        style = "bold" if found.series else FAULT
        rates = f", {found.counters:,} counters as rates" if found.counters else ""
        detector = f"{found.detector}{rates}"
        table.add_row(Text(found.name, style=style), detector, f"{found.series:,}", _bytes(found.bytes), alerts)
    if len(trial.watches) > 1:
        totals = (
            f"{trial.series:,}",
            _bytes(trial.memory),
            f"{len(trial.alerts):,}" if trial.judged and trial.span >= SPAN_MIN else "",
        )
        table.add_row("", Text("together", style="dim"), *totals)
    return table


def _bytes(number: int) -> str:
    return wording.quantity("memory_bytes", float(number))


def _verdict(config: Config, trial: Trial) -> Iterator[RenderableType]:
    for problem in trial.problems(config):
        yield Text(f"! {problem}", style=FAULT)
    if trial.alone:
        some = ", ".join(str(key) for key in trial.lone)
        more = f" and {trial.alone - len(trial.lone):,} more" if trial.alone > len(trial.lone) else ""
        yield Text(f"{trial.alone:,} series are in no watch: {some}{more}.", style="dim")
    if not config.watches:
        return
    if trial.cut and trial.judged:
        yield Text(
            f"Time was up with the readings of {_moment(trial.last)} UTC; what came since is not judged. Give it "
            "longer: --for 10m.",
            style=FAULT,
        )
    if not trial.judged:
        yield Text("The past was not judged: the states would not have fitted into the memory.", style=FAULT)
    elif trial.span < SPAN_MIN:
        given = f"no source gave more than {wording.duration(trial.span)} of it" if trial.span else "no source gave any"
        yield Text(f"What would have alerted is not known: that takes a past, and {given}.", style="dim")
    elif not trial.alerts:
        yield Text.assemble(("○ ", "color(67)"), (f"Nothing would have alerted {_when(trial)}.", "bold"))
    else:
        count = len(trial.alerts)
        alerts = "alert" if count == 1 else "alerts"
        yield Text(f"{_when(trial).capitalize()} {count:,} {alerts} would have opened:", style="bold")
        yield Padding(_alerts(trial.alerts[:SHOWN]), (0, 0, 0, 2))
        if count > SHOWN:
            yield Padding(Text(f"and {count - SHOWN:,} more", style="dim"), (0, 0, 0, 2))


def _when(trial: Trial) -> str:
    return f"in the day before {_moment(trial.last)} UTC" if trial.cut else "over the last day"


def _alerts(alerts: Sequence[Alert]) -> Table:
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, style="dim")
    table.add_column()
    for alert in alerts:
        reason = Text.assemble(alert.reason, (f"  ({alert.watch})", "dim"))
        table.add_row(Text(GLYPH[alert.severity], style=STYLE[alert.severity]), _moment(alert.opened), reason)
    return table


def _moment(time: int) -> str:
    """Day and minute; the year is this one."""
    day, _, clock = wording.moment(time, "UTC").rpartition(" ")
    return f"{day.rpartition(' ')[0]} {clock}"
