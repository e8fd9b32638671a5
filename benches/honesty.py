"""Alerts on clean series against the promise, as in ``docs/calibrate.md``.

``python -m benches.honesty [--light] [NAME …]``; ``--light`` measures the light tier of ``calibrate``.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace

import numpy as np

from watchband.core.points import Points
from watchband.core.scores import HELD
from watchband.pipeline.catalogue import CATALOGUE
from watchband.pipeline.rules import Budget
from watchband.pipeline.watch import Watch
from watchband.testing import streams
from watchband.testing.nulls import NULLS, STILL, openings

SERIES, POINTS = 60, 10_000
DETECTOR_NAMES = ("ewma", "rolling_zscore", "residual")
ONE_IN = (1440, 10_000)


def measure(values: np.ndarray, name: str, tier: str | None) -> tuple[list[float], float, int]:
    """Alerts over promised ones for each budget; nanoseconds a point and bytes a series of ``calibrate``."""
    series, n = values.shape
    points = Points.fleet([(streams.times(n, 5 * streams.MINUTE), row) for row in values])
    detector = CATALOGUE.build({"type": name})
    scores = detector.step(detector.start(series), points)
    # As a watch does: what the detector holds back leaves no trace.
    held = scores.flags.astype(np.int64) & HELD != 0
    ratios, spent = [], 0.0
    for one_in in ONE_IN:
        watched = Watch("honesty", detector, Budget(1, one_in * streams.MINUTE)).calibrate
        calibrate = replace(watched, tier=tier or watched.tier)
        state = calibrate.start(series)
        begin = time.process_time()
        interval = np.full(series, streams.MINUTE)
        found = calibrate.step(state, points, scores, interval_ns=interval, held=held, threads=1)
        spent += time.process_time() - begin
        alerts = sum(len(openings(row)) for row in found.anomaly_score.reshape(series, n))
        ratios.append(alerts * one_in / values.size)
    return ratios, spent / len(ONE_IN) / values.size * 1e9, calibrate.state_bytes_max


def main(names: list[str], tier: str | None) -> None:
    columns = [f"{name} 1/{one_in}" for name in names for one_in in ONE_IN]
    print("| null | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    costs, sizes = [], dict.fromkeys(names, 0)
    for null, make in {**NULLS, **STILL}.items():
        values = make(np.random.default_rng(11), (SERIES, POINTS))
        cells = []
        for name in names:
            ratios, cost, sizes[name] = measure(values, name, tier)
            cells += [f"{ratio:.2f}" for ratio in ratios]
            costs.append(cost)
        print(f"| {null} | " + " | ".join(cells) + " |")
    size = ", ".join(f"{name} {size:,}" for name, size in sizes.items())
    print(f"\ncalibrate: {np.median(costs):.0f} ns a point; bytes a series: {size}")


if __name__ == "__main__":
    names = [word for word in sys.argv[1:] if word != "--light"]
    main(names or list(DETECTOR_NAMES), "light" if "--light" in sys.argv else None)
