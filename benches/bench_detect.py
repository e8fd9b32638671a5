"""From a file to scores, alerts, plot and report: ``watchband detect FILE --out DIR``, beside pandas on part of it."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benches.timing import Case
from watchband.apps.library.feeds import open_files
from watchband.apps.library.job import execute
from watchband.apps.library.options import Options

DAY = 1440


def cases(points: int, peers: bool) -> list[Case]:
    """One file of ``points`` minutes: the whole job, the job without files, and pandas that reads it and finds
    rolling medians in memory."""
    folder = Path(tempfile.mkdtemp(prefix="watchband-bench-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = _write(folder / "metrics.csv", points)
    group = "file to report"
    found = [
        Case(group, "watchband, all files of --out", _detect(path, folder / "out"), points, note="seasonal_band"),
        Case(group, "watchband, alerts only", _detect(path, None), points, note="seasonal_band"),
    ]
    if peers:
        found.append(Case(group, "pandas, read and rolling median", _pandas(path), points, note="no band, no alerts"))
    return found


def _detect(path: Path, out: Path | None) -> Callable[[], object]:
    def work() -> int:
        options = Options()
        return len(execute(open_files([path], options, {}), options, out=out).alerts)

    return work


def _pandas(path: Path) -> Callable[[], object]:
    import pandas

    def work() -> int:
        frame = pandas.read_csv(path, parse_dates=["timestamp"]).set_index("timestamp")
        middle = frame["value"].rolling(60).median()
        return int(((frame["value"] - middle).abs() > 3 * frame["value"].std()).sum())

    return work


def _write(path: Path, rows: int) -> Path:
    rng = np.random.default_rng(0)
    values = 50 + 20 * np.sin(np.arange(rows) / DAY * 2 * np.pi) + rng.normal(0, 2, rows)
    for start in rng.integers(0, max(rows - 20, 1), 30).tolist():
        values[start : start + 20] += 40
    times = np.datetime64("2024-01-01T00:00") + np.arange(rows) * np.timedelta64(1, "m")
    lines = (f"{t}:00Z,{v:.4f}\n" for t, v in zip(times.astype(str), values, strict=True))
    path.write_text("timestamp,value\n" + "".join(lines))
    return path
