"""The whole pipeline as one fold: cuts, bytes, growth, threads, exclusion, gaps, and figures on published data."""

from __future__ import annotations

import csv
import math
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchband.core.errors import ConfigError, StateCorruptError, StateError
from watchband.core.series import SeriesKey
from watchband.detectors import Ewma, RollingMedian, RollingZscore, SeasonalBand
from watchband.pipeline.policy import Event, Policy
from watchband.pipeline.prepare import Prepare, Raw
from watchband.pipeline.results import Results
from watchband.pipeline.rules import Budget, Contamination, Cutoff, Rule, Sigma
from watchband.pipeline.watch import Watch
from watchband.pipeline.watch_state import WatchState
from watchband.testing.streams import MINUTE, START, daily, times

DAY = 86_400_000_000_000
N = 500
KEYS = [SeriesKey("cpu_percent", {"host": h}) for h in "abc"]
WATCHES = {
    "budget": Watch("w", RollingZscore(window=20), Budget(1, DAY)),
    "cutoff": Watch("w", RollingMedian(window=15), Cutoff(4), Policy(m_of_n=(2, 4), close_after=5)),
    "sigma": Watch("w", Ewma(), Sigma(3), Policy(direction="above", missing="breaching")),
    "contamination": Watch("w", RollingZscore(window=12), Contamination(0.02), Policy(flap_hold=5)),
    "linear gaps": Watch("w", RollingZscore(window=20), Cutoff(4), prepare=Prepare(gap="linear")),
    "model gaps": Watch("w", RollingZscore(window=20), Cutoff(4), prepare=Prepare(gap="model", interval_ns=MINUTE)),
    "seasonal": Watch("w", SeasonalBand(), Budget(1, DAY)),
    "resampled": Watch("w", RollingZscore(window=10), Cutoff(3), prepare=Prepare(resample_ns=5 * MINUTE)),
}
EXCLUDED = [(START + 200 * MINUTE, START + 230 * MINUTE)]
FEW = settings(max_examples=max(4, settings.default.max_examples // 3))


def readings(seed: int, n: int = N) -> tuple[np.ndarray, np.ndarray]:
    """A minute's readings of one series with incidents, gaps, repeats and values that are missing."""
    rng = np.random.default_rng(seed)
    steps = np.where(rng.random(n) < 0.03, rng.integers(0, 6, n), 1)
    moments = START + MINUTE * np.cumsum(steps)
    values = daily(n, seed, MINUTE)
    for _ in range(4):
        at = int(rng.integers(40, n))
        values[at : at + int(rng.integers(1, 30))] += rng.choice([-30.0, 30.0])
    values[rng.random(n) < 0.02] = np.nan
    values[rng.random(n) < 0.005] = np.inf
    return moments.astype(np.int64), values


def step(watch: Watch, state: WatchState, parts: list[tuple[int, np.ndarray, np.ndarray]], flush: bool) -> Results:
    raw = Raw.fleet([(t, v) for _, t, v in parts], rows=[row for row, _, _ in parts])
    return watch.step(state, raw, excluded=EXCLUDED, flush=flush)


def same(one: Results, other: Results, rows: int) -> None:
    for row in range(rows):
        a, b = one.of(row), other.of(row)
        for name in Results.columns():
            x, y = getattr(a, name), getattr(b, name)
            assert x.tolist() == y.tolist() if name == "alert" else x.tobytes() == y.tobytes(), (row, name)
    assert [repr(a) for a in one.alerts] == [repr(a) for a in other.alerts]


@pytest.mark.parametrize("name", WATCHES)
@FEW
@given(seed=st.integers(0, 2**31), cuts=st.lists(st.integers(0, N), max_size=5), order=st.permutations([0, 1, 2]))
def test_cut_anywhere(name: str, seed: int, cuts: list[int], order: list[int]) -> None:
    """In time, between series, in any order of series, through bytes: the same results, alerts and state."""
    watch = WATCHES[name]
    series = [readings(seed + row) for row in range(3)]
    whole_state, state = watch.start(KEYS), watch.start(KEYS)
    whole = step(watch, whole_state, [(row, *series[row]) for row in range(3)], flush=True)
    parts = []
    edges = [0, *sorted(cuts), N]
    for number, (a, b) in enumerate(pairwise(edges)):
        last = number == len(edges) - 2
        batch = [(row, series[row][0][a:b], series[row][1][a:b]) for row in order]
        if number % 2 or last:  # all series at once, or one after the other
            parts.append(step(watch, state, batch, flush=last))
        else:
            parts += [step(watch, state, [one], flush=False) for one in batch]
        state = watch.load(state.to_bytes())
    same(Results.joined([whole]), Results.joined(parts), 3)
    assert state.same_bits(whole_state)


def test_every_watch_of_the_cut_test_opens_and_closes_alerts() -> None:
    for name, watch in WATCHES.items():
        results = step(watch, watch.start(KEYS), [(r, *readings(r)) for r in range(3)], flush=True)
        assert any(a.closed for a in results.alerts), name
        assert results.excluded.any()


@pytest.mark.parametrize("name", WATCHES)
def test_a_value_anomaly_is_exactly_a_point_outside_the_band(name: str) -> None:
    watch = WATCHES[name]
    results = step(watch, watch.start(KEYS), [(r, *readings(r)) for r in range(3)], flush=True)
    judged = np.isfinite(results.y) & (results.events & int(Event.NO_BAND | Event.MISSING) == 0)
    outside = (results.y > results.yhat_upper) | (results.y < results.yhat_lower)
    assert judged.sum() > 100 * (1 if name == "resampled" else 10)
    assert np.array_equal(outside[judged], (results.anomaly_score > 1)[judged])


def test_threads_do_not_matter() -> None:
    watch = WATCHES["budget"]
    raw = Raw.fleet([readings(r, 4000) for r in range(3)])
    one, many = (watch.step(watch.start(KEYS), raw, threads=t) for t in (1, 3))
    assert one.same_bits(many)
    assert one.alerts == many.alerts


def test_series_join_later() -> None:
    watch = WATCHES["budget"]
    both, growing = watch.start(KEYS[:2]), watch.start()
    parts = [(r, *readings(r)) for r in range(2)]
    together = step(watch, both, parts, flush=False)
    assert growing.add([KEYS[0]]).tolist() == [0]
    first = step(watch, growing, parts[:1], flush=False)
    assert growing.add([KEYS[1], KEYS[0]]).tolist() == [1, 0]
    second = step(watch, growing, parts[1:], flush=False)
    same(Results.joined([together]), Results.joined([first, second]), 2)
    assert growing.same_bits(both)
    with pytest.raises(ConfigError, match="once"):
        watch.start([KEYS[0], KEYS[0]])


def test_one_series_of_nothing_does_not_stop_the_others() -> None:
    watch = WATCHES["budget"]
    moments, values = readings(0)
    alone = step(watch, watch.start(KEYS[:1]), [(0, moments, values)], flush=True)
    nothing = np.full(len(moments), np.nan)
    wild = np.where(np.arange(len(moments)) % 2, np.inf, -1e308)
    state = watch.start(KEYS)
    beside = step(watch, state, [(0, moments, values), (1, moments, nothing), (2, moments[::-1], wild)], flush=True)
    assert alone.of(0).same_bits(beside.of(0))
    assert np.isnan(beside.of(1).anomaly_score).all()


def test_excluded_ranges_are_judged_but_not_learned() -> None:
    watch = Watch("w", RollingZscore(window=30), Cutoff(6))
    moments, values = times(300, MINUTE), np.random.default_rng(1).normal(50, 1, 300)
    values[200:220] += 30
    span = (int(moments[195]), int(moments[225]))
    with_range = watch.step(watch.start(KEYS[:1]), Raw.of(moments, values), excluded=[span])
    without = watch.step(watch.start(KEYS[:1]), Raw.of(moments, values))
    assert (with_range.anomaly_score[200:220] > 1).all()
    assert np.isfinite(with_range.score[195:225]).all()
    assert not (without.anomaly_score[203:220] > 1).any()  # the window has learned it
    gone = np.where(with_range.excluded, np.nan, values)
    learned = watch.step(watch.start(KEYS[:1]), Raw.of(moments, gone))
    assert with_range.yhat.tobytes() == learned.yhat.tobytes()
    assert with_range.excluded.sum() == 30


@pytest.mark.parametrize(("gap", "judged"), [("zero", True), ("previous", False), ("linear", False), ("model", False)])
def test_what_was_made_up_is_drawn_but_not_judged(gap: str, judged: bool) -> None:
    watch = Watch("w", RollingZscore(window=20), Cutoff(5), prepare=Prepare(gap=gap, interval_ns=MINUTE))
    moments, values = times(200, MINUTE), np.random.default_rng(2).normal(50, 1, 200)
    values[99] = 50.0 if gap == "zero" else 500.0  # "previous" carries it on
    keep = np.r_[0:100, 110:200]
    results = watch.step(watch.start(KEYS[:1]), Raw.of(moments[keep], values[keep]), flush=True)
    assert np.flatnonzero(results.imputed).tolist() == list(range(100, 110))
    assert np.isfinite(results.y[100:110]).all()
    assert bool((results.anomaly_score[100:110] > 1).any()) == judged
    assert bool((results.events[100:110] & int(Event.MISSING)).all()) != judged


def test_columns_belong_together() -> None:
    watch = WATCHES["cutoff"]
    results = step(watch, watch.start(KEYS), [(r, *readings(r)) for r in range(3)], flush=True)
    assert len({len(getattr(results, name)) for name in Results.columns()}) == 1
    assert len(results.row_ordinal) == 3 * N
    ids = {a.id: a for a in results.alerts}
    assert set(results.alert) - {""} == set(ids)
    for name, alert in ids.items():
        inside = results.alert == name
        assert {str(results.keys[r]) for r in results.row[inside]} == {str(alert.series)}
        assert results.time[inside].min() == alert.decided
        assert alert.closed is None or results.time[inside].max() < alert.closed
        assert np.nanmax(results.anomaly_score[inside]) == alert.anomaly_score


def test_a_state_comes_back_only_to_its_own_watch() -> None:
    watch = WATCHES["budget"]
    state = watch.start(KEYS)
    step(watch, state, [(0, *readings(0))], flush=False)
    data = state.to_bytes()
    for other in (WATCHES["cutoff"], Watch("w", RollingZscore(window=21), Budget(1, DAY))):
        with pytest.raises(StateError):
            other.load(data)
    for damaged in (b"", data[:30], data[:-1], b"x" + data[1:], data[:100] + b"?" + data[101:]):
        with pytest.raises(StateCorruptError, match="start cold"):
            watch.load(damaged)
    assert state.copy().same_bits(state)


def test_an_alert_is_the_same_however_late_it_is_decided() -> None:
    watch = Watch("w", RollingMedian(window=21), Cutoff(6), Policy(consecutive=3))
    moments, values = times(100, MINUTE), np.random.default_rng(3).normal(0, 1, 100)
    values[60:70] += 200
    state = watch.start(KEYS[:1])
    seen: list[str] = []
    for i in range(100):
        seen += [a.id for a in watch.step(state, Raw.of(moments[i : i + 1], values[i : i + 1])).alerts]
    whole = watch.step(watch.start(KEYS[:1]), Raw.of(moments, values))
    assert [a.id for a in whole.alerts] == list(dict.fromkeys(seen))
    assert whole.alerts[0].opened == moments[60]
    assert whole.alerts[0].decided == moments[62]


@pytest.mark.parametrize("rule", [Budget(), Cutoff(3), Sigma(3), Contamination(0.01)], ids=str)
def test_a_million_points_in_seconds(rule: Rule) -> None:
    n = 100_000
    watch = Watch("w", RollingZscore(), rule)
    raw = Raw.of(times(n, MINUTE), np.random.default_rng(0).normal(size=n))
    begin = time.process_time()
    watch.step(watch.start(KEYS[:1]), raw)
    assert time.process_time() - begin < 3  # ten times what it takes


@pytest.mark.data
@pytest.mark.parametrize(("inclusive", "found"), [(True, 5), (False, 60)])
def test_the_count_of_the_published_example(nab: Path, inclusive: bool, found: int) -> None:
    with (nab / "realAWSCloudwatch" / "ec2_cpu_utilization_53ea38.csv").open() as file:
        rows = list(csv.DictReader(file))
    moments = np.array([r["timestamp"] for r in rows], "datetime64[ns]")
    watch = Watch("nab", RollingZscore(window=12, ddof=1, inclusive=inclusive), Cutoff(3))
    results = watch.step(
        watch.start([SeriesKey("cpu_percent")]), Raw.of(moments, [float(r["value"]) for r in rows]), flush=True
    )
    assert int((results.anomaly_score > 1).sum()) == found
    assert int((results.score > 3).sum()) == found
    if inclusive:
        assert np.nanmax(results.score) < 11 / math.sqrt(12)


def test_an_outage_alarms_to_its_end_and_so_does_the_next_and_a_new_level_until_it_is_adopted() -> None:
    """What the detector holds back from, calibrate does too: the band does not widen under an incident."""
    step_ns, day = 5 * MINUTE, 288
    moments, values = times(30 * day, step_ns), daily(30 * day, 1, step_ns)
    for start in (14 * day, 19 * day):
        values[start : start + 72] -= 40
    values[25 * day :] += 25
    watch = Watch("w", SeasonalBand(), Budget())
    results = watch.step(watch.start(KEYS[:1]), Raw.of(moments, values), flush=True)
    large = {int(a.opened): a for a in results.alerts if a.points > 10}
    assert list(large) == [int(moments[start]) for start in (14 * day, 19 * day, 25 * day)]
    first, again, level = large.values()
    assert min(first.points, again.points) >= 70
    assert (first.adopted, again.adopted, level.adopted) == (False, False, True)
    assert level.kind == "level"
    assert level.closed is not None
    assert level.points >= 0.9 * day
    assert not any(a.opened > level.closed for a in results.alerts)
