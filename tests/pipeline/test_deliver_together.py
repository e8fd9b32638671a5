"""A sink that takes several notices in a call: each has a fate of its own, and none is told out of turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.pipeline.faulty import ListSink, PatientClock
from watchband.adapters.stores.memory import MemoryStore
from watchband.core.errors import PermanentError, TransientError, WatchbandError
from watchband.core.ports import Commit, Notice
from watchband.pipeline.deliver import Courier
from watchband.testing.contracts.outbox import an_alert

Fate = Callable[[Notice], WatchbandError | None]


class Many(ListSink):
    """Takes three at once, and of each what a test says."""

    at_once = 3

    def __init__(self, fate: Fate = lambda notice: None, per_minute: float = 0) -> None:
        super().__init__(name="x")
        self.fate, self.per_minute = fate, per_minute
        self.calls: list[list[int]] = []

    def write_all(self, notices: Sequence[Notice]) -> Sequence[WatchbandError | None]:
        self.calls.append([notice.alert.opened for notice in notices])
        return [self.fate(notice) for notice in notices]

    def write(self, notice: Notice) -> None:
        self.calls.append([notice.alert.opened])
        error = self.fate(notice)
        if error is not None:
            raise error


def outbox(*opened: int) -> MemoryStore:
    store = MemoryStore()
    store.commit(Commit("s", 1, alerts=[an_alert(at) for at in opened], routes={"w": ["x"]}))
    return store


def test_they_are_told_together() -> None:
    store, sink = outbox(5, 6, 7, 8), Many()
    assert Courier(store, [sink], clock=PatientClock()).deliver() == 4
    assert sink.calls == [[5, 6, 7], [8]]
    assert list(store.outbox(2**62)) == []


def test_each_has_its_own_fate() -> None:
    fates = {6: TransientError("busy"), 7: PermanentError("no")}
    store, clock = outbox(5, 6, 7, 8), PatientClock()
    sink = Many(lambda notice: fates.get(notice.alert.opened))
    courier = Courier(store, [sink], clock=clock)
    courier.deliver()
    assert sink.calls == [[5, 6, 7]], "who is busy is not asked for the next one either"
    assert [n.alert.opened for n in store.dead_letters()] == [7]
    assert [(n.alert.opened, n.tries) for n in store.outbox(2**62)] == [(6, 1), (8, 0)]
    fates.clear()
    clock.sleep(60)
    assert courier.deliver() == 2
    assert sink.calls[1:] == [[8, 6]], "what failed before comes last"


def test_a_call_that_fails_whole_leaves_all_of_it() -> None:
    def away(notice: Notice) -> WatchbandError | None:
        raise TransientError("away", retry_after=30.0)

    store, clock = outbox(5, 6, 7, 8), PatientClock()
    courier = Courier(store, [Many(away)], clock=clock)
    assert courier.deliver() == 0
    assert [(n.alert.opened, n.tries) for n in store.outbox(2**62)] == [(5, 1), (6, 1), (7, 1), (8, 0)]
    assert courier.lanes["x"].failures == 1, "one call, one failure"


def test_too_few_answers_are_a_failure_and_not_a_delivery() -> None:
    store, sink = outbox(5, 6), Many()
    sink.write_all = lambda notices: [None]  # type: ignore[method-assign]
    Courier(store, [sink], clock=PatientClock()).deliver()
    assert [n.tries for n in store.outbox(2**62)] == [1, 1]


def test_the_pace_counts_notices() -> None:
    store, clock = outbox(*range(5, 15)), PatientClock()
    sink = Many(per_minute=4)
    courier = Courier(store, [sink], clock=clock)
    first = courier.deliver()
    assert first == sum(map(len, sink.calls)) < 10
    for _ in range(200):
        clock.sleep(1)
        courier.deliver()
    assert sorted(at for call in sink.calls for at in call) == list(range(5, 15))
