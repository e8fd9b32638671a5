"""What is sent to topics, queues and buses: our own document, or one shaped like an alarm of CloudWatch."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from watchband.adapters.sinks.message import document, event_of, message_of, plain
from watchband.core.alert import Alert
from watchband.core.duration import SECOND
from watchband.core.ports import Notice

BYTES_MAX = 230_000
"""Of a body as it is sent, so that with attributes, subject and texts a message stays below 262,144 bytes."""
ATTRIBUTES_MAX = 10
"""A queue that is given messages raw lets go of those with more."""
ATTRIBUTE_MAX = 256
_SHORTEST = 64
FORMATS = ("native", "cloudwatch")
_STATES = {"opened": ("OK", "ALARM"), "changed": ("ALARM", "ALARM"), "ended": ("ALARM", "OK")}
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]")
_GROUP = re.compile(r"""[A-Za-z0-9!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]{1,128}""")
_OWN = ("severity", "watch", "event", "metric")
_NO_DIMENSIONS = ("namespace", "stat", "region", "account")


def states(notice: Notice) -> tuple[str, str]:
    """The state before and after a notice, as alarms have them: ``OK`` or ``ALARM``."""
    return _STATES[event_of(notice)]


def body_of(notice: Notice, form: str, *, region: str = "", account: str = "") -> str:
    """The body of a notice as JSON; the same notice always has the same.

    Texts that would make it longer than ``BYTES_MAX`` are cut.
    """
    return fitted(alarm(notice, region, account) if form == "cloudwatch" else document(notice))


def alarm(notice: Notice, region: str = "", account: str = "") -> dict[str, Any]:
    """A notice as CloudWatch tells of an alarm by SNS, for programs that read those; ``Watchband`` holds the rest.

    Examples
    --------
    >>> from watchband.testing.contracts.outbox import an_alert
    >>> told = alarm(Notice(an_alert(), 1, "topic"), "eu-west-1", "111122223333")
    >>> told["AlarmName"], told["NewStateValue"], told["Trigger"]["ComparisonOperator"], told["Trigger"]["Threshold"]
    ('w: cpu{host="a"}', 'ALARM', 'GreaterThanUpperThreshold', 2.0)
    """
    alert, message = notice.alert, message_of(notice)
    before, after = states(notice)
    name = plain(f"{alert.watch}: {alert.series}", 255)
    return {
        "AlarmName": name,
        "AlarmDescription": message.title,
        "AWSAccountId": account,
        "AlarmConfigurationUpdatedTimestamp": _stamp(alert.opened),
        "NewStateValue": after,
        "NewStateReason": message.reason,
        "StateChangeTime": _stamp(max(alert.decided, alert.peak_time, alert.closed or 0)),
        "Region": region,
        "AlarmArn": f"arn:aws:cloudwatch:{region}:{account}:alarm:{name}",
        "OldStateValue": before,
        "OKActions": [],
        "AlarmActions": [],
        "InsufficientDataActions": [],
        "Trigger": _trigger(alert),
        "Watchband": document(notice),
    }


def _trigger(alert: Alert) -> dict[str, Any]:
    labels = alert.series.labels
    below = alert.direction == "below"
    edge = alert.lower if below else alert.upper
    operator = "LessThanLowerThreshold" if below else "GreaterThanUpperThreshold"
    known = math.isfinite(edge)
    return {
        "MetricName": alert.series.metric,
        "Namespace": labels.get("namespace", "Watchband"),
        "StatisticType": "Statistic",
        "Statistic": labels.get("stat", "Average").upper(),
        "Unit": None,
        "Dimensions": [
            {"value": value, "name": name.removeprefix("dimension_")}
            for name, value in labels.items()
            if name not in _NO_DIMENSIONS
        ],
        "Period": 60,
        "EvaluationPeriods": max(1, alert.points),
        "DatapointsToAlarm": max(1, alert.points),
        "ComparisonOperator": operator if known else "LessThanLowerOrGreaterThanUpperThreshold",
        "Threshold": edge if known else None,
        "TreatMissingData": "breaching" if alert.kind == "no data" else "missing",
        "EvaluateLowSampleCountPercentile": "",
    }


def _stamp(time: int) -> str:
    """Milliseconds and an offset without a colon, as CloudWatch writes it."""
    moment = datetime.fromtimestamp(time // SECOND, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time % SECOND // 10**6:03d}+0000"


def fitted(found: Mapping[str, Any], most: int = BYTES_MAX) -> str:
    """JSON of at most so many bytes, once more as a text within JSON: long texts are cut until it fits.

    Examples
    --------
    >>> fitted({"id": "a-1", "labels": {"x": "y" * 500}}, 300)[-12:]
    'yyyyyyyy…"}}'
    """
    longest = most
    while True:
        text = as_json(_cut(found, longest))
        if len(as_json(text).encode()) <= most or longest < _SHORTEST:
            return text
        longest //= 2


def _cut(value: Any, most: int) -> Any:
    if isinstance(value, str):
        whole = value.encode("utf-8", "replace").decode().replace("\ufffe", "?").replace("\uffff", "?")
        return whole if len(whole) <= most else whole[:most] + "…"
    if isinstance(value, Mapping):
        return {_cut(name, most): _cut(child, most) for name, child in value.items()}
    if isinstance(value, list | tuple):
        return [_cut(child, most) for child in value]
    return value


def as_json(value: Any) -> str:
    """Compact JSON with every character as itself."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def attributes_of(notice: Notice, chosen: Sequence[str] = (), *, room: int = ATTRIBUTES_MAX) -> dict[str, str]:
    """Attributes for filters: severity, watch, event, metric, then labels, as many as there is room for.

    ``chosen`` labels come first and in this order; a label of a name that is taken is called ``label.NAME``.

    Examples
    --------
    >>> from watchband.testing.contracts.outbox import an_alert
    >>> attributes_of(Notice(an_alert(), 1, "topic"))
    {'severity': 'info', 'watch': 'w', 'event': 'opened', 'metric': 'cpu', 'host': 'a'}
    """
    alert, labels = notice.alert, notice.alert.series.labels
    own = (alert.severity, alert.watch, event_of(notice), alert.series.metric)
    found = dict(zip(_OWN, map(_value, own), strict=True))
    for name in (*(c for c in chosen if c in labels), *(n for n in labels if n not in chosen)):
        for called in _names(name):
            if called not in found:
                found[called] = _value(labels[name])
                break
    # None of them may be empty.
    return dict([(name, text) for name, text in found.items() if text][:room])


def _value(text: str) -> str:
    """A filter compares it: without the marks that set apart what runs from right to left."""
    return plain(text, ATTRIBUTE_MAX).strip("\u2068\u2069")


def _names(label: str) -> Iterator[str]:
    """Names of an attribute for a label, the best first: no dot at an end, no two in a row, none of AWS's."""
    fit = re.sub(r"\.+", ".", _NOT_IN_NAMES.sub("_", label[:100])).strip(".") or "_"
    if not fit.lower().startswith(("aws.", "amazon.")):
        yield fit
    yield f"label.{fit}"
    yield f"label.{fit}.{hashlib.blake2b(label.encode('utf-8', 'replace'), digest_size=4).hexdigest()}"


def group_of(notice: Notice) -> str:
    """The group within which a FIFO topic or queue keeps the order: the entity, that is the labels of the series.

    Examples
    --------
    >>> from watchband.testing.contracts.outbox import an_alert
    >>> group_of(Notice(an_alert(), 1, "topic"))
    '{host="a"}'
    """
    entity = str(notice.alert.series.entity)
    if _GROUP.fullmatch(entity):
        return entity
    return hashlib.blake2b(entity.encode("utf-8", "replace"), digest_size=16).hexdigest()
