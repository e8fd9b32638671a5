"""Does our forest find injected faults as well as krcf's? ``python -m benches.forest_detection [--seeds 200]``.

Fixed streams with faults, each scored by forests of many seeds, ours and krcf's with the same sizes and the same seed
numbers. Measured by the area under the ROC curve of the points of faults against all others; seeds are paired, the
interval is that of the mean difference at 95 %.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

import numpy as np

from benches.forest_faithful import SKIPPED, ours, theirs

POINTS, SEEDS = 2600, 200
FAULTS = (1200, 1500, 1800, 2100, 2400)
"""Where faults begin, each of the same kind in one stream."""
LENGTH = 12
REACH = 8
"""Points after a fault whose shingle still holds some of it."""
TWO_SIDED = 1.96


def base(seed: int) -> np.ndarray:
    """A season of 96 points with its second harmonic, and noise."""
    phase = 2 * np.pi * np.arange(POINTS) / 96
    return 10 * np.sin(phase) + 4 * np.sin(2 * phase) + np.random.default_rng(seed).normal(0, 0.7, POINTS)


def spike(values: np.ndarray, at: int) -> None:
    values[at] += 8


def shift(values: np.ndarray, at: int) -> None:
    values[at : at + LENGTH] += 5


def stuck(values: np.ndarray, at: int) -> None:
    values[at : at + LENGTH] = values[at]


def noisy(values: np.ndarray, at: int) -> None:
    values[at : at + LENGTH] += np.random.default_rng(at).normal(0, 3, LENGTH)


def turned(values: np.ndarray, at: int) -> None:
    """The piece runs backwards: usual values in an unusual order."""
    values[at : at + LENGTH] = values[at : at + LENGTH][::-1].copy()


KINDS: dict[str, Callable[[np.ndarray, int], None]] = {
    "spike": spike,
    "shift": shift,
    "stuck": stuck,
    "noisy": noisy,
    "turned": turned,
}


def stream(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Values, float64[POINTS, 1], and which points from ``SKIPPED`` on see a fault."""
    values = base(sorted(KINDS).index(kind))
    faulty = np.zeros(POINTS, bool)
    for at in FAULTS:
        KINDS[kind](values, at)
        faulty[at : at + (1 if kind == "spike" else LENGTH) + REACH - 1] = True
    return values[:, None], faulty[SKIPPED:]


def area(scores: np.ndarray, faulty: np.ndarray) -> float:
    """Chance that a point of a fault scores higher than another; ties count half."""
    order = np.sort(scores[~faulty])
    low, high = (np.searchsorted(order, scores[faulty], side) for side in ("left", "right"))
    return float(np.mean(low + high) / 2 / len(order))


def compare(kind: str, seeds: int) -> tuple[np.ndarray, np.ndarray]:
    """Areas by seed, of ours and of krcf."""
    values, faulty = stream(kind)
    areas = [[area(forest(values, seed), faulty) for forest in (ours, theirs)] for seed in range(seeds)]
    mine, others = np.array(areas).T
    return mine, others


def interval(differences: np.ndarray) -> tuple[float, float, float]:
    """Mean, and the ends of its interval at 95 %."""
    mean = float(np.mean(differences))
    half = TWO_SIDED * float(np.std(differences, ddof=1)) / math.sqrt(len(differences))
    return mean, mean - half, mean + half


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benches.forest_detection")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    seeds = parser.parse_args(arguments).seeds
    print(f"area under the ROC curve of fault points, {seeds} seeds each; difference ours - krcf with its interval")
    every = []
    for kind in KINDS:
        mine, others = compare(kind, seeds)
        every.append(mine - others)
        mean, low, high = interval(mine - others)
        print(f"{kind:8} ours {mine.mean():.4f}  krcf {others.mean():.4f}  {mean:+.4f} ({low:+.4f} to {high:+.4f})")
    mean, low, high = interval(np.mean(every, axis=0))
    print(f"{'all':8} {mean:+.4f} ({low:+.4f} to {high:+.4f})")


if __name__ == "__main__":
    main()
