"""Joins in ``detect``: the readings of a file as slots of several columns, batch by batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from watchband.core.errors import LISTED_MAX, DataError
from watchband.core.points import Float64, Int32, Int64
from watchband.core.ports import Readings
from watchband.core.series import SeriesKey
from watchband.pipeline.join_columns import JoinColumns, Together, Waiting
from watchband.pipeline.raw import Raw

if TYPE_CHECKING:
    from watchband.apps.library.engine import FeedBatch

WAITING_MAX = 1_000_000
"""Readings a column of an entity that wait: a file may hold one metric after the other."""


@dataclass(frozen=True, slots=True, eq=False)
class SlotBatch:
    """Slots of entities, as readings of their leading column; ``further`` are the other columns.

    Their order in the input is that in which they were complete.
    """

    row: Int32
    times: Int64
    values: Float64
    ordinal: Int64
    keys: Sequence[SeriesKey]
    further: Float64


class Joining:
    """Makes slots of readings.

    Parameters
    ----------
    join : JoinColumns
        Which metrics belong together.

    Attributes
    ----------
    waiting : Waiting
        What waits, and what became of the readings of each entity.
    """

    def __init__(self, join: JoinColumns) -> None:
        self.join = replace(join, waiting_max=max(join.waiting_max, WAITING_MAX))
        self.waiting = Waiting()
        self._keys: list[SeriesKey] = []
        self._rows: dict[SeriesKey, int] = {}
        self._seen: dict[str, None] = {}
        self._ordinal = 0

    def batches(self, batches: Iterable[FeedBatch]) -> Iterator[SlotBatch]:
        """The slots of these batches.

        Raises
        ------
        DataError
            A column that no series has.
        """
        for batch in batches:
            raw, _ = Raw.grouped(batch.row, batch.times, batch.values)
            yield self._batch(self.join.step(self.waiting, self._readings(raw, batch.keys)))
        if lacking := [name for name in self.join.columns if name not in self._seen]:
            found = ", ".join(sorted(self._seen)[:LISTED_MAX]) or "none"
            raise DataError(
                f"No series is called {', '.join(map(repr, lacking))}, which --join names. Metrics found: {found}. "
                "Name those that belong together, in the order of the model."
            )
        yield self._batch(self.join.step(self.waiting, [], flush=True))

    def _readings(self, raw: Raw, keys: Sequence[SeriesKey]) -> list[Readings]:
        found = []
        for place, row in enumerate(raw.rows.tolist()):
            span = slice(int(raw.offsets[place]), int(raw.offsets[place + 1]))
            self._seen[keys[row].metric] = None
            found.append(Readings(keys[row], raw.times[span], raw.values[span]))
        return found

    def _batch(self, found: Sequence[Together]) -> SlotBatch:
        for one in found:
            if one.key not in self._rows:
                self._rows[one.key] = len(self._keys)
                self._keys.append(one.key)
        count = sum(len(one.times) for one in found)
        first, self._ordinal = self._ordinal, self._ordinal + count
        rows = [np.full(len(one.times), self._rows[one.key], np.int32) for one in found]
        width = len(self.join.columns) - 1
        return SlotBatch(
            np.concatenate([np.empty(0, np.int32), *rows]),
            np.concatenate([np.empty(0, np.int64), *(one.times for one in found)]),
            np.concatenate([np.empty(0), *(one.values for one in found)]),
            np.arange(first, self._ordinal),
            list(self._keys),
            np.concatenate([np.empty((0, width)), *(one.further for one in found)]),
        )
