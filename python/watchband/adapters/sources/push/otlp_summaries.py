"""Summaries of OpenTelemetry metrics as CloudWatch streams them: versions 1.0.0 and 0.7.0 of the protocol.

Each record is a row of messages with their lengths before them. Of each message only what CloudWatch writes is read:
resource attributes, and summaries with their labels or attributes, times, count, sum and quantiles.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from watchband.core.errors import DataError

Summary = tuple[str, str, tuple[tuple[str, str], ...], str, str, int, dict[str, float]]
"""Namespace, name, dimensions, region, account, time in ns, values."""
DEPTH_MAX = 4
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_OWN = ("Namespace", "MetricName", "Dimensions")


def summaries(record: bytes) -> Iterator[Summary]:
    """Every reading of a record.

    Raises
    ------
    DataError
        It is none, or it is cut.
    """
    at = 0
    while at < len(record):
        length, at = _varint(record, at)
        if at + length > len(record):
            raise DataError(f"a message of {length} bytes is cut after {len(record) - at}")
        yield from _request(record[at : at + length])
        at += length


def _request(message: bytes) -> Iterator[Summary]:
    for number, part in _parts(message):
        if number == 1:
            resource, scopes = b"", []
            for inner, child in _parts(part):
                if inner == 1:
                    resource = child
                elif inner == 2:
                    scopes.append(child)
            known = dict(_attribute(one) for n, one in _parts(resource) if n == 1)
            region, account = _text(known.get("cloud.region")), _text(known.get("cloud.account.id"))
            for scope in scopes:
                for inner, metric in _parts(scope):
                    if inner == 2:
                        yield from _metric(metric, region, account)


def _metric(message: bytes, region: str, account: str) -> Iterator[Summary]:
    for number, data in _parts(message):
        # Summary in 1.0.0, DoubleSummary in 0.7.0.
        if number == 11:
            for inner, point in _parts(data):
                if inner == 1:
                    yield _point(point, region, account)


def _point(message: bytes, region: str, account: str) -> Summary:
    named: dict[str, object] = {}
    values: dict[str, float] = {}
    start = end = 0
    for number, kind, found in _fields(message):
        if number == 1 and kind == _BYTES:
            label = dict(_parts(_bytes(found)))
            named[_utf8(label.get(1, b""))] = _utf8(label.get(2, b""))
        elif number == 7 and kind == _BYTES:
            name, value = _attribute(_bytes(found))
            named[name] = value
        elif number == 2:
            start = _number(found)
        elif number == 3:
            end = _number(found)
        elif number == 4:
            values["count"] = float(_number(found))
        elif number == 5:
            values["sum"] = _double(found)
        elif number == 6:
            quantile, value = _quantile(_bytes(found))
            values[_statistic(quantile)] = value
    namespace, name = _text(named.get("Namespace")), _text(named.get("MetricName"))
    if not namespace or not name:
        raise DataError("a summary names no metric of CloudWatch")
    inner = named.get("Dimensions")
    rest = inner if isinstance(inner, dict) else {k: v for k, v in named.items() if k not in _OWN}
    dimensions = tuple(sorted((str(k), _text(v)) for k, v in rest.items()))
    return namespace, name, dimensions, region, account, start or end, values


def _statistic(quantile: float) -> str:
    """What CloudWatch means by a quantile: 0 is the minimum, 1 the maximum, 0.99 is p99."""
    if quantile in (0.0, 1.0):
        return "max" if quantile else "min"
    return f"p{100 * quantile:.10g}"


def _quantile(message: bytes) -> tuple[float, float]:
    # Zero is not written.
    found = {number: _double(value) for number, _, value in _fields(message) if number in (1, 2)}
    return found.get(1, 0.0), found.get(2, 0.0)


def _attribute(message: bytes, depth: int = 0) -> tuple[str, object]:
    """A KeyValue: text, or a mapping of further ones; other kinds as nothing."""
    if depth > DEPTH_MAX:
        raise DataError("attributes are nested too deep")
    key, value = "", b""
    for number, part in _parts(message):
        key, value = (_utf8(part), value) if number == 1 else (key, part) if number == 2 else (key, value)
    found: object = ""
    for number, part in _parts(value):
        if number == 1:
            found = _utf8(part)
        elif number == 6:
            found = dict(_attribute(child, depth + 1) for n, child in _parts(part) if n == 1)
    return key, found


def _parts(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Fields that hold bytes, by number."""
    for number, kind, found in _fields(message):
        if kind == _BYTES:
            yield number, _bytes(found)


def _fields(message: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """Every field: number, wire type, and its value; fixed ones as their bytes."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield number, kind, value
            continue
        if kind == _BYTES:
            size, at = _varint(message, at)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
        else:
            raise DataError(f"no message of OpenTelemetry: wire type {kind}")
        if at + size > len(message):
            raise DataError("a field is cut")
        yield number, kind, message[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise DataError("no message of OpenTelemetry: a number does not end")
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        shift += 7
        if byte < 0x80:
            return value, at


def _bytes(found: int | bytes) -> bytes:
    if isinstance(found, int):
        raise DataError("a number stands where a message belongs")
    return found


def _number(found: int | bytes) -> int:
    return found if isinstance(found, int) else int.from_bytes(found, "little")


def _double(found: int | bytes) -> float:
    if isinstance(found, int) or len(found) != 8:
        raise DataError("no number of 64 bits")
    return float(struct.unpack("<d", found)[0])


def _utf8(found: bytes) -> str:
    try:
        return found.decode()
    except UnicodeDecodeError:
        raise DataError("a text is not UTF-8") from None


def _text(found: object) -> str:
    return found if isinstance(found, str) else ""
