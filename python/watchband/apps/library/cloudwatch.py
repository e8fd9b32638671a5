"""The past of metrics of CloudWatch by one address: what ``detect cloudwatch://…`` judges."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from watchband.adapters.sources.cloudwatch.settings import CloudWatch, Metrics
from watchband.apps.library.pulled import Progress, PulledFeed
from watchband.core.clock import Clock, SystemClock
from watchband.core.duration import MINUTE, parse_duration
from watchband.core.errors import ConfigError

FORM = "cloudwatch://REGION/NAMESPACE/METRIC?stat=Average&DIMENSION=VALUE"
OPTIONS = ("stat", "period", "profile", "role_arn", "endpoint_url", "account", "max_metrics")
"""Keys that are no dimensions; a dimension of such a name is written ``dimension.NAME``."""


def read_address(text: str, *, since_ns: int, period_ns: int | None = None) -> CloudWatch:
    """Settings of an address.

    Parameters
    ----------
    text : str
        ``cloudwatch://REGION/NAMESPACE/METRIC?stat=…&DIMENSION=VALUE``; names and values may have wildcards, a name
        with a slash is written with ``%2F``, the region may be empty.
    since_ns : int
        How much of the past, ns.
    period_ns : int, optional
        What a reading covers, where the address does not say; five minutes by default.

    Raises
    ------
    ConfigError
        It is none.

    Examples
    --------
    >>> found = read_address("cloudwatch://eu-west-1/AWS/EC2/CPU*?stat=p99&InstanceId=i-*", since_ns=10**9)
    >>> found.region, found.metrics["metrics"].namespace, found.metrics["metrics"].dimensions
    ('eu-west-1', 'AWS/EC2', {'InstanceId': 'i-*'})
    """
    # A question mark in a name is a wildcard only where it is written %3F.
    parts = urlsplit(text)
    names = [unquote(part) for part in parts.path.split("/") if part]
    if parts.scheme != "cloudwatch" or len(names) < 2:
        raise ConfigError(f"{text!r} is no address of metrics. Write {FORM}.")
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    given: dict[str, str] = {key: value for key, value in pairs if key in OPTIONS}
    dimensions = {key.removeprefix("dimension."): value or "*" for key, value in pairs if key not in OPTIONS}
    statistics = tuple(value for key, value in pairs if key == "stat") or ("Average",)
    entry = Metrics(
        namespace="/".join(names[:-1]),
        names=(names[-1],),
        dimensions=dimensions or None,
        statistics=statistics,
        period=parse_duration(given["period"]) if "period" in given else period_ns or 5 * MINUTE,
        accounts=(given["account"],) if "account" in given else (),
        # The past of what is silent now is wanted too.
        recently_active=False,
    )
    access: dict[str, Any] = {key: given[key] for key in ("profile", "role_arn", "endpoint_url") if key in given}
    most = given.get("max_metrics", "100")
    if not most.isdecimal() or int(most) < 1:
        raise ConfigError(f"max_metrics must be a whole number >= 1. Got {most!r}.")
    return CloudWatch(
        region=parts.netloc or None, metrics={"metrics": entry}, backfill=since_ns, max_metrics=int(most), **access
    )


def open_cloudwatch(
    text: str,
    *,
    since_ns: int,
    period_ns: int | None = None,
    clock: Clock | None = None,
    progress: Progress | None = None,
) -> PulledFeed:
    """Ask CloudWatch for the past of an address.

    Raises
    ------
    ConfigError
        It is none, or boto3 is not installed.
    """
    settings = read_address(text, since_ns=since_ns, period_ns=period_ns)
    assert settings.metrics is not None
    entry = settings.metrics["metrics"]
    title = f"{entry.namespace} {entry.names[0]}"
    return PulledFeed(
        settings.open("cloudwatch", clock=clock or SystemClock()),
        title=title,
        asked=f"CloudWatch: {title}, {', '.join(entry.statistics)}",
        backfill_ns=since_ns,
        step_ns=entry.period,
        progress=progress,
        hint="Is it the right region, and do readings of this period go back so far? Or try a longer --since.",
    )
