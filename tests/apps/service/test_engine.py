"""The engine thread and its inbox."""

from __future__ import annotations

import numpy as np
import pytest

from watchband.adapters.stores.memory import MemoryStore
from watchband.apps.service.engine import Engine
from watchband.apps.service.inbox import Inbox, InboxFullError
from watchband.core.ports import Batch, Readings
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


def test_a_full_inbox_refuses_and_keeps_what_it_has() -> None:
    inbox = Inbox(points_max=15)
    inbox.offer("push", batch(0))
    with pytest.raises(InboxFullError, match="again in 1 s"):
        inbox.offer("push", batch(10))
    assert [item.points for item in inbox.take(0)] == [10]
