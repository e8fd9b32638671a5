"""Named sets of features: families, and what is known of their columns."""

from __future__ import annotations

from dataclasses import dataclass

from watchband.features.cloudwatch10 import CLOUDWATCH10
from watchband.features.cloudwatch10 import NAMES as CLOUDWATCH_NAMES
from watchband.features.families import Family


@dataclass(frozen=True, slots=True)
class NamedSet:
    """A set that has a name.

    Parameters
    ----------
    families : tuple of Family
        In the order of the features.
    what : str
        A line for people.
    columns : tuple of str
        Its columns where nobody names others.
    count : int
        How many columns it takes; 0: one or more.
    ranges : tuple of (float, float)
        For each column the values that can be.
    """

    families: tuple[Family, ...]
    what: str
    columns: tuple[str, ...] = ("value",)
    count: int = 1
    ranges: tuple[tuple[float, float], ...] = ()


RATIOS = ("cluster_cpu_request_ratio", "cluster_mem_request_ratio", "cluster_pod_ratio")
_METRIC = ("temporal", "rolling", "differences", "rates", "distribution")

SETS: dict[str, NamedSet] = {
    "value4": NamedSet((Family("four", (12,)),), "value, diff, roll_mean, roll_std over the last 12 slots"),
    "value4_trailing": NamedSet(
        (Family("four_trailing", (12,)),),
        "the same over the 12 slots before, without the ceiling of the inclusive form",
    ),
    "lags24": NamedSet((Family("lags", tuple(range(1, 25))),), "the 24 readings before"),
    "metric": NamedSet(
        (Family("value"), *(Family(kind) for kind in _METRIC)), "all families of one metric: 100 features"
    ),
    "calendar": NamedSet((Family("temporal"), Family("calendar")), "the moment alone: 20 features"),
    "ratios294": NamedSet(
        (
            Family("value"),
            Family("temporal"),
            Family("rolling"),
            Family("differences"),
            Family("rates"),
            Family("pairs"),
            Family("together"),
            Family("distribution"),
        ),
        "all families over three metrics: 3 + 11 + 126 + 63 + 45 + 16 + 30 = 294 features",
        columns=RATIOS,
        count=3,
    ),
    "cloudwatch10": NamedSet(
        (Family("held", (3,)),),
        "ten metrics of a host; a slot without a reading takes the last of the two before it",
        columns=CLOUDWATCH_NAMES,
        count=len(CLOUDWATCH_NAMES),
        ranges=tuple((feature.low, feature.high) for feature in CLOUDWATCH10),
    ),
}
