"""Write the golden state of a detector: ``python -m tools.golden NAME…`` (all that are missing without names).

A golden is the state after a fixed stream and the scores of the next points. It is written once for each
``state_version`` and never again: later releases must read it and go on as this one would.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from watchband.core.detector import Detector
from watchband.core.points import Points
from watchband.detectors import DETECTORS
from watchband.testing import streams

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "golden" / "states"
SEEN, NEXT, SEED = 600, 40, 7


def stream() -> tuple[Points, Points]:
    """What the golden state has seen, and what follows: two series, a spike among the last points."""
    times = streams.times(SEEN + NEXT)
    series = [streams.daily(SEEN + NEXT, SEED + i) for i in range(2)]
    series[1][SEEN + 10] += 40
    first = Points.fleet([(times[:SEEN], values[:SEEN]) for values in series])
    return first, Points.fleet([(times[SEEN:], values[SEEN:]) for values in series])


def path_of(detector: Detector) -> Path:
    return FOLDER / f"{detector.name}-v{detector.state_version}.bin"


def write(detector: Detector) -> Path:
    first, second = stream()
    state = detector.start(first.series)
    detector.step(state, first)
    path = path_of(detector)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(state.to_bytes())
    scores = detector.step(state, second)
    columns = {name: getattr(scores, name) for name in ("score", "expected", "lower", "upper", "scale", "flags")}
    plain = {k: [None if np.isnan(v) else float(v) for v in a] for k, a in columns.items()}
    config = DETECTORS.to_config(detector)
    path.with_suffix(".json").write_text(json.dumps({"config": config, "scores": plain}, indent=0) + "\n")
    return path


def main(names: list[str]) -> None:
    for name in names or DETECTORS.names():
        detector = DETECTORS.build({"type": name})
        if names or not path_of(detector).exists():
            sys.stdout.write(f"{write(detector)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
