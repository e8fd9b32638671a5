"""``wb.inject``: labelled faults in a file, a frame or arrays of the user's own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from watchband.adapters.sources.files.reading import OpenFile
from watchband.apps.library.feeds import TableFeed, open_source
from watchband.apps.library.options import Options
from watchband.apps.library.simulation.rewriting import rewrite
from watchband.core.errors import ConfigError, DataError, UnknownNameError
from watchband.core.points import Float64, Int64
from watchband.evaluation.labels import Label
from watchband.evaluation.simulate.dice import Dice
from watchband.evaluation.simulate.inject import Given
from watchband.evaluation.simulate.inject import inject as inject_one
from watchband.evaluation.simulate.placing import ANY, FaultSpec

_FEWEST_POINTS = 20


@dataclass(frozen=True, eq=False)
class Injection:
    """Series with faults in them.

    Parameters
    ----------
    labels : list of Label
        Exactly what was changed, series by series.
    values : dict of str to (int64[n], float64[n])
        Times and changed values of every series that was changed; what a gap took away is not there.
    """

    labels: list[Label]
    values: dict[str, tuple[Int64, Float64]]
    _file: OpenFile | None = field(default=None, repr=False)
    _changes: dict[tuple[int, str], str | None] = field(default_factory=dict, repr=False)
    _expected: dict[str, _Series] = field(default_factory=dict, repr=False)
    _again: Callable[[Path], dict[str, _Series]] | None = field(default=None, repr=False)

    def write(self, path: str | Path, labels: str | Path | None = None) -> Path:
        """Write the file with its faults in its own format, and the labels if a path for them is given.

        Only the cells that changed are written anew; a reading that a gap takes away takes its row with it where the
        row holds no other metric.

        Raises
        ------
        ConfigError
            The series came from memory, or the path is the file that was read.
        DataError
            What was written, read again, is not what it is to be; then nothing is left at the path.
        """
        from watchband.apps.library.labels import check_label_path, write_labels

        target = Path(path)
        if labels is not None:
            check_label_path(labels)
        if self._file is None or self._again is None:
            raise ConfigError("These series came from memory, not from a file. Take them from 'values'.")
        if str(target.resolve()) == str(Path(self._file.found.name).resolve()):
            raise ConfigError(f"{target} is the file that was read. Give another name; the original stays as it is.")
        if not target.parent.is_dir():
            raise ConfigError(
                f"Cannot write to {target}: there is no folder {target.parent}. Make it, or name another."
            )
        # Under the name that was read, because that may name the series.
        with tempfile.TemporaryDirectory(prefix=".watchband-", dir=target.parent) as folder:
            written = Path(folder) / self._file.found.path.name
            rewrite(self._file, self._changes, written)
            _check(self._expected, self._again(written), self._file.found.name)
            written.replace(target)
        if labels is not None:
            write_labels(labels, self.labels)
        return target


def inject(
    source: Any,
    faults: str | FaultSpec | Sequence[str | FaultSpec] = (),
    *,
    random: int = 0,
    seed: int = 0,
    series: str | None = None,
    timezone: str = "UTC",
    interval: str | None = None,
    columns: Mapping[str, Any] | None = None,
) -> Injection:
    """Put labelled faults into series of the user's own.

    Parameters
    ----------
    source : path, frame, series or (times, values)
        Whatever ``wb.detect`` reads, but one file only.
    faults : str or FaultSpec or sequence of them
        ``NAME[@WHEN][:size=X,for=TIME,series=NAME]``; sizes in units of the series' own noise.
    random : int, default 0
        So many more at random places: of the faults that have no time, else of any kind.
    seed : int, default 0
        Equal seeds, equal places.
    series : str, optional
        The series for faults that name none; needed where there are several, except for random ones.
    timezone, interval, columns
        How the source is to be read; ``columns`` holds time, value, label, metric, format as in ``wb.detect``.

    Raises
    ------
    ConfigError
        No fault asked for, a series that there is not, faults that overlap or lie outside.
    DataError
        A source that cannot be read.

    Examples
    --------
    >>> times = np.arange(500) * 60_000_000_000
    >>> found = inject((times, np.random.default_rng(1).normal(10, 1, 500)), ["spike@50%:size=9,for=2"])
    >>> [(a.fault, a.size) for a in found.labels]
    [('spike', 9.0)]
    """
    given = [faults] if isinstance(faults, (str, FaultSpec)) else list(faults)
    specs = [fault if isinstance(fault, FaultSpec) else FaultSpec.parse(fault) for fault in given]
    if not specs and random < 1:
        raise ConfigError("No fault is asked for. Give --fault spike@2024-01-05T12:00, --random 3, or both.")
    if isinstance(source, str) and source == "-":
        raise ConfigError("Standard input cannot be written again. Save it to a file first.")
    options = Options(timezone=timezone, interval=interval)
    feed = open_source(source, options, columns or {})
    if len(feed.table.files) != 1:
        raise ConfigError(f"Faults are put into one file at a time. Got {len(feed.table.files)}.")
    whole = _read(feed)
    file = feed.table.files[0]
    asked = _asked(specs, random, seed, series, whole)
    labels: list[Label] = []
    values: dict[str, tuple[Int64, Float64]] = {}
    changes: dict[tuple[int, str], str | None] = {}
    expected = dict(whole)
    for name, one in whole.items():
        if name in asked:
            found = inject_one(one.times, one.values, asked[name], series=name, seed=seed)
            labels += found.labels
            values[name] = one.times[~found.removed], found.values[~found.removed]
            changes |= _changes(one, found.values)
            expected[name] = replace(one, values=found.values, changed=found.values != one.values)
    if not isinstance(source, (str, os.PathLike)):
        return Injection(labels, values)
    again = lambda path: _read(open_source(path, options, columns or {}))  # noqa: E731
    return Injection(labels, values, file, changes, expected, again)


@dataclass(frozen=True, eq=False)
class _Series:
    """A series as it was read, times and numbers of every row it has, and which of its points are changed."""

    times: Int64
    values: Float64
    column: str
    row_times: Int64
    rows: Int64
    changed: np.ndarray = field(default_factory=lambda: np.zeros(0, np.bool_))


def _read(feed: TableFeed) -> dict[str, _Series]:
    """Every series in order of time; of a repeated time the first reading counts, as it does for detectors."""
    table = feed.table
    width = len(table.files[0].roles.values)
    with table:
        batches = list(table.batches())
    parts = [np.concatenate([getattr(b, name) for b in batches]) for name in ("row", "times", "values", "source_row")]
    which, times, values, rows = parts
    found = {}
    for number, key in enumerate(table.keys):
        here = np.flatnonzero(which == number)
        once, first = np.unique(times[here], return_index=True)
        column = table.files[0].roles.values[number % width]
        found[str(key)] = _Series(once, values[here[first]], column, times[here], rows[here])
    return found


def _asked(
    specs: list[FaultSpec], random: int, seed: int, series: str | None, whole: Mapping[str, _Series]
) -> dict[str, list[FaultSpec]]:
    """Faults by the series that they go into."""
    at_random = [s for s in specs if s.when is None and s.after is None]
    asked: dict[str, list[FaultSpec]] = {}
    for spec in specs:
        if spec not in at_random:
            asked.setdefault(_chosen(spec, series, whole), []).append(spec)
    if random:
        kinds = at_random or [FaultSpec(ANY)]
        at_random = [kinds[number % len(kinds)] for number in range(random)]
    rng = Dice(seed, "inject", "series").generator("")
    long = [name for name, one in whole.items() if len(one.times) >= _FEWEST_POINTS]
    for spec in at_random:
        named = spec.series or series
        if not named and not long:
            raise ConfigError(f"No series has {_FEWEST_POINTS} points or more: too few for a random place.")
        name = _chosen(spec, series, whole) if named or len(whole) == 1 else str(rng.choice(long))
        asked.setdefault(name, []).append(spec)
    return asked


def _chosen(spec: FaultSpec, series: str | None, whole: Mapping[str, _Series]) -> str:
    name = spec.series or series
    if name:
        if name not in whole:
            raise UnknownNameError("series", name, whole)
        return name
    if len(whole) > 1:
        some = ", ".join(list(whole)[:5])
        raise ConfigError(
            f"There are {len(whole)} series: {some}. Say which one the {spec.name} is for with --series or series=."
        )
    return next(iter(whole))


def _changes(one: _Series, after: Float64) -> dict[tuple[int, str], str | None]:
    """What is new in which row; a reading that stands there twice is changed twice."""
    given = Given(one.times, one.values)
    changed = np.flatnonzero((after != one.values) & ~(np.isnan(after) & np.isnan(one.values)))
    at = np.searchsorted(one.times[changed], one.row_times)
    at = np.minimum(at, max(len(changed) - 1, 0))
    here = one.times[changed][at] == one.row_times if len(changed) else np.zeros(len(one.rows), np.bool_)
    new = [_written(value, given.decimals) for value in after[changed].tolist()]
    return {(row, one.column): new[k] for row, k in zip(one.rows[here].tolist(), at[here].tolist(), strict=True)}


def _check(expected: Mapping[str, _Series], found: Mapping[str, _Series], file: str) -> None:
    """Every reading that was not changed must be there bit for bit, every other as it is to be."""
    for name, one in expected.items():
        here = ~np.isnan(one.values)
        changed = (one.changed if len(one.changed) else np.zeros(len(here), np.bool_))[here]
        again = found.get(name)
        held = np.zeros(0, np.bool_) if again is None else ~np.isnan(again.values)
        if again is None or again.times[held].tobytes() != one.times[here].tobytes():
            raise DataError(
                f"{file} cannot be written faithfully: the readings of {name} would not be where they were."
            )
        values, wanted = again.values[held], one.values[here]
        same = values[~changed].tobytes() == wanted[~changed].tobytes()
        # A file of single precision holds them no better.
        if not same or not np.allclose(values[changed], wanted[changed], rtol=1e-6):
            raise DataError(f"{file} cannot be written faithfully: other values of {name} would change.")


def _written(value: float, decimals: int) -> str | None:
    """The number with as many digits as the series has."""
    if np.isnan(value):
        return None
    fixed = f"{value:.{decimals}f}"
    return fixed if float(fixed) == value and abs(value) < 1e15 else repr(value)
