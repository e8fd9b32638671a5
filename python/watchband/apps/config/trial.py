"""A dry run of a configuration: its sources are asked, its watches judge their past; nothing is kept, nobody told."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from watchband.adapters.stores.memory import MemoryStore
from watchband.apps.config.config import Config, Named
from watchband.apps.library.footprint import SHARE, bytes_per_series
from watchband.apps.service.relabelling import Relabeller
from watchband.core.alert import Alert
from watchband.core.clock import Clock, SystemClock
from watchband.core.duration import DAY
from watchband.core.errors import WatchbandError
from watchband.core.ports import Batch, Source
from watchband.core.series import SeriesKey

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


@dataclass
class SourceTrial:
    """What came of one source.

    Parameters
    ----------
    state : str
        ``read`` to its present, ``cut`` where time ran out, ``failed``, or ``pushed``: it cannot be asked.
    series, points, dropped : int
        By their new names; points that relabelling dropped.
    first, last : int or None
        Times of the oldest and newest reading, ns UTC.
    silent : tuple of str
        Metrics it says it gives and gave no series of.
    """

    name: str
    kind: str
    state: str = "cut"
    series: int = 0
    points: int = 0
    dropped: int = 0
    first: int | None = None
    last: int | None = None
    error: str = ""
    silent: tuple[str, ...] = ()


@dataclass
class WatchTrial:
    """What a watch would take: series, bytes by what its detector declares, and alerts of the last day."""

    name: str
    detector: str
    each: int
    series: int = 0
    alerts: int = 0
    error: str = ""

    @property
    def bytes(self) -> int:
        """Memory of all its series."""
        return self.each * self.series


@dataclass
class Trial:
    """The result.

    Parameters
    ----------
    sources, watches : list
        In the order of the configuration.
    series : int
        Different ones, of all sources.
    lone : tuple of SeriesKey
        Some of the series that no watch takes; ``alone`` is how many.
    alerts : tuple of Alert
        That would have opened within the last day, most severe first.
    judged : bool
        Whether the past was judged; not where its states would not have fitted, or time ran out before the end.
    """

    sources: list[SourceTrial] = field(default_factory=list)
    watches: list[WatchTrial] = field(default_factory=list)
    series: int = 0
    alone: int = 0
    lone: tuple[SeriesKey, ...] = ()
    alerts: tuple[Alert, ...] = ()
    judged: bool = True

    @property
    def span(self) -> int:
        """Nanoseconds between the oldest and the newest reading."""
        ends = [(s.first, s.last) for s in self.sources if s.first is not None and s.last is not None]
        return max(last for _, last in ends) - min(first for first, _ in ends) if ends else 0

    @property
    def memory(self) -> int:
        """Bytes of all states."""
        return sum(watch.bytes for watch in self.watches)

    def problems(self, config: Config) -> Iterator[str]:
        """What would go wrong, in sentences."""
        for source in self.sources:
            if source.state == "failed":
                yield f"Source {source.name!r} failed: {source.error}"
            elif source.silent:
                yield f"Source {source.name!r} gave no series of {', '.join(source.silent)}."
        known = all(source.state == "read" for source in self.sources)
        for watch in self.watches:
            if not watch.series and known:
                yield f"Watch {watch.name!r} matches none of the {self.series:,} series."
            if watch.error:
                yield f"Watch {watch.name!r} cannot judge: {watch.error}"
        if self.series > config.engine.max_series:
            most = f"{config.engine.max_series:,}"
            yield f"{self.series:,} series come in and 'max_series' is {most}: some are not watched."
        if self.memory > config.engine.max_memory:
            need, most = f"{self.memory / 1e9:,.1f} GB", f"{config.engine.max_memory / 1e9:,.1f} GB"
            yield (
                f"The states may need {need} and 'max_memory' is {most}: series of low priority are not watched. The "
                "detector 'light' needs least."
            )


def plan(config: Config) -> list[WatchTrial]:
    """What is known of every watch before anything is asked: its detector and bytes a series."""
    found = []
    for name, settings in config.watches.items():
        watch = settings.watch(name)
        found.append(WatchTrial(name, watch.detector.name, bytes_per_series(watch)))
    return found


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
        return Runner(bounds, store, shard="check", clock=self.clock, expressions=self.config.expressions)

    def run(self) -> Trial:
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
            reading.trial.state = "read"
        except WatchbandError as error:
            reading.trial.state, reading.trial.error = "failed", str(error)
        except Exception as error:
            reading.trial.state, reading.trial.error = "failed", f"{type(error).__name__}: {error}"
        finally:
            _close(reading.source)
            self._put(reading, None)

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
            if self.config.watches[watch.name].matches(key):
                watch.series += 1
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
            declared = asked() if asked is not None else None
            given = {key.metric for key in reading.keys}
            if declared is not None and reading.trial.state == "read" and not reading.relabeller.rules:
                reading.trial.silent = tuple(metric for metric in declared if metric not in given)
        if self.runner is None or not any(reading.trial.points for reading in readings):
            return
        for watch in result.watches:
            if watch.name in self.runner.stopped:
                watch.error = str(self.runner.stopped[watch.name])
        last = max(reading.trial.last or 0 for reading in readings)
        alerts = [alert for alert in self.runner.store.alerts() if alert.opened > last - LAST]
        result.alerts = tuple(sorted(alerts, key=lambda alert: -alert.anomaly_score))
        for watch in result.watches:
            watch.alerts = sum(alert.watch == watch.name for alert in alerts)


def _close(source: Source | None) -> None:
    if source is None:
        return
    try:
        source.close()
    except Exception:
        # It was only looked at, and what it gave is here.
        return


def document(config: Config, trial: Trial | None) -> dict[str, Any]:
    """The result for machines; without a trial, what the file alone says."""
    watches = trial.watches if trial else plan(config)
    found: dict[str, Any] = {
        "path": config.path,
        "hash": config.hash,
        "valid": True,
        "warnings": [_placed(problem) for problem in config.warnings],
        "problems": list(trial.problems(config)) if trial else [],
        "watches": [_watch(watch, tried=trial is not None) for watch in watches],
    }
    if trial is None:
        return found
    return found | {
        "sources": [{**vars(source), "silent": list(source.silent)} for source in trial.sources],
        "series": trial.series,
        "series_in_no_watch": trial.alone,
        "memory_bytes": trial.memory,
        "judged": trial.judged,
        "alerts_last_day": [alert.to_dict() for alert in trial.alerts],
    }


def _watch(watch: WatchTrial, *, tried: bool) -> dict[str, Any]:
    found = {"name": watch.name, "detector": watch.detector, "bytes_per_series": watch.each}
    tries = {"series": watch.series, "bytes": watch.bytes, "alerts_last_day": watch.alerts}
    return found | {**tries, "error": watch.error or None} if tried else found


def _placed(problem: Any) -> dict[str, Any]:
    place = problem.place
    return {"file": place.file, "line": place.line, "column": place.column, "message": problem.message}
