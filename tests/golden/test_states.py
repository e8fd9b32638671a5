"""States written by this and older releases are read and go on as they did. Found by glob, nobody lists them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tools.golden import path_of, stream
from watchband.core.state import State
from watchband.detectors import DETECTORS

FILES = sorted((Path(__file__).parent / "states").glob("*.bin"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_an_old_state_goes_on_as_it_did(path: Path) -> None:
    golden = json.loads(path.with_suffix(".json").read_text())
    detector = DETECTORS.build(golden["config"])
    state = detector.load(path.read_bytes())
    _, following = stream()
    scores = detector.step(state, following)
    for name, expected in golden["scores"].items():
        wanted = np.array([np.nan if v is None else v for v in expected])
        got = getattr(scores, name)
        if path == path_of(detector):
            # The same bits on one machine and build; across processors and compilers within 1e-9.
            np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-9, err_msg=name)
        else:
            # A later version may know better, yet it does not begin anew: in the median within a fifth of a scale.
            unit = 1.0 if name in ("score", "flags") else np.array(golden["scores"]["scale"], float)
            assert np.nanmedian(np.abs(got - wanted) / unit) < 0.2, name


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_the_bytes_round_trip(path: Path) -> None:
    assert State.from_bytes(path.read_bytes()).to_bytes() == path.read_bytes()


@pytest.mark.parametrize("name", DETECTORS.names())
def test_every_detector_has_a_golden_of_its_present_version(name: str) -> None:
    assert path_of(DETECTORS.build({"type": name})) in FILES, f"run: python -m tools.golden {name}"
