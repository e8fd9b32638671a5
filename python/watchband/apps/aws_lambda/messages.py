"""Messages of SQS: points and rows as in records of Kinesis, and events of S3, whose objects are read."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any

from watchband.adapters.sources.kinesis.client import Record
from watchband.adapters.sources.kinesis.records import Decoder
from watchband.adapters.sources.kinesis.rows import RowReader
from watchband.adapters.sources.kinesis.settings import Kinesis
from watchband.adapters.sources.kinesis.shards import Shard
from watchband.adapters.sources.s3.notices import Notice, read_notices
from watchband.apps.aws_lambda.function import Function
from watchband.apps.aws_lambda.identities import identity
from watchband.apps.aws_lambda.kinesis_records import records_in
from watchband.apps.aws_lambda.lots import Decoded, Lot
from watchband.core.errors import DataError, TransientError, WatchbandError
from watchband.core.ports import Batch

log = logging.getLogger("watchband.lambda")
QUEUE = "queue"
"""The source that messages with points belong to."""


def fold_messages(function: Function, event: Mapping[str, Any], left_s: Callable[[], float]) -> list[str]:
    """Fold the messages of an event, one after the other; those that are to come again.

    Raises
    ------
    WatchbandError
        None of them was folded.
    """
    failed: list[str] = []
    first: WatchbandError | None = None
    records = records_in(event, "body")
    for number, one in enumerate(records):
        try:
            _fold(function, one, left_s)
        except WatchbandError as error:
            first = first or error
            log.error("message %s comes again: %s", one.get("messageId"), error)
            failed.append(str(one.get("messageId")))
            if str(one.get("eventSourceARN", "")).endswith(".fifo"):
                # What is behind it must not overtake it.
                failed += [str(later.get("messageId")) for later in records[number + 1 :]]
                break
    if first is not None and len(failed) == len(records):
        raise first
    return failed


def _fold(function: Function, one: Mapping[str, Any], left_s: Callable[[], float]) -> None:
    body = str(one["body"])
    try:
        notices = read_notices(body)
    except DataError:
        function.fold([_points(one, body)], left_s)
        return
    for notice in notices:
        _object(function, notice, str(one.get("messageId")), left_s)


def _points(one: Mapping[str, Any], body: str) -> Lot:
    settings = Kinesis(stream=QUEUE, key_label=None)
    rows = RowReader(settings.columns, settings.time, settings.labels, settings.key_label, settings.hints)
    decoder = Decoder(QUEUE, settings.format, rows)
    message = str(one.get("messageId"))

    def decode(numbers: Sequence[int]) -> Decoded:
        record = Record(message, "", body.encode(), 0)
        found = decoder.decode(Shard(QUEUE), [record] if numbers else [])
        return Decoded(found.readings, [(0, json.loads(letter.line)) for letter in found.letters])

    return Lot(QUEUE, message, decode, 0, [identity(QUEUE, message)], [message])


def _object(function: Function, notice: Notice, message: str, left_s: Callable[[], float]) -> None:
    """The readings of an object, piece by piece: one that is too long for an invocation goes on in the next."""
    found = function.source("s3", lambda s: s.address.bucket == notice.bucket)
    if found is None:
        from watchband.core.errors import ConfigError

        raise ConfigError(f"s3://{notice.bucket}/{notice.key} is new, and no source of kind 's3' says how it is read.")
    name, settings = found
    with closing(settings.open(name, clock=function.clock)) as source:
        for batch in source.read_object(notice):
            if left_s() <= 1.0:
                raise TransientError(f"s3://{notice.bucket}/{notice.key} goes on with its next message.")
            if batch.readings:
                function.fold([_piece(name, settings.lateness, notice, batch, message)], left_s)
        letters = [
            {"source": name, "reason": why, "object": f"s3://{notice.bucket}/{what}"}
            for what, why in source.problems.items()
        ]
        function.letters.send(letters)


def _piece(name: str, lateness: int, notice: Notice, batch: Batch, message: str) -> Lot:
    decoded = Decoded(batch.readings)
    one = identity(notice.bucket, notice.key, batch.position)
    return Lot(name, notice.key, lambda numbers: decoded if numbers else Decoded(), lateness, [one], [message])
