"""Snapshots of folds: small ones in an item, larger ones in parts, and the largest in S3 where a bucket is named."""

from __future__ import annotations

import hashlib
import uuid
import zlib
from collections.abc import Sequence
from typing import Any, Protocol

from watchband.adapters.stores.dynamodb.attributes import PART
from watchband.adapters.stores.dynamodb.catalogue import Catalogue
from watchband.adapters.stores.dynamodb.tables import Look, Work
from watchband.adapters.stores.seen import COUNT_AFTER
from watchband.core.errors import ConfigError, StateCorruptError
from watchband.core.keeping import SNAPSHOTS_KEPT, SnapshotRecord

INLINE = 8 << 10
"""Bytes of a snapshot that stand in its record; more would be read whenever the records are."""
OBJECT = -1
"""Instead of a number of parts: it is an object of S3."""
_SEP = "\x1f"


class Objects(Protocol):
    """Where snapshots go that are too large for the table."""

    least: int

    def put(self, name: str, data: bytes) -> None: ...
    def get(self, name: str) -> bytes: ...
    def remove(self, name: str) -> None: ...


class Snapshots(Catalogue):
    """The part of the store that keeps states."""

    def __init__(self, *given: Any, objects: Objects | None = None, **settings: Any) -> None:
        self.objects = objects
        super().__init__(*given, **settings)

    def snapshot(self, shard: str, name: str, sequence: int, state: bytes) -> None:
        """Keep a snapshot of a fold and some before it."""
        now = self.clock.now()
        with self.writing() as (work, look):
            small = zlib.compress(state, 1)
            data, how = (small, 1) if len(small) < len(state) else (state, 0)
            record: dict[str, Any] = {
                "sequence": sequence, "written": now, "nbytes": len(state), "packed": how,
                "digest": hashlib.blake2b(data, digest_size=16).hexdigest(),
            }  # fmt: skip
            if len(data) <= INLINE:
                record["state"] = data
            else:
                record["blob"] = self._put_aside(work, data)
            gone = self.drop_snapshots(work, look, shard, name, keep=SNAPSHOTS_KEPT - 1, before=sequence)
            work.put(f"snapshot#{shard}", f"{name}{_SEP}{sequence:016d}", **record)
            work.root["heads"] = {shard: 0, **work.root["heads"]}
            self.count(work, look, COUNT_AFTER)
        self.remove(gone)

    def _put_aside(self, work: Work, data: bytes) -> list[Any]:
        if self.objects is None or len(data) < self.objects.least:
            name, parts = self.stage(work.root, data), -(-len(data) // PART)
        else:
            name, parts = uuid.uuid4().hex, OBJECT
            work.root["strays"] = [*work.root["strays"], [name, parts]]
            self._root.swap({**self._root.mine(), "strays": work.root["strays"]})
            self.objects.put(name, data)
        work.root["strays"] = [stray for stray in work.root["strays"] if stray[0] != name]
        return [name, parts]

    def drop_snapshots(
        self, work: Work, look: Look, shard: str, name: str, *, keep: int = 0, before: int = 0
    ) -> list[list[Any]]:
        """Drop those of a fold but the last ``keep`` before an entry; what to remove once that is done."""
        rows = self._rows(look, shard, name)
        kept = [row for row in rows if row["sequence"] < before][-keep:] if keep else []
        gone = [row for row in rows if row not in kept]
        for row in gone:
            work.drop(row["pk"], row["sk"])
        blobs = [row["blob"] for row in gone if "blob" in row]
        work.root["strays"] = [*work.root["strays"], *blobs]
        return blobs

    def _rows(self, look: Look, shard: str, name: str) -> list[dict[str, Any]]:
        return list(look.query(f"snapshot#{shard}", f"{name}{_SEP}", f"{name}{_SEP}\x7f"))

    def restore(self, shard: str, name: str, through: int | None = None) -> tuple[int, bytes] | None:
        """A fold's snapshot and the entry it stands behind."""
        with self.reading() as look:
            rows = [r for r in self._rows(look, shard, name) if through is None or r["sequence"] <= through]
            if not rows:
                return None
            row = rows[-1]
            data = row["state"] if "state" in row else self._fetched(*row["blob"])
        if hashlib.blake2b(data, digest_size=16).hexdigest() != row["digest"]:
            raise StateCorruptError(
                f"The snapshot of {name!r} behind entry {row['sequence']} is damaged or incomplete."
            )
        return row["sequence"], zlib.decompress(data) if row["packed"] else data

    def _fetched(self, name: str, parts: int) -> bytes:
        if parts != OBJECT:
            return self.staged(name, parts)
        return self._bucket().get(name)

    def _bucket(self) -> Objects:
        if self.objects is None:
            raise ConfigError("A snapshot of this store is in S3: name the 'bucket' it was written to.")
        return self.objects

    def records(self, look: Look, shard: str, name: str) -> tuple[SnapshotRecord, ...]:
        """What is known of the snapshots of a fold, the newest first."""
        rows = reversed(self._rows(look, shard, name))
        return tuple(SnapshotRecord(row["sequence"], row["written"], row["nbytes"]) for row in rows)

    def remove(self, strays: Sequence[Sequence[Any]]) -> None:
        """Remove pieces, and objects of S3."""
        for name, parts in strays:
            if parts == OBJECT:
                self._bucket().remove(name)
        super().remove([stray for stray in strays if stray[1] != OBJECT])
        self._removed.update(name for name, _ in strays)
