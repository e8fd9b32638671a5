"""Leases: of several workers each shard is read by one. The idea of the Kinesis Client Library, with one write: CAS.

A lease names its owner and counts up with every change, so whoever saw it change lately knows that its owner lives,
without comparing clocks. Every change is conditional on the counter that was seen: of two that race one wins.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from watchband.adapters.sources.kinesis.shards import END, Shard, first_place, further, readable
from watchband.core.clock import Clock
from watchband.core.errors import AdapterError

log = logging.getLogger("watchband.source.kinesis")
TRIES = 3


@dataclass(frozen=True, slots=True)
class Lease:
    """Who reads a shard, and how far it is.

    Parameters
    ----------
    shard : str
    owner : str
        A worker; empty: nobody.
    counter : int
        Number of the last change.
    checkpoint : str
        Everything up to here is durable at a worker: a sequence number, ``END``, or where the shard begins.
    wanted : str
        A worker with less to do that asks for it.
    """

    shard: str
    owner: str = ""
    counter: int = 0
    checkpoint: str = ""
    wanted: str = ""


class LeaseTable(Protocol):
    """Where leases are kept. Every method is atomic and durable; it raises AdapterError where it cannot."""

    def all(self) -> Sequence[Lease]: ...

    def get(self, shard: str) -> Lease | None: ...

    def create(self, lease: Lease) -> bool:
        """False where there is one already."""
        ...

    def change(self, seen: Lease, to: Lease) -> bool:
        """False where it is not as it was seen."""
        ...

    def remove(self, seen: Lease) -> bool: ...


class Holding(Protocol):
    """Which shards this worker reads."""

    def tend(self, shards: Mapping[str, Shard], at: Mapping[str, str], start: str) -> dict[str, str]:
        """Keep, take and give; shards that are to be read now, and where each begins."""
        ...

    def holds(self, shard: str) -> bool: ...

    def durable(self, shard: str, place: str) -> None:
        """Everything up to there is durable."""
        ...

    def renew(self) -> None: ...

    def release(self) -> None:
        """Give everything back, with how far it is."""
        ...


class Alone:
    """No leases: this worker reads every shard."""

    def tend(self, shards: Mapping[str, Shard], at: Mapping[str, str], start: str) -> dict[str, str]:
        """All that are not at their end and whose parents are."""
        mine = [s for s in shards.values() if at.get(s.id) != END and readable(s, shards, at)]
        return {s.id: at.get(s.id) or first_place(s, at, start) for s in mine}

    def holds(self, shard: str) -> bool:
        """Always."""
        return True

    def durable(self, shard: str, place: str) -> None:
        """The log knows."""

    def renew(self) -> None:
        """Nothing to renew."""

    def release(self) -> None:
        """Nothing to give back."""


class Leases:
    """Leases of one worker. ``renew`` may be called by another thread.

    Parameters
    ----------
    table : LeaseTable
        Shared by all workers.
    worker : str
        No other worker has this name, not even this one in an earlier life.
    duration : int
        ns without a change after which an owner counts as dead.
    clock : Clock
        Of this worker; compared with itself only.

    Attributes
    ----------
    lost : int
        Leases that went to another worker without being given.
    """

    def __init__(self, table: LeaseTable, worker: str, duration: int, clock: Clock) -> None:
        self.table, self.worker, self.duration, self.clock = table, worker, duration, clock
        self.lost = 0
        self._lock = threading.RLock()
        self._held: dict[str, Lease] = {}
        self._until: dict[str, int] = {}
        self._places: dict[str, str] = {}
        self._changed: dict[str, tuple[int, int]] = {}

    def holds(self, shard: str) -> bool:
        """Whether no other worker can have taken it meanwhile."""
        with self._lock:
            return shard in self._held and self.clock.now() < self._until[shard]

    def durable(self, shard: str, place: str) -> None:
        """Written with the next renewal; an end at once, since children wait for it."""
        with self._lock:
            if shard in self._held:
                self._places[shard] = further(self._places.get(shard), place)
                if place == END:
                    self._renew(shard)

    def renew(self) -> None:
        """Say that this worker lives, and how far it is; give what another one wants."""
        for shard in list(self._held):
            with self._lock:
                if shard in self._held:
                    self._renew(shard)

    def release(self) -> None:
        """Give everything back; what cannot be reached runs out by itself."""
        with self._lock:
            for shard in list(self._held):
                lease = self._held.pop(shard)
                try:
                    self._change(lease, owner="", checkpoint=further(lease.checkpoint, self._places.pop(shard, "")))
                except AdapterError as error:
                    log.warning("the lease of %s could not be given back: %s", shard, error)
                    return

    def tend(self, shards: Mapping[str, Shard], at: Mapping[str, str], start: str) -> dict[str, str]:
        """Renew, create, take and ask for leases; shards of this worker with their checkpoints.

        Raises
        ------
        AdapterError
            The table cannot be reached.
        """
        with self._lock:
            self.renew()
            known = {lease.shard: lease for lease in self.table.all()}
            self._create(shards, known, start)
            self._note(known)
            ends = {lease.shard: lease.checkpoint for lease in known.values()}
            self._clear(shards, known)
            ready = [known[s.id] for s in shards.values() if s.id in known and readable(s, shards, ends)]
            self._share([lease for lease in ready if lease.checkpoint != END])
            return {
                shard: further(at.get(shard), lease.checkpoint)
                for shard, lease in sorted(self._held.items())
                if shard in shards and lease.checkpoint != END
            }

    def _create(self, shards: Mapping[str, Shard], known: dict[str, Lease], start: str) -> None:
        places = {lease.shard: lease.checkpoint for lease in known.values()}
        for shard in shards.values():
            if shard.id not in known:
                lease = Lease(shard.id, checkpoint=first_place(shard, places, start))
                if self.table.create(lease):
                    known[shard.id] = lease
                    places[shard.id] = lease.checkpoint

    def _note(self, known: Mapping[str, Lease]) -> None:
        """When each lease last changed, by this worker's clock; what was given to this worker, and what was taken."""
        now = self.clock.now()
        for lease in known.values():
            if self._changed.get(lease.shard, (-1, 0))[0] != lease.counter:
                self._changed[lease.shard] = lease.counter, now
            if lease.owner == self.worker and lease.shard not in self._held:
                self._take(lease)
        for shard in [s for s in self._held if s not in known or known[s].owner != self.worker]:
            self._drop(shard)

    def _clear(self, shards: Mapping[str, Shard], known: Mapping[str, Lease]) -> None:
        """Forget leases of shards that Kinesis has forgotten."""
        for lease in known.values():
            if shards and lease.shard not in shards and (lease.owner in ("", self.worker) or self._is_dead(lease)):
                self._held.pop(lease.shard, None)
                self.table.remove(lease)

    def _is_dead(self, lease: Lease) -> bool:
        return self.clock.now() - self._changed[lease.shard][1] >= self.duration

    def _share(self, ready: Sequence[Lease]) -> None:
        """Take what nobody has, up to an equal share; ask for one where another worker has more."""
        alive = Counter(lease.owner for lease in ready if lease.owner and not self._is_dead(lease))
        mine = sum(lease.shard in self._held for lease in ready)
        alive[self.worker] = mine
        share = -(-len(ready) // len(alive))
        free = [lease for lease in ready if not lease.owner or self._is_dead(lease)]
        # Two workers that begin together do not reach for the same shard first.
        for lease in sorted((one for one in free if one.shard not in self._held), key=self._turn):
            if mine >= share:
                return
            mine += self._take(lease)
        most, count = max(alive.items(), key=lambda item: item[1])
        if mine < share and count > mine + 1 and not any(lease.wanted == self.worker for lease in ready):
            asked = next((one for one in sorted(ready, key=self._turn) if one.owner == most and not one.wanted), None)
            if asked is not None:
                self._change(asked, wanted=self.worker)

    def _turn(self, lease: Lease) -> bytes:
        return hashlib.blake2b(f"{self.worker} {lease.shard}".encode(), digest_size=8).digest()

    def _take(self, lease: Lease) -> bool:
        began = self.clock.now()
        taken = self._change(lease, owner=self.worker, wanted="")
        if taken is None:
            return False
        if lease.owner not in ("", self.worker):
            log.info("took %s over from %s, which has not been heard of", lease.shard, lease.owner)
        self._held[lease.shard], self._until[lease.shard] = taken, began + self.duration
        self._places.pop(lease.shard, None)
        return True

    def _renew(self, shard: str) -> None:
        for _ in range(TRIES):
            lease, began = self._held[shard], self.clock.now()
            owner = lease.wanted or self.worker
            place = further(lease.checkpoint, self._places.get(shard))
            changed = self._change(lease, owner=owner, checkpoint=place, wanted="")
            if changed is not None:
                if owner != self.worker:
                    log.info("gave %s to %s, which has less to do", shard, owner)
                    del self._held[shard]
                else:
                    self._held[shard], self._until[shard] = changed, began + self.duration
                return
            # Somebody asked for it meanwhile, or took it.
            found = self.table.get(shard)
            if found is None or found.owner != self.worker:
                break
            self._held[shard] = found
        self._drop(shard)

    def _drop(self, shard: str) -> None:
        log.warning("%s has gone to another worker", shard)
        self._held.pop(shard, None)
        self.lost += 1

    def _change(self, lease: Lease, **fields: str) -> Lease | None:
        to = replace(lease, counter=lease.counter + 1, **fields)
        return to if self.table.change(lease, to) else None
