from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import point as slow
from watchband.evaluation.metrics.affiliation import affiliation
from watchband.evaluation.metrics.arrays import labels_of
from watchband.evaluation.metrics.events import windows_of
from watchband.evaluation.metrics.point import Confusion, confusion
from watchband.evaluation.metrics.point_adjusted import PointAdjustedWarning, point_adjusted


def quietly(flagged: np.ndarray, windows: np.ndarray) -> Confusion:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PointAdjustedWarning)
        return point_adjusted(flagged, windows)


def test_it_warns_every_time() -> None:
    for _ in range(2):
        with pytest.warns(PointAdjustedWarning, match="random flags score high"):
            point_adjusted(np.zeros(9, bool), np.array([[2, 4]]))


def test_one_point_of_an_event_is_paid_for_all_of_it() -> None:
    flagged = np.zeros(100, bool)
    flagged[[35, 90]] = True
    assert quietly(flagged, np.array([[20, 59], [70, 79]])) == Confusion(tp=40, fn=10, fp=1, tn=49)


def test_flags_at_random_beat_an_honest_detector_and_only_here() -> None:
    """Why it comes with a warning: a coin wins by it against a detector that says half of five events in eight."""
    rng = np.random.default_rng(11)
    n = 20_000
    windows = np.arange(8)[:, None] * 2400 + np.array([500, 899])
    honest = labels_of(np.r_[(windows + np.array([200, 0]))[:5], [[1000, 1099]]], n)
    coin = rng.random(n) < 0.01
    assert quietly(coin, windows).f1 > 0.9 > 0.1 > confusion(coin, labels_of(windows, n)).f1
    assert quietly(coin, windows).f1 > quietly(honest, windows).f1
    assert confusion(honest, labels_of(windows, n)).f1 > 10 * confusion(coin, labels_of(windows, n)).f1
    near = [affiliation(windows_of(flags), windows, n).precision for flags in (honest, coin)]
    assert near[0] > near[1] + 0.2


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=50))
def test_the_slow_reference_agrees(rows: list[tuple[bool, bool]]) -> None:
    said, true = np.array(rows).T
    found = quietly(said, windows_of(true))
    assert (found.tp, found.fn, found.fp, found.tn) == slow.adjusted(said.tolist(), windows_of(true).tolist())
