"""Events of DynamoDB Streams: every new or changed item is a reading."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from watchband.adapters.sources.push.dynamodb_stream import DynamoStreamSettings, item_readings
from watchband.adapters.sources.web.mapping import readings_of
from watchband.apps.aws_lambda.function import Function
from watchband.apps.aws_lambda.identities import identity
from watchband.apps.aws_lambda.kinesis_records import records_in
from watchband.apps.aws_lambda.lots import Decoded, Lot
from watchband.apps.aws_lambda.parts import part_of_text
from watchband.core.errors import DataError
from watchband.core.series import SeriesKey


def stream_lots(function: Function, event: Mapping[str, Any]) -> list[Lot]:
    """The items of an event, by the homes of their entities.

    Raises
    ------
    ConfigError
        It is no event of DynamoDB Streams.
    """
    name, settings = function.source("dynamodb_stream") or ("dynamodb_stream", DynamoStreamSettings())
    lots: dict[int, tuple[Lot, list[Mapping[str, Any]]]] = {}
    for one in records_in(event, "dynamodb"):
        said = one["dynamodb"]
        sequence = str(said.get("SequenceNumber", ""))
        home = _home(said, settings)
        part = part_of_text(home, function.parts.count)
        if part not in lots:
            kept: list[Mapping[str, Any]] = []
            lots[part] = (Lot(name, home, _decoding(kept, settings), settings.lateness), kept)
        lot, kept = lots[part]
        kept.append(one)
        lot.ids.append(identity(str(one.get("eventSourceARN", "")), str(one.get("eventID", "")), sequence))
        lot.items.append(sequence)
    return [lot for lot, _ in lots.values()]


def _home(said: Mapping[str, Any], settings: DynamoStreamSettings) -> str:
    try:
        return str(item_readings(said.get("NewImage") or {}, settings)[0].key.entity)
    except DataError:
        return str(said.get("Keys", ""))


def _decoding(kept: Sequence[Mapping[str, Any]], settings: DynamoStreamSettings) -> Callable[[Sequence[int]], Decoded]:
    def decode(numbers: Sequence[int]) -> Decoded:
        points: list[tuple[SeriesKey, int, float]] = []
        letters: list[tuple[int, dict[str, Any]]] = []
        for number in numbers:
            one = kept[number]
            if one.get("eventName") == "REMOVE":
                # An item whose time to live is over was a reading all the same.
                continue
            try:
                image = one["dynamodb"].get("NewImage")
                if not isinstance(image, dict):
                    raise DataError("there is no new image: the stream's view type is to be NEW_IMAGE")
                found = item_readings(image, settings)
            except DataError as error:
                letters.append(
                    (number, {"source": "dynamodb_stream", "reason": str(error), "data": str(one["dynamodb"])})
                )
            else:
                points += [(r.key, int(r.times[0]), float(r.values[0])) for r in found]
        return Decoded(readings_of(points), letters)

    return decode
