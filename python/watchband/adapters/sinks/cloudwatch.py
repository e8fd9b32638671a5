"""Bands as custom metrics of CloudWatch: what was expected, its edges and the score, beside the metric itself."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from watchband.adapters.aws.access import AwsAccess, AwsSession
from watchband.adapters.aws.failure import failure
from watchband.adapters.aws.pace import Pace
from watchband.core import params
from watchband.core.clock import Clock
from watchband.core.duration import HOUR, MINUTE, SECOND
from watchband.core.errors import ConfigError, PermanentError, WatchbandError
from watchband.core.kinds import Duration, ListOf
from watchband.core.latest import Latest
from watchband.core.matcher import Selector
from watchband.core.params import REQUIRED, Choice, Integer, Maybe, Real, Text, param
from watchband.core.ports import Notice, Standing

log = logging.getLogger("watchband.sink.cloudwatch")
VALUES = {"expected": "yhat", "lower": "yhat_lower", "upper": "yhat_upper", "anomaly_score": "anomaly_score"}
DATA_MAX, BYTES_MAX = 1000, 900_000
"""Of one call: CloudWatch takes 1,000 metrics and 1 MB."""
DIMENSIONS_MAX, NAME_MAX, VALUE_MAX = 30, 255, 1024
NUMBER_MAX = 2.0**360
OLDEST, NEWEST = 6 * HOUR, 2 * HOUR
"""What is older is the past of a first start; CloudWatch itself takes two weeks, and two hours ahead."""
MONTH = 730 * HOUR
PRICE_METRIC, PRICE_CALLS = 0.30, 0.01
"""US dollars for a custom metric a month (the first 10,000), and for 1,000 calls."""
PRICE_SOURCE, PRICE_DATE = "https://aws.amazon.com/cloudwatch/pricing/", "2026-11"


@dataclass(frozen=True, kw_only=True)
class CloudWatchSettings(AwsAccess):
    """Bands as custom metrics of Amazon CloudWatch: expected value, edges, score; no alerts."""

    kind: ClassVar[str] = "cloudwatch"

    series: tuple[str, ...] = param(
        REQUIRED, ListOf(Text("a selector of series"), 1), "Series whose bands are passed on."
    )
    values: tuple[str, ...] = param(
        tuple(VALUES), ListOf(Choice(tuple(VALUES)), 1), "What of each; every one is a metric that is paid for."
    )
    namespace: str = param("Watchband", Text("a namespace that does not begin with AWS/"), "Where the metrics go.")
    every: int = param(MINUTE, Duration(10 * SECOND, HOUR), "How often news are passed on.")
    max_series: int = param(100, Integer(1, 10_000), "Series at most; more are left out, and that is said.")
    max_monthly_cost: float | None = param(
        None, Maybe(Real(0.0)), "Nothing is passed on where a month would cost more.", unit="US dollars"
    )

    def __post_init__(self) -> None:
        params.check(self)
        self.check_access()
        _ = self.selectors
        if self.namespace.startswith("AWS/") or not 1 <= len(self.namespace) <= NAME_MAX:
            raise ConfigError(f"'namespace' must not begin with AWS/, which is Amazon's. Got {self.namespace!r}.")

    @cached_property
    def selectors(self) -> tuple[Selector, ...]:
        """The selectors of ``series``."""
        return tuple(map(Selector, self.series))

    def cost(self, series: int) -> str:
        """What a month of so many series costs, with the arithmetic."""
        metrics, calls = self._counts(series)
        return (
            f"{series:,} series × {len(self.values)} values = {metrics:,} custom metrics × ${PRICE_METRIC:.2f} + "
            f"{calls:,} calls × ${PRICE_CALLS:g} / 1,000 = ${self.monthly(series):,.2f} a month "
            f"({PRICE_SOURCE}, {PRICE_DATE})"
        )

    def monthly(self, series: int) -> float:
        """US dollars a month for so many series."""
        metrics, calls = self._counts(series)
        return metrics * PRICE_METRIC + calls * PRICE_CALLS / 1000

    def _counts(self, series: int) -> tuple[int, int]:
        metrics = series * len(self.values)
        return metrics, MONTH // self.every * -(-metrics // DATA_MAX)

    def open(self, name: str, *, clock: Clock) -> CloudWatchSink:
        """The sink; nothing outside is touched before it is tended."""
        return CloudWatchSink(name, self, clock)


class CloudWatchSink:
    """Puts the last point of each chosen series, once.

    A call whose answer got lost is made again: a value then counts twice in ``SampleCount`` and ``Sum`` of its minute;
    average, minimum and maximum stay what they are.

    Attributes
    ----------
    left_out : int
        Chosen series beyond ``max_series``, and points that CloudWatch does not take.
    """

    def __init__(self, name: str, settings: CloudWatchSettings, clock: Clock) -> None:
        self.name, self.every_s = name, settings.every / SECOND
        self.left_out = 0
        self._settings, self._clock = settings, clock
        self._pace = Pace(clock, 20.0, 30.0, name)
        self._session: AwsSession | None = None
        self._put: dict[tuple[str, str], int] = {}
        self._said = ""

    def write(self, notice: Notice) -> None:
        """Nothing: alerts are told elsewhere."""

    def tend(self, standing: Standing) -> None:
        """Pass on what is new.

        Raises
        ------
        TransientError, PermanentError
            A part was not taken; it comes with the next call. Or it would cost more than is allowed.
        """
        chosen = self._chosen(standing.latest())
        self._priced(len(chosen))
        now = self._clock.now()
        fresh = [one for one in chosen if one.time > self._put.get((one.watch, str(one.key)), now - OLDEST)]
        fresh = [one for one in fresh if one.time <= now + NEWEST]
        for part in batches([(one, datum) for one in fresh for datum in self._data(one)]):
            self._pace.call(lambda part=part: self._called([datum for _, datum in part]))  # type: ignore[misc]
            self._put.update(((one.watch, str(one.key)), one.time) for one, _ in part)
        known = {(one.watch, str(one.key)) for one in chosen}
        self._put = {key: time for key, time in self._put.items() if key in known}

    def close(self) -> None:
        """Give up waiting, and let go of connections."""
        self._pace.close()
        if self._session is not None:
            self._session.close()

    def _chosen(self, latest: Iterator[Latest]) -> list[Latest]:
        selectors = self._settings.selectors
        fits = [one for one in latest if any(s.matches(one.key) for s in selectors)]
        # In order of their names, so that a limit leaves out the same ones each time.
        fits.sort(key=lambda one: (one.watch, str(one.key)))
        self.left_out = max(0, len(fits) - self._settings.max_series)
        return fits[: self._settings.max_series]

    def _priced(self, series: int) -> None:
        if not series:
            return
        cost = self._settings.cost(series)
        most = self._settings.max_monthly_cost
        if most is not None and self._settings.monthly(series) > most:
            raise PermanentError(f"Bands would cost more than 'max_monthly_cost', ${most:,.2f}: {cost}. None was sent.")
        left = f"; {self.left_out:,} more are beyond 'max_series'" if self.left_out else ""
        if cost + left != self._said:
            log.info("%s: %s%s", self.name, cost, left)
            self._said = cost + left

    def _data(self, one: Latest) -> Iterator[dict[str, Any]]:
        dimensions = dimensions_of(one)
        for name in self._settings.values:
            value = getattr(one, VALUES[name])
            # NaN is no band or no opinion: nothing is sent, not zero.
            if math.isfinite(value) and abs(value) <= NUMBER_MAX:
                yield {
                    "MetricName": f"{_ascii(one.key.metric)[: NAME_MAX - 20]}.{name}",
                    "Dimensions": dimensions,
                    "Timestamp": one.time // SECOND,
                    "Value": float(value),
                }

    def _called(self, data: Sequence[dict[str, Any]]) -> None:
        try:
            if self._session is None:
                self._session = AwsSession(self._settings, "The sink 'cloudwatch'")
            client = self._session.client("cloudwatch")
            client.put_metric_data(Namespace=self._settings.namespace, MetricData=list(data))
        except WatchbandError:
            raise
        except Exception as error:
            raise failure(error, "PutMetricData") from None


def batches(
    data: Sequence[tuple[Latest, dict[str, Any]]],
) -> Iterator[list[tuple[Latest, dict[str, Any]]]]:
    """Parts that one call takes, by number and by size."""
    part: list[tuple[Latest, dict[str, Any]]] = []
    size = 0
    for one in data:
        weight = len(json.dumps(one[1])) + 2
        if part and (len(part) >= DATA_MAX or size + weight > BYTES_MAX):
            yield part
            part, size = [], 0
        part.append(one)
        size += weight
    if part:
        yield part


def dimensions_of(one: Latest) -> list[dict[str, str]]:
    """The watch and the labels of a series, as far as CloudWatch takes them.

    Examples
    --------
    >>> from watchband.core.series import SeriesKey
    >>> dimensions_of(Latest("web", SeriesKey("cpu", {"host": "a"}), 0, 1.0, 1.0, 0.0, 2.0, 0.1))
    [{'Name': 'watch', 'Value': 'web'}, {'Name': 'host', 'Value': 'a'}]
    """
    pairs = [("watch", one.watch), *((name, value) for name, value in one.key.labels.items() if name != "watch")]
    found = [(_ascii(name).lstrip(":")[:NAME_MAX], _ascii(value)[:VALUE_MAX]) for name, value in pairs]
    fit = {name: value for name, value in found if name.strip() and value.strip()}
    return [{"Name": name, "Value": value} for name, value in list(fit.items())[:DIMENSIONS_MAX]]


def _ascii(text: str) -> str:
    return "".join(c if c.isascii() and c.isprintable() else "_" for c in text)
