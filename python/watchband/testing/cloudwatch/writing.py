"""PutMetricData (API: PutMetricData, MetricDatum)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from watchband.core.duration import DAY, HOUR, SECOND
from watchband.testing.cloudwatch.account import Cloud, Metric, metric_of
from watchband.testing.cloudwatch.refusal import Refusal

BODY_MAX = 1 << 20
"""API: PutMetricData, "limited to 1 MB in size for HTTP POST requests"; compressed, what is sent counts."""
DATA_MAX = 1000
VALUES_MAX = 150
DIMENSIONS_MAX = 30
VALUE_MAX = 2.0**360
OLDEST, NEWEST = 14 * DAY, 2 * HOUR


def put_metric_data(cloud: Cloud, request: Mapping[str, Any], size: int) -> dict[str, Any]:
    """Keep what was published; all of it or nothing."""
    if size > BODY_MAX:
        raise Refusal("RequestEntityTooLarge", f"Request size exceeded the limit of {BODY_MAX} bytes.")
    data = request.get("MetricData") or []
    if len(data) > DATA_MAX:
        raise Refusal("ValidationError", f"The collection MetricData must not have a size greater than {DATA_MAX}.")
    namespace = request["Namespace"]
    if namespace.startswith("AWS/") or ":" in namespace[:1]:
        # API: PutMetricData, Namespace: "namespaces that begin with AWS/ are reserved".
        raise Refusal("InvalidParameterValue", "The value AWS/ for parameter Namespace is invalid.")
    checked = [_checked(cloud, namespace, datum) for datum in data]
    for metric, time, values, datum in checked:
        high, unit = datum.get("StorageResolution", 60) == 1, datum.get("Unit", "None")
        if isinstance(values, dict):
            cloud.put_set(metric, time, *(float(values[k]) for k in ("SampleCount", "Sum", "Minimum", "Maximum")))
            continue
        for value, count in values:
            cloud.put(metric, [(time, value)] * round(count), arrival=cloud.clock.now(), high=high, unit=unit)
    return {}


def _checked(cloud: Cloud, namespace: str, datum: Mapping[str, Any]) -> tuple[Metric, int, Any, Mapping[str, Any]]:
    dimensions = datum.get("Dimensions") or []
    if len(dimensions) > DIMENSIONS_MAX:
        raise Refusal("ValidationError", f"At most {DIMENSIONS_MAX} dimensions.")
    for dimension in dimensions:
        for text, most in ((dimension["Name"], 255), (dimension["Value"], 1024)):
            # API: Dimension. ASCII, at least one character that is no white space, and a name begins with no colon.
            if not text.strip() or len(text) > most or not text.isascii() or not text.isprintable():
                raise Refusal("InvalidParameterValue", f"The dimension {dimension} is invalid.")
        if dimension["Name"].startswith(":"):
            raise Refusal("InvalidParameterValue", f"The dimension name {dimension['Name']} is invalid.")
    if len({d["Name"] for d in dimensions}) < len(dimensions):
        raise Refusal("InvalidParameterValue", "A dimension stands twice.")
    if datum.get("StorageResolution", 60) not in (1, 60):
        raise Refusal("InvalidParameterValue", "StorageResolution must be 1 or 60.")
    now = cloud.clock.now()
    time = round(float(datum["Timestamp"]) * SECOND) if "Timestamp" in datum else now
    if not now - OLDEST <= time <= now + NEWEST:
        raise Refusal("InvalidParameterValue", "The Timestamp must be within two weeks before and two hours ahead.")
    given = [key for key in ("Value", "Values", "StatisticValues") if key in datum]
    if len(given) != 1:
        raise Refusal("InvalidParameterCombination", "A datum has one of Value, Values, StatisticValues.")
    metric = metric_of(namespace, datum["MetricName"], {d["Name"]: d["Value"] for d in dimensions})
    if given == ["StatisticValues"]:
        return metric, time, datum["StatisticValues"], datum
    values = [datum["Value"]] if given == ["Value"] else datum["Values"]
    counts = datum.get("Counts", [1.0] * len(values))
    if len(values) > VALUES_MAX or len(counts) != len(values):
        raise Refusal("InvalidParameterValue", f"At most {VALUES_MAX} Values, and as many Counts.")
    numbers = [float(value) for value in values]
    if not all(math.isfinite(v) and abs(v) <= VALUE_MAX for v in numbers):
        # "special values (for example, NaN, +Infinity, -Infinity) are not supported"
        raise Refusal("InvalidParameterValue", "The value for parameter Value is not a number CloudWatch takes.")
    return metric, time, list(zip(numbers, counts, strict=True)), datum
