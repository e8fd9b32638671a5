"""DescribeAlarms, DescribeAnomalyDetectors, ListAlarmMuteRules, GetAlarmMuteRule (API: the pages of these names)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from watchband.testing.cloudwatch.account import Cloud
from watchband.testing.cloudwatch.paging import read_token, token_of
from watchband.testing.cloudwatch.refusal import Refusal


def describe_alarms(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """A page of alarms."""
    # "If you omit this parameter, only metric alarms are returned, even if composite alarms exist."
    types = request.get("AlarmTypes") or ["MetricAlarm"]
    prefix, names = request.get("AlarmNamePrefix", ""), request.get("AlarmNames")
    if prefix and names:
        raise Refusal("InvalidParameterCombination", "AlarmNames and AlarmNamePrefix exclude each other.")
    found = [("MetricAlarms", alarm) for alarm in cloud.alarms if "MetricAlarm" in types]
    found += [("CompositeAlarms", alarm) for alarm in cloud.composites if "CompositeAlarm" in types]
    found = [
        (kind, alarm)
        for kind, alarm in found
        if alarm["AlarmName"].startswith(prefix) and (names is None or alarm["AlarmName"] in names)
    ]
    most = _most(request, "MaxRecords", 50, 100)
    page, token = _cut(request, found, most)
    answer: dict[str, Any] = {"MetricAlarms": [], "CompositeAlarms": []}
    for kind, alarm in page:
        answer[kind].append(alarm)
    return answer | token


def describe_anomaly_detectors(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """A page of detectors."""
    # "If empty, defaults to SINGLE_METRIC."
    types = request.get("AnomalyDetectorTypes") or ["SINGLE_METRIC"]
    found = []
    for detector in cloud.detectors:
        kind = "METRIC_MATH" if "MetricMathAnomalyDetector" in detector else "SINGLE_METRIC"
        single = detector.get("SingleMetricAnomalyDetector", {})
        fits = all(request.get(key) in (None, single.get(key)) for key in ("Namespace", "MetricName"))
        if kind in types and fits:
            found.append(detector)
    page, token = _cut(request, found, _most(request, "MaxResults", 50, 100))
    return {"AnomalyDetectors": page} | token


def list_alarm_mute_rules(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """A page of summaries, which hold neither name nor schedule."""
    statuses, alarm = request.get("Statuses"), request.get("AlarmName")
    found = [
        {key: rule[key] for key in ("AlarmMuteRuleArn", "ExpireDate", "Status", "MuteType") if key in rule}
        for rule in cloud.mutes
        if (not statuses or rule["Status"] in statuses)
        and (alarm is None or alarm in rule.get("MuteTargets", {}).get("AlarmNames", ()))
    ]
    page, token = _cut(request, found, _most(request, "MaxRecords", 50, 100))
    return {"AlarmMuteRuleSummaries": page} | token


def get_alarm_mute_rule(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """One rule by its name."""
    for rule in cloud.mutes:
        if rule["Name"] == request["AlarmMuteRuleName"]:
            return rule
    raise Refusal("ResourceNotFound", f"There is no mute rule {request['AlarmMuteRuleName']}.")


def _most(request: Mapping[str, Any], key: str, default: int, limit: int) -> int:
    most = request.get(key, default)
    if not 1 <= most <= limit:
        raise Refusal("InvalidParameterValue", f"{key} must be from 1 to {limit}.")
    return int(most)


def _cut(request: Mapping[str, Any], found: Sequence[Any], most: int) -> tuple[list[Any], dict[str, Any]]:
    at = read_token(request).get("at", 0)
    more = at + most < len(found)
    return list(found[at : at + most]), {"NextToken": token_of(request, at=at + most)} if more else {}
