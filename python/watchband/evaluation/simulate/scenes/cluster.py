"""Cluster ratios: CPU, memory and pods of a cluster as shares of what it has, of which most slots are absent.

The shape of a monitoring export that many meet: nominally every five minutes, but only 230 of 1,786 slots are there;
CPU and memory requests stand still for days (interquartile range 0), so that quartiles call any change an outlier.
"""

from __future__ import annotations

import numpy as np

from watchband.core.points import Float64, Int64
from watchband.evaluation.labels import Label
from watchband.evaluation.simulate.dice import Dice
from watchband.evaluation.simulate.scenes.track import Scene, Track

START_NS = 1_761_568_200_000_000_000
"""2025-10-27 12:30 UTC."""
SLOT_NS = 300_000_000_000
SLOTS, ROWS = 1786, 230
_STUCK_MEMORY = 171


def cluster(seed: int = 0) -> Scene:
    """Three ratios with one incident of the whole cluster and two small ones.

    Examples
    --------
    >>> scene = cluster()
    >>> [s.name for s in scene.series], {s.points for s in scene.series}
    (['cluster_cpu_request_ratio', 'cluster_mem_request_ratio', 'cluster_pod_ratio'], {230})
    """
    dice = Dice(seed, "cluster")
    slots = _slots(dice.generator("slots"))
    times = START_NS + SLOT_NS * slots
    rng = dice.generator("values")
    incident = slice(118, 121)
    cpu, cpu_clean = np.full(ROWS, 0.6149), np.full(ROWS, 0.6149)
    cpu[incident] = 0.837, 0.7702, 0.7549
    cpu[[60, 185]] = 0.529, 0.7238
    memory_clean = _memory(rng, incident)
    memory = memory_clean.copy()
    memory[incident] = 0.908, 0.86, 0.85
    memory[[60, 185]] = 0.334, 0.79
    pods_clean = 0.1925 + 0.0012 * rng.choice([-1, 0, 0, 1], ROWS)
    pods = pods_clean.copy()
    pods[incident] = 0.254, 0.221, 0.213
    pods[[60, 185]] = 0.18, 0.2105
    tracks = []
    for name, values, clean in (
        ("cluster_cpu_request_ratio", cpu, cpu_clean),
        ("cluster_mem_request_ratio", memory, memory_clean),
        ("cluster_pod_ratio", pods, pods_clean),
    ):
        labels = _labels(name, times, values, clean)
        tracks.append(Track(name, times, values, labels, clean_values=clean, seed=seed))
    return Scene("cluster", tracks)


def _slots(rng: np.random.Generator) -> Int64:
    """230 of 1,786 slots, in runs, the first and the last among them."""
    runs = rng.multinomial(ROWS - 2 * 11, np.full(11, 1 / 11)) + 2
    gaps = rng.multinomial(SLOTS - ROWS - 10, rng.dirichlet(np.full(10, 2.0))) + 1
    starts = np.concatenate([[0], np.cumsum(runs[:-1] + gaps)])
    return np.concatenate([start + np.arange(run) for start, run in zip(starts, runs, strict=True)]).astype(np.int64)


def _memory(rng: np.random.Generator, incident: slice) -> Float64:
    """Stands still but for some fifty readings, most of which differ in the sixth decimal."""
    values = np.full(ROWS, 0.6436)
    free = np.setdiff1d(np.arange(ROWS), [60, 185, *range(ROWS)[incident]])
    moved = rng.choice(free, ROWS - _STUCK_MEMORY - 5, replace=False)
    values[moved[:44]] += 1e-6 * rng.integers(1, 9, 44)
    values[moved[44:]] += rng.choice([-0.01, 0.012, 0.02], len(moved) - 44)
    return values


def _labels(name: str, times: Int64, values: Float64, clean: Float64) -> list[Label]:
    changed = np.flatnonzero(values != clean)
    cuts = np.flatnonzero(np.diff(changed) > 1) + 1
    return [
        Label(name, int(times[run[0]]), int(times[run[-1]]), "level_shift" if len(run) > 1 else "spike",
              incident=f"incident-{number}")
        for number, run in enumerate(np.split(changed, cuts), 1)
    ]  # fmt: skip
