"""``python -m benches.fitted_size [--rows 10000000]``: many rows scored by each fitted model, beside scikit-learn.

Each runs in a process of its own over the same rows of ten features, which are made as they are read, a quarter of a
million at a time: CPU seconds of the scores alone, and the peak of the process's memory. Models are of 2,000 rows, with
equal settings. scikit-learn's neighbours and machine are given a tenth of the rows.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np

from benches.bench_fitted import pairs
from watchband.core.points import Float64

CHUNK, FEATURES = 250_000, 10
SLOW = ("local_outlier_factor", "one_class_svm")
NAMES = ("isolation_forest", "one_class_svm", "local_outlier_factor", "pca_reconstruction")


def chunks(count: int) -> Iterator[Float64]:
    """Rows, a chunk at a time."""
    for start in range(0, count, CHUNK):
        yield np.random.default_rng(start).normal(size=(min(CHUNK, count - start), FEATURES)) * 1.5


def one(which: str, name: str, count: int) -> dict[str, object]:
    """Measured in this process."""
    rows = np.random.default_rng(7).normal(size=(2000, FEATURES))
    ours, theirs = next(pair for pair in pairs() if pair[0].name == name)
    score: Callable[[Float64], Float64] = (
        ours.fit(rows).score if which == "watchband" else theirs().fit(rows).score_samples
    )
    taken, total = 0.0, 0.0
    for part in chunks(count):
        before = time.process_time()
        scores = score(part)
        taken += time.process_time() - before
        total += float(np.abs(scores).sum())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"who": which, "detector": name, "rows": count, "seconds": round(taken, 1), "peak_mb": round(peak)}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benches.fitted_size", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--only", default=",".join(NAMES))
    parser.add_argument("--one", nargs=2, help="measure one in this process: who, detector")
    given = parser.parse_args(arguments)
    if given.one:
        print(json.dumps(one(given.one[0], given.one[1], given.rows)))
        return 0
    for name in given.only.split(","):
        for who in ("watchband", "scikit-learn"):
            count = given.rows // 10 if who == "scikit-learn" and name in SLOW else given.rows
            command = [sys.executable, "-m", "benches.fitted_size", "--one", who, name, "--rows", str(count)]
            found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            micros = 1e6 * found["seconds"] / count
            print(
                f"{name:22} {who:13} {count:>12,} rows {micros:8.2f} µs a row, peak {found['peak_mb']} MB", flush=True
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
