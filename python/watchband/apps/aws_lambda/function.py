"""A function: what is made at its first call and kept for the next ones, and how it folds what an event brings."""

from __future__ import annotations

import functools
import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from watchband.adapters.aws.access import AwsSession
from watchband.apps.aws_lambda.identities import ids_in, position_of
from watchband.apps.aws_lambda.letters import LetterQueue
from watchband.apps.aws_lambda.lots import Decoded, Lot
from watchband.apps.aws_lambda.parts import Part, Parts, part_of, part_of_text
from watchband.apps.aws_lambda.surroundings import Surroundings, fitted, read, store_of
from watchband.apps.aws_lambda.window import check_windows
from watchband.apps.service.relabelling import Relabeller
from watchband.core.clock import Clock, SystemClock
from watchband.core.errors import WatchbandError
from watchband.core.events import ControlEvent, WatermarkMoved
from watchband.core.ports import Batch, Readings
from watchband.pipeline.results import Results
from watchband.pipeline.shard import Shard

log = logging.getLogger("watchband.lambda")
LEFT_S = 300.0
"""Where no context says how much time there is."""
MARGIN_S = 2.0
STATES_MAX = 48 << 20
"""Bytes of states in memory, of 128 MB; a function with more memory keeps a third of it."""
Shares = dict[int, list[tuple[Lot, list[Readings]]]]


class Function:
    """The configuration, the parts in memory, and the queue of dead letters.

    Parameters
    ----------
    told : Surroundings
        Variables of the environment.
    clock : Clock, optional
        What time it is, and who waits.
    """

    def __init__(self, told: Surroundings, clock: Clock | None = None) -> None:
        self.told, self.clock = told, clock or SystemClock()
        self.config = fitted(read(told.config, self.clock), told)
        self.store = store_of(self.config, told)
        self.session = AwsSession(self.store, "The store 'dynamodb'", threads=4)
        self.sinks = [settings.open(name, clock=self.clock) for name, settings in self.config.sinks.items()]
        self.letters = LetterQueue(told.dead_letters, self.clock)
        self.bounds = self.config.bounds()
        self.lateness: dict[str, int] = {}
        self.parts = Parts(self._part, told.parts, max(STATES_MAX, memory_bytes() // 3))
        self._relabellers: dict[str, Relabeller] = {}

    def _part(self, name: str) -> Part:
        settings = replace(self.store, part=name) if name else self.store
        store = settings.open(clock=self.clock, turns=True, session=self.session)
        return Part(self.config, store, self.sinks, self.clock, self.lateness)

    def source(self, kind: str, matches: Callable[[Any], bool] = lambda settings: True) -> tuple[str, Any] | None:
        """Name and settings of the source of a kind: one that matches, else the first; None: there is none."""
        known = [(name, s.settings) for name, s in self.config.sources.items() if s.settings.kind == kind]
        return next((one for one in known if matches(one[1])), known[0] if known else None)

    def relabelled(self, source: str, readings: Sequence[Readings]) -> Sequence[Readings]:
        """Readings by the names under which they are watched."""
        if source not in self._relabellers:
            named = self.config.sources.get(source)
            rules = (*(named.relabel if named else ()), *self.config.relabel)
            self._relabellers[source] = Relabeller(rules)
        return self._relabellers[source].apply(readings)

    def fold(self, lots: Sequence[Lot], left_s: Callable[[], float]) -> tuple[list[str], dict[str, list[Results]]]:
        """Fold records, part after part.

        Returns
        -------
        failed : list of str
            The records that are to come again, as Lambda calls them, in order.
        results : dict of str to list of Results
            What the watches said, by their names.

        Raises
        ------
        WatchbandError
            Nothing at all was folded.
        """
        for lot in lots:
            if lot.lateness:
                self.lateness[lot.source] = lot.lateness
        shares, whole = self._shared(lots)
        check_windows(self.bounds, (r for one in whole for r in one.readings))
        sent: set[bytes] = set()
        failed: dict[str, None] = {}
        said: dict[str, list[Results]] = {}
        first: WatchbandError | None = None
        for number, mine in sorted(shares.items()):
            given = functools.partial(self._given, number, mine, sent)
            try:
                for watch, results in self.parts.get(number).take(given, left_s).items():
                    said.setdefault(watch, []).append(results)
            except WatchbandError as error:
                first = first or error
                log.error("part %d was not folded: %s", number, error)
                failed.update((item, None) for lot, _ in mine for item in lot.items)
        if first is not None and len(failed) == len({item for lot in lots for item in lot.items}):
            raise first
        return list(failed), said

    def _shared(self, lots: Sequence[Lot]) -> tuple[Shares, list[Decoded]]:
        """Lots by the parts that their readings belong to."""
        shares: Shares = {}
        whole = []
        for lot in lots:
            decoded = lot.decode(lot.all())
            whole.append(decoded)
            mine: dict[int, list[Readings]] = {}
            for one in self.relabelled(lot.source, decoded.readings):
                mine.setdefault(part_of(one.key, self.parts.count), []).append(one)
            if decoded.letters or not mine:
                mine.setdefault(part_of_text(lot.home, self.parts.count), [])
            for number, readings in mine.items():
                shares.setdefault(number, []).append((lot, readings))
        return shares, whole

    def _given(
        self, number: int, mine: Sequence[tuple[Lot, list[Readings]]], sent: set[bytes], shard: Shard
    ) -> list[tuple[str, Batch]]:
        """What a part has not folded yet; letters of what cannot be read are sent before it counts as read."""
        batches = []
        for source in dict.fromkeys(lot.source for lot, _ in mine):
            seen = ids_in(shard.seen.get(source, ()))
            readings: list[Readings] = []
            ids: list[bytes] = []
            lateness = 0
            for lot, found in mine:
                every = lot.all()
                fresh = [n for n in every if lot.ids[n] not in seen] if lot.source == source else []
                if not fresh:
                    continue
                if len(fresh) < len(every):
                    found = [
                        r
                        for r in self.relabelled(source, lot.decode(fresh).readings)
                        if part_of(r.key, self.parts.count) == number
                    ]
                if part_of_text(lot.home, self.parts.count) == number:
                    self._bury(lot, fresh, sent)
                readings += found
                ids += [lot.ids[n] for n in fresh]
                lateness = max(lateness, lot.lateness)
            if ids:
                batches.append((source, Batch(readings, position_of(ids), _marked(readings, lateness))))
        return batches

    def _bury(self, lot: Lot, fresh: Sequence[int], sent: set[bytes]) -> None:
        letters = [(n, letter) for n, letter in lot.decode(fresh).letters if lot.ids[n] not in sent]
        self.letters.send([letter for _, letter in letters])
        sent.update(lot.ids[n] for n, _ in letters)

    def every_part(self) -> Iterable[tuple[int, Part]]:
        """All parts, one after the other."""
        return ((number, self.parts.get(number)) for number in range(self.parts.count))


def _marked(readings: Sequence[Readings], lateness: int) -> Sequence[ControlEvent]:
    """How far everything was seen, of a source whose readings wait: as far as its newest one, less what is allowed."""
    if not lateness or not readings:
        return ()
    return (WatermarkMoved(max(int(r.times.max()) for r in readings) - lateness),)


def memory_bytes() -> int:
    """Memory of the function, as Lambda says it; 0 where it does not."""
    text = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
    return int(text) << 20 if text.isdigit() else 0


def left_of(context: Any) -> Callable[[], float]:
    """Seconds that are left of an invocation, less a margin."""
    if hasattr(context, "get_remaining_time_in_millis"):
        return lambda: context.get_remaining_time_in_millis() / 1000 - MARGIN_S
    until = time.monotonic() + LEFT_S
    return lambda: until - time.monotonic()


@functools.lru_cache(maxsize=1)
def _made(told: Surroundings) -> Function:
    return Function(told)


def the_function(environment: Mapping[str, str]) -> Function:
    """The function of this process, made at its first call.

    Raises
    ------
    WatchbandError
        The configuration cannot be read.
    """
    return _made(Surroundings.of(environment))
