from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import point as slow
from watchband.evaluation.metrics.auc import auc, best_f1
from watchband.evaluation.metrics.ranking import vus

ROWS = st.lists(st.tuples(st.integers(-3, 3) | st.just(math.nan), st.booleans()), min_size=2, max_size=50).filter(
    lambda rows: len({label for _, label in rows}) == 2
)


def split(rows: list[tuple[float, bool]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([r[0] for r in rows], float), np.array([r[1] for r in rows])


@given(ROWS)
def test_the_slow_reference_agrees_ties_and_all(rows: list[tuple[float, bool]]) -> None:
    score, labels = split(rows)
    found = auc(score, labels)
    assert found.roc == pytest.approx(slow.roc_auc(score.tolist(), labels.tolist()), abs=1e-12)
    assert found.pr == pytest.approx(slow.pr_auc(score.tolist(), labels.tolist()), abs=1e-12)
    assert best_f1(score, labels).f1 == pytest.approx(slow.best_f1(score.tolist(), labels.tolist()), abs=1e-12)


@given(ROWS)
def test_only_the_order_of_scores_matters(rows: list[tuple[float, bool]]) -> None:
    score, labels = split(rows)
    assert auc(np.exp(score) * 7, labels) == auc(score, labels)


@given(ROWS)
def test_a_score_turned_round_has_the_other_half_of_the_roc(rows: list[tuple[float, bool]]) -> None:
    score, labels = split(rows)
    score = np.nan_to_num(score)
    assert auc(-score, labels).roc == pytest.approx(1 - auc(score, labels).roc, abs=1e-12)


def test_by_hand() -> None:
    # Said falls through 1 (right), 2 with a tie (one right, one wrong), 4 (wrong).
    found = auc(np.array([9, 5, 5, 1.0]), np.array([True, True, False, False]))
    assert found.pr == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert found.roc == pytest.approx((2 + 1.5) / 4)


def test_ties_are_chance_and_not_an_order_of_rows() -> None:
    labels = np.arange(100) < 10
    assert auc(np.zeros(100), labels) == (0.1, 0.5)
    assert auc(np.zeros(100), labels[::-1]) == (0.1, 0.5)


def test_the_best_threshold_gives_the_f1_it_says() -> None:
    rng = np.random.default_rng(2)
    score, labels = rng.normal(size=400), rng.random(400) < 0.1
    best = best_f1(score + labels, labels)
    said = score + labels >= best.threshold
    assert best.f1 == pytest.approx(2 * (said & labels).sum() / (said.sum() + labels.sum()))


def test_one_class_has_no_figure() -> None:
    assert math.isnan(auc(np.arange(3.0), np.ones(3, bool)).roc)
    assert math.isnan(auc(np.arange(3.0), np.zeros(3, bool)).pr)
    assert math.isnan(auc(np.empty(0), np.empty(0, bool)).pr)
    assert math.isnan(best_f1(np.arange(3.0), np.zeros(3, bool)).f1)


def test_vus_without_buffer_over_events_of_one_point_is_the_area() -> None:
    # Recall times the share of found events is recall squared there, so one event of one point is where they meet.
    rng = np.random.default_rng(3)
    score = rng.normal(size=50)
    labels = np.arange(50) == 20
    assert vus(score, np.array([[20, 20]]), (0,)) == pytest.approx(auc(score, labels), abs=1e-12)
