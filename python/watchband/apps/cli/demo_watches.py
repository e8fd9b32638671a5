"""The watches of the demo: one a metric of a machine, with what its unit makes worth telling."""

from __future__ import annotations

from collections.abc import Callable

from watchband.core.ports import Batch, Sink, Store
from watchband.pipeline.policy import Policy
from watchband.pipeline.presets import Auto
from watchband.pipeline.results import Results
from watchband.pipeline.rules import Budget
from watchband.pipeline.runner import Runner
from watchband.pipeline.watch import Watch

MEBIBYTE = 1 << 20
BUDGET = Budget(1, 600_000_000_000)
BUDGET_WORDS = "one alert in ten minutes a metric"

# The least deviation that anyone would want to hear of. It is what is known of a machine before its first reading;
# everything else is learned.
LEAST: dict[str, float] = {
    "cpu_percent": 20.0,
    "memory_percent": 2.0,
    "load_1m": 1.5,
    "disk_read_bytes_per_second": 50.0 * MEBIBYTE,
    "disk_write_bytes_per_second": 20.0 * MEBIBYTE,
    "network_received_bytes_per_second": 10.0 * MEBIBYTE,
    "network_sent_bytes_per_second": 10.0 * MEBIBYTE,
}


def watch_of(metric: str, zone: str = "UTC") -> Watch:
    """The watch of one metric; values cannot be negative, and percentages end at 100."""
    high = 100.0 if metric.endswith("_percent") else None
    policy = Policy(min_deviation=LEAST.get(metric, 0.0), range_low=0.0, range_high=high)
    detector = Auto(range_low=0.0, range_high=high)
    return Watch(metric, detector, BUDGET, policy, zone=zone)


class Bench:
    """A runner for each metric, fed from one source: bands for all of them, one alert per incident.

    Parameters
    ----------
    make_store : callable returning Store
        A store of its own for each runner.
    sinks : list of Sink
        Where alerts go.
    zone : str
        Time zone in which alerts tell times.
    """

    def __init__(self, make_store: Callable[[], Store], sinks: list[Sink], zone: str = "UTC") -> None:
        self.make_store, self.sinks, self.zone = make_store, sinks, zone
        self.runners: dict[str, Runner] = {}

    def step(self, source: str, batch: Batch) -> dict[str, Results]:
        """Fold a batch; the results by metric."""
        found: dict[str, Results] = {}
        for reading in batch.readings:
            metric = reading.key.metric
            if metric not in self.runners:
                self.runners[metric] = Runner(watch_of(metric, self.zone), self.make_store(), self.sinks)
            found |= self.runners[metric].step(source, Batch([reading], batch.position))
        return found
