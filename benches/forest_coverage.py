"""How often the forest's intervals contain what comes, and how far off it is: ``python -m benches.forest_coverage``.

Forecasts beside standing still and beside krcf, which extrapolates by imputing value after value. The figures stand in
the docs pages of ``forest_forecast`` and ``random_cut_forest``.
"""

from __future__ import annotations

import numpy as np

from watchband.core.points import Points
from watchband.detectors import ForestForecast

POINTS, SKIPPED, STRIDE, HORIZON, SEEDS = 6000, 2000, 20, 12, 2
LEVELS = (0.8, 0.9)
KINDS = (
    ("sine, noise", "none"),
    ("season of 288, noise", "none"),
    ("noise", "none"),
    ("AR(.9)", "none"),
    ("random walk", "none"),
    ("random walk", "difference"),
    ("trend, sine, noise", "difference"),
)


def process(kind: str, n: int, seed: int) -> np.ndarray:
    """One series of a kind."""
    noise = np.random.default_rng(seed).normal(size=n)
    steps = np.arange(n)
    if kind == "AR(.9)":
        values = noise.copy()
        for i in range(1, n):
            values[i] += 0.9 * values[i - 1]
        return values
    phase = 2 * np.pi * steps / 288
    return {
        "sine, noise": np.sin(steps / 10) + 0.1 * noise,
        "season of 288, noise": 10 * np.sin(phase) + 4 * np.sin(2 * phase) + 0.5 * noise,
        "noise": noise,
        "random walk": noise.cumsum(),
        "trend, sine, noise": 0.01 * steps + np.sin(steps / 10) + 0.1 * noise,
    }[kind]


def measure(kind: str, transform: str, level: float) -> tuple[float, np.ndarray, np.ndarray]:
    """Coverage one step ahead over all points, and by step over origins; mean error by step of ours, standing still."""
    inside_one, inside, errors = [], [], []
    for seed in range(SEEDS):
        values = process(kind, POINTS, seed)
        detector = ForestForecast(level=level, transform=transform, horizon=HORIZON)
        state = detector.start()
        begin = 0
        for end in range(SKIPPED, POINTS - HORIZON, STRIDE):
            here = values[begin:end]
            scores = detector.step(state, Points.of(np.arange(begin, end), here))
            if begin:
                inside_one.append((here >= scores.lower) & (here <= scores.upper))
            begin = end
            truth, told = values[end : end + HORIZON], detector.forecast(state)
            inside.append((truth >= told.lower[0, :, 0]) & (truth <= told.upper[0, :, 0]))
            errors.append([np.abs(told.values[0, :, 0] - truth), np.abs(values[end - 1] - truth)])
    return float(np.concatenate(inside_one).mean()), np.mean(inside, axis=0), np.mean(errors, axis=(0, 2))


def theirs(kind: str) -> float:
    """Mean error of krcf's extrapolation from the same origins."""
    import krcf

    errors = []
    for seed in range(SEEDS):
        values = process(kind, POINTS, seed)
        sizes = {"dimensions": 1, "shingle_size": 8, "num_trees": 50, "sample_size": 256, "random_seed": seed}
        forest = krcf.RandomCutForest({**sizes, "internal_shingling": True, "output_after": 64})
        for at, value in enumerate(values[: POINTS - HORIZON]):
            if at >= SKIPPED and at % STRIDE == 0:
                told = np.array(forest.extrapolate(HORIZON)["values"])
                errors.append(np.abs(told - values[at : at + HORIZON]).mean())
            forest.update([float(value)])
    return float(np.mean(errors))


def main() -> None:
    print("| series | transform | nominal | next point | steps 1 to 12 | worst step |")
    print("|---|---|--:|--:|--:|--:|")
    far = {}
    for kind, transform in KINDS:
        for level in LEVELS:
            one, by_step, far[kind, transform] = measure(kind, transform, level)
            worst = by_step[np.argmax(np.abs(by_step - level))]
            print(f"| {kind} | `{transform}` | {level} | {one:.3f} | {by_step.mean():.3f} | {worst:.3f} |")
    print()
    print(f"| series | transform | mean error over {HORIZON} steps | standing still | krcf `extrapolate` |")
    print("|---|---|--:|--:|--:|")
    for (kind, transform), (ours, still) in far.items():
        print(f"| {kind} | `{transform}` | {ours:.3f} | {still:.3f} | {theirs(kind):.3f} |")


if __name__ == "__main__":
    main()
