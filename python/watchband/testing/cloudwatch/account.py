"""What is kept: samples of metrics of some accounts, when each of them arrived, and what people set up over them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from watchband.core.clock import Clock
from watchband.core.duration import DAY, SECOND

HOME = "111122223333"
"""The account whose credentials are used."""


@dataclass(frozen=True, slots=True, order=True)
class Metric:
    """A metric: what names it, with its dimensions by name."""

    account: str
    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()

    def wire(self) -> dict[str, Any]:
        """As answers have it."""
        dimensions = [{"Name": name, "Value": value} for name, value in self.dimensions]
        return {"Namespace": self.namespace, "MetricName": self.name, "Dimensions": dimensions}


@dataclass(frozen=True, slots=True)
class Sample:
    """What was published once: a value so many times, or a statistic set.

    ``time`` and ``arrival`` are ns UTC; ``raw`` says whether single values are known, as percentiles need them.
    """

    time: int
    count: float
    total: float
    least: float
    most: float
    arrival: int
    raw: bool = True
    unit: str = "None"
    high: bool = False


def metric_of(namespace: str, name: str, dimensions: Mapping[str, str] | None = None, account: str = HOME) -> Metric:
    """A metric by what people write.

    Examples
    --------
    >>> metric_of("AWS/EC2", "CPUUtilization", {"InstanceId": "i-1"}).dimensions
    (('InstanceId', 'i-1'),)
    """
    return Metric(account, namespace, name, tuple(sorted((dimensions or {}).items())))


@dataclass
class Cloud:
    """Everything the stand-in knows.

    Parameters
    ----------
    clock : Clock
        What time it is there.

    Attributes
    ----------
    samples : dict of Metric to list of Sample
        What was published, in order of publishing.
    trouble : dict of Metric to (str, int)
        A status (``InternalError``, ``PartialData``, ``Forbidden``) that its results have, and for how many calls.
    linked : tuple of str
        Accounts that the home account monitors.
    resources : dict of str to dict
        Tags by ARN.
    alarms, composites, detectors, mutes : list of dict
        As the API has them.
    """

    clock: Clock
    samples: dict[Metric, list[Sample]] = field(default_factory=dict)
    trouble: dict[Metric, tuple[str, int]] = field(default_factory=dict)
    linked: tuple[str, ...] = ()
    resources: dict[str, dict[str, str]] = field(default_factory=dict)
    alarms: list[dict[str, Any]] = field(default_factory=list)
    composites: list[dict[str, Any]] = field(default_factory=list)
    detectors: list[dict[str, Any]] = field(default_factory=list)
    mutes: list[dict[str, Any]] = field(default_factory=list)

    def put(
        self,
        metric: Metric,
        points: Iterable[tuple[int, float]],
        *,
        arrival: int | None = None,
        delay: int = 0,
        high: bool = False,
        unit: str = "None",
    ) -> None:
        """Publish values at times (ns UTC); they can be asked for from ``arrival`` on, or ``delay`` after their time.

        A second value of the same period is no repeat: it joins the first, and the period's statistics change.
        """
        kept = self.samples.setdefault(metric, [])
        for time, value in points:
            seen = arrival if arrival is not None else time + delay
            kept.append(Sample(time, 1.0, value, value, value, seen, True, unit, high))

    def put_set(self, metric: Metric, time: int, count: float, total: float, least: float, most: float) -> None:
        """Publish a statistic set, which hides the single values."""
        # API: PutMetricData. Percentiles are known of a statistic set only where it cannot hide anything.
        raw = (count == 1 and least == most == total) or (least == most and math.isclose(total, least * count))
        self.samples.setdefault(metric, []).append(Sample(time, count, total, least, most, time, raw))

    def seen(self, metric: Metric, now: int) -> Iterator[Sample]:
        """What has arrived by now."""
        return (sample for sample in self.samples.get(metric, ()) if sample.arrival <= now)

    def listed(self, accounts: Sequence[str], now: int, within: int = 14 * DAY) -> list[Metric]:
        """Metrics with a sample of the last two weeks (API: ListMetrics), in a fixed order."""
        return sorted(
            metric
            for metric in self.samples
            if metric.account in accounts and any(now - within <= s.time <= now + 2 * 3600 * SECOND
                                                  for s in self.seen(metric, now))
        )  # fmt: skip

    def status(self, metric: Metric) -> str:
        """The status of a metric's result in this call."""
        status, calls = self.trouble.get(metric, ("Complete", 0))
        if calls <= 1:
            self.trouble.pop(metric, None)
        else:
            self.trouble[metric] = (status, calls - 1)
        return status
