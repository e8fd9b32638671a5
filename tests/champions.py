"""A trained champion for tests that need a folder of one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import watchband as wb
from watchband.testing.streams import MINUTE, START

STEP = 5 * MINUTE
POINTS = 2400


def readings(seed: int = 0) -> tuple[np.ndarray, np.ndarray, list[tuple[Any, Any]]]:
    """Times, values and labels: noise of 1 about 50, an event of three points in every hundred."""
    rng = np.random.default_rng(seed)
    times = (START + np.arange(POINTS) * STEP).view("M8[ns]")
    values = np.round(50 + rng.normal(0, 1, POINTS), 4)
    events = []
    for begin in range(150, POINTS - 60, 100):
        at = begin + int(rng.integers(0, 40))
        values[at : at + 3] += 9
        events.append((times[at], times[at + 2]))
    return times, values, events


def write(path: Path, names: tuple[str, ...] = ("cpu",), step: int = 1) -> Path:
    times, values, _ = readings()
    lines = [",".join(["timestamp", *names])]
    moments = times[::step].astype("M8[s]").astype(str).tolist()
    lines += [
        ",".join([f"{t}Z", *[str(v)] * len(names)]) for t, v in zip(moments, values[::step].tolist(), strict=True)
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def champion(folder: Path, candidates: str = "ewma") -> Path:
    """Train on noise with a few events; one trial a candidate."""
    times = START + np.arange(1500) * STEP
    values = 50 + np.random.default_rng(0).normal(0, 1, 1500)
    events = []
    for at in range(120, 1480, 100):
        values[at : at + 3] += 9
        events.append((times[at].view("M8[ns]"), times[at + 2].view("M8[ns]")))
    trials = len(candidates.split(","))
    wb.train((times, values), events, candidates=candidates, trials=trials, budget="4/day", metric="cpu", out=folder)
    return folder
