"""``python -m benches.seeds [--json] [--quick]``: every figure of the seeds that can be had, made again.

Reads the Numenta Anomaly Benchmark from ``nab`` beneath ``WATCHBAND_DATA``. Ends with 1 where a figure that should be
the same is not.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from benches.seeds import arithmetic, nab, scenes
from benches.seeds.figure import Figure, documents, table

ROOT = Path(__file__).resolve().parents[2]


def collected(*, quick: bool = False) -> list[Figure]:
    """All figures; ``quick`` leaves out those of seventeen series."""
    data = Path(os.environ.get("WATCHBAND_DATA", ROOT.parent / "shared" / "data")) / "nab"
    return [*arithmetic.figures(), *nab.figures(data, all_series=not quick), *scenes.figures()]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benches.seeds", description=__doc__)
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.add_argument("--quick", action="store_true", help="without the seventeen series, which take a minute")
    given = parser.parse_args(arguments)
    figures = collected(quick=given.quick)
    print(json.dumps(documents(figures), indent=1) if given.json else table(figures))
    return int(any(figure.verdict == "differs" for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
