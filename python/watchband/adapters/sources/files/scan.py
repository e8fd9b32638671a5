"""The first reading of a file: rows, series, order of time. Only the time and label columns are looked at."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from watchband.adapters.sources.files.columns import Chunk, Column, Reader, Tally, as_text, shown
from watchband.adapters.sources.files.hints import SERIES_MAX, Hints
from watchband.adapters.sources.files.roles import Roles
from watchband.adapters.sources.files.timestamps import TimeFormat, Times, parse
from watchband.core.errors import ConfigError, DataError
from watchband.core.points import Int64
from watchband.core.series import SeriesKey

RESETS_MAX = 10_000
"""Places where time runs backwards that are looked at one by one; with more the file is just unordered."""
PART_ROWS_MIN = 4
"""Stacked hosts have at least this many rows each."""

NEVER = np.iinfo(np.int64).min

Group = tuple[SeriesKey | None, tuple[str, ...]]
"""What tells the series of one column apart: a key given by the format, or the cells of the grouping columns."""


@dataclass(slots=True)
class Groups:
    """Numbers for combinations of labels, in order of first appearance."""

    numbers: dict[Group, int] = field(default_factory=dict)

    def of(self, chunk: Chunk, columns: list[str]) -> Int64:
        """The group of every row: int64[n]."""
        if not columns:
            return np.full(len(chunk), self._number((chunk.key, ())), np.int64)
        codes = np.zeros(len(chunk), np.int64)
        words: list[list[str]] = []
        for name in columns:
            encoded, distinct = _encode(chunk.columns[name])
            codes = codes * max(len(distinct), 1) + encoded
            words.append(distinct)
        unique, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
        numbers = np.empty(len(unique), np.int64)
        for at in np.argsort(first, kind="stable").tolist():
            code, cells = int(unique[at]), []
            for distinct in reversed(words):
                code, digit = divmod(code, max(len(distinct), 1))
                cells.append(distinct[digit])
            numbers[at] = self._number((chunk.key, tuple(reversed(cells))))
        return numbers[inverse]

    def _number(self, group: Group) -> int:
        number = self.numbers.setdefault(group, len(self.numbers))
        if number >= SERIES_MAX:
            raise TooManyGroups
        return number


class TooManyGroups(Exception):
    """More combinations of labels than one call may have; caught by ``scan``."""


def _encode(column: Column) -> tuple[Int64, list[str]]:
    import pyarrow.compute as pc

    encoded = pc.fill_null(as_text(column), "").dictionary_encode()
    return np.asarray(encoded.indices.to_numpy(False), np.int64), encoded.dictionary.to_pylist()


@dataclass(slots=True)
class Segment:
    """Rows of one group between two places where time runs backwards."""

    group: int
    first: int
    last: int
    rows: int


class Order:
    """Follows the time of every group and tells where it runs backwards."""

    def __init__(self) -> None:
        self.last = np.empty(0, np.int64)
        self.backward = 0
        self.forward = 0
        self.repeated = 0
        self.open: dict[int, Segment] = {}
        self.closed: list[Segment] = []

    def add(self, groups: Int64, times: Int64) -> np.ndarray:
        """Follow one chunk; bool[n]: rows that are earlier than the row before them in their group."""
        size = int(groups.max(initial=-1)) + 1
        fresh = size - len(self.last)
        if fresh > 0:
            self.last = np.concatenate([self.last, np.full(fresh, NEVER)])
        order = np.argsort(groups, kind="stable")
        g, t = groups[order], times[order]
        before = np.empty_like(t)
        before[1:] = t[:-1]
        starts = np.flatnonzero(np.concatenate([[True], g[1:] != g[:-1]])) if len(g) else np.empty(0, np.int64)
        before[starts] = self.last[g[starts]]
        back = t < before
        self.backward += int(back.sum())
        self.repeated += int((t == before).sum())
        self.forward += int(((t > before) & (before > NEVER)).sum())
        if len(self.closed) <= RESETS_MAX:
            self._segments(g, t, back, starts)
        ends = np.append(starts[1:], len(g)) - 1
        self.last[g[ends]] = t[ends]
        out = np.empty(len(g), bool)
        out[order] = back
        return out

    def _segments(self, g: Int64, t: Int64, back: np.ndarray, starts: Int64) -> None:
        cuts = np.union1d(starts, np.flatnonzero(back))[: RESETS_MAX + len(starts) + 1]
        ends = np.append(cuts[1:], len(g))
        for cut, end in zip(cuts.tolist(), ends.tolist(), strict=True):
            group = int(g[cut])
            current = self.open.get(group)
            if current is None or back[cut]:
                if current is not None:
                    self.closed.append(current)
                self.open[group] = current = Segment(group, int(t[cut]), int(t[cut]), 0)
            current.last = int(t[end - 1])
            current.rows += end - cut

    def parts(self) -> dict[int, int]:
        """Groups in which several hosts are stacked without an id, with their number."""
        if len(self.closed) > RESETS_MAX:
            return {}
        by_group: dict[int, list[Segment]] = {}
        for segment in (*self.closed, *self.open.values()):
            by_group.setdefault(segment.group, []).append(segment)
        return {g: len(s) for g, s in by_group.items() if len(s) > 1 and _are_stacked(s)}


def _are_stacked(segments: list[Segment]) -> bool:
    """Long enough, and each covers at least half of the time of the one before: hosts, not a shuffled file."""
    if any(s.rows < PART_ROWS_MIN for s in segments):
        return False
    for one, two in itertools.pairwise(segments):
        shared = min(one.last, two.last) - max(one.first, two.first)
        if 2 * shared < min(one.last - one.first, two.last - two.first) or shared <= 0:
            return False
    return True


@dataclass(slots=True)
class Scan:
    """What the first reading found.

    ``rows`` could be split into cells, of ``rows_end`` in the file. ``parts`` maps a group to the number of stacked
    hosts in it; ``ordered`` is whether times ascend within every series once those are told apart;
    ``newest_first`` whether they descend; ``repeated`` counts rows at the time of the row before in their series.
    """

    rows: int
    rows_end: int
    groups: dict[Group, int]
    parts: dict[int, int]
    ordered: bool
    newest_first: bool
    first_ns: int
    last_ns: int
    tally: Tally
    repeated: int = 0


def scan(reader: Reader, roles: Roles, hints: Hints, file: str, progress: Callable[[int], None]) -> Scan:
    """Read the time and label columns once; ``roles`` is corrected where the first rows misled.

    A label column that tells nearly every row apart is no label, and a day-first date may show up late: both are
    corrected in ``roles`` and the file is read again.

    Raises
    ------
    DataError
        Not one row with a time.
    """
    for _ in range(len(roles.grouping) + 2):
        found = _scan_once(reader, roles, hints, file, progress)
        if isinstance(found, Scan):
            return found
    raise DataError(f"{file} cannot be understood: its label columns tell every row apart. Name them with --label.")


def _scan_once(reader: Reader, roles: Roles, hints: Hints, file: str, progress: Callable[[int], None]) -> Scan | None:
    tally, groups, order = Tally(), Groups(), Order()
    rows, rows_end, low, high, first_max, second_max = 0, 0, 2**63 - 1, -(2**63), 0, 0
    columns = [*roles.timing, *roles.grouping]
    for chunk in reader.chunks(columns or roles.values[:1], tally):
        times = times_of(chunk, roles, tally)
        rows, rows_end = rows + len(chunk), int(chunk.rows[-1]) + 1
        first_max, second_max = max(first_max, times.first_max), max(second_max, times.second_max)
        good = ~times.bad
        try:
            numbers = groups.of(chunk, roles.grouping)[good]
        except TooManyGroups:
            _drop_label(reader, roles, file, f"more than {SERIES_MAX:,} series")
            return None
        ns = times.ns[good]
        if len(ns):
            order.add(numbers, ns)
            low, high = min(low, int(ns.min())), max(high, int(ns.max()))
        progress(chunk.bytes_done)
    may_flip = roles.form.kind == "slash" and not roles.form.day_first and hints.day_first is None
    if may_flip and first_max > 12 >= second_max:
        roles.form = replace(roles.form, day_first=True, certain=True)
        return None
    if first_max > 12 or second_max > 12:
        roles.form = replace(roles.form, certain=True)
    if rows == tally.bad_times:
        why = "; ".join(tally.time_examples or tally.ragged_examples) or "no rows"
        raise DataError(f"{file} has no row with a time ({why}).")
    if rows >= 20 and len(groups.numbers) * 2 > rows and roles.grouping and not roles.hinted_labels:
        _drop_label(reader, roles, file, "nearly every row has its own value")
        return None
    parts = order.parts()
    stacked = sum(parts.values()) - len(parts)
    newest_first = order.backward > 0 and order.forward == 0
    return Scan(
        rows, rows_end, groups.numbers, parts, order.backward == stacked, newest_first, low, high, tally, order.repeated
    )


def times_of(chunk: Chunk, roles: Roles, tally: Tally) -> Times:
    """Times of a chunk; the first bad ones are named in ``tally``."""
    if roles.time is None:
        form: TimeFormat = roles.form
        return Times(form.start_ns + chunk.rows * form.unit_ns, np.zeros(len(chunk), bool))
    column = chunk.columns[roles.time]
    if roles.clock is not None:
        column = joined(column, chunk.columns[roles.clock])
    times = parse(column, roles.form)
    count = int(times.bad.sum())
    if count:
        examples = [
            f"{chunk.line(int(chunk.rows[k]))}: {_cell(column[int(k)].as_py())}" for k in np.flatnonzero(times.bad)[:3]
        ]
        tally.bad_time(count, examples)
    return times


def joined(dates: Column, clocks: Column) -> Column:
    """``2025-02-17`` and ``14:30`` as one."""
    import pyarrow.compute as pc

    return pc.binary_join_element_wise(as_text(dates), as_text(clocks), " ")


def _cell(value: object) -> str:
    return "empty" if value is None else shown(value)


def _drop_label(reader: Reader, roles: Roles, file: str, why: str) -> None:
    """Take the label column with the most values among the first rows out of ``roles``."""
    if roles.hinted_labels or not roles.labels:
        raise ConfigError(
            f"{file}: the columns {', '.join(roles.grouping)} tell too many series apart ({why}). "
            "Name fewer with --label."
        )
    sample = next(iter(reader.chunks(roles.labels, Tally())))
    most = max(roles.labels, key=lambda name: len(sample.columns[name].unique()))
    roles.labels.remove(most)
    roles.left_out[most] = f"as a label it tells too many series apart: {why}"
