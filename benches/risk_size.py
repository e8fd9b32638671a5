"""``python -m benches.risk_size [--rows 10000000]``: risk fitted to and read over many rows, beside plain scikit-learn.

Each runs in a process of its own over the same rows, which are made as they are read: CPU seconds and the peak of the
process's memory. The plain pipeline is what is written in notebooks: all rows in one array, scaled, KMeans, predicted.
It gives the number of a group; ours, besides, state, load, excess, anomaly and probability, and the evidence.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator

import numpy as np

from watchband.analysis.risk.rows import CHUNK, Rows
from watchband.core.duration import MINUTE

FEATURES, ENTITIES = 10, 100
LEVELS = (8.0, 30.0, 50.0, 82.0)


def chunks(count: int) -> Iterator[Rows]:
    """Rows of a hundred hosts at four levels of load, a chunk at a time."""
    for start in range(0, count, CHUNK):
        rng = np.random.default_rng(start)
        at = np.arange(start, min(start + CHUNK, count))
        entity = (at % ENTITIES).astype(np.int32)
        load = np.array(LEVELS)[entity % len(LEVELS)][:, None]
        values = load * np.linspace(0.5, 4, FEATURES) + rng.normal(0, 4, (len(at), FEATURES))
        yield Rows(entity, 5 * MINUTE * (at // ENTITIES), np.maximum(values, 0))


def ours(count: int) -> str:
    """Fit, then label everything."""
    from watchband.analysis.risk.fit import fit
    from watchband.features.cloudwatch10 import CLOUDWATCH10

    names = [f"host-{n}" for n in range(ENTITIES)]
    labeller = fit(lambda: chunks(count), CLOUDWATCH10, names, 5 * MINUTE).labeller
    known = labeller.known(names)
    counts = np.zeros(5, np.int64)
    for rows in chunks(count):
        counts += np.bincount(labeller.label(rows, known).state + 1, minlength=5)
    return " ".join(map(str, counts.tolist()))


def plain(count: int) -> str:
    """The pipeline of notebooks."""
    from sklearn.cluster import KMeans
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    table = np.concatenate([rows.values for rows in chunks(count)])
    labels = make_pipeline(StandardScaler(), KMeans(4, n_init=4, random_state=0)).fit_predict(table)
    return " ".join(map(str, np.bincount(labels).tolist()))


WORK = {"watchband": ours, "scikit-learn": plain}


def one(name: str, count: int) -> dict[str, object]:
    """Measured in this process."""
    before = time.process_time()
    counts = WORK[name](count)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "name": name,
        "cpu_seconds": round(time.process_time() - before, 1),
        "peak_mib": round(peak),
        "rows": counts,
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benches.risk_size", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--one", choices=WORK, help="in this process, as JSON")
    given = parser.parse_args(arguments)
    if given.one:
        print(json.dumps(one(given.one, given.rows)))
        return 0
    print(f"{given.rows:,} rows of {FEATURES} features")
    for name in WORK:
        command = [sys.executable, "-m", "benches.risk_size", "--rows", str(given.rows), "--one", name]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        print(f"{name:<14} {found['cpu_seconds']:>8.1f} s CPU  {found['peak_mib']:>7,} MiB at most")
    return 0


if __name__ == "__main__":
    sys.exit(main())
