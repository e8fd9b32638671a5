"""A store in memory: gone with the process, otherwise as the port wants it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from watchband.core.alert import Alert, is_news
from watchband.core.errors import TransientError
from watchband.core.ports import Commit, Readings


@dataclass
class _Shard:
    sequence: int = 0
    positions: dict[str, str] = field(default_factory=dict)
    log: list[Commit] = field(default_factory=list)
    snapshot: tuple[int, bytes] | None = None


class MemoryStore:
    """Keeps everything in dictionaries; what goes in and comes out is copied.

    Parameters
    ----------
    keep_log : bool, default True
        Keep every commit for replay. False drops those that the last snapshot covers, which bounds the memory of a
        process that runs for long.

    Guarantees
    ----------
    A commit is applied as a whole or not at all. A commit that does not follow the last one of its shard is refused: of
    two writers one wins and the other is told.

    Examples
    --------
    >>> store = MemoryStore()
    >>> store.commit(Commit("0", 1, positions={"file": "12"}))
    >>> dict(store.positions("0")), store.restore("0")
    ({'file': '12'}, None)
    """

    name = "memory"

    def __init__(self, *, keep_log: bool = True) -> None:
        self._keep_log = keep_log
        self._shards: dict[str, _Shard] = {}
        self._alerts: dict[str, Alert] = {}
        self._outbox: dict[str, Alert] = {}

    def _shard(self, shard: str) -> _Shard:
        return self._shards.setdefault(shard, _Shard())

    def commit(self, commit: Commit) -> None:
        """Append a commit to its shard's log, with positions, alerts and outbox.

        Raises
        ------
        TransientError
            The commit is not the next one of its shard: another writer was faster. Restore and fold again.
        """
        shard = self._shard(commit.shard)
        if commit.sequence != shard.sequence + 1:
            raise TransientError(
                f"Commit {commit.sequence} of shard {commit.shard!r} does not follow {shard.sequence}: another writer "
                "was faster. Restore the shard and fold again."
            )
        kept = _copied(commit)
        shard.sequence = commit.sequence
        shard.positions.update(kept.positions)
        shard.log.append(kept)
        for alert in kept.alerts:
            if is_news(self._alerts.get(alert.id), alert):
                self._outbox[alert.id] = alert
            self._alerts[alert.id] = alert

    def positions(self, shard: str) -> Mapping[str, str]:
        """The last position of every source."""
        return dict(self._shard(shard).positions)

    def snapshot(self, shard: str, sequence: int, state: bytes) -> None:
        """Replace the shard's snapshot, which covers the log up to ``sequence``."""
        kept = self._shard(shard)
        kept.snapshot = (sequence, bytes(state))
        if not self._keep_log:
            kept.log = [c for c in kept.log if c.sequence > sequence]

    def restore(self, shard: str) -> tuple[int, bytes] | None:
        """The last snapshot and the sequence it covers; None before the first."""
        return self._shard(shard).snapshot

    def log(self, shard: str, after: int) -> Iterator[Commit]:
        """The commits after ``after``, in order."""
        for commit in list(self._shard(shard).log):
            if commit.sequence > after:
                yield _copied(commit)

    def alerts(self) -> Sequence[Alert]:
        """Every alert in its last version, in order of opening."""
        return sorted(self._alerts.values(), key=lambda a: (a.opened, str(a.series), a.watch))

    def outbox(self) -> Sequence[Alert]:
        """Alerts that are to be delivered, oldest first."""
        return list(self._outbox.values())

    def delivered(self, alert_ids: Sequence[str]) -> None:
        """These alerts were written to every sink."""
        for alert_id in alert_ids:
            self._outbox.pop(alert_id, None)


def _copied(commit: Commit) -> Commit:
    readings = tuple(Readings(r.key, r.times.copy(), r.values.copy()) for r in commit.readings)
    return replace(
        commit,
        readings=readings,
        events=tuple(commit.events),
        positions=dict(commit.positions),
        alerts=tuple(commit.alerts),
    )
