"""The budget promise on many clean simulated series of every kind: alerts over promised ones.

``python -m benches.budget [--series 200] [--points 8000] [--settled 4000] [NAME …]`` plays detectors (``auto`` and
``light`` where none is named) through the whole pipeline under one alert a day, a week and a month, and says how many
alerts there were over the promised ones: before ``settled`` points and, with an exact Poisson interval, after them.
Ends with exit code 1 where the latter are more than twice the promise, beyond chance.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass

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


@dataclass
class Count:
    """Alerts and promised alerts of one budget, before a series has settled and after."""

    early: int = 0
    early_due: float = 0.0
    late: int = 0
    late_due: float = 0.0

    @property
    def broken(self) -> bool:
        """Whether more alerts than twice the promise came late, beyond chance."""
        return self.late > by_chance(TIMES * self.late_due)

    def __str__(self) -> str:
        rate = poisson(self.late, self.late_due)
        mark = " **" if self.broken else ""
        return f"{self.early / self.early_due:.2f}; {rate.value:.2f} ({rate.low:.2f}–{rate.high:.2f}){mark}"


def measure(name: str, kind: str, series: int, points: int, settled: int) -> list[Count]:
    """One kind of metric, for each period."""
    counts = [Count() for _ in PERIODS]
    for seed, first in enumerate(range(0, series, TOGETHER)):
        play = clean(seed, min(TOGETHER, series - first), points, Budget(1, DAY), (kind,))
        grid = Grid.of([Watch(word, play.detector(name), Budget(1, period)) for word, period in PERIODS.items()])
        results = grid.step(grid.start(play.keys), play.raw, flush=True)
        begin, turn, end = (int(play.raw.times[i]) for i in (0, settled, points - 1))
        for count, one, period in zip(counts, results.every, PERIODS.values(), strict=True):
            late = sum(alert.opened >= turn for alert in one.alerts)
            count.early, count.late = count.early + len(one.alerts) - late, count.late + late
            count.early_due += play.raw.series * (turn - begin) / period
            count.late_due += play.raw.series * (end - turn) / period
    return counts


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benches.budget", description=__doc__)
    parser.add_argument("name", nargs="*", help="detectors and presets")
    parser.add_argument("--series", type=int, default=200, help="series of each kind")
    parser.add_argument("--points", type=int, default=8000, help="points of each series, five minutes apart")
    parser.add_argument("--settled", type=int, default=4000, help="points after which the promise is held to")
    given = parser.parse_args(arguments)
    names = given.name or list(NAMES)
    print("| kind | " + " | ".join(f"{name} 1/{word}" for name in names for word in PERIODS) + " |")
    print("|---" * (1 + len(names) * len(PERIODS)) + "|")
    broken = 0
    for kind in KINDS:
        cells = []
        for name in names:
            for count in measure(name, kind, given.series, given.points, given.settled):
                broken += count.broken
                cells.append(str(count))
        print(f"| {kind} | " + " | ".join(cells) + " |", flush=True)
    print(
        f"\n{given.series} series of {given.points} points of each kind; alerts over promised ones in the first "
        f"{given.settled} points; after them. ** more than {TIMES:g} times the promise, beyond chance"
    )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
