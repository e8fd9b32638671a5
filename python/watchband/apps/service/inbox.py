"""The inbox: what sources hand over, waiting to be folded; bounded, fair, and it tells when a batch is durable."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field

from watchband.core.errors import TransientError
from watchband.core.ports import Batch

POINTS_MAX = 2_000_000
"""Readings that may wait (32 MB of times and values); more is refused or waits at the door."""
ITEMS_MAX = 10_000
"""Batches that may wait: those without readings take room as well."""
ENTRY_POINTS = 100_000
"""Readings that become one entry of the log."""


class InboxFullError(TransientError):
    """There is no room: come again in ``retry_after`` seconds."""

    def __init__(self, waiting: int, most: int, retry_after: float = 1.0) -> None:
        super().__init__(
            f"{waiting:,} readings wait to be judged; {most:,} may, in {ITEMS_MAX:,} batches. Send them again in "
            f"{retry_after:g} s; if this goes on, watch fewer series or use the detector 'light'.",
            retry_after=retry_after,
        )


class InboxClosedError(TransientError):
    """The process is shutting down: nothing more is taken."""

    def __init__(self) -> None:
        super().__init__("This process is shutting down. Send it again in a few seconds.", retry_after=5.0)


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """A batch of a source, and what is told when it is durable (the number of its entry) or cannot be."""

    source: str
    batch: Batch
    points: int
    done: Future[int] = field(default_factory=Future)


class Inbox:
    """A bounded queue between many sources and one engine.

    Parameters
    ----------
    points_max : int
        Readings that may wait.
    """

    def __init__(self, points_max: int = POINTS_MAX) -> None:
        self.points_max = points_max
        self._items: deque[Item] = deque()
        self._waiting = 0
        self._closed = False
        self._nudged = False
        self._changed = threading.Condition()

    @property
    def waiting(self) -> int:
        """Readings that wait."""
        return self._waiting

    def offer(self, source: str, batch: Batch) -> Future[int]:
        """Hand over a batch, or be refused at once.

        Raises
        ------
        InboxFullError, InboxClosedError
            Nothing of it was taken.
        """
        item = _item(source, batch)
        with self._changed:
            self._check_open()
            if not self._has_room(item):
                raise InboxFullError(self._waiting, self.points_max)
            self._add(item)
        return item.done

    def put(self, source: str, batch: Batch, timeout: float | None = None) -> Future[int]:
        """Hand over a batch, waiting for room.

        Raises
        ------
        InboxFullError
            No room within ``timeout`` seconds.
        InboxClosedError
            The process is shutting down.
        """
        item = _item(source, batch)
        with self._changed:
            if not self._changed.wait_for(lambda: self._closed or self._has_room(item), timeout):
                raise InboxFullError(self._waiting, self.points_max)
            self._check_open()
            self._add(item)
        return item.done

    def take(self, timeout: float | None = None) -> list[Item]:
        """What is to be the next entry: the oldest batches, of each source at most one that has a position.

        History and news are never in one entry.

        Empty after ``timeout`` seconds without any, after a nudge, or when the inbox is closed and empty.
        """
        with self._changed:
            self._changed.wait_for(lambda: bool(self._items) or self._closed or self._nudged, timeout)
            self._nudged = False
            taken: list[Item] = []
            points, positioned = 0, set()
            while self._items:
                item = self._items[0]
                full = taken and points + item.points > ENTRY_POINTS
                other = taken and item.batch.history != taken[0].batch.history
                if full or other or (item.batch.position and item.source in positioned):
                    break
                positioned.add(item.source if item.batch.position else "")
                points += item.points
                taken.append(self._items.popleft())
            self._waiting -= points
            self._changed.notify_all()
            return taken

    def nudge(self) -> None:
        """Let ``take`` return now, with or without anything."""
        with self._changed:
            self._nudged = True
            self._changed.notify_all()

    def close(self) -> None:
        """Take nothing more; what waits is still given out."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def closed(self) -> bool:
        """Whether nothing more is taken."""
        return self._closed

    def _has_room(self, item: Item) -> bool:
        # One batch larger than the whole inbox must not wait for ever.
        fits = self._waiting == 0 or self._waiting + item.points <= self.points_max
        return fits and len(self._items) < ITEMS_MAX

    def _check_open(self) -> None:
        if self._closed:
            raise InboxClosedError

    def _add(self, item: Item) -> None:
        self._items.append(item)
        self._waiting += item.points
        self._changed.notify_all()


def _item(source: str, batch: Batch) -> Item:
    return Item(source, batch, sum(len(r.times) for r in batch.readings))
