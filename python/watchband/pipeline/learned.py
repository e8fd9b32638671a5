"""Learned: the part of a watch's state that goes back where somebody reverts it.

That is what it takes for normal (detector and calibrate). Where the stream stands, what is open, what was counted and
what is told of drift goes on.
"""

from __future__ import annotations

import numpy as np

from watchband.core.matcher import Selector
from watchband.pipeline.watch_state import WatchState

LEARNED = ("detector", "calibrate")
"""Stages that go back."""


def chosen(series: str, state: WatchState) -> list[int]:
    """The rows that a text means: the series of that very name, or those that a selector matches.

    Raises
    ------
    ConfigError
        The text is neither.
    """
    for key, row in state.rows.items():
        if str(key) == series:
            return [row]
    selector = Selector(series)
    return [row for key, row in state.rows.items() if selector.matches(key)]


def revert(state: WatchState, past: WatchState, series: str = "*") -> int:
    """Put what was learned of the chosen series back to what it was; how many these are.

    Series that were not known then keep what they have: there is nothing to go back to.
    """
    pairs = [(row, past.rows[state.keys[row]]) for row in chosen(series, state) if state.keys[row] in past.rows]
    if not pairs:
        return 0
    here, there = (np.array(column, np.int64) for column in zip(*pairs, strict=True))
    for stage in LEARNED:
        now, then = state.stages[stage], past.stages[stage]
        for name, array in then.arrays.items():
            now.arrays[name][here] = array[there]
        now.points_seen[here], now.last_time[here] = then.points_seen[there], then.last_time[there]
        # What follows from the other arrays is made anew.
        now.derived = {}
    return len(pairs)
