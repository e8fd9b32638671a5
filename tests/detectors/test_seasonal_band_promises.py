"""Seasonal band: what its page promises of outages, shifts, ramps, counts, ranges and coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest

from watchband.core.errors import InvalidParameterError, UnknownNameError
from watchband.core.points import Float64, Points
from watchband.core.scores import ADOPTED, HELD, WARMING, Scores
from watchband.core.state import State
from watchband.detectors import SeasonalBand
from watchband.evaluation.scenarios.shapes import every, traffic
from watchband.testing import streams

MINUTES_5 = 5 * streams.MINUTE
DAY = 288
WEEK = 7 * DAY


def run(values: Float64, interval: int = MINUTES_5, **parameters: object) -> Scores:
    detector = SeasonalBand(**parameters)  # type: ignore[arg-type]
    return detector.step(detector.start(), Points.of(streams.times(len(values), interval), values))


def weekly(n: int, seed: int) -> Float64:
    """Days with two humps, quieter at the weekend, noise of 5."""
    phase = 2 * np.pi * np.arange(n) / DAY
    shape = 1 + 0.6 * np.sin(phase - 2) + 0.2 * np.sin(2 * phase)
    weekend = np.arange(n) // DAY % 7 >= 5
    return 100 * shape * np.where(weekend, 0.5, 1.0) + np.random.default_rng(seed).normal(0, 5, n)


def having(scores: Scores, flag: int) -> np.ndarray:
    return np.flatnonzero(scores.flags.astype(int) & flag)


def test_an_outage_of_six_hours_is_flagged_again_a_week_later() -> None:
    values = weekly(5 * WEEK, 1)
    for start in (3 * WEEK + 100, 4 * WEEK + 100):
        values[start : start + 72] = 0.0
    scores = run(values)
    for start in (3 * WEEK + 100, 4 * WEEK + 100):
        assert (scores.score[start : start + 72] > 6).all()
        assert (scores.flags[start + 2 : start + 72] == HELD).all()
        assert (scores.score[start + 72 : start + 172] < 5).all(), "after the outage the band is where it was"
    assert len(having(scores, ADOPTED)) == 0


@pytest.mark.parametrize("seed", range(3))
def test_an_outage_goes_on_through_a_night_in_which_little_is_expected(seed: int) -> None:
    times = every(MINUTES_5, 24 * 86_400 * 10**9)
    values = traffic(times, seed)
    start, end = 22 * DAY + 72, 22 * DAY + 72 + 20 * 12
    values[start:end] *= 0.05
    detector = SeasonalBand()
    scores = detector.step(detector.start(), Points.of(times, values))
    assert (scores.flags[start + 2 : end] == HELD).all(), "it comes near to what is expected, and has not come back"
    assert (scores.flags[end + 4 :] != HELD).all(), "once it leaves its own values it has"
    assert (scores.expected[start:end] > 60).all()


def test_a_constant_metric_remembers_an_outage_no_better() -> None:
    values = np.full(3 * WEEK, 50.0)
    values[WEEK : WEEK + 72] = 0.0
    values[2 * WEEK : 2 * WEEK + 72] = 0.0
    scores = run(values)
    assert (scores.score[WEEK : WEEK + 72] > 5).all()
    assert (scores.score[2 * WEEK : 2 * WEEK + 72] > 5).all()
    assert len(having(scores, ADOPTED)) == 0


@pytest.mark.parametrize("noise", ["white", "weekly"])
def test_a_shift_that_stays_is_adopted_when_the_hold_ends(noise: str) -> None:
    values = weekly(4 * WEEK, 2) if noise == "weekly" else np.random.default_rng(2).normal(100, 5, 4 * WEEK)
    at = 2 * WEEK + 100
    values[at:] += 90.0
    scores = run(values)
    assert having(scores, ADOPTED).tolist() == [at + DAY]
    assert (scores.score[at : at + DAY] > 4.5).mean() > 0.95
    assert (scores.flags[at + 2 : at + DAY] == HELD).all()
    assert (scores.score[at + DAY + 1 :] < 5.5).all(), "the new level's band is right at once"


def test_adapt_says_what_becomes_of_a_shift() -> None:
    values = np.random.default_rng(3).normal(100, 5, 2 * WEEK)
    values[WEEK:] += 100.0
    follow, hold = run(values, adapt="follow"), run(values, adapt="hold")
    assert having(follow, ADOPTED).tolist() == [WEEK + 5]
    assert len(having(hold, ADOPTED)) == 0
    assert (hold.flags[WEEK + 2 :] == HELD).all(), "held for ever, and it says so"
    assert (run(values, hold=6.0).flags.argmax()) < having(run(values, hold=6.0), ADOPTED)[0] == WEEK + 72


@pytest.mark.parametrize("rate", [0.2, 1.0, 2.0])
def test_a_ramp_is_followed(rate: float) -> None:
    values = np.random.default_rng(4).normal(100, 5, 2 * WEEK)
    values[WEEK:] += rate * np.arange(WEEK)
    scores = run(values)
    assert len(having(scores, HELD)) == 0
    assert (np.abs(values - scores.expected)[WEEK + 200 :] < 12 * 5).all()


def test_random_walks_are_followed_and_never_held() -> None:
    values = 1000 + np.cumsum(np.random.default_rng(5).normal(0, 1, 4 * WEEK))
    scores = run(values)
    assert len(having(scores, HELD)) == 0
    assert (scores.score > 6).sum() == 0


def test_what_recurs_every_day_becomes_a_season() -> None:
    hour = np.arange(3 * WEEK) // 12 % 24
    day = np.where((hour >= 9) & (hour < 17), 100.0, 20.0)
    runs = [run(day + np.random.default_rng(seed).normal(0, 2, 3 * WEEK)) for seed in (6, 7, 8)]
    assert np.mean([(scores.score[WEEK:] > 5).mean() for scores in runs]) < 0.008
    # Of 21 days with two edges each.
    assert sum(int((scores.score[2 * WEEK :] > 8).sum()) for scores in runs) <= 6
    assert all(len(having(scores, ADOPTED)) <= 2 for scores in runs)


@pytest.mark.parametrize("seconds", [10, 60, 300, 3600])
def test_the_hours_of_even_noise_have_even_scales(seconds: int) -> None:
    """Nodes that explain what their neighbours leave would swing, each further than the one before."""
    count = (4 if seconds < 300 else 28) * 86_400 // seconds
    detector = SeasonalBand()
    values = 100 + np.random.default_rng(3).normal(0, 1, count)
    scores = detector.step(detector.start(), Points.of(streams.times(count, seconds * 10**9), values))
    scale = np.asarray(scores.scale)[count // 2 :]
    assert np.quantile(np.abs(np.log(scale)), 0.95) < (0.2 if seconds < 3600 else 0.4)


def test_seconds_are_judged_after_a_minute() -> None:
    """Twenty minutes of a machine: no season is known, the level and its scale are enough."""
    rng = np.random.default_rng(7)
    values = np.clip(8 + 2 * np.sin(np.arange(1200) / 10) + rng.normal(0, 1, 1200), 0, 100)
    values[600:645] = 100.0
    scores = run(values, streams.MINUTE // 60, range_low=0.0, range_high=100.0)
    assert (scores.score[600:645] > 10).all()
    usual = np.r_[60:600, 660:1200]
    assert (scores.score[usual] > 6).sum() == 0
    assert scores.flags[40:600].max() == 0


def test_warm_up_widens_instead_of_guessing() -> None:
    scores = run(np.random.default_rng(8).normal(50, 5, 200))
    assert np.isnan(scores.score[:8]).all()
    assert np.isfinite(scores.score[8:]).all()
    assert (scores.flags[:32] == WARMING).all()
    assert scores.flags[32] == 0
    assert scores.scale[8:14].mean() > 1.2 * scores.scale[150:].mean()


@pytest.mark.parametrize("mean", [0.02, 0.3, 3.0])
def test_counts_do_not_alarm_all_the_time(mean: float) -> None:
    values = np.random.default_rng(9).poisson(mean, 4 * WEEK).astype(float)
    scores = run(values)
    rare = np.quantile(values, 0.9995)
    assert (scores.score[100:][values[100:] <= rare] < 10).all()
    assert (scores.score[100:] > 6).mean() < 0.003
    assert len(having(scores, HELD)) == 0
    values[-1] = 40.0
    assert run(values).score[-1] > 10


def test_expectations_stay_in_the_logical_range() -> None:
    values = np.clip(1 - np.abs(np.random.default_rng(10).normal(0, 0.01, WEEK)), 0, 1)
    scores = run(values, range_low=0.0, range_high=1.0)
    assert np.nanmax(scores.upper) <= 1.0
    assert np.nanmax(scores.expected) <= 1.0
    positive = run(np.random.default_rng(11).exponential(1.0, WEEK))
    assert np.nanmin(positive.lower) >= 0.0, "a metric that was never below zero is not expected there"


def test_a_constant_metric_scores_its_first_change_high_but_finite() -> None:
    for value in (0.0, 37.2, 5.0, -1e-3, 1e12):
        values = np.full(500, value)
        values[-1] += 0.2 * abs(value) or 1.0
        scores = run(values)
        assert (scores.score[8:-1] == 0).all()
        assert 5 < scores.score[-1] < math.inf


SHAPES = {
    "white": lambda n, r: r.normal(100, 5, n),
    "weekly": lambda n, r: weekly(n, int(r.integers(1000))),
    "heavy": lambda n, r: 100 + 5 * r.standard_t(3, n),
    "skewed": lambda n, r: np.exp(1 + 0.5 * r.normal(0, 1, n)),
    "walk": lambda n, r: 1000 + np.cumsum(r.normal(0, 1, n)),
    "uneven": lambda n, r: weekly(n, 3) + weekly(n, 4) / 20 * r.normal(0, 1, n),
    "trend": lambda n, r: 100 + 0.05 * np.arange(n) + r.normal(0, 2, n),
}


@pytest.mark.parametrize("coverage", [0.5, 0.9, 0.99])
def test_the_band_covers_what_it_says(coverage: float) -> None:
    rng = np.random.default_rng(12)
    found = {}
    for name, make in SHAPES.items():
        values = make(3 * WEEK, rng)
        scores = run(values, coverage=coverage)
        inside = (values >= scores.lower) & (values <= scores.upper)
        found[name] = float(inside[WEEK:].mean())
    off = {name: share - coverage for name, share in found.items()}
    assert abs(np.median(list(off.values()))) < 0.01, off
    assert max(map(abs, off.values())) < 0.02, off


def test_coverage_can_be_changed_on_a_running_state() -> None:
    wide, narrow = SeasonalBand(coverage=0.99), SeasonalBand(coverage=0.8)
    state = wide.start()
    points = Points.of(streams.times(500, MINUTES_5), weekly(500, 5))
    wide.step(state, points)
    later = Points.of(points.times[-1:] + MINUTES_5, [100.0])
    a, b = wide.step(state.copy(), later), narrow.step(state.copy(), later)
    assert b.upper[0] - b.lower[0] < a.upper[0] - a.lower[0]
    assert a.score.tolist() == b.score.tolist()


def test_a_forecast_has_the_days_shape_and_honest_intervals() -> None:
    values = weekly(5 * WEEK, 13)
    times = streams.times(5 * WEEK, MINUTES_5)
    detector = SeasonalBand(coverage=0.9)
    state = detector.start()
    detector.step(state, Points.of(times[: 4 * WEEK], values[: 4 * WEEK]))
    before = state.to_bytes()
    forecast = detector.forecast(state, WEEK, MINUTES_5)
    assert state.to_bytes() == before, "a forecast does not move the state"
    assert forecast.times.tolist() == times[4 * WEEK :].tolist()
    truth = values[4 * WEEK :]
    assert np.abs(truth - forecast.expected).mean() < 9
    inside = (truth >= forecast.lower) & (truth <= forecast.upper)
    assert 0.85 < inside.mean() <= 1
    assert np.diff(forecast.upper - forecast.lower)[:24].mean() >= 0


def test_a_gap_widens_the_band_and_leaves_the_season() -> None:
    values = weekly(4 * WEEK, 14)
    values[3 * WEEK : 3 * WEEK + 100] = np.nan
    scores = run(values)
    gap = slice(3 * WEEK, 3 * WEEK + 100)
    assert np.isnan(scores.score[gap]).all()
    assert np.isfinite(scores.expected[gap]).all()
    assert scores.scale[3 * WEEK + 50] > scores.scale[3 * WEEK - 1]
    assert (scores.score[3 * WEEK + 100 : 3 * WEEK + 200] < 6).all()


def test_the_state_is_small() -> None:
    detector = SeasonalBand()
    assert detector.state_bytes_max <= 20_000
    assert detector.state_bytes_max == detector.start().nbytes
    assert isinstance(detector.load(detector.start().to_bytes()), State)


def test_parameters_that_make_no_sense() -> None:
    with pytest.raises(InvalidParameterError, match="range_low"):
        SeasonalBand(range_low=1.0, range_high=1.0)
    with pytest.raises(UnknownNameError, match="time zone 'Europe/Dublim'"):
        SeasonalBand(timezone="Europe/Dublim")
    with pytest.raises(InvalidParameterError, match="No holidays are known for 'XX'"):
        SeasonalBand(holidays="XX")
    detector = SeasonalBand()
    with pytest.raises(InvalidParameterError, match="horizon >= 1"):
        detector.forecast(detector.start(), 0, 1)
