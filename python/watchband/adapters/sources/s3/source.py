"""Objects as they come. See ``docs/sources/s3.md`` for what is delivered and what is not."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from watchband.adapters.aws.access import AwsAccess
from watchband.adapters.objects.address import Address
from watchband.adapters.objects.bucket import Bucket
from watchband.adapters.objects.folder import Folder, digest
from watchband.adapters.objects.place import ChangedError, Entry, GoneError, ObjectPath, Place
from watchband.adapters.sources.files.keys import with_label
from watchband.adapters.sources.files.locate import SUFFIXES, ZIPPED, group_and_stem, stem_of
from watchband.adapters.sources.files.table import FileBatch, Table, open_path
from watchband.adapters.sources.s3.notices import Notice, read_notices
from watchband.adapters.sources.s3.position import Position
from watchband.adapters.sources.s3.queue import Message, Queue
from watchband.adapters.sources.web.waiting import Waiting
from watchband.core.clock import Clock
from watchband.core.duration import DAY, MINUTE, SECOND
from watchband.core.errors import AdapterError, ConfigError, DataError, PermanentError, TransientError
from watchband.core.events import WatermarkMoved
from watchband.core.ports import Batch, Readings
from watchband.core.series import SeriesKey
from watchband.core.timestamp import format_rfc3339

if TYPE_CHECKING:
    from watchband.adapters.sources.s3.settings import S3

log = logging.getLogger("watchband.source")
PROBLEMS_MAX = 5
NEVER = -(2**62)
SKEW = MINUTE
"""S3 writes times in whole seconds, and by another clock."""
WORDS_MAX = 500


class S3Source:
    """Reads objects that are new, by a queue or by listing.

    Parameters
    ----------
    name : str
        Of the source.
    settings : S3
        What the user wrote.
    clock : Clock
        Waits, and says when reading began.

    Attributes
    ----------
    refused : int
        Objects and messages that could not be read, and rows and cells that are no readings.
    problems : dict
        The last objects that could not be read, and why.
    """

    def __init__(self, name: str, settings: S3, clock: Clock) -> None:
        self.name, self.settings, self.clock = name, settings, clock
        self.refused = 0
        self.problems: dict[str, str] = {}
        self._address = settings.address
        self._place: Place | None = None
        self._queue: Queue | None = None
        self._waiting = Waiting(clock)
        self._looked = 0

    def read(self, position: str | None = None) -> Iterator[Batch]:
        """The readings of new objects, until ``close``; each position is behind the last reading that was given."""
        began = self.clock.now()
        place = Position.parse(position) if position else Position(began, began - self.settings.backfill - SKEW)
        self._place = self._opened(self._address)
        if self.settings.queue_url is not None:
            access = AwsAccess(**{name: getattr(self.settings, name) for name in AwsAccess.__dataclass_fields__})
            self._queue = Queue(self.settings.queue_url, access, self.settings.visibility, self.clock)
        first = not position
        yield from self._left(place)
        # What a queue has not told, because it was made later, is found by one listing at the start.
        if self._queue is None or first or place.listed:
            yield from self._listed(place, first)
        if self._queue is not None:
            yield from self._told(self._queue, place)
        while not self._waiting.ended:
            self._waiting.wait((self._looked + self.settings.every - self.clock.now()) / SECOND)
            yield from self._listed(place, first=False)

    def read_object(self, notice: Notice) -> Iterator[Batch]:
        """The readings of one object that a message names, nothing of it the past; none, if it is not meant.

        Positions name the object's version, and how far of it they are.
        """
        self._place = self._place or self._opened(self._address)
        yield from self._noticed(notice, Position(NEVER, NEVER), lambda: None)

    def close(self) -> None:
        """End ``read``."""
        self._waiting.end()
        for one in (self._queue, self._place):
            if one is not None:
                one.close()

    def _opened(self, address: Address) -> Place:
        if address.scheme == "file":
            return Folder("/" if address.template.text.startswith("/") else Path.cwd())
        return Bucket(address.bucket, self.settings, self.clock, "The source 's3'")

    def _mark(self, place: Position, looked: int, first: bool) -> Batch:
        """How far everything was seen; at the first time with the position, so that what began is not forgotten."""
        mark = looked - max(self.settings.delay, self.settings.lateness)
        return Batch((), str(place) if first else "", (WatermarkMoved(mark),))

    def _left(self, place: Position) -> Iterator[Batch]:
        """What is left of the object that was being read, before any other is begun."""
        if not place.key or self._place is None:
            return
        entry = self._place.find(place.key)
        if entry is not None and entry.etag == place.etag:
            yield from self._object(entry, place, lambda: None, self._order(entry) if place.listed else None)

    def _listed(self, place: Position, first: bool) -> Iterator[Batch]:
        """What a listing has that was not read, and how far everything was seen then."""
        if self._waiting.ended:
            return
        looked = self._looked = self.clock.now()
        place.begin_listing(looked, self.settings.settle)
        for order, entry in self._new(place):
            yield from self._object(entry, place, lambda: None, order)
            if self._waiting.ended:
                return
        place.end_listing()
        yield self._mark(place, looked, first)

    def _order(self, entry: Entry) -> int:
        """Objects are read in the order of the times in their names, or else of writing."""
        span = self._span(entry.key)
        return span[0] if span is not None and self._address.template.dated else entry.modified

    def _new(self, place: Position) -> list[tuple[int, Entry]]:
        """Objects that are to be read, in their order."""
        assert self._place is not None
        template = self._address.template
        # By their names, objects of earlier days may still come.
        since, until = place.floor - self.settings.look_back, self.clock.now() + DAY
        found: list[tuple[int, str, Entry]] = []
        for prefix in template.prefixes(since, until):
            for entry in self._place.entries(prefix.lstrip("/")):
                span = self._span(entry.key)
                order = self._order(entry)
                if span is None or place.is_done(entry, order):
                    continue
                if not template.dated or span[1] > since:
                    found.append((order, entry.key, entry))
        return [(order, entry) for order, _, entry in sorted(found, key=lambda one: one[:2])]

    def _span(self, key: str) -> tuple[int, int] | None:
        """The time that a key says; None: it is not meant."""
        template = self._address.template
        name = self._name(key)
        if key.endswith("/"):
            return None
        if template.plain:
            known = name.startswith(template.text) and key.lower().endswith((*SUFFIXES, *ZIPPED))
            return (-(2**63), 2**63 - 1) if known else None
        return template.span(name)

    def _name(self, key: str) -> str:
        return f"/{key}" if self._address.template.text.startswith("/") else key

    def _label(self, key: str) -> tuple[str, str]:
        """The label that tells objects of one template apart, and its value; empty: none."""
        wild = [part for part in self._address.template.wild(self._name(key)) if part.strip("/")]
        label = self.settings.file_label
        return ("file" if label is None else label) if wild else "", stem_of("/".join(wild)) if wild else ""

    def _told(self, queue: Queue, place: Position) -> Iterator[Batch]:
        """What the queue says, until ``close``; a message is removed once its objects are durable."""
        while not self._waiting.ended:
            looked = self.clock.now()
            messages = queue.receive()
            while messages and not self._waiting.ended:
                keep = partial(queue.keep, messages)
                for notice in self._notices(messages[0]):
                    yield from self._noticed(notice, place, keep)
                    if self._waiting.ended:
                        return
                queue.remove(messages[0])
                messages = messages[1:]
                keep()
            if not messages:
                yield self._mark(place, looked, first=False)

    def _notices(self, message: Message) -> list[Notice]:
        try:
            return read_notices(message.body)
        except DataError as error:
            self._bury(f"message {digest(message.body.encode())}", str(error), {"body": message.body[:WORDS_MAX]})
            return []

    def _noticed(self, notice: Notice, place: Position, keep: Callable[[], None]) -> Iterator[Batch]:
        """An object that a message names, as it is now: messages may come twice and in any order."""
        assert self._place is not None
        if notice.bucket != self._address.bucket or self._span(notice.key) is None:
            return
        entry = self._place.find(notice.key)
        if entry is not None and not place.is_done(entry):
            yield from self._object(entry, place, keep)

    def _object(
        self, entry: Entry, place: Position, keep: Callable[[], None], order: int | None = None
    ) -> Iterator[Batch]:
        """The readings of one object from where it was left; one that cannot be read is noted and passed."""
        assert self._place is not None
        place.begin(entry)
        try:
            if entry.size > self.settings.max_object_size:
                raise DataError(f"{entry.key} has {entry.size:,} bytes: more than max_object_size.")
            _, stem = group_and_stem(self._address.template, self._name(entry.key))
            path = ObjectPath(self._place, entry)
            with open_path(path, str(path), stem, self.settings.hints, lambda done: keep()) as table:
                yield from self._rows(table, entry, place, keep)
                if self._waiting.ended:
                    return
                if table.problems:
                    raise DataError(str(table.problems[-1]))
        except GoneError:
            # Removed before it was read: nothing to give.
            pass
        except ChangedError as error:
            raise TransientError(f"{error} It is read anew.") from None
        except (DataError, ConfigError) as error:
            self._bury(entry.key, str(error), {"etag": entry.etag, "size": entry.size})
        except PermanentError as error:
            if not str(error).startswith(f"{self._place.name}/{entry.key}"):
                raise
            self._bury(entry.key, str(error), {"etag": entry.etag, "size": entry.size})
        place.finish(entry, order)
        yield Batch((), str(place))

    def _rows(self, table: Table, entry: Entry, place: Position, keep: Callable[[], None]) -> Iterator[Batch]:
        """Readings behind the position, the past and the present apart."""
        label, value = self._label(entry.key)
        keys = [with_label(key, label, value) if label else key for key in table.keys]
        for batch in table.batches():
            end = batch.row_start + len(batch)
            if end > place.done:
                keep()
                kept = np.arange(batch.row_start, end) >= place.done
                # A cell that is empty or no number is no reading.
                kept &= ~np.isnan(batch.values)
                past = batch.times < place.began
                if not place.half and (kept & past).any():
                    place.half = True
                    yield Batch(_readings(batch, keys, kept & past), str(place), (), True)
                place.done, place.half = end, False
                if (kept & ~past).any():
                    yield Batch(_readings(batch, keys, kept & ~past), str(place))
                if self._waiting.ended:
                    return
        self.refused += sum(file.refused for file in table.profile.files)

    def _bury(self, what: str, why: str, more: dict[str, object]) -> None:
        """Note what cannot be read: in the log, in health, and as a dead letter where that was asked for."""
        self.refused += 1
        self.problems.pop(what, None)
        self.problems[what] = why[:WORDS_MAX]
        while len(self.problems) > PROBLEMS_MAX:
            del self.problems[next(iter(self.problems))]
        log.warning("%s cannot be read: %s", what, why[:WORDS_MAX], extra={"source": self.name})
        if self.settings.dead_letters is None:
            return
        address = Address.parse(self.settings.dead_letters)
        folder = address.template.text.strip("/")
        note = {
            "what": what,
            "why": why[:WORDS_MAX],
            "source": self.name,
            "noted": format_rfc3339(self.clock.now()),
            **more,
        }
        name = digest(f"{what}\n{more.get('etag', '')}".encode())
        letters = self._opened(address)
        try:
            letters.put(f"{folder}/{name}.json", (json.dumps(note, indent=1) + "\n").encode())
        except AdapterError as error:
            raise TransientError(f"The dead letter of {what} could not be put: {error}") from None
        finally:
            letters.close()


def _readings(batch: FileBatch, keys: list[SeriesKey], which: NDArray[np.bool_]) -> list[Readings]:
    """Some values of a batch by series, each in the order of the object."""
    row, times, values = batch.row[which], batch.times[which], batch.values[which]
    order = np.argsort(row, kind="stable")
    numbers, starts = np.unique(row[order], return_index=True)
    parts = np.split(order, starts[1:])
    return [
        Readings(keys[number], times[part], values[part]) for number, part in zip(numbers.tolist(), parts, strict=True)
    ]
