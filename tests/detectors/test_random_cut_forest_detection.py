"""Injected faults are found about as well as by krcf, which is measured by ``python -m benches.forest_detection``."""

from __future__ import annotations

import numpy as np
import pytest

from benches.forest_detection import KINDS, area, interval, stream
from benches.forest_faithful import ours

KRCF = {"spike": 0.9860, "shift": 0.8322, "stuck": 0.4885, "noisy": 0.8653, "turned": 0.8027}
"""Mean area under the curve of krcf 0.4.0 over sixty seeds."""
SEEDS, MARGIN = 10, 0.02


@pytest.mark.parametrize("kind", KINDS)
def test_faults_are_found_about_as_well_as_by_krcf(kind: str) -> None:
    values, faulty = stream(kind)
    areas = np.array([area(ours(values, seed), faulty) for seed in range(SEEDS)])
    assert areas.mean() > KRCF[kind] - MARGIN


def test_the_area_is_the_chance_to_rank_a_fault_above_the_rest() -> None:
    scores, faulty = np.array([1.0, 2.0, 3.0, 3.0]), np.array([False, True, True, False])
    # Of four pairs: 2 > 1, 2 < 3, 3 > 1, and one tie.
    assert area(scores, faulty) == pytest.approx(2.5 / 4)


def test_the_interval_holds_the_mean() -> None:
    assert interval(np.array([-1.0, 1.0])) == pytest.approx((0.0, -1.96, 1.96))
