"""What reading costs, before anything is read: metrics × calls × price, said with its arithmetic."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from watchband.core.duration import HOUR

PRICE_PER_1000 = 0.01
"""US dollars for 1,000 metrics requested by GetMetricData, and for 1,000 calls of ListMetrics, in most regions."""
PRICE_SOURCE = "https://aws.amazon.com/cloudwatch/pricing/"
PRICE_DATE = "2026-11"
MONTH = 730 * HOUR
"""As AWS's own calculator counts."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Some series that are asked for alike.

    Parameters
    ----------
    series : int
        How many.
    metrics : int
        Metrics requested in each call for all of them: one a series, as many as it uses for an expression.
    every : int
        ns between two calls.
    """

    series: int
    metrics: int
    every: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a month costs.

    Parameters
    ----------
    series : int
        Series that are read.
    requested : int
        Metrics requested in a month.
    listings : int
        Calls of ListMetrics in a month.
    backfill : int
        Metrics requested once, for the past.
    price : float
        US dollars per 1,000.
    at_least : bool
        An expression finds its metrics by itself: it may be more.
    """

    series: int
    requested: int
    listings: int
    backfill: int
    price: float = PRICE_PER_1000
    at_least: bool = False

    @property
    def monthly(self) -> float:
        """US dollars a month."""
        return (self.requested + self.listings) / 1000 * self.price

    @property
    def once(self) -> float:
        """US dollars for the past."""
        return self.backfill / 1000 * self.price

    def __str__(self) -> str:
        calls = self.requested / self.series if self.series else 0.0
        return (
            f"{self.series:,} metrics × {calls:,.0f} calls a month = {self.requested:,} metrics requested"
            f" = {'at least ' if self.at_least else ''}${self.monthly:,.2f} a month, with {self.listings:,} listings; "
            f"the past once ${self.once:,.2f} (${self.price:g} per 1,000, {PRICE_SOURCE}, {PRICE_DATE})"
        )

    def document(self) -> dict[str, Any]:
        """The same for machines."""
        return {
            "metrics": self.series,
            "metrics_requested_per_month": self.requested,
            "listings_per_month": self.listings,
            "usd_per_month": round(self.monthly, 4),
            "usd_backfill": round(self.once, 4),
            "at_least": self.at_least,
            "usd_per_1000": self.price,
            "price_source": PRICE_SOURCE,
            "price_date": PRICE_DATE,
            "text": str(self),
        }


def estimate(
    asked: Iterable[Asked], *, listings: int, listed_every: int, backfill: bool, price: float, at_least: bool = False
) -> Estimate:
    """The estimate for all series.

    Every statistic counts as a metric of its own. AWS counts up to five statistics of one metric in one call as one,
    so the bill may be smaller.

    Parameters
    ----------
    asked : iterable of Asked
        By how often they are asked for.
    listings : int
        Calls of ListMetrics for one look.
    listed_every : int
        ns between two looks.
    backfill : bool
        Whether the past is asked for first.
    price : float
        US dollars per 1,000.
    at_least : bool
        It may be more.

    Examples
    --------
    >>> from watchband.core.duration import MINUTE
    >>> found = estimate([Asked(1000, 1000, 5 * MINUTE)], listings=2, listed_every=HOUR, backfill=True, price=0.01)
    >>> found.requested, f"{found.monthly:.2f}", f"{found.once:.2f}"
    (8760000, '87.61', '0.01')
    """
    groups = list(asked)
    return Estimate(
        sum(group.series for group in groups),
        sum(-(-group.metrics * MONTH // group.every) for group in groups),
        listings * MONTH // listed_every,
        sum(group.metrics for group in groups) if backfill else 0,
        price,
        at_least,
    )
