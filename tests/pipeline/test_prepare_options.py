"""``prepare`` option by option: tables that can be checked by hand, pandas, and real readings with flaws."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from watchband.core.errors import (
    InvalidParameterError,
    PointsShapeError,
    StateMismatchError,
    StateVersionError,
)
from watchband.core.points import Int64
from watchband.core.state import State
from watchband.pipeline.prepare import Prepare, Prepared, Raw

NAN, INF = math.nan, math.inf
SECOND = 1_000_000_000
MINUTE = 60 * SECOND


def prepared(times: Any, values: Any, **parameters: Any) -> Prepared:
    prepare = Prepare(**parameters)
    return prepare.step(prepare.start(), Raw.of(times, values), flush=True)


def columns(out: Prepared) -> tuple[list[int], list[float], list[int]]:
    return out.points.times.tolist(), out.points.values[:, 0].tolist(), out.imputed.astype(int).tolist()


@pytest.mark.parametrize(
    ("gap", "slots", "missing_value", "marked"),
    [
        ("ignore", [], NAN, 0),
        ("zero", [0.0, 0.0], 0.0, 1),
        ("fixed", [-1.5, -1.5], -1.5, 1),
        ("previous", [1.0, 1.0], 4.0, 1),
        ("linear", [2.0, 3.0], 4.0, 1),
        ("model", [NAN, NAN], NAN, 1),
    ],
)
def test_what_each_policy_puts_in(gap: str, slots: list[float], missing_value: float, marked: int) -> None:
    """1 at 0, nothing at 10 and 20, 4 at 30, NaN at 40, 7 at 50."""
    out = prepared([0, 30, 40, 50], [1.0, 4.0, NAN, 7.0], interval_ns=10, gap=gap, gap_value=-1.5)
    times, values, imputed = columns(out)
    assert times == [0, *[10, 20][: len(slots)], 30, 40, 50]
    np.testing.assert_array_equal(values, [1.0, *slots, 4.0, missing_value, 7.0])
    assert imputed == [0, *[1] * len(slots), 0, marked, 0]
    assert out.row_ordinal.tolist() == [0, 1 + len(slots), 2 + len(slots), 3 + len(slots)]


def test_a_line_to_nowhere_stays_at_the_last_value() -> None:
    _, values, _ = columns(prepared([0, 30, 40], [1.0, NAN, 9.0], interval_ns=10, gap="linear"))
    assert values == [1.0, 1.0, 1.0, 1.0, 9.0]


@pytest.mark.parametrize("gap", ["previous", "linear"])
def test_before_the_first_value_there_is_nothing_to_put_in(gap: str) -> None:
    _, values, imputed = columns(prepared([0, 10, 20], [NAN, INF, 2.0], interval_ns=10, gap=gap))
    np.testing.assert_array_equal(values, [NAN, NAN, 2.0])
    assert imputed == [0, 0, 0]


def test_a_line_between_huge_values_stays_finite() -> None:
    _, values, _ = columns(prepared([0, 20], [1.7e308, -1.7e308], interval_ns=10, gap="linear"))
    assert values == [1.7e308, 0.0, -1.7e308]


def test_beyond_the_limit_nothing_is_filled_and_the_gap_is_counted() -> None:
    prepare = Prepare(interval_ns=10, gap="previous", gap_limit=3)
    state = prepare.start()
    out = prepare.step(state, Raw.of([0, 40, 90, 100], [1.0, 2.0, 3.0, 4.0]))
    assert out.points.times.tolist() == [0, 10, 20, 30, 40, 90, 100]
    quality = prepare.quality(state)[0]
    assert (quality.gaps, quality.missing_slots, quality.gaps_unfilled, quality.imputed) == (2, 7, 1, 3)
    assert quality.longest_gap_ns == 50


def test_missing_values_share_the_limit_with_the_gap_beside_them() -> None:
    out = prepared([0, 10, 40, 50, 60], [1.0, NAN, NAN, NAN, 2.0], interval_ns=10, gap="zero", gap_limit=4)
    assert columns(out)[1][:5] == [1.0, 0.0, 0.0, 0.0, 0.0]
    assert columns(out)[2] == [0, 1, 1, 1, 1, 0, 0]
    after_an_open_gap = prepared([0, 900, 910], [1.0, NAN, 2.0], interval_ns=10, gap="zero", gap_limit=4)
    assert columns(after_an_open_gap)[2] == [0, 0, 0]


def test_a_gap_of_years_makes_no_more_points_than_the_limit() -> None:
    decade = 10 * 365 * 24 * 3600 * SECOND
    assert len(prepared([0, decade], [1.0, 2.0], interval_ns=1, gap="zero").points) == 2


@pytest.mark.parametrize(("step", "missing"), [(10, 0), (15, 0), (16, 1), (24, 1), (25, 2), (30, 2), (34, 2)])
def test_a_step_beyond_one_and_a_half_intervals_misses_readings(step: int, missing: int) -> None:
    out = prepared([0, step], [1.0, 2.0], interval_ns=10, gap="zero")
    assert columns(out)[0] == [0, *range(10, 10 * missing + 1, 10), step]


def steps(*parts: tuple[int, int]) -> Int64:
    """Times from 0 on: ``(step, how often)``."""
    return np.cumsum(np.concatenate([[0], *[np.full(n, step) for step, n in parts]])).astype(np.int64)


def test_the_interval_is_learned_after_32_steps_and_not_before() -> None:
    times = steps((10, 10), (30, 1), (10, 20), (30, 1), (10, 1), (20, 1))
    out = prepared(times, np.ones(len(times)), gap="zero")
    assert out.interval_at.tolist() == [0] * 32 + [10] * (len(out.points) - 32)
    assert out.interval_ns.tolist() == [10]
    # The gaps at step 11 and 32 came too early to be filled; the last one is.
    assert int(out.imputed.sum()) == 1


def test_the_interval_is_held_until_64_steps_in_a_row_disagree() -> None:
    before, after = (10, 100), (30, 63)
    times = steps(before, after, (10, 1), after, (30, 2))
    out = prepared(times, np.ones(len(times)))
    assert out.interval_at[-4:].tolist() == [10, 10, 30, 30]
    assert out.interval_ns.tolist() == [30]


def test_gaps_found_while_learning_are_counted_in_hindsight() -> None:
    prepare = Prepare(gap="zero")
    state = prepare.start()
    times = steps((10, 10), (40, 1), (10, 30))
    prepare.step(state, Raw.of(times, np.ones(len(times))))
    quality = prepare.quality(state)[0]
    assert (quality.gaps, quality.missing_slots, quality.gaps_unfilled) == (1, 3, 1)
    assert quality.on_interval == pytest.approx(40 / 41)


def test_an_irregular_series_is_not_gridded() -> None:
    rng = np.random.default_rng(5)
    times = np.cumsum(rng.exponential(60, 1000).astype(np.int64) + 1)
    prepare = Prepare(gap="zero")
    state = prepare.start()
    assert len(prepare.step(state, Raw.of(times, np.ones(1000))).points) == 1000
    quality = prepare.quality(state)[0]
    assert quality.on_interval < 0.9
    assert (quality.gaps, quality.missing_slots) == (0, 0)
    assert quality.longest_gap_ns == np.diff(times).max()


@pytest.mark.parametrize(("every", "gridded"), [(20, True), (8, False)])
def test_nine_steps_in_ten_must_be_on_the_interval(every: int, gridded: bool) -> None:
    times = steps(*[(10, every - 1), (30, 1)] * (1600 // every))
    out = prepared(times, np.ones(len(times)), gap="previous")
    assert bool(out.imputed.any()) is gridded


def test_a_short_series_has_a_provisional_interval_in_its_quality() -> None:
    prepare = Prepare()
    state = prepare.start(3)
    prepare.step(state, Raw.fleet([([0, 10, 20, 50], [1.0] * 4), ([5], [1.0]), ([], [])]))
    found = prepare.quality(state)
    assert [q.interval_ns for q in found] == [10, 0, 0]
    assert found[0].on_interval == pytest.approx(2 / 3)
    assert math.isnan(found[1].on_interval)
    assert math.isnan(found[2].minimum)


def test_counters_with_resets() -> None:
    """Seconds, reading, rate: a first reading has none, a drop counts from 0, an unknown reading is stepped over."""
    table = [
        (0, 100.0, NAN),
        (10, 150.0, 5.0),
        (20, 150.0, 0.0),
        (30, 30.0, 3.0),
        (40, NAN, NAN),
        (50, 70.0, 2.0),
        (60, 0.0, 0.0),
        (90, INF, NAN),
        (100, 40.0, 1.0),
    ]
    prepare = Prepare(counter=True)
    state = prepare.start()
    out = prepare.step(state, Raw.of([t * SECOND for t, _, _ in table], [v for _, v, _ in table]))
    np.testing.assert_array_equal(out.points.values[:, 0], [rate for _, _, rate in table])
    quality = prepare.quality(state)[0]
    assert (quality.counter_resets, quality.nan, quality.infinite) == (2, 1, 1)
    assert (quality.minimum, quality.maximum) == (0.0, 150.0)


@pytest.mark.parametrize("aggregate", ["mean", "sum", "max", "last"])
@pytest.mark.parametrize("width", [7, 300])
def test_buckets_equal_those_of_pandas(aggregate: str, width: int) -> None:
    rng = np.random.default_rng(11)
    seconds = np.unique(rng.integers(-50_000, 50_000, 3000))
    values = rng.normal(size=len(seconds))
    values[rng.random(len(seconds)) < 0.2] = NAN
    out = prepared(seconds * SECOND, values, resample_ns=width * SECOND, aggregate=aggregate)
    buckets = pd.Series(values, pd.to_datetime(seconds, unit="s")).resample(f"{width}s", origin="epoch")
    expected = buckets.sum(min_count=1) if aggregate == "sum" else buckets.agg(aggregate)
    expected = expected[buckets.size() > 0]
    assert out.points.times.tolist() == expected.index.astype("datetime64[ns]").astype(np.int64).tolist()
    # pandas adds with compensation, so sums near 0 differ in their last digits.
    np.testing.assert_allclose(out.points.values[:, 0], expected.to_numpy(), rtol=1e-12, atol=1e-14)
    first = np.searchsorted(out.points.times, seconds * SECOND, side="right") - 1
    assert out.row_ordinal.tolist() == first.tolist()


def test_missing_buckets_are_filled_like_any_slot() -> None:
    out = prepared([1, 2, 31, 35], [1.0, 3.0, 5.0, 5.0], resample_ns=10, gap="linear")
    assert columns(out) == ([0, 10, 20, 30], [2.0, 3.0, 4.0, 5.0], [0, 1, 1, 0])
    assert out.row_ordinal.tolist() == [0, 0, 3, 3]


def test_a_bucket_leaves_when_a_later_one_begins_or_at_the_end() -> None:
    prepare = Prepare(resample_ns=10, aggregate="sum")
    state = prepare.start(2)
    assert len(prepare.step(state, Raw.fleet([([1, 2], [1.0, 2.0]), ([3], [9.0])])).points) == 0
    out = prepare.step(state, Raw.of([9, 12], [3.0, 4.0]))
    assert (out.points.values.tolist(), out.row_ordinal.tolist()) == ([[6.0]], [0, 1])
    rest = prepare.step(state, Raw.of([], []), flush=True)
    assert sorted(zip(rest.points.rows.tolist(), rest.points.values[:, 0].tolist(), strict=True)) == [
        (0, 4.0),
        (1, 9.0),
    ]
    late = prepare.step(state, Raw.of([13, 21], [1.0, 1.0]))
    assert late.row_ordinal.tolist() == [-1, 2]
    assert prepare.quality(state)[0].late == 1


def test_an_overflowing_sum_has_no_value() -> None:
    out = prepared([1, 2], [1.7e308, 1.7e308], resample_ns=10, aggregate="sum")
    assert math.isnan(out.points.values[0, 0])


def test_days_are_days_of_utc_over_a_clock_change() -> None:
    """Buckets are counted from 1970: none is 23 or 25 hours long, whatever the clocks on the walls did."""
    hours = pd.date_range("2024-03-29", "2024-04-02", freq="h", tz="Europe/Dublin").tz_convert("UTC")
    times = hours.tz_localize(None).to_numpy().astype("datetime64[ns]")
    out = prepared(times, np.ones(len(times)), resample_ns=24 * 60 * MINUTE, aggregate="sum")
    assert (out.points.times % (24 * 60 * MINUTE) == 0).all()
    assert out.points.values[:, 0].tolist() == [24.0] * 4


def test_late_rows_and_repeats_across_batches() -> None:
    prepare = Prepare()
    state = prepare.start()
    prepare.step(state, Raw.of([10, 20], [1.0, 2.0]))
    out = prepare.step(state, Raw.of([20, 15, 30, 20, 30], [7.0, 7.0, 3.0, 7.0, 7.0]))
    assert out.points.values[:, 0].tolist() == [3.0]
    assert (out.ordinal.tolist(), out.row_ordinal.tolist()) == ([2], [1, -1, 2, 1, 2])
    quality = prepare.quality(state)[0]
    assert (quality.rows, quality.duplicates, quality.late, quality.out_of_order) == (7, 3, 1, 1)
    assert (quality.minimum, quality.maximum) == (1.0, 3.0)


def test_a_time_that_is_no_time_is_late() -> None:
    times = np.array(["NaT", "2024-01-01"], "datetime64[ns]")
    assert prepared(times, [1.0, 2.0]).row_ordinal.tolist() == [-1, 0]


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_series_do_not_touch_each_other(threads: int) -> None:
    rng = np.random.default_rng(3)
    series = [(np.sort(rng.integers(0, 5000, n)), rng.normal(size=n)) for n in rng.integers(0, 400, 9)]
    prepare = Prepare(gap="previous", interval_ns=7)
    rows = rng.permutation(9).astype(np.int32)
    state = prepare.start(9)
    together = prepare.step(state, Raw.fleet(series, rows), threads=threads)
    for index, (row, part) in enumerate(together.points.slices()):
        alone_state = prepare.start()
        alone = prepare.step(alone_state, Raw.of(*series[index]))
        assert together.points.values[part].tobytes() == alone.points.values.tobytes()
        assert together.ordinal[part].tolist() == alone.ordinal.tolist()
        assert state.take([row]).same_bits(alone_state)


def test_inputs_stay_and_an_empty_batch_changes_nothing() -> None:
    prepare = Prepare(gap="linear", interval_ns=10)
    state = prepare.start()
    raw = Raw.of([30, 0, 10], [INF, 1.0, NAN])
    before = raw.times.copy(), raw.values.copy()
    prepare.step(state, raw)
    assert raw.times.tolist() == before[0].tolist()
    np.testing.assert_array_equal(raw.values, before[1])
    copy = state.copy()
    assert len(prepare.step(state, Raw.of([], [])).points) == 0
    assert state.same_bits(copy)
    prepare.step(state, Raw.of([40], [1.0]))
    assert not state.same_bits(copy)


def test_a_state_is_of_declared_size() -> None:
    prepare = Prepare()
    state = prepare.start(10)
    assert state.nbytes == 10 * prepare.state_bytes_max
    assert Prepare(interval_ns=1).state_bytes_max < prepare.state_bytes_max < 800


def test_grouping_readings_of_a_file() -> None:
    row = np.array([2, 0, 2, 0], np.int32)
    raw, order = Raw.grouped(row, np.array([5, 6, 4, 7], np.int64), np.array([1.0, 2.0, 3.0, 4.0]))
    assert raw.rows.tolist() == [0, 2]
    assert (raw.times.tolist(), order.tolist()) == ([6, 7, 5, 4], [1, 3, 0, 2])
    nothing, _ = Raw.grouped(row[:0], np.empty(0, np.int64), np.empty(0))
    assert nothing.series == 0


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"gap": "spline"}, "must be one of 'ignore', 'zero', 'fixed'"),
        ({"aggregate": "median"}, "must be one of 'mean', 'sum', 'max', 'last'"),
        ({"interval_ns": 0}, "must be an integer >= 1, or none"),
        ({"gap_limit": -1}, "must be an integer from 0 to 100000"),
        ({"gap_value": NAN}, "must be a finite number"),
    ],
)
def test_parameters_that_cannot_be(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        Prepare(**parameters)


def test_states_and_batches_that_do_not_fit() -> None:
    prepare = Prepare()
    with pytest.raises(StateMismatchError, match="written for other parameters"):
        prepare.step(Prepare(gap="zero").start(), Raw.of([], []))
    with pytest.raises(StateMismatchError, match="belongs to 'ewma'"):
        prepare.check_state(State.blank("ewma", 1, "", {}, 1))
    with pytest.raises(StateVersionError, match="has version 9"):
        prepare.check_state(State.blank("prepare", 9, prepare.fingerprint, prepare.layout(), 1))
    with pytest.raises(PointsShapeError, match="Row 1 is not in this state of 1 series"):
        prepare.step(prepare.start(), Raw.of([], [], row=1))
    with pytest.raises(PointsShapeError, match="one value per time"):
        Raw.of([1, 2], [1.0])
    with pytest.raises(PointsShapeError, match="must be int64 nanoseconds"):
        Raw.of([1.5], [1.0])


FLAWED = {
    "realKnownCause/machine_temperature_system_failure.csv": (22695, 12, 0),
    "realAWSCloudwatch/ec2_disk_write_bytes_1ef3de.csv": (4730, 11, 11),
    "realAWSCloudwatch/ec2_network_in_5abac7.csv": (4730, 11, 12),
}
"""Rows, repeated stamps, missing slots."""


@pytest.mark.data
@pytest.mark.parametrize("name", FLAWED)
def test_flaws_of_real_readings(nab: Path, name: str) -> None:
    rows, duplicates, missing = FLAWED[name]
    frame = pd.read_csv(nab / name, parse_dates=["timestamp"])
    times = frame.timestamp.to_numpy().astype("datetime64[ns]")
    prepare = Prepare()
    state = prepare.start()
    out = prepare.step(state, Raw.of(times, frame.value.to_numpy()))
    quality = prepare.quality(state)[0]
    assert (quality.rows, quality.duplicates, quality.missing_slots) == (rows, duplicates, missing)
    assert len(out.points) == rows - duplicates
    assert quality.interval_ns == 5 * MINUTE
    # Every row has its point, and a repeat has its first.
    kept = frame.drop_duplicates("timestamp").set_index("timestamp").value
    assert out.points.values[out.row_ordinal, 0].tolist() == kept[frame.timestamp].tolist()
