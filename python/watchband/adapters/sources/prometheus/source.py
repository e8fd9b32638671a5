"""The source: asks each query step by step, from its past to now, and goes on where it stood."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from typing import Protocol

from watchband.adapters.sources.prometheus.answer import Answer
from watchband.adapters.sources.prometheus.failure import (
    BusyError,
    DeniedError,
    StumbledError,
    TooMuchError,
    TooSlowError,
)
from watchband.adapters.sources.prometheus.position import Progress, position_of, query_id, read_position
from watchband.core.clock import Clock
from watchband.core.duration import MINUTE, SECOND
from watchband.core.errors import AdapterError, PermanentError, TransientError
from watchband.core.events import WatermarkMoved
from watchband.core.ports import Batch, Readings
from watchband.core.timestamp import format_rfc3339

log = logging.getLogger("watchband.source.prometheus")

_SILENT = logging.Logger("watchband.silent", logging.CRITICAL + 1)
BATCH_POINTS = 50_000
"""Readings after which a batch is handed over."""
NAP_S = 0.5
WAIT_FIRST, WAIT_MOST = 5 * SECOND, 10 * MINUTE
_TOLD = 5
PATIENCE = 4
"""Times in a round that a query may take too long; it is asked for a quarter each time."""
STUMBLES = 2
"""Steps that cannot be computed are passed over one by one; after so many in a row the query waits."""


class Asker(Protocol):
    """Asks one question of a server."""

    def ask(self, name: str, expr: str, first: int, last: int, step: int) -> Answer: ...

    def close(self) -> None: ...


class PrometheusSource:
    """Pulls named queries on a grid of steps.

    A reading stands at a multiple of ``step``, whichever moment the pull begins at, and is asked for once it is
    ``lateness`` old. So asking again gives the same, and a repeat after a crash changes nothing.

    Parameters
    ----------
    name : str
        Of the source.
    queries : mapping of str to str
        Expressions by name.
    asker : Asker
        Who asks.
    clock : Clock
        What time it is, and who waits.
    every_ns, step_ns, lateness_ns, backfill_ns : int
        As in the settings; ns.
    keep_names : bool
        Part of what a query is.

    Attributes
    ----------
    problems : dict of str to str
        Queries that fail at present, and by what.
    warnings : dict of str to str
        What the server remarked of a query's last answer, and what of it could not be read.
    refused : int
        Series of answers that could not be read, native histograms among them, each time they came.

    Guarantees
    ----------
    Delivery : every step of every query at least once, in order of time within a query, as long as the server keeps
    it. A query that fails keeps its place and holds back the watermark; the others go on.
    """

    def __init__(
        self,
        name: str,
        queries: Mapping[str, str],
        asker: Asker,
        *,
        clock: Clock,
        every_ns: int,
        step_ns: int,
        lateness_ns: int,
        backfill_ns: int,
        keep_names: bool = False,
    ) -> None:
        self.name = name
        self.problems: dict[str, str] = {}
        self.warnings: dict[str, str] = {}
        self.refused = 0
        self._asker, self._clock = asker, clock
        self._every, self._step, self._lateness, self._backfill = every_ns, step_ns, lateness_ns, backfill_ns
        self._queries = {query_id(n, e, step_ns, keep_names): (n, e) for n, e in queries.items()}
        self._known: dict[str, Progress] = {}
        self._closed = threading.Event()
        self._log = log

    def read(self, position: str | None = None) -> Iterator[Batch]:
        """Batches from behind ``position``, or from the backfill's begin; waits for what is new until ``close``.

        Raises
        ------
        TransientError
            No query was answered; ``retry_after`` if the server says when.
        PermanentError
            No query can be answered as it is written, or the server lets nobody in.
        """
        queries = self._resume(position)
        while not self._closed.is_set():
            end = self._grid(self._clock.now() - self._lateness)
            yield from self._round(queries, end)
            self._check(queries)
            self._wait(end + max(self._every, self._step) + self._lateness)

    def close(self) -> None:
        """End ``read`` within a second; a question under way is given up."""
        self._closed.set()
        self._asker.close()

    def history(self) -> Iterator[Batch]:
        """The backfill alone, then the end: what a look into the past wants; it raises and keeps instead of logging.

        Raises
        ------
        TransientError, PermanentError
            A query failed; nothing is left out silently.
        """
        self._log = _SILENT
        queries = self._resume(None)
        yield from self._round(queries, max(query.news for query in queries))
        for query in queries:
            if query.error is not None:
                raise query.error

    def _resume(self, position: str | None) -> list[Progress]:
        end = self._grid(self._clock.now() - self._lateness)
        start = end - self._backfill // self._step * self._step
        kept: dict[str, tuple[int, int]] = {}
        if position:
            try:
                kept = read_position(position)
            except ValueError as error:
                log.warning("%s: the kept position is none of this source (%s); it begins anew", self.name, error)
        for one, (name, expr) in self._queries.items():
            seen, news = kept.get(one, (start, end))
            query = self._known.setdefault(one, Progress(name, expr, one, seen, news))
            query.seen, query.news, query.due = seen, news, 0
        return list(self._known.values())

    def _round(self, queries: list[Progress], end: int) -> Iterator[Batch]:
        """All that is there up to ``end``, in batches; the watermark with the last of them."""
        parts: list[Readings] = []
        points, history, moved, mark = 0, False, False, _mark(queries)
        for query, last, answer in self._answers(queries, end):
            past = last <= query.news
            if moved and (past != history or points + answer.points > BATCH_POINTS):
                yield Batch(parts, position_of(queries), (), history)
                parts, points = [], 0
            parts += answer.readings
            points += answer.points
            # Only now: a position never says more than what was handed over with it.
            query.seen, history, moved = last, past, True
        if moved:
            now = _mark(queries)
            events = [WatermarkMoved(now)] if not history and now > mark else []
            yield Batch(parts, position_of(queries), events, history)

    def _answers(self, queries: list[Progress], end: int) -> Iterator[tuple[Progress, int, Answer]]:
        """Answers of all queries that are due, always of the one that is furthest behind."""
        now = self._clock.now()
        todo = [query for query in queries if query.due <= now]
        slow: dict[str, int] = {}
        while todo and not self._closed.is_set():
            query = min(todo, key=lambda q: q.seen)
            goal = min(query.news, end) if query.seen < query.news else end
            left = (goal - query.seen) // self._step
            if left <= 0:
                todo.remove(query)
                continue
            asked = query.window.steps(left)
            first, last = query.seen + self._step, query.seen + asked * self._step
            try:
                answer = self._asker.ask(query.name, query.expr, first, last, self._step)
            except (TooMuchError, StumbledError) as error:
                stumbled = isinstance(error, StumbledError)
                timed_out = isinstance(error, TooSlowError)
                slow[query.id] = slow.get(query.id, 0) + timed_out
                share = 4 if timed_out else 2
                if query.window.too_much(asked, share, lasting=not stumbled) and slow[query.id] <= PATIENCE:
                    continue
                if stumbled and asked == 1 and query.stumbles < STUMBLES:
                    query.stumbles += 1
                    self._log.warning("%s: %s at %s: %s", self.name, query.name, format_rfc3339(first), error)
                    yield query, last, Answer()
                    continue
                self._failed(query, error)
                todo.remove(query)
            except (BusyError, DeniedError) as error:
                for one in todo:
                    self._failed(one, error)
                return
            except AdapterError as error:
                self._failed(query, error)
                todo.remove(query)
            else:
                self._answered(query, asked, answer)
                yield query, last, answer

    def _answered(self, query: Progress, asked: int, answer: Answer) -> None:
        query.window.answered(asked, answer.points)
        self.refused += answer.refused
        if query.error is not None:
            self._log.info("%s: query %s answers again", self.name, query.name)
        query.failures, query.stumbles, query.error = 0, 0, None
        self.problems.pop(query.name, None)
        told = "; ".join(answer.warnings)
        if told and told != self.warnings.get(query.name):
            self._log.warning("%s: query %s: %s", self.name, query.name, told)
        self.warnings[query.name] = told

    def _failed(self, query: Progress, error: AdapterError) -> None:
        """Leave a query alone for a while; its place stays."""
        wait = min(WAIT_FIRST << min(query.failures, 10), WAIT_MOST)
        if isinstance(error, PermanentError):
            wait = WAIT_MOST
        elif isinstance(error, TransientError) and error.retry_after is not None:
            wait = min(max(round(error.retry_after * SECOND), SECOND), 6 * WAIT_MOST)
        query.failures += 1
        query.due = self._clock.now() + wait
        if str(error) != self.problems.get(query.name):
            self._log.warning("%s: query %s failed: %s", self.name, query.name, error)
        query.error = error
        self.problems[query.name] = str(error)

    def _check(self, queries: list[Progress]) -> None:
        """Raise where no query was answered, so that whoever reads waits, and says so."""
        errors = [query.error for query in queries if query.error is not None]
        if len(errors) < len(queries) or self._closed.is_set():
            return
        words = "; ".join(f"{query.name}: {query.error}" for query in queries[:_TOLD])
        more = f"; and {len(queries) - _TOLD} more" if len(queries) > _TOLD else ""
        text = f"No query of source {self.name!r} was answered. {words}{more}"
        if all(isinstance(error, PermanentError) for error in errors):
            raise PermanentError(text)
        waits = [e.retry_after for e in errors if isinstance(e, TransientError) and e.retry_after is not None]
        raise TransientError(text, retry_after=max(waits, default=None))

    def _wait(self, until: int) -> None:
        while not self._closed.is_set() and (left := until - self._clock.now()) > 0:
            self._clock.sleep(min(NAP_S, left / SECOND))

    def _grid(self, time: int) -> int:
        return time - time % self._step


def _mark(queries: list[Progress]) -> int:
    """Up to here everything has been seen of every query; 0 while one is still in its past."""
    behind = any(query.seen < query.news for query in queries)
    return 0 if behind else min(query.seen for query in queries)
