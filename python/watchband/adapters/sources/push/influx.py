"""InfluxDB's line protocol: ``cpu,host=a usage=1.5,load=2i 1700000000000000000``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from watchband.adapters.sources.push.payload import Decoded, Gatherer, key_of, time_of
from watchband.core.errors import DataError
from watchband.core.series import SeriesKey

_FIELD = re.compile(r'((?:[^,=\s\\]|\\.)+)=("(?:[^"\\]|\\.)*"|[^,\s"]+)(?:,|$)', re.DOTALL)
_ESCAPE = re.compile(r"\\([,= \\])")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_WORDS = {"t": 1.0, "T": 1.0, "true": 1.0, "True": 1.0, "TRUE": 1.0}
_WORDS |= {"f": 0.0, "F": 0.0, "false": 0.0, "False": 0.0, "FALSE": 0.0}
PRECISIONS = ("ns", "us", "ms", "s")
_VALUE = "value"


def decode_influx(body: bytes, *, precision: str = "ns", now: int | None = None) -> Decoded:
    """Points of line protocol.

    A measurement and a field make a metric: ``cpu_usage``; the field ``value`` alone is the measurement's own name.
    Text fields are left out, flags are 1 and 0.

    Parameters
    ----------
    body : bytes
        UTF-8 text.
    precision : {"ns", "us", "ms", "s"}
        Unit of the times.
    now : int, optional
        ns UTC for lines without a time; without it such lines are refused.
    """
    gathered = Gatherer()
    keys: dict[tuple[str, str], SeriesKey] = {}
    for number, raw in enumerate(body.split(b"\n"), 1):
        line = raw.strip(b"\r\t ")
        if not line or line.startswith(b"#"):
            continue
        try:
            _take(line.decode(), gathered, keys, precision, now)
        except UnicodeDecodeError:
            gathered.refuse(f"line {number}", "not UTF-8 text")
        except DataError as error:
            gathered.refuse(f"line {number}", error)
    return gathered.decoded()


def _take(
    line: str, gathered: Gatherer, keys: dict[tuple[str, str], SeriesKey], precision: str, now: int | None
) -> None:
    head, fields, stamp = _parts(line)
    if stamp:
        if not re.fullmatch(r"-?\d{1,19}", stamp):
            raise DataError(f"Expected a whole number as time. Got {stamp[:40]!r}.")
        time = time_of(int(stamp), precision)
    elif now is not None:
        time = now
    else:
        raise DataError("The line has no time. Write it behind the fields.")
    # First all, then add: of a line that is refused nothing is taken.
    found = [(_key(head, name, keys), value) for name, value in _fields(fields) if value is not None]
    for key, value in found:
        gathered.add(key, time, value)


def _parts(line: str) -> tuple[str, str, str]:
    head_end = _space(line, 0)
    fields_end = _space(line, head_end + 1)
    head, fields, stamp = line[:head_end], line[head_end + 1 : fields_end], line[fields_end + 1 :].strip()
    if not head or not fields:
        raise DataError(f"Expected 'measurement,tag=x field=1 TIME'. Got {line[:60]!r}.")
    return head, fields, stamp


def _space(line: str, start: int) -> int:
    """The first space that is neither escaped nor within quotes; the end where there is none."""
    quoted = False
    at = start
    while at < len(line):
        character = line[at]
        if character == "\\":
            at += 1
        elif character == '"' and start:
            quoted = not quoted
        elif character == " " and not quoted:
            return at
        at += 1
    return len(line)


def _fields(text: str) -> Iterator[tuple[str, float | None]]:
    at = 0
    while at < len(text):
        match = _FIELD.match(text, at)
        if match is None:
            raise DataError(f"Expected field=value from {text[at : at + 40]!r} on.")
        yield _ESCAPE.sub(r"\1", match[1]), _value(match[2])
        at = match.end()


def _value(text: str) -> float | None:
    if text.startswith('"'):
        return None
    if text in _WORDS:
        return _WORDS[text]
    number = text[:-1] if text[-1] in "iu" else text
    if not _NUMBER.fullmatch(number):
        raise DataError(f"Expected a number, a flag or a text in quotes as a field. Got {text[:40]!r}.")
    return float(number)


def _key(head: str, field: str, keys: dict[tuple[str, str], SeriesKey]) -> SeriesKey:
    found = keys.get((head, field))
    if found is None:
        parts = re.split(r"(?<!\\),", head)
        labels = {}
        for part in parts[1:]:
            pair = re.split(r"(?<!\\)=", part)
            if len(pair) != 2 or not all(pair):
                raise DataError(f"Expected tag=value. Got {part[:40]!r}.")
            name, value = (_ESCAPE.sub(r"\1", text) for text in pair)
            labels[re.sub(r'[\s={},"\\]', "_", name)] = value
        measurement = _ESCAPE.sub(r"\1", parts[0])
        metric = measurement if field == _VALUE else f"{measurement}_{field}"
        found = keys[head, field] = key_of(metric, labels)
    return found
