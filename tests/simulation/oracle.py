"""What must hold of a world at its end, whatever happened in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from tests.simulation.brittle import BrittleSink, Fate, HandClock
from tests.simulation.world import LATENESS, SHARD, Results_of, World
from watchband.adapters.stores.memory import MemoryStore
from watchband.core.alert import Alert
from watchband.core.entry import Columns
from watchband.core.ports import Batch, Commit
from watchband.pipeline.runner import Runner


def check(world: World) -> None:
    """Every promise.

    Raises
    ------
    AssertionError
        The first one that was not kept.
    """
    log = list(world.inner.log(SHARD, 0))
    _nothing_lost(world, log)
    calm, scores, sinks = undisturbed(world)
    _same_log(log, list(calm.store.log(SHARD, 0)))
    assert world.reported_twice == 0, "an entry was reported twice"
    for at, found in world.scores.items():
        assert found.same_bits(scores[at]), f"entry and watch {at} were scored otherwise"
        assert plain(found.alerts) == plain(scores[at].alerts), f"entry and watch {at} decided otherwise"
    kept, wanted = list(world.inner.alerts()), list(calm.store.alerts())
    assert [a.id for a in kept] == [a.id for a in wanted], "other alerts than in an undisturbed run"
    assert plain(kept) == plain(wanted), "alerts that differ from those of an undisturbed run"
    _same_states(world, calm)
    for sink, other in zip(world.sinks, sinks, strict=True):
        _same_notices(sink, other)
    assert not world.inner.outbox(2**62), "notices were left behind"
    assert not world.inner.dead_letters(), "dead letters could not be sent after all"


def undisturbed(world: World) -> tuple[Runner, Results_of, list[BrittleSink]]:
    """The same entries, one by one, with nothing going wrong and watches reloaded behind the same ones."""
    fate, clock = Fate(world.random, calm=True), HandClock(0)
    sinks = [BrittleSink(sink.name, fate) for sink in world.sinks]
    reloads = list(world.reloads)
    runner = Runner(reloads.pop(0)[1], MemoryStore(), sinks, shard=SHARD, clock=clock, lateness=LATENESS)
    scores: Results_of = {}
    for sequence in range(1, world.inner.head(SHARD) + 1):
        while reloads and reloads[0][0] < sequence:
            runner.rebind(reloads.pop(0)[1])
        for name, found in runner.take(world.store.applied[sequence]).items():
            scores[sequence, name] = found
    for _, bounds in reloads:
        runner.rebind(bounds)
    clock.sleep(1e6)
    runner.courier.deliver()
    return runner, scores, sinks


def plain(alerts: Sequence[Alert]) -> list[dict[str, Any]]:
    """Alerts as data, in which NaN equals NaN."""
    return [alert.to_dict() for alert in alerts]


def _nothing_lost(world: World, log: list[Commit]) -> None:
    kept: Counter[tuple[str, str, int, bytes]] = Counter()
    for entry in log:
        for r in entry.readings:
            kept.update((r.source, str(r.key), t, v.tobytes()) for t, v in zip(r.times.tolist(), r.values, strict=True))
    for feed in world.feeds:
        given: Counter[tuple[str, str, int, bytes]] = Counter()
        for batch in feed.batches if feed.kind == "pull" else feed.acknowledged:
            given.update(_points(feed.name, batch))
        missing = given - kept if feed.kind == "pull" else Counter(given.keys() - kept.keys())
        assert not missing, f"{len(missing)} acknowledged points of {feed.name} are not in the log"
        mine = Counter({k: n for k, n in kept.items() if k[0] == feed.name})
        if feed.kind == "pull":
            assert mine == given, "a batch that was read is in the log twice"


def _points(source: str, batch: Batch) -> list[tuple[str, str, int, bytes]]:
    return [
        (source, str(r.key), t, v.tobytes())
        for r in batch.readings
        for t, v in zip(r.times.tolist(), r.values, strict=True)
    ]


def _same_log(log: list[Commit], other: list[Commit]) -> None:
    assert [e.sequence for e in log] == [e.sequence for e in other]
    for a, b in zip(log, other, strict=True):
        numbers = range(len(a.readings))
        assert [str(r.key) for r in a.readings] == [str(r.key) for r in b.readings]
        mine, theirs = (Columns.of(e.readings, numbers, e.events).to_bytes() for e in (a, b))
        assert mine == theirs, f"entry {a.sequence} depends on what failed before it: {a} and {b}"
        assert dict(a.positions) == dict(b.positions)


def _same_states(world: World, calm: Runner) -> None:
    fresh = Runner(world.bounds, world.inner, shard=SHARD, lateness=LATENESS)
    for runner, what in ((world.runner, "in memory"), (fresh, "restored")):
        lanes = runner.live().lanes
        assert lanes.keys() == calm.live().lanes.keys()
        for name, lane in lanes.items():
            assert lane.state.same_bits(calm.live().lanes[name].state), f"the state of {name} {what} differs"


def _same_notices(sink: BrittleSink, other: BrittleSink) -> None:
    assert sink.first.keys() == other.first.keys(), f"sink {sink.name} was told something else"
    for key, notice in other.first.items():
        assert sink.first[key].alert.to_dict() == notice.alert.to_dict(), f"{key} says something else"
    if not sink.refused:
        told: dict[str, int] = {}
        for notice in sink.first.values():
            assert notice.revision > told.get(notice.alert.id, 0), f"{notice.id} came behind a later one"
            told[notice.alert.id] = notice.revision
