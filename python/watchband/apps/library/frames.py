"""Frames, series and arrays of Python as an Arrow table with a time column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from watchband.core.errors import ConfigError

if TYPE_CHECKING:
    import pyarrow as pa

TIME = "timestamp"
VALUE = "value"
_EXPECTED = (
    "a path, a glob or '-'; a pandas, polars or Arrow frame or series with times in its index or a column; or a pair "
    "(times, values) of arrays"
)


def table_of(source: object) -> pa.Table:
    """The source as an Arrow table.

    Parameters
    ----------
    source : frame, series or (times, values)
        A pandas index of times becomes the column ``timestamp`` (or the index's name). Times are datetime64 or int64
        nanoseconds where they come as arrays. A series without a name becomes the column ``value``.

    Raises
    ------
    ConfigError
        Something else, or a series without times.
    """
    import pyarrow as pa

    if isinstance(source, pa.Table):
        return source
    if isinstance(source, pa.RecordBatch):
        return pa.Table.from_batches([source])
    if isinstance(source, tuple) and len(source) == 2:
        return _of_arrays(*source)
    kind = type(source).__module__.partition(".")[0]
    if kind == "pandas":
        source = _with_time_column(source)
    return _of_frame(source)


def _of_frame(source: object) -> pa.Table:
    import narwhals as nw
    import pyarrow as pa

    try:
        frame: Any = nw.from_native(source, allow_series=True)
    except TypeError as error:
        raise ConfigError(f"detect() reads {_EXPECTED}. Got {type(source).__name__}.") from error
    if isinstance(frame, nw.Series):
        raise ConfigError(
            "This series has no times. Give a pair (times, series), a frame with a time column, or a pandas series "
            "with a DatetimeIndex."
        )
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect()
    table = frame.to_arrow()
    assert isinstance(table, pa.Table)
    return table


def _with_time_column(source: Any) -> Any:
    """A pandas frame or series with its index of times as a column."""
    import pandas as pd

    frame = (
        source.to_frame(VALUE if source.name is None else str(source.name)) if isinstance(source, pd.Series) else source
    )
    if isinstance(frame.columns, pd.MultiIndex):
        raise ConfigError("A frame with several levels of columns is not read. Flatten the columns first.")
    frame = frame.rename(columns=str)
    if isinstance(frame.index, pd.PeriodIndex):
        frame = frame.set_axis(frame.index.to_timestamp(), axis=0)
    if isinstance(frame.index, pd.DatetimeIndex):
        name = TIME if frame.index.name is None else str(frame.index.name)
        return frame.rename_axis(name).reset_index()
    if isinstance(source, pd.Series):
        raise ConfigError(
            f"This series is indexed by {frame.index.dtype}, not by times. Give it a DatetimeIndex, or pass "
            "(times, values)."
        )
    # An index with a name says something (a host, or time and host); one without is a row number.
    return frame.reset_index(drop=all(name is None for name in frame.index.names))


def _of_arrays(times: object, values: object) -> pa.Table:
    import pyarrow as pa

    moments = np.asarray(times)
    if moments.dtype.kind == "O" or moments.dtype.kind == "U":
        moments = moments.astype("M8[ns]")
    if moments.dtype.kind not in "Miu":
        raise ConfigError(
            f"Times must be datetime64 or int64 nanoseconds. Got {moments.dtype}; convert seconds with "
            "(seconds * 1e9).astype('int64')."
        )
    numbers = np.asarray(values, np.float64)
    if moments.ndim != 1 or moments.shape != numbers.shape:
        raise ConfigError(
            f"(times, values) must be two arrays of one length. Got shapes {moments.shape} and {numbers.shape}."
        )
    ns = moments.astype("M8[ns]").astype(np.int64) if moments.dtype.kind == "M" else moments.astype(np.int64)
    name = str(getattr(values, "name", None) or VALUE)
    return pa.table({TIME: pa.array(ns).cast(pa.timestamp("ns", "UTC")), name: pa.array(numbers)})
