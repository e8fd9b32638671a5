"""CloudWatch metric streams as Firehose delivers them: JSON, OpenTelemetry 1.0.0 and 0.7.0; a record says which."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from watchband.adapters.sources.cloudwatch.names import is_statistic, key_of
from watchband.adapters.sources.push.keys import Cache
from watchband.adapters.sources.push.otlp_summaries import summaries
from watchband.adapters.sources.push.payload import Decoded, Gatherer, PayloadError
from watchband.adapters.sources.push.settings import PushSettings
from watchband.core import params
from watchband.core.duration import MINUTE
from watchband.core.errors import ConfigError, DataError
from watchband.core.kinds import Duration, ListOf
from watchband.core.params import Flag, Text, param
from watchband.core.series import SeriesKey

RECORDS_MAX = 10_000
DECODED_MAX = 64 << 20
"""Bytes of all records together, once they are decoded."""
REQUEST_ID_MAX = 200
_MS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class MetricStreamSettings(PushSettings):
    """What a CloudWatch metric stream sends through Firehose to `POST /api/v1/firehose`."""

    kind: ClassVar[str] = "metric_stream"

    lateness: int = param(6 * MINUTE, Duration(0), "How long after its time a point may still come in order.")
    statistics: tuple[str, ...] = param(
        ("Average",), ListOf(Text("a statistic: Average, Sum, p99"), 1), "Series that are made of each metric."
    )
    with_account: bool = param(False, Flag(), "Series carry the account as a label.")

    def __post_init__(self) -> None:
        params.check(self)
        for stat in self.statistics:
            if not is_statistic(stat):
                raise ConfigError(f"{stat!r} in 'statistics' is none of CloudWatch: Average, Sum, Maximum, p99.")


@dataclass(frozen=True, slots=True)
class Summary:
    """One reading of a stream: a metric and everything that is said of it at a time.

    ``values`` has ``count``, ``sum``, ``min``, ``max`` and other statistics by their names.
    """

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    region: str
    account: str
    time: int
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A request of Firehose: its id and its records."""

    request_id: str
    records: Sequence[bytes]


def read_delivery(body: bytes) -> Delivery:
    """Open a request.

    Raises
    ------
    PayloadError
        Not what Firehose sends, or larger than allowed.

    Examples
    --------
    >>> read_delivery(b'{"requestId": "a", "timestamp": 1, "records": [{"data": "eHl6"}]}').records
    [b'xyz']
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise PayloadError(f"This body is no JSON: {str(error)[:100]}.") from None
    records = document.get("records") if isinstance(document, dict) else None
    if not isinstance(records, list) or not isinstance(document.get("requestId"), str):
        raise PayloadError('Expected what Firehose sends: {"requestId": …, "timestamp": …, "records": [{"data": …}]}.')
    if len(records) > RECORDS_MAX:
        raise PayloadError(f"A request holds at most {RECORDS_MAX:,} records. Lower the buffer size of the delivery.")
    found: list[bytes] = []
    size = 0
    for number, record in enumerate(records):
        try:
            data = base64.b64decode(record["data"], validate=True)
        except (TypeError, KeyError, ValueError, binascii.Error):
            raise PayloadError(f"Record {number} holds no base64 'data'.") from None
        size += len(data)
        if size > DECODED_MAX:
            raise PayloadError(f"The records of a request may have {DECODED_MAX >> 20} MiB. Lower the buffer size.")
        found.append(data)
    return Delivery(document["requestId"][:REQUEST_ID_MAX], found)


def decode_metric_stream(
    records: Sequence[bytes], statistics: Sequence[str] = ("Average",), *, with_account: bool = False
) -> Decoded:
    """Readings of records; each stands at the beginning of its period, as those that are asked for do.

    Parameters
    ----------
    records : sequence of bytes
        As Firehose holds them.
    statistics : sequence of str
        Series of each metric.
    with_account : bool
        They carry the account.

    Raises
    ------
    PayloadError
        More points or series than a request may hold.
    """
    gatherer = Gatherer()
    for number, record in enumerate(records):
        where = f"record {number}"
        try:
            for summary in _summaries(record, where, gatherer):
                _add(gatherer, summary, statistics, where, with_account)
        except PayloadError:
            raise
        except DataError as error:
            gatherer.refuse(where, error)
    return gatherer.decoded()


def _summaries(record: bytes, where: str, gatherer: Gatherer) -> Iterator[Summary]:
    # A message of 123 bytes begins like JSON does, but then with the tag of its first field.
    if record[:1] == b"{" and record[1:2] != b"\n":
        yield from _of_lines(record, where, gatherer)
        return
    for one in summaries(record):
        yield Summary(*one)


def _of_lines(record: bytes, where: str, gatherer: Gatherer) -> Iterator[Summary]:
    for number, line in enumerate(record.splitlines()):
        if not line.strip():
            continue
        try:
            yield _of_json(json.loads(line))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as error:
            gatherer.refuse(f"{where}, line {number}", f"no reading of a metric stream: {error!r:.100}")


def _of_json(found: Mapping[str, Any]) -> Summary:
    dimensions = found.get("dimensions") or {}
    return Summary(
        str(found["namespace"]),
        str(found["metric_name"]),
        tuple(sorted((str(name), str(value)) for name, value in dimensions.items())),
        str(found.get("region", "")),
        str(found.get("account_id", "")),
        int(found["timestamp"]) * _MS,
        {str(name): float(value) for name, value in found["value"].items()},
    )


def _add(gatherer: Gatherer, summary: Summary, statistics: Sequence[str], where: str, with_account: bool) -> None:
    for stat in statistics:
        value = statistic(summary.values, stat)
        if value is not None:
            key = _key(summary, stat, summary.account if with_account else "")
            gatherer.add(gatherer.column(key), summary.time, value)
    if not any(statistic(summary.values, stat) is not None for stat in statistics):
        gatherer.refuse(where, f"{summary.name} has none of {', '.join(statistics)}")


def statistic(values: Mapping[str, float], name: str) -> float | None:
    """A statistic of what a stream says; None where it does not say it.

    Examples
    --------
    >>> statistic({"count": 2.0, "sum": 5.0, "p99": 4.0}, "Average"), statistic({"p99": 4.0}, "p99")
    (2.5, 4.0)
    """
    if name == "Average":
        count, total = values.get("count"), values.get("sum")
        found = total / count if count and total is not None else None
    else:
        short = {"SampleCount": "count", "Sum": "sum", "Minimum": "min", "Maximum": "max"}
        found = values.get(short.get(name, name))
    return found if found is not None and math.isfinite(found) else None


_KEYS: Cache[tuple[Any, ...], SeriesKey] = Cache()


def _key(summary: Summary, stat: str, account: str) -> SeriesKey:
    named = (summary.namespace, summary.name, summary.dimensions, summary.region, stat, account)
    key = _KEYS.get(named)
    if key is None:
        key = key_of(
            summary.name,
            summary.dimensions,
            namespace=summary.namespace,
            stat=stat,
            region=summary.region,
            account=account,
        )
        _KEYS.put(named, key)
    return key
