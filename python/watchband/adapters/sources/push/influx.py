"""InfluxDB's line protocol: ``cpu,host=a usage=1.5,load=2i 1700000000000000000``."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from watchband.adapters.sources.push.keys import Cache
from watchband.adapters.sources.push.payload import POINTS_MAX, Column, Decoded, Gatherer, PayloadError, key_of, time_of
from watchband.core.errors import DataError
from watchband.core.series import SeriesKey

PRECISIONS = ("ns", "us", "ms", "s")
# Alternatives begin with different characters, so that no text makes this try the same stretch twice. A text in quotes
# may hold line ends.
_LINE = re.compile(
    r"[ \t]*(?P<head>(?:[^ \t\n\\]|\\[^\n])+)[ \t]+"
    r'(?P<fields>(?:[^ \t\n"\\]|\\[^\n]|"(?:[^"\\]|\\.)*")+)'
    r"(?:[ \t]+(?P<time>-?\d{1,19}))?[ \t\r]*(?:\n|\Z)",
    re.DOTALL | re.ASCII,
)
_FIELD = re.compile(r'((?:[^,=\\]|\\.)+)=("(?:[^"\\]|\\.)*"|[^,"]+)', re.DOTALL)
_SIMPLE = re.compile(r"([\w.:/-]+)=([-+\d.eEi]+)", re.ASCII)
_ESCAPE = re.compile(r"\\([,= \\])")
_FLOAT = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"[-+]?\d{1,20}", re.ASCII)
_WORDS = {"t": 1.0, "T": 1.0, "true": 1.0, "True": 1.0, "TRUE": 1.0}
_WORDS |= {"f": 0.0, "F": 0.0, "false": 0.0, "False": 0.0, "FALSE": 0.0}
_UNPRINTABLE = re.compile(r'[\s={},"\\]')
_VALUE = "value"
_SHOWN = 60


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

    Raises
    ------
    PayloadError
        More than may be sent at once.
    """
    reader = _Reader(precision, now)
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = "\n".join(reader.decoded(line, number) for number, line in enumerate(body.split(b"\n"), 1))
    at, number = 0, 1
    while at < len(text):
        end = _take(reader, text, at, number)
        number += text.count("\n", at, end)
        at = end
    return reader.gathered.decoded()


def _take(reader: _Reader, text: str, at: int, number: int) -> int:
    """Read the line that begins at ``at``; where the next one begins."""
    match = _LINE.match(text, at)
    if match is None or match["head"].startswith("#"):
        end = text.find("\n", at) + 1 or len(text)
        line = text[at:end].strip()
        if line and not line.startswith("#"):
            reader.refuse(number, f"Expected 'measurement,tag=x field=1 TIME'. Got {line[:_SHOWN]!r}.")
        return end
    try:
        reader.take(match["head"], match["fields"], match["time"])
    except PayloadError:
        raise
    except DataError as error:
        reader.refuse(number, str(error))
    return match.end()


class _Reader:
    def __init__(self, precision: str, now: int | None) -> None:
        self.gathered = Gatherer()
        self._precision, self._now = precision, now
        self._columns: dict[tuple[str, str], Column] = {}

    def decoded(self, line: bytes, number: int) -> str:
        """A line as text; an empty one where it is none."""
        try:
            return line.decode()
        except UnicodeDecodeError:
            self.refuse(number, "not UTF-8 text")
            return ""

    def refuse(self, number: int, why: str) -> None:
        self.gathered.refuse(f"line {number}", why)
        if self.gathered.refused_points > POINTS_MAX:
            raise PayloadError(f"A payload holds at most {POINTS_MAX:,} lines. Send it in parts.")

    def take(self, head: str, fields: str, stamp: str | None) -> None:
        # First all, then add: of a line that is refused nothing is taken.
        values = [(name, value) for name, value in _fields(fields) if value is not None]
        if stamp is not None:
            time = time_of(int(stamp), self._precision)
        elif self._now is not None:
            time = self._now
        else:
            raise DataError("The line has no time. Write it behind the fields.")
        found = [(self._column(head, name), value) for name, value in values]
        for column, value in found:
            self.gathered.add(column, time, value)

    def _column(self, head: str, field: str) -> Column:
        found = self._columns.get((head, field))
        if found is None:
            key = _KEYS.get((head, field))
            if key is None:
                key = _key(head, field)
                _KEYS.put((head, field), key)
            found = self._columns[head, field] = self.gathered.column(key)
        return found


_KEYS: Cache[tuple[str, str], SeriesKey] = Cache()


def _fields(text: str) -> Iterator[tuple[str, float | None]]:
    simple = _SIMPLE.fullmatch(text)
    if simple is not None:
        yield simple[1], _value(simple[2])
        return
    at = 0
    while True:
        match = _FIELD.match(text, at)
        if match is None:
            raise DataError(f"Expected field=value from {text[at : at + _SHOWN]!r} on.")
        yield _ESCAPE.sub(r"\1", match[1]), _value(match[2])
        at = match.end()
        if at == len(text):
            return
        if text[at] != ",":
            raise DataError(f"Expected a comma or the time from {text[at : at + _SHOWN]!r} on.")
        at += 1


def _value(text: str) -> float | None:
    if text.startswith('"'):
        return None
    if text in _WORDS:
        return _WORDS[text]
    whole = text[-1] in "iu"
    if not (_WHOLE.fullmatch(text[:-1]) if whole else _FLOAT.fullmatch(text)):
        raise DataError(f"Expected a number, a flag or a text in quotes as a field. Got {text[:_SHOWN]!r}.")
    value = float(text[:-1] if whole else text)
    if math.isinf(value):
        raise DataError(f"The number {text[:_SHOWN]} is larger than a 64-bit float holds.")
    return value


def _key(head: str, field: str) -> SeriesKey:
    parts = re.split(r"(?<!\\),", head) if "\\" in head else head.split(",")
    labels: dict[str, str] = {}
    for part in parts[1:]:
        pair = re.split(r"(?<!\\)=", part)
        if len(pair) != 2 or not all(pair):
            raise DataError(f"Expected tag=value. Got {part[:_SHOWN]!r}.")
        name, value = (_ESCAPE.sub(r"\1", text) for text in pair)
        printable = _UNPRINTABLE.sub("_", name)
        if printable in labels:
            raise DataError(f"The tag {printable[:_SHOWN]!r} stands twice.")
        labels[printable] = value
    measurement = _ESCAPE.sub(r"\1", parts[0])
    return key_of(measurement if field == _VALUE else f"{measurement}_{field}", labels)
