from __future__ import annotations

import math

import numpy as np
import pytest

from watchband.core.errors import InvalidParameterError
from watchband.evaluation.metrics.bootstrap import blocks, cells, f1, interval, paired, ratio, resampled
from watchband.evaluation.metrics.proportion import wilson

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


def remembering(n: int, seed: int, memory: float) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=n)
    for i in range(1, n):
        noise[i] += memory * noise[i - 1]
    return noise


def test_blocks_are_as_wide_as_a_series_that_remembers_needs() -> None:
    """The mean of such noise wanders 1 / (1 - 0.8) = 5 times as far as its spread alone says."""
    held = {1: 0, 100: 0}
    for seed in range(60):
        one = columns(remembering(2000, seed, 0.8))
        for block in held:
            found = blocks(one, MEAN, block=block, draws=200, level=0.9, seed=seed)
            held[block] += found.low <= 0 <= found.high
    assert held[1] < 35
    assert 46 <= held[100] <= 60


def test_all_ways_agree_where_points_are_independent() -> None:
    values = np.random.default_rng(6).normal(3, 1, 300)
    found = [
        interval(columns(values), MEAN, draws=4000),
        blocks(columns(values), MEAN, block=1, draws=4000),
        resampled(300, lambda drawn: float(values[drawn].mean()), draws=4000),
    ]
    for one in found:
        assert (one.value, one.low, one.high) == pytest.approx(tuple(found[0]), abs=0.01)
    hits = values > 3
    shares = cells(np.array([hits.sum(), (~hits).sum()]), lambda c: c[:, 0] / c.sum(axis=1))
    assert (shares.low, shares.high) == pytest.approx(tuple(wilson(int(hits.sum()), 300))[1:], abs=0.01)


def test_blocks_of_sums_and_of_indices_are_the_same_law() -> None:
    values = remembering(500, 8, 0.9)
    sums = blocks(columns(values), MEAN, block=40, draws=4000)
    indices = resampled(500, lambda drawn: float(values[drawn].mean()), block=40, draws=4000)
    assert (indices.low, indices.high) == pytest.approx((sums.low, sums.high), abs=0.15 * (sums.high - sums.low))


def test_many_series_at_a_time_or_few_are_the_same_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    one = columns(np.random.default_rng(9).normal(size=40))
    whole = interval(one, MEAN, seed=3)
    monkeypatch.setattr("watchband.evaluation.metrics.bootstrap._AT_ONCE", 400)
    assert interval(one, MEAN, seed=3) == pytest.approx(whole, rel=1e-12)


def test_a_block_is_at_least_a_point_and_nothing_is_nothing() -> None:
    with pytest.raises(InvalidParameterError, match="at least 1 point"):
        blocks(columns(np.ones(4)), MEAN, block=0)
    assert all(math.isnan(v) for v in blocks(np.empty((0, 2)), MEAN))
    assert all(math.isnan(v) for v in resampled(0, len))
    assert all(math.isnan(v) for v in cells(np.zeros(4, int), f1))


def test_a_small_table_is_gone_through_as_many_draws_would() -> None:
    counts = np.array([8, 3, 5, 20])
    exact, drawn = cells(counts, f1), np.random.default_rng(1).multinomial(36, counts / 36, 400_000)
    assert (exact.low, exact.high) == pytest.approx(
        tuple(np.quantile(f1(drawn.astype(float)), [0.025, 0.975])), abs=0.02
    )
    assert cells(counts, f1, seed=1) == exact
    assert cells(np.array([4, 0, 0, 3]), f1)[1:] == (1, 1)
    assert cells(counts * 100, f1).high - cells(counts * 100, f1).low == pytest.approx(
        (exact.high - exact.low) / 10, rel=0.15
    )
