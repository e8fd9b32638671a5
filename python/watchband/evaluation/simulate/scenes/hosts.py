"""Four hosts stacked in one wide table without an id, as a cloud's export has them, with six incidents on the third.

25 columns, 4 × 4,033 rows of five minutes, times as ``M/D/YYYY H:MM``. CPU follows business hours, memory, latency and
processes follow CPU; as exports do, the latency of idle hosts goes below 0.
"""

from __future__ import annotations

import numpy as np

from watchband.core.points import Float64, Int64
from watchband.core.series import SeriesKey
from watchband.evaluation.labels import Label
from watchband.evaluation.simulate.dice import Dice
from watchband.evaluation.simulate.scenes.track import Scene, Track

START_NS = 1_739_750_400_000_000_000
"""2025-02-17 00:00 UTC."""
STEP_NS = 300_000_000_000
ROWS = 4033
CPU = ((20.0, 30.0), (40.0, 55.0), (70.0, 90.0), (5.0, 10.0))
"""Of each host: at night, and from 8 to 20 o'clock."""
INCIDENT_HOST = 2
INCIDENTS = ("02-19T02:20", "02-21T03:45", "02-24T12:55", "02-27T20:40", "03-02T00:45", "03-02T04:50")
CORE = (
    "CPUUtilization", "MemoryUtilization", "DiskReadBytes_MB", "DiskWriteBytes_MB", "NetworkIn_MB", "NetworkOut_MB",
    "Latency_ms", "DiskQueueLength", "RunningProcesses", "ActiveConnections",
)  # fmt: skip
EXTRA = (
    "DiskReadOps", "DiskWriteOps", "StatusCheckFailed", "EBSBurstBalance_MB", "EBSVolumeReadBytes_MB",
    "EBSVolumeWriteBytes_MB", "EBSVolumeReadOps", "EBSVolumeWriteOps", "EBSVolumeTotalIOs", "EBSConsumedReadOps",
    "EBSConsumedWriteOps", "EBSConsumedIOs", "EBSConsumedReadBytes_MB", "EBSConsumedWriteBytes_MB",
)  # fmt: skip
_STRUCK = ("CPUUtilization", "MemoryUtilization", "Latency_ms")


def hosts(seed: int = 0) -> Scene:
    """Four hosts with 24 metrics each, and the table they stand in.

    Examples
    --------
    >>> scene = hosts()
    >>> len(scene.series), len(scene.columns), len(scene.columns["Timestamp"]), str(scene.columns["Timestamp"][1])
    (96, 25, 16132, '2/17/2025 0:05')
    >>> len({label.incident for label in scene.labels})
    6
    """
    times = START_NS + STEP_NS * np.arange(ROWS, dtype=np.int64)
    struck = np.searchsorted(times, [_time(text) for text in INCIDENTS])
    tracks, tables = [], []
    for host in range(len(CPU)):
        dice = Dice(seed, "hosts", host)
        clean = _host(dice, times, *CPU[host])
        table = {name: values.copy() for name, values in clean.items()}
        if host == INCIDENT_HOST:
            _strike(table, struck, dice)
        tables.append(table)
        for name, values in table.items():
            key = str(SeriesKey(name, {"part": str(host + 1)}))
            labels = _labels(key, times[struck]) if host == INCIDENT_HOST and name in _STRUCK else []
            tracks.append(Track(key, times, values, labels, clean_values=clean[name], seed=seed))
    columns: dict[str, np.ndarray] = {"Timestamp": np.tile(_written(times), len(CPU))}
    columns |= {name: np.concatenate([table[name] for table in tables]) for name in (*CORE, *EXTRA)}
    return Scene("hosts", tracks, columns)


def _time(text: str) -> int:
    return int(np.datetime64(f"2025-{text}", "ns").astype(np.int64))


def _written(times: Int64) -> np.ndarray:
    moments = [moment.item() for moment in times.view("M8[ns]").astype("M8[s]")]
    return np.array([f"{m.month}/{m.day}/{m.year} {m.hour}:{m.minute:02}" for m in moments])


def _host(dice: Dice, times: Int64, night: float, day: float) -> dict[str, Float64]:
    rng = dice.generator("host")
    hour = times // (12 * STEP_NS) % 24
    n = len(times)
    level = np.where((hour >= 8) & (hour < 20), day, night)
    # No row of a quiet host comes near eight robust deviations of its neighbours.
    noise = np.clip(rng.normal(size=n), -3, 3)
    cpu = np.clip(level + 0.05 * (night + 20) * noise, 0.5, 100)

    def about(value: Float64 | float, spread: float, low: float = 0.0) -> Float64:
        return np.asarray(np.maximum(value + spread * rng.normal(size=n), low))

    read, write = about(0.6 * cpu, 4), about(0.45 * cpu, 4)
    reads, writes = np.round(about(9 * cpu, 40)), np.round(about(7 * cpu, 40))
    found = (
        cpu, np.clip(0.75 * cpu + 4 * rng.normal(size=n), 10, 100), read, write, about(1.6 * cpu, 8),
        about(1.2 * cpu, 8), 0.8 * cpu + 8 * rng.normal(size=n), np.round(about(0.05 * cpu, 1)),
        np.round(about(60 + 2 * cpu, 14)), np.round(about(4 * cpu, 25)),
        reads, writes, (rng.random(n) < 0.0046).astype(np.float64), about(100 - 0.2 * cpu, 2),
        about(read, 1), about(write, 1), reads, writes, reads + writes, np.round(about(0.9 * reads, 9)),
        np.round(about(0.9 * writes, 9)), np.round(about(0.9 * (reads + writes), 12)), about(0.9 * read, 1),
        about(0.9 * write, 1),
    )  # fmt: skip
    return {name: np.round(values, 2) for name, values in zip((*CORE, *EXTRA), found, strict=True)}


def _strike(table: dict[str, Float64], struck: Int64, dice: Dice) -> None:
    rng = dice.generator("incidents")
    cpu = np.round(rng.uniform(192, 288, len(struck)), 2)
    table["CPUUtilization"][struck] = cpu
    table["MemoryUtilization"][struck] = 100.0
    table["Latency_ms"][struck] = np.round(np.clip(0.75 * cpu + rng.normal(0, 3, len(struck)), 138, 216), 2)


def _labels(key: str, moments: Int64) -> list[Label]:
    return [
        Label(key, int(at), int(at), "spike", int(at) + 12 * STEP_NS, incident=f"incident-{number}",
              root=key.startswith("CPU"))
        for number, at in enumerate(moments, 1)
    ]  # fmt: skip
