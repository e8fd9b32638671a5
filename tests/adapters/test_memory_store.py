"""What the store in memory has beyond the contract: it may forget the log that snapshots cover."""

from __future__ import annotations

import pytest

from watchband.adapters.stores.memory import MemoryStore
from watchband.core.ports import Commit, FoldRecord


@pytest.mark.parametrize(("keep", "left"), [(True, [1, 2, 3]), (False, [3])])
def test_the_log_before_a_snapshot_may_be_dropped(keep: bool, left: list[int]) -> None:
    store = MemoryStore(keep_log=keep)
    store.adopt("s", "w", FoldRecord("f", 0))
    for sequence in (1, 2, 3):
        store.commit(Commit("s", sequence))
    store.snapshot("s", "w", 2, b"x")
    assert [c.sequence for c in store.log("s", 0)] == left
    assert [c.sequence for c in store.log("s", 2)] == [3]


def test_the_log_stays_as_long_as_one_fold_needs_it() -> None:
    store = MemoryStore(keep_log=False)
    store.adopt("s", "w", FoldRecord("f", 0))
    store.adopt("s", "v", FoldRecord("g", 0))
    for sequence in (1, 2, 3):
        store.commit(Commit("s", sequence))
    store.snapshot("s", "w", 3, b"x")
    assert len(list(store.log("s", 0))) == 3
    store.snapshot("s", "v", 1, b"x")
    assert [c.sequence for c in store.log("s", 0)] == [2, 3]
