"""What was judged, beside what was read: alerts, and the scores and bands of every point: history is explainable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from watchband.adapters.archive.archive import ObjectArchive, day_start, encoded
from watchband.adapters.archive.manifest import Change, Part, Root
from watchband.adapters.archive.others import alerts_table
from watchband.adapters.archive.rows import date_of, micros, schema
from watchband.adapters.stores.scored.block import FLOATS, Scored
from watchband.adapters.stores.scored.reading import ScoreReader
from watchband.core.alert import Alert
from watchband.core.duration import DAY, HOUR
from watchband.core.series import SeriesKey

SETTLED = HOUR
"""A day's scores are archived so long after it has ended."""
AGAIN = 2
"""Days whose scores are compared once more when one is added: readings that came late were judged late."""
BATCH = 500_000


@dataclass
class Judged:
    """What a run added: alerts and scored points, and their parts."""

    alerts: int = 0
    results: int = 0
    parts: int = 0


def export_alerts(archive: ObjectArchive, alerts: Sequence[Alert], done: Judged) -> None:
    """Bring alerts: a part for each day of opening, written anew where one of it changed.

    What the store has let go since stays in the archive.
    """
    order = sorted(alerts, key=lambda a: (a.opened, a.id))
    for date, some in groupby(order, key=lambda a: date_of(a.opened)):
        here = list(some)

        def changed(root: Root, date: str = date, here: list[Alert] = here) -> Change | None:
            parts = [p for p in archive.manifest.parts("alerts", (date[:7],) * 2, root) if p.date == date]
            known = {a.id: a for a in here}
            kept = [a for p in parts for a in _alerts(archive, p) if a.id not in known]
            part = archive.put("alerts", f"date={date}", [alerts_table([*kept, *here])])
            if [p.key for p in parts] == [part.key]:
                return None
            done.alerts += len(here)
            done.parts += 1
            return Change([part], {p.key for p in parts}, archive.clock.now())

        archive.manifest.commit(changed)


def _alerts(archive: ObjectArchive, part: Part) -> list[Alert]:
    import json

    return [
        Alert.from_dict(json.loads(body))
        for table in archive.read(part, ("body",))
        for body in table["body"].to_pylist()
    ]


def export_results(archive: ObjectArchive, directory: Path, done: Judged) -> None:
    """Bring the scores and bands of the days that are over from where a service keeps them.

    A day is one change of the manifest, and replaces what was there of it.

    Parameters
    ----------
    directory : Path
        Of the store; nothing happens where no scores are kept there.
    """
    with ScoreReader(directory) as scores:
        oldest = scores.oldest()
        if oldest is None:
            return
        last = (archive.clock.now() - SETTLED) // DAY - 1
        known = archive.manifest.root().results
        begun = day_start(known) // DAY if known else None
        if begun is not None and begun >= last:
            return
        first = oldest // DAY if begun is None else max(oldest // DAY, begun - AGAIN + 1)
        for day in range(first, last + 1):
            _day(archive, scores, day, done)


def _day(archive: ObjectArchive, scores: ScoreReader, day: int, done: Judged) -> None:
    date = date_of(day * DAY)
    fresh = [
        archive.put("results", f"watch={encoded(watch)}/date={date}", [table])
        for watch, table in _tables(scores, day * DAY, (day + 1) * DAY)
    ]

    def replaced(root: Root) -> Change | None:
        parts = [p for p in archive.manifest.parts("results", (date[:7],) * 2, root) if p.date == date]
        here, there = {p.key for p in fresh}, {p.key for p in parts}
        more = {"results": max(root.results, date)}
        if here == there or (sum(p.rows for p in fresh) < sum(p.rows for p in parts)):
            # Fewer than before: what is kept for charts has let some go.
            return Change(more=more) if root.results < date else None
        done.results += sum(p.rows for p in fresh)
        done.parts += len(fresh)
        return Change(fresh, there - here, archive.clock.now(), more)

    archive.manifest.commit(replaced)


def _tables(scores: ScoreReader, start: int, end: int) -> Iterator[tuple[str, Any]]:
    """Points of a span by watch, some series at a time."""
    gathered: dict[str, list[tuple[SeriesKey, Scored]]] = {}
    counts: dict[str, int] = {}
    for watch, key, points in scores.between(start, end):
        gathered.setdefault(watch, []).append((key, points))
        counts[watch] = counts.get(watch, 0) + len(points)
        if counts[watch] >= BATCH:
            yield watch, _table(watch, gathered.pop(watch))
            counts[watch] = 0
    for watch in sorted(gathered):
        yield watch, _table(watch, gathered[watch])


def _table(watch: str, found: list[tuple[SeriesKey, Scored]]) -> Any:
    import pyarrow as pa

    found = sorted(found, key=lambda one: str(one[0]))
    counts = [len(points) for _, points in found]
    points = {name: np.concatenate([getattr(p, name) for _, p in found]) for name in ("time", "y", *FLOATS, "flags")}
    return pa.table(
        {
            "watch": pa.array([watch] * sum(counts), pa.string()),
            "series": pa.array(np.repeat(np.array([str(key) for key, _ in found], object), counts), pa.string()),
            "time": micros(points["time"]),
            "time_ns": points["time"],
            **{name: pa.array(points[name], from_pandas=True) for name in ("y", *FLOATS)},
            "flags": points["flags"].astype(np.int32),
        },
        schema=schema("results"),
    )
