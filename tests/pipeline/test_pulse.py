"""Silence and standing still."""

from __future__ import annotations

import numpy as np
import pytest

from watchband.core.points import Points
from watchband.core.series import SeriesKey
from watchband.pipeline.pulse import NEVER, Pulse, alerts_of

MINUTE = 60_000_000_000


@pytest.mark.parametrize("every", [1, 7, 120])
def test_silence_is_known_when_patience_ends_however_often_time_passes(every: int) -> None:
    pulse = Pulse()
    state = pulse.start(1)
    times = np.arange(100) * MINUTE
    pulse.step(state, Points.of(times, np.sin(np.arange(100.0))))
    found = [f for minute in range(100, 100 + 241, every) for f in [pulse.watermark(state, minute * MINUTE)] if len(f)]
    assert [f.known.tolist() for f in found] == [[(99 + 5) * MINUTE]]
    back = pulse.step(state, Points.of(np.array([400 * MINUTE]), np.array([0.5])))
    assert (back.since.tolist(), back.over.tolist()) == ([100 * MINUTE], [400 * MINUTE])
    alert = alerts_of(found[0], [SeriesKey("cpu")], "w")[0]
    assert (alert.kind, alert.closed, alert.id) == ("no data", None, alerts_of(back, [SeriesKey("cpu")], "w")[0].id)


def test_a_value_that_stands_still_is_stuck_where_it_usually_moves() -> None:
    pulse = Pulse()
    state = pulse.start(2)
    times = np.arange(300) * MINUTE
    moving = np.r_[np.sin(np.arange(200.0)), np.full(100, 0.25)]
    found = pulse.step(
        state,
        Points(
            np.tile(times, 2),
            np.r_[moving, np.full(300, 7.0)][:, None],
            np.array([0, 300, 600]),
            np.array([0, 1], np.int32),
        ),
    )
    assert (found.row.tolist(), found.what.tolist(), found.over.tolist()) == ([0], [1], [NEVER])
