"""Which series there are: by namespace, names, dimensions, tags and accounts, within a limit."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Protocol

from watchband.adapters.sources.cloudwatch.names import key_of, metric_of
from watchband.adapters.sources.cloudwatch.tracks import Track, id_of
from watchband.core import params
from watchband.core.duration import HOUR, SECOND
from watchband.core.matcher import Selector

if TYPE_CHECKING:
    from watchband.adapters.sources.cloudwatch.settings import CloudWatch, Math, Metrics

FILTERS_MAX = 10
"""Dimensions that ListMetrics filters by; the rest is looked at here."""
LISTED_ALONE = 5
"""So many literal names are asked for one by one; with more, the namespace is listed whole."""
_WILD = ("*", "?", "[")


class Lister(Protocol):
    """What discovery asks of a client."""

    requests: dict[str, int]

    @property
    def region(self) -> str: ...

    def list_metrics(self, **filters: Any) -> Iterator[tuple[dict[str, Any], str]]: ...

    def resources(self, tags: Mapping[str, str]) -> Iterator[str]: ...


@dataclass
class Found:
    """What discovery gives.

    Parameters
    ----------
    tracks : dict of str to Track
        By id, in a fixed order; without places.
    left_out : int
        Series beyond ``max_metrics``.
    twice : int
        Series that two entries give; the first counts.
    listings : int
        Calls of ListMetrics that it took.
    empty : list of str
        Entries that found nothing.
    """

    tracks: dict[str, Track] = field(default_factory=dict)
    left_out: int = 0
    twice: int = 0
    listings: int = 0
    empty: list[str] = field(default_factory=list)


def discovered(settings: CloudWatch, client: Lister) -> Found:
    """Every series of the settings.

    Raises
    ------
    AdapterError
        A listing failed.
    """
    found, keys = Found(), set[str]()
    before = client.requests.get("list_metrics", 0)
    for name, entry in (settings.metrics or {}).items():
        count = 0
        for track in _entry(name, entry, client):
            count += 1
            if str(track.key) in keys:
                found.twice += 1
            elif len(found.tracks) >= settings.max_metrics:
                found.left_out += 1
            else:
                keys.add(str(track.key))
                found.tracks[track.id] = track
        if not count:
            found.empty.append(name)
    for name, math in (settings.expressions or {}).items():
        track = _expression(name, math, client.region)
        found.tracks[track.id] = track
    found.listings = client.requests.get("list_metrics", 0) - before
    return found


def _entry(name: str, entry: Metrics, client: Lister) -> Iterator[Track]:
    include, exclude = ([Selector(text) for text in many] for many in (entry.include, entry.exclude))
    wanted = None if entry.tags is None else _suffixes(client.resources(entry.tags))
    listed: dict[str, tuple[dict[str, Any], str]] = {}
    for filters in _listings(entry):
        for metric, account in client.list_metrics(**filters):
            listed.setdefault(id_of(metric, account), (metric, account))
    whole = id_of(name, params.values_of(entry))
    region = client.region
    # In order of their names: what a limit leaves out is the same each time.
    for metric, account in sorted(listed.values(), key=lambda m: (m[0]["MetricName"], str(m[0]["Dimensions"]), m[1])):
        dimensions = [(d["Name"], d["Value"]) for d in metric.get("Dimensions") or ()]
        if not _fits(entry, metric["MetricName"], dict(dimensions)):
            continue
        if wanted is not None and not any(value in wanted for _, value in dimensions):
            continue
        for stat in entry.statistics:
            key = key_of(
                metric["MetricName"],
                dimensions,
                namespace=entry.namespace,
                stat=stat,
                region=region,
                account=account if entry.accounts else "",
            )
            if include and not any(s.matches(key) for s in include):
                continue
            if any(s.matches(key) for s in exclude):
                continue
            query: dict[str, Any] = {
                "MetricStat": {"Metric": metric, "Period": entry.period // SECOND, "Stat": stat}
            } | ({"AccountId": account} if account else {})
            yield Track(id_of(str(key), entry.period), whole, str(key), query, entry.period, key)


def _listings(entry: Metrics) -> Iterator[dict[str, Any]]:
    """The calls of ListMetrics that an entry takes."""
    base: dict[str, Any] = {"Namespace": entry.namespace}
    # What reports once in some hours is never recently active.
    if entry.recently_active and entry.period < 3 * HOUR:
        base["RecentlyActive"] = "PT3H"
    filters = [
        {"Name": name, **({} if _wild(value) else {"Value": value})} for name, value in (entry.dimensions or {}).items()
    ]
    if filters:
        base["Dimensions"] = filters[:FILTERS_MAX]
    alone = len(entry.names) <= LISTED_ALONE and not any(map(_wild, entry.names))
    named = [{"MetricName": name} for name in dict.fromkeys(entry.names)] if alone else [{}]
    owned: Sequence[dict[str, Any]] = [{}]
    if entry.accounts:
        owners = [{}] if "*" in entry.accounts else [{"OwningAccount": account} for account in entry.accounts]
        owned = [{"IncludeLinkedAccounts": True, **owner} for owner in owners]
    for name in named:
        for owner in owned:
            yield {**base, **name, **owner}


def _fits(entry: Metrics, name: str, dimensions: Mapping[str, str]) -> bool:
    wanted = entry.dimensions or {}
    if not any(fnmatchcase(name, pattern) for pattern in entry.names):
        return False
    if entry.only_these and set(dimensions) != set(wanted):
        return False
    return all(label in dimensions and fnmatchcase(dimensions[label], want) for label, want in wanted.items())


def _suffixes(arns: Iterator[str]) -> set[str]:
    """Every end of an ARN that a dimension may name."""
    found = set()
    for arn in arns:
        parts = [at + 1 for at, character in enumerate(arn) if character in "/:"]
        found |= {arn[at:] for at in parts if at < len(arn)}
    return found


def _wild(text: str) -> bool:
    return any(character in text for character in _WILD)


def _expression(name: str, math: Math, region: str) -> Track:
    using = {}
    for one, text in (math.using or {}).items():
        metric, stat = metric_of(text)
        using[one] = {"Metric": metric, "Period": math.period // SECOND, "Stat": stat}
    query = {"Expression": math.expression, "Using": using, "Region": region}
    whole = id_of(name, dataclasses.asdict(math))
    return Track(id_of("expression", name), whole, name, query, math.period, None)
