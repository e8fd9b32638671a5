"""What a dry run finds: of each source, of each watch, and of all together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from watchband.apps.config.config import Config, Problem
from watchband.apps.library.footprint import bytes_per_series
from watchband.core.alert import Alert
from watchband.core.series import SeriesKey

NO_WATCHES = "There are no watches."


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
    cost : dict or None
        What reading it costs, of a source that is paid for; ``text`` says it in words.
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
    cost: dict[str, Any] | None = None


@dataclass
class SinkTrial:
    """Whether the other side of a sink is there; only of sinks that can look without telling.

    Parameters
    ----------
    state : str
        ``there`` or ``failed``.
    said, error : str
        What it found; why it failed.
    """

    name: str
    kind: str
    state: str = "failed"
    said: str = ""
    error: str = ""


@dataclass
class WatchTrial:
    """What a watch would take: series, bytes by what its detector declares, and alerts of the last day.

    ``counters`` are those of the series that count up by their names, and are judged as rates per second.
    """

    name: str
    detector: str
    each: int
    series: int = 0
    alerts: int = 0
    error: str = ""
    counters: int = 0

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
        Whether the past was judged; not where its states would not have fitted.
    secrets : tuple of str
        What is wrong with files of secrets.
    sinks : list of SinkTrial
        Those that could be looked at.
    """

    sources: list[SourceTrial] = field(default_factory=list)
    watches: list[WatchTrial] = field(default_factory=list)
    series: int = 0
    alone: int = 0
    lone: tuple[SeriesKey, ...] = ()
    alerts: tuple[Alert, ...] = ()
    judged: bool = True
    secrets: tuple[str, ...] = ()
    sinks: list[SinkTrial] = field(default_factory=list)

    @property
    def cut(self) -> bool:
        """Whether time ran out before a source had been read to its present."""
        return any(source.state == "cut" and source.points for source in self.sources)

    @property
    def last(self) -> int:
        """Time of the newest reading, ns UTC."""
        return max((source.last or 0 for source in self.sources), default=0)

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
        yield from self.secrets
        for source in self.sources:
            if source.state == "failed":
                yield f"Source {source.name!r} failed: {source.error}"
            elif source.silent:
                yield f"Source {source.name!r} gave no series of {', '.join(source.silent)}."
        yield from (f"Sink {sink.name!r} cannot be used: {sink.error}" for sink in self.sinks if sink.error)
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


def document(config: Config, trial: Trial | None) -> dict[str, Any]:
    """The result for machines; without a trial, what the file alone says."""
    watches = trial.watches if trial else plan(config)
    found: dict[str, Any] = {
        "path": config.path,
        "hash": config.hash,
        "valid": True,
        "warnings": [_placed(problem) for problem in config.warnings],
        "problems": ([] if config.watches else [NO_WATCHES]) + (list(trial.problems(config)) if trial else []),
        "watches": [_watch(watch, tried=trial is not None) for watch in watches],
    }
    if trial is None:
        return found
    return found | {
        "sources": [{**vars(source), "silent": list(source.silent)} for source in trial.sources],
        "sinks": [vars(sink) for sink in trial.sinks],
        "series": trial.series,
        "series_in_no_watch": trial.alone,
        "memory_bytes": trial.memory,
        "judged": trial.judged,
        "read_to_the_present": not trial.cut,
        "alerts_last_day": [alert.to_dict() for alert in trial.alerts],
    }


def _watch(watch: WatchTrial, *, tried: bool) -> dict[str, Any]:
    found = {"name": watch.name, "detector": watch.detector, "bytes_per_series": watch.each}
    tries = {"series": watch.series, "counters": watch.counters, "bytes": watch.bytes, "alerts_last_day": watch.alerts}
    return found | {**tries, "error": watch.error or None} if tried else found


def _placed(problem: Problem) -> dict[str, Any]:
    place = problem.place
    return {"file": place.file, "line": place.line, "column": place.column, "message": problem.message}
