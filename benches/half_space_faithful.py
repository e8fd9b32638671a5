"""Half-space trees beside river's: rank correlation of scores averaged over seeds.

``python -m benches.half_space_faithful``. Points in the unit cube, as river expects them: two clusters in 1, 4 and 16
dimensions, and a hundredth of points spread evenly. The first windows are left out.
"""

from __future__ import annotations

import numpy as np

from watchband.core.points import Float64, Points
from watchband.detectors import HalfSpaceTrees

SEEDS, POINTS, WINDOW, TREES, HEIGHT = 20, 2500, 250, 25, 8


def clusters(dims: int) -> Float64:
    """Values in the unit cube: float64[points, dims]."""
    rng = np.random.default_rng(dims)
    centre = np.where(rng.random(POINTS) < 0.7, 0.3, 0.7)[:, None]
    values = rng.normal(centre, 0.07, (POINTS, dims))
    odd = rng.random(POINTS) < 0.01
    values[odd] = rng.random((int(odd.sum()), dims))
    return np.asarray(values.clip(0, 1))


def ours(values: Float64, seed: int) -> Float64:
    """The published score, which the detector's is a decreasing function of, turned round."""
    detector = HalfSpaceTrees(dims=values.shape[1], seed=seed, trees=TREES, height=HEIGHT, window=WINDOW)
    score = detector.step(detector.start(), Points.of(np.arange(len(values)), values)).score
    return -np.exp2(HEIGHT - score)


def rivers(values: Float64, seed: int) -> Float64:
    """River's at the same settings."""
    from river import anomaly

    model = anomaly.HalfSpaceTrees(n_trees=TREES, height=HEIGHT, window_size=WINDOW, seed=seed)
    scores = np.zeros(len(values))
    # Ours learns ranges from a fifth of a window first: from there on, so that windows turn at the same points.
    for i, row in enumerate(values.tolist()[WINDOW // 5 :], WINDOW // 5):
        point = dict(enumerate(row))
        scores[i] = model.score_one(point)
        model.learn_one(point)
    return scores


def ranks(values: Float64) -> Float64:
    return np.argsort(np.argsort(values, kind="stable"), kind="stable").astype(float)


def correlation(a: Float64, b: Float64) -> float:
    return float(np.corrcoef(ranks(a[600:]), ranks(b[600:]))[0, 1])


def main() -> None:
    print("| dims | ours with river, means | river with itself, halves | single seeds: ours with river | river's |")
    print("|---|---|---|---|---|")
    for dims in (1, 4, 16):
        values = clusters(dims)
        mine = np.array([ours(values, seed) for seed in range(SEEDS)])
        others = np.array([rivers(values, seed) for seed in range(SEEDS)])
        half = SEEDS // 2
        both = correlation(mine.mean(axis=0), others.mean(axis=0))
        own = correlation(others[:half].mean(axis=0), others[half:].mean(axis=0))
        mixed = np.median([correlation(a, b) for a, b in zip(mine, others, strict=True)])
        single = np.median([correlation(a, b) for a, b in zip(others[:half], others[half:], strict=True)])
        print(f"| {dims} | {both:.3f} | {own:.3f} | {mixed:.3f} | {single:.3f} |", flush=True)


if __name__ == "__main__":
    main()
