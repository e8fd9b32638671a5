"""ListMetrics (API: ListMetrics)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watchband.core.duration import HOUR
from watchband.testing.cloudwatch.account import HOME, Cloud, Metric
from watchband.testing.cloudwatch.paging import read_token, token_of
from watchband.testing.cloudwatch.refusal import Refusal

PAGE = 500
"""Metrics a call: "Up to 500 results are returned for any one call"."""
FILTERS_MAX = 10


def list_metrics(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """A page of the metrics that fit."""
    filters = request.get("Dimensions") or []
    if len(filters) > FILTERS_MAX:
        raise Refusal("InvalidParameterValue", f"At most {FILTERS_MAX} dimension filters.")
    recent = request.get("RecentlyActive")
    if recent not in (None, "PT3H"):
        raise Refusal("InvalidParameterValue", "RecentlyActive must be PT3H.")
    found = [metric for metric in _candidates(cloud, request, recent) if _fits(metric, request, filters)]
    at = read_token(request).get("at", 0)
    page = found[at : at + PAGE]
    answer: dict[str, Any] = {"Metrics": [metric.wire() for metric in page]}
    if request.get("IncludeLinkedAccounts"):
        # "If you are using this operation in a monitoring account, this array contains the account IDs of the source
        # accounts where the metrics in the returned data are from", in the order of the metrics.
        answer["OwningAccounts"] = [metric.account for metric in page]
    if at + PAGE < len(found):
        answer["NextToken"] = token_of(request, at=at + PAGE)
    return answer


def _candidates(cloud: Cloud, request: Mapping[str, Any], recent: str | None) -> list[Metric]:
    accounts = [HOME]
    owner = request.get("OwningAccount")
    if request.get("IncludeLinkedAccounts"):
        # "The default is false." Only a monitoring account sees those of others.
        accounts += cloud.linked
    elif owner not in (None, HOME):
        raise Refusal("InvalidParameterCombination", "OwningAccount of others needs IncludeLinkedAccounts.")
    if owner is not None:
        if owner not in accounts:
            raise Refusal("InvalidParameterValue", f"{owner} is not linked to this account.")
        accounts = [owner]
    now = cloud.clock.now()
    # "Only metrics that have had data points published in the past three hours" where RecentlyActive is given; else
    # those of the past two weeks.
    return cloud.listed(accounts, now, 3 * HOUR) if recent else cloud.listed(accounts, now)


def _fits(metric: Metric, request: Mapping[str, Any], filters: list[dict[str, str]]) -> bool:
    if request.get("Namespace") not in (None, metric.namespace):
        return False
    if request.get("MetricName") not in (None, metric.name):
        return False
    # API: DimensionFilter. A filter without a value fits every value of that name; other dimensions may be there too.
    own = dict(metric.dimensions)
    return all(f["Name"] in own and f.get("Value") in (None, own[f["Name"]]) for f in filters)
