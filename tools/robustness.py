"""Compare or record what the small robustness matrix finds: ``python -m tools.robustness [--write] [--accept WHY]``.

The test compares with ``tests/evaluation/robustness_small.json``. ``--write`` takes over what improved and refuses
where something worsened beyond the tolerance; ``--accept`` takes over everything and keeps the reason in the file.
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from pathlib import Path

from watchband.apps.library.robustness.work import SMALL_DETECTORS, Job, run
from watchband.evaluation.robustness.expect import Figures, figures, tightened, to_document, worse

RECORDED = Path(__file__).resolve().parent.parent / "tests" / "evaluation" / "robustness_small.json"


def found(jobs: int | None = None) -> dict[str, Figures]:
    """The sums of this build."""
    return figures(run(Job(SMALL_DETECTORS, small=True), jobs=jobs))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.robustness", description=__doc__)
    parser.add_argument("--write", action="store_true", help="record what improved")
    parser.add_argument("--accept", metavar="WHY", help="record everything, what worsened too, with this reason")
    given = parser.parse_args(arguments)
    document = json.loads(RECORDED.read_text()) if RECORDED.exists() else to_document({})
    now, was = found(), document["expected"]
    problems = worse(now, was)
    for problem in problems:
        print(problem)
    better = sum(tightened(now, was)[name] != was.get(name) for name in now)
    print(f"{len(problems)} worse beyond the tolerance, {better} better, of {len(now)}")
    if given.accept:
        entry = {"date": f"{datetime.date.today()}", "why": given.accept, "worse": [str(p) for p in problems]}
        document = to_document(now, [*document["accepted"], entry])
    elif given.write and not problems:
        document = to_document(tightened(now, was), document["accepted"])
    else:
        return int(bool(problems))
    RECORDED.write_text(json.dumps(document, indent=1) + "\n")
    print(f"Recorded: {RECORDED}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
