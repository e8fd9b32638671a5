"""The past of a query as a feed: what ``detect --prometheus`` judges, without any file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

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


class PulledFeed:
    """The past of some queries.

    Parameters
    ----------
    settings : Prometheus
        Where, what, and how much of the past.
    clock : Clock, optional
        Says what now is.
    progress : callable, optional
        Called with what is being done, and steps done of steps in all.
    """

    def __init__(self, settings: Prometheus, clock: Clock | None = None, progress: Progress | None = None) -> None:
        self.settings, self._progress = settings, progress
        self._source = settings.open("prometheus", clock=clock or SystemClock())
        self._rows: dict[SeriesKey, int] = {}
        self._warnings: dict[str, str] = {}
        self.title = next(iter(settings.queries.values())) if len(settings.queries) == 1 else settings.url

    @property
    def notes(self) -> list[str]:
        """What was asked, and what was left out."""
        settings = self.settings
        asked = "; ".join(
            expr if name == expr else f"{name} = {' '.join(expr.split())}" for name, expr in settings.queries.items()
        )
        notes = [
            f"{settings.url}: {asked}; the last {format_duration(settings.backfill)}, a reading every "
            f"{format_duration(settings.step_ns)}"
        ]
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
                first = first or newest - self.settings.step_ns
                if self._progress:
                    done, all_of_it = max(0, newest - first), self.settings.backfill
                    self._progress(
                        "judging", *(ns // self.settings.step_ns for ns in (min(done, all_of_it), all_of_it))
                    )
                yield found
        finally:
            self._source.close()
        if not count:
            raise DataError(
                f"The server has nothing for {self.title!r} in the last {format_duration(self.settings.backfill)}. Try "
                "the expression on the server's own page, or a longer --since."
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
    return PulledFeed(settings, clock, progress)
