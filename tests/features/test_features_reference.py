"""The compiled features against the slow ones, on streams with everything that goes wrong."""

from __future__ import annotations

import numpy as np
import pytest

from tests.reference.features import Reference
from watchband.core.points import Float64, Int64, Points
from watchband.features.families import KINDS, Family
from watchband.features.feature_set import FeatureSet
from watchband.features.sets import SETS
from watchband.testing import streams

MINUTE = 60_000_000_000


def compare(features: FeatureSet, times: Int64, values: Float64) -> None:
    made = features.step(features.start(), Points.of(times, values))
    slow = Reference(features)
    for i, (time, row) in enumerate(zip(times.tolist(), values.tolist(), strict=True)):
        wanted = slow.step(time, row)
        assert set(wanted) == set(features.names)
        want = np.array([wanted[name] for name in features.names])
        unequal = ~np.isclose(made[i], want, rtol=1e-8, atol=1e-9, equal_nan=True)
        told = [(features.names[k], made[i, k], want[k]) for k in np.flatnonzero(unequal)[:5]]
        assert not told, f"point {i}: {told}"


def awkward(seed: int, columns: int, n: int = 260) -> tuple[Int64, Float64]:
    times, first = streams.awkward(n, seed)
    rng = np.random.default_rng(seed)
    rows = np.stack([first] + [first * (k + 2) + rng.normal(0, 3, n) for k in range(columns - 1)], axis=1)
    rows[rng.random(rows.shape) < 0.03] = np.nan
    rows[: n // 8, -1] = 0.0
    return times, rows


@pytest.mark.parametrize("name", sorted(SETS))
@pytest.mark.parametrize("interval", [None, streams.HOUR])
def test_every_set_agrees_with_the_slow_one(name: str, interval: int | None) -> None:
    features = FeatureSet.named(name, interval_ns=interval, timezone="America/New_York", holidays="IE")
    compare(features, *awkward(3, len(features.columns), 200 if name == "ratios294" else 260))


def test_every_family_is_in_a_comparison() -> None:
    families = tuple(Family(kind) for kind in KINDS if kind not in ("held", "four", "four_trailing", "differences"))
    features = FeatureSet(("a", "b"), families, share=0.8)
    compare(features, *awkward(5, 2))
    compared = {f.kind for f in families} | {f.kind for s in SETS.values() for f in s.families}
    assert compared == set(KINDS)


def jittered(seed: int, n: int, step: int, jitter: float) -> Int64:
    rng = np.random.default_rng(seed)
    return streams.START + step * np.arange(n) + (rng.uniform(-jitter, jitter, n) * step).astype(np.int64)


def test_jitter_loses_no_reading() -> None:
    times = jittered(1, 400, MINUTE, 0.2)
    values = np.arange(400.0)
    features = FeatureSet(("x",), (Family("lags", (1, 7)),), interval_ns=MINUTE)
    made = features.step(features.start(), Points.of(times, values))
    assert (values[7:] - made[7:, 1] == 7).all()
    compare(features, times, values[:, None])


def test_a_clock_that_is_slightly_off_loses_no_reading() -> None:
    times = streams.START + (MINUTE + MINUTE // 100) * np.arange(1000)
    features = FeatureSet(("x",), (Family("lags", (3,)),), interval_ns=MINUTE)
    made = features.step(features.start(), Points.of(times, np.arange(1000.0)))
    assert (np.arange(3.0, 1000) - made[3:, 0] == 3).all()


def test_of_readings_in_one_slot_the_last_counts() -> None:
    times = streams.START + MINUTE // 4 * np.arange(800)
    features = FeatureSet(("x",), (Family("lags", (1,)), Family("rolling", (5,))), interval_ns=MINUTE)
    values = np.random.default_rng(4).normal(size=(800, 1))
    compare(features, times, values)
    made = features.step(features.start(), Points.of(times, np.arange(800.0)))
    ages = np.arange(8.0, 800) - made[8:, 0]
    assert set(ages.tolist()) <= {1.0, 2.0, 3.0, 4.0}


def test_an_interval_that_changes_is_learned_anew() -> None:
    times = np.cumsum(np.r_[streams.START, np.full(60, MINUTE), np.full(60, 5 * MINUTE), np.full(60, MINUTE // 2)])
    values = np.random.default_rng(6).normal(size=(len(times), 1))
    features = FeatureSet.named("value4")
    compare(features, times, values)
    made = features.step(features.start(), Points.of(times, values))
    assert np.isnan(made[61:67, 1]).all()
    assert not np.isnan(made[[60, 80, 120, 150]]).any()


def test_steps_that_keep_to_no_interval_begin_nothing_anew() -> None:
    rng = np.random.default_rng(3)
    times = streams.START + np.cumsum(rng.exponential(MINUTE, 3000)).astype(np.int64)
    features = FeatureSet(("x",), (Family("rolling", (12,)),), share=0.2)
    values, state = rng.normal(size=3000), features.start()
    learned = set()
    for at in range(0, 3000, 100):
        features.step(state, Points.of(times[at : at + 100], values[at : at + 100]))
        learned.add(int(state.arrays["marks"][0, 0]))
    assert len(learned) == 1
    compare(features, times[:600], rng.normal(size=(600, 1)))


def test_a_large_level_costs_no_digits() -> None:
    rng = np.random.default_rng(7)
    noise = rng.normal(size=300).round(3)
    features = FeatureSet(("x",), (Family("rolling", (48,)),), interval_ns=MINUTE)
    times = streams.START + MINUTE * np.arange(300)
    plain = features.step(features.start(), Points.of(times, noise))
    raised = features.step(features.start(), Points.of(times, noise + 2.0**30))
    shape = [features.names.index(f"rolling_{word}_48") for word in ("std", "skew", "kurt")]
    assert np.allclose(plain[48:, shape], raised[48:, shape], rtol=1e-5, atol=1e-5)


def test_a_spike_that_left_is_gone_to_the_last_bit() -> None:
    values = np.random.default_rng(8).normal(size=400)
    hurt = values.copy()
    hurt[100] = 1e15
    features = FeatureSet.named("metric", interval_ns=MINUTE)
    times = streams.START + MINUTE * np.arange(400)
    clean, after = (features.step(features.start(), Points.of(times, v))[200:] for v in (values, hurt))
    assert clean.tobytes() == after.tobytes()


def test_equal_values_have_no_spread_and_no_shape() -> None:
    features = FeatureSet.named("metric", interval_ns=MINUTE)
    made = features.step(features.start(), Points.of(streams.START + MINUTE * np.arange(120), np.full(120, 0.1)))
    last = dict(zip(features.names, made[-1].tolist(), strict=True))
    for name in (
        "rolling_std_96",
        "rolling_skew_96",
        "rolling_kurt_96",
        "zscore_24",
        "is_outlier_24",
        "rolling_rate_48",
    ):
        assert last[name] == 0.0, name
    assert last["percentile_24"] == 0.5
    assert not np.isnan(made[-1]).any()


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland", "America/St_Johns"])
def test_the_calendar_of_ninety_years(zone: str) -> None:
    rng = np.random.default_rng(9)
    days = np.arange(0, 90 * 365, 23)
    ends = np.array([f"{year}-12-{day}" for year in range(1971, 2059) for day in (29, 30, 31)], "M8[D]").astype(
        np.int64
    )
    days = np.unique(np.r_[days, ends, ends + 3])
    times = days * 24 * streams.HOUR + rng.integers(0, 24 * streams.HOUR, len(days))
    compare(FeatureSet.named("calendar", timezone=zone, holidays="DE"), times, np.zeros((len(days), 1)))
