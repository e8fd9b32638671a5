"""Many forests in turns, a point each: nothing is in the cache. ``python -m benches.forest_fleet [--forests 10000]``.

Ours steps the whole fleet in one call a round, which is its natural form; krcf's forests are called one by one. As many
forests of both as memory holds: 0.95 MB each of ours, about twice that of krcf.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import psutil

from benches.bench_forest import WARM_UP, wave
from watchband.core.points import Points
from watchband.core.state import State
from watchband.detectors import RandomCutForest

FORESTS, ROUNDS = 2000, 3


def resident() -> float:
    """Megabytes this process has in memory."""
    return float(psutil.Process().memory_info().rss) / 1e6


def ours(forests: int, values: np.ndarray) -> Callable[[int], None]:
    detector = RandomCutForest()
    one = detector.start()
    detector.step(one, Points.of(np.arange(WARM_UP), values[:WARM_UP]))
    fleet = State.stack([one] * forests)
    offsets, rows = np.arange(forests + 1), np.arange(forests, dtype=np.int32)

    def work(number: int) -> None:
        now = np.full((forests, 1), values[WARM_UP + number, 0])
        detector.step(fleet, Points(np.full(forests, WARM_UP + number), now, offsets, rows), threads=1)

    return work


def theirs(forests: int, values: np.ndarray) -> Callable[[int], None]:
    import krcf

    sizes = {"dimensions": 1, "shingle_size": 8, "num_trees": 50, "sample_size": 256}
    one = krcf.RandomCutForest({**sizes, "random_seed": 0, "internal_shingling": True})
    for row in values[:WARM_UP].tolist():
        one.update(row)
    written = one.to_msgpack()
    fleet = [krcf.RandomCutForest.from_msgpack(written) for _ in range(forests)]

    def work(number: int) -> None:
        row = values[WARM_UP + number].tolist()
        for forest in fleet:
            forest.score(row)
            forest.update(row)

    return work


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benches.forest_fleet")
    parser.add_argument("--forests", type=int, default=FORESTS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--no-peers", action="store_true")
    given = parser.parse_args(arguments)
    values = wave(WARM_UP + given.rounds + 1, 1)
    works: dict[str, Callable[[int], None]] = {}
    for name, build in (("watchband", ours), ("krcf", theirs)):
        if name == "krcf" and given.no_peers:
            continue
        before = resident()
        works[name] = build(given.forests, values)
        print(f"{given.forests:,} forests of {name}: {resident() - before:,.0f} MB resident")
    best = dict.fromkeys(works, float("inf"))
    # Turns: a slow minute of the machine is one for both.
    for number in range(given.rounds + 1):
        for name, work in works.items():
            started = time.process_time()
            work(number)
            if number:
                best[name] = min(best[name], time.process_time() - started)
    for name, seconds in best.items():
        ratio = seconds / best["watchband"]
        print(
            f"{name}: {seconds / given.forests * 1e6:.1f} µs a point (CPU, best of {given.rounds}), ratio {ratio:.2f}"
        )


if __name__ == "__main__":
    main()
