"""States written by this and older releases are read and go on as they did. Found by glob, nobody lists them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tools.golden import FOUND, SAID, calibrate_of, calibrate_path_of, calibrated, columns, path_of, series_of, stream
from watchband.core.scores import Scores
from watchband.core.state import State
from watchband.detectors import DETECTORS
from watchband.pipeline.catalogue import CATALOGUE, PRESETS

FILES = sorted((Path(__file__).parent / "states").glob("*.bin"))
CALIBRATES = sorted((Path(__file__).parent / "calibrate").glob("*.bin"))
NAN = float("nan")


def numbers(column: list[float | None]) -> np.ndarray:
    return np.array([NAN if v is None else v for v in column])


def same(got: dict[str, list[float | None]], wanted: dict[str, Any]) -> None:
    """The same bits on one machine and build; across processors and compilers within 1e-9."""
    assert got.keys() == wanted.keys()
    for name, column in wanted.items():
        hint = f"{name}: raise the version and write an upgrade; before its first release, delete this golden and run "
        hint += "python -m tools.golden"
        np.testing.assert_allclose(numbers(got[name]), numbers(column), rtol=1e-9, atol=1e-9, err_msg=hint)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_an_old_state_goes_on_as_it_did(path: Path) -> None:
    golden = json.loads(path.with_suffix(".json").read_text())
    detector = CATALOGUE.build(golden["config"])
    state = detector.load(path.read_bytes())
    scores = detector.step(state, stream(series_of(detector.name))[1])
    if path == path_of(detector):
        same(columns(scores, SAID), golden["scores"])
        return
    for name, expected in golden["scores"].items():
        # A later version may know better, yet it does not begin anew: in the median within a fifth of a scale.
        unit = 1.0 if name in ("score", "flags") else np.array(golden["scores"]["scale"], float)
        assert np.nanmedian(np.abs(getattr(scores, name) - numbers(expected)) / unit) < 0.2, name


@pytest.mark.parametrize("path", CALIBRATES, ids=lambda p: p.stem)
def test_an_old_state_of_calibrate_goes_on_as_it_did(path: Path) -> None:
    golden = json.loads(path.with_suffix(".json").read_text())
    detector = CATALOGUE.build(golden["config"])
    calibrate, points = calibrate_of(detector), stream(series_of(detector.name))[1]
    state = calibrate.load(path.read_bytes())
    said = golden["scores"]
    members = [numbers(column) for name, column in said.items() if name.startswith("member ")]
    scores = Scores.of_columns([*(numbers(said[name]) for name in SAID), *members])
    found = columns(calibrated(calibrate, state, points, scores), FOUND)
    if path == calibrate_path_of(detector):
        same(found, golden["found"])
        return
    away = np.abs(numbers(found["anomaly_score"]) - numbers(golden["found"]["anomaly_score"]))
    assert np.nanmedian(away) < 0.2


@pytest.mark.parametrize("path", [*FILES, *CALIBRATES], ids=lambda p: p.stem)
def test_the_bytes_round_trip(path: Path) -> None:
    """Into those of the present format, and back with every bit; small states are written as they always were."""
    state = State.from_bytes(path.read_bytes())
    written = state.to_bytes()
    assert State.from_bytes(written).same_bits(state)
    assert written == path.read_bytes() or len(written) < path.stat().st_size


@pytest.mark.parametrize("name", [*DETECTORS.names(), *PRESETS])
def test_every_detector_has_a_golden_of_its_present_version(name: str) -> None:
    detector = CATALOGUE.build({"type": name})
    assert path_of(detector) in FILES, f"run: python -m tools.golden {name}"
    assert name not in PRESETS or calibrate_path_of(detector) in CALIBRATES, f"run: python -m tools.golden {name}"
