"""A store in memory: gone with the process, otherwise as the port wants it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from watchband.core.access_keys import AccessKey
from watchband.core.acts import Act
from watchband.core.alert import Alert, is_told
from watchband.core.clock import Clock
from watchband.core.errors import TransientError
from watchband.core.events import ModelRecord, of_models
from watchband.core.keeping import SNAPSHOTS_KEPT, ArchiveFile, FoldState, Rollups, SeriesRecord, SnapshotRecord, Trim
from watchband.core.ports import Commit, FoldRecord, Notice, Readings
from watchband.core.series import SeriesKey

END = 2**63 - 1


@dataclass
class _Shard:
    head: int = 0
    positions: dict[str, str] = field(default_factory=dict)
    log: list[Commit] = field(default_factory=list)
    folds: dict[str, FoldRecord] = field(default_factory=dict)
    snapshots: dict[str, list[tuple[int, bytes]]] = field(default_factory=dict)

    def covered(self, name: str) -> int:
        kept = self.snapshots.get(name)
        return kept[-1][0] if kept else 0


@dataclass(frozen=True)
class MemorySettings:
    """Nothing is kept beyond the process: for trying things out."""

    kind: ClassVar[str] = "memory"

    def open(self, *, clock: Clock) -> MemoryStore:
        """The store; its log is as short as its watches allow."""
        return MemoryStore(keep_log=False)


class MemoryStore:
    """Keeps everything in dictionaries; what goes in and comes out is copied.

    Parameters
    ----------
    keep_log : bool, default True
        Keep every entry for replay. False drops those that the snapshots of all folds cover, which bounds the memory
        of a process that runs for long.

    Examples
    --------
    >>> store = MemoryStore()
    >>> store.commit(Commit("0", 1, positions={"file": "12"}))
    >>> dict(store.positions("0")), store.head("0"), store.restore("0", "cpu")
    ({'file': '12'}, 1, None)
    """

    name = "memory"

    def __init__(self, *, keep_log: bool = True) -> None:
        self._keep_log = keep_log
        self._shards: dict[str, _Shard] = {}
        self._alerts: dict[str, tuple[Alert, int]] = {}
        # In the order in which they were made, which is the order in which they are told.
        self._notices: dict[tuple[str, str], Notice] = {}
        self._dead: set[tuple[str, str]] = set()
        self._acts: list[Act] = []
        self._models: list[ModelRecord] = []
        self._acting = threading.Lock()
        self._keys: dict[str, AccessKey] = {}
        self._series: dict[SeriesKey, SeriesRecord] = {}
        self._rollups = Rollups.none()
        self._files: dict[str, ArchiveFile] = {}

    def _shard(self, shard: str) -> _Shard:
        return self._shards.setdefault(shard, _Shard())

    def commit(self, commit: Commit) -> None:
        """Append an entry; see the port."""
        shard = self._shard(commit.shard)
        if commit.sequence != shard.head + 1:
            raise TransientError(
                f"Entry {commit.sequence} of shard {commit.shard!r} does not follow {shard.head}: another writer was "
                "faster. Restore the shard and fold again."
            )
        shard.head = commit.sequence
        shard.positions.update(commit.positions)
        shard.log.append(_entry(commit))
        self._models += [ModelRecord(commit.shard, commit.sequence, event) for event in of_models(commit.events)]
        for reading in commit.readings:
            self._saw(reading)
        for name in commit.folds:
            if name in shard.folds:
                shard.folds[name] = replace(shard.folds[name], decided=commit.sequence)
        for alert in commit.alerts:
            self._keep(
                alert,
                None if commit.routes is None else commit.routes.get(alert.watch, ()),
                early=alert.id in commit.early,
            )

    def _keep(self, alert: Alert, sinks: Sequence[str] | None, *, early: bool = False) -> None:
        before, revision = self._alerts.get(alert.id, (None, 0))
        if sinks is not None and not (early and not revision) and is_told(before, revision, alert):
            revision += 1
            for sink in sinks:
                notice = Notice(alert, revision, sink)
                self._notices[notice.id, sink] = notice
        self._alerts[alert.id] = alert, revision

    def positions(self, shard: str) -> Mapping[str, str]:
        """The last position of every source."""
        return dict(self._shard(shard).positions)

    def passed(self, shard: str, after: int) -> Sequence[Mapping[str, str]]:
        """The positions of each entry behind ``after``."""
        return [dict(c.positions) for c in self._shard(shard).log if c.sequence > after and c.positions]

    def log(self, shard: str, after: int) -> Iterator[Commit]:
        """The entries behind ``after``."""
        for commit in list(self._shard(shard).log):
            if commit.sequence > after:
                yield _entry(commit)

    def head(self, shard: str) -> int:
        """Number of the last entry."""
        return self._shard(shard).head

    def fold(self, shard: str, name: str) -> FoldRecord | None:
        """What is known of a fold."""
        return self._shard(shard).folds.get(name)

    def adopt(
        self, shard: str, name: str, record: FoldRecord, alerts: Sequence[Alert] = (), sinks: Sequence[str] = ()
    ) -> None:
        """Take note of a fold and of what it said of the past."""
        self._shard(shard).folds[name] = record
        for alert in alerts:
            self._keep(alert, sinks or None)

    def forget(self, shard: str, name: str) -> None:
        """Drop a fold."""
        kept = self._shard(shard)
        kept.folds.pop(name, None)
        kept.snapshots.pop(name, None)

    def snapshot(self, shard: str, name: str, sequence: int, state: bytes) -> None:
        """Keep a snapshot of a fold and some before it."""
        kept = self._shard(shard)
        before = [(at, old) for at, old in kept.snapshots.get(name, ()) if at < sequence]
        kept.snapshots[name] = [*before[1 - SNAPSHOTS_KEPT :], (sequence, bytes(state))]
        if not self._keep_log:
            covered = min(map(kept.covered, {*kept.folds, *kept.snapshots}))
            kept.log = [c for c in kept.log if c.sequence > covered]

    def restore(self, shard: str, name: str, through: int | None = None) -> tuple[int, bytes] | None:
        """A fold's snapshot and the entry it stands behind."""
        kept = self._shard(shard).snapshots.get(name, ())
        return next((one for one in reversed(kept) if through is None or one[0] <= through), None)

    def states(self) -> Sequence[FoldState]:
        """Every fold with its snapshots."""
        return [
            FoldState(
                label,
                name,
                record.fingerprint,
                record.decided,
                tuple(SnapshotRecord(at, 0, len(state)) for at, state in reversed(shard.snapshots.get(name, ()))),
            )
            for label, shard in sorted(self._shards.items())
            for name, record in sorted(shard.folds.items())
        ]

    def series(self) -> Sequence[SeriesRecord]:
        """Every series that was ever seen."""
        return sorted(self._series.values(), key=lambda s: str(s.key))

    def _saw(self, reading: Readings) -> None:
        if not len(reading.times):
            return
        first, last, points = int(reading.times.min()), int(reading.times.max()), len(reading.times)
        known = self._series.get(reading.key)
        if known:
            first, last, points = min(first, known.first), max(last, known.last), points + known.points
        self._series[reading.key] = SeriesRecord(reading.key, reading.source, first, last, points)

    def expired(self, shard: str, before: int) -> int:
        """The entry up to which all are older; one without readings is as old as the one before it."""
        found = 0
        for entry in self._shard(shard).log:
            if any(len(r.times) and int(r.times.max()) >= before for r in entry.readings):
                break
            found = entry.sequence
        return found

    def trim(self, trim: Trim) -> int:
        """Entries leave, roll-ups and files come; see the port."""
        shard = self._shard(trim.shard)
        if trim.through > min(map(shard.covered, shard.folds), default=0):
            raise TransientError(f"Entries up to {trim.through} of shard {trim.shard!r} are still needed by a watch.")
        before = len(shard.log) + len(self._rollups)
        shard.log = [entry for entry in shard.log if entry.sequence > trim.through]
        for name, kept in shard.snapshots.items():
            shard.snapshots[name] = [one for one in kept if one[0] >= trim.through]
        recent = self._rollups.between(trim.rollups_before, END)
        left = before - len(shard.log) - len(recent)
        self._rollups = Rollups.joined([recent, trim.rollups])
        for name in trim.replaced:
            self._files.pop(name, None)
        self._files.update((file.name, file) for file in trim.files)
        waiting = {notice.alert.id for notice in self._notices.values()}
        for alert, _ in list(self._alerts.values()):
            if alert.closed is not None and alert.closed < trim.alerts_before and alert.id not in waiting:
                del self._alerts[alert.id]
                left += 1
        return left

    def rollups(self, since: int, until: int) -> Iterator[Rollups]:
        """Hours of a range, in order."""
        found = self._rollups.between(since, until)
        if len(found):
            yield found

    def rolled(self, key: SeriesKey, since: int, until: int) -> Rollups:
        """Hours of one series."""
        return self._rollups.between(since, until).only(key)

    def archived(self) -> Sequence[ArchiveFile]:
        """The files that count."""
        return [self._files[name] for name in sorted(self._files)]

    def alerts(self) -> Sequence[Alert]:
        """Every alert in its last version."""
        return sorted((a for a, _ in list(self._alerts.values())), key=lambda a: (a.opened, str(a.series), a.watch))

    def told(self) -> Sequence[tuple[Alert, int]]:
        """Open alerts that people know of."""
        return [(a, revision) for a, revision in list(self._alerts.values()) if a.closed is None and revision]

    def outbox(self, now: int, sink: str = "", most: int = 0) -> Sequence[Notice]:
        """Notices that are due, in the order in which they were made."""
        blocked: set[tuple[str, str]] = set()
        found = []
        # Copies, since the engine commits while the courier's threads look.
        for key, notice in list(self._notices.items()):
            queue = notice.alert.id, notice.sink
            if key in self._dead or queue in blocked or sink not in ("", notice.sink):
                continue
            blocked.add(queue)
            if notice.due <= now:
                found.append(notice)
                if len(found) == most:
                    break
        return found

    def delivered(self, notices: Sequence[Notice]) -> None:
        """These are done."""
        for notice in notices:
            self._notices.pop(_address(notice), None)
            self._dead.discard(_address(notice))

    def postponed(self, notice: Notice, due: int, error: str) -> None:
        """Try this one again later."""
        self._change(notice, tries=notice.tries + 1, due=due, error=error)

    def dead(self, notice: Notice, error: str) -> None:
        """Keep this one aside."""
        if self._change(notice, tries=notice.tries + 1, error=error):
            self._dead.add(_address(notice))

    def dead_letters(self) -> Sequence[Notice]:
        """What could not be delivered, oldest first."""
        return [notice for key, notice in list(self._notices.items()) if key in self._dead]

    def revive(self, notices: Sequence[Notice]) -> None:
        """Put dead letters back."""
        for notice in notices:
            if _address(notice) in self._dead:
                self._dead.remove(_address(notice))
                self._change(notice, tries=0, due=0)

    def act(self, act: Act) -> Act:
        """Write down what somebody did."""
        with self._acting:
            numbered = replace(act, number=len(self._acts) + 1)
            self._acts.append(numbered)
        return numbered

    def acts(self, after: int = 0) -> Sequence[Act]:
        """What people did behind a number."""
        return self._acts[after:]

    def model_events(self) -> Sequence[ModelRecord]:
        """What happened to models."""
        return list(self._models)

    def access_keys(self) -> Sequence[AccessKey]:
        """Keys and sessions."""
        found = list(self._keys.values())
        return sorted(found, key=lambda k: (k.created, k.id))

    def keep_access_key(self, key: AccessKey) -> None:
        """Keep one."""
        self._keys[key.id] = key

    def drop_access_keys(self, ids: Sequence[str]) -> None:
        """Forget these."""
        for number in ids:
            self._keys.pop(number, None)

    def _change(self, notice: Notice, **changes: Any) -> bool:
        """Whether there is such a notice; it keeps its place."""
        kept = self._notices.get(_address(notice))
        if kept is not None:
            self._notices[_address(notice)] = replace(kept, **changes)
        return kept is not None

    def lead(self, timeout: float = 0.0) -> bool:
        """Always: nobody else has it."""
        return True

    def close(self) -> None:
        """Nothing to let go of."""


def _entry(commit: Commit) -> Commit:
    readings = tuple(replace(r, times=r.times.copy(), values=r.values.copy()) for r in commit.readings)
    return Commit(
        commit.shard, commit.sequence, readings, tuple(commit.events), dict(commit.positions), marks=dict(commit.marks)
    )


def _address(notice: Notice) -> tuple[str, str]:
    return notice.id, notice.sink
