"""The store in memory keeps what the port promises."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from watchband.adapters.stores.memory import MemoryStore
from watchband.core.alert import Alert, alert_id
from watchband.core.errors import TransientError
from watchband.core.ports import Commit, Readings
from watchband.core.series import SeriesKey

KEY = SeriesKey("cpu", {"host": "a"})


def alert(opened: int = 5, **changes: object) -> Alert:
    made = Alert(
        id=alert_id(KEY, "w", opened),
        series=KEY,
        watch="w",
        detector="d",
        kind="value",
        severity="info",
        opened=opened,
        decided=opened,
        closed=None,
        peak_time=opened,
        value=9.0,
        expected=1.0,
        lower=0.0,
        upper=2.0,
        widths=3.5,
        direction="above",
        anomaly_score=1.2,
        confidence=1.0,
        points=1,
        reason="",
    )
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


def test_a_commit_is_kept_whole_and_by_copy() -> None:
    store = MemoryStore()
    times, values, positions = np.arange(3), np.ones(3), {"file": "3"}
    store.commit(Commit("s", 1, [Readings(KEY, times, values)], (), positions, [alert()]))
    times[0] = values[0] = 99
    positions["file"] = "?"
    for _ in range(2):
        (commit,) = store.log("s", 0)
        assert commit.readings[0].times.tolist() == [0, 1, 2]
        assert commit.readings[0].values.tolist() == [1.0, 1.0, 1.0]
        commit.readings[0].values[:] = 7  # a reader's copy is its own
    assert store.positions("s") == {"file": "3"}
    assert store.alerts() == store.outbox() == [alert()]


def test_what_is_not_there() -> None:
    store = MemoryStore()
    assert store.positions("s") == {}
    assert store.restore("s") is None
    assert list(store.log("s", 0)) == []
    assert store.alerts() == []
    assert store.outbox() == []
    store.delivered(["unknown"])


@pytest.mark.parametrize("sequence", [0, 1, 3])
def test_a_commit_out_of_turn_is_refused_and_changes_nothing(sequence: int) -> None:
    store = MemoryStore()
    store.commit(Commit("s", 1, positions={"a": "1"}))
    with pytest.raises(TransientError, match="Restore the shard"):
        store.commit(Commit("s", sequence, positions={"a": "2"}, alerts=[alert()]))
    assert store.positions("s") == {"a": "1"}
    assert store.alerts() == []
    assert len(list(store.log("s", 0))) == 1


def test_shards_do_not_touch_each_other() -> None:
    store = MemoryStore()
    store.commit(Commit("s", 1, positions={"a": "1"}))
    store.commit(Commit("t", 1, positions={"a": "9"}))
    store.snapshot("t", 1, b"t")
    assert store.positions("s") == {"a": "1"}
    assert store.restore("s") is None
    assert store.restore("t") == (1, b"t")


def test_the_outbox_tells_news_once_delivered_it_is_empty() -> None:
    store = MemoryStore()
    store.commit(Commit("s", 1, alerts=[alert()]))
    store.delivered([alert().id])
    assert store.outbox() == []
    store.commit(Commit("s", 2, alerts=[alert(points=2)]))  # stored, not told
    assert store.outbox() == []
    assert store.alerts() == [alert(points=2)]
    told = alert(points=3, severity="warning", anomaly_score=2.0)
    store.commit(Commit("s", 3, alerts=[told]))
    assert store.outbox() == [told]
    closed = dataclasses.replace(told, closed=9)
    store.commit(Commit("s", 4, alerts=[closed]))
    assert store.outbox() == store.alerts() == [closed]


def test_alerts_come_in_order_of_opening() -> None:
    store = MemoryStore()
    store.commit(Commit("s", 1, alerts=[alert(9), alert(3)]))
    assert [a.opened for a in store.alerts()] == [3, 9]


@pytest.mark.parametrize(("keep", "left"), [(True, [1, 2, 3]), (False, [3])])
def test_the_log_before_a_snapshot_may_be_dropped(keep: bool, left: list[int]) -> None:
    store = MemoryStore(keep_log=keep)
    for sequence in (1, 2, 3):
        store.commit(Commit("s", sequence))
    store.snapshot("s", 2, b"x")
    assert [c.sequence for c in store.log("s", 0)] == left
    assert [c.sequence for c in store.log("s", 2)] == [3]
