"""Runners that break one promise each. The simulation must catch every one of them within a few hundred seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from watchband.apps.service.engine import Engine
from watchband.core.entry import Columns
from watchband.core.errors import TransientError
from watchband.core.ports import Arrival, Commit, Notice, Readings
from watchband.pipeline import folding, intake, runner
from watchband.pipeline.bound import Lane
from watchband.pipeline.deliver import Courier
from watchband.pipeline.pulse import Pulse
from watchband.pipeline.runner import Runner, Shard
from watchband.pipeline.upstream import Upstream

Patch = pytest.MonkeyPatch


def answers_before_it_is_durable(patch: Patch) -> None:
    """Acknowledged, then committed."""
    fold = Engine._fold

    def hasty(self: Engine, items: list[Any]) -> None:
        for item in items:
            item.done.set_result(0)
        fold(self, items)

    patch.setattr(Engine, "_fold", hasty)


def goes_on_after_a_failed_commit(patch: Patch) -> None:
    """A state that was moved by an entry which nobody kept is used for the next."""
    append = Runner._append

    def careless(self: Runner, shard: Shard, *rest: Any) -> Any:
        try:
            return append(self, shard, *rest)
        except TransientError:
            self._live = shard
            raise

    patch.setattr(Runner, "_append", careless)


def forgets_positions(patch: Patch) -> None:
    """What was folded before a restart is folded again."""
    restore = Runner._restore

    def forgetful(self: Runner) -> Shard:
        shard = restore(self)
        shard.seen.clear()
        return shard

    patch.setattr(Runner, "_restore", forgetful)


def notes_before_it_tells(patch: Patch) -> None:
    """A notice is done before its sink has it."""
    tell = Courier._tell

    def early(self: Courier, lane: Any, part: Sequence[Notice]) -> bool:
        self.store.delivered(part)
        return tell(self, lane, part)

    patch.setattr(Courier, "_tell", early)


def snapshots_one_entry_too_far(patch: Patch) -> None:
    """The entry behind a snapshot is skipped."""

    def write(self: Runner, lane: Lane) -> None:
        self.store.snapshot(self.shard, lane.bound.name, lane.sequence + 1, lane.state.to_bytes())
        lane.points, lane.saved = 0, lane.sequence

    patch.setattr(Runner, "_write", write)


def snapshots_one_entry_too_early(patch: Patch) -> None:
    """The last entry is folded twice."""

    def write(self: Runner, lane: Lane) -> None:
        self.store.snapshot(self.shard, lane.bound.name, max(0, lane.sequence - 1), lane.state.to_bytes())
        lane.points, lane.saved = 0, lane.sequence

    patch.setattr(Runner, "_write", write)


def forgets_what_waits(patch: Patch) -> None:
    """Held readings are not in the snapshot."""
    plain = Upstream.to_bytes

    def without(self: Upstream) -> bytes:
        return plain(Upstream(dict(self.watermarks), None, self.windows))

    patch.setattr(Upstream, "to_bytes", without)


def forgets_windows(patch: Patch) -> None:
    """Windows are not in the snapshot."""
    plain = Upstream.to_bytes

    def without(self: Upstream) -> bytes:
        entry = Columns.from_bytes(plain(self))
        events = [e for e in entry.events if type(e).__name__ != "WindowOpened"]
        return Columns(
            entry.series, entry.counts, entry.times, entry.values, events, entry.sources, entry.source, entry.arrival
        ).to_bytes()

    patch.setattr(Upstream, "to_bytes", without)


def commits_alerts_apart(patch: Patch) -> None:
    """The entry first, its alerts in another transaction."""
    append = Runner._append

    def apart(self: Runner, *rest: Any) -> Any:
        store = self.store
        inner = store.commit

        def commit(one: Commit) -> None:
            inner(runner.replace(one, alerts=(), routes={}))
            for alert in one.alerts:
                store.head(one.shard)
                sinks = one.routes.get(alert.watch, ())
                record = store.fold(one.shard, alert.watch)
                if record is not None:
                    store.adopt(one.shard, alert.watch, record, [alert], sinks)

        with patch.context() as here:
            here.setattr(store, "commit", commit, raising=False)
            return append(self, *rest)

    patch.setattr(Runner, "_append", apart)


def tells_the_past(patch: Patch) -> None:
    """What a restored watch finds again is told once more."""
    adopt = Runner._lane

    def lane(self: Runner, bound: Any, head: int, ahead: Any = None) -> Lane:
        found = adopt(self, bound, head, ahead)
        record = self.store.fold(self.shard, bound.name)
        if record is not None:
            alerts = [a for a in self.store.alerts() if a.watch == bound.name]
            self.store.adopt(
                self.shard,
                bound.name,
                record,
                [runner.replace(a, severity="info") for a in alerts],
                self.routes[bound.name],
            )
        return found

    patch.setattr(Runner, "_lane", lane)


def lateness_by_memory(patch: Patch) -> None:
    """What is late is known to the process alone, not to its state."""
    newest: dict[tuple[int, str], int] = {}
    plain = intake.arrivals

    def remembered(readings: Sequence[Readings], states: Any, lateness: Mapping[str, int]) -> list[Readings]:
        found = []
        states = list(states)
        for one in plain(readings, states, lateness):
            known = (id(states[0]) if states else 0, str(one.key))
            late = len(one.times) and int(one.times.max()) < newest.get(known, -1)
            newest[known] = max(newest.get(known, -1), int(one.times.max(initial=-1)))
            arrival = Arrival.LATE if late else Arrival.ON_TIME if one.arrival == Arrival.LATE else one.arrival
            found.append(runner.replace(one, arrival=arrival))
        return found

    patch.setattr(runner, "arrivals", remembered)


def owners_are_not_kept(patch: Patch) -> None:
    """Which source a series belongs to is known to the process alone."""
    load = Pulse.load

    def forgetful(self: Pulse, data: bytes) -> Any:
        state = load(self, data)
        state.arrays["moments"][:, 10] = 0
        return state

    patch.setattr(Pulse, "load", forgetful)


def reads_the_clock(patch: Patch) -> None:
    """A fold that knows how often it was called in this process."""
    calls = iter(range(10**9))
    step = folding.fold_entry

    def fold(watch: Any, state: Any, readings: Any, events: Any = (), **rest: Any) -> Any:
        found = step(watch, state, readings, events, **rest)
        if next(calls) % 50 == 49 and len(found):
            found.score[-1] = 0.5
        return found

    patch.setattr("watchband.pipeline.watch.fold_entry", fold)


def answers_a_refused_batch(patch: Patch) -> None:
    """A store that fails is taken as one that has it."""
    take = Runner.take

    def hopeful(self: Runner, batches: Any) -> Any:
        try:
            return take(self, batches)
        except TransientError:
            return {}

    patch.setattr(Runner, "take", hopeful)


def loses_the_older_revision(patch: Patch) -> None:
    """A newer change of an alert is told before an earlier one that failed."""

    def forward(self: Courier, lane: Any, notice: Notice, error: Exception) -> None:
        self.store.delivered([notice])

    patch.setattr(Courier, "_again", forward)


MUTANTS: tuple[Callable[[Patch], None], ...] = (
    answers_before_it_is_durable,
    goes_on_after_a_failed_commit,
    forgets_positions,
    notes_before_it_tells,
    snapshots_one_entry_too_far,
    snapshots_one_entry_too_early,
    forgets_what_waits,
    forgets_windows,
    commits_alerts_apart,
    tells_the_past,
    lateness_by_memory,
    owners_are_not_kept,
    reads_the_clock,
    answers_a_refused_batch,
    loses_the_older_revision,
)


@contextmanager
def broken(mutant: Callable[[Patch], None]) -> Iterator[None]:
    """The runner is broken while this lasts."""
    with pytest.MonkeyPatch.context() as patch:
        mutant(patch)
        yield
