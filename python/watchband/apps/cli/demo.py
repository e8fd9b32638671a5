"""``watchband demo``: a recording with faults caused on purpose, then this machine's own metrics, live."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live
from rich.text import Text

from watchband.adapters.sources.host import HostSource
from watchband.adapters.stores.memory import MemoryStore
from watchband.apps.cli.demo_service import DemoService
from watchband.apps.cli.demo_view import Board, alert_line
from watchband.apps.cli.demo_watches import BUDGET_WORDS, Bench
from watchband.apps.cli.recording import Fault, Recording, RecordingSource, load_recording
from watchband.core import wording
from watchband.core.alert import Alert
from watchband.core.duration import parse_duration
from watchband.core.ports import Notice, Source

SECOND = 1_000_000_000
AFTER = 60 * SECOND
"""What opens this long after the end of a fault may still be its consequence: load falls slowly."""
UNATTENDED = 60 * SECOND
"""How long the live part lasts where there is no terminal and nothing else was asked for."""
TITLES = {"recording": "The recording, played fast", "host": "This machine, live (Ctrl-C ends it)"}
PLAYS = 8.0
"""Seconds in which the recording is played to a terminal."""


@dataclass
class Told:
    """A sink that remembers the last state of every alert and tells when one opens and when it is over."""

    tell: Callable[[Alert], None]
    alerts: dict[str, Alert] = field(default_factory=dict)
    name: str = "demo"

    def write(self, notice: Notice) -> None:
        """Take a change of an alert; what was told before is not told again."""
        alert = notice.alert
        before = self.alerts.get(alert.id)
        self.alerts[alert.id] = alert
        if before is None or (before.closed is None) != (alert.closed is None):
            self.tell(alert)


def demo(
    length: Annotated[
        str | None, typer.Option("--for", help="End the live part after this long, e.g. 30s or 5m.", metavar="TIME")
    ] = None,
    recording: Annotated[bool, typer.Option(help="Play the recording first.")] = True,
    live: Annotated[bool, typer.Option(help="Then watch this machine.")] = True,
    dashboard: Annotated[bool, typer.Option(help="Serve the dashboard meanwhile, and print its link.")] = True,
) -> None:
    """Find and explain anomalies in a recording, then watch this machine's own metrics.

    While it watches, run [b]yes > /dev/null[/b] in another terminal for a while: an alert with its explanation follows.
    """
    console = Console(highlight=False)
    limit = None if length is None else parse_duration(length)
    if limit is None and not console.is_terminal:
        limit = UNATTENDED
    played = load_recording() if recording else None
    if played is not None:
        play(console, played)
    if live and dashboard:
        with DemoService(played) as service:
            console.print(link(service), soft_wrap=True)
            watch_host(console, HostSource(), limit)
    elif live:
        watch_host(console, HostSource(), limit)


def link(service: DemoService) -> Text:
    """Where to look, or why there is nothing to look at."""
    if not service.url:
        return Text(service.error + "\n", style="dim")
    known = "the recording as if it had just ended, and this machine" if service.recording else "this machine"
    text = Text("The dashboard", style="bold").append(f": {service.url}\n", style="not bold")
    return text.append(f"It has {known}, and ends with this demo.\n", style="not bold dim")


EXAMPLES = (
    "watchband demo",
    "watchband demo --for 30s",
    "watchband demo --no-recording",
    "watchband demo --no-dashboard",
)


def play(console: Console, recording: Recording, seconds: float = PLAYS) -> dict[str, Alert]:
    """Fold the recording, as fast as it can be followed by eye; returns its alerts by id."""
    console.print(Text("A recording of a machine, with faults caused on purpose", style="bold"))
    minutes = wording.duration(int(recording.times[-1] - recording.times[0]))
    console.print(f"{len(recording.keys)} metrics, a second apart, {minutes}; budget: {BUDGET_WORDS}.\n")
    source = RecordingSource(recording)
    pause = seconds / (len(recording.times) / source.points) if console.is_terminal else 0.0
    told = _run(console, source, lambda _: time.sleep(pause), lambda: False, tell=False)
    for alert in sorted(told.alerts.values(), key=lambda a: a.opened):
        console.print(alert_line(alert), soft_wrap=not console.is_terminal)
    _verdict(console, recording, told.alerts)
    return told.alerts


def watch_host(console: Console, source: HostSource, limit: int | None) -> dict[str, Alert]:
    """Watch this machine until ``limit`` nanoseconds have passed or Ctrl-C; returns the alerts by id."""
    console.print(Text("This machine, live", style="bold"))
    until = "Ctrl-C ends it" if limit is None else f"for {wording.duration(limit)}"
    console.print(
        f"{len(source.keys)} metrics, a second apart, {until}. Nothing is known of it yet but how large a change must "
        "be to matter.\nIn another terminal, try: yes > /dev/null\n"
    )
    for note in source.notes:
        console.print(Text(note, style="dim"))
    begin, steps = time.monotonic(), 0

    def count(_: int) -> None:
        nonlocal steps
        steps += 1

    def over() -> bool:
        return limit is not None and (time.monotonic() - begin) * SECOND >= limit

    told = _run(console, source, count, over, tell=True)
    if console.is_terminal:
        for alert in told.alerts.values():
            console.print(alert_line(alert))
    watched = wording.duration(round((time.monotonic() - begin) * SECOND))
    console.print(
        f"Watched {len(source.keys)} metrics for {watched}: {steps * len(source.keys):,} points, "
        f"{_count(len(told.alerts), 'alert')}."
    )
    return told.alerts


def _run(
    console: Console, source: Source, after: Callable[[int], None], over: Callable[[], bool], *, tell: bool
) -> Told:
    """Feed a source to the runners; a live view on a terminal, elsewhere a line an alert if ``tell``."""
    screen = console.is_terminal
    board = Board(TITLES.get(source.name, source.name))

    def line(alert: Alert) -> None:
        if tell and not screen:
            console.print(alert_line(alert), soft_wrap=True)

    told = Told(line)
    bench = Bench(MemoryStore, [told])
    view = Live(console=console, auto_refresh=False, transient=True, vertical_overflow="crop") if screen else None
    if view:
        view.start()
    try:
        for seen, batch in enumerate(source.read(), start=1):
            for metric, results in bench.step(source.name, batch).items():
                board.add(metric, results)
            if view:
                view.update(board.render(console.width, console.height - 1), refresh=True)
            after(seen)
            if over():
                break
    except KeyboardInterrupt:
        # The way out of a live view; what was found is summed up.
        pass
    finally:
        source.close()
        if view:
            view.stop()
    return told


def caused(alert: Alert, faults: Sequence[Fault]) -> Fault | None:
    """The fault an alert belongs to: it opened during it or within a minute after."""
    return next((f for f in faults if f.start - SECOND <= alert.opened <= f.end + AFTER), None)


def _verdict(console: Console, recording: Recording, alerts: dict[str, Alert]) -> None:
    """Faults that were caused, and when each was found; alerts that no fault explains."""
    found = 0
    console.print()
    for fault in recording.faults:
        mine = [a for a in alerts.values() if caused(a, [fault]) and a.series.metric in fault.metrics]
        line = Text(f"{fault.title} caused at {wording.moment(fault.start, 'UTC', fault.start)}: ")
        if mine:
            found += 1
            delay = max(0, min(a.decided for a in mine) - fault.start)
            line.append(f"found after {wording.duration(delay)} in {mine[0].series.metric}", style="bold")
        else:
            line.append("not found", style="bold")
        console.print(line)
    others = sum(caused(a, recording.faults) is None for a in alerts.values())
    console.print(f"{found} of {len(recording.faults)} faults found; {_count(others, 'other alert')}.\n")


def _count(n: int, one: str) -> str:
    return f"{n:,} {one if n == 1 else one + 's'}"
