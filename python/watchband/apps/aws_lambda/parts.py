"""Parts: entities are shared out, and each part has a log, a lead and a runner of its own.

A part is written by turns. Whoever folds a batch writes under a number that only grows; who comes next takes a higher
one, and what comes under a lower one is refused: so no state forks. Who takes it holds it until a batch is folded, and
others wait for that, at most for a lease; who has it still for the next batch takes nothing and holds up nobody.
"""

from __future__ import annotations

import hashlib
import random
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from watchband.apps.aws_lambda.identities import ENTRIES
from watchband.core.errors import AdapterError, FencedError, TransientError
from watchband.core.ports import Batch, Sink
from watchband.core.series import SeriesKey
from watchband.pipeline.admission import Admission, bytes_of
from watchband.pipeline.results import Results
from watchband.pipeline.runner import Runner
from watchband.pipeline.shard import Shard

if TYPE_CHECKING:
    from watchband.adapters.stores.dynamodb.store import DynamoStore
    from watchband.apps.config.config import Config
    from watchband.core.clock import Clock

SHARD = "main"
FIRST_WAIT_S, LONGEST_WAIT_S = 0.05, 2.0
BYTES_PER_READING = 2048
"""Of states, written for every reading at most: a snapshot is written after so many readings as pay for it."""
READINGS_LEAST = 256
LED_ELSEWHERE = (
    "Another function is at work on this part of the table, or a service leads it, which needs a table of its own."
)

Given = Callable[[Shard], Sequence[tuple[str, Batch]]]
"""What is to be folded of a part, by what is known there."""


def part_of(key: SeriesKey, parts: int) -> int:
    """The part of an entity: like the shard of its partition key, by the first bits of the MD5 of its text.

    So where Kinesis is given entities as partition keys, as ``watchband replay`` does, and its shards are 2, 4, 8 …
    equal ones, no two of its shards write the same part.

    Examples
    --------
    >>> part_of(SeriesKey("cpu", {"host": "a"}), 4) == part_of(SeriesKey("memory", {"host": "a"}), 4)
    True
    """
    return part_of_text(str(key.entity), parts)


def part_of_text(text: str, parts: int) -> int:
    """The part of a partition key."""
    hashed = int.from_bytes(hashlib.md5(text.encode(), usedforsecurity=False).digest())
    return hashed * parts >> 128


def name_of(part: int, parts: int) -> str:
    """What the keys of a part begin with; nothing where there is one, which is then what a service would write.

    Examples
    --------
    >>> name_of(0, 1), name_of(3, 16)
    ('', 'p16x3')
    """
    return "" if parts == 1 else f"p{parts}x{part}"


class Part:
    """One part.

    Parameters
    ----------
    config : Config
        Its watches, as functions have them.
    store : DynamoStore
        Of this part, that takes the lead by turns.
    sinks : sequence of Sink
        Who is told; shared by all parts.
    clock : Clock
        What time it is, and who waits.
    lateness : mapping of str to int
        Of sources, ns.
    """

    def __init__(
        self, config: Config, store: DynamoStore, sinks: Sequence[Sink], clock: Clock, lateness: Mapping[str, int]
    ) -> None:
        self.store, self._clock = store, clock
        engine = config.engine
        self.runner = Runner(
            config.bounds(),
            store,
            sinks,
            shard=SHARD,
            clock=clock,
            lateness=lateness,
            expressions=config.expressions,
            admission=Admission(engine.max_series, engine.max_memory, engine.idle),
        )
        self.runner.everyone, self.runner.remembered = list(config.sinks), ENTRIES
        self.runner.labelling = config.risk.making
        self.runner.courier.external_url = (config.server.external_url or "").rstrip("/")
        zones = {name: watch.timezone for name, watch in config.watches.items()}
        self.runner.courier.zone = lambda watch: zones.get(watch, "UTC")
        self._turn: int | None = None
        self._shard: Shard | None = None
        self._random = random.Random()

    def take(self, given: Given, left_s: Callable[[], float]) -> dict[str, Results]:
        """Fold what is given, and tell people; again from the store's state where another was faster.

        Parameters
        ----------
        given : callable
            What is to be folded, by what the part knows; nothing, where all of it was.
        left_s : callable
            Seconds that are left.

        Raises
        ------
        TransientError
            The time is over: what was not folded comes again.
        """
        wait = FIRST_WAIT_S
        while True:
            try:
                return self._take(given)
            except (TransientError, FencedError) as error:
                self.release()
                pause = self._random.uniform(0.2, 1.0) * wait
                if left_s() < pause + 1.0:
                    raise error if isinstance(error, TransientError) else TransientError(str(error)) from error
                self._clock.sleep(pause)
                wait = min(2 * wait, LONGEST_WAIT_S)

    def _take(self, given: Given) -> dict[str, Results]:
        shard = self.lead()
        batches = given(shard)
        results: dict[str, Results] = {}
        for batch in batches:
            self.runner.snapshot_points = readings_a_snapshot(shard)
            results |= self.runner.step(*batch)
            shard = self.runner.live()
        if not batches:
            # It may have been killed between keeping an alert and telling it.
            self.runner.courier.deliver()
        self.release()
        return results

    def release(self) -> None:
        """Let others take the lead without waiting; what was kept is kept, whether or not this can be said."""
        with suppress(AdapterError):
            self.store.release()

    def lead(self) -> Shard:
        """The part as it is, for this process to write.

        Raises
        ------
        TransientError
            Another process holds the lead.
        """
        if not self.store.lead():
            raise TransientError(LED_ELSEWHERE)
        if self.store.turn != self._turn:
            self.runner.drop()
            self._turn = self.store.turn
        self._shard = self.runner.live()
        return self._shard

    @property
    def nbytes(self) -> int:
        """Bytes of states in memory, as declared."""
        lanes = () if self._shard is None else self._shard.lanes.values()
        return sum(bytes_of(lane.bound.watch) * len(lane.state.keys) for lane in lanes)


def readings_a_snapshot(shard: Shard) -> int:
    """After so many readings a snapshot is paid for: by ``BYTES_PER_READING``, from what states declare."""
    sizes = [bytes_of(lane.bound.watch) * len(lane.state.keys) for lane in shard.lanes.values()]
    return max(READINGS_LEAST, max(sizes, default=0) // BYTES_PER_READING)


class Parts:
    """The parts that this process has in memory, the longest unused leave first.

    Parameters
    ----------
    make : callable
        Makes one by its name.
    parts : int
        How many there are.
    most : int
        Bytes of states that are kept in memory.
    """

    def __init__(self, make: Callable[[str], Part], parts: int, most: int) -> None:
        self._make, self.count, self._most = make, parts, most
        self._known: OrderedDict[int, Part] = OrderedDict()

    def get(self, number: int) -> Part:
        """A part by its number."""
        if number not in self._known:
            self._known[number] = self._make(name_of(number, self.count))
        self._known.move_to_end(number)
        while len(self._known) > 1 and sum(part.nbytes for part in self._known.values()) > self._most:
            self._known.popitem(last=False)
        return self._known[number]
