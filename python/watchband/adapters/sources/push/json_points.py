"""JSON and JSON Lines: ``{"series": {"__name__": "cpu", "host": "a"}, "time": "…Z", "value": 1.5}``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from watchband.adapters.sources.push.payload import Decoded, Gatherer, PayloadError, key_of, time_of, value_of
from watchband.core.errors import DataError
from watchband.core.series import SeriesKey

_METRIC = "__name__"
_KEYS_MAX = 100_000


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
        No JSON, or none of these forms.
    """
    document = _loaded(body)
    if isinstance(document, dict) and "points" in document:
        document = document["points"]
    points = [document] if isinstance(document, dict) else document
    if not isinstance(points, list):
        raise PayloadError('Expected a list of points, or {"points": [...]}. Got ' + type(points).__name__ + ".")
    reader = _Reader()
    for number, point in enumerate(points):
        reader.take(point, f"point {number}")
    return reader.gathered.decoded()


def decode_json_lines(body: bytes) -> Decoded:
    """Points of JSON Lines: one a line; a line that cannot be read stops no other."""
    reader = _Reader()
    for number, line in enumerate(body.split(b"\n"), 1):
        if line.strip():
            try:
                point = _loaded(line)
            except PayloadError as error:
                reader.gathered.refuse(f"line {number}", error)
            else:
                reader.take(point, f"line {number}")
    return reader.gathered.decoded()


def _loaded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except RecursionError:
        raise PayloadError("This JSON is nested too deeply.") from None
    except ValueError as error:
        # Python names the line and column of the mistake.
        raise PayloadError(f"This is not JSON: {str(error)[:200]}.") from None


class _Reader:
    def __init__(self) -> None:
        self.gathered = Gatherer()
        self._keys: dict[str, SeriesKey] = {}

    def take(self, point: Any, where: str) -> None:
        gathered = self.gathered
        try:
            if not isinstance(point, dict):
                raise DataError(f"Expected a point as a mapping. Got {type(point).__name__}.")
            key = self.key(point)
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
                gathered.add(key, moment, number)

    def key(self, point: dict[str, Any]) -> SeriesKey:
        series = point.get("series")
        if isinstance(series, str):
            text = series
        elif isinstance(series, dict):
            text = json.dumps(series)
        else:
            text = json.dumps([point.get("metric"), point.get("labels")])
        if text not in self._keys:
            if len(self._keys) >= _KEYS_MAX:
                self._keys.clear()
            self._keys[text] = self.parsed(point, series)
        return self._keys[text]

    def parsed(self, point: dict[str, Any], series: Any) -> SeriesKey:
        if isinstance(series, str):
            try:
                key = SeriesKey.parse(series)
            except ValueError as error:
                raise DataError(str(error)) from None
            return key_of(key.metric, dict(key.labels))
        if isinstance(series, dict):
            return key_of(series.get(_METRIC), {k: v for k, v in series.items() if k != _METRIC})
        return key_of(point.get("metric"), point.get("labels") or {})

    def pairs(self, point: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
        if "times" not in point and "values" not in point:
            if "time" not in point or "value" not in point:
                raise DataError("Expected 'time' and 'value', or 'times' and 'values'. Got " + ", ".join(point)[:100])
            yield point["time"], point["value"]
            return
        times, values = point.get("times"), point.get("values")
        if not (isinstance(times, list) and isinstance(values, list) and len(times) == len(values)):
            raise DataError("Expected 'times' and 'values' as lists of one length.")
        yield from zip(times, values, strict=True)


def _count(point: Any) -> int:
    times = point.get("times") if isinstance(point, dict) else None
    return len(times) if isinstance(times, list) else 1
