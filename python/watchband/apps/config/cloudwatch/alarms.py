"""An alarm as a watch."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from watchband.apps.config.cloudwatch.sources import Sources
from watchband.apps.config.vmanomaly.values import Note
from watchband.core.duration import SECOND
from watchband.core.timestamp import format_rfc3339

_BAND = re.compile(r"\s*ANOMALY_DETECTION_BAND\(\s*(\w+)\s*(?:,\s*([0-9.]+)\s*)?\)\s*")
_MISSING = {"missing": "missing", "notBreaching": "not_breaching", "breaching": "breaching", "ignore": "ignore"}
_BAND_WIDTH = 2.0
EXCLUDED_MAX = 10
"""Ranges that a detector of CloudWatch may have."""
_DIRECTIONS = {
    "LessThanLowerOrGreaterThanUpperThreshold": "both",
    "GreaterThanUpperThreshold": "above",
    "LessThanLowerThreshold": "below",
}


@dataclass
class Alarmed:
    """Keys of a watch, and what is to be said of them; without ``match`` there is none."""

    match: str = ""
    keys: dict[str, Any] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)

    def note(self, level: Literal["mapped", "approximated", "left_out"], said: str) -> None:
        """Remember something for the comments."""
        self.notes.append(Note(level, said))


def alarmed(alarm: Mapping[str, Any], detectors: Sequence[dict[str, Any]], sources: Sources) -> Alarmed:
    """The watch of an alarm.

    Parameters
    ----------
    alarm : mapping
        A MetricAlarm of the API.
    detectors : sequence of dict
        Anomaly detectors: what they say of training goes with the alarm on their band.
    sources : Sources
        Takes the metrics that it needs.
    """
    made = Alarmed()
    if alarm.get("MetricName"):
        stat = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
        made.match = sources.metric(alarm, stat, int(alarm.get("Period", 300)))
        _threshold(made, alarm)
    else:
        _math(made, alarm, detectors, sources)
    if not made.match:
        return made
    _policy(made, alarm)
    if alarm.get("ActionsEnabled") is False:
        made.keys["route"] = []
        made.note("mapped", "its actions are disabled, so nobody is told (route: []).")
    elif alarm.get("AlarmActions"):
        made.note("left_out", "actions: " + ", ".join(alarm["AlarmActions"])[:300])
    if alarm.get("EvaluateLowSampleCountPercentile") == "ignore":
        made.note("left_out", "EvaluateLowSampleCountPercentile: periods of few samples are judged as all others.")
    if alarm.get("Unit"):
        made.note("left_out", f"Unit {alarm['Unit']}: readings of every unit are read.")
    return made


def _threshold(made: Alarmed, alarm: Mapping[str, Any]) -> None:
    """A fixed limit."""
    operator, limit = str(alarm.get("ComparisonOperator", "")), alarm.get("Threshold")
    if operator not in (
        "GreaterThanThreshold", "GreaterThanOrEqualToThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold",
    ) or limit is None:  # fmt: skip
        made.keys["detector"] = "auto"
        made.note("left_out", f"the comparison {operator!r}: 'auto' judges, one alert a week per series.")
        return
    above = operator.startswith("Greater")
    made.keys["detector"] = f"threshold:high={limit:g},low=none" if above else f"threshold:low={limit:g},high=none"
    made.note("mapped", f"a fixed limit, {limit:g}. 'detector: auto' instead learns what is usual.")
    if "OrEqual" in operator:
        made.note("approximated", f"{limit:g} itself was a breach there and is none here.")


def _math(made: Alarmed, alarm: Mapping[str, Any], detectors: Sequence[dict[str, Any]], sources: Sources) -> None:
    """Metric math: the band of a detector, or an expression against a limit."""
    queries = {str(query["Id"]): query for query in alarm.get("Metrics") or ()}
    if not queries:
        made.note("left_out", "it has no metric that can be read (a Metrics Insights or PromQL query).")
        return
    band = _BAND.fullmatch(str(queries.get(str(alarm.get("ThresholdMetricId")), {}).get("Expression", "")))
    shown = [query for query in queries.values() if query.get("ReturnData", True)]
    chosen = queries.get(band[1]) if band else (shown[0] if len(shown) == 1 else None)
    if chosen is None:
        made.note("left_out", "which of its queries is judged is not clear.")
        return
    made.match = _series(alarm, chosen, queries, sources)
    if not made.match:
        made.note("left_out", f"its expression is made of others: {str(chosen.get('Expression'))[:200]}")
        return
    if band is None:
        _threshold(made, alarm)
        return
    width = float(band[2] or _BAND_WIDTH)
    made.keys["detector"] = "auto"
    made.keys["direction"] = _DIRECTIONS.get(str(alarm.get("ComparisonOperator")), "both")
    made.note(
        "approximated",
        f"ANOMALY_DETECTION_BAND of {width:g} standard deviations: here the band is as wide as one alert a week per "
        f"series wants it. More alerts: budget: 1/day. Exactly {width:g} scale units: detector: seasonal_band with "
        f"width: {width:g}.",
    )
    for detector in detectors:
        if same_metric(detector, alarm):
            trained(made, detector)


def _series(alarm: Mapping[str, Any], chosen: Mapping[str, Any], queries: Mapping[str, Any], sources: Sources) -> str:
    """The selector of what a query stands for; empty where it cannot be read alike."""
    if "MetricStat" in chosen:
        stat = chosen["MetricStat"]
        return sources.metric(stat["Metric"], stat["Stat"], int(stat["Period"]))
    words = set(re.findall(r"\b[a-z]\w*\b", str(chosen.get("Expression", ""))))
    used = {name: query for name, query in queries.items() if name in words}
    if any("MetricStat" not in query for query in used.values()):
        return ""
    using = {name: query["MetricStat"] for name, query in used.items()}
    period = int(chosen.get("Period") or next((s["Period"] for s in using.values()), 300))
    name = "".join(c if c.isalnum() or c == "_" else "_" for c in str(alarm["AlarmName"]))[:80]
    return sources.expression(name or "expression", str(chosen["Expression"]), using, period)


def _policy(made: Alarmed, alarm: Mapping[str, Any]) -> None:
    periods = int(alarm.get("EvaluationPeriods") or 1)
    points = int(alarm.get("DatapointsToAlarm") or periods)
    if points < periods:
        made.keys["m_of_n"] = f"{points}/{periods}"
    elif periods > 1:
        made.keys["consecutive"] = periods
    missing = _MISSING.get(str(alarm.get("TreatMissingData", "missing")), "missing")
    if missing != "missing":
        made.keys["missing"] = missing


def trained(made: Alarmed, detector: Mapping[str, Any]) -> None:
    """What a detector says of its training."""
    configuration = detector.get("Configuration") or {}
    zone = configuration.get("MetricTimezone")
    if zone:
        made.keys["timezone"] = zone
    ranges = configuration.get("ExcludedTimeRanges") or []
    if ranges:
        spans = [(_moment(one["StartTime"]), _moment(one["EndTime"])) for one in ranges[:EXCLUDED_MAX]]
        made.keys["exclude"] = [f"{begin}/{end}" for begin, end in spans]
        made.note("mapped", "ExcludedTimeRanges are judged, not learned (exclude).")
    for key in ("AdaptationSpeed", "OutlierFilteringStrength"):
        if configuration.get(key):
            made.note("left_out", f"{key} {configuration[key]}: 'auto' learns at a pace of its own.")
    if (detector.get("MetricCharacteristics") or {}).get("PeriodicSpikes"):
        made.note("mapped", "PeriodicSpikes: 'auto' expects spikes where they come again.")


def _moment(seconds: Any) -> str:
    return format_rfc3339(round(float(seconds) * SECOND))


def same_metric(detector: Mapping[str, Any], alarm: Mapping[str, Any]) -> bool:
    """Whether an alarm is on the band of a detector."""
    single = detector.get("SingleMetricAnomalyDetector")
    queries = alarm.get("Metrics") or ()
    if not any("ANOMALY_DETECTION_BAND" in str(query.get("Expression", "")) for query in queries):
        return False
    stats = [query["MetricStat"] for query in queries if "MetricStat" in query]
    if single is None:
        math = (detector.get("MetricMathAnomalyDetector") or {}).get("MetricDataQueries") or ()
        return [q.get("MetricStat") for q in math if "MetricStat" in q] == stats
    return any(
        stat["Stat"] == single.get("Stat") and label_of_metric(stat["Metric"]) == label_of_metric(single)
        for stat in stats
    )


def label_of_metric(metric: Mapping[str, Any]) -> str:
    """A metric in one word."""
    values = [str(d["Value"]) for d in sorted(metric.get("Dimensions") or (), key=lambda d: str(d["Name"]))]
    return "_".join([str(metric.get("Namespace")), str(metric.get("MetricName")), *values])
