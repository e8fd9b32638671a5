"""An Arrow IPC stream: a table of points with a column each for time, value and labels, as data frames have it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchband.adapters.sources.push.arrow_messages import check_messages
from watchband.adapters.sources.push.payload import (
    LABELS_MAX,
    POINTS_MAX,
    SERIES_MAX,
    Decoded,
    PayloadError,
    key_of,
    refuse,
)
from watchband.core.errors import DataError
from watchband.core.points import Float64, Int64
from watchband.core.ports import Readings
from watchband.core.series import SeriesKey

TIME, VALUE, SERIES = "time", "value", "series"
_NAMES = ("__name__", "metric")
_UNIT_NS = {"s": 10**9, "ms": 10**6, "us": 1000, "ns": 1}
_FORM = (
    "Expected the columns 'time' (timestamp with a time zone, or whole numbers since 1970), 'value' (numbers), and "
    "either 'series' or 'metric' with the labels as further columns of text."
)


def decode_arrow(body: bytes) -> Decoded:
    """Points of an Arrow IPC stream.

    Parameters
    ----------
    body : bytes
        The streaming format, not compressed within. Columns: ``time``, a timestamp with a time zone, or whole numbers
        whose size says their unit; ``value``, any numbers, null is one that is missing; ``series``, texts such as
        ``cpu{host="a"}``, or ``metric`` (also ``__name__``) and a column of text for each label. Texts may be
        dictionary-encoded.

    Raises
    ------
    PayloadError
        No such stream, other columns, or more than may be sent at once; nothing of it was taken.
    """
    import pyarrow as pa

    check_messages(body)
    parts: list[Readings] = []
    decoded = Decoded(parts)
    try:
        with pa.ipc.open_stream(pa.BufferReader(body)) as stream:
            _check_schema(stream.schema)
            row = 0
            for batch in stream:
                if row + batch.num_rows > POINTS_MAX:
                    raise PayloadError(f"A payload holds at most {POINTS_MAX:,} points. Send it in parts.")
                batch.validate(full=True)
                _take(batch, row, decoded, parts)
                row += batch.num_rows
    except (pa.ArrowException, OSError, ValueError, NotImplementedError, UnicodeDecodeError) as error:
        if isinstance(error, PayloadError):
            raise
        raise PayloadError(f"This is no Arrow IPC stream: {str(error).splitlines()[0][:200]}.") from None
    return decoded


def _check_schema(schema: Any) -> None:
    import pyarrow.types as kinds

    names = list(schema.names)
    if len(set(names)) != len(names) or len(names) > LABELS_MAX + 4:
        raise PayloadError(f"Columns have different names, at most {LABELS_MAX + 4}. {_FORM}")
    named = SERIES in names or any(name in names for name in _NAMES)
    if TIME not in names or VALUE not in names or not named:
        raise PayloadError(f"{_FORM} Got {', '.join(map(repr, names))[:200]}.")
    for field in schema:
        kind = field.type
        if kinds.is_dictionary(kind):
            kind = kind.value_type if field.name not in (TIME, VALUE) else None
        if kind is None:
            fits = False
        elif field.name == TIME:
            fits = kinds.is_timestamp(kind) or kinds.is_integer(kind)
            if kinds.is_timestamp(kind) and kind.tz is None:
                raise PayloadError("The column 'time' has no time zone. Give it one: pa.timestamp('ns', tz='UTC').")
        elif field.name == VALUE:
            fits = kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_boolean(kind) or kinds.is_null(kind)
        else:
            fits = kinds.is_string(kind) or kinds.is_large_string(kind)
        if not fits:
            raise PayloadError(f"The column {field.name[:60]!r} is of type {str(field.type)[:60]}. {_FORM}")


def _take(batch: Any, row: int, decoded: Decoded, parts: list[Readings]) -> None:
    times, known = _times(batch.column(batch.schema.get_field_index(TIME)))
    values = _values(batch.column(batch.schema.get_field_index(VALUE)))
    if not known.all():
        bad = np.flatnonzero(~known)
        refuse(decoded, f"row {row + int(bad[0])}", "no time, or one beyond what can be kept (1677 to 2262)", len(bad))
    group, labels = _groups(batch)
    order = np.argsort(group, kind="stable")
    order = order[known[order]]
    edges = np.flatnonzero(np.diff(group[order], prepend=-1, append=-1))
    for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        rows = order[start:end]
        try:
            key = _key({name: column[int(rows[0])].as_py() for name, column in labels.items()})
        except DataError as error:
            refuse(decoded, f"row {row + int(rows[0])}", error, len(rows))
            continue
        decoded.points += len(rows)
        parts.append(Readings(key, times[rows], values[rows]))
        if len(parts) > SERIES_MAX:
            raise PayloadError(f"A payload holds at most {SERIES_MAX:,} series. Send it in parts.")


def _times(column: Any) -> tuple[Int64, NDArray[np.bool_]]:
    """Nanoseconds, and where there are any."""
    import pyarrow as pa

    known = column.is_valid().to_numpy(zero_copy_only=False)
    unit = getattr(column.type, "unit", None)
    if unit is not None:
        column = column.cast(pa.int64())
    if pa.types.is_uint64(column.type):
        numbers = column.fill_null(0).to_numpy(zero_copy_only=False)
        known = known & (numbers < 2**63)
        numbers = np.where(known, numbers, 0).astype(np.int64)
    else:
        numbers = column.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    size = np.abs(np.where(numbers == np.iinfo(np.int64).min, 0, numbers))
    if unit is not None:
        scale = np.full(len(numbers), _UNIT_NS[unit], np.int64)
    else:
        scale = np.select([size < 10**11, size < 10**14, size < 10**17], [10**9, 10**6, 1000], 1).astype(np.int64)
    known = known & (size <= (2**63 - 1) // scale) & (numbers != np.iinfo(np.int64).min)
    return np.where(known, numbers, 0) * scale, known


def _values(column: Any) -> Float64:
    import pyarrow as pa

    found: Float64 = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False).astype(np.float64)
    found[np.isnan(found)] = np.nan
    return found


def _groups(batch: Any) -> tuple[Int64, dict[str, Any]]:
    """For every row the number of its series, and the columns that name it."""
    import pyarrow as pa

    labels = {f.name: batch.column(i) for i, f in enumerate(batch.schema) if f.name not in (TIME, VALUE)}
    group = np.zeros(batch.num_rows, np.int64)
    for column in labels.values():
        coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        codes = coded.indices.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)
        combined = group * (len(coded.dictionary) + 1) + codes + 1
        group = np.unique(combined, return_inverse=True)[1].astype(np.int64).reshape(-1)
    return group, labels


def _key(named: dict[str, str | None]) -> SeriesKey:
    series = named.pop(SERIES, None)
    if series is not None:
        try:
            parsed = SeriesKey.parse(series)
        except ValueError as error:
            raise DataError(str(error)[:300]) from None
        metric: str | None = parsed.metric
        labels = dict(parsed.labels)
    else:
        metric, labels = None, {}
    for name in _NAMES:
        own = named.pop(name, None)
        metric = metric or own
    labels.update((name, text) for name, text in named.items() if text)
    return key_of(metric, labels)
