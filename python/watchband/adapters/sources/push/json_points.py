"""JSON and JSON Lines: ``{"series": {"__name__": "cpu", "host": "a"}, "time": "…Z", "value": 1.5}``."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator
from typing import Any

from watchband.adapters.sources.push.keys import Cache
from watchband.adapters.sources.push.payload import (
    POINTS_MAX,
    Column,
    Decoded,
    Gatherer,
    PayloadError,
    key_of,
    time_of,
    value_of,
)
from watchband.core.errors import DataError
from watchband.core.series import SeriesKey

DOCUMENT_MAX = 16 << 20
"""Bytes of one JSON document, which takes many times as much once it is read; lines are read one by one."""
_METRIC = "__name__"
_SERIES_TEXT_MAX = 200_000


def decode_json(body: bytes) -> Decoded:
    """Points of one JSON document.

    Parameters
    ----------
    body : bytes
        A list of points, ``{"points": [...]}``, or one point. A point may hold ``times`` and ``values`` of the same
        length instead of ``time`` and ``value``. ``series`` is a mapping of labels with the name under ``__name__``,
        or a text such as ``cpu{host="a"}``; or ``metric`` and ``labels`` stand by themselves.

    Raises
    ------
    PayloadError
        No JSON, none of these forms, or more than may be sent at once.
    """
    document = loaded(body)
    if isinstance(document, dict) and "points" in document:
        document = document["points"]
    points = [document] if isinstance(document, dict) else document
    if not isinstance(points, list):
        raise PayloadError('Expected a list of points, or {"points": [...]}. Got ' + type(points).__name__ + ".")
    reader = PointReader()
    for number, point in enumerate(points):
        reader.take(point, f"point {number}")
    return reader.gathered.decoded()


def decode_json_lines(body: bytes) -> Decoded:
    """Points of JSON Lines: one a line; a line that cannot be read stops no other.

    Raises
    ------
    PayloadError
        More than may be sent at once.
    """
    reader = PointReader()
    for number, line in enumerate(body.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            point = loaded(line)
        except PayloadError as error:
            reader.gathered.refuse(f"line {number}", error)
            if reader.gathered.refused_points > POINTS_MAX:
                raise PayloadError(f"A payload holds at most {POINTS_MAX:,} lines. Send it in parts.") from None
        else:
            reader.take(point, f"line {number}")
    return reader.gathered.decoded()


def loaded(body: bytes) -> Any:
    """One JSON document.

    Raises
    ------
    PayloadError
        It is none, or too large.
    """
    if len(body) > DOCUMENT_MAX:
        raise PayloadError(
            f"One JSON document may have {DOCUMENT_MAX >> 20} MiB. Got {len(body) >> 20} MiB: send JSON Lines "
            "(application/x-ndjson), or in parts."
        )
    if body.count(b"{") + body.count(b"[") > 4 * POINTS_MAX:
        raise PayloadError(f"A payload holds at most {POINTS_MAX:,} points. Send it in parts.")
    try:
        return json.loads(body)
    except RecursionError:
        raise PayloadError("This JSON is nested too deeply.") from None
    except ValueError as error:
        # Python names the line and column of the mistake; of a number without end it speaks to programmers.
        said = "a number of thousands of digits" if "set_int_max_str_digits" in str(error) else str(error)[:200]
        raise PayloadError(f"This is not JSON: {said}.") from None


class PointReader:
    """Takes points one by one and gathers them by series; see ``decode_json`` for their form."""

    def __init__(self) -> None:
        self.gathered = Gatherer()
        self._columns: dict[Hashable, Column] = {}

    def take(self, point: Any, where: str) -> None:
        """One point, or why it is none."""
        gathered = self.gathered
        try:
            if not isinstance(point, dict):
                raise DataError(f"Expected a point as a mapping. Got {type(point).__name__}.")
            column = self.column(point)
            pairs = list(self.pairs(point))
        except PayloadError:
            raise
        except DataError as error:
            gathered.refuse(where, error, _count(point))
            return
        for at, (time, value) in enumerate(pairs):
            try:
                moment, number = time_of(time), value_of(value)
            except DataError as error:
                gathered.refuse(f"{where}, value {at}" if len(pairs) > 1 else where, error)
            else:
                gathered.add(column, moment, number)

    def column(self, point: dict[str, Any]) -> Column:
        """Where a point of its series goes."""
        series = point.get("series")
        if isinstance(series, str):
            name: Hashable = series
        elif isinstance(series, dict):
            name = tuple(series.items())
        else:
            labels = point.get("labels")
            name = (point.get("metric"), tuple(labels.items()) if isinstance(labels, dict) else labels)
        try:
            found = self._columns.get(name)
        except TypeError:
            # A list or mapping where a text is meant: ``_key`` says so.
            return self.gathered.column(_key(point, series))
        if found is None:
            key = _KEYS.get(name)
            if key is None:
                key = _key(point, series)
                _KEYS.put(name, key)
            found = self._columns[name] = self.gathered.column(key)
        return found

    def pairs(self, point: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
        """Times and values of a point, as they are written."""
        if "times" not in point and "values" not in point:
            if "time" not in point or "value" not in point:
                raise DataError("Expected 'time' and 'value', or 'times' and 'values'. Got " + ", ".join(point)[:100])
            yield point["time"], point["value"]
            return
        times, values = point.get("times"), point.get("values")
        if not (isinstance(times, list) and isinstance(values, list) and len(times) == len(values)):
            raise DataError("Expected 'times' and 'values' as lists of one length.")
        yield from zip(times, values, strict=True)


_KEYS: Cache[Hashable, SeriesKey] = Cache()


def _key(point: dict[str, Any], series: Any) -> SeriesKey:
    if isinstance(series, str):
        if len(series) > _SERIES_TEXT_MAX:
            raise DataError(f"A series has at most {_SERIES_TEXT_MAX:,} characters. Got {len(series):,}.")
        try:
            key = SeriesKey.parse(series)
        except ValueError as error:
            raise DataError(str(error)[:300]) from None
        return key_of(key.metric, dict(key.labels))
    if isinstance(series, dict):
        return key_of(series.get(_METRIC), {k: v for k, v in series.items() if k != _METRIC})
    labels = point.get("labels")
    return key_of(point.get("metric"), {} if labels is None else labels)


def _count(point: Any) -> int:
    times = point.get("times") if isinstance(point, dict) else None
    return max(1, len(times)) if isinstance(times, list) else 1
