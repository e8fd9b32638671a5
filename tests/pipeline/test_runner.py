"""The only loop: exact through failures, repeats, restarts and replay."""

from __future__ import annotations

import numpy as np
import pytest

from tests.pipeline.faulty import KEYS, FaultyStore, ListSink, ListSource, PatientClock, batches
from watchband.adapters.stores.memory import MemoryStore
from watchband.core.errors import PermanentError, PointsShapeError, StateCorruptError, TransientError
from watchband.core.ports import Batch, Readings
from watchband.core.series import SeriesKey
from watchband.detectors import RollingZscore
from watchband.pipeline.policy import Policy
from watchband.pipeline.prepare import Prepare
from watchband.pipeline.results import Results
from watchband.pipeline.rules import Cutoff
from watchband.pipeline.runner import RETRIES_MAX, Runner
from watchband.pipeline.watch import Watch

WATCH = Watch("hosts", RollingZscore(window=20), Cutoff(3.5), Policy(consecutive=2))
SNAPSHOT_POINTS = 150


def run(store: MemoryStore, source: ListSource, sink: ListSink | None = None, **options: object) -> Runner:
    runner = Runner(
        WATCH,
        store,
        [sink] if sink else [],
        snapshot_points=SNAPSHOT_POINTS,
        clock=PatientClock(),
        **options,  # type: ignore[arg-type]
    )
    runner.run(source)
    return runner


@pytest.fixture(scope="module")
def undisturbed() -> tuple[MemoryStore, ListSink]:
    store, sink = MemoryStore(), ListSink()
    run(store, ListSource(batches()), sink)
    assert len(store.alerts()) >= 2
    assert {str(a.series) for a in store.alerts()} == {str(k) for k in KEYS}
    return store, sink


def log_of(store: MemoryStore) -> list[tuple[int, dict[str, str], int, tuple[str, ...]]]:
    return [
        (c.sequence, dict(c.positions), sum(len(r.times) for r in c.readings), tuple(a.id for a in c.alerts))
        for c in store.log("hosts", 0)
    ]


@pytest.mark.parametrize("after", [False, True])
def test_a_store_that_fails_between_any_two_calls(undisturbed: tuple[MemoryStore, ListSink], after: bool) -> None:
    calm_store, calm_sink = undisturbed
    counting = FaultyStore(10**9, after)
    run(counting, ListSource(batches()), ListSink())
    assert counting.calls > 20
    for fail_at in range(1, counting.calls + 1):
        store, sink = FaultyStore(fail_at, after), ListSink()
        run(store, ListSource(batches()), sink)
        assert store.left == 0
        assert store.alerts() == calm_store.alerts(), fail_at
        assert log_of(store) == log_of(calm_store), fail_at
        assert sink.told == calm_sink.told, fail_at
        assert sink.repeats <= 1


def test_a_new_process_after_a_crash_at_any_batch(undisturbed: tuple[MemoryStore, ListSink]) -> None:
    store, sink = MemoryStore(), ListSink()
    for _ in range(len(batches())):
        Runner(WATCH, store, [sink], snapshot_points=SNAPSHOT_POINTS).run(ListSource(batches()), stop=lambda: True)
    assert log_of(store) == log_of(undisturbed[0])
    assert store.alerts() == undisturbed[0].alerts()
    assert sink.told == undisturbed[1].told
    assert not sink.repeats


@pytest.mark.parametrize(("repeat", "back"), [(True, 0), (False, 3), (True, 2)])
def test_repeated_batches_change_nothing(undisturbed: tuple[MemoryStore, ListSink], repeat: bool, back: int) -> None:
    store = MemoryStore()
    for _ in range(3):
        run(store, ListSource(batches(), repeat, back))
    assert log_of(store) == log_of(undisturbed[0])
    assert store.alerts() == undisturbed[0].alerts()


def test_live_equals_replay_of_the_log() -> None:
    store, live = MemoryStore(), []
    runner = Runner(WATCH, store, snapshot_points=SNAPSHOT_POINTS, on_results=live.append)
    runner.run(ListSource(batches()))
    runner.finish()
    again: list[Results] = []
    state = WATCH.start()
    for commit in store.log("hosts", 0):
        again.append(WATCH.fold(state, commit.readings, commit.events))
    assert len(live) == len(again)
    assert all(a.same_bits(b) and a.alerts == b.alerts for a, b in zip(live, again, strict=True))
    restored = Runner(WATCH, store).live()
    assert restored.lanes["hosts"].state.same_bits(state)
    assert restored.sequence == runner.live().sequence


def test_the_end_of_a_stream_is_part_of_the_log() -> None:
    watch = Watch("hosts", RollingZscore(window=5), Cutoff(3), prepare=Prepare(resample_ns=600_000_000_000))
    store, live = MemoryStore(), []
    runner = Runner(watch, store, on_results=live.append)
    runner.run(ListSource(batches()))
    assert len(runner.finish()["hosts"]) == 2
    again = Runner(watch, store).live().lanes["hosts"]
    assert again.state.same_bits(runner.live().lanes["hosts"].state)


def test_bad_readings_of_one_series_do_not_stop_the_others() -> None:
    plain, broken = batches(), batches()
    bad = SeriesKey("broken")
    wrong = (
        Readings(bad, np.arange(3), np.arange(2.0)),
        Readings(bad, np.array(["a"]), np.array([1.0])),  # type: ignore[arg-type]
        Readings(bad, np.arange(1), np.array(["x"])),  # type: ignore[arg-type]
    )
    broken[2] = Batch([*broken[2].readings, *wrong], broken[2].position)
    stores = MemoryStore(), MemoryStore()
    run(stores[0], ListSource(plain))
    runner = run(stores[1], ListSource(broken))
    assert stores[0].alerts() == stores[1].alerts()
    assert log_of(stores[0]) == log_of(stores[1])
    assert [r.key for r in runner.rejected] == [bad] * 3
    assert all(isinstance(r.error, PointsShapeError) for r in runner.rejected)
    assert runner.rejected[0].rows == 3


def test_readings_of_one_series_in_pieces_are_joined() -> None:
    whole, pieces = batches(), batches()
    for number, batch in enumerate(pieces):
        cut = [Readings(r.key, r.times[p], r.values[p]) for p in (slice(0, 7), slice(7, None)) for r in batch.readings]
        pieces[number] = Batch(cut, batch.position)
    stores = MemoryStore(), MemoryStore()
    run(stores[0], ListSource(whole))
    run(stores[1], ListSource(pieces))
    assert stores[0].alerts() == stores[1].alerts()


def test_a_refusing_sink_gets_its_alerts_later_and_in_order() -> None:
    store, clock = MemoryStore(), PatientClock()
    calm, late = ListSink(name="calm"), ListSink(refusals=2, name="late")
    runner = Runner(WATCH, store, [calm, late], clock=clock)
    runner.run(ListSource(batches()))
    assert store.outbox(2**62)
    for _ in range(10):
        clock.sleep(5)
        runner.courier.deliver()
    assert late.told == calm.told
    assert late.told
    assert not store.outbox(2**62)


def test_what_a_sink_will_never_take_is_kept_aside_and_the_others_are_told() -> None:
    store, calm, broken = MemoryStore(), ListSink(name="calm"), ListSink(10**9, PermanentError, "broken")
    Runner(WATCH, store, [broken, calm]).run(ListSource(batches()))
    assert calm.told
    assert [n.id for n in store.dead_letters()] == [key for key, _ in calm.told]
    assert not store.outbox(2**62)
    broken.refusals = 0
    store.revive(store.dead_letters())
    Runner(WATCH, store, [broken, calm]).courier.deliver()
    Runner(WATCH, store, [broken, calm]).courier.deliver()
    assert sorted(broken.told) == sorted(calm.told)


def test_a_store_that_stays_broken_is_given_up() -> None:
    store = FaultyStore(3, after=False, times_over=10**9)
    clock = PatientClock()
    with pytest.raises(TransientError):
        Runner(WATCH, store, clock=clock).run(ListSource(batches()))
    assert store.calls <= 3 + 3 * (RETRIES_MAX + 1)
    assert clock.time > 0


def test_a_second_writer_is_told_and_goes_on_from_what_is_there(undisturbed: tuple[MemoryStore, ListSink]) -> None:
    store = MemoryStore()
    first, second = Runner(WATCH, store, clock=PatientClock()), Runner(WATCH, store, clock=PatientClock())
    first.live(), second.live()
    first.step("list", batches()[0])
    second.run(ListSource(batches()))
    assert log_of(store) == log_of(undisturbed[0])


def test_a_damaged_snapshot_says_what_to_do() -> None:
    store = MemoryStore()
    run(store, ListSource(batches()))
    sequence, data = store.restore("hosts", "hosts") or (0, b"")
    for damaged in (data[:2], data[:40], data[:-5], data[:200] + bytes([data[200] ^ 1]) + data[201:]):
        store.snapshot("hosts", "hosts", sequence, damaged)
        with pytest.raises(StateCorruptError, match="start cold"):
            Runner(WATCH, store).live()
