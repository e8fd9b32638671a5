"""Replay: the log folded again, to check a state, to go back to one, and to take in what came late."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from watchband.core.errors import ConfigError
from watchband.core.ports import Arrival, Commit, Readings, Store
from watchband.pipeline.bound import Bound, Lane
from watchband.pipeline.reverting import lane_of

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of folding the log since a snapshot, beside a later snapshot.

    Parameters
    ----------
    watch : str
        Which.
    older, newer : int
        Entries that the two snapshots stand behind; 0: the beginning of the log.
    same : bool or None
        Whether the states are equal bit for bit; None where nothing could be compared.
    says : str
        In words.
    """

    watch: str
    older: int
    newer: int
    same: bool | None
    says: str


def check(bound: Bound, store: Store, shard: str, progress: Progress | None = None) -> Checked:
    """Fold the log from the oldest snapshot that is kept to the newest, and compare.

    With one snapshot only, the log is folded from its beginning, if all of it is still there.
    """
    state = next((s for s in store.states() if (s.shard, s.name) == (shard, bound.name)), None)
    if state is None or not state.snapshots:
        return Checked(bound.name, 0, 0, None, "there is no snapshot yet")
    if state.fingerprint != bound.fingerprint:
        return Checked(bound.name, 0, 0, None, "the configuration has changed since the snapshots were written")
    newest, oldest = state.snapshots[0].sequence, state.snapshots[-1].sequence
    lane = lane_of(bound, store, shard)
    if oldest == newest:
        oldest = 0
        first = next(iter(store.log(shard, 0)), None)
        if first is None or first.sequence != 1:
            return Checked(bound.name, newest, newest, None, "there is one snapshot, and the log before it is gone")
    else:
        lane = loaded(bound, store, shard, oldest)
    for entry in store.log(shard, oldest):
        if entry.sequence > newest:
            break
        lane.fold(entry)
        if progress:
            progress(bound.name, entry.sequence - oldest, newest - oldest)
    if lane.lost:
        says = "it went back to a state whose snapshot and log are gone, so nothing can be compared"
        return Checked(bound.name, oldest, newest, None, says)
    same = lane.state.same_bits(loaded(bound, store, shard, newest).state)
    since = f"entry {oldest}" if oldest else "the beginning"
    says = f"{newest - oldest} entries folded again from {since}: " + (
        "the same state, bit for bit" if same else "ANOTHER state than the one that was written"
    )
    return Checked(bound.name, oldest, newest, same, says)


def loaded(bound: Bound, store: Store, shard: str, sequence: int) -> Lane:
    """A watch as its snapshot of an entry says.

    Raises
    ------
    ConfigError
        There is none.
    StateError
        It cannot be used.
    """
    found = store.restore(shard, bound.name, sequence)
    if found is None or found[0] != sequence:
        raise ConfigError(f"The watch {bound.name!r} has no snapshot behind entry {sequence}.")
    return lane_of(bound, store, shard, found)


def late_in_place(entries: Iterable[Commit]) -> Iterator[Commit]:
    """Entries with what came late moved to where it belongs: before the first later reading of its series.

    The whole range is held in memory.
    """
    kept = list(entries)
    late: list[Readings] = [r for e in kept for r in e.readings if r.arrival is Arrival.LATE]
    waiting: dict[object, list[Readings]] = {}
    for one in late:
        waiting.setdefault(one.key, []).append(one)
    for entry in kept:
        readings = [_with(r, waiting) for r in entry.readings if r.arrival is not Arrival.LATE]
        yield replace(entry, readings=readings)


def _with(one: Readings, waiting: dict[object, list[Readings]]) -> Readings:
    """A slice with those late readings of its series that are older than its last one."""
    late = waiting.get(one.key)
    if not late or not len(one.times):
        return one
    import numpy as np

    times = np.concatenate([r.times for r in late])
    values = np.concatenate([r.values for r in late])
    now = times <= one.times.max()
    if not now.any():
        return one
    waiting[one.key] = [Readings(one.key, times[~now], values[~now])] if not now.all() else []
    # What came on time is first: of two values of one time the first counts.
    all_times, all_values = np.concatenate([one.times, times[now]]), np.concatenate([one.values, values[now]])
    order = np.argsort(all_times, kind="stable")
    return replace(one, times=all_times[order], values=all_values[order])


def named(bounds: Sequence[Bound], name: str) -> Bound:
    """The watch of a name.

    Raises
    ------
    ConfigError
        There is none.
    """
    found = next((b for b in bounds if b.name == name), None)
    if found is None:
        raise ConfigError(f"No watch is called {name!r}. There are {', '.join(b.name for b in bounds) or 'none'}.")
    return found
