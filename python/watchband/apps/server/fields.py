"""Fields of a sample: the metrics they become, the names they may have, the values they may take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from watchband.core import params
from watchband.core.errors import ConfigError
from watchband.core.kinds import ListOf
from watchband.core.params import Maybe, Real, Text, param

TIMES = ("timestamp", "time")
OTHERS = (*TIMES, "cluster", "labels")
SERIES = ("series", "value", *TIMES)


@dataclass(frozen=True)
class FieldSettings:
    """A field of a sample: one entry of ``server.predict``, named as the metric it becomes."""

    aliases: tuple[str, ...] = param(
        (), ListOf(Text("a name such as cpu")), "Names a sample may give it, besides its own."
    )
    low: float | None = param(None, Maybe(Real()), "Lowest value that is taken.")
    high: float | None = param(None, Maybe(Real()), "Highest value that is taken.")

    def __post_init__(self) -> None:
        params.check(self)
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ConfigError(f"'low' is above 'high': {self.low:g} and {self.high:g}.")


CLUSTER_RATIOS: Mapping[str, FieldSettings] = {
    f"cluster_{name}_ratio": FieldSettings(aliases=aliases, low=0.0, high=1.0)
    for name, aliases in (
        ("cpu_request", ("cpu", "cpu_ratio", "cpu_request_ratio")),
        ("mem_request", ("mem", "memory", "mem_ratio", "memory_ratio", "mem_request_ratio", "memory_request_ratio")),
        ("pod", ("pod", "pods", "pod_ratio", "pods_ratio")),
    )
}
"""What is taken where nothing else is configured: how much of a cluster is asked for, as shares of 1."""


def metrics_by_name(fields: Mapping[str, FieldSettings]) -> dict[str, str]:
    """The metric of every name that a sample may use.

    Raises
    ------
    ConfigError
        Two fields share a name, or one is called like something else of a sample.
    """
    found: dict[str, str] = {}
    for metric, known in fields.items():
        for name in (metric, *known.aliases):
            if name in (*OTHERS, *SERIES) or found.setdefault(name, metric) != metric:
                raise ConfigError(f"'predict': the name {name!r} of {metric!r} is another field's, or reserved.")
    return found
