"""The server: credentials, rates, one operation a request, faults on demand."""

from __future__ import annotations

import gzip
import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape

from watchband.core.clock import Clock, SystemClock
from watchband.core.duration import SECOND
from watchband.testing.cloudwatch import alarming, neighbours
from watchband.testing.cloudwatch.account import Cloud
from watchband.testing.cloudwatch.forms import PATH, from_cbor, from_query, refused_in, said_in, to_cbor
from watchband.testing.cloudwatch.listing import list_metrics
from watchband.testing.cloudwatch.metric_data import get_metric_data
from watchband.testing.cloudwatch.refusal import Refusal
from watchband.testing.cloudwatch.writing import put_metric_data
from watchband.testing.outside import Answer, FaultyServer, Request

TARGET = "GraniteServiceVersion20100801."
OPERATIONS: Mapping[str, Callable[[Cloud, Mapping[str, Any]], dict[str, Any]]] = {
    "ListMetrics": list_metrics,
    "GetMetricData": get_metric_data,
    "DescribeAlarms": alarming.describe_alarms,
    "DescribeAnomalyDetectors": alarming.describe_anomaly_detectors,
    "ListAlarmMuteRules": alarming.list_alarm_mute_rules,
    "GetAlarmMuteRule": alarming.get_alarm_mute_rule,
}
# User Guide: CloudWatch service quotas. Transactions a second of an account and region, before they are throttled.
QUOTAS = {"GetMetricData": 50, "ListMetrics": 25, "PutMetricData": 500, "DescribeAlarms": 9}
_SCOPE = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request, SignedHeaders=[^,]+, "
                    r"Signature=[0-9a-f]{64}")  # fmt: skip


class CloudWatchServer(FaultyServer):
    """A CloudWatch on loopback.

    Parameters
    ----------
    clock : Clock, optional
        What time it is there.
    keys : mapping of str to str
        Access keys and whose they are; others are refused.

    Attributes
    ----------
    cloud : Cloud
        What it knows.
    calls, forms : Counter of str
        Requests by operation; those in ``cbor`` and ``query``.
    bodies : list of (str, dict)
        Every request: operation and what was asked.
    roles : set of str
        Roles that may be assumed, by ARN.
    denied : set of str
        Operations that the credentials may not use.
    """

    def __init__(self, clock: Clock | None = None, keys: Mapping[str, str] | None = None) -> None:
        self.cloud = Cloud(clock or SystemClock())
        self.keys = dict(keys or {"AKIDEXAMPLE": "home"})
        self.calls: Counter[str] = Counter()
        self.forms: Counter[str] = Counter()
        self.bodies: list[tuple[str, dict[str, Any]]] = []
        self.roles: set[str] = set()
        self.denied: set[str] = set()
        self.quotas = dict(QUOTAS)
        self._refusals: dict[str, list[Refusal]] = {}
        self._spent: Counter[tuple[str, int]] = Counter()
        self._lock = threading.Lock()
        super().__init__(self._answer, clock=clock, content_type="application/x-amz-json-1.0")

    def refuse(self, operation: str, code: str, times: int = 1) -> None:
        """The next requests of an operation are refused."""
        self._refusals.setdefault(operation, []).extend([Refusal(code, "Rate exceeded")] * times)

    def _answer(self, request: Request) -> Answer:
        target = request.headers.get("x-amz-target", "")
        try:
            service = self._known(request)
            if service == "sts":
                return neighbours.sts(self.roles, self.keys, request.body)
            if service == "tagging":
                self.calls["GetResources"] += 1
                return _said(neighbours.get_resources(self.cloud, json.loads(request.body or b"{}")))
            if service == "monitoring" and (form := _form(request)):
                return self._in_form(form, request)
            if service != "monitoring" or not target.startswith(TARGET):
                raise Refusal("UnknownOperation", f"{target!r} is no operation of {service!r} here.")
            with self._lock:
                asked = json.loads(_body(request) or b"{}")
                return _said(self._called(target.removeprefix(TARGET), asked, len(request.body)))
        except Refusal as refusal:
            return refused(refusal)

    def _known(self, request: Request) -> str:
        """The service of the signature (General Reference: Signature Version 4); its digest is not checked."""
        given = request.headers.get("authorization", "")
        if not given:
            raise Refusal("MissingAuthenticationToken", "Missing Authentication Token")
        match = _SCOPE.fullmatch(given)
        if match is None or "x-amz-date" not in request.headers:
            raise Refusal("MissingAuthenticationToken", "The authorization header is not of Signature Version 4.")
        if match[1] not in self.keys:
            raise Refusal("UnrecognizedClientException", "The security token included in the request is invalid.")
        return match[3]

    def _in_form(self, form: str, request: Request) -> Answer:
        """The same in Smithy's CBOR or in the query protocol, which clients spoke before JSON."""
        self.forms[form] += 1
        try:
            if form == "query":
                operation, asked = from_query(_body(request))
            else:
                operation, asked = PATH.fullmatch(request.path)[1], from_cbor(_body(request) or to_cbor({}))  # type: ignore[index]
            with self._lock:
                return said_in(form, operation, self._called(operation, asked, len(request.body)))
        except Refusal as refusal:
            return refused_in(form, refusal)

    def _called(self, operation: str, asked: dict[str, Any], size: int) -> dict[str, Any]:
        self.calls[operation] += 1
        self.bodies.append((operation, asked))
        if operation in self.denied:
            raise Refusal("AccessDenied", f"User is not authorized to perform: cloudwatch:{operation}")
        waiting = self._refusals.get(operation)
        if waiting:
            raise waiting.pop(0)
        second = self.cloud.clock.now() // SECOND
        self._spent[operation, second] += 1
        if self._spent[operation, second] > self.quotas.get(operation, 1000):
            raise Refusal("Throttling", "Rate exceeded")
        if operation == "PutMetricData":
            return put_metric_data(self.cloud, asked, size)
        if operation not in OPERATIONS:
            raise Refusal("UnknownOperation", f"{operation} is not done here.")
        return OPERATIONS[operation](self.cloud, asked)


def _form(request: Request) -> str:
    """``cbor`` or ``query``; empty: JSON."""
    if PATH.fullmatch(request.path) and request.headers.get("smithy-protocol") == "rpc-v2-cbor":
        return "cbor"
    return "query" if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded") else ""


def _body(request: Request) -> bytes:
    return gzip.decompress(request.body) if request.headers.get("content-encoding") == "gzip" else request.body


def _said(document: dict[str, Any]) -> Answer:
    return Answer(json.dumps(document).encode(), headers={"x-amzn-RequestId": "00000000-0000-0000-0000-000000000000"})


def refused(refusal: Refusal) -> Answer:
    """An error as AWS JSON 1.0 has it, with the code of the query protocol in a header (Smithy: awsQueryCompatible)."""
    document = {"__type": f"com.amazonaws.cloudwatch.v2010_08_01#{refusal.shape}", "message": escape(refusal.message)}
    sender = "Sender" if refusal.status < 500 else "Receiver"
    headers = {"x-amzn-query-error": f"{refusal.code};{sender}"}
    return Answer(json.dumps(document).encode(), refusal.status, headers)
