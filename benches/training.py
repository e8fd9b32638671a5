"""``python -m benches.training [--points 20000] [--trials 6]``: a training beside plain scikit-learn pipelines.

The same work each time, in a process of its own: ``value4``'s features of one metric, a forest, a support vector
machine or components fitted on the first half, so many trials of their parameters judged by event F1 on the next
quarter at so many alerts a week, the best one reported once on the last. One kind of model at a time, since a search
tries the kinds that do well more often. Plain: pandas for the features, scikit-learn for the models,
numpy for cut-offs and F1. Watchband's also calibrates every trial to the budget point by point as a service would,
draws intervals, measures baselines, and writes the folder that the service runs. CPU seconds and peak of memory.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import watchband as wb
from watchband.core.points import Float64, Int64

STEP_MINUTES, LENGTH, EVERY = 5, 6, 250
BUDGET_A_WEEK = 7
NAMES = ("isolation_forest", "one_class_svm", "pca_reconstruction")


def data(points: int) -> tuple[Int64, Float64, list[tuple[int, int]]]:
    """Times in ns, a day with noise that lingers, and an event of six points in every 250."""
    rng = np.random.default_rng(0)
    times = np.arange(points, dtype=np.int64) * STEP_MINUTES * 60_000_000_000
    values = 50 + 10 * np.sin(np.arange(points) * 2 * np.pi * STEP_MINUTES / 1440) + rng.normal(0, 1, points)
    events = []
    for begin in range(EVERY // 2, points - EVERY, EVERY):
        at = begin + int(rng.integers(0, EVERY // 2))
        values[at : at + LENGTH] += rng.choice([-8.0, 8.0])
        events.append((at, at + LENGTH - 1))
    return times, values, events


def ours(points: int, trials: int, name: str) -> dict[str, Any]:
    """``wb.train`` with its folder."""
    times, values, events = data(points)
    spans = [tuple(np.array([times[a], times[b]]).view("M8[ns]")) for a, b in events]
    with tempfile.TemporaryDirectory() as folder:
        found = wb.train(
            (times.view("M8[ns]"), values), spans, candidates=name, features="value4", trials=trials,
            budget=f"{BUDGET_A_WEEK}/week", jobs=1, out=Path(folder) / "model",
        )  # fmt: skip
    return {"f1": found.rows[0]["test"]["f1"]["value"]}


def plain(points: int, trials: int, name: str) -> dict[str, Any]:
    """Pipelines as one writes them in a notebook, with parts in the order of time."""
    import pandas as pd
    from sklearn.decomposition import PCA
    from sklearn.ensemble import IsolationForest
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import OneClassSVM

    _, values, events = data(points)
    series = pd.Series(values)
    window = series.rolling(12)
    rows = pd.DataFrame({"value": series, "diff": series.diff(), "mean": window.mean(), "std": window.std(ddof=0)})
    matrix, known = rows.to_numpy(), rows.notna().all(axis=1).to_numpy()
    usual = known & ~_inside(events, points)
    first, second = points // 2, 3 * points // 4
    rng = np.random.default_rng(0)
    made: dict[str, Callable[[], Any]] = {
        "isolation_forest": lambda: IsolationForest(
            n_estimators=int(rng.integers(50, 200)), max_samples=int(rng.integers(64, 512)), random_state=0
        ),
        "one_class_svm": lambda: OneClassSVM(nu=float(rng.uniform(0.01, 0.2))),
        "pca_reconstruction": lambda: _Left(PCA(float(rng.uniform(0.7, 0.99)))),
    }
    weeks = first * STEP_MINUTES / 10_080
    best: tuple[float, Float64, float] = (-1.0, np.empty(0), 0.0)
    for _ in range(trials):
        scaler, model = StandardScaler(), made[name]()
        model.fit(scaler.fit_transform(matrix[:first][usual[:first]]))
        score = np.full(points, -np.inf)
        score[known] = -model.score_samples(scaler.transform(matrix[known]))
        limit = float(np.sort(score[:first])[-max(1, round(BUDGET_A_WEEK * weeks))])
        value = _f1(score > limit, events, first, second)
        if value > best[0]:
            best = (value, score, limit)
    return {"f1": _f1(best[1] > best[2], events, second, points)}


class _Left:
    """What components leave over, as a score."""

    def __init__(self, components: Any) -> None:
        self.components = components

    def fit(self, rows: Float64) -> _Left:
        self.components.fit(rows)
        return self

    def score_samples(self, rows: Float64) -> Float64:
        left = rows - self.components.inverse_transform(self.components.transform(rows))
        return np.asarray(-np.sqrt((left * left).sum(axis=1)))


def _inside(events: list[tuple[int, int]], points: int) -> np.ndarray:
    found = np.zeros(points, bool)
    for a, b in events:
        found[a : b + 1] = True
    return found


def _f1(odd: np.ndarray, events: list[tuple[int, int]], start: int, stop: int) -> float:
    """Events that an alert began in, and alerts that began in none."""
    begun = np.flatnonzero(odd & ~np.r_[False, odd[:-1]])
    begun = begun[(begun >= start) & (begun < stop)]
    known = [(a, b) for a, b in events if start <= a and b < stop]
    found = sum(bool(((begun >= a) & (begun <= b)).any()) for a, b in known)
    false = sum(not any(a <= at <= b for a, b in known) for at in begun.tolist())
    return 2 * found / max(2 * found + false + len(known) - found, 1)


WORK = {"watchband": ours, "scikit-learn": plain}


def one(who: str, name: str, points: int, trials: int) -> dict[str, Any]:
    """Measured in this process, imports apart."""
    WORK[who](1500, 1, name)
    before = time.process_time()
    found = WORK[who](points, trials, name)
    taken = time.process_time() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": round(taken, 2), "peak_mb": round(peak), **found}


def main(arguments: list[str] | None = None) -> int:
    """Each kind of model by both, one after the other."""
    parser = argparse.ArgumentParser(prog="python -m benches.training", description=__doc__)
    parser.add_argument("--points", type=int, default=20_000)
    parser.add_argument("--trials", type=int, default=6)
    parser.add_argument("--one", nargs=2, help="measure one in this process: who, detector")
    given = parser.parse_args(arguments)
    if given.one:
        print(json.dumps(one(given.one[0], given.one[1], given.points, given.trials)))
        return 0
    for name in NAMES:
        rows = []
        for who in WORK:
            words = ["--one", who, name, "--points", str(given.points), "--trials", str(given.trials)]
            command = [sys.executable, "-m", "benches.training", *words]
            said = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            rows.append(said["seconds"])
            print(
                f"{name:20} {who:13} {said['seconds']:7.2f} CPU s, peak {said['peak_mb']} MB, event F1 held out "
                f"{said['f1']:.3f}",
                flush=True,
            )
        print(f"{name:20} watchband / scikit-learn {rows[0] / rows[1]:.2f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
