"""What the demo shows: a row a metric with its band, the alerts so far, and how far the learning is."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from watchband.apps.cli.chart import OUT, Stretch, draw
from watchband.apps.cli.terminal import GLYPH
from watchband.core import wording
from watchband.core.alert import Alert
from watchband.pipeline.results import Results

KEPT = 240
"""Points a metric that the view keeps."""


@dataclass
class Track:
    """The last points of one metric, for drawing only."""

    metric: str
    points: deque[tuple[float, ...]] = field(default_factory=lambda: deque(maxlen=KEPT))

    def add(self, results: Results) -> None:
        """Take in what a step of this metric's watch said."""
        columns = (results.time, results.y, results.yhat_lower, results.yhat_upper, results.anomaly_score)
        self.points.extend(zip(*(column.tolist() for column in columns), strict=True))

    def row(self, width: int, height: int) -> tuple[RenderableType, Text, Text, Text]:
        """Chart, value, expected range and score."""
        times, y, lower, upper, score = (np.array(column) for column in zip(*self.points, strict=True))
        if not np.isfinite(y).any():
            return Text("no value yet"), Text(""), Text(""), Text("")
        stretch = Stretch(times.astype(np.int64), y, lower, upper, score > 1)
        lines, _ = draw(stretch, width, height)
        hot = bool(score[-1] > 1)
        value = Text(wording.quantity(self.metric, float(y[-1])), style=OUT if hot else "bold", justify="right")
        expected = Text("learning", style="dim")
        if np.isfinite(lower[-1]) and np.isfinite(upper[-1]):
            (low, high), sign = wording.quantities(self.metric, [float(lower[-1]), float(upper[-1])], 3)
            expected = Text(wording.span(low, high, sign))
        strength = "" if np.isnan(score[-1]) else f"{score[-1]:.1f}"
        return Group(*lines[1:]), value, expected, Text(strength, style=OUT if hot else "", justify="right")


@dataclass
class Board:
    """The whole view."""

    title: str
    tracks: dict[str, Track] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, metric: str, results: Results) -> None:
        """Take in the results of one watch."""
        if len(results.time):
            self.tracks.setdefault(metric, Track(metric)).add(results)
        for alert in results.alerts:
            self.alerts[alert.id] = alert

    def render(self, width: int, height: int) -> RenderableType:
        """A view that fits ``width`` × ``height`` characters."""
        roomy = height >= 3 * len(self.tracks) + 12
        table = Table(box=None, padding=(0, 1), pad_edge=False, show_header=True, header_style="dim")
        name = max([len(m) for m in self.tracks] + [6])
        chart = max(12, width - name - 44)
        for title, justify in (("metric", "left"), ("band and value", "left"), ("now", "right")):
            table.add_column(title, justify=justify, no_wrap=True)  # type: ignore[arg-type]
        table.add_column("expected", no_wrap=True)
        table.add_column("score", justify="right", no_wrap=True)
        for track in self.tracks.values():
            table.add_row(track.metric, *track.row(chart, 2 if roomy else 1))
            if roomy:
                table.add_row()
        parts: list[RenderableType] = [Text(self.title, style="bold"), Text(""), table, Text("")]
        parts += [Text(note, style="dim") for note in self.notes]
        latest = sorted(self.alerts.values(), key=lambda a: a.decided, reverse=True)
        parts += [alert_line(alert) for alert in latest[: max(3, height - 2 * len(self.tracks) - 10)][:6]]
        return Group(*parts)


def alert_line(alert: Alert) -> Text:
    """One alert in a line: mark, time of onset, reason."""
    at = datetime.fromtimestamp(alert.opened / 1e9, UTC).astimezone().strftime("%H:%M:%S")
    state = "open" if alert.closed is None else "over"
    line = Text(f"{GLYPH[alert.severity]} ", style=OUT if alert.closed is None else "")
    line.append(f"{at} {alert.severity}, {state}: ", style="bold")
    return line.append(alert.reason)
