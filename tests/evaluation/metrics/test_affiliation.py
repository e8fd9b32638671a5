from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import affiliation as slow
from watchband.evaluation.metrics.affiliation import affiliation
from watchband.evaluation.metrics.events import windows_of

BITS = st.lists(st.booleans(), min_size=12, max_size=40)


def test_by_hand() -> None:
    # One event of two points in the middle of ten, one prediction that starts where the event ends.
    found = affiliation(np.array([[6, 6]]), np.array([[4, 5]]), 10)
    # From 6 to 7 the distance rises from 0 to 1: 2 + 2 d of 10 lie nearer, 3 on average.
    assert found.precision == pytest.approx(1 - 3 / 10)
    # From 4 to 6 the distance to 6 falls from 2 to 0: 2 d of 10 lie nearer, 2 on average.
    assert found.recall == pytest.approx(1 - 2 / 10)


def test_the_example_of_two_events_by_hand() -> None:
    found = affiliation(np.array([[4, 4], [8, 8]]), np.array([[3, 3], [7, 9]]), 10)
    # Zones end at 5.5. First: 1 + 2 d of 5.5, d on average a half; the event's own point in the same way, without 1.
    assert found.each[0] == pytest.approx([1 - 2 / 5.5, 1 - 1 / 5.5])
    # Second: inside; a third of the event is covered, before and behind it the ball is cut off by no edge but the last.
    before, behind = 1 - 1 / 4.5, 1 - 0.75 / 4.5
    assert found.each[1] == pytest.approx([1, (1 + before + behind) / 3])


def test_perfect_is_one_and_silence_nothing() -> None:
    windows = np.array([[5, 9], [20, 20], [31, 39]])
    perfect = affiliation(windows, windows, 40)
    assert (perfect.precision, perfect.recall, perfect.f1) == (1, 1, 1)
    silent = affiliation(np.empty((0, 2), int), windows, 40)
    assert math.isnan(silent.precision)
    assert silent.recall == 0
    assert math.isnan(affiliation(windows, np.empty((0, 2), int), 40).recall)


def test_a_long_event_weighs_no_more_than_a_short_one() -> None:
    windows = np.array([[100, 499], [800, 800]])
    assert affiliation(np.array([[100, 499]]), windows, 1000).recall == 0.5
    assert affiliation(np.array([[800, 800]]), windows, 1000).recall == 0.5


def test_nearer_is_better_and_chance_about_a_half() -> None:
    windows = np.array([[500, 502]])
    near, far = (affiliation(np.array([[at, at]]), windows, 1000).precision for at in (510, 900))
    assert near > 0.97
    assert far < 0.25
    rng = np.random.default_rng(5)
    drawn = [affiliation(np.array([[at, at]]), windows, 1000).precision for at in rng.integers(0, 1000, 400)]
    assert np.mean(drawn) == pytest.approx(0.5, abs=0.05)


@given(BITS, BITS.filter(any))
def test_the_slow_reference_agrees(said: list[bool], true: list[bool]) -> None:
    n = min(len(said), len(true))
    predicted, windows = windows_of(np.array(said[:n])), windows_of(np.array(true[:n]))
    if not len(windows):
        return
    found = affiliation(predicted, windows, n)
    expected = slow.affiliation(predicted.tolist(), windows.tolist(), n)
    assert (found.precision, found.recall) == pytest.approx(expected, abs=1e-9, nan_ok=True)


@given(BITS, BITS.filter(any))
def test_it_is_the_same_backwards(said: list[bool], true: list[bool]) -> None:
    n = min(len(said), len(true))
    flags, labels = np.array(said[:n]), np.array(true[:n])
    there = affiliation(windows_of(flags), windows_of(labels), n)
    back = affiliation(windows_of(flags[::-1]), windows_of(labels[::-1]), n)
    assert (there.precision, there.recall) == pytest.approx((back.precision, back.recall), nan_ok=True)
    assert np.nanmax(there.each, initial=0) <= 1 + 1e-12
    assert np.nanmin(there.each, initial=1) >= 0
