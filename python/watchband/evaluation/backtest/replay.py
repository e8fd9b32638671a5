"""Replay: the past of one series through the very runner that watches live, judged by several watches at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

import numpy as np

from watchband.core.errors import DataError
from watchband.core.points import Float64, Int64
from watchband.core.ports import Batch, Readings, Store
from watchband.core.series import SeriesKey
from watchband.pipeline.excluded import Span
from watchband.pipeline.grid import Grid, GridResults
from watchband.pipeline.join_columns import Together
from watchband.pipeline.results import Results
from watchband.pipeline.runner import Runner
from watchband.pipeline.watch import Watch

Chunks = Iterable[tuple[Int64, Float64]]
"""Readings of one series in their order of arrival: times (ns UTC) and values, some at a time."""
SNAPSHOT_POINTS = 1 << 19
"""Points after which the store may forget the log: what bounds the memory of a long series."""


class ReplaySource:
    """The readings of one series as a source; its position is the number of batches read.

    Parameters
    ----------
    key : SeriesKey
        The series.
    chunks : callable
        Gives the readings from the beginning, as often as it is called; values that are float64[n, columns] are slots
        of a join.
    until : int, optional
        Readings from this time (ns UTC) on are left out, wherever they stand.
    """

    name = "replay"

    def __init__(self, key: SeriesKey, chunks: Callable[[], Chunks], until: int | None = None) -> None:
        self.key, self.chunks, self.until = key, chunks, until

    def read(self, position: str | None = None) -> Iterator[Batch]:
        """Batches from after ``position``."""
        done = int(position or 0)
        for number, (times, values) in enumerate(islice(self.chunks(), done, None), done + 1):
            if self.until is not None and len(times) and times.max() >= self.until:
                early = times < self.until
                times, values = times[early], values[early]
            whole = values.ndim == 2
            yield Batch([(Together.of if whole else Readings)(self.key, times, values)], str(number))

    def close(self) -> None:
        """Nothing to close."""


def replay(
    watches: Sequence[Watch],
    source: ReplaySource,
    store: Store,
    *,
    excluded: Sequence[Span] = (),
    observe: Callable[[tuple[Results, ...]], None],
) -> None:
    """Replay one series; nothing that comes later is known at any point.

    Prepare and the detector are run once, each watch calibrates and decides for itself, and each says what it would
    have said live, bit for bit.

    Parameters
    ----------
    watches : sequence of Watch
        One or more of one detector and one prepare: what differs are rules and policies.
    source : ReplaySource
        The readings.
    store : Store
        An empty one; afterwards it holds what a live run would have left.
    excluded : sequence of (int, int)
        Ranges of time that are judged but not learned.
    observe : callable
        Called with the results of every batch, in the order of ``watches``, from the first to the last.

    Raises
    ------
    DataError
        Readings of the series make no sense.
    ConfigError
        The watches share no detector.

    Examples
    --------
    >>> from watchband.adapters.stores.memory import MemoryStore
    >>> from watchband.detectors import Ewma
    >>> from watchband.pipeline.rules import Cutoff
    >>> times, values = np.arange(61) * 60_000_000_000, np.r_[np.tile([10.0, 12.0], 30), 90.0]
    >>> source, alerts = ReplaySource(SeriesKey("cpu"), lambda: [(times, values)]), []
    >>> replay([Watch("cpu", Ewma(), Cutoff(4))], source, MemoryStore(), observe=lambda r: alerts.extend(r[0].alerts))
    >>> [alert.value for alert in alerts]
    [90.0]
    """

    def told(results: Results) -> None:
        assert isinstance(results, GridResults)
        observe(results.every)

    runner = Runner(Grid.of(watches), store, excluded=excluded, snapshot_points=SNAPSHOT_POINTS, on_results=told)
    runner.run(source)
    if runner.rejected:
        raise DataError(f"Readings of {source.key} cannot be replayed: {runner.rejected[0].error}")
    runner.finish()


def split(times: Int64, values: Float64, points: int) -> list[tuple[Int64, Float64]]:
    """Arrays as chunks of at most so many readings.

    Examples
    --------
    >>> [len(t) for t, _ in split(np.arange(5), np.zeros(5), 2)]
    [2, 2, 1]
    """
    starts = range(0, len(times), points)
    return [(np.asarray(times[a : a + points], np.int64), np.asarray(values[a : a + points])) for a in starts]
