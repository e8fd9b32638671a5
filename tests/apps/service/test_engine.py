"""The engine thread and its inbox."""

from __future__ import annotations

import time

import numpy as np
import pytest

from watchband.adapters.stores.memory import MemoryStore
from watchband.apps.service.engine import Engine, StandbyError
from watchband.apps.service.inbox import Inbox, InboxFullError
from watchband.core.errors import FencedError
from watchband.core.ports import Batch, Commit, Readings
from watchband.core.series import SeriesKey
from watchband.detectors import Ewma
from watchband.pipeline.runner import Runner
from watchband.pipeline.watch import Watch


def batch(first: int, count: int = 10, position: str = "") -> Batch:
    times = (first + np.arange(count)) * 60_000_000_000
    return Batch([Readings(SeriesKey("cpu"), times, np.sin(times / 1e12))], position)


def test_an_answer_means_that_it_is_in_the_log() -> None:
    store = MemoryStore()
    engine = Engine(Runner(Watch("w", Ewma()), store, shard="main"), Inbox())
    engine.start()
    answers = [engine.inbox.offer("push", batch(10 * n)) for n in range(5)]
    numbers = [answer.result(10) for answer in answers]
    assert engine.stop(10)
    assert sum(len(r.times) for entry in store.log("main", 0) for r in entry.readings) == 50
    assert max(numbers) == store.head("main")


def test_batches_without_readings_fill_the_inbox_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watchband.apps.service.inbox.ITEMS_MAX", 3)
    inbox = Inbox()
    for n in range(3):
        inbox.offer("push", Batch([], f"tick {n}"))
    with pytest.raises(InboxFullError):
        inbox.offer("push", Batch([], "tick 3"))
    inbox.take(0)
    inbox.offer("push", Batch([], "tick 3"))


def test_errands_that_nobody_waits_for_do_not_pile_up() -> None:
    engine = Engine(Runner(Watch("w", Ewma()), MemoryStore(), shard="main"), Inbox())
    for _ in range(100):
        engine.call(lambda: None).cancel()
    asked = engine.call(lambda: 7)
    assert len(engine._errands) == 1
    engine.start()
    assert asked.result(10) == 7
    assert engine.stop(10)


class Stumbling(MemoryStore):
    """Another process leads; then this one does, and its store surprises it once."""

    fenced = surprised = False

    def commit(self, commit: Commit) -> None:
        if not self.fenced:
            self.fenced = True
            raise FencedError("another one leads")
        super().commit(commit)

    def head(self, shard: str) -> int:
        if self.fenced and not self.surprised:
            self.surprised = True
            raise RuntimeError("a surprise")
        return super().head(shard)


def test_whoever_stands_by_takes_over_whatever_the_store_raises_at_first() -> None:
    engine = Engine(Runner(Watch("w", Ewma()), Stumbling(), shard="main"), Inbox(), wait=lambda s: None)
    engine.start()
    with pytest.raises(StandbyError):
        engine.inbox.offer("push", batch(0)).result(10)
    for _ in range(1000):
        if not engine.standby:
            break
        time.sleep(0.01)
    assert engine.inbox.offer("push", batch(0)).result(10) == 1
    assert engine.stop(10)


def test_a_full_inbox_refuses_and_keeps_what_it_has() -> None:
    inbox = Inbox(points_max=15)
    inbox.offer("push", batch(0))
    with pytest.raises(InboxFullError, match="again in 1 s"):
        inbox.offer("push", batch(10))
    assert [item.points for item in inbox.take(0)] == [10]
