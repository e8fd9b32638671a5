"""Rows as an Arrow table, and as lines of CSV."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from watchband.apps.library.rows import NUMBERS, Rows
from watchband.core.points import Int64
from watchband.core.series import SeriesKey

if TYPE_CHECKING:
    import pyarrow as pa


def schema() -> pa.Schema:
    """Columns and types of ``scores.parquet`` and of ``Detection.table``."""
    import pyarrow as pa

    numbers = [(name, pa.float64()) for name in NUMBERS]
    texts = [(name, pa.string()) for name in ("alert", "seen_by")]
    return pa.schema([("series", pa.string()), ("timestamp", pa.timestamp("ns", "UTC")), *numbers, *texts])


def to_arrow(rows: Rows, keys: Sequence[SeriesKey], *, text_times: bool = False) -> pa.Table:
    """The block as an Arrow table; NaN becomes null, ``text_times`` gives ISO 8601 instead of timestamps."""
    import pyarrow as pa

    names = pa.array([str(key) for key in keys], pa.string())
    columns = [pa.DictionaryArray.from_arrays(pa.array(rows.row, pa.int32()), names).cast(pa.string())]
    if text_times:
        columns.append(pa.array(iso_texts(rows.time), pa.string()))
    else:
        columns.append(pa.array(rows.time, pa.int64()).cast(pa.timestamp("ns", "UTC")))
    columns += [pa.array(getattr(rows, name), pa.float64(), from_pandas=True) for name in NUMBERS]
    columns += [pa.array(rows.alert, pa.string()), pa.array(rows.seen_by, pa.string())]
    wanted = schema()
    return pa.table(columns, names=wanted.names) if text_times else pa.table(columns, schema=wanted)


def iso_texts(times: Int64) -> NDArray[np.str_]:
    """Times as ISO 8601 in UTC, each with 0, 3, 6 or 9 digits of a second, as it needs.

    Examples
    --------
    >>> iso_texts(np.array([1_392_388_200_000_000_000, 1_392_388_200_250_000_000])).tolist()
    ['2014-02-14T14:30:00Z', '2014-02-14T14:30:00.250Z']
    """
    moments = times.view("M8[ns]")
    texts = np.empty(len(times), "U30")
    left = np.ones(len(times), np.bool_)
    for unit, nanoseconds in (("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000), ("ns", 1)):
        fits = left & (times % nanoseconds == 0)
        if fits.any():
            texts[fits] = np.char.add(np.datetime_as_string(moments[fits].astype(f"M8[{unit}]")), "Z")
        left &= ~fits
    return texts
