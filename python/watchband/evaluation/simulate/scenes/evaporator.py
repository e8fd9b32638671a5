"""An evaporator that freezes up: a cooling sensor with a resolution of 0.1 degrees, read for 1,160 minutes.

The readings take four values only; for nine minutes from 12:02 to 12:10 they stand at 29.0 and 29.1 degrees.
"""

from __future__ import annotations

import numpy as np

from watchband.core.points import Float64
from watchband.evaluation.labels import Label
from watchband.evaluation.simulate.dice import Dice
from watchband.evaluation.simulate.scenes.track import Scene, Track

START_NS = 1_623_283_200_000_000_000
"""2021-06-10 00:00 UTC."""
MINUTE_NS = 60_000_000_000
MINUTES = 1160
COUNTS = {27.0: 166, 27.1: 416, 27.2: 422, 27.3: 147}
"""How often each usual value is read."""
EVENT = (722, 730)
"""Minutes of the day: 12:02 to 12:10."""
_WARM = (29.0, 29.1, 29.1, 29.1, 29.0, 29.1, 29.1, 29.1, 29.0)


def evaporator(seed: int = 0) -> Scene:
    """Evaporator, room sensor and set point; only the evaporator has an event.

    Examples
    --------
    >>> values = evaporator().series[0].values
    >>> {float(v): int((values == v).sum()) for v in np.unique(values)}
    {27.0: 166, 27.1: 416, 27.2: 422, 27.3: 147, 29.0: 3, 29.1: 6}
    """
    dice = Dice(seed, "evaporator")
    times = START_NS + MINUTE_NS * np.arange(MINUTES, dtype=np.int64)
    usual = np.arange(MINUTES)
    inside = (usual >= EVENT[0]) & (usual <= EVENT[1])
    wave = _wave(dice, "evaporator")
    readings = np.repeat(list(COUNTS), list(COUNTS.values()))
    values, clean = np.empty(MINUTES), np.empty(MINUTES)
    values[~inside] = readings[np.argsort(np.argsort(wave[~inside], kind="stable"))]
    clean[~inside] = values[~inside]
    values[inside] = _WARM
    # What it would have read: the value of its rank among the others.
    levels = np.sort(wave[~inside])
    clean[inside] = readings[np.minimum(np.searchsorted(levels, wave[inside]), len(readings) - 1)]
    name = "EvaporatorTemperature"
    start, end = int(times[EVENT[0]]), int(times[EVENT[1]])
    label = Label(name, start, end, "level_shift", end + 12 * MINUTE_NS)
    room = np.round(25.9 + 0.45 * np.clip(_wave(dice, "room"), -2.4, 2.4), 1)
    point = np.where(usual < 400, 27.3, np.where(usual < 800, 28.4, 29.4))
    return Scene(
        "evaporator",
        [
            Track(name, times, values, [label], clean_values=clean, seed=seed),
            Track("SensorTemperature", times, room, clean_values=room, seed=seed),
            Track("SetPointTemperature", times, point, clean_values=point, seed=seed),
        ],
    )


def _wave(dice: Dice, stream: str) -> Float64:
    """A duty cycle of about half an hour with noise, about normal."""
    minutes = np.arange(MINUTES)
    index = np.arange(MINUTES, dtype=np.int64)
    return np.asarray(np.sin(2 * np.pi * minutes / 31) + 0.7 * dice.normal_at(stream, index))
