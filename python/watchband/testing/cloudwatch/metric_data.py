"""GetMetricData (API: GetMetricData, MetricDataQuery, MetricStat)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from watchband.core.duration import DAY, HOUR, MINUTE, SECOND
from watchband.testing.cloudwatch import statistics
from watchband.testing.cloudwatch.account import HOME, Cloud, Metric, Sample
from watchband.testing.cloudwatch.expressions import Series, evaluated
from watchband.testing.cloudwatch.paging import read_token, token_of
from watchband.testing.cloudwatch.refusal import Refusal

QUERIES_MAX = 500
"""API: GetMetricData, "as many as 500 MetricDataQuery structures"."""
POINTS_MAX = 100_800
"""API: GetMetricData, MaxDatapoints: "If you omit this, the default of 100,800 is used"."""
SHORT_PERIODS = (1, 5, 10, 20, 30)
# User Guide: Metrics retention. How old a data point may be to be there at a period, the coarsest first.
RETENTION = ((3600, 455 * DAY), (300, 63 * DAY), (60, 15 * DAY), (1, 3 * HOUR))
_ID = re.compile(r"[a-z][A-Za-z0-9_]*")


@dataclass
class Result:
    """One result on its way: times in seconds, ascending, and values."""

    id: str
    label: str
    times: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    status: str = "Complete"


def get_metric_data(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """A page of results."""
    queries = request.get("MetricDataQueries") or []
    if not queries:
        raise Refusal("MissingParameter", "The parameter MetricDataQueries is required.")
    if len(queries) > QUERIES_MAX:
        raise Refusal(
            "ValidationError", f"The collection MetricDataQueries must not have a size greater than {QUERIES_MAX}."
        )
    _check_ids(queries)
    begin, end = (round(float(request[name]) * SECOND) for name in ("StartTime", "EndTime"))
    if begin >= end:
        raise Refusal("ValidationError", "The parameter StartTime must be less than the parameter EndTime.")
    most = request.get("MaxDatapoints", POINTS_MAX)
    if not 1 <= most <= POINTS_MAX:
        raise Refusal("InvalidParameterValue", f"MaxDatapoints must be from 1 to {POINTS_MAX}.")
    place = read_token(request)
    now = place.get("now", cloud.clock.now())
    results = _results(cloud, queries, begin, end, now)
    return _page(request, results, most, place.get("at", 0), now)


def _check_ids(queries: Sequence[Mapping[str, Any]]) -> None:
    ids = [query.get("Id", "") for query in queries]
    for one in ids:
        # API: MetricDataQuery. "The first character must be a lowercase letter"; letters, numbers and underscores.
        if _ID.fullmatch(one) is None:
            raise Refusal("ValidationError", f"The value {one} for parameter Id is not matching the expected pattern.")
    if len(set(ids)) < len(ids):
        raise Refusal("ValidationError", "The values for parameter Id in MetricDataQueries must be unique.")
    for query in queries:
        # "Within one MetricDataQuery object, you must specify either Expression or MetricStat but not both."
        if ("MetricStat" in query) == ("Expression" in query):
            raise Refusal("InvalidParameterCombination", f"{query['Id']} must have either MetricStat or Expression.")
    if all(query.get("ReturnData") is False for query in queries):
        raise Refusal("ValidationError", "At least one query must have ReturnData set to true.")


def _results(cloud: Cloud, queries: Sequence[Mapping[str, Any]], begin: int, end: int, now: int) -> list[Result]:
    known: dict[str, list[Series]] = {}
    results: list[Result] = []
    for query in queries:
        if "MetricStat" in query:
            result = _stat(cloud, query, begin, end, now)
            known[query["Id"]] = [
                Series(query["Id"], result.label, dict(zip(result.times, result.values, strict=True)))
            ]
            if query.get("ReturnData", True):
                results.append(result)

    def search(text: str, stat: str, period: int) -> list[Series]:
        return _search(cloud, text, stat, period, (begin, end, now))

    for query in queries:
        if "Expression" in query:
            found = evaluated(query["Expression"], known, search)
            known[query["Id"]] = found
            if query.get("ReturnData", True):
                for one in found:
                    label = query.get("Label") or one.label or query["Id"]
                    times = sorted(one.points)
                    results.append(Result(query["Id"], label, times, [one.points[t] for t in times]))
    return results


def _stat(cloud: Cloud, query: Mapping[str, Any], begin: int, end: int, now: int) -> Result:
    stat = query["MetricStat"]
    statistics.check(stat["Stat"])
    period = stat["Period"]
    if period not in SHORT_PERIODS and (period < 60 or period % 60):
        # API: MetricStat, Period.
        raise Refusal("InvalidParameterValue", "Period must be 1, 5, 10, 20, 30 or a multiple of 60.")
    named = stat["Metric"]
    dimensions = tuple(sorted((d["Name"], d["Value"]) for d in named.get("Dimensions") or ()))
    metric = Metric(query.get("AccountId", HOME), named["Namespace"], named["MetricName"], dimensions)
    result = Result(query["Id"], query.get("Label") or f"{metric.name}")
    if metric.account != HOME and metric.account not in cloud.linked:
        # API: MetricDataResult, StatusCode: "Forbidden indicates that you do not have permission".
        result.status = "Forbidden"
        return result
    result.status = cloud.status(metric)
    if result.status == "Forbidden":
        return result
    if result.status != "InternalError":
        points = points_of(cloud, metric, stat["Stat"], period, (begin, end, now), stat.get("Unit"))
        if result.status == "PartialData":
            points = points[: len(points) // 2]
        result.times, result.values = [t for t, _ in points], [v for _, v in points]
    return result


def points_of(
    cloud: Cloud, metric: Metric, stat: str, period: int, span: tuple[int, int, int], unit: str | None = None
) -> list[tuple[int, float]]:
    """Times (s) and values of a metric in (begin, end, now), ns."""
    begin, end, now = span
    begin = _rounded(begin, period, now)
    buckets: dict[int, list[Sample]] = {}
    for sample in cloud.seen(metric, now):
        # API: MetricStat, Unit: "the operation returns only data that was collected with that unit".
        if unit is not None and sample.unit != unit:
            continue
        if not sample.high and period < 60:
            # Standard resolution: nothing finer than a minute is kept.
            continue
        start = sample.time // SECOND // period * period
        if begin <= start * SECOND < end and _kept(start * SECOND, period, now):
            buckets.setdefault(start, []).append(sample)
    found = ((start, statistics.statistic(stat, some)) for start, some in sorted(buckets.items()))
    return [(start, value) for start, value in found if value is not None]


def _rounded(begin: int, period: int, now: int) -> int:
    """API: GetMetricData, StartTime: rounded down by its age, or to the period where that is short."""
    if period in SHORT_PERIODS:
        grain = max(period, 1) * SECOND
    else:
        age = now - begin
        grain = MINUTE if age < 15 * DAY else 5 * MINUTE if age < 63 * DAY else HOUR
    return begin // grain * grain


def _kept(time: int, period: int, now: int) -> bool:
    """API: MetricStat, Period: of what age which periods may be asked for; nothing is returned for others."""
    age = now - time
    coarsest = next((grain for grain, most in reversed(RETENTION) if age <= most), None)
    return coarsest is not None and period % coarsest == 0


_SEARCH = re.compile(r"\{(?P<schema>[^}]*)\}\s*(?P<words>.*)", re.DOTALL)
_WORD = re.compile(r'(?:(\w+)=)?(?:"([^"]*)"|(\S+))')


def _search(cloud: Cloud, text: str, stat: str, period: int, span: tuple[int, int, int]) -> list[Series]:
    """User Guide: search expressions; those of the form ``{NAMESPACE,DIM,…} MetricName="x" DIM="y"``."""
    match = _SEARCH.fullmatch(text)
    if match is None:
        raise Refusal("ValidationError", f"Invalid syntax of the search expression {text!r}.")
    namespace, *names = (part.strip().strip('"') for part in match["schema"].split(","))
    found = []
    for metric in cloud.listed([HOME], span[2]):
        own = dict(metric.dimensions)
        # "CloudWatch finds only those metrics whose schema matches": exactly these dimensions.
        if metric.namespace != namespace or sorted(own) != sorted(names):
            continue
        known = {"MetricName": metric.name, **own}
        words = [(m[1], m[2] or m[3]) for m in _WORD.finditer(match["words"])]
        if all(known.get(key) == word if key else word in known.values() for key, word in words):
            label = " ".join(value for _, value in metric.dimensions) or metric.name
            found.append(Series("", label, dict(points_of(cloud, metric, stat, period, span))))
    return found[:100]


def _page(request: Mapping[str, Any], results: list[Result], most: int, at: int, now: int) -> dict[str, Any]:
    """The next data points over all results, in the order that ScanBy asks for.

    AWS does not say how it shares a page among results: here by time across all of them, so that every result goes on
    over several pages. One that does is ``PartialData`` until its last page.
    """
    descending = request.get("ScanBy", "TimestampDescending") == "TimestampDescending"
    order = sorted(
        ((time, number, place) for number, one in enumerate(results) for place, time in enumerate(one.times)),
        key=lambda p: (-p[0] if descending else p[0], p[1]),
    )
    page, rest = order[at : at + most], order[at + most :]
    later = {number for _, number, _ in rest}
    parts: list[dict[str, Any]] = []
    for one in results:
        parts.append({"Id": one.id, "Label": one.label, "Timestamps": [], "Values": [], "StatusCode": one.status})
    for time, number, place in page:
        parts[number]["Timestamps"].append(time)
        parts[number]["Values"].append(results[number].values[place])
    for number in later:
        parts[number]["StatusCode"] = "PartialData"
    answer: dict[str, Any] = {"MetricDataResults": parts, "Messages": []}
    if rest:
        answer["NextToken"] = token_of(request, at=at + most, now=now)
    return answer
