"""The readings that a service keeps, as a feed: what ``train --data`` learns from."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from watchband.adapters.stores.sqlite.query import ALL_TIME, Lake
from watchband.apps.library.pulled import PulledBatch
from watchband.core.errors import DataError
from watchband.core.matcher import Selector
from watchband.core.series import SeriesKey

TIMEOUT_S = 600.0
_SQL = "SELECT series, time_ns, value FROM points WHERE {chosen} ORDER BY series, time_ns"


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
    tell : callable, optional
        Called with what is being done, and readings so far.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        match: Sequence[str] = ("*",),
        *,
        since: int | None = None,
        tell: Callable[[str, int, int], None] | None = None,
    ) -> None:
        self.title = os.fspath(directory)
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
        keys = [SeriesKey.parse(name) for name in known]
        wanted = [key for key in keys if any(s.matches(key) for s in self._selectors)]
        if not wanted:
            raise DataError(
                f"No series of {self.title} is meant by {' or '.join(str(s) for s in self._selectors)}. It keeps "
                f"{', '.join(known[:5]) or 'none'}."
            )
        rows: dict[str, int] = {}
        listed = ", ".join("'" + str(key).replace("'", "''") + "'" for key in wanted)
        found: list[SeriesKey] = []
        with self._lake.ask(_SQL.format(chosen=f"series IN ({listed})")) as reader:
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
