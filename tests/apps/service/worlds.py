"""Small worlds for tests of the service: a configuration of stand-ins, a source and a sink in memory."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from watchband.adapters.sources.push.settings import PushSettings, RemoteWriteSettings
from watchband.adapters.stores.memory import MemoryStore
from watchband.apps.config.config import Config, Named
from watchband.apps.config.engine import EngineSettings
from watchband.apps.config.watches import WatchSettings
from watchband.apps.server.settings import ServerSettings
from watchband.core.clock import Clock
from watchband.core.ports import Batch, Notice, Readings
from watchband.core.relabel import Relabel
from watchband.core.series import SeriesKey
from watchband.testing.streams import MINUTE, START

DETECTOR = "rolling_zscore:window=20"


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: int = START) -> None:
        self.time = now

    def now(self) -> int:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += int(seconds * 1e9)


def values(n: int, spike: int | None = None) -> np.ndarray:
    """A small wave, with a spike of five points."""
    found = 10 + np.sin(np.arange(n) / 3.0)
    if spike is not None:
        found[spike : spike + 5] += 40
    return found


def batch(
    first: int, count: int, *, spike: int | None = None, position: str = "", history: bool = False, name: str = "cpu"
) -> Batch:
    """Readings number ``first`` to ``first + count``, one a minute."""
    times = START + (first + np.arange(count)) * MINUTE
    whole = values(first + count, spike)
    return Batch([Readings(SeriesKey(name), times, whole[first:])], position, history=history)


@dataclass
class Script:
    """What a scripted source does: batches, and errors that it raises once each; then it waits to be closed."""

    steps: Sequence[Batch | Exception]
    ends: bool = False
    opened: int = 0
    reads: list[str | None] = field(default_factory=list)
    raised: set[int] = field(default_factory=set)


class ScriptedSource:
    """Plays a script from behind a position, which is the number of the step."""

    def __init__(self, name: str, script: Script) -> None:
        self.name, self.script, self._closed = name, script, threading.Event()
        script.opened += 1

    def read(self, position: str | None = None) -> Iterator[Batch]:
        self.script.reads.append(position)
        for number, step in enumerate(self.script.steps):
            if position is not None and number <= int(position):
                continue
            if self._closed.is_set():
                return
            if isinstance(step, Exception):
                if number not in self.script.raised:
                    self.script.raised.add(number)
                    raise step
                continue
            yield Batch(step.readings, str(number), step.events, step.history)
        if not self.script.ends:
            self._closed.wait()

    def close(self) -> None:
        self._closed.set()


@dataclass(frozen=True)
class ScriptSettings:
    """Stands for the settings of a source."""

    script: Script
    kind: ClassVar[str] = "script"

    def open(self, name: str, *, clock: Clock) -> ScriptedSource:
        return ScriptedSource(name, self.script)


class ListSink:
    """Keeps what it is told; raises what it is given first."""

    def __init__(self, name: str, notices: list[Notice], errors: list[Exception]) -> None:
        self.name, self.notices, self.errors = name, notices, errors

    def write(self, notice: Notice) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.notices.append(notice)


@dataclass(frozen=True)
class ListSinkSettings:
    """Stands for the settings of a sink."""

    notices: list[Notice] = field(default_factory=list, compare=False)
    errors: list[Exception] = field(default_factory=list, compare=False)
    label: str = ""
    kind: ClassVar[str] = "list"

    def open(self, name: str, *, clock: Clock) -> ListSink:
        return ListSink(name, self.notices, self.errors)


@dataclass(frozen=True)
class KeptStore:
    """A memory store that outlives the service, as a disk would."""

    store: MemoryStore = field(default_factory=MemoryStore)
    kind: ClassVar[str] = "memory"

    def open(self, *, clock: Clock) -> MemoryStore:
        return self.store


def watch(**given: Any) -> WatchSettings:
    """A quick watch of everything."""
    return WatchSettings(**{"detector": DETECTOR, "cutoff": 6.0, "close_after": 3} | given)


def config(
    sources: dict[str, Any] | None = None,
    *,
    watches: dict[str, WatchSettings] | None = None,
    sinks: dict[str, Any] | None = None,
    store: KeptStore | None = None,
    relabel: Sequence[Relabel] = (),
    expressions: dict[str, str] | None = None,
    server: ServerSettings | None = None,
    **engine: Any,
) -> Config:
    """A configuration of stand-ins; by default what is pushed, at whatever age, one watch, nobody told."""
    pushed = {"push": PushSettings(history=None), "remote_write": RemoteWriteSettings(history=None)}
    given = sources if sources is not None else pushed
    return Config(
        path="test.yaml",
        sources={n: s if isinstance(s, Named) else Named(n, s) for n, s in given.items()},
        relabel=tuple(relabel),
        expressions=expressions or {},
        watches=watches or {"all": watch()},
        sinks=sinks or {},
        store=store or KeptStore(),
        server=server or ServerSettings(listen="127.0.0.1:0"),
        engine=EngineSettings(**{"tick": 60_000_000_000, "drain": 10_000_000_000} | engine),
    )
