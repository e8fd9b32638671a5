"""Models in shadow: the bits of a watch of their own, promotion and rollback, and failures at any call of the store."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest

from tests.pipeline.faulty import KEYS, FaultyStore, ListSink, PatientClock, batches
from watchband.adapters.stores.memory import MemoryStore
from watchband.core.errors import ConfigError, TransientError
from watchband.core.events import ChallengerStarted, ControlEvent, ModelPromoted, ShadowEnded, WindowOpened
from watchband.core.ports import Batch
from watchband.detectors import Ewma, RollingZscore
from watchband.pipeline.bound import Bound
from watchband.pipeline.ledger import Ledger
from watchband.pipeline.lineage import Lineage, Model, fold_name
from watchband.pipeline.policy import Policy
from watchband.pipeline.priming import follow, held_spans, join, prime
from watchband.pipeline.results import Results
from watchband.pipeline.rules import Cutoff
from watchband.pipeline.runner import Runner
from watchband.pipeline.watch import Watch

NAME = "hosts"
OTHER = json.dumps({"half_life": 5})
SNAPSHOT_POINTS = 150


def made(settings: str) -> Watch:
    detector = Ewma(half_life=json.loads(settings)["half_life"]) if settings else RollingZscore(window=20)
    return Watch(NAME, detector, Cutoff(3.5), Policy(consecutive=2))


BOUND = Bound(made(""), makes=made)
BASE = BOUND.fingerprint


def started(number: int, settings: str = OTHER) -> ChallengerStarted:
    return ChallengerStarted(NAME, BASE, number, settings, number)


def promoted(number: int, back: bool = False) -> ModelPromoted:
    return ModelPromoted(NAME, BASE, number, 100, back)


def runner_of(
    store: MemoryStore, sink: ListSink | None = None, shadowed: list[tuple[str, Results]] | None = None
) -> Runner:
    found = Runner(
        BOUND, store, [sink] if sink else [], shard="s", snapshot_points=SNAPSHOT_POINTS, clock=PatientClock()
    )
    if shadowed is not None:
        found.on_shadows = lambda name, results: shadowed.append((name, results))
    return found


def say(runner: Runner, event: ControlEvent, position: str) -> None:
    """One step of a story; the same position again does nothing."""
    if position in runner.live().seen.get("list", ()):
        return
    if isinstance(event, ChallengerStarted):
        lane = prime(BOUND.shadow(Model(event.number, event.settings)), runner.store, "s")
        follow(lane, runner.store, "s")
        join(lane, runner.live().lanes[NAME].state)
        runner.live().shadows.write(lane)
    runner.step("list", Batch([], position, (event,)))


Step = Batch | ControlEvent


def play(store: MemoryStore, steps: Sequence[Step], sink: ListSink | None = None) -> Runner:
    """Take the steps; after every failure a new process begins."""
    runner = runner_of(store, sink)
    for number, step in enumerate(steps):
        while True:
            try:
                if isinstance(step, Batch):
                    runner.step("list", Batch(step.readings, f"{number}"))
                else:
                    say(runner, step, f"{number}")
                break
            except TransientError:
                runner = runner_of(store, sink)
    while True:
        try:
            runner.courier.deliver()
            return runner
        except TransientError:
            pass


def states(runner: Runner) -> dict[str, bytes]:
    shard = runner.live()
    return {name: lane.state.to_bytes() for name, lane in {**shard.lanes, **shard.shadows.lanes}.items()}


def test_a_shadow_has_the_bits_of_a_watch_of_its_own_and_tells_nobody() -> None:
    some = batches()
    store, sink, said = MemoryStore(), ListSink(), list[tuple[str, Results]]()
    runner = runner_of(store, sink, said)
    for number, batch in enumerate(some):
        if number == 3:
            say(runner, started(1), "start")
        runner.step("list", batch)
    alone = Runner(made(OTHER), other := MemoryStore(), shard="s")
    for batch in some:
        alone.step("list", batch)
    shadow = runner.live().shadows.lanes[fold_name(NAME, 1)]
    own = alone.live().lanes[NAME].state
    for stage, state in own.stages.items():
        assert state.same_bits(shadow.state.stages[stage]), stage
    calm = Runner(made(""), quiet := MemoryStore(), [again := ListSink()], shard="s")
    for batch in some:
        calm.step("list", batch)
    assert store.alerts() == quiet.alerts()
    assert sink.told == again.told
    assert shadow.state.ledger is not None
    assert list(shadow.state.ledger.every()) == other.alerts()
    assert len(said) == len(some) - 3 + 1
    assert {name for name, _ in said} == {fold_name(NAME, 1)}


def test_a_promotion_keeps_open_alerts_and_a_rollback_restores_the_bits() -> None:
    some = batches(800)
    # The level of the second host has changed by the 31st: its alert is open.
    steps: list[Step] = [*some[:8], started(1), *some[8:16], promoted(1), *some[16:18], promoted(0, True), *some[18:]]
    store, sink = MemoryStore(), ListSink()
    runner = play(store, steps, sink)
    calm = play(quiet := MemoryStore(), some, ListSink())
    state, other = runner.live().lanes[NAME].state, calm.live().lanes[NAME].state
    for stage in ("prepare", "detector", "calibrate"):
        assert state.stages[stage].same_bits(other.stages[stage]), stage
    assert state.upstream.lineage == Lineage(Model(0, "", 100), None, Model(1, OTHER, 100))
    # The alert that was open through both has one identity, and nobody heard of it twice.
    opened = [a for a in quiet.alerts() if a.series == KEYS[1]]
    assert opened
    assert opened[-1].id in {a.id for a in store.alerts()}
    assert len({key for key, _ in sink.told}) == len(sink.told)


def test_a_promoted_model_judges_as_it_would_have_from_the_beginning() -> None:
    some = batches(800)
    runner = play(MemoryStore(), [*some[:5], started(1), *some[5:7], promoted(1), *some[7:]])
    alone = Runner(made(OTHER), MemoryStore(), shard="s")
    for batch in some:
        alone.step("list", batch)
    lane, own = runner.live().lanes[NAME], alone.live().lanes[NAME].state
    assert lane.bound.watch == made(OTHER)
    assert lane.bound.fingerprint == BASE
    assert lane.state.stages["detector"].same_bits(own.stages["detector"])
    assert lane.state.stages["calibrate"].same_bits(own.stages["calibrate"])
    again = runner_of(runner.store)  # type: ignore[arg-type]
    assert states(again) == states(runner)


STORY = batches(320)
STEPS: list[Step] = [
    *STORY[:2],
    started(1),
    STORY[2],
    promoted(1),
    STORY[3],
    started(2, ""),
    STORY[4],
    promoted(0, True),
    STORY[5],
    ShadowEnded(NAME, BASE, 2, 200),
    *STORY[6:],
]


@pytest.mark.parametrize("after", [False, True])
def test_no_failure_of_the_store_loses_anything_or_decides_twice(after: bool) -> None:
    store, sink = MemoryStore(), ListSink()
    calm = play(store, STEPS, sink)
    counting = FaultyStore(10**9, after)
    play(counting, STEPS, ListSink())
    assert counting.calls > 60
    # Every other call fails before it takes effect, the others after.
    for fail_at in range(1 + after, counting.calls + 1, 2):
        broken, heard = FaultyStore(fail_at, after), ListSink()
        found = play(broken, STEPS, heard)
        assert broken.left == 0
        assert broken.alerts() == store.alerts(), fail_at
        assert heard.told == sink.told, fail_at
        assert states(found) == states(calm), fail_at
        assert states(runner_of(broken)) == states(calm), fail_at


def test_a_new_process_at_any_step() -> None:
    store, sink = MemoryStore(), ListSink()
    calm = play(store, STEPS, sink)
    broken, heard = MemoryStore(), ListSink()
    for number in range(1, len(STEPS) + 1):
        play(broken, STEPS[:number], heard)
    assert broken.alerts() == store.alerts()
    assert heard.told == sink.told
    assert states(runner_of(broken)) == states(calm)


def test_a_replay_of_the_whole_log_gives_the_same_verdicts_while_it_is_kept() -> None:
    runner = play(store := MemoryStore(), STEPS[:6])
    lane = runner.live().lanes[NAME]
    again = runner.ahead(BOUND).lane
    assert not again.lost
    assert again.state.same_bits(lane.state)
    assert store.fold("s", fold_name(NAME, 1)) is not None


def test_folds_of_models_that_are_gone_leave_the_store() -> None:
    runner = play(store := MemoryStore(), STEPS)
    runner.save()
    assert {s.name for s in store.states()} == {NAME, fold_name(NAME, 1)}
    runner.step("list", Batch([], "end", (ShadowEnded(NAME, BASE, 1, 300),)))
    assert {s.name for s in store.states()} == {NAME}
    assert not runner.live().shadows.lanes


def test_priming_learns_nothing_of_windows_and_of_what_was_held() -> None:
    some = batches()
    store = MemoryStore()
    runner = play(store, some)
    start, end = int(some[5].readings[0].times[0]), int(some[6].readings[0].times[-1]) + 1
    shadow = BOUND.shadow(Model(1, OTHER))
    plain = prime(shadow, store, "s").state
    window = WindowOpened("w", "no_learn", start, end, f'{{host="{KEYS[0].labels["host"]}"}}')
    kept = prime(shadow, store, "s", windows=[window]).state
    held = prime(shadow, store, "s", held=[(str(KEYS[0]), start, end)]).state
    for primed in (kept, held):
        assert not np.array_equal(primed.detector.arrays["level"][0], plain.detector.arrays["level"][0])
        assert np.array_equal(primed.detector.arrays["level"][1], plain.detector.arrays["level"][1])
    lane = prime(shadow, store, "s", held=[(str(KEYS[0]), start, end)])
    join(lane, runner.live().lanes[NAME].state)
    assert not len(lane.state.upstream.windows)


def test_alerts_that_lasted_or_became_normal_are_not_held_back() -> None:
    alerts = play(store := MemoryStore(), batches()).store.alerts()
    spans = held_spans(alerts, int(batches()[-1].readings[0].times[-1]))
    assert [span[0] for span in spans] == [str(a.series) for a in alerts]
    assert held_spans(alerts, 2**62) == [s for s, a in zip(spans, alerts, strict=True) if a.closed is not None]
    assert held_spans(alerts, 0, lambda alert: True) == []
    assert store.head("s")


def test_a_model_whose_watch_cannot_be_made_stops_alone() -> None:
    runner = play(store := MemoryStore(), STEPS[:4])

    def cannot(settings: str) -> Watch:
        raise ConfigError("there is no such file")

    again = Runner(Bound(made(""), makes=cannot), store, shard="s")
    assert again.live().lanes.keys() == {NAME}
    assert "no such file" in str(again.live().shadows.failed[fold_name(NAME, 1)])
    assert runner.live().shadows.lanes


def test_a_ledger_comes_back_from_bytes_and_counts_what_opened() -> None:
    alerts = play(MemoryStore(), batches()).store.alerts()
    ledger = Ledger(since=alerts[1].opened)
    ledger.take(alerts)
    ledger.take(alerts)
    again = Ledger.from_bytes(ledger.to_bytes())
    assert again.every() == alerts
    assert again.counts == ledger.counts
    assert sum(again.counts.values()) == len(alerts) - 1
