"""The other two forms in which CloudWatch is asked and answers: Smithy's RPC with CBOR, and the old query with XML."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from watchband.testing.cloudwatch.refusal import Refusal
from watchband.testing.outside import Answer

PATH = re.compile(r"/service/GraniteServiceVersion20100801/operation/(\w+)")
VERSION = "2010-08-01"
NAMESPACE = f"http://monitoring.amazonaws.com/doc/{VERSION}/"
DEPTH_MAX = 32
_WHOLE = frozenset({"Period", "MaxDatapoints", "MaxRecords", "MaxResults", "StorageResolution"})
_REAL = frozenset({"Values", "Counts", "SampleCount", "Sum", "Minimum", "Maximum"})
_FLAGS = frozenset({"ReturnData", "IncludeLinkedAccounts"})
_TIMES = frozenset({"StartTime", "EndTime", "Timestamp", "Timestamps"})


def from_cbor(data: bytes) -> Any:
    """One value of CBOR (RFC 8949); a moment (tag 1) is its seconds.

    Examples
    --------
    >>> from_cbor(to_cbor({"a": [1, -2, 1.5, "x", None, True]}))
    {'a': [1, -2, 1.5, 'x', None, True]}
    """
    value, at = _read(data, 0, 0)
    if at != len(data):
        raise Refusal("ValidationError", "There is something behind the document.")
    return value


def _head(data: bytes, at: int) -> tuple[int, int, int]:
    """Major type, argument (-1: until a break), and where it goes on."""
    if at >= len(data):
        raise Refusal("ValidationError", "The document ends too early.")
    major, minor = data[at] >> 5, data[at] & 31
    at += 1
    if minor < 24:
        return major, minor, at
    if minor == 31:
        return major, -1, at
    size = {24: 1, 25: 2, 26: 4, 27: 8}.get(minor, 0)
    if not size or at + size > len(data):
        raise Refusal("ValidationError", "The document is no CBOR.")
    return major, int.from_bytes(data[at : at + size]), at + size


def _read(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    begin = at
    major, argument, at = _head(data, at)
    if depth > DEPTH_MAX:
        raise Refusal("ValidationError", "The document is too deep.")
    if major in (0, 1):
        return (argument if major == 0 else -1 - argument), at
    if major in (2, 3):
        if argument < 0 or at + argument > len(data):
            raise Refusal("ValidationError", "A text ends too early.")
        part = data[at : at + argument]
        return (part if major == 2 else part.decode()), at + argument
    if major in (4, 5):
        found: list[Any] = []
        while argument != 0 and not (argument < 0 and at < len(data) and data[at] == 0xFF):
            for _ in range(major - 3):
                one, at = _read(data, at, depth + 1)
                found.append(one)
            argument -= argument > 0
        at += argument < 0
        return (found if major == 4 else dict(zip(found[::2], found[1::2], strict=True))), at
    if major == 6:
        return _read(data, at, depth + 1)
    size = at - begin - 1
    if size in (2, 4, 8):
        return struct.unpack({2: ">e", 4: ">f", 8: ">d"}[size], data[at - size : at])[0], at
    return {20: False, 21: True}.get(argument), at


def to_cbor(value: Any, name: str = "") -> bytes:
    """A value as CBOR; moments are tagged, by the names that they have in CloudWatch's answers."""
    if isinstance(value, bool) or value is None:
        return bytes([{False: 0xF4, True: 0xF5, None: 0xF6}[value]])
    if isinstance(value, Mapping):
        return _start(5, len(value)) + b"".join(to_cbor(k) + to_cbor(v, k) for k, v in value.items())
    if isinstance(value, list | tuple):
        return _start(4, len(value)) + b"".join(to_cbor(one, name) for one in value)
    if isinstance(value, str):
        return _start(3, len(value.encode())) + value.encode()
    number = _start(0, value) if isinstance(value, int) and value >= 0 else (
        _start(1, -1 - value) if isinstance(value, int) else b"\xfb" + struct.pack(">d", value)
    )  # fmt: skip
    return b"\xc1" + number if name.endswith(("Timestamp", "Timestamps")) else number


def _start(major: int, argument: int) -> bytes:
    if argument < 24:
        return bytes([major << 5 | argument])
    for minor, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if argument < 1 << 8 * size:
            return bytes([major << 5 | minor]) + argument.to_bytes(size)
    raise ValueError(f"{argument} is too large for CBOR.")


def from_query(body: bytes) -> tuple[str, dict[str, Any]]:
    """Operation and parameters of a form: ``Dimensions.member.1.Name=InstanceId``.

    Examples
    --------
    >>> from_query(b"Action=ListMetrics&Version=2010-08-01&Dimensions.member.1.Name=a")
    ('ListMetrics', {'Dimensions': [{'Name': 'a'}]})
    """
    given = dict(parse_qsl(body.decode(), keep_blank_values=True))
    operation, version = given.pop("Action", ""), given.pop("Version", "")
    if version != VERSION:
        raise Refusal("ValidationError", f"There is no version {version!r}.")
    tree: dict[str, Any] = {}
    for path, text in given.items():
        parts = path.split(".")
        if len(parts) > DEPTH_MAX:
            raise Refusal("ValidationError", "A parameter is too deep.")
        at = tree
        for part in parts[:-1]:
            at = at.setdefault(part, {})
        at[parts[-1]] = text
    return operation, {key: _typed(value, key) for key, value in tree.items()}


def _typed(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        if set(value) == {"member"}:
            return [_typed(one, name) for _, one in sorted(value["member"].items(), key=lambda pair: int(pair[0]))]
        # A dimension's value is a text, that of a datum a number.
        dimension = "Name" in value
        return {key: float(one) if key == "Value" and not dimension else _typed(one, key) for key, one in value.items()}
    if name in _WHOLE:
        return int(value)
    if name in _REAL:
        return float(value)
    if name in _FLAGS:
        return value == "true"
    if name in _TIMES:
        return datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp()
    return value


def to_xml(operation: str, document: Mapping[str, Any]) -> bytes:
    """An answer of the old form."""
    inner = "".join(_xml(key, value) for key, value in document.items())
    return (
        f'<{operation}Response xmlns="{NAMESPACE}"><{operation}Result>{inner}</{operation}Result>'
        f"<ResponseMetadata><RequestId>0</RequestId></ResponseMetadata></{operation}Response>"
    ).encode()


def _xml(name: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return f"<{name}>{''.join(_xml(key, one) for key, one in value.items())}</{name}>"
    if isinstance(value, list | tuple):
        plain = [{"": one} if not isinstance(one, Mapping) else one for one in value]
        members = (_text(one[""], name) if "" in one else "".join(_xml(k, v) for k, v in one.items()) for one in plain)
        return f"<{name}>{''.join(f'<member>{member}</member>' for member in members)}</{name}>"
    return f"<{name}>{_text(value, name)}</{name}>"


def _text(value: Any, name: str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if name.endswith(("Timestamp", "Timestamps")):
        return datetime.fromtimestamp(float(value), UTC).isoformat().replace("+00:00", "Z")
    return escape("NaN" if isinstance(value, float) and math.isnan(value) else str(value))


def refused_in(form: str, refusal: Refusal) -> Answer:
    """An error in one of these forms."""
    sender = "Sender" if refusal.status < 500 else "Receiver"
    if form == "query":
        message = f"<Message>{escape(refusal.message)}</Message>"
        said = f"<Error><Type>{sender}</Type><Code>{refusal.code}</Code>{message}</Error>"
        body = f'<ErrorResponse xmlns="{NAMESPACE}">{said}<RequestId>0</RequestId></ErrorResponse>'
        return Answer(body.encode(), refusal.status, {"Content-Type": "text/xml"})
    document = {"__type": f"com.amazonaws.cloudwatch.v2010_08_01#{refusal.shape}", "message": refusal.message}
    return Answer(to_cbor(document), refusal.status, {**_CBOR, "x-amzn-query-error": f"{refusal.code};{sender}"})


def said_in(form: str, operation: str, document: dict[str, Any]) -> Answer:
    """An answer in one of these forms."""
    if form == "query":
        return Answer(to_xml(operation, document), headers={"Content-Type": "text/xml"})
    return Answer(to_cbor(document), headers=_CBOR)


_CBOR = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
