"""A dry run of a configuration: its sources are asked, its watches judge their past; nothing is kept, nobody told."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from watchband.adapters.stores.memory import MemoryStore
from watchband.apps.config.config import SECTIONS, Config, Named, plain
from watchband.apps.config.findings import SourceTrial, Trial, plan
from watchband.apps.config.reaching import Reaching
from watchband.apps.library.footprint import SHARE
from watchband.apps.service.relabelling import Relabeller
from watchband.core.clock import Clock, SystemClock
from watchband.core.duration import DAY
from watchband.core.errors import ConfigError, WatchbandError
from watchband.core.ports import Batch, Source
from watchband.core.secret import Secret
from watchband.core.series import SeriesKey
from watchband.pipeline.counters import is_counter

if TYPE_CHECKING:
    from watchband.pipeline.runner import Runner

SECONDS = 60.0
"""How long sources are read."""
LISTEN_S = 3.0
"""How long a source without a past is listened to."""
LOOK_S = 0.1
BATCHES_WAITING = 16
LAST = DAY
EXAMPLES = 5

Tell = Callable[[float, int, int], None]
"""Told of progress: the share done, points and series so far."""


def dry_run(config: Config, *, clock: Clock | None = None, seconds: float = SECONDS, tell: Tell | None = None) -> Trial:
    """Ask every source for its past and let every watch judge it.

    Parameters
    ----------
    config : Config
        What to try.
    clock : Clock, optional
        What time it is.
    seconds : float
        Sources are read for so long at most.
    tell : callable, optional
        Told of progress.
    """
    return _Trying(config, clock or SystemClock(), seconds, tell).run()


@dataclass
class _Reading:
    """A source that is being read in a thread of its own."""

    named: Named
    trial: SourceTrial
    relabeller: Relabeller
    begin: int
    source: Source | None = None
    done: bool = False
    keys: set[SeriesKey] = field(default_factory=set)


class _Trying:
    def __init__(self, config: Config, clock: Clock, seconds: float, tell: Tell | None) -> None:
        self.config, self.clock, self.tell = config, clock, tell
        self.end = time.monotonic() + seconds
        self.result = Trial(watches=plan(config))
        self.batches: queue.Queue[tuple[_Reading, Batch | None]] = queue.Queue(BATCHES_WAITING)
        self.stopping = threading.Event()
        self.keys: dict[SeriesKey, bool] = {}
        self.runner = self._runner()

    def _runner(self) -> Runner | None:
        from watchband.pipeline.runner import Runner

        bounds = [replace(bound, sinks=()) for bound in self.config.bounds()]
        store = MemoryStore(keep_log=False)
        if not bounds:
            return None
        runner = Runner(bounds, store, shard="check", clock=self.clock, expressions=self.config.expressions)
        runner.labelling = self.config.risk.making
        return runner

    def run(self) -> Trial:
        self.result.secrets = tuple(unreadable(self.config))
        reaching = Reaching(self.config, self.clock, self.end)
        readings = [self._begin(named) for named in self.config.sources.values()]
        self.result.sources = [reading.trial for reading in readings]
        asked = [reading for reading in readings if not reading.done]
        for reading in asked:
            threading.Thread(target=self._read, args=(reading,), daemon=True).start()
        try:
            while not all(reading.done for reading in asked) and time.monotonic() < self.end:
                self._take(asked)
        finally:
            self.stopping.set()
            for reading in asked:
                _close(reading.source)
        self._finish(readings)
        self.result.sinks = reaching.finish()
        return self.result

    def _begin(self, named: Named) -> _Reading:
        settings = named.settings
        trial = SourceTrial(named.name, settings.kind)
        backfill = getattr(settings, "backfill", None)
        begin = self.clock.now() - (backfill if isinstance(backfill, int) else 0)
        reading = _Reading(named, trial, Relabeller((*named.relabel, *self.config.relabel)), begin)
        if named.pushed:
            trial.state, reading.done = "pushed", True
        return reading

    def _read(self, reading: _Reading) -> None:
        """In the source's thread: hand over batches until its present is reached."""
        began = time.monotonic()
        try:
            source = reading.source = reading.named.settings.open(reading.named.name, clock=self.clock)
            past = getattr(source, "history", None)
            for batch in past() if past is not None else source.read(None):
                if not self._put(reading, batch):
                    return
                if not batch.history and past is None and time.monotonic() - began > LISTEN_S:
                    break
            self._ended(reading, "read")
        except WatchbandError as error:
            self._ended(reading, "failed", str(error))
        except Exception as error:
            self._ended(reading, "failed", f"{type(error).__name__}: {error}")
        finally:
            cost = getattr(reading.source, "cost", None)
            reading.trial.cost = None if cost is None else cost.document()
            _close(reading.source)
            self._put(reading, None)

    def _ended(self, reading: _Reading, state: str, error: str = "") -> None:
        # What a source says when it is closed under way is no news.
        if not self.stopping.is_set():
            reading.trial.state, reading.trial.error = state, error

    def _put(self, reading: _Reading, batch: Batch | None) -> bool:
        while not self.stopping.is_set():
            try:
                self.batches.put((reading, batch), timeout=LOOK_S)
                return True
            except queue.Full:
                continue
        return False

    def _take(self, asked: Sequence[_Reading]) -> None:
        try:
            reading, batch = self.batches.get(timeout=LOOK_S)
        except queue.Empty:
            return
        if batch is None:
            reading.done = True
            return
        kept = reading.relabeller.apply(batch.readings)
        trial = reading.trial
        trial.dropped = reading.relabeller.dropped
        for one in kept:
            if not len(one.times):
                continue
            reading.keys.add(one.key)
            self._note(one.key)
            first, last = int(one.times.min()), int(one.times.max())
            trial.first = first if trial.first is None else min(trial.first, first)
            trial.last = last if trial.last is None else max(trial.last, last)
            trial.points += len(one.times)
        trial.series = len(reading.keys)
        if self.result.judged and self.runner is not None:
            self._judge(reading.named.name, replace(batch, readings=kept, history=True, position=""))
        if self.tell is not None:
            points = sum(one.trial.points for one in asked)
            self.tell(sum(map(self._share, asked)) / len(asked), points, len(self.keys))

    def _share(self, reading: _Reading) -> float:
        now = self.clock.now()
        if reading.done or reading.trial.last is None or now <= reading.begin:
            return float(reading.done)
        return min(1.0, max(0.0, (reading.trial.last - reading.begin) / (now - reading.begin)))

    def _note(self, key: SeriesKey) -> None:
        """A series that was not seen before: which watches take it."""
        if key in self.keys:
            return
        taken = False
        for watch in self.result.watches:
            settings = self.config.watches[watch.name]
            if settings.matches(key):
                watch.series += 1
                watch.counters += settings.counter is None and is_counter(key.metric)
                taken = True
        self.keys[key] = taken

    def _judge(self, name: str, batch: Batch) -> None:
        import psutil

        assert self.runner is not None
        # Before the states are there, not when it is too late.
        free = SHARE * float(psutil.virtual_memory().available)
        if self.result.memory > min(float(self.config.engine.max_memory), free):
            self.result.judged = False
            self.runner = None
            return
        try:
            self.runner.take([(name, batch)])
        except WatchbandError:
            # Every watch stands still; each says why.
            self.result.judged = False

    def _finish(self, readings: Sequence[_Reading]) -> None:
        result = self.result
        if self.runner is not None and result.judged and any(reading.trial.points for reading in readings):
            self.runner.finish()
            # What expressions made of the readings is known by now, too.
            for lane in self.runner.live().lanes.values():
                for key in lane.state.keys:
                    self._note(key)
        result.series = len(self.keys)
        lone = [key for key, taken in self.keys.items() if not taken]
        result.alone, result.lone = len(lone), tuple(lone[:EXAMPLES])
        for reading in readings:
            asked = getattr(reading.named.settings, "metrics", None)
            declared = asked() if callable(asked) else None
            given = {key.metric for key in reading.keys}
            if declared is not None and reading.trial.state == "read" and not reading.relabeller.rules:
                reading.trial.silent = tuple(metric for metric in declared if metric not in given)
        if self.runner is None or not any(reading.trial.points for reading in readings):
            return
        for watch in result.watches:
            if watch.name in self.runner.stopped:
                watch.error = str(self.runner.stopped[watch.name])
        alerts = [alert for alert in self.runner.store.alerts() if alert.opened > result.last - LAST]
        result.alerts = tuple(sorted(alerts, key=lambda alert: -alert.anomaly_score))
        for watch in result.watches:
            watch.alerts = sum(alert.watch == watch.name for alert in alerts)


def unreadable(config: Config) -> Iterator[str]:
    """Secrets whose files cannot be read here, by this user."""
    found: list[str] = []

    def look(secret: Secret) -> str:
        try:
            secret.reveal()
        except ConfigError as error:
            found.append(str(error))
        return ""

    for section in SECTIONS:
        settings = getattr(config, section)
        for name, entry in settings.items() if isinstance(settings, Mapping) else [("", settings)]:
            plain(entry, look)
            yield from (f"{section}.{name}".rstrip(".") + f": {said}" for said in found)
            found.clear()


def _close(source: Source | None) -> None:
    if source is None:
        return
    try:
        source.close()
    except Exception:
        # It was only looked at, and what it gave is here.
        return
