"""What a queue says of new objects: events of S3, of EventBridge, and both inside a notification of SNS."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from watchband.core.errors import DataError

RECORDS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Notice:
    """An object of a bucket was written."""

    bucket: str
    key: str


def read_notices(text: str) -> list[Notice]:
    """The objects that a message names; a test event, and what is no writing of an object, name none.

    Parameters
    ----------
    text : str
        The body of the message.

    Raises
    ------
    DataError
        It is nothing of the kind.

    Examples
    --------
    >>> object_ = {"bucket": {"name": "b"}, "object": {"key": "a+b%3D1.csv"}}
    >>> read_notices(json.dumps({"Records": [{"eventName": "ObjectCreated:Put", "s3": object_}]}))
    [Notice(bucket='b', key='a b=1.csv')]
    """
    document = _document(text)
    if document.get("Type") == "Notification" and isinstance(document.get("Message"), str):
        document = _document(document["Message"])
    if document.get("Event") == "s3:TestEvent":
        return []
    try:
        if document.get("source") == "aws.s3":
            detail = document["detail"]
            written = document.get("detail-type") == "Object Created"
            # EventBridge gives keys as they are, S3 itself as in an address.
            return [_notice(detail["bucket"]["name"], detail["object"]["key"])] if written else []
        records = document["Records"]
        if not isinstance(records, list) or len(records) > RECORDS_MAX:
            raise DataError("The message has no list of records, or far too many.")
        return [
            _notice(one["s3"]["bucket"]["name"], unquote_plus(one["s3"]["object"]["key"]))
            for one in records
            if str(one["eventName"]).removeprefix("s3:").startswith("ObjectCreated:")
        ]
    except (KeyError, TypeError, AttributeError):
        raise DataError(
            "The message is no event of S3. Expected what S3 sends to a queue, by itself, by SNS or by EventBridge."
        ) from None


def _notice(bucket: Any, key: Any) -> Notice:
    if not isinstance(bucket, str) or not isinstance(key, str):
        raise TypeError
    return Notice(bucket, key)


def _document(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise DataError("The message is no JSON object. Expected what S3 sends to a queue.")
    return found
