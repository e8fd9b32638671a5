"""Write golden states: ``python -m tools.golden NAME…`` (all that are missing without names).

A golden is the state after a fixed stream and the scores of the next points. It is written once for each version and
never again: later releases must read it and go on as this one would. Until a release has written such states the golden
of a preset follows its members: delete it and write it anew. With a preset goes the state of the ``calibrate`` that a
watch gives it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from watchband.core.detector import Detector
from watchband.core.fold import Fold
from watchband.core.points import Points
from watchband.core.scores import Scores
from watchband.core.state import State
from watchband.detectors import DETECTORS
from watchband.pipeline.calibrate import Calibrate, Calibrated
from watchband.pipeline.catalogue import CATALOGUE, PRESETS
from watchband.pipeline.watch import Watch
from watchband.testing import streams

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "golden" / "states"
SEEN, NEXT, SEED = 600, 40, 7
SAID = ("score", "expected", "lower", "upper", "scale", "flags")
FOUND = ("p_value", "anomaly_score", "limit_above", "limit_below", "confidence")


def stream(series: int = 2) -> tuple[Points, Points]:
    """What the golden state has seen, and what follows: two series, or the second alone, which ends on a spike."""
    times = streams.times(SEEN + NEXT)
    found = [streams.daily(SEEN + NEXT, SEED + i) for i in range(2)]
    found[1][SEEN + 10] += 40
    found = found[-series:]
    first = Points.fleet([(times[:SEEN], values[:SEEN]) for values in found])
    return first, Points.fleet([(times[SEEN:], values[SEEN:]) for values in found])


def series_of(name: str) -> int:
    """Series in the golden of a detector: the states of presets are large."""
    return 1 if name in PRESETS else 2


def calibrate_of(detector: Detector) -> Calibrate:
    """The one that a watch gives a detector."""
    return Watch("golden", detector).calibrate


def calibrated(calibrate: Calibrate, state: State, points: Points, scores: Scores) -> Calibrated:
    return calibrate.step(state, points, scores, interval_ns=np.full(points.series, streams.HOUR))


def path_of(detector: Detector) -> Path:
    return FOLDER / f"{detector.name}-v{detector.state_version}.bin"


def calibrate_path_of(detector: Detector) -> Path:
    return FOLDER.parent / "calibrate" / f"{path_of(detector).stem}-v{calibrate_of(detector).state_version}.bin"


def columns(found: object, names: tuple[str, ...]) -> dict[str, list[float | None]]:
    """Answers as JSON has them, those of an ensemble's further members too."""
    every = {name: getattr(found, name) for name in names}
    every.update({f"member {k}": column for k, column in enumerate(getattr(found, "members", ()))})
    return {k: [None if np.isnan(v) else float(v) for v in a] for k, a in every.items()}


def save(fold: Fold, state: State, path: Path, said: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(state.to_bytes())
    path.with_suffix(".json").write_text(json.dumps(said, indent=0) + "\n")


def write(detector: Detector) -> list[Path]:
    first, second = stream(series_of(detector.name))
    state = detector.start(first.series)
    before = detector.step(state, first)
    frozen = state.copy()
    scores = detector.step(state, second)
    config = CATALOGUE.to_config(detector)
    paths = [path_of(detector)]
    if not paths[0].exists():
        save(detector, frozen, paths[0], {"config": config, "scores": columns(scores, SAID)})
    if detector.name in PRESETS:
        calibrate = calibrate_of(detector)
        state = calibrate.start(first.series)
        calibrated(calibrate, state, first, before)
        frozen = state.copy()
        found = columns(calibrated(calibrate, state, second, scores), FOUND)
        paths.append(calibrate_path_of(detector))
        save(calibrate, frozen, paths[1], {"config": config, "scores": columns(scores, SAID), "found": found})
    return paths


def main(names: list[str]) -> None:
    for name in names or [*DETECTORS.names(), *PRESETS]:
        detector = CATALOGUE.build({"type": name})
        missing = not path_of(detector).exists() or (name in PRESETS and not calibrate_path_of(detector).exists())
        if names or missing:
            sys.stdout.write("".join(f"{path}\n" for path in write(detector)))


if __name__ == "__main__":
    main(sys.argv[1:])
