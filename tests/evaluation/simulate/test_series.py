"""Simulated series: the same bits however cut, labels that are exact, kinds that look like what they are."""

from __future__ import annotations

import numpy as np
import pytest

from watchband.core.duration import DAY, HOUR, MINUTE, SECOND
from watchband.core.errors import ConfigError, UnknownNameError
from watchband.evaluation.labels import EXPECT
from watchband.evaluation.simulate.clock import START_NS, Clock
from watchband.evaluation.simulate.dice import BLOCK
from watchband.evaluation.simulate.fault_types import FAULT_TYPES
from watchband.evaluation.simulate.metric_types import METRICS, constants_of
from watchband.evaluation.simulate.placing import FaultSpec
from watchband.evaluation.simulate.series import Simulated

POINTS = 4500
PAIRS = [(k, f) for k in METRICS for f in FAULT_TYPES if FAULT_TYPES[f].fits(Simulated(k, points=0)._course.traits)]


def same(one: np.ndarray, two: np.ndarray) -> bool:
    return one.tobytes() == two.tobytes()


def gained(values: np.ndarray) -> np.ndarray:
    """What a counter gains; after a reset all of it."""
    steps = np.diff(values, prepend=values[0])
    return np.where(steps < 0, values, steps)


@pytest.mark.parametrize("kind", METRICS)
def test_the_same_bits_however_it_is_cut(kind: str) -> None:
    fault = next(f for f in ("variance_change", "spike", "flat_line") if (kind, f) in PAIRS)

    def fresh() -> Simulated:
        return Simulated(kind, seed=4, number=10**9, points=POINTS, faults=[FaultSpec(fault), FaultSpec("gap")])

    whole = fresh()
    times, values = whole.times, whole.values
    for points in (1, 700, BLOCK, 5000):
        series = fresh()
        chunks = [series.read(i, i + 1) for i in range(2000, 2100)] if points == 1 else list(series.chunks(points))
        cut = slice(2000, 2100) if points == 1 else slice(None)
        here = np.isin(times, whole.clock.times(0, POINTS)[cut])
        assert same(np.concatenate([c.times for c in chunks]), times[here])
        assert same(np.concatenate([c.values for c in chunks]), values[here])
    # From the end backwards, so that nothing that came before can be remembered.
    series = fresh()
    backwards = [series.read(i, i + 500).values for i in range(POINTS - 500, -1, -500)]
    assert same(np.concatenate(backwards[::-1]), values)
    longer = Simulated(kind, seed=4, number=10**9, points=2 * POINTS)
    assert same(longer.read(0, POINTS).values, longer.clean_reported(0, POINTS))
    assert same(longer.clean_reported(0, POINTS), whole.clean_reported(0, POINTS))


@pytest.mark.parametrize(("kind", "fault"), PAIRS)
def test_labels_are_exact(kind: str, fault: str) -> None:
    series = Simulated(kind, seed=2, number=3, points=POINTS, faults=[FaultSpec(fault)])
    (label,) = series.labels
    event, times = series.events[0], series.clock.times(0, POINTS)
    assert (label.fault, label.expect in EXPECT, label.series) == (fault, True, kind)
    assert label.start <= label.end <= label.last <= times[-1]
    assert event.first >= 0.34 * POINTS
    clean, faulty = series.clean_reported(0, POINTS), series.faulty(0, POINTS)
    if kind == "counter":
        clean, faulty = gained(clean), gained(faulty)
    changed = times[clean != faulty]
    if kind == "counter" and fault == "gap":
        # The reading after a gap has gained what nobody saw.
        changed = changed[:-1]
    assert label.start == changed[0]
    assert changed[-1] == (times[-1] if FAULT_TYPES[fault].stays else label.end)
    outside = (times < label.start) | (times > label.end)
    if not FAULT_TYPES[fault].stays and not (kind == "counter" and fault == "gap"):
        assert same(clean[outside], faulty[outside])
    if FAULT_TYPES[fault].size is not None:
        low, high = FAULT_TYPES[fault].size or (0, 0)
        assert low <= abs(label.size) <= high
    else:
        assert np.isnan(label.size)


@pytest.mark.parametrize("interval", [SECOND, MINUTE, 5 * MINUTE, HOUR])
@pytest.mark.parametrize("kind", METRICS)
def test_every_kind_at_every_interval(kind: str, interval: int) -> None:
    series = Simulated(kind, seed=1, points=min(3000, 2 * DAY // interval), clock=Clock(interval=interval))
    values = series.values
    assert np.isfinite(values).all()
    assert (np.diff(series.times) == interval).all()
    assert values.min() >= series._course.low
    assert values.max() <= series._course.high
    if series._course.whole:
        assert (values == np.round(values)).all()
    other = Simulated(kind, seed=1, number=1, points=series.points, clock=series.clock)
    assert not same(other.values, values)


def test_two_years_of_hours_and_two_days_of_seconds() -> None:
    long = Simulated("cpu", points=2 * 365 * 24, clock=Clock(interval=HOUR), faults=[FaultSpec("level_shift")])
    assert long.times[-1] == START_NS + (2 * 365 * 24 - 1) * HOUR
    assert len(long.labels) == 1
    quick = Simulated("cpu", points=2 * 86_400, clock=Clock(interval=SECOND), faults=[FaultSpec("level_shift")])
    assert sum(len(c.times) for c in quick.chunks()) == 172_800
    assert quick.labels[0].end - quick.labels[0].start >= 4 * HOUR


@pytest.mark.parametrize("kind", METRICS)
def test_any_fault_finds_room_in_the_shortest_series(kind: str) -> None:
    for seed in range(4):
        series = Simulated(kind, seed, points=48, clock=Clock(interval=HOUR), faults=[FaultSpec("any")])
        (label,) = series.labels
        assert START_NS <= label.start <= label.end <= label.last <= START_NS + 47 * HOUR
        assert label.fault in FAULT_TYPES


def test_noise_is_a_multiple() -> None:
    one, half, none = (Simulated("cpu", points=3000, noise=noise) for noise in (1, 0.5, 0))
    mean = one.mean(0, 3000)
    assert same(mean, half.mean(0, 3000))
    assert same(none.values, np.clip(mean, 0, 100))
    assert np.allclose(half.values - mean, 0.5 * (one.values - mean))


def test_constants_are_drawn_or_given() -> None:
    values = Simulated("sparse:level=0.3", points=50_000).values
    assert values.mean() == pytest.approx(0.3, abs=0.01)
    assert values.var() == pytest.approx(0.3, abs=0.02)
    assert np.unique(Simulated("constant:level=0", points=2000).values).tolist() == [0.0]
    assert "level" in constants_of("cpu")
    with pytest.raises(UnknownNameError, match="Did you mean 'level'"):
        Simulated("cpu:lvel=3")
    with pytest.raises(ConfigError, match="NAME=NUMBER"):
        Simulated("cpu:level")
    with pytest.raises(UnknownNameError, match="Did you mean 'cpu'"):
        Simulated("cpuu")


def test_a_daily_job_runs_once_a_day_by_the_clock_on_the_wall() -> None:
    from watchband.evaluation.simulate.clock import Calendar

    clock = Clock(START_NS, 5 * MINUTE, Calendar("Europe/Dublin"))
    series = Simulated("batch", points=300 * 288, clock=clock)
    runs = series.mean(0, series.points) > 10
    starts = clock.local(series.clock.times(0, series.points)[np.flatnonzero(np.diff(runs.astype(int)) == 1) + 1])
    assert len(starts.day) == 300
    assert (np.diff(starts.day) == 1).all()
    # Winter or summer, the hour is the same.
    assert np.ptp(starts.second) < 25 * 60


def test_a_counter_counts_up_and_begins_again() -> None:
    series = Simulated("counter", points=20 * 288)
    steps = np.diff(series.values)
    drops = np.flatnonzero(steps < 0)
    assert 1 <= len(drops) <= 10
    assert same(series.clean(1, series.points)[steps >= 0], steps[steps >= 0])
    assert (series.values[drops + 1] == series.clean(0, series.points)[drops + 1]).all()


def test_memory_leaks_and_disks_fill() -> None:
    for kind in ("memory", "disk"):
        steps = np.diff(Simulated(kind, points=60 * 288, noise=0).values)
        assert (steps > 0).mean() > 0.98
        assert (steps < -5).sum() >= 2


def test_work_goes_with_requests_until_the_ratio_breaks() -> None:
    asked = Simulated("requests", seed=5, number=2, points=POINTS)
    work = Simulated("work", seed=5, number=2, points=POINTS, faults=[FaultSpec("ratio_break")])
    assert np.corrcoef(asked.values, work.clean_values)[0, 1] > 0.97
    event = work.events[0]
    part = slice(event.first, event.last + 1)
    assert np.corrcoef(asked.values[part], work.values[part])[0, 1] < 0.9
    assert work.values[part].max() <= work.clean_values.max()
    assert work.values[part].min() >= work.clean_values.min()


def test_what_a_series_cannot_be() -> None:
    with pytest.raises(ConfigError, match="Length and noise"):
        Simulated("cpu", points=-1)
    with pytest.raises(ConfigError, match="Length and noise"):
        Simulated("cpu", noise=float("nan"))
    with pytest.raises(ConfigError, match="interval"):
        Clock(interval=0)
    with pytest.raises(ConfigError, match="cannot have a dip"):
        Simulated("queue", faults=[FaultSpec("dip")])
    assert len(Simulated("cpu", points=0).values) == 0
