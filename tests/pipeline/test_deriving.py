"""Derived series in the runner: in the log, judged, and the same through every failure and restart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tests.pipeline.faulty import FaultyStore
from watchband.adapters.stores.memory import MemoryStore
from watchband.core.errors import TransientError
from watchband.core.ports import Batch, Readings, Store
from watchband.core.series import SeriesKey
from watchband.detectors import RollingMedian
from watchband.pipeline import deriving
from watchband.pipeline.bound import Bound
from watchband.pipeline.deriving import FOLD
from watchband.pipeline.policy import Policy
from watchband.pipeline.rules import Cutoff
from watchband.pipeline.runner import Runner
from watchband.pipeline.watch import Watch

MINUTE = 60_000_000_000
EXPRESSIONS = {"error_ratio": "errors / requests", "errors_per_second": "rate(errors)"}
Points = list[tuple[str, int, float]]


def batches(n: int = 40) -> list[tuple[str, Batch]]:
    """Errors and requests by two sources, which take turns: each reading in a batch of its own."""
    rng = np.random.default_rng(7)
    found = []
    for k in range(n):
        for source, metric, value in (
            ("e", "errors", 50.0 + (100.0 if k >= n - 10 else 0.0)),
            ("r", "requests", 100.0),
        ):
            late = k + 1 if source == "r" and k % 7 == 3 else k
            reading = Readings(
                SeriesKey(metric, {"host": "a"}), np.array([k * MINUTE]), np.array([value + float(rng.normal())])
            )
            found.append((late, source, Batch([reading], f"{source}{k}")))
    found.sort(key=lambda one: one[0])
    return [(source, batch) for _, source, batch in found]


def runner(store: Store, snapshot_points: int = 100_000) -> Runner:
    watch = Watch("ratio", RollingMedian(window=21), Cutoff(8), Policy(consecutive=2))
    bound = Bound(watch, takes=lambda key: key.metric == "error_ratio", selector="error_ratio")
    return Runner([bound], store, shard="s", snapshot_points=snapshot_points, expressions=EXPRESSIONS)


def points(store: Store, metrics: Sequence[str] = tuple(EXPRESSIONS)) -> Points:
    return [
        (str(r.key), t, v)
        for entry in store.log("s", 0)
        for r in entry.readings
        if r.key.metric in metrics
        for t, v in zip(r.times.tolist(), r.values.tolist(), strict=True)
    ]


def undisturbed() -> MemoryStore:
    store = MemoryStore()
    made = runner(store)
    for source, batch in batches():
        made.take([(source, batch)])
    return store


def told(store: Store) -> list[dict[str, object]]:
    return [alert.to_dict() for alert in store.alerts()]


def test_derived_series_are_in_the_log_and_judged() -> None:
    store = undisturbed()
    found = points(store)
    assert len([p for p in found if p[0] == 'error_ratio{host="a"}']) == 40
    assert len([p for p in found if p[0] == 'errors_per_second{host="a"}']) == 39
    assert len(store.alerts()) >= 1


def test_replay_gives_the_same_alerts() -> None:
    store = undisturbed()
    before = told(store)
    store.forget("s", "ratio")
    again = Runner(runner(store).bounds, store, shard="s", expressions=EXPRESSIONS)
    again.live()
    assert (told(store), len(points(store))) == (before, len(points(undisturbed())))


@pytest.mark.parametrize(("every", "snapshot_points"), [(1, 5), (3, 100_000), (50, 100_000)])
def test_restarts_anywhere_change_nothing(every: int, snapshot_points: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # Nothing here reads a clock or depends on the order of a hash. But eighty restarts that all fold the whole log are
    # 1.4 s of work, and a minute on a machine that is busy with other things; these are 0.4 s.
    monkeypatch.setattr(deriving, "SNAPSHOT_ENTRIES", 10)
    store, expected = MemoryStore(), undisturbed()
    made = runner(store)
    for number, (source, batch) in enumerate(batches()):
        if number % every == 0:
            made = runner(store, snapshot_points)
        made.take([(source, batch)])
    assert (points(store), told(store)) == (points(expected), told(expected))


@pytest.mark.parametrize("size", [2, 5, 40])
def test_entries_of_any_size_give_the_same_points(size: int) -> None:
    store, expected = MemoryStore(), undisturbed()
    made, todo = runner(store), batches()
    for at in range(0, len(todo), size):
        made.take(todo[at : at + size])
    assert sorted(points(store)) == sorted(points(expected))


@pytest.mark.parametrize("after", [False, True])
def test_a_store_that_fails_anywhere_changes_nothing(after: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deriving, "SNAPSHOT_ENTRIES", 5)
    todo = batches(20)
    clean = MemoryStore()
    made = runner(clean)
    for source, batch in todo:
        made.take([(source, batch)])
    for fail_at in range(1, 60, 4):
        store = FaultyStore(fail_at, after)
        made = runner(store)
        for source, batch in todo:
            for _ in range(4):
                try:
                    made.take([(source, batch)])
                    break
                except TransientError:
                    continue
        assert points(store) == points(clean), f"call {fail_at}"


def test_repeated_batches_derive_nothing() -> None:
    store, expected = MemoryStore(), undisturbed()
    made = runner(store)
    for source, batch in batches():
        made.take([(source, batch)])
        made.take([(source, batch)])
        made.take([(source, Batch(batch.readings, ""))])
    assert points(store) == points(expected)


def test_other_expressions_go_on_from_the_tail_of_the_log() -> None:
    store = MemoryStore()
    made = runner(store)
    todo = batches(20)
    for source, batch in todo[:21]:
        made.take([(source, batch)])
    made.express({"share": "errors / requests"})
    for source, batch in todo[21:]:
        made.take([(source, batch)])
    assert [t // MINUTE for _, t, _ in points(store, ["share"])] == list(range(10, 20))
    made.express({})
    assert store.fold("s", FOLD) is None


def test_a_series_that_is_called_like_an_expression_stops_nothing() -> None:
    store = MemoryStore()
    made = runner(store)
    both = [Readings(SeriesKey(name), np.array([0]), np.array([4.0])) for name in ("errors", "requests", "error_ratio")]
    made.take([("e", Batch(both, "1"))])
    assert not made.stopped
    assert [v for _, _, v in points(store, ["error_ratio"])] == [4.0, 1.0]
