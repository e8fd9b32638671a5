"""Rows a second through ``prepare``: ``python -m benches.prepare``. The figures stand in ``docs/prepare.md``."""

from __future__ import annotations

import time

import numpy as np

from watchband.pipeline.prepare import Prepare, Raw

ROWS = 5_000_000
MINUTE = 60_000_000_000
CASES = {
    "default": Prepare(),
    "gap=linear": Prepare(gap="linear"),
    "counter": Prepare(counter=True),
    "resample": Prepare(resample_ns=5 * MINUTE),
}


def readings(series: int, shuffled: bool = False) -> Raw:
    """``ROWS`` readings a minute apart; shuffled: neighbours swapped."""
    count = ROWS // series
    times = np.arange(count, dtype=np.int64) * MINUTE
    if shuffled:
        times = times.reshape(-1, 2)[:, ::-1].ravel()
    values = np.random.default_rng(0).normal(size=count)
    return Raw.fleet([(times, values)] * series)


def measure(name: str, prepare: Prepare, raw: Raw) -> None:
    """Print the best of three."""
    best = np.inf
    for _ in range(3):
        state = prepare.start(raw.series)
        begin = time.perf_counter()
        prepare.step(state, raw)
        best = min(best, time.perf_counter() - begin)
    print(f"{name:30} {raw.series:5} series  {ROWS / best / 1e6:6.1f} million rows/s")


def main() -> None:
    for series in (1, 1000):
        raw = readings(series)
        for name, prepare in CASES.items():
            measure(name, prepare, raw)
        measure("default, every second late", Prepare(), readings(series, shuffled=True))


if __name__ == "__main__":
    main()
