"""``python -m benches.archive_size [--points 2000000] [--series 500]``: size, speed and memory of the archive.

A store of percentages with two decimals, a reading a minute of each series, an entry a minute, is archived in a folder,
gathered and restored. Every step is a process of its own: CPU time and peak memory are that step's.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

MINUTE = 60 * 10**9
START = 20_000 * 86_400 * 10**9


def fill(data: Path, points: int, series: int) -> None:
    """A store with that many readings."""
    from watchband.adapters.stores.sqlite.store import SqliteStore
    from watchband.core.ports import Commit, FoldRecord, Readings
    from watchband.core.series import SeriesKey

    random = np.random.default_rng(7)
    keys = [SeriesKey("cpu", {"host": f"host-{n:04d}", "zone": "abc"[n % 3]}) for n in range(series)]
    store = SqliteStore(data)
    store.adopt("main", "w", FoldRecord("x", 0))
    level = random.uniform(10, 90, series)
    for number in range(points // series):
        level = np.clip(level + random.normal(0, 0.5, series), 0, 100)
        values = np.round(level + random.normal(0, 1, series), 2)
        at = np.array([START + number * MINUTE])
        readings = [Readings(key, at, values[n : n + 1], "push") for n, key in enumerate(keys)]
        store.commit(Commit("main", number + 1, readings))
    store.close()


def step(name: str, folder: Path) -> int:
    """One step; how many readings it was about."""
    from watchband.adapters.archive.archive import ObjectArchive
    from watchband.adapters.archive.compact import compact
    from watchband.adapters.archive.export import Exporter
    from watchband.adapters.archive.restore import restore
    from watchband.adapters.stores.sqlite.store import SqliteStore

    archive = ObjectArchive(f"file://{folder}/far/")
    if name == "export":
        return Exporter(archive, SqliteStore(folder / "data", readonly=True)).run().readings
    if name == "compact":
        return compact(archive).rows
    if name == "restore":
        return restore(archive, SqliteStore(folder / "back")).readings
    import pyarrow  # noqa: F401 (what every step loads, for the memory that is nobody's)

    return 0


def main() -> None:
    """Measure, and print a line for each step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=2_000_000)
    parser.add_argument("--series", type=int, default=500)
    parser.add_argument("--step", nargs=2, default=None, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step is not None:
        rows = step(given.step[0], Path(given.step[1]))
        used = resource.getrusage(resource.RUSAGE_SELF)
        print(json.dumps([rows, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder / "data", given.points, given.series)
        for one in ("nothing", "export", "compact", "restore"):
            command = [sys.executable, "-m", "benches.archive_size", "--step", one, name]
            rows, seconds, peak = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
            # What was gathered still lies beside what it became: only what counts is counted.
            size = sum(listed_bytes(folder, dataset) for dataset in ("readings", "entries", "marks"))
            told = f"{size / given.points:6.2f} bytes a reading" if size else ""
            print(f"{one:<9} {rows:>12,} rows {seconds:7.1f} s CPU {peak:6.0f} MB peak  {told}")


def listed_bytes(folder: Path, dataset: str) -> int:
    """Bytes of the parts of a data set that count."""
    from watchband.adapters.archive.archive import ObjectArchive

    return sum(part.nbytes for part in ObjectArchive(f"file://{folder}/far/").parts(dataset))


if __name__ == "__main__":
    main()
