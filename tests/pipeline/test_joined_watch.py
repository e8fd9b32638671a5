"""A watch over several metrics: the same bits live, after any restart, in replay and in detect."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import watchband as wb
from tests.pipeline.faulty import FaultyStore, ListSink, ListSource, PatientClock
from watchband.adapters.stores.memory import MemoryStore
from watchband.core.errors import ConfigError, DataError
from watchband.core.events import WatermarkMoved
from watchband.core.points import Points
from watchband.core.ports import Batch, Readings
from watchband.core.series import SeriesKey
from watchband.detectors import ForestForecast, RandomCutForest, RollingZscore
from watchband.pipeline.bound import Bound
from watchband.pipeline.join_columns import JoinColumns
from watchband.pipeline.prepare import Prepare
from watchband.pipeline.replay import check
from watchband.pipeline.results import Results
from watchband.pipeline.rules import Cutoff
from watchband.pipeline.runner import Runner
from watchband.pipeline.seed001 import Seed001
from watchband.pipeline.watch import Watch

MINUTE = 60_000_000_000
NAMES = ("cpu", "memory", "pods")
JOIN = JoinColumns(NAMES)
WATCH = Watch("ratios", Seed001(columns="cpu memory pods", window=60, refit_every=40), Cutoff(2.0), join=JOIN)
FOREST = Watch("forest", RandomCutForest(dims=3, shingle=2, trees=10, samples=64), Cutoff(2.5), join=JOIN)
BOUND = Bound(WATCH, takes=JOIN.takes)
N = 200


def values(n: int = N) -> np.ndarray:
    found = np.array([0.62, 0.65, 0.19]) + np.random.default_rng(2).normal(0, [0.02, 0.03, 0.007], (n, 3))
    found[160] = [0.62, 0.30, 0.19]
    found[90, 2] = np.nan
    return found


def batches(size: int = 20, order: tuple[int, ...] = (1, 0, 2), apart: bool = True) -> list[Batch]:
    """Columns out of order, each in a batch of its own, and a watermark now and then."""
    moments, given = MINUTE * (1 + np.arange(N)), values()
    found: list[list[Readings]] = []
    for start in range(0, N, size):
        span = slice(start, start + size)
        parts = [Readings(SeriesKey(NAMES[k], {"c": "x"}), moments[span], given[span, k]) for k in order]
        found += [[part] for part in parts] if apart else [parts]
    return [Batch(readings, str(number + 1)) for number, readings in enumerate(found)]


def run(store: MemoryStore, bound: Bound = BOUND, given: list[Batch] | None = None, **options: object) -> Results:
    parts: list[Results] = []
    clock = PatientClock()
    runner = Runner(bound, store, [], clock=clock, on_results=parts.append, snapshot_points=90, **options)  # type: ignore[arg-type]
    runner.run(ListSource(batches() if given is None else given))
    runner.finish()
    return Results.joined(parts)


@pytest.fixture(scope="module")
def whole() -> Results:
    return run(MemoryStore())


def test_the_three_are_judged_together(whole: Results) -> None:
    assert [str(key) for key in whole.keys] == ['cpu{c="x"}']
    assert len(whole) == N
    alone = WATCH.detector.step(WATCH.detector.start(), wb.Points.of(MINUTE * (1 + np.arange(N)), values()))
    assert whole.score.tobytes() == alone.score.tobytes()
    assert whole.y.tobytes() == values()[:, 0].tobytes()
    assert any(a.opened <= 161 * MINUTE <= (a.closed or 10**30) for a in whole.alerts)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
@pytest.mark.parametrize(("size", "apart"), [(1, False), (7, True), (N, True), (N, False)])
@pytest.mark.parametrize("watch", [WATCH, FOREST])
def test_any_cut_and_any_order_of_columns(order: tuple[int, ...], size: int, apart: bool, watch: Watch) -> None:
    bound = Bound(watch, takes=JOIN.takes)
    assert run(MemoryStore(), bound, batches(size, order, apart)).same_bits(run(MemoryStore(), bound))


def test_every_column_has_its_values_and_a_detector_with_bands_its_band(whole: Results) -> None:
    assert whole.beside is not None
    assert whole.beside.columns == NAMES[1:]
    np.testing.assert_array_equal(whole.beside.y, values()[:, 1:])
    assert np.isnan(whole.beside.yhat).all(), "a One-Class SVM expects nothing"
    detector = ForestForecast(dims=3, horizon=2, errors=32, trees=5, samples=64)
    bands = Watch("bands", detector, Cutoff(2.5), join=JOIN)
    state = detector.start()
    found = run(MemoryStore(), Bound(bands, takes=JOIN.takes)).beside
    assert found is not None
    for i in range(150):
        told = detector.forecast(state)
        for own, theirs in ((found.yhat, told.values), (found.yhat_lower, told.lower), (found.yhat_upper, told.upper)):
            np.testing.assert_array_equal(own[i], theirs[0, 0, 1:])
        detector.step(state, Points.of([MINUTE * (1 + i)], values()[i : i + 1]))
    known = ~np.isnan(found.yhat_lower[100:])
    assert known.mean() > 0.9
    y = found.y[100:][known]
    assert ((y >= found.yhat_lower[100:][known]) & (y <= found.yhat_upper[100:][known])).mean() > 0.7


def test_killed_at_any_batch_and_gone_on(whole: Results) -> None:
    store = MemoryStore()
    for _ in range(len(batches())):
        Runner(BOUND, store, [], snapshot_points=90).run(ListSource(batches()), stop=lambda: True)
    Runner(BOUND, store, []).finish()
    calm = MemoryStore()
    run(calm)
    assert told(store) == told(calm)
    assert len(told(calm)) == len(whole.alerts)


def told(store: MemoryStore) -> list[str]:
    return [str(alert.to_dict()) for alert in store.alerts()]


@pytest.mark.parametrize("after", [False, True])
def test_a_store_that_fails_between_any_two_calls(after: bool) -> None:
    calm = MemoryStore()
    run(calm)
    counting = FaultyStore(10**9, after)
    run(counting)
    for fail_at in range(2, counting.calls, 9):
        store = FaultyStore(fail_at, after)
        Runner(BOUND, store, [ListSink()], clock=PatientClock(), snapshot_points=90).run(ListSource(batches()))
        Runner(BOUND, store, [], clock=PatientClock()).finish()
        assert told(store) == told(calm), fail_at


def test_replay_equals_live() -> None:
    store = MemoryStore()
    run(store)
    Runner(BOUND, store, []).save()
    found = check(BOUND, store, "ratios")
    assert found.same, found.says


def test_a_state_goes_through_bytes_with_what_waits() -> None:
    state = WATCH.start()
    for batch in batches()[:4]:
        WATCH.fold(state, batch.readings)
    assert state.waiting.readings > 0
    again = WATCH.load(state.to_bytes())
    assert again.same_bits(state)
    assert state.copy().same_bits(state)
    for batch in batches()[4:]:
        assert WATCH.fold(state, batch.readings).same_bits(WATCH.fold(again, batch.readings))
    assert again.same_bits(state)


def test_a_column_that_stops_for_good_is_told_and_holds_nobody_up() -> None:
    from watchband.pipeline.pulse import Pulse

    bound = Bound(Watch("forest", FOREST.detector, Cutoff(50), join=JOIN, pulse=Pulse()), takes=JOIN.takes)
    given = []
    for number in range(N):
        time = MINUTE * (1 + number)
        row = [
            Readings(SeriesKey(name, {"c": "x"}), np.array([time]), values()[number : number + 1, k])
            for k, name in enumerate(NAMES)
            if k != 1 or number < 100
        ]
        given.append(Batch(row, str(number + 1), [WatermarkMoved(time)]))
    store = MemoryStore()
    results = run(store, bound, given)
    assert len(results) == N
    assert np.isfinite(results.score[92:100]).all()
    assert np.isnan(results.score[100:]).all()
    silent = [a for a in store.alerts() if a.kind == "no data"]
    assert len(silent) == 1
    assert "memory" in silent[0].reason


def write(path: Path, long: bool) -> Path:
    stamps = np.datetime_as_string((MINUTE * (1 + np.arange(N))).astype("M8[ns]"), unit="s")
    rows = values()
    text = [",".join(["timestamp", *NAMES])]
    if long:
        text = ["timestamp,metric,value"]
        text += [f"{s},{NAMES[k]},{float(v)!r}" for k in (2, 1, 0) for s, v in zip(stamps, rows[:, k], strict=True)]
    else:
        text += [
            ",".join([str(s), *("" if v != v else repr(v) for v in r)])
            for s, r in zip(stamps, rows.tolist(), strict=True)
        ]
    path.write_text("\n".join(text).replace("nan", "") + "\n")
    return path


@pytest.mark.parametrize("long", [False, True])
def test_detect_says_the_same_of_files(tmp_path: Path, long: bool, whole: Results) -> None:
    file = write(tmp_path / "ratios.csv", long)
    found = wb.detect(file, detector="seed001:window=60,refit_every=40", cutoff=2.0, join="cpu,memory,pods")
    table = found.to_arrow()
    for name in ("score", "anomaly_score"):
        there, here = table[name].to_numpy(), getattr(whole, name)
        # A table has no NaN but null.
        assert np.where(np.isnan(there), 0, there).tobytes() == np.where(np.isnan(here), 0, here).tobytes()
        assert (np.isnan(there) == np.isnan(here)).all()
    assert [a.opened for a in found.alerts] == [a.opened for a in sorted(whole.alerts, key=lambda a: -a.anomaly_score)]


def test_the_columns_of_a_detector_are_a_join(tmp_path: Path) -> None:
    file = write(tmp_path / "ratios.csv", False)
    named = wb.detect(file, detector="seed001:columns=cpu memory pods", cutoff=2.0)
    assert named.to_arrow().equals(wb.detect(file, detector="seed001", join=NAMES, cutoff=2.0).to_arrow())


def test_a_column_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'disk'"):
        wb.detect(write(tmp_path / "ratios.csv", False), detector="seed001", join="cpu,memory,disk")


def test_what_does_not_go_with_a_join() -> None:
    with pytest.raises(ConfigError, match="reads one value"):
        Watch("x", RollingZscore(), join=JOIN)
    with pytest.raises(ConfigError, match="reads 2 columns"):
        Watch("x", Seed001(columns="a b"), join=JOIN)
    with pytest.raises(ConfigError, match="--gap"):
        Watch("x", WATCH.detector, prepare=Prepare(gap="zero"), join=JOIN)


def test_a_backtest_says_what_detect_says(tmp_path: Path) -> None:
    from watchband.apps.library.backtest.call import backtest

    file = write(tmp_path / "ratios.csv", True)
    judge = "seed001:window=60,refit_every=40"
    found = backtest(file, detector=[judge, "random_cut_forest:shingle=2"], cutoff=2.0, join=NAMES)
    record, _ = found.told[0].outcomes[judge]
    expected = wb.detect(file, detector=judge, join=NAMES, cutoff=2.0).alerts
    assert [a.opened for a in record.alerts] == sorted(a.opened for a in expected) != []
    with pytest.raises(ConfigError, match="same series"):
        backtest(file, detector=["ewma", "seed001:columns=cpu memory pods"], cutoff=2.0)
