"""Rows of what is archived beside readings: entries of the log, marks and alerts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from watchband.adapters.archive.rows import events_text, micros, positions_text, schema, values_of
from watchband.core.alert import Alert
from watchband.core.ports import Commit


def entries_table(shard: str, entries: Sequence[Commit], behind: int, time: int) -> Any:
    """What entries of a log say besides readings; an entry without any stands at the time of the one before it."""
    import pyarrow as pa

    times, counts = [], []
    for entry in entries:
        found = [int(r.times.max()) for r in entry.readings if len(r.times)]
        time = max(found) if found else time
        times.append(time)
        counts.append(sum(len(r.times) for r in entry.readings))
    at = np.array(times, np.int64)
    columns: dict[str, Any] = {
        "shard": [shard] * len(entries),
        "entry": [entry.sequence + behind for entry in entries],
        "time": micros(at),
        "time_ns": at,
        "readings": counts,
        "events": [events_text(entry) for entry in entries],
        "positions": [positions_text(entry) for entry in entries],
    }
    return pa.table(columns, schema=schema("entries"))


def marks_table(shard: str, entries: Sequence[Commit], behind: int) -> Any:
    """What watches found worth keeping: anomalous points, cut-offs, adopted levels; sorted by series and time."""
    import pyarrow as pa

    none = np.empty(0, np.int64)
    found = [
        (kind, watch, str(one.key), entry.sequence + behind, one)
        for entry in entries
        for (kind, watch), readings in entry.marks.items()
        for one in readings
        if len(one.times)
    ]
    counts = [len(one.times) for *_, one in found]
    number = np.repeat(np.array([n for *_, n, _ in found], np.int64), counts)
    fresh = np.flatnonzero(np.r_[True, np.diff(number) != 0][: len(number)])
    place = np.arange(len(number)) - np.repeat(fresh, np.diff(np.r_[fresh, len(number)]))
    times = np.concatenate([none, *(one.times for *_, one in found)])
    values = np.concatenate([np.empty(0), *(one.values for *_, one in found)])
    texts = [[kind for kind, *_ in found], [watch for _, watch, *_ in found], [series for _, _, series, *_ in found]]
    kind, watch, series = (np.repeat(np.array(some, object), counts) for some in texts)
    table = pa.table(
        {
            "kind": pa.array(kind, pa.string()),
            "watch": pa.array(watch, pa.string()),
            "series": pa.array(series, pa.string()),
            "time": micros(times),
            "time_ns": times,
            "value": values_of(values),
            "shard": pa.array([shard] * len(times), pa.string()),
            "entry": number,
            "place": place.astype(np.int64),
        },
        schema=schema("marks"),
    )
    return table.sort_by([(name, "ascending") for name in ("series", "time_ns", "entry", "place")])


def alerts_table(alerts: Sequence[Alert]) -> Any:
    """Alerts in order of opening; ``body`` is all of each."""
    import pyarrow as pa

    def moments(name: str) -> Any:
        found = [getattr(a, name) for a in alerts]
        return pa.array([None if t is None else t // 1000 for t in found], pa.timestamp("us", "UTC"))

    def numbers(name: str) -> Any:
        return pa.array(np.array([getattr(a, name) for a in alerts], np.float64), from_pandas=True)

    columns: dict[str, Any] = {
        "id": [a.id for a in alerts],
        "series": [str(a.series) for a in alerts],
        **{name: [getattr(a, name) for a in alerts] for name in ("watch", "detector", "kind", "severity")},
        "opened": moments("opened"),
        "closed": moments("closed"),
        **{name: numbers(name) for name in ("value", "expected", "lower", "upper", "anomaly_score")},
        "reason": [a.reason for a in alerts],
        "body": [json.dumps(a.to_dict(), sort_keys=True) for a in alerts],
    }
    table = pa.table(columns, schema=schema("alerts"))
    return table.sort_by([("opened", "ascending"), ("id", "ascending")])
