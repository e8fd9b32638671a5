"""Labelled windows that detectors find on one budget: ``python -m benches.labelled [NAME …]``.

On the Numenta benchmark and on metrics of real services, each metric alone: a window counts once for each of them.
Every detector gets the same calibration. Alerts in the first 15 % of a series, at most 750 points, count nowhere. The
data is where ``WATCHBAND_DATA`` says. This is not the benchmark's own score, which forgives false alarms.
"""

from __future__ import annotations

import sys

import numpy as np

from benches.quality.data import Job, numenta, services
from watchband.core.points import Points
from watchband.pipeline.catalogue import CATALOGUE
from watchband.pipeline.rules import Budget
from watchband.pipeline.watch import Watch
from watchband.testing.nulls import openings

ONE_IN = (288, 1440)


def found(name: str, one_in: int, everything: list[Job]) -> tuple[int, int, int, int]:
    """Labelled windows with an alert, windows, alerts outside all of them, points that counted."""
    detector = CATALOGUE.build({"type": name})
    calibrate = Watch("labelled", detector, Budget(1, one_in)).calibrate
    hits = total = false = counted = 0
    for job in everything:
        skipped = min(0.15 * len(job.times), 750)
        for values in job.metrics:
            points = Points.of(job.times, values)
            scores = detector.step(detector.start(), points)
            said = calibrate.step(calibrate.start(), points, scores, interval_ns=np.ones(1, np.int64))
            opened = np.array([i for i in openings(said.anomaly_score) if i >= skipped], np.int64)
            inside = (opened[:, None] >= job.windows[:, 0]) & (opened[:, None] <= job.windows[:, 1])
            hits += int(inside.any(axis=0).sum())
            total += len(job.windows)
            false += int((~inside.any(axis=1)).sum())
            counted += len(values) - int(skipped)
    return hits, total, false, counted


def main(names: list[str]) -> None:
    print("| data | detector | budget | windows found | alerts outside | alerts promised |")
    print("|---|---|---|---|---|---|")
    for data, read in (("numenta", numenta), ("services", services)):
        everything = read()
        for one_in in ONE_IN:
            for name in names:
                hits, total, false, counted = found(name, one_in, everything)
                share = f"{hits:,} of {total:,}"
                print(f"| {data} | `{name}` | 1/{one_in} | {share} | {false:,} | {counted / one_in:,.0f} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or ["gap_novelty", "ewma", "residual", "seasonal_band"])
