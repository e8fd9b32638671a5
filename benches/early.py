"""``python -m benches.early``: alerts of a series' first readings, and of which of them people are told.

Fresh starts on the files of the Numenta benchmark, eight a file and none near a label, so that every alert is one too
many; and shifts of simulated metrics, each of which somebody would want to know of.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

import numpy as np

from benches.quality.data import numenta
from watchband.adapters.stores.memory import MemoryStore
from watchband.apps.config.watches import WatchSettings
from watchband.core.points import Float64, Int64
from watchband.core.ports import Batch, Readings
from watchband.core.series import SeriesKey
from watchband.evaluation.simulate.kinds import KINDS
from watchband.pipeline.bound import END
from watchband.pipeline.early import PLAIN
from watchband.pipeline.runner import Runner

POINTS, STARTS, SEEDS = 130, 3, 3
MINUTE = 60_000_000_000
Series = tuple[Int64, Float64]
START = 1_780_272_000_000_000_000
GATES = (0, 50, 75, 100)
SHIFTS = ((3, 15.0), (60, 15.0), (3, 100.0), (60, 100.0))


def told(series: Sequence[Series], detector: str, gate: int, within: tuple[int, int]) -> tuple[int, int]:
    """Alerts that opened at one of these points and that people heard of, reading by reading; and series with any."""
    store, keys = MemoryStore(), [SeriesKey("m", {"n": str(n)}) for n in range(len(series))]
    runner = Runner(WatchSettings(detector=detector, tell_after=gate, route=("x",)).bound("w"), store)
    for at in range(POINTS):
        readings = [Readings(k, t[at : at + 1], v[at : at + 1]) for k, (t, v) in zip(keys, series, strict=True)]
        runner.step("s", Batch(readings, ""))
    spans = {k: (t[within[0]], t[within[1]]) for k, (t, _) in zip(keys, series, strict=True)}
    opened = {(n.alert.series, n.alert.opened) for n in store.outbox(END) if n.alert.kind not in PLAIN}
    meant = [key for key, moment in opened if spans[key][0] <= moment < spans[key][1]]
    return len(meant), len(set(meant))


def fresh() -> Iterator[Series]:
    """Stretches of real metrics without a label, as if each was a series of its own."""
    for job in numenta():
        (values,) = job.metrics
        for first in range(0, len(values) - POINTS, max(POINTS, len(values) // STARTS)):
            if not any(start < first + POINTS and end > first for start, end in job.windows):
                yield job.times[first : first + POINTS], values[first : first + POINTS].astype(float)


def shifted(length: int, size: float, first: int) -> Iterator[Series]:
    """Simulated metrics, a reading a minute, shifted by so many deviations of their noise."""
    times = START + MINUTE * np.arange(POINTS)
    for kind in sorted(KINDS.keys() - {"sparse", "error_ratio"}):
        for seed in range(SEEDS):
            rng = np.random.default_rng([seed, len(kind)])
            clean = KINDS[kind](rng, POINTS)
            values = clean.values.copy()
            values[first : first + length] += size * clean.noise
            yield times, values


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benches.early", description=__doc__)
    parser.add_argument("--detector", default="auto")
    given = parser.parse_args()
    real = list(fresh())
    print(f"{given.detector}, told from point: " + "  ".join(map(str, GATES)))
    counts = [told(real, given.detector, gate, (0, 100))[0] for gate in GATES]
    print(f"{len(real)} fresh starts, alerts in the first 100 readings: " + "  ".join(map(str, counts)), flush=True)
    for length, size in SHIFTS:
        found = [
            sum(told(list(shifted(length, size, at)), given.detector, gate, (at, at + length))[1] for at in (40, 60))
            for gate in GATES
        ]
        many = 2 * len(list(shifted(length, size, 40)))
        print(f"{many} shifts of {length} readings by {size:g}: " + "  ".join(map(str, found)), flush=True)


if __name__ == "__main__":
    main()
