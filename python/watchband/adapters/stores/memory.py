"""A store in memory: gone with the process, otherwise as the port wants it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from watchband.core.alert import Alert, is_told
from watchband.core.clock import Clock
from watchband.core.errors import TransientError
from watchband.core.ports import Commit, FoldRecord, Notice


@dataclass
class _Shard:
    head: int = 0
    positions: dict[str, str] = field(default_factory=dict)
    log: list[Commit] = field(default_factory=list)
    folds: dict[str, FoldRecord] = field(default_factory=dict)
    snapshots: dict[str, tuple[int, bytes]] = field(default_factory=dict)


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
        for name in commit.folds:
            if name in shard.folds:
                shard.folds[name] = replace(shard.folds[name], decided=commit.sequence)
        for alert in commit.alerts:
            self._keep(alert, commit.routes.get(alert.watch, ()))

    def _keep(self, alert: Alert, sinks: Sequence[str]) -> None:
        before, revision = self._alerts.get(alert.id, (None, 0))
        if is_told(before, revision, alert):
            revision += 1
            for sink in sinks:
                notice = Notice(alert, revision, sink)
                self._notices[notice.id, sink] = notice
        self._alerts[alert.id] = alert, revision

    def positions(self, shard: str) -> Mapping[str, str]:
        """The last position of every source."""
        return dict(self._shard(shard).positions)

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
            if sinks:
                self._keep(alert, sinks)
            else:
                _, revision = self._alerts.get(alert.id, (None, 0))
                self._alerts[alert.id] = alert, revision

    def forget(self, shard: str, name: str) -> None:
        """Drop a fold."""
        kept = self._shard(shard)
        kept.folds.pop(name, None)
        kept.snapshots.pop(name, None)

    def snapshot(self, shard: str, name: str, sequence: int, state: bytes) -> None:
        """Replace a fold's snapshot."""
        kept = self._shard(shard)
        kept.snapshots[name] = (sequence, bytes(state))
        if not self._keep_log and kept.snapshots.keys() >= kept.folds.keys():
            covered = min(at for at, _ in kept.snapshots.values())
            kept.log = [c for c in kept.log if c.sequence > covered]

    def restore(self, shard: str, name: str) -> tuple[int, bytes] | None:
        """A fold's snapshot and the entry it stands behind."""
        return self._shard(shard).snapshots.get(name)

    def alerts(self) -> Sequence[Alert]:
        """Every alert in its last version."""
        return sorted((a for a, _ in self._alerts.values()), key=lambda a: (a.opened, str(a.series), a.watch))

    def outbox(self, now: int) -> Sequence[Notice]:
        """Notices that are due, in the order in which they were made."""
        blocked: set[tuple[str, str]] = set()
        found = []
        for key, notice in self._notices.items():
            queue = notice.alert.id, notice.sink
            if key in self._dead or queue in blocked:
                continue
            blocked.add(queue)
            if notice.due <= now:
                found.append(notice)
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
        return [notice for key, notice in self._notices.items() if key in self._dead]

    def revive(self, notices: Sequence[Notice]) -> None:
        """Put dead letters back."""
        for notice in notices:
            if _address(notice) in self._dead:
                self._dead.remove(_address(notice))
                self._change(notice, tries=0, due=0)

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
    return Commit(commit.shard, commit.sequence, readings, tuple(commit.events), dict(commit.positions))


def _address(notice: Notice) -> tuple[str, str]:
    return notice.id, notice.sink
