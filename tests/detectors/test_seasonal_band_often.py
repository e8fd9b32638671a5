"""Seasonal band: what happens once, twice, and all the time; what wanders; what begins badly."""

from __future__ import annotations

import numpy as np
import pytest

from watchband.core.points import Float64, Points
from watchband.core.scores import HELD, Scores
from watchband.detectors import SeasonalBand
from watchband.testing import streams

MINUTES_5 = 5 * streams.MINUTE
DAY = 288
WEEK = 7 * DAY


def run(values: Float64, **parameters: object) -> Scores:
    detector = SeasonalBand(**parameters)  # type: ignore[arg-type]
    return detector.step(detector.start(), Points.of(streams.times(len(values), MINUTES_5), values))


def daily(n: int, seed: int) -> Float64:
    return 100 + 40 * np.sin(2 * np.pi * np.arange(n) / DAY) + np.random.default_rng(seed).normal(0, 3, n)


@pytest.mark.parametrize("adapt", ["auto", "hold"])
@pytest.mark.parametrize("period", [DAY, WEEK], ids=["next day", "next week"])
def test_two_outages_at_the_same_hours_are_no_season(adapt: str, period: int) -> None:
    values = daily(5 * WEEK, 1)
    clean = run(values, adapt=adapt)
    first = 2 * WEEK + 60
    for start in (first, first + period):
        values[start : start + 72] = 0.0
    scores = run(values, adapt=adapt)
    third = slice(first + 2 * period, first + 2 * period + 72)
    assert (scores.flags[first + period + 2 : first + period + 72] == HELD).all()
    assert np.abs(scores.expected - clean.expected)[third].max() < 6
    assert scores.score[third].max() < 5


def test_an_outage_ten_points_after_the_start_is_forgotten_within_hours() -> None:
    values = daily(3 * DAY, 2)
    clean = run(values)
    values[10:40] = 0.0
    scores = run(values)
    later = slice(40 + DAY // 2, None)
    assert np.median(np.abs(scores.expected - clean.expected)[later]) < 3
    assert np.median(np.abs(values - scores.expected)[later]) < 2 * np.median(np.abs(values - clean.expected)[later])


def test_a_metric_that_jumps_all_the_time_is_followed() -> None:
    """A sawtooth that falls back at every restart: the fourth is news for a moment, not for a night."""
    rng = np.random.default_rng(3)
    ramps = [40 + 35 * np.arange(n) / 450 for n in rng.integers(380, 520, 12)]
    values = np.concatenate(ramps) + rng.normal(0, 0.4, sum(map(len, ramps)))
    scores = run(values)
    ends = np.cumsum([len(r) for r in ramps])
    held = scores.flags.astype(int) & HELD > 0
    assert held[ends[0] + 2 : ends[0] + 60].all(), "the first is held"
    assert not held[ends[4] :].any()
    assert (scores.score[ends[5:11]] > 10).all(), "a restart still scores high"
    for end in ends[5:11]:
        assert (scores.score[end + 10 : end + 300] < 6).mean() > 0.98


def test_bursts_at_random_times_come_into_the_band() -> None:
    rng = np.random.default_rng(4)
    values = rng.exponential(1.0, 4 * WEEK) + 5
    for start in np.flatnonzero(rng.random(4 * WEEK) < 1 / 60):
        values[start : start + rng.integers(2, 8)] += rng.uniform(40, 60)
    scores = run(values)
    inside = (values >= scores.lower) & (values <= scores.upper)
    assert inside[WEEK:].mean() > 0.96
    assert (scores.flags[WEEK:].astype(int) & HELD > 0).mean() < 0.005


def test_what_wanders_has_no_season() -> None:
    """A random walk has something like a season for days; the last value is the better forecast."""
    values = 1000 + np.cumsum(np.random.default_rng(5).normal(0, 1, 4 * WEEK))
    scores = run(values)
    naive = np.abs(np.diff(values))[WEEK:].mean()
    assert np.abs(values - scores.expected)[WEEK + 1 :].mean() < 1.08 * naive


@pytest.mark.parametrize(
    "parameters",
    [{"hold": 0.0, "hold_points": 1}, {"range_high": 60.0}, {"adapt": "follow"}],
    ids=str,
)
def test_one_spike_is_forgotten(parameters: dict[str, object]) -> None:
    """Law 6 with settings that take every value for a level, or most values for impossible."""
    values = daily(4 * DAY + 1000, 6)
    clean = run(values, **parameters)
    values[3 * DAY] += 500.0
    scores = run(values, **parameters)
    after = slice(3 * DAY + 1000, None)
    apart = (np.abs(scores.score - clean.score) / (1 + clean.score))[after]
    assert np.quantile(apart, 0.99) <= 0.05
    assert apart.max() <= 0.1
