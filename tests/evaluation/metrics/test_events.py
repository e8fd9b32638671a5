from __future__ import annotations

import math

import numpy as np
import pytest

from tests.reference import events as slow
from watchband.evaluation.metrics.events import EventCounts, count_events, windows_of

WINDOWS = np.array([[20, 29], [40, 49], [60, 79]])


def test_an_alert_within_an_event_finds_it_and_further_ones_are_nothing() -> None:
    found = count_events(np.array([22, 25, 28, 45]), WINDOWS, 100)
    assert found == EventCounts(found=2, missed=1, false=0, delay=2 + 5, points=100)
    assert (found.precision, found.recall, found.f1, found.mean_delay) == (1.0, 2 / 3, 0.8, 3.5)


def test_alerts_elsewhere_are_false_also_one_point_beside() -> None:
    found = count_events(np.array([19, 30, 90]), WINDOWS, 100)
    assert (found.found, found.missed, found.false) == (0, 3, 3)


def test_the_aftermath_forgives_but_does_not_find() -> None:
    windows = np.array([[20, 29, 35]])
    assert count_events(np.array([33]), windows, 100) == EventCounts(0, 1, 0, 0, 100)
    assert count_events(np.array([36]), windows, 100) == EventCounts(0, 1, 1, 0, 100)


def test_what_comes_before_the_start_counts_nowhere() -> None:
    found = count_events(np.array([5, 22, 45]), WINDOWS, 100, start=35)
    assert found == EventCounts(found=1, missed=1, false=0, delay=5, points=65)


def test_without_events_or_alerts_there_is_no_figure() -> None:
    nothing = count_events(np.empty(0, int), np.empty((0, 2), int), 100)
    assert math.isnan(nothing.f1)
    assert math.isnan(nothing.precision)
    assert math.isnan(nothing.mean_delay)
    assert count_events(np.array([3]), np.empty((0, 2), int), 100).f1 == 0


def test_counts_add_up() -> None:
    assert EventCounts(1, 2, 3, 4, 5) + EventCounts(10, 20, 30, 40, 50) == EventCounts(11, 22, 33, 44, 55)


def test_runs_of_labels_become_windows() -> None:
    assert windows_of(np.array([1, 1, 0, 0, 1])).tolist() == [[0, 1], [4, 4]]
    assert windows_of(np.zeros(5)).shape == (0, 2)


@pytest.mark.parametrize("seed", range(20))
def test_the_slow_reference_agrees(seed: int) -> None:
    rng = np.random.default_rng(seed)
    edges = np.sort(rng.choice(np.arange(5, 290), 12, replace=False)).reshape(-1, 3)
    opened = np.sort(rng.choice(300, 40, replace=False))
    start = int(rng.integers(0, 100))
    for windows in (edges, edges[:, :2]):
        c = count_events(opened, windows, 300, start=start)
        assert (c.found, c.missed, c.false, c.delay) == slow.count(opened.tolist(), windows.tolist(), start)


@pytest.mark.parametrize("seed", range(20))
def test_events_that_overlap_are_each_found_by_the_same_alert(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 200, 8)
    windows = np.stack([first, first + rng.integers(0, 60, 8)], axis=1)
    windows = np.column_stack([windows, windows[:, 1] + rng.integers(0, 20, 8)])
    opened = np.sort(rng.choice(300, int(rng.integers(0, 12)), replace=False))
    c = count_events(opened, windows, 300, start=30)
    assert (c.found, c.missed, c.false, c.delay) == slow.count(opened.tolist(), windows.tolist(), 30)
