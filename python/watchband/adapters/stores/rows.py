"""What every store over SQL makes of its rows: alerts and notices read back, an alert's next version, errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from watchband.core.alert import Alert, is_told
from watchband.core.entry import Columns
from watchband.core.errors import PermanentError, TransientError
from watchband.core.events import ModelRecord, event_from_dict, event_to_dict, of_models
from watchband.core.keeping import MarkKind, Rollups
from watchband.core.ports import Commit, Marks, Notice, Readings
from watchband.core.series import SeriesKey

Keys = Callable[[list[int]], Sequence[SeriesKey]]
"""Series by their numbers in the store."""
PAGE = 64
"""Entries that are read from the log at a time."""
PAGE_ROWS = 100_000
"""Roll-ups that are read at a time."""
PART = 16 << 20
"""Bytes of a snapshot in one row."""


def alert_of(body: str) -> Alert:
    """An alert of its JSON.

    Raises
    ------
    PermanentError
        It is damaged.
    """
    try:
        return Alert.from_dict(json.loads(body))
    except (ValueError, KeyError, TypeError) as error:
        raise PermanentError(f"An alert in the store cannot be read ({error}). Restore a backup.") from error


def body_of(alert: Alert) -> str:
    """The inverse of ``alert_of``."""
    return json.dumps(alert.to_dict())


def model_rows(commit: Commit) -> list[tuple[str, int, str]]:
    """What an entry says of models, as rows: shard, sequence, body."""
    return [(commit.shard, commit.sequence, json.dumps(event_to_dict(e))) for e in of_models(commit.events)]


def model_record(shard: str, sequence: int, body: str) -> ModelRecord:
    """The inverse of a row of ``model_rows``.

    Raises
    ------
    PermanentError
        It is damaged.
    """
    try:
        event = event_from_dict(json.loads(body))
        return ModelRecord(shard, int(sequence), of_models([event])[0])
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise PermanentError(f"What happened to a model cannot be read ({error}). Restore a backup.") from error


def notice_of(body: str, revision: int, sink: str, tries: int, due: int, error: str) -> Notice:
    """A notice of its row."""
    return Notice(alert_of(body), revision, sink, tries, due, error)


def address_of(notice: Notice) -> tuple[str, int, str]:
    """What a notice is found by: alert, revision, sink."""
    return notice.alert.id, notice.revision, notice.sink


def next_revision(before: tuple[str, int] | None, alert: Alert) -> tuple[int, bool]:
    """The revision of an alert's new version, and whether people are told of it.

    ``before`` is the body and the revision of the version that is kept; None for an alert that is new.
    """
    revision = before[1] if before else 0
    told = is_told(alert_of(before[0]) if before else None, revision, alert)
    return revision + told, told


def alert_row(alert: Alert, revision: int) -> tuple[str, str, str, str, int, int | None, int, str]:
    """The row of an alert: id, series, watch, severity, opened, closed, revision, body."""
    series = str(alert.series)
    return alert.id, series, alert.watch, alert.severity, alert.opened, alert.closed, revision, body_of(alert)


def parts_of(state: bytes, size: int = PART) -> list[bytes]:
    """A snapshot in rows; an empty one has one."""
    return [state[at : at + size] for at in range(0, max(len(state), 1), size)]


def out_of_turn(commit: Commit, head: int) -> TransientError:
    """The error for an entry that is not the next."""
    return TransientError(
        f"Entry {commit.sequence} of shard {commit.shard!r} does not follow {head}: another writer was faster. "
        "Restore the shard and fold again."
    )


def entry_of(shard: str, row: tuple[int, str, bytes], keys: Keys, marks: Marks) -> Commit:
    """An entry of its row of the log: sequence, positions, columns; ``keys`` gives series by their numbers."""
    sequence, positions, entry = row
    columns = Columns.from_bytes(entry)
    readings = columns.readings(keys(columns.series.tolist()))
    return Commit(shard, sequence, readings, columns.events, json.loads(positions), marks=marks)


def marks_of(rows: Iterable[tuple[int, MarkKind, str, bytes]], keys: Keys) -> dict[int, Marks]:
    """The marks of entries by their rows: sequence, kind, watch, columns."""
    found: dict[int, dict[tuple[MarkKind, str], Sequence[Readings]]] = {}
    for sequence, kind, watch, entry in rows:
        columns = Columns.from_bytes(entry)
        found.setdefault(sequence, {})[kind, watch] = columns.readings(keys(columns.series.tolist()))
    return dict(found)


def rollup_columns(rollups: Rollups, numbers: Sequence[int]) -> list[list[Any]]:
    """Roll-ups as the columns of a table: hour, series, count, low, high, total, anomalies; None where none is known.

    ``numbers`` are those of the series, in the order of ``rollups.keys``.
    """
    series = [numbers[i] for i in rollups.row.tolist()]
    low, high = ([None if v != v else v for v in column.tolist()] for column in (rollups.low, rollups.high))
    ends = rollups.total.tolist(), rollups.anomalies.tolist()
    return [rollups.hour.tolist(), series, rollups.count.tolist(), low, high, *ends]


def rollups_of(rows: Sequence[Sequence[Any]], numbers: Sequence[int], keys: Sequence[SeriesKey]) -> Rollups:
    """The inverse: rows of a table, of series whose numbers ascend."""
    table = np.array([row[3:6] for row in rows], np.float64).reshape(-1, 3)
    hour, series, count, anomalies = (np.array([row[i] for row in rows], np.int64) for i in (0, 1, 2, 6))
    place = np.searchsorted(np.array(numbers), series).astype(np.int32)
    return Rollups(keys, place, hour, count, table[:, 0], table[:, 1], table[:, 2], anomalies)


KEY_COLUMNS = "id, name, role, digest, created, maker, expires, revoked, used, parent"
"""Columns of a key, in the order of its parameters."""
ACT_COLUMNS = "time, who, deed, target, text, until, number"
"""Columns of an act, in the order of its parameters."""
