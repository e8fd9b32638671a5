"""Upstream: what a watch knows of where its series come from: how far each source is, and what waits for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from watchband.core.entry import Columns
from watchband.core.errors import StateCorruptError
from watchband.core.events import ControlEvent, LineageKept, SeriesShed, WatermarkMoved, WindowOpened
from watchband.core.points import Float64, Int64
from watchband.core.ports import Arrival, Readings
from watchband.core.series import SeriesKey
from watchband.pipeline.lineage import Lineage
from watchband.pipeline.windows import Windows

NEVER = int(np.iinfo(np.int64).min)
HELD_MAX = 2_000_000
"""Readings that may wait for a watermark; from there on the runner lets the older half of them go."""

Flat = tuple[Int64, Int64, Float64]
"""Readings one by one, in order of arrival: state rows, times and values."""


class Upstream:
    """Sources by number, their watermarks, the readings that wait for these, and the windows.

    Parameters
    ----------
    watermarks : mapping of str to int
        Of every source that was heard of, ns UTC, in the order of their numbers; ``NEVER`` before the first.
    held : sequence of four arrays, optional
        State rows, numbers of the sources, times and values of what waits, in order of arrival.
    windows : Windows, optional
        Those that were opened.
    shed : iterable of SeriesKey, optional
        Series that there was no room for.
    lineage : Lineage
        Which models the watch has.
    """

    def __init__(
        self,
        watermarks: dict[str, int] | None = None,
        held: tuple[Int64, Int64, Int64, Float64] | None = None,
        windows: Windows | None = None,
        shed: Iterable[SeriesKey] = (),
        lineage: Lineage | None = None,
    ) -> None:
        self.watermarks = watermarks or {}
        self.windows = windows or Windows()
        self.shed = set(shed)
        self.lineage = lineage or Lineage()
        self._numbers = {name: number for number, name in enumerate(self.watermarks)}
        self._held = [held] if held and len(held[0]) else []

    def number(self, source: str) -> int:
        """The number of a source."""
        found = self._numbers.setdefault(source, len(self._numbers))
        self.watermarks.setdefault(source, NEVER)
        return found

    def seen(self) -> Int64:
        """How far each source is, by its number; a watermark without a source is everybody's: int64[sources]."""
        return np.maximum(np.array(list(self.watermarks.values()), np.int64), self.watermarks.get("", NEVER))

    def advance(self, event: WatermarkMoved) -> bool:
        """Note a watermark; whether it moved."""
        self.number(event.source)
        moved = event.time > self.watermarks[event.source]
        if moved:
            self.watermarks[event.source] = event.time
        return moved

    @property
    def held(self) -> int:
        """Readings that wait."""
        return sum(len(part[0]) for part in self._held)

    def hold(self, rows: Sequence[int], readings: Sequence[Readings]) -> None:
        """Let readings wait for the watermarks of their sources."""
        if not readings:
            return
        counts = [len(r.times) for r in readings]
        self._held.append(
            (
                np.repeat(np.array(rows, np.int64), counts),
                np.repeat(np.array([self.number(r.source) for r in readings], np.int64), counts),
                np.concatenate([r.times for r in readings]),
                np.concatenate([r.values for r in readings]),
            )
        )

    def release(self, *, everything: bool = False) -> Flat | None:
        """What has no longer to wait, in order of arrival; None if that is nothing."""
        rows, source, times, values = self._all()
        out = np.ones(len(rows), bool) if everything or not len(rows) else times <= self.seen()[source]
        if not out.any():
            return None
        kept = rows[~out], source[~out], times[~out], values[~out]
        self._held = [kept] if len(kept[0]) else []
        return rows[out], times[out], values[out]

    def waiting(self, rows: Sequence[int]) -> Flat | None:
        """What waits of some series, in order of arrival; None if nothing does. It goes on waiting."""
        every, _, times, values = self._all()
        mine = np.isin(every, np.array(rows, np.int64))
        return (every[mine], times[mine], values[mine]) if mine.any() else None

    def _all(self) -> tuple[Int64, Int64, Int64, Float64]:
        if not self._held:
            none = np.empty(0, np.int64)
            return none, none, none, np.empty(0)
        if len(self._held) > 1:
            rows, source, times = (np.concatenate([part[k] for part in self._held]) for k in range(3))
            self._held = [(rows, source, times, np.concatenate([part[3] for part in self._held]))]
        return self._held[0]

    def relief(self) -> list[WatermarkMoved]:
        """Where too much waits, the watermarks that let the older half of it go."""
        if self.held <= HELD_MAX:
            return []
        _, source, times, _ = self._all()
        names = list(self.watermarks)
        return [
            WatermarkMoved(int(np.median(times[source == number])), names[number])
            for number in np.unique(source).tolist()
        ]

    def renumber(self, place: Int64) -> None:
        """Series have other rows: ``place[old]`` is the new one, -1 where it is gone."""
        rows, source, times, values = self._all()
        stay = place[rows] >= 0 if len(rows) else np.zeros(0, bool)
        self._held = [(place[rows[stay]], source[stay], times[stay], values[stay])] if stay.any() else []
        self.windows.renumbered()

    def copy(self) -> Upstream:
        """An independent copy."""
        return Upstream.from_bytes(self.to_bytes())

    def to_bytes(self) -> bytes:
        """Everything, as an entry of a log."""
        rows, source, times, values = self._all()
        marks: list[ControlEvent] = [WatermarkMoved(time, name) for name, time in self.watermarks.items()]
        ones, held = np.ones(len(rows), np.int64), np.full(len(rows), int(Arrival.HELD))
        shed = [SeriesShed(text, 0) for text in sorted(map(str, self.shed))]
        models = [] if self.lineage == Lineage() else [LineageKept(self.lineage.to_text())]
        events = (*marks, *self.windows.events(), *shed, *models)
        return Columns(rows, ones, times, values, events, tuple(self.watermarks), source, held).to_bytes()

    @classmethod
    def from_bytes(cls, data: bytes, series: int | None = None) -> Upstream:
        """Read back what ``to_bytes`` wrote.

        Raises
        ------
        StateCorruptError
            Damaged, or about rows beyond ``series``.
        """
        entry = Columns.from_bytes(data)
        marks = {e.source: e.time for e in entry.events if isinstance(e, WatermarkMoved)}
        windows = Windows([e for e in entry.events if isinstance(e, WindowOpened)])
        shed = [SeriesKey.parse(e.series) for e in entry.events if isinstance(e, SeriesShed)]
        beyond = series is not None and len(entry.series) and int(entry.series.max()) >= series
        if beyond or len(entry.times) != len(entry.series) or (len(entry.series) and entry.sources != tuple(marks)):
            raise StateCorruptError(f"What waits in this state does not belong to its {series} series.")
        lineage = next((Lineage.from_text(e.text) for e in entry.events if isinstance(e, LineageKept)), None)
        return cls(marks, (entry.series, entry.source, entry.times, entry.values), windows, shed, lineage)


def joined(parts: Sequence[Flat]) -> tuple[NDArray[np.int32], Int64, Int64, Float64]:
    """Readings gathered by series: rows, offsets, times and values; of one series in order of arrival."""
    rows = np.concatenate([part[0] for part in parts])
    order = np.argsort(rows, kind="stable")
    some, counts = np.unique(rows, return_counts=True)
    times = np.concatenate([part[1] for part in parts])[order]
    values = np.concatenate([part[2] for part in parts])[order]
    return some.astype(np.int32), np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), times, values
