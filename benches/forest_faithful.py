"""How near our forest is to krcf's: ``python -m benches.forest_faithful``. The figures stand in its docs page."""

from __future__ import annotations

import numpy as np

from benches.bench_forest import wave
from watchband.core.points import Points
from watchband.detectors import RandomCutForest

POINTS, SKIPPED, SEEDS = 5000, 1000, 20


def ours(values: np.ndarray, seed: int) -> np.ndarray:
    detector = RandomCutForest(seed=seed)
    return detector.step(detector.start(), Points.of(np.arange(len(values)), values)).score[SKIPPED:]


def theirs(values: np.ndarray, seed: int) -> np.ndarray:
    import krcf

    sizes = {"dimensions": 1, "shingle_size": 8, "num_trees": 50, "sample_size": 256}
    forest = krcf.RandomCutForest({**sizes, "random_seed": seed, "internal_shingling": True})
    scores = []
    for row in values.tolist():
        scores.append(forest.score(row))
        forest.update(row)
    return np.array(scores[SKIPPED:])


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's; scores have no ties."""
    return float(np.corrcoef(np.argsort(np.argsort(a)), np.argsort(np.argsort(b)))[0, 1])


def main() -> None:
    values = wave(POINTS, 1)
    a = [ours(values, seed) for seed in range(SEEDS)]
    b = [theirs(values, seed) for seed in range(SEEDS)]
    print(f"mean score: ours {np.mean(a):.4f}, krcf {np.mean(b):.4f}, ratio {np.mean(a) / np.mean(b):.4f}")
    print(f"rank correlation of the averages: {rank_correlation(np.mean(a, axis=0), np.mean(b, axis=0)):.4f}")
    pairs = [(i, j) for i in range(SEEDS) for j in range(i)]
    for name, one, two in (("ours with ours", a, a), ("krcf with krcf", b, b), ("ours with krcf", a, b)):
        found = np.mean([rank_correlation(one[i], two[j]) for i, j in pairs])
        print(f"rank correlation of single forests, {name}: {found:.4f}")


if __name__ == "__main__":
    main()
