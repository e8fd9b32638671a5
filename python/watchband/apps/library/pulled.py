"""The past of a source that is read as a feed: what ``detect`` judges without any file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from watchband.adapters.sources.prometheus.settings import Prometheus
from watchband.core.clock import Clock, SystemClock
from watchband.core.duration import MINUTE, format_duration
from watchband.core.errors import ConfigError, DataError
from watchband.core.points import Float64, Int32, Int64
from watchband.core.ports import Batch
from watchband.core.secret import Secret
from watchband.core.series import SeriesKey

Progress = Callable[[str, int, int], None]
# No expression of PromQL begins so.
_NAMED = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\s*=(?![=~])\s*(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True, eq=False)
class PulledBatch:
    """Readings of a batch of a source, with the number of their series; see ``engine.FeedBatch``."""

    row: Int32
    times: Int64
    values: Float64
    ordinal: Int64
    keys: Sequence[SeriesKey]


class PastSource(Protocol):
    """A source that can give its past alone."""

    warnings: dict[str, str]

    def history(self) -> Iterator[Batch]: ...

    def close(self) -> None: ...


class PulledFeed:
    """The past of a source.

    Parameters
    ----------
    source : PastSource
        Gives it; it is closed at the end.
    title : str
        What is read, in a few words.
    asked : str
        The same in one sentence for the notes.
    backfill_ns, step_ns : int
        How much of the past, and the distance of two readings.
    progress : callable, optional
        Called with what is being done, and steps done of steps in all.
    hint : str
        What to try where nothing comes.
    """

    def __init__(
        self,
        source: PastSource,
        *,
        title: str,
        asked: str,
        backfill_ns: int,
        step_ns: int,
        progress: Progress | None = None,
        hint: str = "",
    ) -> None:
        self.title, self._asked, self._hint = title, asked, hint
        self._source, self._progress = source, progress
        self._backfill, self._step = backfill_ns, step_ns
        self._rows: dict[SeriesKey, int] = {}
        self._warnings: dict[str, str] = {}

    @property
    def notes(self) -> list[str]:
        """What was asked, and what was left out."""
        notes = [
            f"{self._asked}; the last {format_duration(self._backfill)}, a reading every {format_duration(self._step)}"
        ]
        cost = getattr(self._source, "cost", None)
        if cost is not None:
            notes.append(f"This look asked for {cost.backfill:,} metrics, ${cost.once:,.2f}; to go on reading: {cost}")
        return [*notes, *(f"{name}: {told}" for name, told in self._warnings.items())]

    def batches(self) -> Iterator[PulledBatch]:
        """The readings, in time order within a series.

        Raises
        ------
        AdapterError
            The server does not answer, or refuses the query; in its words.
        DataError
            There is nothing.
        """
        count, first = 0, 0
        try:
            for batch in self._source.history():
                found = self._batch(batch, count)
                count += len(found.times)
                # The last answer of a query may be fine where an earlier one was not.
                self._warnings.update((name, told) for name, told in self._source.warnings.items() if told)
                newest = int(found.times.max()) if len(found.times) else first
                first = first or newest - self._step
                if self._progress:
                    done, all_of_it = max(0, newest - first), self._backfill
                    self._progress("judging", *(ns // self._step for ns in (min(done, all_of_it), all_of_it)))
                yield found
        finally:
            self._source.close()
        if not count:
            raise DataError(
                f"The server has nothing for {self.title!r} in the last {format_duration(self._backfill)}. {self._hint}"
            )

    def _batch(self, batch: Batch, before: int) -> PulledBatch:
        lengths = [len(one.times) for one in batch.readings]
        rows = [self._rows.setdefault(one.key, len(self._rows)) for one in batch.readings]
        times = np.concatenate([np.empty(0, np.int64), *(one.times for one in batch.readings)])
        values = np.concatenate([np.empty(0), *(one.values for one in batch.readings)])
        row = np.repeat(np.array(rows, np.int32), lengths)
        return PulledBatch(row, times, values, before + np.arange(len(times)), list(self._rows))


def open_prometheus(
    url: str,
    queries: Sequence[str],
    *,
    since_ns: int,
    step_ns: int | None = None,
    token_file: str | None = None,
    clock: Clock | None = None,
    progress: Progress | None = None,
) -> PulledFeed:
    """Ask a server for the past of some expressions.

    Parameters
    ----------
    url : str
        Of the server.
    queries : sequence of str
        ``EXPR``, or ``NAME=EXPR``; without a name series keep their own, or are called ``query``.
    since_ns : int
        How much of the past, ns.
    step_ns : int, optional
        Distance of two readings, ns; a minute by default.
    token_file : str, optional
        File of a bearer token.

    Raises
    ------
    ConfigError
        No query, two of one name, or an address that is none.
    """
    named: dict[str, str] = {}
    for number, text in enumerate(queries, 1):
        match = _NAMED.fullmatch(text.strip())
        name, expr = (match[1], match[2]) if match else ("query" if len(queries) == 1 else f"query_{number}", text)
        if name in named:
            raise ConfigError(f"Two queries are called {name!r}. Give each its own name: NAME=EXPR.")
        named[name] = expr
    if not named:
        raise ConfigError("There is no query. Give one: --query 'rate(http_requests_total[5m])'.")
    settings = Prometheus(
        url=url,
        queries=named,
        every=step_ns or MINUTE,
        backfill=since_ns,
        keep_names=not any(_NAMED.fullmatch(text.strip()) for text in queries),
        bearer_token=Secret(file=token_file) if token_file else None,
    )
    asked = "; ".join(e if name == e else f"{name} = {' '.join(e.split())}" for name, e in settings.queries.items())
    return PulledFeed(
        settings.open("prometheus", clock=clock or SystemClock()),
        title=next(iter(settings.queries.values())) if len(settings.queries) == 1 else settings.url,
        asked=f"{settings.url}: {asked}",
        backfill_ns=settings.backfill,
        step_ns=settings.step_ns,
        progress=progress,
        hint="Try the expression on the server's own page, or a longer --since.",
    )
