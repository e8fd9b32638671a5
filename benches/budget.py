"""The budget promise on many clean simulated series of every kind: alerts over promised ones, with Poisson intervals.

``python -m benches.budget [--series 200] [--points 6000] [NAME …]`` plays detectors (``auto`` and ``light`` where
none is named) through the whole pipeline under one alert a day, a week and a month. Ends with exit code 1 where more
than twice the promise is beyond chance.
"""

from __future__ import annotations

import argparse
import sys

from watchband.core.duration import DAY, WEEK
from watchband.evaluation.metrics.proportion import poisson
from watchband.evaluation.scenarios.lives import MONTH, clean
from watchband.evaluation.scenarios.scene import by_chance
from watchband.evaluation.simulate.kinds import KINDS
from watchband.pipeline.grid import Grid
from watchband.pipeline.rules import Budget
from watchband.pipeline.watch import Watch

PERIODS = {"day": DAY, "week": WEEK, "month": MONTH}
NAMES = ("auto", "light")
TOGETHER = 40
"""Series in memory at a time."""
TIMES = 2.0
"""So many times the promise are allowed."""


def measure(name: str, kind: str, series: int, points: int) -> list[tuple[int, float]]:
    """Alerts and promised alerts of one kind of metric, for each period."""
    found, due = [0] * len(PERIODS), [0.0] * len(PERIODS)
    for seed, first in enumerate(range(0, series, TOGETHER)):
        play = clean(seed, min(TOGETHER, series - first), points, Budget(1, DAY), (kind,))
        grid = Grid.of([Watch(word, play.detector(name), Budget(1, period)) for word, period in PERIODS.items()])
        results = grid.step(grid.start(play.keys), play.raw, flush=True)
        length = int(play.raw.times[points - 1] - play.raw.times[0])
        for i, (one, period) in enumerate(zip(results.every, PERIODS.values(), strict=True)):
            found[i] += len(one.alerts)
            due[i] += play.raw.series * length / period
    return list(zip(found, due, strict=True))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benches.budget", description=__doc__)
    parser.add_argument("name", nargs="*", help="detectors and presets")
    parser.add_argument("--series", type=int, default=200, help="series of each kind")
    parser.add_argument("--points", type=int, default=6000, help="points of each series, five minutes apart")
    given = parser.parse_args(arguments)
    names = given.name or list(NAMES)
    print("| kind | " + " | ".join(f"{name} 1/{word}" for name in names for word in PERIODS) + " |")
    print("|---" * (1 + len(names) * len(PERIODS)) + "|")
    broken = 0
    for kind in KINDS:
        cells = []
        for name in names:
            for found, due in measure(name, kind, given.series, given.points):
                within = poisson(found, due)
                beyond = found > by_chance(TIMES * due)
                broken += beyond
                cells.append(f"{within.value:.2f} ({within.low:.2f}–{within.high:.2f}){' **' if beyond else ''}")
        print(f"| {kind} | " + " | ".join(cells) + " |", flush=True)
    print(f"\n{given.series} series of {given.points} points of each kind; ** more than {TIMES:g} times the promise")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
