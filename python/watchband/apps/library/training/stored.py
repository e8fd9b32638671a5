"""The readings that a service keeps, as a feed: what ``train --data`` and ``--config`` learn from."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from watchband.adapters.stores.sqlite.query import ALL_TIME, Lake
from watchband.apps.library.pulled import PulledBatch
from watchband.core.errors import DataError
from watchband.core.matcher import Selector
from watchband.core.ports import Readings, Store
from watchband.core.series import SeriesKey

TIMEOUT_S = 600.0
BATCH = 1 << 16
"""Readings of a log that are handed on together."""
_SQL = "SELECT series, time_ns, value FROM points WHERE {chosen} ORDER BY {order}"


class StoredFeed:
    """Log and archive of a store's directory, beside the process that has it.

    Parameters
    ----------
    directory : path
        Of the store.
    match : sequence of str
        Selectors such as ``cpu{env="prod"}``; a series that any of them means is read.
    since : int, optional
        Only readings from then on, ns UTC.
    by_time : bool, default False
        Moment after moment and not series after series: for metrics that are judged together.
    tell : callable, optional
        Called with what is being done, and readings so far.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        match: Sequence[str] = ("*",),
        *,
        since: int | None = None,
        by_time: bool = False,
        tell: Callable[[str, int, int], None] | None = None,
    ) -> None:
        self.title = os.fspath(directory)
        self._order = "time_ns, series" if by_time else "series, time_ns"
        self._selectors = [Selector(text) for text in match]
        self._lake = Lake(directory, timeout=TIMEOUT_S, span=ALL_TIME if since is None else (since, ALL_TIME[1]))
        self._tell = tell
        self._count = 0

    @property
    def notes(self) -> list[str]:
        """What was read."""
        told = " or ".join(str(s) for s in self._selectors)
        return [f"readings that the service in {self.title} keeps, of {told}: {self._count:,}"]

    def batches(self) -> Iterator[PulledBatch]:
        """Series after series, in order of time.

        Raises
        ------
        DataError
            No series is meant by any of the selectors.
        """
        with self._lake.ask("SELECT series FROM series ORDER BY series") as reader:
            known = [name for batch in reader for name in batch.column(0).to_pylist()]
        wanted = _meant([SeriesKey.parse(name) for name in known], self._selectors, self.title)
        rows: dict[str, int] = {}
        listed = ", ".join("'" + str(key).replace("'", "''") + "'" for key in wanted)
        found: list[SeriesKey] = []
        with self._lake.ask(_SQL.format(chosen=f"series IN ({listed})", order=self._order)) as reader:
            for batch in reader:
                names = np.array(batch.column(0).to_pylist(), object)
                for name in dict.fromkeys(names.tolist()):
                    if name not in rows:
                        rows[name] = len(rows)
                        found.append(SeriesKey.parse(name))
                row = np.array([rows[name] for name in names.tolist()], np.int32)
                times = batch.column(1).to_numpy(zero_copy_only=False).astype(np.int64)
                values = batch.column(2).to_numpy(zero_copy_only=False).astype(np.float64)
                ordinal = np.arange(self._count, self._count + len(row), dtype=np.int64)
                self._count += len(row)
                if self._tell:
                    self._tell("reading", self._count, 0)
                yield PulledBatch(row, times, values, ordinal, list(found))


class LogFeed:
    """What the log of a store of any kind still holds, beside the process that leads it.

    Parameters
    ----------
    store : callable
        Opens it; it is closed when all has been read.
    title : str
        Its name.
    shard : str
        Whose log.
    match, since
        As in ``StoredFeed``.
    """

    def __init__(
        self,
        store: Callable[[], Store],
        title: str,
        shard: str,
        match: Sequence[str] = ("*",),
        *,
        since: int | None = None,
    ) -> None:
        self.title = title
        self._store, self._shard, self._since = store, shard, since
        self._selectors = [Selector(text) for text in match]
        self._count = 0

    @property
    def notes(self) -> list[str]:
        """What was read."""
        told = " or ".join(str(s) for s in self._selectors)
        return [f"readings that the log of {self.title} holds, of {told}: {self._count:,}"]

    def batches(self) -> Iterator[PulledBatch]:
        """The readings in the order in which they came, some at a time.

        Raises
        ------
        DataError
            No series is meant by any of the selectors.
        """
        rows: dict[SeriesKey, int] = {}
        store = self._store()
        try:
            wanted = set(_meant([one.key for one in store.series()], self._selectors, self.title))
            held: list[Readings] = []
            for entry in store.log(self._shard, 0):
                held += [one for one in entry.readings if one.key in wanted]
                if sum(len(one.times) for one in held) >= BATCH:
                    yield self._batch(held, rows)
                    held = []
            yield self._batch(held, rows)
        finally:
            store.close()

    def _batch(self, held: Sequence[Readings], rows: dict[SeriesKey, int]) -> PulledBatch:
        parts = []
        for one in held:
            here = slice(None) if self._since is None else one.times >= self._since
            some = one.times[here]
            if len(some):
                number = rows.setdefault(one.key, len(rows))
                parts.append((np.full(len(some), number, np.int32), some, one.values[here]))
        empty = (np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0))
        row, times, values = (np.concatenate(column) for column in zip(empty, *parts, strict=True))
        ordinal = np.arange(self._count, self._count + len(times), dtype=np.int64)
        self._count += len(times)
        return PulledBatch(row, times, values, ordinal, list(rows))


def _meant(keys: Sequence[SeriesKey], selectors: Sequence[Selector], title: str) -> list[SeriesKey]:
    wanted = [key for key in keys if any(s.matches(key) for s in selectors)]
    if not wanted:
        raise DataError(
            f"No series of {title} is meant by {' or '.join(str(s) for s in selectors)}. It keeps "
            f"{', '.join(map(str, keys[:5])) or 'none'}."
        )
    return wanted
