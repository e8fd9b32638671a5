"""Which readings an archive holds already, by what they say: for stores that count their entries otherwise."""

from __future__ import annotations

from typing import Any

import numpy as np

from watchband.adapters.archive.archive import ObjectArchive, day_start
from watchband.adapters.archive.manifest import Root
from watchband.adapters.archive.rows import date_of, from_values
from watchband.core.duration import DAY

_SAME = ["series", "time_ns", "source", "bits"]


def not_held(archive: ObjectArchive, root: Root, table: Any) -> Any:
    """The readings of a table that an archive does not hold: series, time, source and value are the same, bit for bit.

    A day of the archive is read at a time.
    """
    import pyarrow as pa

    if not len(table):
        return table
    day = np.floor_divide(np.asarray(table["time_ns"]), DAY)
    kept = np.ones(len(table), bool)
    for number in np.unique(day).tolist():
        start = day_start(date_of(number * DAY))
        parts = [p for p in archive.parts("readings", (start, start + DAY), root) if p.date == date_of(start)]
        there = [_plain(t) for p in parts for t in archive.read(p, ("series", "time_ns", "source", "value"))]
        if not there:
            continue
        rows = np.flatnonzero(day == number)
        mine = _plain(table.select(["series", "time_ns", "source", "value"]).take(pa.array(rows)))
        mine = mine.append_column("row", pa.array(rows))
        again = mine.join(pa.concat_tables(there).group_by(_SAME).aggregate([]), _SAME, join_type="left semi")
        kept[np.asarray(again["row"])] = False
    return table if kept.all() else table.filter(pa.array(kept))


def _plain(table: Any) -> Any:
    import pyarrow as pa

    return pa.table(
        {
            "series": table["series"].cast(pa.string()),
            "time_ns": table["time_ns"],
            "source": table["source"].cast(pa.string()),
            "bits": from_values(table["value"]).view(np.int64),
        }
    )
