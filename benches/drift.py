"""How often monitors of drift speak without drift, and how soon with it.

python -m benches.drift [--seeds 40] [--days 120] [--detector light]    # the tables of docs/drift.md
"""

from __future__ import annotations

import argparse

import numpy as np

from tests.pipeline.streams_of_drift import KINDS, fold, series, watch
from watchband.core.points import Float64
from watchband.pipeline.drift import MONITORS

A_DAY = 288
LEARNED = 17
AT = 30


def false_alarms(detector: str, days: int, seeds: int) -> None:
    """Tellings a series and year, by kind and monitor, of series that do not drift."""
    print(f"| {detector}, without drift | told a series and year | by |\n|---|---|---|")
    for kind in KINDS:
        told = fold(watch(detector), [series(kind, days, A_DAY, seed) for seed in range(seeds)], A_DAY)
        years = seeds * (days - LEARNED) / 365
        by = [name for name, out in zip(MONITORS, told.out.any(axis=(0, 1)), strict=True) if out]
        print(f"| {kind} | {told.openings / years:.2f} | {', '.join(by) or 'none'} |", flush=True)


def delays(detector: str, seeds: int) -> None:
    """Share of drifting series that are told of, and days until then."""
    rng = np.random.default_rng(0)
    day = np.sin(2 * np.pi * np.arange(A_DAY * (AT + 10)) / A_DAY)
    late = np.arange(len(day)) >= AT * A_DAY
    slow = np.clip((np.arange(len(day)) / A_DAY - AT) / 5, 0, 1)
    changes: dict[str, Float64] = {
        "level + 1 day's swing": 20.0 * late,
        "noise six times as wide": rng.normal(0, 18.0, len(day)) * late,
        "season gone": -20.0 * day * late,
        "level + 1 day's swing, over 5 days": 20.0 * slow,
    }
    print(f"\n| {detector}, daily season; from day {AT} on | noticed within 10 days | days, middle | by |")
    print("|---|---|---|---|")
    for name, change in changes.items():
        told = fold(watch(detector), [series("daily", AT + 10, A_DAY, s) + change for s in range(seeds)], A_DAY)
        after = told.out[AT:].any(axis=2)
        first = np.argmax(after, axis=0)[after.any(axis=0)]
        by = [m for m, out in zip(MONITORS, told.out[AT:].any(axis=(0, 1)), strict=True) if out]
        print(
            f"| {name} | {after.any(axis=0).mean():.0%} | {np.median(first) if len(first) else '–'} | {', '.join(by)} |"
        )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benches.drift", description=__doc__)
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--days", type=int, default=120)
    parser.add_argument("--detector", default="light")
    given = parser.parse_args(arguments)
    false_alarms(given.detector, given.days, given.seeds)
    delays(given.detector, given.seeds)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
