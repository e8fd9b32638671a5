"""Ports: what the runner asks of the outside world. Adapters implement them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from watchband.core.access_keys import KeyStore
from watchband.core.acts import Act
from watchband.core.alert import Alert
from watchband.core.clock import Clock
from watchband.core.events import ControlEvent, ModelRecord
from watchband.core.keeping import ArchiveFile, FoldState, MarkKind, Rollups, SeriesRecord, Trim
from watchband.core.latest import Latest
from watchband.core.points import Float64, Int64
from watchband.core.series import SeriesKey


class Arrival(IntEnum):
    """What becomes of readings, decided when they come in and kept in the log.

    ``ON_TIME`` readings are folded with their entry. ``HELD`` ones wait until the watermark of their source has passed
    them: of a source with an allowed lateness, whose readings may come out of order within it. ``LATE`` ones are
    behind what was let go: kept and counted, folded only when the log is folded anew.
    """

    ON_TIME = 0
    HELD = 1
    LATE = 2


@dataclass(frozen=True, slots=True)
class Readings:
    """Raw readings of one series as a source gives them: in arrival order, possibly unordered or repeated.

    Parameters
    ----------
    key : SeriesKey
        Whose.
    times, values : int64[n], float64[n]
        ns UTC; NaN is no value.
    source : str
        Who gave them; the runner fills it in. A series belongs to the source that gave it last.
    arrival : Arrival
        What becomes of them; the runner decides.
    """

    key: SeriesKey
    times: Int64
    values: Float64
    source: str = ""
    arrival: Arrival = Arrival.ON_TIME

    def given_by(self, source: str) -> Readings:
        """The same readings, of this source; by far quicker than ``dataclasses.replace``."""
        return Readings(self.key, self.times, self.values, source, self.arrival)


@dataclass(frozen=True, slots=True)
class Batch:
    """Readings and control events, with the source's position *after* the last of them.

    An empty position is none: the source cannot be read again from where it was (it is pushed to).

    Parameters
    ----------
    readings : sequence of Readings
        In order of arrival.
    position : str
        Where the source stands after them; opaque to everybody else.
    events : sequence of ControlEvent
        What else is known: a source that pulls says by ``WatermarkMoved`` how far it has seen everything.
    history : bool
        The past, as a first start fills it in: judged and kept, but nobody is told.
    """

    readings: Sequence[Readings]
    position: str
    events: Sequence[ControlEvent] = ()
    history: bool = False


class SourceSettings(Protocol):
    """What a user writes of a source: a frozen dataclass of declared parameters (``core.params``), one class a kind.

    A kind that is pushed to has ``pushed = True``, parameters ``lateness`` and ``history`` and no ``open``: the server
    hands its points over. A kind that knows beforehand which metrics it gives may say so: ``metrics()``.
    """

    kind: ClassVar[str]

    def open(self, name: str, *, clock: Clock) -> Source:
        """The source of that name; nothing outside is touched before ``read``."""


class Source(Protocol):
    """Where metrics come from.

    ``read(position)`` yields batches from after ``position`` (None: from the beginning), repeating and skipping
    nothing, in time order within a series as far as the outside allows. A source that never ends waits inside for
    what is new. ``close`` may be called by another thread; ``read`` then ends within a second or two. ``read`` raises
    TransientError where coming again from the last position may help, PermanentError where nothing can.
    """

    name: str

    def read(self, position: str | None = None) -> Iterator[Batch]: ...

    def close(self) -> None: ...


Marks = Mapping[tuple[MarkKind, str], Sequence[Readings]]
"""By kind and watch: the points, with what is kept of each as its value."""


@dataclass(frozen=True, slots=True)
class Commit:
    """What becomes durable together: an entry of a shard's log and what the folds said of it.

    Parameters
    ----------
    shard : str
        Whose log; entries are numbered from 1 without a gap.
    sequence : int
        Number of the entry.
    readings, events, positions
        The entry: what came, and where each source stands after it.
    alerts : sequence of Alert
        New and changed ones, in their last version.
    folds : sequence of str
        Names of the folds that moved over the entry; what they said of it is in ``alerts``.
    routes : mapping of str to sequence of str
        Sinks that are told of a watch's alerts; None: the past, of which nobody is told.
    early : collection of str
        Ids of alerts that people are not told of yet, unless they have heard of them before.
    marks : mapping of (kind, watch) to sequence of Readings
        Points that a watch found worth keeping, see ``core.keeping.MarkKind``; kept beside the log.
    """

    shard: str
    sequence: int
    readings: Sequence[Readings] = ()
    events: Sequence[ControlEvent] = ()
    positions: Mapping[str, str] = field(default_factory=dict)
    alerts: Sequence[Alert] = ()
    folds: Sequence[str] = ()
    routes: Mapping[str, Sequence[str]] | None = field(default_factory=dict)
    marks: Marks = field(default_factory=dict)
    early: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class FoldRecord:
    """What a store knows of a fold: of which parameters it is, and the last entry whose verdicts are kept."""

    fingerprint: str
    decided: int


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Points of one series with what was expected of them: what a chart draws.

    Parameters
    ----------
    times, alert : int64[n], bool[n]
        ns UTC, ascending; points of an open alert.
    y, yhat, yhat_lower, yhat_upper, anomaly_score : float64[n]
        NaN where there is none.
    """

    times: Int64
    y: Float64
    yhat: Float64
    yhat_lower: Float64
    yhat_upper: Float64
    anomaly_score: Float64
    alert: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Notice:
    """One change of an alert that one sink is to be told.

    Parameters
    ----------
    alert : Alert
        As it was at that change.
    revision : int
        Number of the change, from 1.
    sink : str
        Who is told.
    tries, due : int
        Failed deliveries so far; not before this time, ns UTC.
    error : str
        What the last delivery failed by.
    recent : Stretch or None
        The alert's series around it, for a chart, as far as it is at hand at delivery; never stored.
    zone, link : str
        IANA time zone of the watch, in which times are told; where people see more, or empty. Put in at delivery.
    """

    alert: Alert
    revision: int
    sink: str
    tries: int = 0
    due: int = 0
    error: str = ""
    recent: Stretch | None = field(default=None, compare=False, repr=False)
    zone: str = field(default="UTC", compare=False, repr=False)
    link: str = field(default="", compare=False, repr=False)

    @property
    def id(self) -> str:
        """The same for every delivery and every sink: receivers may know a repeat by it."""
        return f"{self.alert.id}-{self.revision}"


class SinkSettings(Protocol):
    """What a user writes of a sink: a frozen dataclass of declared parameters."""

    kind: ClassVar[str]

    def open(self, name: str, *, clock: Clock) -> Sink:
        """The sink of that name; nothing outside is touched before ``write``."""


class Sink(Protocol):
    """Where alerts go. ``write`` returns when the notice was taken; the same id twice does no more than once.

    It raises TransientError where another try may help (``retry_after`` seconds, if the other side says so), and
    PermanentError where none can. It may have ``per_minute``, the most notices it takes in a minute (0: any number),
    and ``close``, which another thread may call and which ends a ``write`` within a second or two.
    """

    name: str

    def write(self, notice: Notice) -> None: ...


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand, for a sink that speaks without news.

    Parameters
    ----------
    open : sequence of Notice
        Alerts that are open, that people were told of and whose watch tells this sink, as they are now.
    trouble : str
        Why nothing is judged; empty while everything is.
    undelivered : float
        Seconds since another sink last took what it was given; 0 while all do.
    latest : callable
        The last point of every series under every watch.
    """

    open: Sequence[Notice] = ()
    trouble: str = ""
    undelivered: float = 0.0
    latest: Callable[[], Iterator[Latest]] = field(default=lambda: iter(()), compare=False, repr=False)


@runtime_checkable
class Tending(Protocol):
    """A sink that speaks without news too: it repeats what is open, or says that all is well."""

    name: str
    every_s: float

    def tend(self, standing: Standing) -> None:
        """Called every ``every_s`` seconds, by the thread that calls ``write``; fails as ``write`` does."""


class StoreSettings(Protocol):
    """What a user writes of the store: a frozen dataclass of declared parameters, one class a kind.

    A parameter ``retention`` (``adapters.stores.tiers``) is carried out; ``archive()`` may say where readings go.
    """

    kind: ClassVar[str]

    def open(self, *, clock: Clock) -> Store:
        """The store, ready; PermanentError where another process has it."""


class Store(KeyStore, Protocol):
    """Keeps the log, positions, folds, alerts, outbox, snapshots, what people did, and their keys.

    Every method is atomic and durable when it returns. Of two processes one writes: the other is refused or waits in
    ``lead``. Whoever was overtaken meets FencedError where it writes and in ``outbox``, until ``lead`` lets it again.
    """

    def lead(self, timeout: float = 0.0) -> bool:
        """Whether this process is the one that writes; it waits so many seconds to become so.

        What was restored before another process wrote is worth nothing: restore after it.
        """

    def commit(self, commit: Commit) -> None:
        """Append an entry with everything that belongs to it.

        Alerts that are news (``core.alert.is_news``) raise their revision and put a notice for every sink of their
        route in the outbox.

        Raises
        ------
        TransientError
            The entry is not the next of its shard, or the store cannot be reached: restore and fold again.
        """

    def positions(self, shard: str) -> Mapping[str, str]: ...

    def passed(self, shard: str, after: int) -> Sequence[Mapping[str, str]]:
        """The positions of each entry behind ``after`` that has any, in order, without reading the entries."""

    def log(self, shard: str, after: int) -> Iterator[Commit]:
        """Entries behind ``after`` in order, with their marks, without alerts, folds and routes."""

    def head(self, shard: str) -> int:
        """Number of the last entry; 0 before the first."""

    def fold(self, shard: str, name: str) -> FoldRecord | None: ...

    def adopt(
        self, shard: str, name: str, record: FoldRecord, alerts: Sequence[Alert] = (), sinks: Sequence[str] = ()
    ) -> None:
        """Take note of a fold that has caught up with the log; its alerts are kept and told to these sinks only."""

    def forget(self, shard: str, name: str) -> None:
        """Drop a fold and its snapshot; its alerts stay."""

    def snapshot(self, shard: str, name: str, sequence: int, state: bytes) -> None:
        """Keep a snapshot, and the last ``core.keeping.SNAPSHOTS_KEPT`` - 1 before it; an earlier one replaces all."""

    def restore(self, shard: str, name: str, through: int | None = None) -> tuple[int, bytes] | None:
        """The last snapshot of a fold, of those up to entry ``through``, and the entry it stands behind."""

    def states(self) -> Sequence[FoldState]:
        """Every fold with its snapshots, by shard and name."""

    def series(self) -> Sequence[SeriesRecord]:
        """Every series that was ever seen, by key."""

    def expired(self, shard: str, before: int) -> int:
        """The entry up to which all are older than ``before``, by last reading, or writing if earlier; 0: none."""

    def trim(self, trim: Trim) -> int:
        """Do all of a trim or nothing, snapshots that need what left too; how many entries, roll-ups and marks left.

        Raises
        ------
        TransientError
            A fold still needs one of the entries: it has no snapshot behind it. Nothing was changed.
        """

    def rollups(self, since: int, until: int) -> Iterator[Rollups]:
        """Hours from ``since`` to before ``until``, in order, some at a time; ``rolled``: all of one series."""

    def rolled(self, key: SeriesKey, since: int, until: int) -> Rollups: ...

    def archived(self) -> Sequence[ArchiveFile]:
        """The files of the archive that count, by name."""

    def alerts(self) -> Sequence[Alert]:
        """Every alert in its last version, in order of opening."""

    def told(self) -> Sequence[tuple[Alert, int]]:
        """Alerts that are open and that people were told of, in their last version, with their revision."""

    def outbox(self, now: int, sink: str = "", most: int = 0) -> Sequence[Notice]:
        """Notices that are due, oldest first; of an alert and a sink never one before an earlier revision is done.

        Of one sink only where it is named, and at most so many where ``most`` is not 0.
        """

    def delivered(self, notices: Sequence[Notice]) -> None: ...
    def postponed(self, notice: Notice, due: int, error: str) -> None:
        """A delivery failed: try again at ``due``."""

    def dead(self, notice: Notice, error: str) -> None:
        """A delivery failed for good: keep it aside."""

    def dead_letters(self) -> Sequence[Notice]: ...

    def revive(self, notices: Sequence[Notice]) -> None:
        """Put dead letters back into the outbox, due at once."""

    def act(self, act: Act) -> Act: ...
    def model_events(self) -> Sequence[ModelRecord]:
        """What happened to models, in order: of every entry that said so, also of those that have left the log."""

    def acts(self, after: int = 0) -> Sequence[Act]:
        """What people did behind a number, in its order; ``act`` writes one down and gives it its number."""

    def close(self) -> None: ...
