"""What ``watchband serve`` shows: how far the past has been read, what would have paged; on a terminal, or as logs."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from watchband import __version__
from watchband.apps.cli.terminal import GLYPH, STYLE
from watchband.apps.service.lookback import LookBack, look_back
from watchband.core import wording
from watchband.pipeline.explain import emphasised

if TYPE_CHECKING:
    from watchband.apps.config.config import Problem
    from watchband.apps.server.web import Web
    from watchband.apps.service.logs import Format
    from watchband.apps.service.service import Service

log = logging.getLogger("watchband.serve")


class View:
    """Tells whoever started the process; looks at the service now and then.

    Parameters
    ----------
    service : Service
        What runs.
    web : Web
        Where it listens.
    form : str
        Of the logs: with ``json`` nothing else is printed.
    """

    def __init__(self, service: Service, web: Web, form: Format) -> None:
        self.service, self.web = service, web
        self.console = Console(stderr=True, highlight=False, soft_wrap=False)
        self.shows = form == "text" and sys.stderr.isatty()
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._first: dict[str, int] = {}
        self._reading: set[str] = set()
        self._unready: list[str] | None = None

    def greet(self, warnings: Sequence[Problem]) -> None:
        """What begins."""
        from watchband.apps.server.dashboard import built

        config = self.service.config
        counts = (len(config.sources), len(config.watches), len(config.sinks))
        log.info(
            "watchband %s listens on %s",
            __version__,
            self.web.url,
            extra=dict(zip(("sources", "watches", "sinks"), counts, strict=True)),
        )
        if built():
            log.info("the dashboard is at %s", config.server.external_url or f"{self.web.url}/")
        for warning in warnings:
            log.warning("%s", warning)

    def look(self) -> None:
        """Show what has changed."""
        now = set(self.service.inflow.backfilling)
        now = {name for name in now if self.service.inflow.pumps[name].health.batches}
        for name in sorted(now - self._reading):
            log.info("reading the past", extra={"source": name})
        if self.shows and (now or self._bars):
            self._draw(now)
        done = self._reading - now
        if done and not now:
            self._close()
            self._tell(look_back(self.service.store.alerts(), list(self.service.config.watches), self._until()))
        self._reading = (self._reading | now) if now else set()
        self._note_ready()

    def _note_ready(self) -> None:
        reasons = self.service.unready
        if reasons != self._unready:
            if not reasons:
                log.info("ready")
            elif self._unready is not None and not self._unready:
                log.warning("not ready: %s", "; ".join(reasons))
            self._unready = reasons

    def _until(self) -> int:
        return self.service.clock.now()

    def _draw(self, names: set[str]) -> None:
        if self._bars is None:
            self._bars = Progress(
                TextColumn("  {task.description:<24}"),
                BarColumn(complete_style="color(67)", finished_style="color(67)", pulse_style="color(67)"),
                TextColumn("{task.fields[where]}"),
                TimeRemainingColumn(),
                console=self.console,
                transient=True,
            )
            self._bars.start()
        now = self.service.clock.now()
        for name in names:
            health = self.service.inflow.pumps[name].health
            first = self._first.setdefault(name, health.oldest)
            if name not in self._tasks:
                self._tasks[name] = self._bars.add_task(f"past of {name}", total=1.0, where="")
            share = (health.newest - first) / max(now - first, 1)
            where = f"{health.points:,} points, to {wording.moment(health.newest, 'UTC', now)}"
            self._bars.update(self._tasks[name], completed=min(max(share, 0.0), 1.0), where=where)

    def _close(self) -> None:
        if self._bars is not None:
            self._bars.stop()
            self._bars, self._tasks = None, {}

    def _tell(self, found: LookBack) -> None:
        if not self.shows:
            log.info("what would have paged in the last week", extra={"alerts": found.total, **_counts(found)})
            return
        console, zone = self.console, "UTC"
        console.print(_headline(found))
        for alert in found.worst:
            line = Text.assemble((f"{GLYPH[alert.severity]} {alert.severity}", STYLE[alert.severity]), "  ")
            line.append(str(alert.series), style="bold")
            line.append(f"  {wording.moment(alert.opened, zone, found.until)}  {alert.watch}", style="dim")
            console.print(Padding(line, (0, 0, 0, 2)))
            sentence = Text()
            for piece, bold in emphasised(alert):
                sentence.append(piece, style="bold" if bold else "")
            console.print(Padding(sentence, (0, 0, 0, 4)))
        if found.total > len(found.worst):
            more = found.total - len(found.worst)
            console.print(f"  and {more:,} more; GET /api/v1/status/alerts lists them.", style="dim")

    def leave(self) -> None:
        """It ends."""
        self._close()


def _headline(found: LookBack) -> Text:
    if not found.total:
        return Text.assemble(("○ ", "color(67)"), ("Nothing would have paged in the last week.", "bold"))
    alerts = f"{found.total:,} alert{'' if found.total == 1 else 's'}"
    head = Text.assemble((f"{alerts} in {found.series:,} series would have paged in the last week", "bold"))
    return head.append("  " + ", ".join(f"{name} {n:,}" for name, n in found.by_watch.items()), style="dim")


def _counts(found: LookBack) -> dict[str, int]:
    return {f"watch_{name}": n for name, n in found.by_watch.items()}
