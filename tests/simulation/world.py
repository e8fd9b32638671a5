"""One simulated world: feeds, a service that is cut down to its logic, and a seed that decides what goes wrong."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.simulation.brittle import BrittleSink, BrittleStore, Crash, Fate, HandClock
from tests.simulation.feeds import Feed, feed_of
from watchband.adapters.stores.memory import MemoryStore
from watchband.adapters.stores.sqlite.store import SqliteStore
from watchband.apps.service.engine import Engine
from watchband.apps.service.inbox import Inbox
from watchband.core.duration import MINUTE
from watchband.core.errors import TransientError
from watchband.core.events import ControlEvent, SeriesExpired, SourceResumed, WatermarkMoved, WindowClosed, WindowOpened
from watchband.core.ports import Batch, Store
from watchband.core.series import SeriesKey
from watchband.detectors import Ewma, RollingMedian
from watchband.pipeline.bound import Bound
from watchband.pipeline.policy import Policy
from watchband.pipeline.pulse import Pulse
from watchband.pipeline.results import Results
from watchband.pipeline.rules import Cutoff
from watchband.pipeline.runner import Runner
from watchband.pipeline.watch import Watch

SHARD = "main"
LATENESS = {"held": 5 * MINUTE}
KEYS = [SeriesKey("cpu", {"host": name}) for name in "abcd"]
STEPS_MAX, WAITS_MAX = 400, 100
Results_of = dict[tuple[int, str], Results]


@dataclass
class World:
    """Everything of one seed.

    Attributes
    ----------
    reloads : list of (int, list of Bound)
        Behind which entry which watches took over.
    scores : dict of (entry, watch) to Results
        What was reported of the entries, live.
    """

    seed: int
    directory: Path | None = None
    trace: list[str] = field(default_factory=list)
    reloads: list[tuple[int, list[Bound]]] = field(default_factory=list)
    scores: Results_of = field(default_factory=dict)
    waiting: list[tuple[Feed, Batch, Future[int]]] = field(default_factory=list)
    ticks: int = 0
    resumed: set[str] = field(default_factory=set)
    reported_twice: int = 0
    waits: int = 0

    def __post_init__(self) -> None:
        rng = self.random = random.Random(self.seed)
        share, crashes = rng.choice((0.0, 0.02, 0.06, 0.12)), rng.choice((0.0, 0.2, 0.6))
        self.fate = Fate(random.Random(self.seed + 1), share, crashes, trace=self.trace)
        self.clock = HandClock(0)
        self.feeds = self._feeds()
        self.bounds = [Bound(self._watch("one"))]
        if rng.random() < 0.25:
            sinks = rng.choice((None, ["x"], ["x", "y"]))
            self.bounds.append(Bound(self._watch("two"), lambda key: key.labels["host"] in "ab", "ab", sinks))
        self.snapshot_points = rng.choice((10, 60, 100_000))
        self.sinks = [BrittleSink(name, self.fate) for name in ("x", "y")]
        self.inner = self._open()
        self.store = BrittleStore(self.inner, self.fate)
        self.reloads.append((0, self.bounds))
        self.start()

    def _feeds(self) -> list[Feed]:
        rng, minutes = self.random, self.random.choice((30, 40, 70))
        shared = rng.random() < 0.15
        feeds = [feed_of("pull", "pull", KEYS[: rng.choice((1, 2))], minutes, rng)]
        kind = rng.choice(("push", "held", None, None))
        if kind == "push":
            feeds.append(feed_of("push", "push", KEYS[0:1] if shared else KEYS[2:3], minutes, rng))
        elif kind == "held":
            feeds.append(feed_of("held", "held", KEYS[2:4], minutes, rng))
        return feeds

    def _watch(self, name: str) -> Watch:
        rng = self.random
        policy = Policy(
            consecutive=rng.choice((1, 1, 3, 5)),
            close_after=rng.choice((2, 5)),
            cool_down=rng.choice((0, 0, 4)),
            flap_hold=rng.choice((0, 0, 3)),
            missing=rng.choice(("missing", "missing", "breaching", "not_breaching", "ignore")),
        )
        detector = rng.choice((Ewma(), RollingMedian(window=9)))
        pulse = Pulse(least_ns=0, equal=5, ends_ns=20 * MINUTE)
        return Watch(name, detector, Cutoff(rng.choice((4.0, 6.0))), policy, pulse=pulse)

    def _open(self) -> Store:
        return MemoryStore() if self.directory is None else SqliteStore(self.directory, clock=self.clock)

    def start(self) -> None:
        """A process starts, with what the store has kept."""
        self.inbox = Inbox()
        self.resumed.clear()
        self.runner = Runner(
            self.bounds,
            self.store,  # type: ignore[arg-type]
            self.sinks,
            shard=SHARD,
            snapshot_points=self.snapshot_points,
            clock=self.clock,
            lateness=LATENESS,
        )
        self.engine = Engine(self.runner, self.inbox, wait=self._wait, on_results=self._report)
        take = self.runner.take

        def noted(batches: Sequence[tuple[str, Batch]]) -> dict[str, Results]:
            self.store.attempt = batches
            return take(batches)

        self.runner.take = noted  # type: ignore[method-assign]

    def _wait(self, seconds: float) -> None:
        self.waits += 1
        assert self.waits <= WAITS_MAX, "an entry is tried for ever"
        self.clock.sleep(seconds)

    def _report(self, results: Mapping[str, Results]) -> None:
        assert self.engine.shard is not None
        for name, found in results.items():
            at = self.engine.shard.sequence, name
            self.reported_twice += at in self.scores
            self.scores[at] = found

    def crash(self) -> None:
        """The process is gone; another takes its place, senders send again what nobody acknowledged."""
        self.trace.append("crash")
        if self.directory is not None:
            self.inner.close()
            self.inner = self.store.inner = self._open()
        again = [(feed, batch) for feed, batch, answer in self.waiting if not _answered(answer)]
        self._settle()
        self.waiting.clear()
        for feed in self.feeds:
            if feed.kind == "pull":
                feed.at = int(self.inner.positions(SHARD).get(feed.name, "0"))
            else:
                lost = [batch for other, batch in again if other is feed]
                feed.batches[feed.at : feed.at] = lost
                feed.lasts[feed.at : feed.at] = [feed.lasts[min(feed.at, len(feed.lasts) - 1)]] * len(lost)
        self.start()

    def _settle(self) -> None:
        """Note what was acknowledged; give back what was refused."""
        for feed, batch, answer in list(self.waiting):
            if answer.done():
                self.waiting.remove((feed, batch, answer))
                if _answered(answer):
                    feed.acknowledged.append(batch)
                elif feed.kind == "pull":
                    feed.at = int(self.inner.positions(SHARD).get(feed.name, "0"))
                else:
                    feed.batches.append(batch)
                    feed.lasts.append(feed.lasts[-1])

    def give(self, feed: Feed) -> None:
        """A source hands over its next batch; one that is read may begin a batch too early."""
        if feed.done:
            return
        if feed.kind == "pull" and feed.at and self.random.random() < 0.1:
            feed.at -= 1
        batch = feed.batches[feed.at]
        self.clock.time = max(self.clock.time, (feed.lasts[feed.at] + 1) * MINUTE)
        feed.at += 1
        self.trace.append(f"{feed.name} gives batch {feed.at} of {len(feed.batches)}")
        self.waiting.append((feed, batch, self.inbox.offer(feed.name, batch)))

    def tick(self) -> None:
        """Time is told to sources that are pushed to, and now and then somebody opens a window."""
        rng, now = self.random, self.clock.now()
        for feed in self.feeds:
            if feed.kind == "pull":
                continue
            events: list[ControlEvent] = [] if feed.name in self.resumed else [SourceResumed(now)]
            self.resumed.add(feed.name)
            events.append(WatermarkMoved(now - LATENESS.get(feed.name, 0)))
            self.ticks += 1
            self.inbox.offer(feed.name, Batch([], f"tick {self.ticks}", events))
        if rng.random() < 0.3:
            minute = now // MINUTE
            start, name = minute + rng.randint(-5, 5), f"w{rng.randrange(3)}"
            action = rng.choice(("mute", "no_learn", "expect"))
            opened = WindowOpened(name, action, start * MINUTE, (start + rng.randint(1, 30)) * MINUTE, "cpu", 2.0)
            events = [opened, WindowClosed("w0", now), SeriesExpired(str(rng.choice(KEYS)), now)]
            self.inbox.offer("operator", Batch([], f"op {self.ticks}", [rng.choice(events)]))
        self.trace.append(f"tick {now // MINUTE}")

    def fold(self) -> None:
        """The engine takes what waits."""
        self.waits = 0
        items = self.inbox.take(0)
        if items:
            self.engine._fold(items)
            if self.engine.error is not None:
                raise self.engine.error
            self.trace.append(f"folded {len(items)} batches; the log has {self.inner.head(SHARD)} entries")
        self._settle()

    def deliver(self) -> None:
        """The courier looks what is due."""
        self.clock.sleep(self.random.choice((0.5, 5.0, 300.0)))
        with suppress(TransientError):
            told = self.runner.courier.deliver()
            self.trace.append(f"delivered {told}")

    def reload(self) -> None:
        """Other watches take over: one changes its detector, its policy or its weight, one comes, one goes."""
        rng = self.random
        bounds = list(self.bounds)
        change = rng.choice(("detector", "budget", "weight", "come", "go"))
        first = bounds[0].watch
        if change == "detector":
            bounds[0] = replace(bounds[0], watch=replace(first, detector=RollingMedian(window=rng.choice((5, 11)))))
        elif change == "budget":
            bounds[0] = replace(bounds[0], watch=replace(first, rule=Cutoff(rng.choice((3.0, 5.0, 8.0)))))
        elif change == "weight":
            bounds[0] = replace(bounds[0], watch=replace(first, weight=rng.choice((0.5, 1.0, 3.0))))
        elif change == "come":
            bounds.append(Bound(self._watch(f"new{len(self.reloads)}")))
        elif len(bounds) > 1:
            bounds.pop()
        self.trace.append(f"reload: {change}")
        # What was judged by another limit since the last snapshot, and the alerts of a watch that goes, are for a
        # process that knows the old watches; otherwise one that ends in the middle of it starts with the new ones.
        again = change in ("budget", "go")
        if not again:
            self.bounds = bounds
        self.retried(lambda: self.runner.rebind(bounds), again=again)
        self.bounds = bounds
        self.reloads.append((self.inner.head(SHARD), bounds))

    def retried(self, act: Callable[[], object], again: bool) -> None:
        """Something that may fail, until it does not; a crash in it starts the process anew, and it, if ``again``."""
        for _ in range(100):
            try:
                act()
                return
            except TransientError:
                self.clock.sleep(1.0)
            except Crash:
                self.crash()
                act = act if again else self.runner.live
        raise AssertionError("the store failed a hundred times in a row")

    def step(self) -> None:
        """One thing happens."""
        actions = {"give": 10, "fold": 8, "deliver": 3, "tick": 2, "save": 0.5, "crash": 0.4, "reload": 0.25}
        action = self.random.choices(list(actions), list(actions.values()))[0]
        if action == "give":
            self.give(self.random.choice(self.feeds))
        elif action == "save":
            with suppress(TransientError):
                self.runner.save()
        elif action == "crash":
            raise Crash
        else:
            getattr(self, action)()

    def run(self) -> None:
        """Let things happen until every source has given all it has; then calm down and finish."""
        steps = 0
        while steps < STEPS_MAX and not all(feed.done for feed in self.feeds):
            steps += 1
            try:
                self.step()
            except Crash:
                self.crash()
        self.fate.calm = True
        for _ in range(STEPS_MAX):
            for feed in self.feeds:
                self.give(feed)
            self.fold()
            if not self.waiting and all(feed.done for feed in self.feeds):
                break
        else:
            raise AssertionError("it does not come to an end")
        self.tick()
        self.fold()
        self.fold()
        self.store.revive(self.inner.dead_letters())
        for _ in range(200):
            self.clock.sleep(300.0)
            self.runner.courier.deliver()
            if not self.inner.outbox(2**62):
                break

    def close(self) -> None:
        """Nothing is left behind."""
        self.inner.close()
        if self.directory is not None:
            shutil.rmtree(self.directory, ignore_errors=True)


def _answered(answer: Future[int]) -> bool:
    return answer.done() and answer.exception() is None


def simulate(world: World) -> None:
    """Run a world to its end and check every promise; AssertionError, or what broke, names the first not kept."""
    from tests.simulation.oracle import check

    world.run()
    check(world)
