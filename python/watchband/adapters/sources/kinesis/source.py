"""The source: reads the shards that are this worker's, parents before children, at the pace that Kinesis allows."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from watchband.adapters.aws.failure import ThrottledError
from watchband.adapters.sources.kinesis.client import Client, ExpiredError, GoneError, Page, Record
from watchband.adapters.sources.kinesis.leases import Holding
from watchband.adapters.sources.kinesis.letters import DeadLetters
from watchband.adapters.sources.kinesis.records import Decoder
from watchband.adapters.sources.kinesis.shards import AT, BEGIN, END, NEVER, Place, Shard
from watchband.core.clock import Clock
from watchband.core.duration import SECOND
from watchband.core.errors import AdapterError, PermanentError, TransientError
from watchband.core.events import WatermarkMoved
from watchband.core.ports import Batch, Readings

if TYPE_CHECKING:
    from watchband.adapters.sources.kinesis.settings import Kinesis

log = logging.getLogger("watchband.source.kinesis")
LOOK_S, NAP_S = 0.25, 0.5
AGAIN = SECOND // 5
"""Five calls a second and shard are allowed."""
BYTES_PER_SECOND = 2_000_000
"""What may be read of a shard."""
WAIT_FIRST_S, WAIT_MOST_S = 0.5, 20.0
MARK_EVERY = 10 * SECOND
RENEWALS = 3
"""Renewals in the time of a lease."""
PROBLEMS_MAX = 100


@dataclass
class Reader:
    """One shard as it is read.

    Parameters
    ----------
    shard : Shard
    place : str
        Behind what was handed over.
    due : int
        Not to be asked before, ns.
    newest : int
        Time of the newest reading, ns.
    news : int
        When the last record was read, ns by the clock.
    behind_ms : int
        Age of the oldest record that was not read yet, as Kinesis says.
    """

    shard: Shard
    place: str
    news: int
    due: int = 0
    iterator: str | None = None
    failures: int = 0
    newest: int = NEVER
    behind_ms: int = -1
    error: AdapterError | None = field(default=None, repr=False)


class KinesisSource:
    """Consumes a stream.

    Parameters
    ----------
    name : str
        Of the source.
    settings : Kinesis
        What is read, and how.
    client : Client
        Who asks.
    decoder : Decoder
        Who takes records apart.
    holding : Holding
        Which shards are this worker's.
    letters : DeadLetters or None
        Where records go that cannot be read.
    clock : Clock
        What time it is, and who waits.

    Attributes
    ----------
    refused : int
        Records, or parts of aggregated ones, that could not be read.
    throttled, expired : int
        Calls that came too early, and iterators that came too late.
    problems : dict of str to str
        Shards that fail at present, and by what.

    Guarantees
    ----------
    Delivery : every record of every shard at least once, in order within a shard, children of a split or merge after
    their parents. The position is committed with the batch: a store that has a batch is never given it again.
    """

    def __init__(
        self,
        name: str,
        settings: Kinesis,
        client: Client,
        decoder: Decoder,
        holding: Holding,
        letters: DeadLetters | None,
        clock: Clock,
    ) -> None:
        self.name, self.problems = name, dict[str, str]()
        self.refused = self.throttled = self.expired = 0
        self._settings, self._client, self._decoder, self._clock = settings, client, decoder, clock
        self._holding, self._letters = holding, letters
        self._readers: dict[str, Reader] = {}
        self._shards: dict[str, Shard] = {}
        self._listed = self._tended = self._marked = NEVER
        self._first = False
        self._closed = threading.Event()
        self._random = random.Random(name)

    @property
    def behind_s(self) -> float | None:
        """Age of the oldest record that was not read yet, in seconds; None before that is known."""
        known = [reader.behind_ms for reader in self._readers.values() if reader.behind_ms >= 0]
        return max(known) / 1000 if known else None

    def read(self, position: str | None = None) -> Iterator[Batch]:
        """Batches from behind ``position``; waits for what is new until ``close``.

        Raises
        ------
        TransientError
            Nothing was answered, the table of leases or the file of dead letters cannot be reached.
        PermanentError
            There is no such stream, or it may not be read.
        """
        place = Place.parse(position) if position else Place(self._clock.now())
        self._first = not position
        self._readers, self._listed, self._tended, self._marked = {}, NEVER, NEVER, NEVER
        over = threading.Event()
        if self._settings.leases is not None:
            threading.Thread(target=self._keep, args=(over,), name=f"kinesis {self.name} leases", daemon=True).start()
        try:
            with self._pool() as pool:
                while not self._closed.is_set():
                    self._tend(place)
                    for batch in self._round(pool, place):
                        yield batch
                        # Asked for the next one: this one is durable.
                        self._settle()
                        if self._closed.is_set():
                            return
                    self._check()
                    self._wait()
        except AdapterError:
            if not self._closed.is_set():
                raise
        finally:
            over.set()
            self._holding.release()

    def close(self) -> None:
        """End ``read`` within a second; questions under way are given up."""
        self._closed.set()
        self._client.close()

    def _pool(self) -> ThreadPoolExecutor:
        return _Pool(self._settings.concurrency, thread_name_prefix=f"kinesis {self.name}")

    def _keep(self, over: threading.Event) -> None:
        """Renew leases while the engine is busy with a batch."""
        while not over.wait(self._settings.lease / SECOND / RENEWALS):
            try:
                self._holding.renew()
            except AdapterError as error:
                log.warning("%s: leases could not be renewed: %s", self.name, error)

    # Which shards

    def _tend(self, place: Place) -> None:
        now = self._clock.now()
        if now < self._listed + self._settings.discover_every and now < self._tended + self._settings.lease // RENEWALS:
            return
        if now >= self._listed + self._settings.discover_every:
            self._shards, self._listed = self._client.shards(), now
            # What Kinesis has forgotten nobody can ask for, and its children stand for it.
            place.at = {shard: at for shard, at in place.at.items() if shard in self._shards}
        self._tended = now
        back = self._settings.backfill
        start = BEGIN if back is None else f"{AT}{(place.began - back) // 1_000_000}"
        mine = self._holding.tend(self._shards, place.at, start)
        for shard in [s for s in self._readers if s not in mine]:
            self._drop(shard)
        for shard, at in mine.items():
            if at == END:
                # The log is further than the lease: its children need to know.
                self._holding.durable(shard, END)
                self._tended = NEVER
            elif shard not in self._readers:
                self._readers[shard] = Reader(self._shards[shard], at, now)

    def _drop(self, shard: str) -> None:
        self._readers.pop(shard, None)
        self.problems.pop(shard, None)

    # What is in them

    def _round(self, pool: ThreadPoolExecutor, place: Place) -> Iterator[Batch]:
        """What is due, shard after shard; some are asked at a time, so that memory stays bounded."""
        now = self._clock.now()
        due = [reader for reader in self._readers.values() if reader.due <= now]
        step = self._settings.concurrency
        for at in range(0, len(due), step):
            asked = [(reader, pool.submit(self._ask, reader)) for reader in due[at : at + step]]
            for reader, future in asked:
                outcome = self._outcome(future)
                if isinstance(outcome, AdapterError):
                    self._failed(reader, outcome)
                elif outcome is not None and self._readers.get(reader.shard.id) is reader:
                    yield from self._taken(reader, outcome, place)
        if self._first or self._clock.now() >= self._marked + MARK_EVERY:
            event = self._mark(place)
            if event or self._first:
                yield Batch((), str(place), event)
                self._first = False

    def _ask(self, reader: Reader) -> Page:
        if reader.iterator is None:
            reader.iterator = self._client.iterator(reader.shard.id, reader.place)
        return self._client.records(reader.iterator, self._settings.limit)

    def _outcome(self, future: Future[Page]) -> Page | AdapterError | None:
        while not self._closed.is_set():
            try:
                return future.result(LOOK_S)
            except FutureTimeout:
                continue
            except AdapterError as error:
                return error
        return None

    def _taken(self, reader: Reader, page: Page, place: Place) -> Iterator[Batch]:
        """The batches of an answer: the past and the present apart, and the end of a shard."""
        now, shard = self._clock.now(), reader.shard.id
        if not self._holding.holds(shard):
            self._drop(shard)
            return
        if reader.error is not None:
            log.info("%s: %s answers again", self.name, shard)
        reader.iterator, reader.failures, reader.error = page.next, 0, None
        reader.behind_ms = page.behind_ms
        self.problems.pop(shard, None)
        size = sum(len(record.data) for record in page.records)
        pause = AGAIN if page.records or page.behind_ms else self._settings.every
        reader.due = now + max(pause, size * SECOND // BYTES_PER_SECOND)
        if page.records:
            reader.news = now
        border = place.began // 1_000_000 * 1_000_000
        for past in (True, False):
            part = _part(page.records, border, past)
            if part:
                readings = self._decoded(reader, part)
                reader.place = place.at[shard] = part[-1].sequence
                yield Batch(readings, str(place), () if past else self._mark(place), past)
                self._first = False
        if page.next is None:
            reader.place = place.at[shard] = END
            yield Batch((), str(place))
            self._first = False
            log.info("%s: %s was closed and is read to its end", self.name, shard)
            self._drop(shard)
            # Its children can be read now, and there may be some that are not known yet.
            self._listed = NEVER

    def _decoded(self, reader: Reader, records: Sequence[Record]) -> list[Readings]:
        found = self._decoder.decode(reader.shard, records)
        if found.letters:
            if self._letters is not None:
                self._letters.keep(found.letters)
            first = found.letters[0]
            log.warning(
                "%s: %d of %d records cannot be read, the first %s of %s: %s",
                self.name, len(found.letters), len(records), first.sequence, first.shard, first.reason,
            )  # fmt: skip
            self.refused += len(found.letters)
        for one in found.readings:
            reader.newest = max(reader.newest, int(one.times.max()))
        return found.readings

    def _settle(self) -> None:
        """Tell the leases how far everything is durable."""
        for shard, place in self._durable():
            self._holding.durable(shard, place)

    def _durable(self) -> list[tuple[str, str]]:
        return [(shard, reader.place) for shard, reader in self._readers.items()]

    # Time

    def _mark(self, place: Place) -> Sequence[WatermarkMoved]:
        """How far everything was seen: as far as the slowest shard, but for those that are silent at their tip."""
        now, settings = self._clock.now(), self._settings
        wait = max(settings.delay, settings.lateness)
        marks = []
        for reader in self._readers.values():
            silent = reader.behind_ms == 0 and now - reader.news >= wait
            marks.append(now - wait if silent else min(reader.newest, now) - wait)
        mark = min(marks, default=NEVER)
        if mark <= place.mark or mark < 0:
            return ()
        place.mark, self._marked = mark, now
        return (WatermarkMoved(mark),)

    def _failed(self, reader: Reader, error: AdapterError) -> None:
        """Leave a shard alone for a while; its place stays."""
        if isinstance(error, ExpiredError):
            self.expired += 1
            reader.iterator = None
            return
        asked = error.retry_after if isinstance(error, TransientError) else None
        gone = isinstance(error, GoneError)
        if asked is not None or (isinstance(error, PermanentError) and not gone):
            # Meant for the stream, not for one shard: whoever reads comes again later.
            raise error
        if gone:
            self._listed = NEVER
        reader.iterator = None if not isinstance(error, ThrottledError) else reader.iterator
        self.throttled += isinstance(error, ThrottledError)
        wait = self._random.uniform(0.5, 1.0) * min(WAIT_FIRST_S * 2.0 ** min(reader.failures, 10), WAIT_MOST_S)
        reader.due = self._clock.now() + round(wait * SECOND)
        reader.failures += 1
        if reader.error is None or str(reader.error) != str(error):
            log.warning("%s: %s failed: %s", self.name, reader.shard.id, error)
        reader.error = error
        if len(self.problems) < PROBLEMS_MAX:
            self.problems[reader.shard.id] = str(error)

    def _check(self) -> None:
        """Raise where no shard answers, so that whoever reads waits, and says so; a throttled one comes again."""
        errors = [reader.error for reader in self._readers.values() if reader.error is not None]
        if not errors or len(errors) < len(self._readers) or self._closed.is_set():
            return
        if not all(isinstance(error, ThrottledError) for error in errors):
            raise errors[0]

    def _wait(self) -> None:
        """Until a shard is due, or leases or shards are to be looked at."""
        nexts = [self._listed + self._settings.discover_every, self._tended + self._settings.lease // RENEWALS]
        nexts += [reader.due for reader in self._readers.values()]
        while not self._closed.is_set() and (left := min(nexts) - self._clock.now()) > 0:
            self._clock.sleep(min(NAP_S, left / SECOND))


class _Pool(ThreadPoolExecutor):
    """Leaves without waiting for questions under way: they end by their own timeout."""

    def __exit__(self, *args: Any) -> None:
        self.shutdown(wait=False, cancel_futures=True)


def _part(records: Sequence[Record], border: int, past: bool) -> Sequence[Record]:
    """Those that were in the stream before, up to the first that was not; or the others."""
    first = next((n for n, record in enumerate(records) if record.arrived >= border), len(records))
    return records[:first] if past else records[first:]
