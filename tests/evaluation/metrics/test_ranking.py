from __future__ import annotations

import math

import numpy as np
import pytest

from tests.reference import ranking as slow
from watchband.evaluation.metrics.ranking import BUFFERS, soft_labels, vus

WINDOWS = np.array([[20, 29], [50, 52]])


def test_labels_fall_with_the_square_root_of_the_distance() -> None:
    soft = soft_labels(np.array([[5, 6]]), 12, 4)
    assert soft.tolist() == [0, 0, 0, math.sqrt(0.5), math.sqrt(0.75), 1, 1, math.sqrt(0.75), math.sqrt(0.5), 0, 0, 0]


def test_a_perfect_ranking_is_one_and_the_worst_is_near_nothing() -> None:
    labels = soft_labels(WINDOWS, 80, 0)
    assert vus(labels, WINDOWS, (0,)) == (1.0, 1.0)
    assert vus(1 - labels, WINDOWS, (0,)).roc < 0.01
    assert vus(1 - labels, WINDOWS, (0,)).pr < 0.2


def test_a_constant_score_ranks_nothing() -> None:
    found = vus(np.ones(80), WINDOWS, (0,))
    assert found.pr == pytest.approx(13 / 80)
    assert found.roc == pytest.approx(0.5)


def test_four_points_by_hand() -> None:
    # Thresholds 4, 3, 2, 1 say points 0, 2, 1, 3; the event is point 1: precision 1/3 when it is caught.
    assert vus(np.array([4.0, 2.0, 3.0, 1.0]), np.array([[1, 1]]), (0,)) == pytest.approx((1 / 3, 1 / 3))


def test_no_opinion_ranks_last() -> None:
    score = np.where(np.arange(80) % 7 == 0, np.nan, np.arange(80.0))
    assert vus(score, WINDOWS) == vus(np.nan_to_num(score, nan=-1e300), WINDOWS)


def test_without_events_there_is_no_figure() -> None:
    assert math.isnan(vus(np.zeros(5), np.empty((0, 2), int)).pr)


@pytest.mark.parametrize("seed", range(10))
def test_the_slow_reference_agrees(seed: int) -> None:
    rng = np.random.default_rng(seed)
    edges = np.sort(rng.choice(60, 6, replace=False)).reshape(-1, 2)
    score = np.round(rng.exponential(size=60), 1)
    score[rng.random(60) < 0.1] = np.nan
    expected = slow.vus(score.tolist(), [tuple(w) for w in edges.tolist()], BUFFERS)
    assert vus(score, edges) == pytest.approx(expected, abs=1e-12)


def test_windows_that_touch_are_one_event_and_order_is_nothing() -> None:
    score = np.random.default_rng(3).normal(size=80)
    whole = vus(score, np.array([[20, 29], [50, 59]]))
    assert vus(score, np.array([[55, 59], [50, 54], [20, 24], [25, 29]])) == whole


def test_an_event_at_either_end_has_one_side_only() -> None:
    for windows in ([[0, 3]], [[76, 79]], [[0, 3], [76, 79]]):
        score = np.random.default_rng(4).normal(size=80)
        expected = slow.vus(score.tolist(), [(a, b) for a, b in windows], BUFFERS)
        assert vus(score, np.array(windows)) == pytest.approx(expected, abs=1e-12)


def test_it_never_leaves_0_to_1_and_only_the_order_of_scores_matters() -> None:
    rng = np.random.default_rng(5)
    for _ in range(20):
        edges = np.sort(rng.choice(200, 8, replace=False)).reshape(-1, 2)
        score = np.round(rng.normal(size=200), 1)
        found = vus(score, edges)
        assert 0 <= found.pr <= 1
        assert 0 <= found.roc <= 1
        assert vus(np.exp(score), edges) == found
