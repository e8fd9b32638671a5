"""What must be true after any number of kills, of the log that is left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from tests.kill.load import Sender, value_of
from watchband.adapters.sinks.webhook import body_of
from watchband.adapters.stores.memory import MemoryStore
from watchband.core.ports import Commit, FoldRecord, Store
from watchband.core.series import SeriesKey
from watchband.pipeline.bound import Bound, Lane

SHARD = "main"
NEVER = 2**62
WATCHES = """\
watches:
  all: {detector: "rolling_zscore:window=20", cutoff: 6.0, close_after: 3}
"""


def acknowledged_is_kept(store: Store, senders: Iterable[Sender]) -> int:
    """Every point that was acknowledged is in the log as it was sent; how many those are.

    Raises
    ------
    AssertionError
        One is missing.
    """
    kept: dict[SeriesKey, dict[int, float]] = {}
    for entry in store.log(SHARD, 0):
        for readings in entry.readings:
            kept.setdefault(readings.key, {}).update(
                zip(readings.times.tolist(), readings.values.tolist(), strict=True)
            )
    points = 0
    for sender in senders:
        for number, key in enumerate(sender.keys()):
            found = kept.get(key, {})
            for step in range(sender.acknowledged):
                assert found.get(sender.time_of(step)) == value_of(number, step), f"step {step} of {key} is lost"
            points += sender.acknowledged
    return points


def undisturbed(store: Store, bounds: Sequence[Bound], routes: Mapping[str, Sequence[str]]) -> MemoryStore:
    """A store as a process without any trouble would have left it, of the same log."""
    other = MemoryStore()
    lanes = [Lane(bound) for bound in bounds]
    for bound in bounds:
        other.adopt(SHARD, bound.name, FoldRecord(bound.fingerprint, 0))
    for entry in store.log(SHARD, 0):
        alerts = [alert for lane in lanes for alert in lane.fold(entry).alerts]
        bare = Commit(entry.shard, entry.sequence, entry.readings, entry.events, entry.positions)
        other.commit(replace(bare, alerts=alerts, folds=[b.name for b in bounds], routes=routes))
    return other


def alerts_are_equal(store: Store, other: Store) -> int:
    """The alerts of both are the same, to the last field; how many there are.

    Raises
    ------
    AssertionError
        They are not.
    """
    found, expected = ([alert.to_dict() for alert in some.alerts()] for some in (store, other))
    assert len(found) == len(expected)
    for one, two in zip(found, expected, strict=True):
        assert one == two, {name: (one[name], two[name]) for name in one if one[name] != two[name]}
    return len(found)


def told(other: MemoryStore) -> dict[str, bytes]:
    """Every notice of a store, by its key, as it is sent."""
    found: dict[str, bytes] = {}
    while notices := other.outbox(NEVER):
        found.update((notice.id, body_of(notice, "native", notice.sink)[1]) for notice in notices)
        other.delivered(notices)
    return found
