"""Learned: the part of a watch's state that goes back where somebody reverts it.

That is what it takes for normal (detector and calibrate). Where the stream stands, what is open, what was counted and
what is told of drift goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from watchband.core.matcher import Selector
from watchband.pipeline.watch_state import WatchState

if TYPE_CHECKING:
    from watchband.pipeline.watch import Watch

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
    if any(past.stages[stage].identity != state.stages[stage].identity for stage in LEARNED):
        # Another model judged then.
        return 0
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


def instate(state: WatchState, other: WatchState | None, watch: Watch, stages: Sequence[str] = LEARNED) -> None:
    """Put what another model learned in the place of what was learned; ``watch`` is that of the other model.

    Series that the other has not seen begin anew, unless the two are of the same parameters; without any other state
    all do so.
    """
    known = {} if other is None else other.rows
    pairs = [(row, known[key]) for row, key in enumerate(state.keys) if key in known]
    here, there = (np.array(column, np.int64) for column in (zip(*pairs, strict=True) if pairs else ((), ())))
    for stage in stages:
        blank = watch.stages[stage].start(len(state.keys))
        now = state.stages[stage]
        fresh = now.copy() if now.identity == blank.identity else blank
        if other is not None:
            for name, array in other.stages[stage].arrays.items():
                fresh.arrays[name][here] = array[there]
            fresh.points_seen[here] = other.stages[stage].points_seen[there]
            fresh.last_time[here] = other.stages[stage].last_time[there]
        fresh.derived = {}
        setattr(state, stage, fresh)
    watch.take_over(state)
