"""What is known of the models over time, and what people do about them: go back to a snapshot, approve of drift."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import CancelledError
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from watchband.adapters.stores.scored.hours import HourBook
from watchband.apps.config.config import Config
from watchband.core.acts import Act
from watchband.core.errors import ConfigError, NotThereError, TransientError
from watchband.core.events import ControlEvent, DriftApproved, StateReverted
from watchband.core.ports import Batch
from watchband.pipeline.bound import Lane
from watchband.pipeline.drifting import measured
from watchband.pipeline.learned import chosen
from watchband.pipeline.results import Results

if TYPE_CHECKING:
    from watchband.apps.service.service import Service

log = logging.getLogger("watchband.scores")
T = TypeVar("T")
SOURCE = "watchband"
DONE_S = 60.0


def hours_of(config: Config) -> HourBook:
    """Where the hours of watches are kept: beside the store, if it has a directory, else in memory."""
    path = getattr(config.store, "path", None)
    try:
        return HourBook(None if path is None else Path(path))
    except (OSError, sqlite3.Error) as error:
        log.warning("the hours of watches are kept in memory only: %s", error)
        return HourBook(None)


def note_hours(book: HourBook, lane: Lane | None, name: str, results: Results) -> None:
    """Add up what a watch said of a batch; where the disk does not take it, its page has a gap."""
    if lane is None or not len(results):
        return
    watch = lane.bound.watch
    intervals = watch.prepare.intervals(lane.state.prepare)
    # Series may have left with this very entry, and rows moved up.
    at = intervals[results.row] if results.keys is lane.state.keys else np.zeros(len(results), np.int64)
    odd, covered, promised, cutoff = measured(watch, results, at)
    try:
        book.add(name, results.time, odd, covered, promised, cutoff)
    except (OSError, sqlite3.Error) as error:
        log.warning("the hours of a watch were not kept: %s", error)


def tidy(book: HourBook, work: Callable[[HourBook], None]) -> None:
    """Write or close a book; that this fails must keep nothing else from being done."""
    try:
        work(book)
    except (OSError, sqlite3.Error) as error:
        log.warning("the hours of watches could not be written: %s", error)


def revert_to(service: Service, name: str, sequence: int, series: str, by: str) -> dict[str, Any]:
    """Put what a watch learned back to a snapshot; it holds, and is written down, when this returns.

    Raises
    ------
    NotThereError
        No such watch or snapshot.
    ConfigError
        No selector, or nothing in the snapshot that it chooses.
    """

    def done() -> dict[str, Any]:
        lane = lane_in(service, name)
        rows = chosen(series, lane.state)
        state = next((s for s in service.store.states() if s.name == name and s.shard == service.runner.shard), None)
        if state is None or all(s.sequence != sequence for s in state.snapshots):
            raise NotThereError(f"The watch {name!r} has no snapshot behind entry {sequence}; it may have left.")
        found = service.store.restore(service.runner.shard, name, sequence)
        if state.fingerprint != lane.bound.fingerprint or found is None or found[0] != sequence:
            raise ConfigError(f"The snapshot behind entry {sequence} is of other parameters of the watch {name!r}.")
        past = lane.bound.load(found[1])
        count = sum(lane.state.keys[row] in past.rows for row in rows)
        if not count:
            raise ConfigError(f"No series of the snapshot behind entry {sequence} matches {series!r}.")
        now = service.clock.now()
        text = f"entry {sequence}, {count} series" + ("" if series == "*" else f" that match {series}")
        service.acting.do(Act(now, by, "revert", name, text))
        entry = say(service, StateReverted(name, lane.bound.fingerprint, sequence, now, series))
        # What a restart begins from is behind the event: it needs no older snapshot than that.
        service.runner.save()
        return {"watch": name, "sequence": sequence, "series": count, "entry": entry}

    return between(service, done)


def approve(service: Service, name: str, series: str, by: str) -> dict[str, Any]:
    """Take what now comes as what drift is measured against.

    Raises
    ------
    NotThereError
        No such watch.
    ConfigError
        No selector, or no monitored series that it chooses.
    """

    def done() -> dict[str, Any]:
        lane = lane_in(service, name)
        count = len(chosen(series, lane.state)) if lane.bound.watch.drift else 0
        if not count:
            raise ConfigError(f"The watch {name!r} has no series with monitors of drift that match {series!r}.")
        now = service.clock.now()
        service.acting.do(Act(now, by, "approve", name, f"{count} series" + ("" if series == "*" else f": {series}")))
        return {"watch": name, "series": count, "entry": say(service, DriftApproved(name, now, series))}

    return between(service, done)


def lane_in(service: Service, name: str) -> Lane:
    """The watch of a name, in the engine's thread.

    Raises
    ------
    NotThereError
        There is none that runs.
    """
    lane = service.runner.live().lanes.get(name)
    if lane is None:
        raise NotThereError(f"There is no watch {name!r}. Known: {', '.join(sorted(service.config.watches))}.")
    return lane


def say(service: Service, *events: ControlEvent) -> int:
    """Write events into the log, in the engine's thread; the entry that says so."""
    results = service.runner.take([(SOURCE, Batch([], "", events))])
    # As the engine does with an entry of its own.
    for told in (service.engine.on_kept, service.engine.on_results):
        if told is not None:
            told(results)
    return service.runner.live().sequence


def between(service: Service, work: Callable[[], T]) -> T:
    """Do some work between two entries, in the engine's thread; wait until it is done."""
    asked = service.engine.call(work)
    try:
        found: T = asked.result(DONE_S)
        return found
    except (TimeoutError, CancelledError):
        if asked.cancel():
            raise TransientError("The engine is at work on an entry. Try again.", retry_after=10.0) from None
        # Begun: it is not told that it failed while it happens.
        rest: T = asked.result()
        return rest
    finally:
        service.changes.note("configuration")
