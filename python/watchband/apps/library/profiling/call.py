"""``wb.profile``: reads a feed file by file, in bounded memory, and looks at every series."""

from __future__ import annotations

import heapq
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from watchband.analysis.profile.profile import Profile, profile_of
from watchband.analysis.profile.together import Gatherer
from watchband.apps.library.feeds import Progress, TableFeed, open_source
from watchband.apps.library.moments import zone
from watchband.apps.library.options import Options
from watchband.apps.library.profiling.result import Profiles
from watchband.core.errors import DataError
from watchband.core.points import Float64, Int64
from watchband.core.series import SeriesKey

if TYPE_CHECKING:
    from watchband.adapters.sources.files.table import FileBatch, Table

TOTAL_MAX = 12_000_000
"""Readings in memory at once, 16 bytes each: of a file with more, the last of every series."""
SERIES_POINTS_MAX = 2_000_000
SERIES_POINTS_MIN = 2_048
DRAWN_MAX = 40
"""Series with pictures, those that most want to be looked at; of the others the figures."""


def profile(
    source: Any,
    *,
    timezone: str = "UTC",
    time: str | None = None,
    value: str | Sequence[str] = (),
    label: str | Sequence[str] = (),
    metric: str | None = None,
    interval: str | None = None,
    out: str | os.PathLike[str] | None = None,
) -> Profiles:
    """Look at every series: rows, gaps, values, seasons, level, far values, what it is enough for.

    Parameters
    ----------
    source : frame, series, (times, values), path or list of paths
        As ``watchband.detect`` takes it.
    timezone : str, default "UTC"
        IANA zone in which days begin and times are written; also of times without one.
    time, value, label, metric, interval
        As in ``watchband.detect``: columns, and the time between readings where rows are only numbered.
    out : path, optional
        Folder for ``profile.html`` and ``profile.json``.

    Raises
    ------
    ConfigError
        An option that cannot be.
    DataError
        Input that cannot be read, or not one series with two readings that have a value.

    Examples
    --------
    >>> import numpy as np
    >>> hours = np.arange(24 * 20)
    >>> load = 50 + 20 * np.sin(hours / 24 * 2 * np.pi) + np.random.default_rng(1).normal(0, 2, len(hours))
    >>> found = profile((hours * 3_600_000_000_000, load))
    >>> [(season.name, round(season.strength, 2)) for season in found.series[0].seasons.there]
    [('day', 0.98)]
    """
    columns = {"time": time, "value": _several(value), "label": _several(label), "metric": metric}
    feed = open_source(source, Options(timezone=timezone, interval=interval), columns)
    given = [
        os.fspath(p) for p in (source if isinstance(source, list) else [source]) if isinstance(p, str | os.PathLike)
    ]
    flags = told_flags({**columns, "interval": interval, "timezone": None if timezone == "UTC" else timezone})
    found = run(feed, timezone, paths=given, flags=flags)
    if out is not None:
        found.write(Path(out))
    return found


def _several(given: Any) -> tuple[Any, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def told_flags(given: dict[str, Any]) -> list[str]:
    """The flags of a command that reads the same input."""
    told: list[str] = []
    for name, value in given.items():
        for one in value if isinstance(value, list | tuple) else [value]:
            if one is True:
                told.append(f"--{name.replace('_', '-')}")
            elif one not in (None, False, ""):
                told += [f"--{name.replace('_', '-')}", str(one)]
    return told


def run(
    feed: TableFeed,
    timezone: str = "UTC",
    tell: Progress | None = None,
    *,
    paths: Sequence[str] = (),
    flags: Sequence[str] = (),
    command: str = "",
) -> Profiles:
    """Look at what a feed has.

    Parameters
    ----------
    feed : TableFeed
        The readings.
    timezone : str
        Where days begin.
    tell : callable, optional
        Told of progress.
    paths, flags : sequence of str
        The input as it was named and what was said about it, for the commands that come next.
    command : str
        What was typed, for the page.

    Raises
    ------
    ConfigError, DataError
        See ``profile``.
    """
    place = zone(timezone)
    with feed.table as table:
        files = table.profile.files
        together = Gatherer(min(f.first_ns for f in files), max(f.last_ns for f in files))
        kept = _Kept()
        for key, series in _series(table, tell):
            times, values = series.joined()
            if not len(times):
                continue
            together.take(key, times, values)
            shift = _ahead(int(times[len(times) // 2]), place)
            kept.take(profile_of(key, times, values, rows=series.rows, backwards=series.disorder, shift=shift))
        problems = [str(p) for p in table.problems]
    series_found = kept.worst_first()
    if not any(p.values.count >= 2 and p.spacing.span for p in series_found):
        raise DataError(_nothing(feed.title, series_found, problems))
    return Profiles(
        series_found, together.found(), feed.title, feed.notes, problems, timezone, list(paths), list(flags), command
    )


def _nothing(title: str, series: Sequence[Profile], problems: Sequence[str]) -> str:
    if problems and not series:
        return problems[0]
    rows, numbers = sum(p.rows for p in series), sum(p.values.count for p in series)
    if rows and not numbers:
        return (
            f"{title} has {rows:,} readings and not one of them is a number: "
            f"{', '.join(str(p.key) for p in list(series)[:3])} are empty throughout. Name another column with --value."
        )
    return (
        f"{title} has no series with two readings at different times; a profile needs two. Got {rows:,} readings in "
        f"{len(series):,} series. Give more of its past, or name the columns with --time, --value and --label."
    )


@dataclass(eq=False)
class _Series:
    """The last readings of a series."""

    limit: int
    parts: list[tuple[Int64, Float64]] = field(default_factory=list)
    held: int = 0
    rows: int = 0
    backwards: int = 0
    last: int = -1

    def take(self, times: Int64, values: Float64, ordinal: Int64) -> None:
        self.backwards += int((np.diff(ordinal, prepend=self.last) < 0).sum())
        self.last = int(ordinal[-1])
        self.parts.append((times, values))
        self.rows += len(times)
        self.held += len(times)
        if self.held > 1.5 * self.limit:
            both = self.joined()
            self.parts = [(both[0][-self.limit :].copy(), both[1][-self.limit :].copy())]
            self.held = self.limit

    def joined(self) -> tuple[Int64, Float64]:
        if not self.parts:
            return np.empty(0, np.int64), np.empty(0)
        return np.concatenate([t for t, _ in self.parts]), np.concatenate([v for _, v in self.parts])

    @property
    def disorder(self) -> int:
        """Places where time ran backwards; a file that stands newest first is in order, from its end."""
        return 0 if self.backwards >= self.rows - 1 else self.backwards


def _series(table: Table, tell: Progress | None) -> Iterator[tuple[SeriesKey, _Series]]:
    """Every series with its readings, released file by file: series of different files are different series."""
    sizes = [len(file.keys) for file in table.profile.files]
    ends = np.cumsum(sizes)
    told: Callable[[int, int], None] | None = (lambda done, total: tell("profiling", done, total)) if tell else None
    held: dict[int, _Series] = {}
    now = 0
    for batch in table.batches(told):
        if not len(batch):
            continue
        file = int(np.searchsorted(ends, int(batch.row[0]), "right"))
        if file != now:
            yield from ((table.keys[number], held.pop(number)) for number in sorted(held))
            now = file
        limit = min(SERIES_POINTS_MAX, max(SERIES_POINTS_MIN, TOTAL_MAX // max(sizes[file], 1)))
        _distribute(batch, held, limit)
    yield from ((table.keys[number], held.pop(number)) for number in sorted(held))


def _distribute(batch: FileBatch, held: dict[int, _Series], limit: int) -> None:
    order = np.argsort(batch.row, kind="stable")
    numbers, starts = np.unique(batch.row[order], return_index=True)
    for number, part in zip(numbers.tolist(), np.split(order, starts[1:]), strict=True):
        series = held.setdefault(number, _Series(limit))
        series.take(batch.times[part], batch.values[part], batch.ordinal[part])


class _Kept:
    """Profiles; with pictures only for the worst ``DRAWN_MAX``."""

    def __init__(self) -> None:
        self._light: list[Profile] = []
        self._drawn: list[tuple[float, int, Profile]] = []
        self._count = 0

    def take(self, found: Profile) -> None:
        # Of equal ones those that came first stay: the order of the input is the order of the page.
        entry = (found.weight, -self._count, found)
        self._count += 1
        if len(self._drawn) < DRAWN_MAX:
            heapq.heappush(self._drawn, entry)
            return
        least = heapq.heappushpop(self._drawn, entry)
        self._light.append(least[2].light())

    def worst_first(self) -> list[Profile]:
        drawn = [p for _, _, p in sorted(self._drawn, key=lambda e: (-e[0], -e[1]))]
        return [*drawn, *sorted(self._light, key=lambda p: (-p.weight, str(p.key)))]


def _ahead(time: int, place: ZoneInfo) -> int:
    """What a zone is ahead of UTC at a time, ns."""
    offset = datetime.fromtimestamp(time // 1_000_000_000, UTC).astimezone(place).utcoffset()
    return round(offset.total_seconds()) * 1_000_000_000 if offset else 0
