from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import delay as slow
from watchband.evaluation.metrics.delay import Delays, delays
from watchband.evaluation.metrics.events import count_events


def test_a_missed_event_is_never_found_and_stays_in_the_quantiles() -> None:
    found = Delays(delays(np.array([3, 25, 26]), np.array([[0, 9], [20, 29], [40, 49]])))
    assert found.each.tolist() == [3, 5, math.inf]
    assert (found.quantile(0.5), found.quantile(0.6), found.quantile(0.7)) == (5, 5, math.inf)
    assert found.found == pytest.approx(2 / 3)
    assert found.mean_found == 4
    assert found.within(3).value == pytest.approx(1 / 3)


def test_the_curve_rises_to_the_found_share() -> None:
    at, share = Delays(np.array([2.0, 0.0, 2.0, np.inf])).curve()
    assert at.tolist() == [0, 2]
    assert share.tolist() == [0.25, 0.75]


def test_without_events_there_is_no_figure() -> None:
    none = Delays(delays(np.array([1]), np.empty((0, 2), int)))
    assert math.isnan(none.quantile(0.5))
    assert math.isnan(none.mean_found)
    assert math.isnan(none.found)


@given(st.sets(st.integers(0, 60), max_size=20), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9)), min_size=1))
def test_the_slow_reference_agrees(opened: set[int], events: list[tuple[int, int]]) -> None:
    windows = [(a, a + length) for a, length in events]
    found = delays(np.array(sorted(opened), int), np.array(windows))
    assert found.tolist() == slow.delays(sorted(opened), windows)
    for share in (0.1, 0.5, 0.9, 1.0):
        assert Delays(found).quantile(share) == slow.quantile(found.tolist(), share)


def test_it_says_what_the_counts_of_events_say() -> None:
    rng = np.random.default_rng(7)
    edges = np.sort(rng.choice(1000, 40, replace=False)).reshape(-1, 2)
    opened = np.sort(rng.choice(1000, 50, replace=False))
    found, counts = Delays(delays(opened, edges)), count_events(opened, edges, 1000)
    assert found.mean_found == counts.mean_delay
    assert found.found == counts.recall
