"""The views of ``watchband query``: what they are made of, and how they are filled from a store that is in use."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from watchband.core.entry import Columns
from watchband.core.events import WatermarkMoved, event_to_dict
from watchband.core.ports import Arrival
from watchband.core.series import SeriesKey

PAGE = 64
Range = tuple[int, int]

VIEWS: Mapping[str, str] = {
    "points": "Every reading that was acknowledged and is still kept, of log and archive",
    "rollups": "Hours of readings that left the log",
    "alerts": "Every alert in its last version",
    "series": "Every series that was ever seen",
    "deliveries": "Notices that wait for a sink, or that it will never take",
    "cutoffs": "The cut-off of each watch and series, once a day",
    "events": "What else happened: anomalous points, adopted levels, watches that changed, control events",
}
"""What can be asked, and what it is."""

COLUMNS: Mapping[str, Mapping[str, str]] = {
    "points": {
        "series": "name and labels in one text",
        "metric": "the name alone",
        "labels": "map of label to value: labels['host']",
        "time": "UTC, to the microsecond",
        "time_ns": "ns since 1970",
        "value": "NULL where the reading had none",
        "source": "who gave it",
        "late": "it came too late to be judged",
        "tier": "'log' or 'archive'",
    },
    "rollups": {
        "series": "name and labels in one text",
        "metric": "the name alone",
        "labels": "map of label to value",
        "hour": "its beginning, UTC",
        "count": "readings with a value",
        "low": "least value",
        "high": "greatest value",
        "mean": "mean value",
        "anomalies": "readings that some watch found anomalous",
    },
    "alerts": {
        "id": "lasting identity",
        "series": "name and labels in one text",
        "metric": "the name alone",
        "watch": "who raised it",
        "detector": "by which detector",
        "kind": "value, level, pattern, variance, out of range, no data, stuck, drift, breach",
        "severity": "critical, warning, info",
        "opened": "first point of the opening run, UTC",
        "decided": "the point at which it was decided",
        "closed": "NULL while it is open",
        "peak_time": "the strangest point",
        "value": "there",
        "expected": "there",
        "lower": "edge of the band there",
        "upper": "edge of the band there",
        "widths": "distance beyond the band, in band widths",
        "direction": "above or below",
        "anomaly_score": "at the peak; above 1 is anomalous",
        "points": "points beyond the limit",
        "reason": "one sentence",
        "revision": "how often it was told",
    },
    "series": {
        "series": "name and labels in one text",
        "metric": "the name alone",
        "labels": "map of label to value",
        "source": "who gave it last",
        "first": "earliest reading, UTC",
        "last": "latest reading, UTC",
        "points": "readings in all",
        "open_alerts": "alerts that are open now",
    },
    "deliveries": {
        "alert": "id of the alert",
        "revision": "which change of it",
        "sink": "who is to be told",
        "made": "when the change was decided, UTC",
        "due": "not before, UTC",
        "tries": "deliveries that failed",
        "dead": "given up",
        "error": "what the last one failed by",
    },
    "cutoffs": {
        "series": "name and labels in one text",
        "watch": "whose cut-off",
        "time": "since when, UTC",
        "cutoff": "in the detector's units of score",
    },
    "events": {
        "time": "UTC",
        "kind": "anomaly, adopted, config, or the name of a control event",
        "series": "of which series, or NULL",
        "watch": "of which watch, or NULL",
        "value": "score of an anomaly, adopted level, or NULL",
        "detail": "the rest as JSON, or NULL",
    },
}

NEEDS: Mapping[str, tuple[str, ...]] = {
    "points": ("keys", "log"),
    "rollups": ("keys", "hours"),
    "alerts": ("told",),
    "series": ("keys", "told"),
    "deliveries": ("notices",),
    "cutoffs": ("keys", "marked"),
    "events": ("keys", "marked", "happened"),
}
"""Tables that each view is made of."""


def utc(column: str) -> str:
    """SQL: a column of ns as a time."""
    return f"make_timestamp({column} // 1000)"


_KEY = "k.series, k.metric, k.labels"
SQL: Mapping[str, str] = {
    "points": f"SELECT {_KEY}, {utc('p.time')} AS time, p.time AS time_ns, CASE WHEN isnan(p.value) THEN NULL ELSE "
    "p.value END AS value, p.source, p.late, p.tier FROM (SELECT number, time, value, source, late, 'log' AS tier FROM "
    "log WHERE {within}{archive}) p JOIN keys k USING (number)",
    "rollups": f"SELECT {_KEY}, {utc('hour')} AS hour, count, low, high, total / nullif(count, 0) AS mean, anomalies "
    "FROM hours JOIN keys k USING (number)",
    "alerts": "SELECT id, series, regexp_extract(series, '^[^{]*') AS metric, watch, detector, kind, severity, "
    + ", ".join(f"{utc(c)} AS {c}" for c in ("opened", "decided", "closed", "peak_time"))
    + ", value, expected, lower, upper, widths, direction, anomaly_score, points, reason, revision FROM told",
    "series": f"SELECT {_KEY}, source, {utc('first')} AS first, {utc('last')} AS last, points, "
    "(SELECT count(*) FROM told t WHERE t.series = k.series AND t.closed IS NULL) AS open_alerts FROM keys k "
    "WHERE points > 0",
    "deliveries": f"SELECT alert, revision, sink, {utc('made')} AS made, {utc('due')} AS due, tries, dead, error "
    "FROM notices",
    "cutoffs": f"SELECT k.series, watch, {utc('time')} AS time, value AS cutoff FROM marked JOIN keys k USING (number) "
    "WHERE kind = 'cutoff'",
    "events": f"SELECT {utc('time')} AS time, kind, k.series, watch, value, NULL AS detail FROM marked JOIN keys k "
    f"USING (number) WHERE kind <> 'cutoff' UNION ALL BY NAME SELECT {utc('time')} AS time, kind, series, watch, "
    "NULL AS value, detail FROM happened",
}

Fill = Callable[[sqlite3.Connection, Range], Iterator[Any]]


def keys(sql: sqlite3.Connection, span: Range) -> Iterator[Any]:
    """Number, text, metric, labels and what is known of every series."""
    import pyarrow as pa

    from watchband.adapters.stores.sqlite.census import uncounted

    rows = {
        number: [text, source, first, last, points]
        for number, text, source, first, last, points in sql.execute(
            "SELECT id, key, source, first, last, points FROM series"
        )
    }
    for shard, counted in sql.execute("SELECT shard, counted FROM heads").fetchall():
        for seen in uncounted(sql, shard, counted):
            for number, (source, first, last, points) in seen.items():
                row = rows[number]
                row[1:] = [
                    source or row[1],
                    first if row[2] is None else min(first, row[2]),
                    last if row[3] is None else max(last, row[3]),
                    row[4] + points,
                ]
    known = [SeriesKey.parse(row[0]) for row in rows.values()]
    yield pa.record_batch(
        {
            "number": pa.array(rows, pa.int64()),
            "series": pa.array([row[0] for row in rows.values()], pa.string()),
            "metric": pa.array([key.metric for key in known], pa.string()),
            "labels": pa.array([list(dict(key.labels).items()) for key in known], pa.map_(pa.string(), pa.string())),
            "source": pa.array([row[1] for row in rows.values()], pa.string()),
            "first": pa.array([row[2] for row in rows.values()], pa.int64()),
            "last": pa.array([row[3] for row in rows.values()], pa.int64()),
            "points": pa.array([row[4] for row in rows.values()], pa.int64()),
        }
    )


def log(sql: sqlite3.Connection, span: Range) -> Iterator[Any]:
    """Readings of the log."""
    import pyarrow as pa

    none = np.empty(0, np.int64)
    yield _readings(pa, [Columns(none, none, none, np.empty(0), (), ("",), none, none)])
    rows = sql.execute("SELECT entry FROM log WHERE last >= ? AND first < ? ORDER BY shard, sequence", span)
    while page := rows.fetchmany(PAGE):
        yield _readings(pa, [Columns.from_bytes(entry) for (entry,) in page])


def _readings(pa: Any, entries: list[Columns]) -> Any:
    def each(of: Callable[[Columns], Any], kind: type) -> Any:
        return np.concatenate([np.repeat(of(e), e.counts).astype(kind) for e in entries])

    names = {"": 0}
    places = [np.array([names.setdefault(n, len(names)) for n in e.sources] or [0], np.int32) for e in entries]
    source = np.concatenate([np.repeat(place[e.source], e.counts) for place, e in zip(places, entries, strict=True)])
    return pa.record_batch(
        {
            "number": pa.array(each(lambda e: e.series, np.int64)),
            "time": pa.array(np.concatenate([e.times for e in entries])),
            "value": pa.array(np.concatenate([e.values for e in entries])),
            "source": pa.DictionaryArray.from_arrays(
                pa.array(source.astype(np.int32)), pa.array(list(names), pa.string())
            ).dictionary_decode(),
            "late": pa.array(each(lambda e: e.arrival == Arrival.LATE, np.bool_)),
        }
    )


def hours(sql: sqlite3.Connection, span: Range) -> Iterator[Any]:
    """Roll-ups."""
    yield from _table(
        sql,
        "SELECT hour, series, count, low, high, total, anomalies FROM rollups WHERE hour >= ? AND hour < ?",
        {"hour": "i", "number": "i", "count": "i", "low": "f", "high": "f", "total": "f", "anomalies": "i"},
        span,
    )


def told(sql: sqlite3.Connection, span: Range) -> Iterator[Any]:
    """Alerts."""
    plain = {"id": "s", "series": "s", "watch": "s", "severity": "s", "opened": "i", "closed": "i", "revision": "i"}
    inside = {"detector": "s", "kind": "s", "decided": "i", "peak_time": "i", "value": "f", "expected": "f"}
    inside |= {"lower": "f", "upper": "f", "widths": "f", "direction": "s", "anomaly_score": "f"}
    inside |= {"points": "i", "reason": "s"}
    columns = [*plain, *(f"json_extract(body, '$.{name}')" for name in inside)]
    yield from _table(sql, f"SELECT {', '.join(columns)} FROM alerts", plain | inside)


def notices(sql: sqlite3.Connection, span: Range) -> Iterator[Any]:
    """The outbox and the dead letters."""
    columns = {"alert": "s", "revision": "i", "sink": "s", "made": "i", "due": "i", "tries": "i", "dead": "b"}
    yield from _table(sql, f"SELECT {', '.join(columns)}, error FROM notices", columns | {"error": "s"})


def marked(sql: sqlite3.Connection, span: Range) -> Iterator[Any]:
    """Marks, a row each."""
    import pyarrow as pa

    def batch(rows: list[tuple[str, str, Columns]]) -> Any:
        lengths = [len(columns.times) for *_, columns in rows]
        none = np.empty(0, np.int64)
        return pa.record_batch(
            {
                "kind": pa.array(
                    [k for (k, _, c), n in zip(rows, lengths, strict=True) for _ in range(n)], pa.string()
                ),
                "watch": pa.array(
                    [w for (_, w, c), n in zip(rows, lengths, strict=True) for _ in range(n)], pa.string()
                ),
                "number": pa.array(np.concatenate([none, *(np.repeat(c.series, c.counts) for *_, c in rows)])),
                "time": pa.array(np.concatenate([none, *(c.times for *_, c in rows)])),
                "value": pa.array(np.concatenate([np.empty(0), *(c.values for *_, c in rows)])),
            }
        )

    yield batch([])
    rows = sql.execute("SELECT kind, watch, entry FROM marks ORDER BY shard, sequence")
    while page := rows.fetchmany(PAGE):
        yield batch([(kind, watch, Columns.from_bytes(entry)) for kind, watch, entry in page])


def happened(sql: sqlite3.Connection, span: Range) -> Iterator[Any]:
    """Watches that changed, and control events of the log; watermarks are left out."""
    import pyarrow as pa

    rows: list[tuple[int, str, str | None, str | None, str | None]] = [
        (time, "config", None, name, json.dumps({"fingerprint": fingerprint}))
        for time, name, fingerprint in sql.execute("SELECT time, name, fingerprint FROM changes")
    ]
    found = sql.execute("SELECT entry, written FROM log ORDER BY shard, sequence")
    while page := found.fetchmany(PAGE):
        for entry, written in page:
            for event in Columns.from_bytes(entry).events:
                if not isinstance(event, WatermarkMoved):
                    said = event_to_dict(event)
                    kind, time = said.pop("type"), said.pop("time", written)
                    series, watch = said.pop("series", None), said.pop("watch", None)
                    rows.append((time, kind, series, watch, json.dumps(said) if said else None))
    columns = list(zip(*rows, strict=True)) or [()] * 5
    kinds = (pa.int64(), pa.string(), pa.string(), pa.string(), pa.string())
    names = ("time", "kind", "series", "watch", "detail")
    yield pa.record_batch([pa.array(c, k) for c, k in zip(columns, kinds, strict=True)], names=list(names))


def _table(sql: sqlite3.Connection, query: str, columns: Mapping[str, str], span: Range | None = None) -> Iterator[Any]:
    import pyarrow as pa

    kinds = {"i": pa.int64(), "f": pa.float64(), "s": pa.string(), "b": pa.bool_()}
    rows = sql.execute(query, span or ())
    page: list[Any] = [()]
    while page:
        page = rows.fetchmany(100_000)
        lists = list(zip(*page, strict=True)) or [()] * len(columns)
        yield pa.record_batch(
            [
                pa.array([bool(x) for x in values] if kind == "b" else values, kinds[kind])
                for values, kind in zip(lists, columns.values(), strict=True)
            ],
            names=list(columns),
        )


FILLS: Mapping[str, Fill] = {
    "keys": keys,
    "log": log,
    "hours": hours,
    "told": told,
    "notices": notices,
    "marked": marked,
    "happened": happened,
}
