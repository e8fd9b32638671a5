"""Records as readings: points in JSON or raw rows, also in aggregated records; what is none becomes a dead letter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from watchband.adapters.sources.kinesis.aggregated import is_aggregated, user_records
from watchband.adapters.sources.kinesis.client import Record
from watchband.adapters.sources.kinesis.letters import DeadLetter
from watchband.adapters.sources.kinesis.rows import Row, RowReader
from watchband.adapters.sources.kinesis.shards import Shard
from watchband.adapters.sources.push.json_points import PointReader, loaded
from watchband.adapters.sources.push.payload import PayloadError
from watchband.core.errors import DataError
from watchband.core.ports import Readings
from watchband.core.series import SeriesKey

_NAMED = {"series", "metric"}
"""A JSON object with one of these is a point, else a row if it has the column of times."""


@dataclass
class Decoded:
    """Readings of some records, by series in the order of the records, and the letters of those that are none."""

    readings: list[Readings] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Item:
    """A record, or a part of an aggregated one."""

    record: Record
    part: int
    key: str
    data: bytes


class Decoder:
    """Takes records apart.

    Parameters
    ----------
    stream : str
        For dead letters.
    form : str
        ``json``, ``csv``, or ``auto``: what begins with a brace or bracket is JSON.
    rows : RowReader
        How rows are read.
    """

    def __init__(self, stream: str, form: str, rows: RowReader) -> None:
        self._stream, self._form, self._rows = stream, form, rows

    def decode(self, shard: Shard, records: Sequence[Record]) -> Decoded:
        """Readings of records of one shard; no record stops another."""
        found = Decoded()
        items: list[_Item] = []
        reasons: dict[int, str] = {}
        for record in records:
            try:
                items += _parts(shard, record)
            except DataError as error:
                reasons[len(items)] = f"an aggregated record that cannot be read: {error}"
                items.append(_Item(record, 0, record.key, record.data))
        # What is of one kind is read together; a series keeps the order of its records.
        readings: list[Readings] = []
        points: list[tuple[int, object]] = []
        rows: list[Row] = []
        for number, item in enumerate(items):
            if number in reasons:
                continue
            try:
                documents, fresh = self._opened(number, item)
            except DataError as error:
                reasons[number] = str(error)
                continue
            if (documents and rows) or (fresh and points):
                readings += self._read(points, rows, reasons)
                points, rows = [], []
            points += documents
            rows += fresh
        readings += self._read(points, rows, reasons)
        found.readings = _merged(readings)
        found.letters = [_letter(self._stream, shard, items[n], why) for n, why in sorted(reasons.items())]
        return found

    def _opened(self, number: int, item: _Item) -> tuple[list[tuple[int, object]], list[Row]]:
        """The points or rows of a record."""
        data = item.data.lstrip()
        if self._form == "csv" or (self._form == "auto" and data[:1] not in (b"{", b"[")):
            try:
                return [], self._rows.lines(number, item.key, item.data.decode("utf-8-sig"))
            except UnicodeDecodeError:
                raise DataError("neither JSON nor a row of text") from None
        points: list[tuple[int, object]] = []
        rows: list[Row] = []
        for document in _documents(data):
            if isinstance(document, dict) and self._rows.time in document and not _NAMED & document.keys():
                rows.append(self._rows.document(number, item.key, document))
            else:
                points.append((number, document))
        if points and rows:
            raise DataError("points and rows of a table in one record")
        if not points and not rows:
            raise DataError("nothing in it")
        return points, rows

    def _read(self, points: Sequence[tuple[int, object]], rows: list[Row], reasons: dict[int, str]) -> list[Readings]:
        if rows:
            found, wrong = self._rows.read(rows)
            reasons.update(wrong)
            return found
        reader = PointReader()
        gathered = reader.gathered
        for number, point in points:
            before, told = gathered.refused_points, len(gathered.refused)
            try:
                reader.take(point, "")
            except PayloadError as error:
                reasons[number] = str(error)
            if gathered.refused_points > before:
                why = gathered.refused[-1].why if len(gathered.refused) > told else "a point that cannot be read"
                reasons.setdefault(number, why)
        return list(gathered.decoded().readings)


def _parts(shard: Shard, record: Record) -> Iterator[_Item]:
    """A record, or the user records of an aggregated one.

    After a split or merge the Producer Library sends again what fell to another shard: what does not belong to this one
    is left out.
    """
    if not is_aggregated(record.data):
        yield _Item(record, 0, record.key, record.data)
        return
    for part, (key, hashed, data) in enumerate(user_records(record.data)):
        if shard.first <= hashed <= shard.last:
            yield _Item(record, part, key, data)


def _documents(data: bytes) -> Iterator[object]:
    """The points of a record: one document, a list, ``{"points": …}``, or one a line."""
    try:
        whole = loaded(data)
    except PayloadError:
        lines = [line for line in data.split(b"\n") if line.strip()]
        if len(lines) < 2:
            raise
        for line in lines:
            yield loaded(line)
        return
    if isinstance(whole, dict) and isinstance(whole.get("points"), list):
        whole = whole["points"]
    if isinstance(whole, list):
        yield from whole
    else:
        yield whole


def _merged(readings: Sequence[Readings]) -> list[Readings]:
    by_key: dict[SeriesKey, list[Readings]] = {}
    for one in readings:
        by_key.setdefault(one.key, []).append(one)
    return [
        parts[0]
        if len(parts) == 1
        else Readings(key, np.concatenate([p.times for p in parts]), np.concatenate([p.values for p in parts]))
        for key, parts in by_key.items()
    ]


def _letter(stream: str, shard: Shard, item: _Item, why: str) -> DeadLetter:
    record = item.record
    return DeadLetter(stream, shard.id, record.sequence, item.part, item.key, record.arrived, why, item.data)
