"""``report.html`` and the plots of a run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from watchband.core.series import SeriesKey

if TYPE_CHECKING:
    from watchband.apps.library.detection import Findings

PLOTS_MAX = 100
"""Plots drawn in one run; series with the most severe alerts come first."""

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def draw(found: Findings, folder: Path) -> None:
    """Write ``report.html``, and ``anomaly_plot.png`` or, of several series, ``plots/NAME.png``."""
    from watchband.apps.library.plot import write_plot
    from watchband.apps.library.report import write_report

    view = found.view()
    write_report(view, folder / "report.html")
    if len(view.series) == 1:
        write_plot(view.series[0], folder / "anomaly_plot.png", timezone=view.timezone)
        return
    (folder / "plots").mkdir()
    rank = {str(alert.series): -number for number, alert in enumerate(found.alerts)}
    order = sorted(range(len(view.series)), key=lambda i: (-rank.get(str(view.series[i].key), -len(rank) - 1), i))
    names = file_names([view.series[i].key for i in order])
    for index, name in zip(order[:PLOTS_MAX], names, strict=False):
        write_plot(view.series[index], folder / "plots" / f"{name}.png", timezone=view.timezone)


def file_names(keys: Sequence[SeriesKey]) -> list[str]:
    """A different file name for each series, of letters, digits, ``.``, ``_`` and ``-`` only.

    Examples
    --------
    >>> file_names([SeriesKey("cpu", {"host": "a"}), SeriesKey("cpu/%")])
    ['cpu_host_a', 'cpu']
    """
    names: list[str] = []
    taken: set[str] = set()
    for key in keys:
        name = _UNSAFE.sub("_", str(key)).strip("._-")[:80] or "series"
        if name.lower() in taken:
            name = f"{name}-{key.fingerprint}"
        taken.add(name.lower())
        names.append(name)
    return names
