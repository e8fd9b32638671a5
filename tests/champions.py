"""A trained champion for tests that need a folder of one."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import watchband as wb
from watchband.testing.streams import MINUTE, START


def champion(folder: Path, candidates: str = "ewma") -> Path:
    """Train on noise with a few events; one trial a candidate."""
    times = START + np.arange(1500) * 5 * MINUTE
    values = 50 + np.random.default_rng(0).normal(0, 1, 1500)
    events = []
    for at in range(120, 1480, 100):
        values[at : at + 3] += 9
        events.append((times[at].view("M8[ns]"), times[at + 2].view("M8[ns]")))
    trials = len(candidates.split(","))
    wb.train((times, values), events, candidates=candidates, trials=trials, budget="4/day", metric="cpu", out=folder)
    return folder
