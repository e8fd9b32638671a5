"""Tables of metrics: what was found in the files, and their values in batches."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import numpy as np

from watchband.adapters.objects.place import FilePath
from watchband.adapters.sources.files.columns import Reader, Tally
from watchband.adapters.sources.files.hints import SERIES_MAX, Hints
from watchband.adapters.sources.files.keys import keys_of, tell_apart
from watchband.adapters.sources.files.locate import Found, locate, open_reader
from watchband.adapters.sources.files.profile import FileProfile, Profile, scan_notes
from watchband.adapters.sources.files.reading import OpenFile, read_values
from watchband.adapters.sources.files.roles import find_roles
from watchband.adapters.sources.files.scan import scan
from watchband.core.errors import ConfigError, DataError
from watchband.core.points import Float64, Int32, Int64
from watchband.core.series import SeriesKey

SAMPLE_ROWS = 5_000
"""Rows that decide what the columns are."""

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all."""


@dataclass(frozen=True, slots=True)
class FileBatch:
    """Some values, in the order in which they are to be read.

    Values come row by row and within a row column by column, as the file has them; only a file whose times are
    not in order comes sorted by time.

    Parameters
    ----------
    row_start : int
        Number of values given before this batch.
    row : int32[n]
        Series of each value, an index into ``keys``.
    times : int64[n]
        Nanoseconds since 1970 UTC, not descending within a series (over all batches).
    values : float64[n]
        NaN: missing, or no number.
    source_row : int64[n]
        Number of the row each value stands in, over all files from 0; headers and empty lines are not counted, rows
        set aside are.
    ordinal : int64[n]
        Position of each value in input order, over all files from 0 without a gap: ``out[batch.ordinal] = score`` puts
        results back in input order. Equal to ``row_start + arange(n)`` unless the file had to be sorted.
    keys : list of SeriesKey
        All series of the table.
    """

    row_start: int
    row: Int32
    times: Int64
    values: Float64
    source_row: Int64
    ordinal: Int64
    keys: list[SeriesKey]

    def __len__(self) -> int:
        return len(self.times)


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that could not be read, or not to its end, and why."""

    file: str
    error: ConfigError | DataError

    def __str__(self) -> str:
        return str(self.error)


class Table:
    """Opened files. ``open_table`` makes one; it is a context manager (standard input is kept in a temporary file).

    Attributes
    ----------
    profile : Profile
        Roles of columns, forms of times, rows, series and notes for people.
    keys : list of SeriesKey
        All series; complete from the beginning.
    problems : list of Problem
        Files left out; grows while ``batches`` meets damage that the first reading could not see.
    """

    def __init__(self, files: list[OpenFile], problems: list[Problem], spool: Path) -> None:
        files = _one_after_another(files)
        self._files, self.problems, self._spool = files, problems, spool
        told: dict[tuple[str, SeriesKey], int] = {}
        for number, (file, keys) in enumerate(zip(files, tell_apart([(f.found, f.keys) for f in files]), strict=True)):
            whose = file.found.group or str(number)
            file.numbers = np.array([told.setdefault((whose, key), len(told)) for key in keys], np.int32)
            file.keys = file.profile.keys = keys
        self.keys = [key for _, key in told]
        if len(self.keys) > SERIES_MAX:
            raise ConfigError(f"The files hold {len(self.keys):,} series; at most {SERIES_MAX:,} are read in one call.")
        self.profile = Profile([f.profile for f in files], problems)

    @property
    def files(self) -> list[OpenFile]:
        """The files that could be opened, as they are read."""
        return self._files

    def __enter__(self) -> Table:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the copy of standard input, if there is one."""
        shutil.rmtree(self._spool, ignore_errors=True)

    def batches(self, progress: Progress | None = None) -> Iterator[FileBatch]:
        """All values, file after file, at most 65,536 at a time.

        What turns out to be no number is counted in the notes of ``profile``; a file that breaks off is added to
        ``problems`` and the next one follows.
        """
        total = sum(file.reader.bytes_total for file in self._files)
        given = source_base = done = 0
        for file in self._files:
            tally, start = Tally(), given
            try:
                for part in read_values(file, tally, _shifted(progress, done, total)):
                    yield FileBatch(
                        given,
                        file.numbers[part.row],
                        part.times,
                        part.values,
                        part.source_row + source_base,
                        part.ordinal + start,
                        self.keys,
                    )
                    given += len(part)
            except DataError as error:
                self.problems.append(Problem(file.found.name, error))
            file.profile.read_notes = tally.number_notes()
            found = file.scanned.tally
            file.profile.refused = found.bad_times + found.ragged + sum(tally.bad_numbers.values())
            source_base += file.scanned.rows_end
            done += file.reader.bytes_total
        if progress:
            progress(total, total)


def _one_after_another(files: list[OpenFile]) -> list[OpenFile]:
    """The files of a group in the order of their times, where the first of them stood; the others stay."""
    groups: dict[object, list[OpenFile]] = {}
    for number, file in enumerate(files):
        groups.setdefault(file.found.group or number, []).append(file)
    for some in groups.values():
        some.sort(key=lambda file: file.scanned.first_ns)
        for before, after in pairwise(some):
            if after.scanned.first_ns <= before.scanned.last_ns and set(before.keys) & set(after.keys):
                after.profile.scan_notes.append(
                    f"begins before {before.found.name} ends: readings of a series that come twice or too late count "
                    "as such"
                )
    return [file for some in groups.values() for file in some]


def _shifted(progress: Progress | None, done: int, total: int) -> Callable[[int], None]:
    return (lambda here: progress(done + here, total)) if progress else (lambda here: None)


def open_table(
    paths: Iterable[str | os.PathLike[str]] | str | os.PathLike[str],
    hints: Hints | None = None,
    *,
    stdin: BinaryIO | None = None,
    progress: Progress | None = None,
) -> Table:
    r"""Find files and look through each once: formats, roles of columns, series, order of time.

    Parameters
    ----------
    paths : path or iterable of paths
        Files, directories (recursively, files with a known suffix), globs, ``-`` for standard input.
    hints : Hints, optional
        What the user says about the tables.
    stdin : binary file, optional
        Stands for standard input.
    progress : callable, optional
        Called with bytes done and bytes in all while the files are looked through.

    Returns
    -------
    Table
        Memory does not grow with the size of the files, only with the number of series; an unordered file is
        sorted in memory (40 bytes a value).

    Raises
    ------
    ConfigError
        No such file, a hint that no file can follow, row numbers without an interval.
    DataError
        Not one of the files can be read; one bad file among several is listed in ``problems`` instead.

    Examples
    --------
    >>> import io
    >>> rows = ["timestamp,cpu,host", "2025-02-17 00:00,1.5,a", "2025-02-17 00:05,2.5,a"]
    >>> text = io.BytesIO("\n".join(rows).encode())
    >>> with open_table("-", stdin=text) as table:
    ...     for batch in table.batches():
    ...         str(table.keys[0]), batch.values.tolist()
    ('cpu{host="a"}', [1.5, 2.5])
    """
    hints = hints or Hints()
    given = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    spool = Path(tempfile.mkdtemp(prefix="watchband-"))
    try:
        found = locate(given, spool, stdin)
        total = sum(file.path.stat().st_size for file in found)
        files: list[OpenFile] = []
        problems: list[Problem] = []
        done = 0
        for one in found:
            try:
                files.append(_look_through(one, open_reader(one, hints), hints, _shifted(progress, done, total)))
            except (ConfigError, DataError) as error:
                problems.append(Problem(one.name, error))
            done += one.path.stat().st_size
        if not files:
            raise _only_problems(problems)
        return Table(files, problems, spool)
    except BaseException:
        shutil.rmtree(spool, ignore_errors=True)
        raise


def open_path(
    path: FilePath, name: str, stem: str, hints: Hints, progress: Callable[[int], None] = lambda done: None
) -> Table:
    """The table of one file or object, in the format that it has.

    Parameters
    ----------
    path : path
        Where it is.
    name, stem : str
        What people call it, and the metric of a column that is called ``value``.
    hints : Hints
        What the user says about the table.
    progress : callable
        Called with bytes done while it is looked through.

    Raises
    ------
    ConfigError, DataError
        As ``open_table``.
    """
    found = Found(path, name, stem)
    opened = _look_through(found, open_reader(found, hints), hints, progress)
    return Table([opened], [], Path(tempfile.mkdtemp(prefix="watchband-")))


def open_one(reader: Reader, name: str, stem: str, hints: Hints | None = None) -> Table:
    """The table of a reader that is open already, such as a frame in memory.

    Parameters
    ----------
    reader : Reader
        Gives its rows as often as it is asked.
    name, stem : str
        What people call it, and the metric of a column that is called ``value``.
    hints : Hints, optional
        What the user says about the table.

    Raises
    ------
    ConfigError, DataError
        As ``open_table``.
    """
    found = Found(Path(name), name, stem)
    opened = _look_through(found, reader, hints or Hints(), lambda here: None)
    return Table([opened], [], Path(tempfile.mkdtemp(prefix="watchband-")))


def _look_through(found: Found, reader: Reader, hints: Hints, progress: Callable[[int], None]) -> OpenFile:
    sample = next(iter(reader.chunks(None, tally := Tally())), None)
    if sample is None:
        why = "; ".join(tally.ragged_examples)
        raise DataError(f"{found.name} has no readable row{f' ({why})' if why else ''}.")
    roles = find_roles(sample.head(SAMPLE_ROWS), reader.names, hints, found.name)
    scanned = scan(reader, roles, hints, found.name, progress)
    profile = FileProfile(
        found.name, reader.format, roles, scanned.rows_end, scanned.ordered, scanned.first_ns, scanned.last_ns,
        scan_notes(reader.notes, roles, scanned),
    )  # fmt: skip
    return OpenFile(found, reader, roles, scanned, profile, keys_of(found, roles, scanned, hints))


def _only_problems(problems: list[Problem]) -> ConfigError | DataError:
    if len(problems) == 1:
        return problems[0].error
    kind = ConfigError if all(isinstance(p.error, ConfigError) for p in problems) else DataError
    first = " ".join(str(p) for p in problems[:3])
    return kind(f"None of the {len(problems):,} files can be read. {first}")
