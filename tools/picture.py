"""The picture at the top of the README, made by the product from the bundled recording: ``python -m tools.picture``.

Drawn are the minutes around the first fault that was caused on purpose, judged point by point from the beginning of
the recording as ``watchband detect --budget 1/10m --range 0:100`` judges it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from watchband.apps.cli.recording import load_recording
from watchband.apps.library.detect import detect
from watchband.apps.library.plot import write_plot
from watchband.apps.library.view import SeriesView

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "images"
METRIC = "cpu_percent"
BUDGET, RANGE = "1/10m", "0:100"
BEFORE_S, AFTER_S = 260, 50
SECOND = 1_000_000_000


def view() -> SeriesView:
    """The processor's load around the first burn."""
    recording = load_recording()
    column = next(i for i, key in enumerate(recording.keys) if key.metric == METRIC)
    readings = (recording.times, recording.values[:, column])
    found = detect(readings, metric=METRIC, budget=BUDGET, range=RANGE).view().series[0]
    fault = next(f for f in recording.faults if METRIC in f.metrics)
    shown = (found.times >= fault.start - BEFORE_S * SECOND) & (found.times <= fault.end + AFTER_S * SECOND)
    chosen = found.take(np.flatnonzero(shown))
    chosen.alerts = [a for a in found.alerts if chosen.times[0] <= a.opened <= chosen.times[-1]]
    return chosen


def main() -> None:
    """Write the light and the dark picture."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    chosen = view()
    write_plot(chosen, FOLDER / "first-alert.png", theme="light")
    write_plot(chosen, FOLDER / "first-alert-dark.png", theme="dark")


if __name__ == "__main__":
    main()
