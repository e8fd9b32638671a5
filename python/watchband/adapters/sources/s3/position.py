"""Where a source of objects stands: which objects were read, and how far the present one."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field

from watchband.adapters.objects.place import Entry
from watchband.core.duration import MINUTE
from watchband.core.errors import PermanentError

SEEN_MAX = 5_000
"""Objects that a position remembers one by one."""


@dataclass
class Position:
    """What was read.

    Parameters
    ----------
    began : int
        When the source was first read, ns UTC.
    floor : int
        Objects that were written before are done, ns UTC.
    listed : int
        When the listing began that is not read to its end, ns UTC; 0: none.
    cursor : (int, str)
        Of that listing, objects up to this order and key are done, if they were written before ``settled``.
    seen : dict
        Other objects that are done: a hash of key and etag, and the minute of writing.
    key, etag : str
        The object that is being read.
    done : int
        Values of it that were given.
    half : bool
        Of the values behind them, the past was given too.
    """

    began: int
    floor: int
    listed: int = 0
    cursor: tuple[int, str] = (-(2**63), "")
    settled: int = 0
    seen: dict[str, int] = field(default_factory=dict)
    key: str = ""
    etag: str = ""
    done: int = 0
    half: bool = False

    def __str__(self) -> str:
        now = [self.key, self.etag, self.done, int(self.half)] if self.key else []
        listing = [self.listed, *self.cursor, self.settled]
        return json.dumps([self.began, self.floor, listing, self.seen, now], separators=(",", ":"))

    @classmethod
    def parse(cls, text: str) -> Position:
        """The inverse of ``str``."""
        try:
            began, floor, (listed, order, key, settled), seen, now = json.loads(text)
            found = cls(int(began), int(floor), int(listed), (int(order), str(key)), int(settled))
            found.seen = {str(name): int(minute) for name, minute in seen.items()}
            if now:
                found.key, found.etag, found.done, found.half = str(now[0]), str(now[1]), int(now[2]), bool(now[3])
            return found
        except (ValueError, TypeError, AttributeError, IndexError):
            raise PermanentError(
                f"The position {text[:80]!r} is none of objects. Was the source of this name of another kind? Give it "
                "another name."
            ) from None

    def is_done(self, entry: Entry, order: int | None = None) -> bool:
        """Whether this version of an object was read; ``order`` is its place in a listing."""
        if entry.modified < self.floor or _hash(entry) in self.seen:
            return True
        passed = order is not None and self.listed > 0 and (order, entry.key) <= self.cursor
        return passed and entry.modified < self.settled

    def begin_listing(self, now: int, settle: int) -> None:
        """Read a listing from its beginning, or go on with the one that was not read to its end."""
        if not self.listed:
            self.listed, self.settled, self.cursor = now, now - settle, (-(2**63), "")

    def end_listing(self) -> None:
        """Everything that was written before is done, and need not be remembered one by one."""
        self._rise(self.settled)
        self.listed = 0

    def begin(self, entry: Entry) -> None:
        """From here on this object is read, from where it was left if it is the same version."""
        if (self.key, self.etag) != (entry.key, entry.etag):
            self.key, self.etag, self.done, self.half = entry.key, entry.etag, 0, False

    def finish(self, entry: Entry, order: int | None = None) -> None:
        """The object is done."""
        self.key, self.etag, self.done, self.half = "", "", 0, False
        if order is not None:
            self.cursor = max(self.cursor, (order, entry.key))
            if entry.modified < self.settled:
                return
        self.seen.pop(_hash(entry), None)
        self.seen[_hash(entry)] = entry.modified // MINUTE
        if len(self.seen) > SEEN_MAX and order is None:
            del self.seen[next(iter(self.seen))]
        elif len(self.seen) > SEEN_MAX:
            # Forgetting one would read it again and again: what is as old counts as done from here on.
            self._rise((min(self.seen.values()) + 1) * MINUTE)

    def _rise(self, floor: int) -> None:
        if floor > self.floor:
            self.floor = floor
            self.seen = {name: minute for name, minute in self.seen.items() if (minute + 1) * MINUTE > floor}


def _hash(entry: Entry) -> str:
    return hashlib.blake2b(f"{entry.key}\n{entry.etag}".encode(), digest_size=8).hexdigest()
