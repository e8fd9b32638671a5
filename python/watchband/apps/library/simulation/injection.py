"""``wb.inject``: labelled faults in a file, a frame or arrays of the user's own."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from watchband.adapters.sources.files.reading import OpenFile
from watchband.apps.library.feeds import TableFeed, open_source
from watchband.apps.library.options import Options
from watchband.apps.library.simulation.rewriting import rewrite
from watchband.core.errors import ConfigError, UnknownNameError
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

    def write(self, path: str | Path, labels: str | Path | None = None) -> Path:
        """Write the file with its faults in its own format, and the labels if a path for them is given.

        Only the cells that changed are written anew; a reading that a gap takes away takes its row with it where the
        row holds no other metric.

        Raises
        ------
        ConfigError
            The series came from memory, or the path is the file that was read.
        """
        from watchband.apps.library.labels import check_label_path, write_labels

        target = Path(path)
        if labels is not None:
            check_label_path(labels)
        if self._file is None:
            raise ConfigError("These series came from memory, not from a file. Take them from 'values'.")
        if target.resolve() == self._file.found.path.resolve():
            raise ConfigError(f"{target} is the file that was read. Give another name; the original stays as it is.")
        rewrite(self._file, self._changes, target)
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
    for name, one in whole.items():
        if name in asked:
            found = inject_one(one.times, one.values, asked[name], series=name, seed=seed)
            labels += found.labels
            values[name] = one.times[~found.removed], found.values[~found.removed]
            changes |= _changes(one, found.values)
    is_file = isinstance(source, (str, os.PathLike))
    return Injection(labels, values, file if is_file else None, changes)


@dataclass(frozen=True, eq=False)
class _Series:
    """A series as it was read, with the rows its values stand in."""

    times: Int64
    values: Float64
    rows: Int64
    column: str


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
        here = here[first]
        found[str(key)] = _Series(once, values[here], rows[here], table.files[0].roles.values[number % width])
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
    given = Given(one.times, one.values)
    changed = np.flatnonzero((after != one.values) & ~(np.isnan(after) & np.isnan(one.values)))
    return {(int(one.rows[i]), one.column): _written(float(after[i]), given.decimals) for i in changed.tolist()}


def _written(value: float, decimals: int) -> str | None:
    """The number with as many digits as the series has."""
    if np.isnan(value):
        return None
    fixed = f"{value:.{decimals}f}"
    return fixed if float(fixed) == value and abs(value) < 1e15 else repr(value)
