"""Ports: what the runner asks of the outside world. Adapters implement them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from watchband.core.alert import Alert
from watchband.core.events import ControlEvent
from watchband.core.points import Float64, Int64
from watchband.core.series import SeriesKey


@dataclass(frozen=True, slots=True)
class Readings:
    """Raw readings of one series as a source gives them: in arrival order, possibly unordered or repeated."""

    key: SeriesKey
    times: Int64
    values: Float64


@dataclass(frozen=True, slots=True)
class Batch:
    """Readings and control events, with the source's position *after* the last of them."""

    readings: Sequence[Readings]
    position: str
    events: Sequence[ControlEvent] = ()


class Source(Protocol):
    """Where metrics come from.

    ``read(position)`` yields batches from after ``position`` (None: from the beginning), repeating and skipping
    nothing, in time order within a series as far as the outside allows.
    """

    name: str

    def read(self, position: str | None = None) -> Iterator[Batch]: ...

    def close(self) -> None: ...


class Sink(Protocol):
    """Where alerts go. Writing the same alert id twice must do no more than writing it once."""

    name: str

    def write(self, alerts: Sequence[Alert]) -> None: ...


@dataclass(frozen=True, slots=True)
class Commit:
    """What becomes durable together: readings, the position after them, new and changed alerts."""

    shard: str
    sequence: int
    readings: Sequence[Readings] = ()
    events: Sequence[ControlEvent] = ()
    positions: Mapping[str, str] = field(default_factory=dict)
    alerts: Sequence[Alert] = ()


class Store(Protocol):
    """Keeps the log, positions, alerts, outbox and snapshots of shards.

    ``commit`` is all or nothing per shard; ``snapshot`` replaces the shard's last one.
    """

    def commit(self, commit: Commit) -> None: ...

    def positions(self, shard: str) -> Mapping[str, str]: ...

    def snapshot(self, shard: str, sequence: int, state: bytes) -> None: ...

    def restore(self, shard: str) -> tuple[int, bytes] | None: ...

    def log(self, shard: str, after: int) -> Iterator[Commit]: ...

    def alerts(self) -> Sequence[Alert]: ...

    def outbox(self) -> Sequence[Alert]: ...

    def delivered(self, alert_ids: Sequence[str]) -> None: ...
