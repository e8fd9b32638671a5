"""What a profile measures, against series of which the answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from watchband.analysis.profile.course import course_of, kpss
from watchband.analysis.profile.even import Even, even_of
from watchband.analysis.profile.far import far_of
from watchband.analysis.profile.profile import Profile, profile_of
from watchband.analysis.profile.seasons import seasons_of
from watchband.analysis.profile.spacing import spacing_of
from watchband.analysis.profile.still import still_of
from watchband.analysis.profile.together import Gatherer
from watchband.analysis.profile.values import values_of
from watchband.core.duration import DAY, HOUR, MINUTE
from watchband.core.series import SeriesKey

FIVE = 5 * MINUTE
WEEKS = 288 * 21


def noise(n: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, n)


def looked(values: np.ndarray, step: int = FIVE, name: str = "x") -> Profile:
    return profile_of(SeriesKey(name), np.arange(len(values)) * step, values)


def kinds(found: Profile) -> list[str]:
    return [f.kind for f in found.findings]


def test_strength_of_a_day_is_the_share_of_its_variance() -> None:
    at = np.arange(WEEKS)
    day = 2 * np.sin(2 * np.pi * at / 288)  # variance 2 beside noise of variance 1
    (season,) = seasons_of(Even(0, FIVE, day + noise(WEEKS))).there
    assert season.name == "day"
    assert season.strength == pytest.approx(2 / 3, abs=0.03)
    assert season.chance < 0.05
    assert season.course.max() == pytest.approx(2, abs=0.25)


def test_a_week_counts_beyond_its_day_and_begins_on_monday() -> None:
    at = np.arange(WEEKS)
    weekend = np.where((at // 288) % 7 >= 5, -3.0, 0.0)  # 1970-01-05 was a Monday
    values = 2 * np.sin(2 * np.pi * at / 288) + weekend + 0.5 * noise(WEEKS)
    found = seasons_of(Even(4 * DAY, FIVE, values))
    week = found.named("week")
    assert week is not None
    assert week.there
    assert week.course[5 * 24 :].max() < week.course[: 5 * 24].min()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_noise_and_wandering_have_no_season(seed: int) -> None:
    for values in (noise(WEEKS, seed), np.cumsum(noise(WEEKS, seed))):
        assert [s.name for s in seasons_of(Even(0, FIVE, values)).there] == []


def test_a_period_off_the_clock_is_found_and_a_day_is_not_found_twice() -> None:
    at = np.arange(2000)
    cycle = np.where((at * 1.0 % 37.3) < 14, 3.0, 0.0) + 0.3 * noise(2000)
    (season,) = seasons_of(Even(0, MINUTE, cycle)).there
    assert season.name == "found"
    assert season.period / MINUTE == pytest.approx(37.3, rel=0.01)
    day = np.sin(2 * np.pi * np.arange(WEEKS) / 288) + 0.1 * noise(WEEKS)
    assert [s.name for s in seasons_of(Even(0, FIVE, day)).there] == ["day"]


def test_a_cycle_that_keeps_no_time_is_said_to_repeat_loosely() -> None:
    random = np.random.default_rng(3)
    parts = [np.concatenate([np.full(int(random.integers(8, 17)), v), np.full(12, -v)]) for v in [1.0] * 60]
    (season,) = seasons_of(Even(0, MINUTE, np.concatenate(parts) + 0.2 * noise(sum(map(len, parts))))).there
    assert season.name in ("loose", "found")
    assert 18 <= season.period / MINUTE <= 30


def test_level_is_steady_a_trend_a_step_or_wanders() -> None:
    steady, line = noise(3000), 0.002 * np.arange(3000)
    step = np.where(np.arange(3000) < 1800, 0.0, 6.0)
    for values, verdict in ((steady, "steady"), (steady + line, "trend"), (steady + step, "step")):
        assert course_of(Even(0, HOUR, values), values).verdict == verdict
    found = course_of(Even(0, HOUR, steady + step), steady + step)
    assert abs(found.step_at / HOUR - 1800) < 80
    assert (found.before, found.after) == (pytest.approx(0, abs=0.3), pytest.approx(6, abs=0.3))
    walk = np.cumsum(noise(3000, 5))
    assert course_of(Even(0, HOUR, walk), walk).verdict in ("wanders", "step")
    assert course_of(Even(0, HOUR, steady[:30]), steady[:30]).verdict == "short"


def test_slope_and_its_interval_hold_the_truth() -> None:
    inside = 0
    for seed in range(40):
        values = noise(600, seed) + 0.01 * np.arange(600)  # 0.24 a day
        slope = course_of(Even(0, HOUR, values), values).slope
        assert slope is not None
        inside += slope.low <= 0.24 <= slope.high
    assert inside >= 35  # 95 % are promised; 34 or fewer of 40 come in one of a thousand runs


def test_kpss_is_that_of_the_paper() -> None:
    """By hand: n = 4, one lag with weight 1/2."""
    levels = np.array([0.0, 2.0, 0.0, 2.0])
    rest = levels - 1
    long_run = 1.0 + 2 * 0.5 * float(rest[1:] @ rest[:-1]) / 4
    assert kpss(levels) == pytest.approx(float((np.cumsum(rest) ** 2).sum()) / 16 / long_run)


def test_gaps_duplicates_and_interval() -> None:
    times = np.concatenate([np.arange(100), [99], np.arange(130, 200)]) * FIVE
    found = spacing_of(times)
    assert (found.interval, found.gaps, found.absent, found.duplicates) == (FIVE, 1, 30, 1)
    assert found.longest[0].end - found.longest[0].start == 31 * FIVE
    assert found.absent_share == pytest.approx(30 / 200)
    assert found.even
    odd = spacing_of(np.cumsum(np.random.default_rng(1).exponential(60e9, 1000)).astype(np.int64))
    assert not odd.even
    assert odd.absent_share == 0.0


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.full(50, 3.0), "constant"),
        (np.cumsum(np.abs(noise(500))), "counter"),
        ((noise(500) > 1.2).astype(float), "sparse"),
        (np.round(noise(500) * 5), "whole"),
        (np.random.default_rng(1).uniform(0.1, 0.9, 500), "share"),
        (noise(500), "measure"),
        (np.full(50, np.nan), "empty"),
    ],
)
def test_kinds_of_values(values: np.ndarray, kind: str) -> None:
    assert values_of(values).kind == kind


def test_histogram_counts_every_value_once() -> None:
    values = np.concatenate([noise(5000), [400.0, -900.0, np.nan, np.inf]])
    found = values_of(values)
    assert found.histogram is not None
    assert int(found.histogram.counts.sum()) + found.histogram.below + found.histogram.above == found.count == 5002
    assert (found.histogram.below, found.histogram.above) == (1, 1)
    assert (found.missing, found.infinite) == (1, 1)


def test_stuck_is_beside_what_is_usual() -> None:
    moving = noise(500)
    moving[200:240] = moving[200]
    found = still_of(np.arange(500) * FIVE, moving)
    assert (found.stuck, found.points) == (1, 40)
    whole = np.repeat(np.arange(30.0), 40)  # a number of replicas: it stands still by nature
    assert still_of(np.arange(1200) * FIVE, whole).stuck == 0
    flat = np.full(500, 2.0)
    flat[300:310] = noise(10)
    assert still_of(np.arange(500) * FIVE, flat).stuck == 0


def test_far_values_are_measured_on_their_own_side_and_time() -> None:
    at = np.arange(WEEKS)
    values = 50 + 20 * np.sin(2 * np.pi * at / 288) + noise(WEEKS)
    values[288 * 10 + 216] = 50.0  # usual at noon, not at its lowest hour
    even = Even(0, FIVE, values)
    found = far_of(even, seasons_of(even).adjusted)
    assert found.points == 1
    (far,) = found.farthest
    assert (far.start, far.value) == ((288 * 10 + 216) * FIVE, 50.0)
    assert far.usual == pytest.approx(30, abs=2)


def test_a_grid_leaves_places_empty_and_gathers_what_keeps_no_interval() -> None:
    even = even_of(np.array([0, 1, 2, 5]) * FIVE, np.array([1.0, 2.0, np.nan, 4.0]), FIVE)
    np.testing.assert_array_equal(even.values, [1, 2, np.nan, np.nan, np.nan, 4])
    wide = even_of(np.arange(100) * FIVE, np.arange(100.0), FIVE, regular=False)
    assert wide.step == 4 * FIVE
    assert len(wide) == 25


def test_findings_name_what_is_wrong_worst_first() -> None:
    assert kinds(looked(np.full(400, np.nan))) == ["empty"]
    assert kinds(looked(np.full(400, 7.0))) == ["constant"]
    assert kinds(looked(noise(10)))[0] == "few"
    holes = noise(288 * 20)
    holes[1000:2000] = np.nan
    assert kinds(looked(holes))[0] == "missing"
    healthy = looked(50 + 20 * np.sin(2 * np.pi * np.arange(288 * 30) / 288) + noise(288 * 30))
    assert healthy.findings == []
    assert [u.enough for u in healthy.uses] == ["yes"] * 6
    assert kinds(looked(noise(288 * 9))) == ["young"]


def test_history_counts_only_where_readings_are() -> None:
    values = noise(288 * 16)
    times = np.arange(len(values)) * FIVE
    keep = np.random.default_rng(1).random(len(values)) > 0.4
    found = profile_of(SeriesKey("x"), times[keep], values[keep])
    week = next(u for u in found.uses if u.name == "week")
    assert week.enough == "no"
    assert week.have / DAY == pytest.approx(16 * 0.6, abs=0.4)


def test_two_that_share_only_their_day_do_not_move_together() -> None:
    at = np.arange(288 * 14)
    day, shared = 5 * np.sin(2 * np.pi * at / 288), noise(len(at), 9)
    rows = {"a": day + noise(len(at), 1), "b": day + noise(len(at), 2), "c": shared + 0.3 * noise(len(at), 3)}
    rows["d"] = -2 * shared + 0.3 * noise(len(at), 4)
    gatherer = Gatherer(0, len(at) * FIVE)
    for name, values in rows.items():
        gatherer.take(SeriesKey(name), at * FIVE, values)
    gatherer.take(SeriesKey("flat"), at * FIVE, np.ones(len(at)))
    found = gatherer.found()
    assert found is not None
    assert found.names == ("a", "b", "c", "d")
    strongest = found.pairs[0]
    assert (strongest.one, strongest.other) == ("c", "d")
    assert strongest.high < -0.8
    assert abs(found.table[0, 1]) < 0.2


def test_unrelated_wanderers_are_rarely_said_to_move_together() -> None:
    gatherer = Gatherer(0, 1000 * HOUR)
    for seed in range(12):
        level, row = 0.0, []
        for step in noise(1000, seed).tolist():
            level = 0.95 * level + step
            row.append(level)
        gatherer.take(SeriesKey(f"w{seed}"), np.arange(1000) * HOUR, np.array(row))
    found = gatherer.found()
    assert found is not None
    assert found.compared == 66
    assert len(found.pairs) <= 9


def test_a_counter_is_looked_at_by_its_gains() -> None:
    gains = 10 + 5 * np.sin(2 * np.pi * np.arange(WEEKS) / 288) + np.abs(noise(WEEKS))
    found = looked(np.cumsum(gains), name="requests_total")
    assert found.values.kind == "counter"
    assert [s.name for s in found.seasons.there] == ["day"]
    assert found.course is not None
    assert found.course.verdict == "steady"
