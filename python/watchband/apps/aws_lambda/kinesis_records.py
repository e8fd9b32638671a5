"""Events of Kinesis: records in base64, as the source ``kinesis`` reads them: points, raw rows, aggregated ones."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from watchband.adapters.sources.kinesis.client import Record
from watchband.adapters.sources.kinesis.records import Decoder
from watchband.adapters.sources.kinesis.rows import RowReader, labels_of
from watchband.adapters.sources.kinesis.settings import Kinesis
from watchband.adapters.sources.kinesis.shards import Shard
from watchband.apps.aws_lambda.function import Function
from watchband.apps.aws_lambda.identities import identity
from watchband.apps.aws_lambda.lots import Decoded, Lot
from watchband.apps.aws_lambda.parts import part_of_text
from watchband.core.errors import ConfigError
from watchband.core.series import SeriesKey


def kinesis_lots(function: Function, event: Mapping[str, Any]) -> list[Lot]:
    """The records of an event by the streams and homes that they have.

    Raises
    ------
    ConfigError
        It is no event of Kinesis.
    """
    lots: dict[tuple[str, int], tuple[Lot, list[tuple[Shard, Record]]]] = {}
    readers: dict[str, tuple[str, Kinesis, Decoder]] = {}
    for one in records_in(event, "kinesis"):
        stream = str(one.get("eventSourceARN", "")).rpartition("/")[2] or "stream"
        if stream not in readers:
            readers[stream] = _reader(function, stream)
        name, settings, decoder = readers[stream]
        shard, record = _record(one)
        home = _home(record.key, settings)
        at = (stream, part_of_text(home, function.parts.count))
        if at not in lots:
            kept: list[tuple[Shard, Record]] = []
            lots[at] = (Lot(name, home, _decoding(decoder, kept), settings.lateness), kept)
        lot, kept = lots[at]
        kept.append((shard, record))
        lot.ids.append(identity(stream, shard.id, record.sequence))
        lot.items.append(record.sequence)
    return [lot for lot, _ in lots.values()]


def records_in(event: Mapping[str, Any], what: str) -> Sequence[Mapping[str, Any]]:
    """The records of an event, each with a part of that name.

    Raises
    ------
    ConfigError
        It is another event.
    """
    found = event.get("Records")
    if not isinstance(found, list) or any(not isinstance(one, dict) or what not in one for one in found):
        raise ConfigError(
            f"This is no event with records of {what!r}: {json.dumps(event, default=str)[:200]}. Name the handler that "
            "belongs to the event source."
        )
    return found


def _reader(function: Function, stream: str) -> tuple[str, Kinesis, Decoder]:
    found = function.source("kinesis", lambda s: str(s.stream).rpartition("/")[2] == stream)
    name, settings = found or (stream, Kinesis(stream=stream))
    rows = RowReader(settings.columns, settings.time, settings.labels, settings.key_label, settings.hints)
    return name, settings, Decoder(stream, settings.format, rows)


def _record(one: Mapping[str, Any]) -> tuple[Shard, Record]:
    said = one["kinesis"]
    try:
        data = base64.b64decode(said["data"], validate=True)
    except (binascii.Error, ValueError, KeyError):
        # Told as what it is: a record that cannot be read.
        data = str(said.get("data", "")).encode()
    arrived = float(said.get("approximateArrivalTimestamp") or 0.0)
    shard = Shard(str(one.get("eventID", "")).partition(":")[0] or "shard")
    return shard, Record(str(said["sequenceNumber"]), str(said.get("partitionKey", "")), data, int(arrived * 1e9))


def _home(key: str, settings: Kinesis) -> str:
    """The entity of what stands under a partition key, where that is known from the key."""
    return key if settings.key_label is None else str(SeriesKey("x", labels_of(key, settings.key_label)).entity)


def _decoding(decoder: Decoder, kept: Sequence[tuple[Shard, Record]]) -> Callable[[Sequence[int]], Decoded]:
    def decode(numbers: Sequence[int]) -> Decoded:
        chosen = [kept[n] for n in numbers]
        if not chosen:
            return Decoded()
        at = {record.sequence: number for number, (_, record) in zip(numbers, chosen, strict=True)}
        # A shard's name is for letters only: an event has records of one.
        found = decoder.decode(chosen[0][0], [record for _, record in chosen])
        letters = [(at[one.sequence], json.loads(one.line)) for one in found.letters]
        return Decoded(found.readings, letters)

    return decode
