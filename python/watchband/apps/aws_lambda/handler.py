"""The handlers: what AWS Lambda calls, each with an event; ``watchband.apps.aws_lambda.handler.kinesis`` and so on.

Each folds what an event brings through the one runner, over the state that the DynamoDB store has, and returns when it
is durable and told. What an event brings twice is folded once.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any

from watchband.apps.aws_lambda.function import left_of, the_function

Event = Mapping[str, Any]
logging.getLogger("watchband").setLevel(os.environ.get("WATCHBAND_LOG", "INFO"))


def kinesis(event: Event, context: Any) -> dict[str, Any]:
    """Records of a Kinesis stream."""
    from watchband.apps.aws_lambda.kinesis_records import kinesis_lots

    function = the_function(os.environ)
    failed, _ = function.fold(kinesis_lots(function, event), left_of(context))
    return _failures(failed)


def dynamodb_stream(event: Event, context: Any) -> dict[str, Any]:
    """Items of a table, by DynamoDB Streams."""
    from watchband.apps.aws_lambda.stream_items import stream_lots

    function = the_function(os.environ)
    failed, _ = function.fold(stream_lots(function, event), left_of(context))
    return _failures(failed)


def queue(event: Event, context: Any) -> dict[str, Any]:
    """Messages of an SQS queue: points, or events of S3 whose objects are read."""
    from watchband.apps.aws_lambda.messages import fold_messages

    return _failures(fold_messages(the_function(os.environ), event, left_of(context)))


def poll(event: Event, context: Any) -> dict[str, Any]:
    """A schedule: sources that are asked give one round, and what waits is delivered."""
    from watchband.apps.aws_lambda.polling import poll_round

    return poll_round(the_function(os.environ), left_of(context))


def train(event: Event, context: Any) -> dict[str, Any]:
    """A schedule: cut-offs are trained anew; ``watch``, ``days``, ``k`` and ``robust`` may stand in the event."""
    from watchband.apps.aws_lambda.training import train_part, wanted_of

    function = the_function(os.environ)
    wanted, now = wanted_of(event), function.clock.now()
    trained = [one for _, part in function.every_part() for one in train_part(part, wanted, now)]
    return {"trained": trained}


def export(event: Event, context: Any) -> dict[str, Any]:
    """A schedule: what was acknowledged goes to the archive in the bucket; what the store keeps no longer leaves it."""
    from watchband.apps.aws_lambda.exporting import export_parts

    return export_parts(the_function(os.environ), left_of(context))


def _failures(items: list[str]) -> dict[str, Any]:
    """What Lambda is to send again."""
    return {"batchItemFailures": [{"itemIdentifier": item} for item in items]}
