"""Every detector reads damaged states without a crash, a hang or an error that is not Watchband's."""

from __future__ import annotations

import os

import pytest

from tests.contract.fuzzing import fuzz
from watchband.detectors import DETECTORS

STATES = 3000 if os.environ.get("HYPOTHESIS_PROFILE") == "deep" else 40


@pytest.mark.timeout(3600 if STATES > 1000 else 60)
@pytest.mark.parametrize("name", DETECTORS.names())
def test_damaged_states_are_refused_or_are_states(name: str) -> None:
    found = fuzz(DETECTORS.build({"type": name}), STATES, seed=1)
    assert found.unread >= STATES // 4
    assert found.unread + found.refused + found.scored == STATES
