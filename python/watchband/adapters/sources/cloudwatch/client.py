"""Asks CloudWatch: metrics that are there, their data page by page, resources by tags."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from watchband.adapters.aws.access import AwsSession
from watchband.adapters.aws.failure import TokenError, failure
from watchband.adapters.aws.pace import Pace
from watchband.core.clock import Clock
from watchband.core.duration import SECOND
from watchband.core.errors import AdapterError, TransientError

if TYPE_CHECKING:
    from watchband.adapters.sources.cloudwatch.settings import CloudWatch

QUERIES_MAX = 500
"""Queries of a call; expressions count too."""
POINTS_MAX = 100_800
"""Readings of an answer; more are on further pages."""
PAGES_MAX = 1_000
"""Pages of one question: an endpoint that repeats its tokens must not be asked for ever."""
RESTARTS_MAX = 2


@dataclass
class Result:
    """What came of one query: times in ns, ascending, and values.

    Parameters
    ----------
    status : str
        ``Complete``, ``PartialData``, ``InternalError`` or ``Forbidden``; ``Missing`` where the answer left it out.
    told : str
        CloudWatch's own words, if it had any.
    """

    label: str = ""
    times: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    status: str = "Missing"
    told: str = ""


class Client:
    """One account and region.

    Parameters
    ----------
    settings : CloudWatch
        How it is reached, and how fast.
    name : str
        Of the source, for the jitter.
    clock : Clock
        Who waits.

    Attributes
    ----------
    requests : dict of str to int
        Calls by operation, repeats included; for GetMetricData also ``metrics``: what is paid for.
    """

    def __init__(self, settings: CloudWatch, name: str, clock: Clock) -> None:
        self._settings = settings
        self._session: AwsSession | None = None
        self.pace = Pace(clock, settings.max_requests_per_second, settings.retry_for / SECOND, name)
        self.requests: dict[str, int] = {}

    @property
    def region(self) -> str:
        """The region that is spoken to; empty where none is known."""
        return self._opened().region or ""

    def close(self) -> None:
        """Give up waiting."""
        self.pace.close()
        if self._session is not None:
            self._session.close()

    def list_metrics(self, **filters: Any) -> Iterator[tuple[dict[str, Any], str]]:
        """Metrics with the account that owns each; empty where it was not asked for."""
        token = None
        for _ in range(PAGES_MAX):
            page = self._call("cloudwatch", "list_metrics", "Metrics", **filters, **_next(token))
            owners = page.get("OwningAccounts") or [""] * len(page["Metrics"])
            yield from zip(page["Metrics"], owners, strict=False)
            token = page.get("NextToken")
            if not token:
                return
        raise TransientError(f"ListMetrics does not end after {PAGES_MAX} pages.")

    def resources(self, tags: Mapping[str, str]) -> Iterator[str]:
        """ARNs of resources that have all these tags."""
        filters = [{"Key": key, **({"Values": [value]} if value else {})} for key, value in tags.items()]
        token = ""
        for _ in range(PAGES_MAX):
            given = {"PaginationToken": token} if token else {}
            page = self._call(
                "resourcegroupstaggingapi", "get_resources", "ResourceTagMappingList", TagFilters=filters, **given
            )
            yield from (one["ResourceARN"] for one in page["ResourceTagMappingList"])
            token = page.get("PaginationToken") or ""
            if not token:
                return
        raise TransientError(f"GetResources does not end after {PAGES_MAX} pages.")

    def metric_data(self, queries: Sequence[Mapping[str, Any]], start: int, end: int) -> dict[str, list[Result]]:
        """Results by query id, of all pages; several where an expression finds several series.

        Parameters
        ----------
        queries : sequence of mapping
            MetricDataQuery structures, at most ``QUERIES_MAX``.
        start, end : int
            From and to before these times, ns UTC.

        Raises
        ------
        AdapterError
            A page did not come; what came before it is given up.
        """
        for left in reversed(range(RESTARTS_MAX + 1)):
            try:
                return self._pages(queries, start, end)
            except TokenError:
                if not left:
                    raise
        raise AssertionError

    def _pages(self, queries: Sequence[Mapping[str, Any]], start: int, end: int) -> dict[str, list[Result]]:
        found: dict[tuple[str, str], Result] = {}
        paid = sum("MetricStat" in query for query in queries)
        token, seen = None, set[str]()
        for _ in range(PAGES_MAX):
            page = self._call(
                "cloudwatch",
                "get_metric_data",
                "MetricDataResults",
                MetricDataQueries=list(queries),
                StartTime=start // SECOND,
                EndTime=-(-end // SECOND),
                ScanBy="TimestampAscending",
                **_next(token),
            )
            self.requests["metrics"] = self.requests.get("metrics", 0) + paid
            for part in page["MetricDataResults"]:
                _take(found, part)
            token = page.get("NextToken")
            if not token:
                break
            if token in seen:
                raise TransientError("GetMetricData gives the same page again and again.")
            seen.add(token)
        else:
            raise TransientError(f"GetMetricData does not end after {PAGES_MAX} pages.")
        by_id: dict[str, list[Result]] = {str(query["Id"]): [] for query in queries}
        for (one, _), result in found.items():
            by_id.setdefault(one, []).append(_sorted(result))
        return by_id

    def _call(self, service: str, operation: str, holds: str, **given: Any) -> dict[str, Any]:
        def work() -> dict[str, Any]:
            self.requests[operation] = self.requests.get(operation, 0) + 1
            return asked(self._opened().client, service, operation, holds, given)

        return self.pace.call(work)

    def _opened(self) -> AwsSession:
        if self._session is None:
            try:
                self._session = AwsSession(self._settings, "The source 'cloudwatch'", self._settings.concurrency)
            except AdapterError:
                raise
            except Exception as error:
                raise _failed(error, "boto3") from None
        return self._session


def asked(
    client: Callable[[str], Any], service: str, operation: str, holds: str, given: Mapping[str, Any]
) -> dict[str, Any]:
    """One call, checked: an answer without the part that every answer has is none.

    Raises
    ------
    AdapterError
        It failed, in our words.
    """
    what = "".join(part.capitalize() for part in operation.split("_"))
    try:
        answer: dict[str, Any] = getattr(client(service), operation)(**given)
    except Exception as error:
        raise _failed(error, what) from None
    # botocore takes a body that is no JSON for an empty answer.
    if holds and not isinstance(answer.get(holds), list):
        raise TransientError(f"{what} was answered by something that is not AWS: there is no {holds} in it.")
    return answer


def _failed(error: Exception, what: str) -> Exception:
    from watchband.core.errors import WatchbandError

    return error if isinstance(error, WatchbandError) else failure(error, what)


def _next(token: str | None) -> dict[str, str]:
    return {"NextToken": token} if token else {}


def _take(found: dict[tuple[str, str], Result], part: Mapping[str, Any]) -> None:
    """Add a part of a page to its result; the last status counts."""
    label = str(part.get("Label", ""))
    result = found.setdefault((str(part.get("Id")), label), Result(label))
    result.status = str(part.get("StatusCode") or "Complete")
    times, values = part.get("Timestamps") or [], part.get("Values") or []
    if len(times) != len(values):
        result.status = "InternalError"
        return
    for time, value in zip(times, values, strict=True):
        if isinstance(time, int | float) and math.isfinite(time):
            result.times.append(round(time * 1000) * 1_000_000)
            result.values.append(float(value))
    messages = part.get("Messages") or []
    result.told = "; ".join(f"{m.get('Code')}: {m.get('Value')}" for m in messages)[:300] or result.told


def _sorted(result: Result) -> Result:
    pairs = dict(zip(result.times, result.values, strict=True))
    result.times = sorted(pairs)
    result.values = [pairs[time] for time in result.times]
    return result
