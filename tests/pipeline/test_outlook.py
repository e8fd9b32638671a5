"""Outlook: the band ahead is the watch's own, is honest at every distance, and changes nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from watchband.core.detector import Detector
from watchband.core.duration import DAY, HOUR, MINUTE
from watchband.core.events import WindowOpened
from watchband.core.series import SeriesKey
from watchband.detectors import Ewma, ForestForecast, LightBand, RandomCutForest, RollingZscore, SeasonalBand
from watchband.pipeline.outlook import Outlook, drawn, look_ahead, standing
from watchband.pipeline.policy import Policy
from watchband.pipeline.presets import Auto, Light
from watchband.pipeline.raw import Raw
from watchband.pipeline.rules import Cutoff
from watchband.pipeline.watch import Watch
from watchband.pipeline.watch_state import WatchState

STEP = 10 * MINUTE
PER_DAY = DAY // STEP
KEY, OTHER = SeriesKey("cpu_percent"), SeriesKey("queue_length")
Grown = tuple[Watch, WatchState, np.ndarray, np.ndarray]


def days(n: int, seed: int = 1, noise: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    """Times and values of ``n`` days with a wave and noise that lingers."""
    count = n * PER_DAY
    at = np.arange(count)
    fresh = np.random.default_rng(seed).normal(0, noise, count)
    drift = np.zeros(count)
    for i in range(1, count):
        drift[i] = 0.8 * drift[i - 1] + fresh[i]
    return at * STEP, 100 + 40 * np.sin(2 * np.pi * at / PER_DAY) + drift


def grown(detector: Detector, n: int = 14, **given: Any) -> Grown:
    """A watch of two series that has seen some days."""
    times, values = days(n)
    watch = Watch("w", detector, **given)
    state = watch.start([OTHER, KEY])
    watch.step(state, Raw.fleet([(times, values[::-1]), (times, values)]))
    return watch, state, times, values


def ahead(grown: Grown, horizon: int = DAY) -> Outlook:
    watch, state, times, values = grown
    known = standing(watch, state, KEY)
    assert known is not None
    return look_ahead(known, horizon, times, values)


@pytest.mark.parametrize(
    "detector", [Auto(), SeasonalBand(), LightBand(), Light(), Ewma(), RollingZscore()], ids=lambda d: d.name
)
def test_it_is_what_the_watch_draws_where_points_come_without_values(detector: Detector) -> None:
    grown_ = watch, state, times, _ = grown(detector, 5)
    before = state.copy()
    known = standing(watch, state, KEY)
    assert known is not None
    future = times[-1] + STEP * np.arange(1, PER_DAY + 1)
    found = drawn(known, future)
    assert len(ahead(grown_).times)
    assert state.same_bits(before), "to look ahead changes nothing"
    again = drawn(known, future)
    assert all(a.tobytes() == b.tobytes() for a, b in zip(found, again, strict=True)), "nor the copy"
    said = watch.step(state, Raw.fleet([([], []), (future, np.full(len(future), np.nan))]))
    for mine, its in zip(found, (said.yhat, said.yhat_lower, said.yhat_upper), strict=True):
        assert mine.tobytes() == its.tobytes()


def test_it_begins_where_the_points_end_and_widens_with_the_distance() -> None:
    grown_ = grown(SeasonalBand(coverage=0.9), rule=Cutoff(4))
    found = ahead(grown_)
    assert found.times.tolist() == (grown_[2][-1] + STEP * np.arange(1, PER_DAY + 1)).tolist()
    width = found.upper - found.lower
    assert width[-1] > 1.3 * width[0]
    assert found.sees == DAY
    assert found.tried > 40
    assert found.says == ""


def test_the_day_is_expected_better_than_that_all_stays() -> None:
    found = ahead(grown(Auto()))
    assert found.error < 0.3 * found.persistence
    truth = 100 + 40 * np.sin(2 * np.pi * (found.times // STEP) / PER_DAY)
    assert np.abs(found.expected - truth).mean() < 6


def test_the_band_means_at_every_distance_what_it_means_now() -> None:
    """The share inside, over many futures, is near at all distances what it is one step ahead."""
    inside = []
    for seed in range(30):
        times, values = days(11, seed)
        watch, seen = Watch("w", SeasonalBand(), Cutoff(2.5)), 10 * PER_DAY - seed * 4
        state = watch.start([KEY])
        watch.step(state, Raw.of(times[:seen], values[:seen]))
        known = standing(watch, state, KEY)
        assert known is not None
        found = look_ahead(known, DAY, times[:seen], values[:seen])
        future = values[seen : seen + PER_DAY]
        inside.append((future >= found.lower) & (future <= found.upper))
    share = np.mean(inside, axis=0)
    near, far = share[:6].mean(), share[PER_DAY // 2 :].mean()
    assert near > 0.85
    assert far > 0.85
    assert abs(near - far) < 0.12


def test_it_sees_no_further_than_it_was_tried() -> None:
    short = grown(SeasonalBand(), 2)
    found = ahead(short, 7 * DAY)
    assert found.sees <= 2 * DAY // 3 + STEP
    assert int(found.times[-1]) - found.last <= found.sees
    assert "a third of its kept history" in found.says


def test_far_horizons_have_points_further_apart() -> None:
    found = ahead(grown(SeasonalBand(), 30), 9 * DAY)
    assert len(found.times) <= 500
    assert int(found.times[-1]) - found.last > 8.9 * DAY


def test_what_has_no_expectation_says_so() -> None:
    found = ahead(grown(RandomCutForest(trees=10, samples=64), 2))
    assert not len(found.times)
    assert "'random_cut_forest' has no expectation of its own" in found.says


def test_what_still_learns_says_so() -> None:
    times, values = days(1)
    watch = Watch("w", SeasonalBand())
    state = watch.start([KEY])
    watch.step(state, Raw.of(times[:60], values[:60]))
    known = standing(watch, state, KEY)
    assert known is not None
    assert "Too little history" in look_ahead(known, HOUR, times[:60], values[:60]).says
    rcf = Watch("w", RandomCutForest())
    learning = rcf.start([KEY])
    rcf.step(learning, Raw.of(times[:3], values[:3]))
    known = standing(rcf, learning, KEY)
    assert known is not None
    assert "still learns this series: 3 points" in look_ahead(known, HOUR, times[:3], values[:3]).says
    assert standing(watch, state, OTHER) is None


def test_a_forest_that_forecasts_tells_its_own() -> None:
    found = ahead(grown(ForestForecast(horizon=6, trees=20), 6))
    assert len(found.times) == 6
    assert np.isfinite(found.lower).all()
    assert (found.lower < found.upper).all()
    assert "forecasts 6 points" in found.says


def test_it_stays_within_the_range_of_the_metric_and_heeds_windows() -> None:
    watch, state, times, values = grown(Ewma(), policy=Policy(range_low=0.0, range_high=150.0))
    known = standing(watch, state, KEY)
    assert known is not None
    found = look_ahead(known, DAY, times, values)
    assert found.lower.min() >= 0
    assert found.upper.max() <= 150
    start = known.last + 6 * HOUR
    state.upstream.windows.take(WindowOpened("sale", "expect", start, start + HOUR, "cpu_percent", 2.0))
    known = standing(watch, state, KEY)
    assert known is not None
    told = look_ahead(known, DAY, times, values)
    within = (told.times >= start) & (told.times < start + HOUR)
    assert np.allclose(told.expected[within], 2 * found.expected[within])
    assert np.array_equal(told.expected[~within], found.expected[~within])


def test_gaps_and_missing_values_do_no_harm() -> None:
    watch, state, times, values = grown(SeasonalBand())
    values = values.copy()
    values[500:600] = np.nan
    keep = np.r_[0:900, 1000 : len(times)]
    known = standing(watch, state, KEY)
    assert known is not None
    found = look_ahead(known, DAY, times[keep], values[keep])
    assert found.sees == DAY
    assert np.isfinite(found.upper).all()
