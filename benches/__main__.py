"""``python -m benches [NAME ...] [--json] [--runs 5] [--points 1000000] [--no-peers]``, or ``quality`` with its own."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path

from benches.timing import Measured, beside, machine, measure, records, report

RUNS_MIN = 5


def names() -> list[str]:
    """Every bench there is, by the names of the files."""
    return sorted(p.stem.removeprefix("bench_") for p in Path(__file__).parent.glob("bench_*.py"))


def run(chosen: list[str], runs: int, points: int, peers: bool) -> list[Measured]:
    """Measure the chosen benches, one after the other."""
    measured: list[Measured] = []
    for name in chosen:
        module = importlib.import_module(f"benches.bench_{name}")
        measured += measure(module.cases(points, peers), runs)
    return measured


def main(arguments: list[str] | None = None) -> int:
    given_to = sys.argv[1:] if arguments is None else arguments
    if given_to[:1] == ["quality"]:
        return int(importlib.import_module("benches.quality.__main__").main(given_to[1:]))
    parser = argparse.ArgumentParser(prog="python -m benches", description=__doc__)
    parser.add_argument("name", nargs="*", help=f"which benches; all if none is named: {', '.join(names())}")
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.add_argument("--runs", type=int, default=RUNS_MIN, help="runs of each case, in turns")
    parser.add_argument("--points", type=int, default=1_000_000, help="size of the work")
    parser.add_argument("--no-peers", action="store_true", help="Watchband alone")
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.name) - set(names()))
    if unknown:
        parser.error(f"no bench is called {unknown[0]!r}; there are {', '.join(names())}")
    measured = run(given.name or names(), given.runs, given.points, not given.no_peers)
    if given.json:
        print(json.dumps({"machine": machine(), "measured": records(measured)}, indent=1))
    else:
        about = machine()
        print(f"{about['cpu']}, {about['cores']} cores, Python {about['python']}")
        print(
            f"CPU time of the process, best of {given.runs} runs in turns; ratio: time a point, first of the group = 1"
        )
        print()
        print(report(measured))
        if table := beside(measured):
            print(f"\n{table}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
