"""What was found in the files, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from watchband.adapters.sources.files.columns import counted
from watchband.adapters.sources.files.roles import Roles
from watchband.adapters.sources.files.scan import Scan
from watchband.adapters.sources.files.timestamps import EXPECTED
from watchband.core.series import SeriesKey


@dataclass(slots=True)
class FileProfile:
    """One file: its format, the role of every column, its size and what a reader should know.

    Parameters
    ----------
    file : str
        The file as it was given.
    format : str
        ``CSV``, ``JSON Lines``, ``Prometheus JSON``, ``Parquet`` …
    roles : Roles
        Time, value, label and left-out columns.
    rows : int
        Rows of the file, those set aside included.
    ordered : bool
        False: times ran backwards within a series, and the file is sorted in memory.
    first_ns, last_ns : int
        Earliest and latest time.
    keys : list of SeriesKey
        Its series.
    scan_notes, read_notes : list of str
        For people: what the first reading found, and what the reading of the values found (filled at its end).
    refused : int
        Rows and cells that are no readings; complete at the end too.
    """

    file: str
    format: str
    roles: Roles
    rows: int
    ordered: bool
    first_ns: int
    last_ns: int
    scan_notes: list[str]
    read_notes: list[str] = field(default_factory=list)
    keys: list[SeriesKey] = field(default_factory=list)
    refused: int = 0

    @property
    def notes(self) -> list[str]:
        """All notes for people."""
        return [*self.scan_notes, *self.read_notes]

    def describe(self) -> str:
        """Roles of the columns in one line."""
        roles = self.roles
        time = "no time column, one row per interval"
        if roles.time is not None:
            names = " and ".join(map(repr, roles.timing))
            time = f"time {names} ({roles.form.describe()})"
        parts = [self.format, time, f"values {_listed(roles.values)}"]
        if roles.name is not None:
            parts.append(f"metric names from {roles.name!r}")
        if roles.labels:
            parts.append(f"labels {_listed(roles.labels)}")
        return "; ".join(parts)


@dataclass(slots=True)
class Profile:
    """All files together; see ``FileProfile``."""

    files: list[FileProfile]
    problems: Sequence[object] = ()

    @property
    def rows(self) -> int:
        """Rows of all files."""
        return sum(file.rows for file in self.files)

    @property
    def ordered(self) -> bool:
        """Whether every file is in time order."""
        return all(file.ordered for file in self.files)

    @property
    def notes(self) -> list[str]:
        """Notes of all files, those that many files share said once."""
        by_note: dict[str, list[str]] = {}
        for file in self.files:
            for note in file.notes:
                by_note.setdefault(note, []).append(file.file)
        return [f"{_files(names)}: {note}" for note, names in by_note.items()]

    def describe(self) -> list[str]:
        """Lines for people: files of the same shape together, then notes, then files left out."""
        shapes: dict[str, list[FileProfile]] = {}
        for file in self.files:
            shapes.setdefault(file.describe(), []).append(file)
        lines = []
        for shape, files in shapes.items():
            rows, series = sum(f.rows for f in files), sum(len(f.keys) for f in files)
            size = f"{counted(rows, 'row')}, {series:,} series"
            lines.append(f"{_files([f.file for f in files])}: {shape} — {size}")
        return [*lines, *self.notes, *(f"left out: {problem}" for problem in self.problems)]


def scan_notes(format_notes: list[str], roles: Roles, scanned: Scan) -> list[str]:
    """What people should know after the first reading of a file."""
    notes = list(format_notes)
    if roles.form.kind == "epoch":
        notes.append(f"times are read as {roles.form.describe()}, judged by their size")
    if not roles.form.certain:
        read, other = ("D/M/YYYY", "M/D/YYYY") if roles.form.day_first else ("M/D/YYYY", "D/M/YYYY")
        wrong = "" if roles.form.day_first else "; if that is wrong, say --day-first"
        notes.append(f"dates could be {read} or {other}; read as {read}{wrong}")
    for column, why in roles.left_out.items():
        notes.append(f"column {column!r} is left out: {why}")
    if scanned.parts:
        most = max(scanned.parts.values())
        groups = f" in {len(scanned.parts)} groups" if len(scanned.parts) > 1 else ""
        notes.append(
            f"time runs backwards {counted(most - 1, 'time')}{groups}: read as {most} stacked hosts without "
            f'an id, told apart by the label part="1" to part="{most}"'
        )
    if scanned.repeated * 5 > scanned.rows:
        notes.append(
            f"{counted(scanned.repeated, 'row')} stand at the same time as the row before; if several hosts stand side "
            "by side, name the column that tells them apart with --label"
        )
    if scanned.newest_first and not scanned.ordered:
        notes.append("rows stand newest first; sorted by time in memory")
    elif not scanned.ordered:
        notes.append("rows are not in time order; sorted by time in memory")
    return notes + scanned.tally.notes(EXPECTED)


def _files(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{len(names)} files ({names[0]} …)"


def _listed(names: list[str], shown_max: int = 6) -> str:
    more = f" and {len(names) - shown_max} more" if len(names) > shown_max else ""
    return ", ".join(names[:shown_max]) + more
