"""Several metrics of an entity as one series of points: a fold before prepare. See ``docs/join.md``."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from watchband.core.errors import ConfigError, StateCorruptError
from watchband.core.fold import fingerprint
from watchband.core.points import Float64, Int64
from watchband.core.ports import Arrival, Readings
from watchband.core.series import SeriesKey
from watchband.core.state import ADVICE

NEVER = -(2**63)
END = 2**63 - 1
COLUMNS_MAX = 256
WAITING_MAX = 1000
"""Readings that wait, per column of an entity: more than half a day of minutes."""
_MAGIC = b"WBJOIN1\n"
_LENGTH = struct.Struct("<I")
_READING = 24
"""Bytes of a reading that waits: its column, its time, its value."""

Marks = Mapping[str, int]
"""Watermarks by source, ns UTC; that of no name is everybody's."""


@dataclass(frozen=True, slots=True)
class Together(Readings):
    """Slots of an entity that are complete, or that nothing more can come for.

    Parameters
    ----------
    key : SeriesKey
        The entity, by the name of its leading column.
    times, values : int64[n], float64[n]
        The slots, ascending, and the leading column.
    further : float64[n, columns - 1]
        The other columns; NaN where there was no reading.
    """

    further: Float64 = field(default_factory=lambda: np.empty((0, 0)))

    @classmethod
    def of(cls, key: SeriesKey, times: Int64, values: Float64) -> Together:
        """Slots that were joined before; ``values`` are float64[n, columns], the leading one first."""
        return cls(key, times, np.ascontiguousarray(values[:, 0]), further=values[:, 1:])

    def given_by(self, source: str) -> Together:
        """The same slots, of this source."""
        return replace(self, source=source)


@dataclass(slots=True)
class Tally:
    """What became of the readings of an entity, since it was first heard of.

    Parameters
    ----------
    slots, incomplete : int
        Slots that left, and those of them in which a column was missing.
    late, repeated : int
        Readings of slots that had left; readings that repeat a time of their column.
    pressed : int
        Slots that left because too much waited.
    """

    slots: int = 0
    incomplete: int = 0
    late: int = 0
    repeated: int = 0
    pressed: int = 0

    def dump(self) -> list[int]:
        """As numbers, in the order of the fields."""
        return [self.slots, self.incomplete, self.late, self.repeated, self.pressed]


@dataclass(slots=True)
class _Entity:
    """What is known of an entity: how far each column is and who gives it, and what waits."""

    newest: list[int]
    sources: list[str | None]
    held: list[bool]
    edge: int = NEVER
    tally: Tally = field(default_factory=Tally)
    column: list[Int64] = field(default_factory=list)
    times: list[Int64] = field(default_factory=list)
    values: list[Float64] = field(default_factory=list)

    @property
    def waiting(self) -> int:
        return sum(map(len, self.times))

    def pending(self) -> tuple[Int64, Int64, Float64]:
        """Columns, times and values of what waits, in order of arrival."""
        if not self.times:
            return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
        return np.concatenate(self.column), np.concatenate(self.times), np.concatenate(self.values)

    def put_back(self, column: Int64, times: Int64, values: Float64) -> None:
        self.column, self.times, self.values = ([column], [times], [values]) if len(times) else ([], [], [])


class Waiting:
    """The state of a join: every entity with what waits for its other columns."""

    def __init__(self) -> None:
        self.entities: dict[SeriesKey, _Entity] = {}

    @property
    def readings(self) -> int:
        """Readings that wait."""
        return sum(entity.waiting for entity in self.entities.values())

    def tally(self, key: SeriesKey) -> Tally:
        """What became of the readings of an entity, by the key of its leading column."""
        found = self.entities.get(key)
        return Tally() if found is None else found.tally

    def copy(self) -> Waiting:
        """An independent copy."""
        return Waiting.from_bytes(self.to_bytes())

    def to_bytes(self) -> bytes:
        """Everything; the same bytes for the same content."""
        rows, parts = [], []
        for key, entity in self.entities.items():
            column, times, values = entity.pending()
            known = [entity.newest, entity.sources, entity.held, entity.edge, entity.tally.dump(), len(times)]
            rows.append([str(key), *known])
            parts += [column.tobytes(), times.tobytes(), values.tobytes()]
        text = json.dumps(rows, separators=(",", ":")).encode()
        return b"".join([_MAGIC, _LENGTH.pack(len(text)), text, *parts])

    @classmethod
    def from_bytes(cls, data: bytes, columns: int | None = None) -> Waiting:
        """Read back what ``to_bytes`` wrote.

        Raises
        ------
        StateCorruptError
            Damaged, or of another number of columns.
        """
        made = cls()
        try:
            if data[: len(_MAGIC)] != _MAGIC:
                raise ValueError("other bytes first")
            (length,) = _LENGTH.unpack_from(data, len(_MAGIC))
            at = len(_MAGIC) + _LENGTH.size + length
            for text, newest, sources, held, edge, tally, count in json.loads(data[at - length : at]):
                if len({len(newest), len(sources), len(held), columns or len(newest)}) != 1:
                    raise ValueError("another number of columns")
                entity = _Entity(newest, sources, held, edge, Tally(*tally))
                column, times = (np.frombuffer(data, np.int64, count, at + 8 * k * count) for k in range(2))
                values = np.frombuffer(data, np.float64, count, at + 16 * count)
                if count and not 0 <= int(column.min()) <= int(column.max()) < len(newest):
                    raise ValueError("a column that there is not")
                entity.put_back(column.copy(), times.copy(), values.copy())
                made.entities[SeriesKey.parse(text)] = entity
                at += _READING * count
            if at != len(data):
                raise ValueError(f"{len(data)} bytes, expected {at}")
        except (ValueError, TypeError, KeyError, struct.error, ConfigError) as error:
            raise StateCorruptError(f"What waits in this join makes no sense ({error}). {ADVICE}") from error
        return made


@dataclass(frozen=True)
class JoinColumns:
    """Which metrics of an entity make one point, and how long one waits for another.

    A slot leaves when every column has come to it or past it: by a reading of its own, as columns come in the order of
    time, or by the watermark of its source. What is missing then is NaN. Slots leave in the order of time, and what
    comes for one that has left is late: it is counted, no more.

    Parameters
    ----------
    columns : tuple of str
        Names of the metrics; the first leads, and their order is that of the values of a point.
    slot_ns : int, default 1
        Width of a slot; with 1 only readings of the same moment belong together.
    aggregate : {"mean", "sum", "max", "last"}
        What a wider slot says of several readings of a column.
    wait_ns : int, default 0
        So far a watermark must be behind a slot until the slot leaves without a column.
    waiting_max : int, default 1000
        Readings a column that wait, per entity; with more, the older half leaves as it is.

    Raises
    ------
    ConfigError
        Fewer than two columns, one of them twice, or more than ``COLUMNS_MAX``.

    Examples
    --------
    >>> join, host = JoinColumns(("cpu", "memory")), {"host": "a"}
    >>> waiting = Waiting()
    >>> cpu = Readings(SeriesKey("cpu", host), np.array([10, 20]), np.array([1.0, 2.0]))
    >>> join.step(waiting, [cpu])
    []
    >>> memory = Readings(SeriesKey("memory", host), np.array([20]), np.array([7.0]))
    >>> (found,) = join.step(waiting, [memory])
    >>> str(found.key), found.times.tolist(), found.values.tolist(), found.further.tolist()
    ('cpu{host="a"}', [10, 20], [1.0, 2.0], [[nan], [7.0]])
    """

    columns: tuple[str, ...]
    slot_ns: int = 1
    aggregate: str = "mean"
    wait_ns: int = 0
    waiting_max: int = WAITING_MAX

    def __post_init__(self) -> None:
        names = tuple(self.columns)
        object.__setattr__(self, "columns", names)
        if not 2 <= len(names) <= COLUMNS_MAX or len(set(names)) < len(names) or not all(names):
            raise ConfigError(
                f"The 'join' parameter names 2 to {COLUMNS_MAX} different metrics of an entity, in the order of the "
                f"model. Got {', '.join(map(repr, names[:10])) or 'none'}."
            )

    @cached_property
    def fingerprint(self) -> str:
        """Equal where a state may go on."""
        values = {"columns": list(self.columns), "slot": self.slot_ns, "aggregate": self.aggregate}
        return fingerprint("join", {**values, "wait": self.wait_ns, "most": self.waiting_max})

    @property
    def state_bytes_max(self) -> int:
        """Bytes an entity in memory: what may wait at most."""
        return len(self.columns) * (_READING * self.waiting_max + 64)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.columns)}

    def takes(self, key: SeriesKey) -> bool:
        """Whether a series is one of the columns."""
        return key.metric in self._places

    def key_of(self, key: SeriesKey) -> SeriesKey:
        """The series that stands for the entity of a column: that of the leading one."""
        return key if key.metric == self.columns[0] else SeriesKey(self.columns[0], key.labels)

    def step(
        self,
        waiting: Waiting,
        readings: Sequence[Readings],
        marks: Marks | None = None,
        *,
        all_of: bool = False,
        flush: bool = False,
    ) -> list[Together]:
        """What leaves with these readings and watermarks; ``waiting`` is moved on in place.

        Parameters
        ----------
        waiting : Waiting
            From the beginning, or read back.
        readings : sequence of Readings
            Of the columns; others are passed by.
        marks : mapping of str to int, optional
            How far sources are, by their names.
        all_of : bool, default False
            A watermark has moved: entities without readings are looked at, too.
        flush : bool, default False
            The stream ends here: everything leaves.
        """
        touched: dict[SeriesKey, None] = {}
        for one in readings:
            place = self._places.get(one.key.metric)
            if place is not None:
                key = self.key_of(one.key)
                self._take(waiting, key, place, one)
                touched[key] = None
        if all_of or flush:
            touched |= {key: None for key, entity in waiting.entities.items() if entity.times}
        found = [self._leave(key, waiting.entities[key], marks or {}, flush) for key in touched]
        return [one for one in found if one is not None]

    def forget(self, waiting: Waiting, keys: Iterable[SeriesKey]) -> None:
        """These series have ended: of an entity all, if the leading one has; else nobody waits for the column."""
        for key in keys:
            place = self._places.get(key.metric)
            entity = None if place is None else waiting.entities.get(self.key_of(key))
            if entity is None or place is None:
                continue
            if place == 0:
                del waiting.entities[key]
            else:
                entity.sources[place] = None

    def _take(self, waiting: Waiting, key: SeriesKey, place: int, one: Readings) -> None:
        entity = waiting.entities.get(key)
        if entity is None:
            width = len(self.columns)
            entity = waiting.entities[key] = _Entity([NEVER] * width, [None] * width, [False] * width)
        if one.arrival is Arrival.LATE:
            entity.tally.late += len(one.times)
            return
        entity.sources[place], entity.held[place] = one.source, one.arrival is Arrival.HELD
        times, values = one.times, one.values
        behind = times <= entity.edge
        if behind.any():
            again = int((times == entity.newest[place]).sum())
            entity.tally.repeated += again
            entity.tally.late += int(behind.sum()) - again
            times, values = times[~behind], values[~behind]
        if len(times):
            entity.newest[place] = max(entity.newest[place], int(times.max()))
            entity.column.append(np.full(len(times), place, np.int64))
            entity.times.append(np.ascontiguousarray(times, np.int64))
            entity.values.append(np.where(np.isfinite(values), values, np.nan))

    def _edge(self, entity: _Entity, marks: Marks) -> int:
        """How far every column is known."""
        everybody = marks.get("", NEVER)
        known = {s: max(marks.get(s, NEVER), everybody) for s in entity.sources if s is not None}
        others = min(known.values(), default=everybody)
        edge = END
        for newest, source, held in zip(entity.newest, entity.sources, entity.held, strict=True):
            mark = others if source is None else known[source]
            passed = mark - self.wait_ns if mark > NEVER + self.wait_ns else NEVER
            edge = min(edge, passed if held or source is None else max(newest, passed))
        return edge

    def _leave(self, key: SeriesKey, entity: _Entity, marks: Marks, flush: bool) -> Together | None:
        column, times, values = entity.pending()
        edge = END if flush else self._edge(entity, marks)
        slot = times - times % self.slot_ns
        out = slot + (self.slot_ns - 1) <= edge
        if int(len(times) - out.sum()) > self.waiting_max * len(self.columns):
            # The older half, counted in slots, whatever is missing there.
            here = np.unique(slot[~out])
            out |= slot <= here[len(here) // 2]
            entity.tally.pressed += len(here) // 2 + 1
        if not out.any():
            return None
        entity.put_back(column[~out], times[~out], values[~out])
        found = self._slots(entity, column[out], times[out], values[out], slot[out])
        entity.edge = int(found[0][-1]) + self.slot_ns - 1
        # Of several sources the name of the last; who is silent is asked of the entity as a whole.
        source = next((s for s in entity.sources if s is not None), "")
        return Together(key, found[0], np.ascontiguousarray(found[1][:, 0]), source, further=found[1][:, 1:])

    def _slots(
        self, entity: _Entity, column: Int64, times: Int64, values: Float64, slot: Int64
    ) -> tuple[Int64, Float64]:
        """The slots of these readings, ascending, and what they hold: float64[slots, columns]."""
        order = np.lexsort((times, column, slot))
        column, times, values, slot = column[order], times[order], values[order], slot[order]
        moments, place = np.unique(slot, return_inverse=True)
        cell = place * len(self.columns) + column
        same = (np.diff(cell) == 0) & (np.diff(times) == 0)
        # Of readings of one moment the first counts.
        first = np.r_[True, ~same]
        entity.tally.repeated += len(first) - int(first.sum())
        cell, values = cell[first], values[first]
        grid = np.full(len(moments) * len(self.columns), np.nan)
        if self.slot_ns == 1:
            grid[cell] = values
        else:
            some = np.isfinite(values)
            _gather(grid, cell[some], values[some], self.aggregate)
        wide = grid.reshape(len(moments), len(self.columns))
        entity.tally.slots += len(moments)
        entity.tally.incomplete += int(np.isnan(wide).any(axis=1).sum())
        return moments, wide


def _gather(grid: Float64, cell: Int64, values: Float64, how: str) -> None:
    """Write into each cell what its readings amount to; cells ascend."""
    if not len(cell):
        return
    starts = np.flatnonzero(np.r_[True, np.diff(cell) != 0])
    ends = np.r_[starts[1:], len(cell)]
    if how == "last":
        grid[cell[starts]] = values[ends - 1]
    elif how == "max":
        grid[cell[starts]] = np.maximum.reduceat(values, starts)
    else:
        total = np.add.reduceat(values, starts)
        grid[cell[starts]] = total / (ends - starts) if how == "mean" else total


def marks_after(watermarks: Marks, moved: Mapping[str, int]) -> dict[str, int]:
    """Watermarks with those that moved; none goes back."""
    found = dict(watermarks)
    for source, time in moved.items():
        found[source] = max(found.get(source, NEVER), time)
    return found
