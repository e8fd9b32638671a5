"""What a user writes of a source of kind ``cloudwatch``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from watchband.adapters.aws.access import AwsAccess
from watchband.adapters.sources.cloudwatch.cost import PRICE_PER_1000
from watchband.adapters.sources.cloudwatch.names import is_statistic, metric_of
from watchband.adapters.sources.cloudwatch.source import CloudWatchSource
from watchband.core import params
from watchband.core.clock import Clock
from watchband.core.duration import DAY, HOUR, MINUTE, SECOND, WEEK, format_duration
from watchband.core.errors import ConfigError
from watchband.core.kinds import Duration, Group, ListOf, MapOf
from watchband.core.matcher import Selector
from watchband.core.params import REQUIRED, Flag, Integer, Maybe, Real, Text, param

SHORT = tuple(seconds * SECOND for seconds in (1, 5, 10, 20, 30))
_ID = r"[a-z][A-Za-z0-9_]{0,200}"
RESERVED = "wb_"
_PERIOD = Duration(SECOND, DAY)


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """Metrics to find, and what of each is read."""

    namespace: str = param(REQUIRED, Text("a namespace, such as AWS/EC2"), "Where the metrics stand.")
    names: tuple[str, ...] = param(("*",), ListOf(Text("a name, * and ? are wild"), 1), "Metrics by name.")
    dimensions: dict[str, str] | None = param(
        None, Maybe(MapOf(Text("a value, * and ? are wild"))), "Dimensions that a metric has, with these values."
    )
    only_these: bool = param(False, Flag(), "A metric has no other dimensions than those.")
    statistics: tuple[str, ...] = param(
        ("Average",), ListOf(Text("a statistic: Average, Sum, p99"), 1), "What is read."
    )
    period: int = param(5 * MINUTE, _PERIOD, "What a reading covers: 1s, 5s, 10s, 20s, 30s or whole minutes.")
    include: tuple[str, ...] = param((), ListOf(Text("a selector of series")), "Only series of these selectors.")
    exclude: tuple[str, ...] = param((), ListOf(Text("a selector of series")), "No series of these selectors.")
    tags: dict[str, str] | None = param(
        None, Maybe(MapOf(Text("a value"))), "Only metrics of resources with all these tags; an empty value: any."
    )
    accounts: tuple[str, ...] = param(
        (), ListOf(Text("an account's number, or *")), "Accounts this one monitors, * for all; none: its own metrics."
    )
    recently_active: bool = param(True, Flag(), "Leave out what has had no reading for three hours.")

    def __post_init__(self) -> None:
        params.check(self)
        check_period(self.period)
        for stat in self.statistics:
            if not is_statistic(stat):
                raise ConfigError(
                    f"{stat!r} in 'statistics' is none of CloudWatch: Average, Sum, p99, TM(10%:90%), IQM."
                )
        for account in self.accounts:
            if account != "*" and re.fullmatch(r"\d{12}", account) is None:
                raise ConfigError(
                    f"{account!r} in 'accounts' is no account: 12 digits, or * for all that are monitored."
                )
        _ = [Selector(text) for text in (*self.include, *self.exclude)]


@dataclass(frozen=True, kw_only=True)
class Math:
    """A metric-math expression, which CloudWatch computes."""

    expression: str = param(REQUIRED, Text("a metric-math expression"), "Passed on as it is.")
    using: dict[str, str] | None = param(
        None,
        Maybe(MapOf(Text('a series: METRIC{namespace="AWS/EC2",stat="Sum",DIM="…"}'), _ID)),
        "Metrics by their ids.",
    )
    period: int = param(5 * MINUTE, _PERIOD, "What a reading covers.")

    def __post_init__(self) -> None:
        params.check(self)
        check_period(self.period)
        if not 1 <= len(self.expression) <= 2048:
            raise ConfigError("An 'expression' has 1 to 2048 characters.")
        for name, text in (self.using or {}).items():
            metric_of(text)
            if name.startswith(RESERVED):
                raise ConfigError(f"The id {name!r} in 'using' begins with {RESERVED!r}, which is kept. Rename it.")


def check_period(period: int) -> None:
    """Refuse a period that CloudWatch does not have.

    Raises
    ------
    ConfigError
        None of 1, 5, 10, 20, 30 s, and no whole number of minutes.
    """
    if period not in SHORT and period % MINUTE:
        raise ConfigError(
            f"'period' must be 1s, 5s, 10s, 20s, 30s or whole minutes, as CloudWatch has it. Got "
            f"{format_duration(period)}."
        )


@dataclass(frozen=True, kw_only=True)
class CloudWatch(AwsAccess):
    """Metrics of Amazon CloudWatch, found by namespace and dimensions, read in full batches."""

    kind: ClassVar[str] = "cloudwatch"

    metrics: dict[str, Metrics] | None = param(None, Maybe(MapOf(Group(Metrics))), "What is read, by names of yours.")
    expressions: dict[str, Math] | None = param(
        None, Maybe(MapOf(Group(Math))), "Metric math by name, which is that of its series."
    )
    every: int | None = param(
        None, Maybe(Duration(SECOND, DAY)), "How often is asked; none: once a period. Twice as rare is half the price."
    )
    lateness: int | None = param(
        None, Maybe(Duration(0, DAY)), "How long after its period a reading is asked for; none: two periods."
    )
    look_back: int = param(
        30 * MINUTE, Duration(0, DAY), "How much is asked for again, for readings that come later or are revised."
    )
    backfill: int = param(2 * WEEK, Duration(0, 455 * DAY), "How much of the past is asked for first; 0: none.")
    discover_every: int = param(HOUR, Duration(MINUTE, WEEK), "How often is looked for metrics that are new.")
    concurrency: int = param(4, Integer(1, 32), "Calls at a time.")
    max_requests_per_second: float = param(10.0, Real(0.1, 500.0), "Calls a second; AWS allows an account 50.")
    max_metrics: int = param(5000, Integer(1, 100_000), "Series at most; more are left out, and that is said.")
    max_monthly_cost: float | None = param(
        None, Maybe(Real(0.0)), "Nothing is read where a month would cost more.", unit="US dollars"
    )
    price_per_1000: float = param(
        PRICE_PER_1000, Real(0.0), "Price of 1,000 metrics requested, for the estimate.", unit="US dollars"
    )
    retry_for: int = param(MINUTE, Duration(SECOND, HOUR), "How long one call may wait while AWS asks for patience.")

    def __post_init__(self) -> None:
        params.check(self)
        self.check_access()
        if not self.metrics and not self.expressions:
            raise ConfigError(
                "Nothing is to be read. Name 'metrics', such as {ec2: {namespace: AWS/EC2, names: CPUUtilization}}."
            )

    def open(self, name: str, *, clock: Clock) -> CloudWatchSource:
        """The source of that name; nothing outside is touched before it is read."""
        from watchband.adapters.sources.cloudwatch.client import Client

        return CloudWatchSource(name, self, Client(self, name, clock), clock=clock)
