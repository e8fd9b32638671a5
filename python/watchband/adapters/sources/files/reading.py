"""The second reading of a file: its values, in input order or sorted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from watchband.adapters.sources.files.columns import Chunk, Column, Reader, Tally, as_text, shown, to_numbers
from watchband.adapters.sources.files.hints import BATCH_VALUES_MAX, SORT_VALUES_MAX
from watchband.adapters.sources.files.locate import Found
from watchband.adapters.sources.files.profile import FileProfile
from watchband.adapters.sources.files.roles import Roles
from watchband.adapters.sources.files.scan import Groups, Order, Scan, times_of
from watchband.core.errors import DataError
from watchband.core.points import Float64, Int32, Int64
from watchband.core.series import SeriesKey


@dataclass(slots=True)
class OpenFile:
    """A file that was looked through once: how to read it, and what its columns are.

    ``numbers`` are those of its series among all series of the table.
    """

    found: Found
    reader: Reader
    roles: Roles
    scanned: Scan
    profile: FileProfile
    keys: list[SeriesKey] = field(default_factory=list)
    numbers: Int32 = field(default_factory=lambda: np.empty(0, np.int32))


@dataclass(frozen=True, slots=True)
class Part:
    """Values of one file: series, source rows and ordinals count from 0 within it."""

    row: Int64
    times: Int64
    values: Float64
    source_row: Int64
    ordinal: Int64

    def __len__(self) -> int:
        return len(self.times)

    def take(self, which: Int64 | slice) -> Part:
        """Some of the values."""
        return Part(*(getattr(self, name)[which] for name in ("row", "times", "values", "source_row", "ordinal")))


def read_values(file: OpenFile, tally: Tally, progress: Callable[[int], None]) -> Iterator[Part]:
    """Values of a file, at most 65,536 at a time, in input order or, where times run backwards, sorted by time.

    Raises
    ------
    DataError
        The file broke off or changed since it was looked through; or it is too large to be sorted in memory.
    """
    parts = _in_order(file, tally, progress)
    return parts if file.scanned.ordered else _sorted(parts, file)


def _in_order(file: OpenFile, tally: Tally, progress: Callable[[int], None]) -> Iterator[Part]:
    roles, scanned = file.roles, file.scanned
    width = len(roles.values)
    groups, stacks = Groups(dict(scanned.groups)), _Stacks(scanned)
    columns = list(dict.fromkeys([*roles.timing, *roles.grouping, *roles.values]))
    rows_max = max(1, BATCH_VALUES_MAX // width)
    ordinal, known = 0, len(scanned.groups)
    for whole in file.reader.chunks(columns, tally):
        chunk = whole if whole.rows[-1] < scanned.rows_end else whole.head(int((whole.rows < scanned.rows_end).sum()))
        if not len(chunk):
            break
        times = times_of(chunk, roles, tally)
        good = np.flatnonzero(~times.bad)
        numbers = groups.of(chunk, roles.grouping)[good]
        if len(groups.numbers) > known:
            raise DataError(f"{file.found.name} changed while it was being read. Read it again.")
        ns = times.ns[good]
        series = stacks.of(numbers, ns) * width
        values = np.stack([_numbers(chunk, name, tally)[good] for name in roles.values], axis=1)
        for start in range(0, len(good), rows_max):
            cut = slice(start, start + rows_max)
            count = len(good[cut]) * width
            yield Part(
                (series[cut, None] + np.arange(width)).ravel(),
                np.repeat(ns[cut], width),
                values[cut].ravel(),
                np.repeat(chunk.rows[good[cut]], width),
                np.arange(ordinal, ordinal + count),
            )
            ordinal += count
        progress(chunk.bytes_done)


def _numbers(chunk: Chunk, name: str, tally: Tally) -> Float64:
    column: Column = chunk.columns[name]
    values, bad = to_numbers(column)
    if count := int(bad.sum()):
        text = as_text(column)
        examples = [f"{chunk.line(int(chunk.rows[k]))}: {shown(text[int(k)].as_py())}" for k in np.flatnonzero(bad)[:3]]
        tally.bad_number(name, count, examples)
    return values


class _Stacks:
    """Numbers for (group, part): the series of one value column."""

    def __init__(self, scanned: Scan) -> None:
        sizes = [scanned.parts.get(number, 1) for number in range(len(scanned.groups))]
        self._base = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self._stacked = bool(scanned.parts)
        self._order = Order()
        self._part = np.zeros(len(sizes), np.int64)
        self._sizes = np.array(sizes, np.int64)

    def of(self, groups: Int64, times: Int64) -> Int64:
        """The series of every row; parts count up where the time of a stacked group runs backwards."""
        if not self._stacked or not len(groups):
            return self._base[groups]
        back = self._order.add(groups, times) & (self._sizes[groups] > 1)
        order = np.argsort(groups, kind="stable")
        g, steps = groups[order], np.cumsum(back[order])
        starts = np.flatnonzero(np.concatenate([[True], g[1:] != g[:-1]]))
        before: Int64 = np.repeat(steps[starts] - back[order][starts], np.diff(np.append(starts, len(g))))
        part = np.empty(len(g), np.int64)
        part[order] = self._part[g] + steps - before
        ends = np.append(starts[1:], len(g)) - 1
        self._part[g[ends]] = part[order[ends]]
        return self._base[groups] + np.minimum(part, self._sizes[groups] - 1)


def _sorted(parts: Iterable[Part], file: OpenFile) -> Iterator[Part]:
    held: list[Part] = []
    count = 0
    for part in parts:
        held.append(part)
        count += len(part)
        if count > SORT_VALUES_MAX:
            raise DataError(
                f"{file.found.name} is not in time order and has more than {SORT_VALUES_MAX:,} values, "
                "too many to sort in memory. Sort it by time first."
            )
    if not held:
        return
    names = ("row", "times", "values", "source_row", "ordinal")
    whole = Part(*(np.concatenate([getattr(part, name) for part in held]) for name in names))
    held.clear()
    order = np.argsort(whole.times, kind="stable")
    for start in range(0, len(order), BATCH_VALUES_MAX):
        yield whole.take(order[start : start + BATCH_VALUES_MAX])
