"""What all parts of the store have: reads that see whole writes, and writes of any size that happen whole or not."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from watchband.adapters.aws.access import AwsAccess, AwsSession
from watchband.adapters.stores.dynamodb.attributes import (
    ITEM_MAX,
    PART,
    TRANSACTION_BYTES,
    TRANSACTION_ITEMS,
    Change,
    packed,
    unpacked,
)
from watchband.adapters.stores.dynamodb.root import Root
from watchband.adapters.stores.dynamodb.table import DynamoTable, RefusedError
from watchband.core.clock import Clock, SystemClock
from watchband.core.errors import FencedError, PermanentError, StateCorruptError

PARTS = "part#"
"""What the keys of pieces begin with: of journals, and of snapshots too large for an item."""
WHAT = "The store 'dynamodb'"
_ROOT_BYTES = 500_000
"""Of a transaction, left for the root."""


@dataclass
class Work:
    """A write under way: the root as it will be, and what else changes with it."""

    root: dict[str, Any]
    changes: list[Change] = field(default_factory=list)
    letters: bool = False

    def put(self, pk: str, sk: str, **item: Any) -> None:
        """An item comes, or takes the place of what is there."""
        self.changes.append(Change(pk, sk, item))

    def drop(self, pk: str, sk: str) -> None:
        """An item goes."""
        self.changes.append(Change(pk, sk, None))


@dataclass(frozen=True)
class Look:
    """A look at the table: what a journal says counts already, whether or not it was carried out."""

    table: DynamoTable
    root: dict[str, Any]
    pending: dict[tuple[str, str], Change]

    def query(self, pk: str, since: str = "", until: str = "", *, page: int = 0) -> Iterator[dict[str, Any]]:
        """Items of a partition in order, from ``since`` to before ``until``."""
        rows = self.table.query(pk, since, until, page=page)
        over = {c.sk: c for c in self.pending.values() if c.pk == pk and c.sk >= since and (not until or c.sk < until)}
        if not over:
            yield from rows
            return
        found = {row["sk"]: row for row in rows}
        for sk, change in over.items():
            found.pop(sk, None)
            if change.item is not None:
                found[sk] = {**change.item, "pk": pk, "sk": sk}
        yield from (found[sk] for sk in sorted(found))

    def get(self, pk: str, sk: str) -> dict[str, Any] | None:
        """One item."""
        return self.get_many([(pk, sk)]).get((pk, sk))

    def get_many(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], dict[str, Any]]:
        """Those of some items that are there."""
        found = self.table.get_many(list(dict.fromkeys(keys))) if keys else {}
        for key in keys:
            if key in self.pending:
                found.pop(key, None)
                if (item := self.pending[key].item) is not None:
                    found[key] = {**item, "pk": key[0], "sk": key[1]}
        return found


class Tables:
    """The table of an installation, and who leads.

    Parameters
    ----------
    table : str
        Its name; it is made if it is not there and ``create`` allows it.
    access : AwsAccess, optional
        How the account is reached.
    lease_s, budget_s : float
        After which a process that is not heard of is taken over from; waiting that the repeats of a call may take.
    create : bool
        Make the table where it is not there.
    clock : Clock, optional
        Says when an entry was written, and waits.
    part : str
        What its partition keys begin with: several stores may share a table.
    session : AwsSession, optional
        Instead of ``access``: one that several stores share, and that is not closed with this one.
    turns : bool
        Whoever writes next takes the lead over without waiting; see ``Root``.
    """

    def __init__(
        self,
        table: str,
        *,
        access: AwsAccess | None = None,
        lease_s: float = 15.0,
        budget_s: float = 20.0,
        create: bool = True,
        clock: Clock | None = None,
        part: str = "",
        turns: bool = False,
        session: AwsSession | None = None,
    ) -> None:
        self.clock: Clock = clock or SystemClock()
        self._shared = session is not None
        self.session = session or AwsSession(access or AwsAccess(), WHAT, threads=8)
        self.table = DynamoTable(self.session, table, self.clock, budget_s=budget_s, part=part)
        self._root = Root(self.table, lease_s, turns)
        self._closed = False
        self._removed: set[str] = set()
        if create:
            self.table.create()

    @property
    def holder(self) -> str:
        """What this process is called where it leads: host and process number."""
        return self._root.holder

    @property
    def turn(self) -> int | None:
        """The number under which this process writes; None where it does not. Equal: nobody else wrote meanwhile."""
        return self._root.token

    def release(self) -> None:
        """Give the lead back, as far as others are concerned; see ``Root.release``."""
        self._root.release()

    def lead(self, timeout: float = 0.0) -> bool:
        """Whether this process is the one that writes; it waits so many seconds to become so."""
        self._open()
        before = self._root.token
        if not self._root.take(timeout):
            return False
        if self._root.token != before:
            with self._root.lock:
                self._sweep()
        return True

    def close(self) -> None:
        """Give the lead back and let go of the connections."""
        if not self._closed:
            self._closed = True
            self._root.close()
            self.table.close()
            if not self._shared:
                self.session.close()

    def _open(self) -> None:
        if self._closed:
            raise PermanentError(f"The store in the table {self.table.name!r} was closed.")

    @contextlib.contextmanager
    def reading(self) -> Iterator[Look]:
        """A look at what is there; nothing of this process changes it meanwhile."""
        self._open()
        with self._root.lock:
            root = self._root.read()
            pending = self._journal(root["journal"]) if root["journal"] else []
            yield Look(self.table, root, {(c.pk, c.sk): c for c in pending})

    @contextlib.contextmanager
    def writing(self) -> Iterator[tuple[Work, Look]]:
        """All of what is put down inside, or nothing; FencedError where another process leads."""
        self._open()
        with self._root.lock:
            root = self._root.mine()
            if root["journal"]:
                self._carry_out(root)
                root = self._root.mine()
            root["strays"] = [stray for stray in root["strays"] if stray[0] not in self._removed]
            work = Work(root)
            # What a write has changed so far is not what is there.
            yield work, Look(self.table, copy.deepcopy(root), {})
            try:
                self._do(work)
            except BaseException:
                self.written(None)
                raise
            self.written(work)

    def written(self, work: Work | None) -> None:
        """Called with every write that was done; None: it is not known which were."""

    def _do(self, work: Work) -> None:
        # Of two changes of one item the later counts, as it would one after the other.
        changes = list({(c.pk, c.sk): c for c in work.changes}.values())
        for change in changes:
            if change.weight > ITEM_MAX - 1024:
                raise PermanentError(
                    f"{change.pk} {change.sk[:100]!r} has {change.weight:,} bytes; an item of DynamoDB holds "
                    f"{ITEM_MAX:,}."
                )
        if len(changes) < TRANSACTION_ITEMS and sum(c.weight for c in changes) < TRANSACTION_BYTES - _ROOT_BYTES:
            self._root.swap(work.root, changes, work.letters)
            return
        data = packed(changes)
        name = self.stage(work.root, data)
        parts = -(-len(data) // PART)
        work.root["journal"] = [name, parts, hashlib.blake2b(data, digest_size=16).hexdigest()]
        work.root["strays"] = [stray for stray in work.root["strays"] if stray != [name, parts]]
        self._root.swap(work.root, (), work.letters)
        self._carry_out(self._root.mine())

    def stage(self, root: dict[str, Any], data: bytes) -> str:
        """Put bytes down in parts, to be named by a later write; until then they count as strays."""
        name = uuid.uuid4().hex
        pieces = [data[at : at + PART] for at in range(0, len(data), PART)]
        root["strays"] = [*root["strays"], [name, len(pieces)]]
        # Only this: what else the write changes is not to be seen before it is whole.
        self._root.swap({**self._root.mine(), "strays": root["strays"]})
        self.table.write_many([Change(PARTS + name, f"{i:06d}", {"part": piece}) for i, piece in enumerate(pieces)])
        return name

    def staged(self, name: str, parts: int) -> bytes:
        """What was put down in parts."""
        keys = [(PARTS + name, f"{i:06d}") for i in range(parts)]
        found: list[bytes] = []
        # An answer holds 16 MB.
        for at in range(0, parts, 32):
            some = self.table.get_many(keys[at : at + 32])
            found += [some[key]["part"] if key in some else b"" for key in keys[at : at + 32]]
        return b"".join(found)

    def _journal(self, journal: Sequence[Any]) -> list[Change]:
        name, parts, digest = journal
        data = self.staged(name, parts)
        if hashlib.blake2b(data, digest_size=16).hexdigest() != digest:
            raise StateCorruptError(
                f"A journal of the table {self.table.name!r} is damaged: {len(data):,} bytes of it are there. Restore "
                "the table to a point in time."
            )
        return unpacked(data)

    def _carry_out(self, root: dict[str, Any]) -> None:
        """Do what the journal says, under the lead; as often as needed."""
        journal = root["journal"]
        some: list[Change] = []
        for change in [*self._journal(journal), None]:
            full = len(some) == TRANSACTION_ITEMS - 1 or sum(c.weight for c in some) > TRANSACTION_BYTES - ITEM_MAX
            if some and (change is None or full):
                try:
                    self.table.transact(self._root.holds(journal), some, uuid.uuid4().hex)
                except RefusedError as refused:
                    self._root.lose()
                    raise FencedError("Another process leads, and has finished what this one began.") from refused
                some = []
            if change is not None:
                some.append(change)
        root["journal"] = []
        root["strays"] = [*root["strays"], list(journal[:2])]
        self._root.swap(root)
        self.remove([list(journal[:2])])

    def _sweep(self) -> None:
        """Finish what an earlier process left half done, and remove what nothing names."""
        root = self._root.mine()
        if root["journal"]:
            self._carry_out(root)
            root = self._root.mine()
        if root["strays"]:
            self.remove(root["strays"])

    def remove(self, strays: Sequence[Sequence[Any]]) -> None:
        """Remove pieces that the root names as strays; the next write takes their names off it."""
        keys = [(PARTS + name, f"{i:06d}") for name, parts in strays for i in range(parts)]
        self.table.write_many([Change(pk, sk, None) for pk, sk in keys])
        self._removed.update(name for name, _ in strays)
