from __future__ import annotations

import math

import numpy as np
import pytest

from watchband.evaluation.metrics.bootstrap import f1, interval, paired, ratio

MEAN = ratio(0, 1)


def columns(values: np.ndarray) -> np.ndarray:
    return np.column_stack([values, np.ones(len(values))])


def test_the_interval_of_a_mean_is_that_of_theory() -> None:
    values = np.random.default_rng(3).normal(10, 2, 400)
    found = interval(columns(values), MEAN, draws=4000)
    error = values.std() / 20
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - 1.96 * error, abs=0.2 * error)
    assert found.high == pytest.approx(values.mean() + 1.96 * error, abs=0.2 * error)


def test_it_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(4)
    hits = 0
    for seed in range(200):
        found = interval(columns(rng.exponential(1, 60)), MEAN, draws=300, level=0.9, seed=seed)
        hits += found.low <= 1 <= found.high
    assert 0.82 <= hits / 200 <= 0.96


def test_a_pair_on_the_same_series_is_far_sharper_than_two_alone() -> None:
    rng = np.random.default_rng(5)
    hard = rng.normal(0, 5, 100)
    a, b = columns(hard + 0.5 + rng.normal(0, 0.1, 100)), columns(hard)
    found = paired(a, b, MEAN)
    alone = interval(a, MEAN)
    assert found.low < 0.5 < found.high
    assert found.high - found.low < 0.1 * (alone.high - alone.low)
    assert paired(b, a, MEAN).value == pytest.approx(-found.value)


def test_f1_is_of_pooled_counts() -> None:
    assert f1(np.array([[3.0, 1.0, 2.0], [0.0, 0.0, 0.0]]))[0] == pytest.approx(6 / 9)
    assert math.isnan(f1(np.zeros((1, 3)))[0])


def test_nothing_has_no_interval_and_the_same_seed_the_same() -> None:
    assert all(math.isnan(v) for v in interval(np.empty((0, 2)), MEAN))
    one = columns(np.arange(9.0) ** 1.5)
    assert interval(one, MEAN, seed=1) == interval(one, MEAN, seed=1) != interval(one, MEAN, seed=2)
    assert str(interval(columns(np.full(4, 0.5)), MEAN)) == "0.500 (0.500 to 0.500)"
