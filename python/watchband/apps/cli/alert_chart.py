"""The small plot under an alert: the stretch around it, with its scale and its times."""

from __future__ import annotations

import numpy as np
from rich.text import Text

from watchband.apps.cli.chart import Stretch, draw
from watchband.apps.library.view import SeriesView
from watchband.core import wording
from watchband.core.alert import Alert
from watchband.core.points import Int64

HEIGHT = 5
POINTS_BEFORE, POINTS_AFTER = 90, 30
SHARE = 3
"""A long alert is shown with so many times its length before it, and its length after it."""


def chart_of(alert: Alert, view: SeriesView, width: int, zone: str, *, colour: bool) -> list[Text]:
    """Lines of the plot; none where the series has no value around the alert."""
    part = _window(alert, view)
    if len(part) < 2 or not np.isfinite(view.y[part]).any():
        return []
    stretch = Stretch(
        view.times[part], view.y[part], view.yhat_lower[part], view.yhat_upper[part], view.anomalous[part]
    )
    room = 10
    columns = width - 2 - room - 2
    lines, (low, high) = draw(stretch, columns, HEIGHT, colour=colour)
    (top, bottom), sign = wording.quantities(alert.series.metric, [high, low], 3)
    labels = {1: wording.with_unit(top, sign), HEIGHT: wording.with_unit(bottom, sign)}
    drawn = []
    for number, line in enumerate(lines):
        label = Text(f"{labels.get(number, ''):>{room}} ", style="dim")
        drawn.append(Text.assemble(label, line))
    first, last = int(stretch.times[0]), int(stretch.times[-1])
    start, end = wording.moment(first, zone), wording.moment(last, zone)
    gap = max(columns - len(start) - len(end), 1)
    drawn.append(Text(f"{'':>{room}} {start}{' ' * gap}{end}", style="dim"))
    return drawn


def _window(alert: Alert, view: SeriesView) -> Int64:
    """Indices of the points shown: the alert, some before it, fewer after it."""
    end_time = alert.closed if alert.closed is not None else int(view.times[-1])
    first, last = (int(i) for i in np.searchsorted(view.times, [alert.opened, end_time]))
    length = last - first
    start = max(0, first - max(POINTS_BEFORE, SHARE * length))
    stop = min(len(view.times), last + 1 + max(POINTS_AFTER, length))
    return np.arange(start, stop)
