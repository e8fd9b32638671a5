"""What each column of a table is: time, metric, label, or nothing for us."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

import numpy as np

from watchband.adapters.sources.files.columns import Chunk, Column, as_text, is_text, shown, to_numbers
from watchband.adapters.sources.files.hints import Hints
from watchband.adapters.sources.files.timestamps import EXPECTED, WRITTEN, TimeFormat, Times, find_format, parse
from watchband.core.errors import ConfigError, DataError, UnknownNameError

TIME_NAMES = (
    "timestamp", "time", "datetime", "date_time", "date", "ts", "@timestamp", "_time", "t", "epoch", "unix",
    "unixtime", "unix_time", "time_utc", "start_time", "created_at", "period", "ds",
)  # fmt: skip
VALUE_NAMES = ("value", "values", "val", "y", "v", "_value", "metric_value")
METRIC_NAMES = ("metric", "metric_name", "metricname", "__name__", "measurement", "_field", "_measurement", "variable")
SERIES_NAMES = ("series", "name", "unique_id")
TRUTH_NAMES = (
    "label", "labels", "is_anomaly", "anomaly", "anomalous", "is_outlier", "outlier", "is_potential_outlier",
    "ground_truth", "truth", "gt", "target", "class", "attack", "fault", "split", "is_test", "is_train",
)  # fmt: skip
_TRUTH_WORDS = {
    "train", "test", "val", "valid", "validation", "normal", "anomaly", "anomalous", "abnormal", "outlier",
    "true", "false", "yes", "no", "0", "1",
}  # fmt: skip
STATUS_NAMES = (
    "status", "state", "level", "severity", "description", "message", "comment", "note", "notes", "reason",
    "alert", "event", "risk", "risklevel", "risk_level", "riskdescription", "risk_description", "health",
)  # fmt: skip
_ID_NAME = re.compile(r"(?:.*[_\s.-])?(?:id|instance|host|hostname|node|server|machine|device|shard)", re.IGNORECASE)
_CAMEL_ID = re.compile(r".*[a-z](?:Id|ID)")
_QUANTITY = re.compile(r"bytes|count|total|size|used|usage|memory|value|requests|rate", re.IGNORECASE)
_CLOCK = r"^\s*\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s*(?:[AaPp][Mm])?\s*$"
_ROW_NAME = re.compile(
    r"(?:index|row|row_?(?:id|number|nr|no)|unnamed:? ?\d*|id|level_\d|__index_level_\d+__)", re.IGNORECASE
)


@dataclass(slots=True)
class Roles:
    """What each column is.

    Parameters
    ----------
    time : str or None
        The time column; None where rows are numbered and an interval was given.
    form : TimeFormat
        How times are written.
    values : list of str
        Value columns, one series each per combination of labels.
    labels : list of str
        Label columns.
    name : str or None
        The column that names the metric, in a long table.
    left_out : dict
        Columns that became nothing, with the reason.
    clock : str or None
        The column of the time of day, where the time column holds dates only.
    """

    time: str | None
    form: TimeFormat
    values: list[str]
    labels: list[str] = field(default_factory=list)
    name: str | None = None
    left_out: dict[str, str] = field(default_factory=dict)
    clock: str | None = None
    hinted_labels: bool = False

    @property
    def grouping(self) -> list[str]:
        """The columns whose values tell series apart."""
        return [*([self.name] if self.name else []), *self.labels]

    @property
    def timing(self) -> list[str]:
        """The columns that say when."""
        return [name for name in (self.time, self.clock) if name]


def find_roles(sample: Chunk, names: list[str], hints: Hints, file: str) -> Roles:
    """Decide what each column is, from hints and the first rows.

    Raises
    ------
    UnknownNameError
        A hint names a column that the table does not have.
    ConfigError
        Row numbers without an interval.
    DataError
        No time column or no numeric column.
    """
    for name in filter(None, (hints.time, *hints.values, *hints.labels)):
        if name not in names:
            raise UnknownNameError(f"column of {file}", name, names)
    time, form = _find_time(sample, names, hints, file)
    roles = Roles(time, form, list(hints.values), list(hints.labels), hinted_labels=bool(hints.labels))
    roles.clock = _find_clock(sample, time, form, names)
    seen = parse(sample.columns[time], form) if time else None
    if roles.clock is not None:
        roles.form, seen = replace(form, zoned=False), None
    rest = [n for n in names if n not in roles.timing and n not in hints.values and n not in hints.labels]
    for name in [n for n in rest if _is_written_time(sample.columns[n], hints)]:
        rest.remove(name)
        roles.left_out[name] = "another time; name it as the time column to use it"
    texts = [n for n in rest if _is_words(sample.columns[n])]
    numbers = [n for n in rest if n not in texts]
    if not hints.values:
        _sort_numbers(roles, sample, numbers)
    else:
        roles.left_out |= dict.fromkeys(numbers, "not among the given value columns")
    roles.name = _find_metric_name(texts, roles.values)
    _sort_texts(roles, sample, texts, seen)
    if not roles.values:
        seen_columns = ", ".join(f"{n} ({_first(sample.columns[n])})" for n in names[:6])
        raise DataError(
            f"{file} has no numeric column. Got {seen_columns}. Expected at least one column of numbers beside the "
            "time; name it with --value if it is there."
        )
    if hints.metric and len(roles.values) > 1:
        raise ConfigError(
            f"{file} has {len(roles.values)} value columns ({', '.join(roles.values[:4])}…), so "
            f"--metric {hints.metric!r} cannot name one. Choose the column with --value."
        )
    return roles


def _find_time(sample: Chunk, names: list[str], hints: Hints, file: str) -> tuple[str | None, TimeFormat]:
    if hints.time:
        form = find_format(sample.columns[hints.time], hints)
        if form is None:
            raise DataError(
                f"Column {hints.time!r} of {file} does not hold times. Got {_first(sample.columns[hints.time])}. "
                f"Expected {EXPECTED}."
            )
        return hints.time, _with_interval(form, hints, hints.time, file)
    taken = {*hints.values, *hints.labels}
    candidates = {n: f for n in names if n not in taken and (f := find_format(sample.columns[n], hints))}
    lower = {name: name.strip().casefold() for name in candidates}
    named = [name for wanted in TIME_NAMES for name in candidates if lower[name] == wanted]
    written = [n for n in candidates if candidates[n].kind in WRITTEN]
    epochs = [n for n in candidates if candidates[n].kind == "epoch" and _ascends(n, sample.columns[n], candidates[n])]
    rows = [n for n in candidates if candidates[n].kind == "row" and len(sample) > 2 and _ROW_NAME.fullmatch(n)]
    first = [n for n in candidates if candidates[n].kind == "row" and len(sample) > 2 and n == names[0]]
    certain = [n for n in named if candidates[n].kind != "row"]
    for name in (*certain, *written, *named, *epochs, *rows, *first):
        return name, _with_interval(candidates[name], hints, name, file)
    if hints.interval_ns:
        return None, TimeFormat("row", unit_ns=hints.interval_ns, start_ns=hints.start_ns)
    shown_columns = ", ".join(f"{n} ({_first(sample.columns[n])})" for n in names[:6])
    raise DataError(
        f"{file} has no time column. Got {shown_columns}. Expected a column of {EXPECTED}; name it with --time, "
        "or give --interval if rows follow each other at a fixed interval."
    )


def _find_clock(sample: Chunk, time: str | None, form: TimeFormat, names: list[str]) -> str | None:
    """The column with the time of day beside a column of dates."""
    import pyarrow.compute as pc

    if time is None or form.kind in ("typed", "epoch", "row") or not is_text(sample.columns[time]):
        return None
    if pc.any(pc.match_substring(as_text(sample.columns[time]), ":")).as_py():
        return None
    for name in names:
        column = sample.columns[name]
        usable = name != time and is_text(column) and column.null_count * 2 < len(column)
        if usable and pc.mean(pc.match_substring_regex(as_text(column), _CLOCK)).as_py() > 0.8:
            return name
    return None


def _with_interval(form: TimeFormat, hints: Hints, name: str, file: str) -> TimeFormat:
    if form.kind == "row" and not hints.interval_ns:
        raise ConfigError(
            f"Column {name!r} of {file} counts up by one: these are row numbers, not times. Give the time between "
            "rows, for instance --interval 5m."
        )
    return form


def _ascends(name: str, column: Column, form: TimeFormat) -> bool:
    """Whether numbers that could be an epoch are one: they only go up (or down), and are not called like a quantity."""
    if _QUANTITY.search(name):
        return False
    times = parse(column, form)
    steps = np.diff(times.ns[~times.bad])
    return bool(len(steps) == 0 or np.mean(steps >= 0) > 0.95 or np.mean(steps <= 0) > 0.95)


def _find_metric_name(texts: list[str], values: list[str]) -> str | None:
    """The column that names the metric; ``name`` and ``series`` do so only beside one column called ``value``."""
    plain = len(values) == 1 and values[0].strip().casefold() in VALUE_NAMES
    wanted = (*METRIC_NAMES, *(SERIES_NAMES if plain else ()))
    return next((name for name in texts if name.strip().casefold() in wanted), None)


def _sort_texts(roles: Roles, sample: Chunk, texts: list[str], seen: Times | None) -> None:
    once = seen is not None and bool((np.diff(seen.ns[~seen.bad]) > 0).all())
    for name in texts:
        lower = name.strip().casefold()
        words = {w.strip().casefold() for w in as_text(sample.columns[name]).unique().to_pylist() if w}
        if name == roles.name:
            continue
        if roles.hinted_labels:
            roles.left_out[name] = "not among the given label columns"
        elif lower in TRUTH_NAMES and words <= _TRUTH_WORDS:
            roles.left_out[name] = "looks like ground truth; give it as a value or label column to use it"
        elif lower in STATUS_NAMES and once and len(words) > 1:
            roles.left_out[name] = "changes within one series; give it as a label column if it names what is measured"
        else:
            roles.labels.append(name)


def _sort_numbers(roles: Roles, sample: Chunk, names: list[str]) -> None:
    empty = []
    for name in names:
        column = sample.columns[name]
        values, _ = to_numbers(column)
        held = values[~np.isnan(values)]
        lower = name.strip().casefold()
        whole = len(held) > 0 and bool((held == np.round(held)).all())
        if not len(held):
            empty.append(name)
        elif lower in TRUTH_NAMES and bool(np.isin(held, (0.0, 1.0, -1.0)).all()):
            roles.left_out[name] = "looks like ground truth; give it as a value column to use it"
        elif roles.time is None and lower in TIME_NAMES and bool((held[1:] > held[:-1]).all()):
            roles.left_out[name] = "called like a time but in no unit that is known; rows are counted instead"
        elif _counts(held) and _ROW_NAME.fullmatch(name):
            roles.left_out[name] = "a row number"
        elif whole and not roles.hinted_labels and (_ID_NAME.fullmatch(name) or _CAMEL_ID.fullmatch(name)):
            roles.labels.append(name)
        else:
            roles.values.append(name)
    for name in empty:
        if not roles.values and name.strip().casefold() in VALUE_NAMES:
            roles.values.append(name)
        else:
            roles.left_out[name] = f"no value in the first {len(sample):,} rows"


def _counts(held: np.ndarray) -> bool:
    return len(held) > 2 and bool((held[1:] == held[:-1] + 1).all())


def _is_written_time(column: Column, hints: Hints) -> bool:
    form = find_format(column, hints)
    return form is not None and form.kind in WRITTEN


def _is_words(column: Column) -> bool:
    """Text of which hardly anything is a number or true and false."""
    if not is_text(column):
        return False
    present = column.drop_null()
    if not len(present):
        return False
    values, _ = to_numbers(present)
    return bool(np.isnan(values).mean() > 0.5)


def _first(column: Column) -> str:
    present = column.drop_null()
    return shown(present[0].as_py()) if len(present) else "empty"
