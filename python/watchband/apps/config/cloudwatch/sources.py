"""The source that an import reads: every metric of every alarm, by exactly its dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watchband.adapters.sources.cloudwatch.names import key_of
from watchband.core.duration import SECOND, format_duration


class Sources:
    """Collects metrics and expressions, each once.

    Parameters
    ----------
    region : str
        Of the account.
    """

    def __init__(self, region: str) -> None:
        self.region = region
        self._metrics: dict[tuple[Any, ...], dict[str, Any]] = {}
        self._expressions: dict[str, dict[str, Any]] = {}

    def metric(self, metric: Mapping[str, Any], stat: str, period: int) -> str:
        """Read a statistic of a metric every ``period`` seconds; the selector of its series."""
        dimensions = {d["Name"]: d["Value"] for d in metric.get("Dimensions") or ()}
        named = (metric["Namespace"], metric["MetricName"], tuple(sorted(dimensions.items())))
        entry = self._metrics.get((*named, period))
        if entry is None:
            entry = {"namespace": metric["Namespace"], "names": metric["MetricName"]}
            if dimensions:
                entry["dimensions"] = {name: _literal(value) for name, value in sorted(dimensions.items())}
            entry |= {"only_these": True, "statistics": [], "period": format_duration(period * SECOND)}
            self._metrics[(*named, period)] = entry
        if stat not in entry["statistics"]:
            entry["statistics"].append(stat)
        key = key_of(metric["MetricName"], dimensions.items(), namespace=metric["Namespace"], stat=stat)
        return str(key)

    def expression(self, name: str, expression: str, using: Mapping[str, Any], period: int) -> str:
        """Read an expression over metrics by their ids; the selector of its series."""
        base, number = name, 2
        while name in self._expressions and self._expressions[name]["expression"] != expression:
            name, number = f"{base}_{number}", number + 1
        texts = {}
        for one, stat in using.items():
            metric = stat["Metric"]
            dimensions = [(d["Name"], d["Value"]) for d in metric.get("Dimensions") or ()]
            texts[one] = str(key_of(metric["MetricName"], dimensions, namespace=metric["Namespace"], stat=stat["Stat"]))
        entry: dict[str, Any] = {"expression": expression}
        if texts:
            entry["using"] = texts
        self._expressions[name] = entry | {"period": format_duration(period * SECOND)}
        return name

    def document(self) -> dict[str, Any]:
        """The source as the file has it; empty where nothing is read."""
        if not self._metrics and not self._expressions:
            return {}
        found: dict[str, Any] = {"kind": "cloudwatch"}
        if self.region:
            found["region"] = self.region
        if self._metrics:
            found["metrics"] = {}
            for entry in self._metrics.values():
                base = "".join(c if c.isalnum() or c in "_-" else "_" for c in f"{entry['names']}")
                name, number = base, 2
                while name in found["metrics"]:
                    name, number = f"{base}_{number}", number + 1
                found["metrics"][name] = entry
        if self._expressions:
            found["expressions"] = self._expressions
        return found


def _literal(value: str) -> str:
    """A value that stands for itself alone, wherever wildcards are read."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in value)
