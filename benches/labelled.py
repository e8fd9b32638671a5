"""Labelled windows that detectors find on one budget: ``python -m benches.labelled [NAME …]``.

On the Numenta benchmark and on metrics of real services, each metric alone: a window counts once for each of them.
Every detector gets the same calibration. Alerts in the first 15 % of a series, at most 750 points, count nowhere. The
data is where ``WATCHBAND_DATA`` says. This is not the benchmark's own score, which forgives false alarms.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from watchband.core.points import Points
from watchband.pipeline.calibrate import Calibrate
from watchband.pipeline.catalogue import CATALOGUE
from watchband.pipeline.rules import Budget
from watchband.testing.nulls import openings

ROOT = Path(os.environ.get("WATCHBAND_DATA", "../shared/data"))
MINUTES_5 = 300_000_000_000
ONE_IN = (288, 1440)

Series = tuple[np.ndarray, np.ndarray, np.ndarray]


def numenta() -> Iterator[Series]:
    """Times in nanoseconds, values and labelled windows (first and last time) of every series."""
    labels = json.loads((ROOT / "nab" / "labels" / "combined_windows.json").read_text())
    for name, windows in sorted(labels.items()):
        rows = np.loadtxt(ROOT / "nab" / "data" / name, delimiter=",", skiprows=1, dtype=str)
        times, first = np.unique(rows[:, 0].astype("datetime64[ns]").astype(np.int64), return_index=True)
        bounds = np.array(windows, "datetime64[ns]").astype(np.int64).reshape(-1, 2)
        yield times, rows[first, 1].astype(float), bounds


def services() -> Iterator[Series]:
    """The same of every metric of every service."""
    import pyarrow.parquet

    for path in sorted((ROOT / "services").glob("*.parquet")):
        table = pyarrow.parquet.read_table(path)
        label = table["label"].to_numpy().astype(int)
        edges = np.diff(label, prepend=0, append=0)
        times = np.arange(len(label)) * MINUTES_5
        windows = np.stack([times[edges[:-1] > 0], times[edges[1:] < 0]], axis=1)
        for metric in (name for name in table.column_names if name.startswith("m")):
            yield times, table[metric].to_numpy().astype(float), windows


def found(name: str, one_in: int, everything: list[Series]) -> tuple[int, int, int, int]:
    """Labelled windows with an alert, windows, alerts outside all of them, points that counted."""
    detector = CATALOGUE.build({"type": name})
    calibrate = Calibrate(Budget(1, one_in))
    hits = total = false = counted = 0
    for times, values, windows in everything:
        points = Points.of(times, values)
        scores = detector.step(detector.start(), points)
        said = calibrate.step(calibrate.start(), points, scores, interval_ns=np.ones(1, np.int64))
        opened = times[[i for i in openings(said.anomaly_score) if i >= min(0.15 * len(times), 750)]]
        inside = (opened[:, None] >= windows[:, 0]) & (opened[:, None] <= windows[:, 1])
        hits += int(inside.any(axis=0).sum())
        total += len(windows)
        false += int((~inside.any(axis=1)).sum())
        counted += len(times) - int(min(0.15 * len(times), 750))
    return hits, total, false, counted


def main(names: list[str]) -> None:
    print("| data | detector | budget | windows found | alerts outside | alerts promised |")
    print("|---|---|---|---|---|---|")
    for data, read in (("numenta", numenta), ("services", services)):
        everything = list(read())
        for one_in in ONE_IN:
            for name in names:
                hits, total, false, counted = found(name, one_in, everything)
                share = f"{hits:,} of {total:,}"
                print(f"| {data} | `{name}` | 1/{one_in} | {share} | {false:,} | {counted / one_in:,.0f} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or ["gap_novelty", "ewma", "residual", "seasonal_band"])
