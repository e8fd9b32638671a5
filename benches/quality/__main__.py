"""``python -m benches.quality [--only services,simulated] [--detectors a,b] [--fast] [--json FILE]``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benches.quality import evaluate
from benches.quality.data import SOURCES, numenta_rows
from benches.quality.figures import halves
from benches.quality.peers import PEERS, candidates


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benches.quality", description=__doc__)
    parser.add_argument("--only", default=",".join(SOURCES), help=f"families: {', '.join(SOURCES)}")
    parser.add_argument("--detectors", default="", help=f"names of detectors, or of peers: {', '.join(PEERS)}")
    parser.add_argument("--fast", action="store_true", help="every third series")
    parser.add_argument("--replicas", type=int, default=1, help="simulated series of each family")
    parser.add_argument("--seed", type=int, default=0, help="of the simulated series")
    parser.add_argument("--against", default="auto", help="which candidate is compared with the best of the others")
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--halves", action="store_true", help="name the files of the benchmark's two halves and end")
    given = parser.parse_args(arguments)
    if given.halves:
        print(json.dumps({k: v for k, v in halves(list(numenta_rows())).items() if k != "whole"}, indent=1))
        return 0
    only = given.only.split(",")
    if unknown := sorted(set(only) - set(SOURCES)):
        parser.error(f"no family is called {unknown[0]!r}; there are {', '.join(SOURCES)}")
    names = given.detectors.split(",") if given.detectors else None
    found = evaluate(
        candidates(names), only, fast=given.fast, replicas=given.replicas, seed=given.seed, against=given.against
    )
    if given.json:
        given.json.write_text(json.dumps(found, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
