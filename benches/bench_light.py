"""``light`` beside ``auto``: detector and calibrate together, in a fleet and where nothing is in the cache."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benches.timing import Case
from watchband.core.points import Points
from watchband.pipeline.catalogue import CATALOGUE
from watchband.pipeline.watch import Watch
from watchband.testing import streams

MINUTES_5 = 5 * streams.MINUTE


def cases(points: int, peers: bool) -> list[Case]:
    """A fleet of series of 1,000 points, and one point each of very many series, state after state."""
    found = []
    for name, series, length in (("light", points // 1000, 1000), ("auto", max(2, points // 200_000), 1000)):
        fleet = Points.fleet([(streams.times(length, MINUTES_5), streams.daily(length, i)) for i in range(series)])
        found.append(_case("detector and calibrate, fleet, 1,000 points a series", name, fleet, 1))
    for name, series, rounds in (("light", points // 20, 4), ("auto", max(2, points // 5000), 4)):
        values = streams.daily(series, 1)
        fleet = Points.fleet([(np.zeros(1, np.int64), values[i : i + 1]) for i in range(series)])
        found.append(_case("detector and calibrate, one point of each series in turn", name, fleet, rounds))
    return found


def _case(group: str, name: str, fleet: Points, rounds: int) -> Case:
    watch = Watch("bench", CATALOGUE.build({"type": name}))
    detector, calibrate = watch.detector, watch.calibrate
    interval = np.full(fleet.series, MINUTES_5)
    stages = (watch.prepare, detector, calibrate, watch.decide)
    size = sum(stage.state_bytes_max for stage in stages)

    def fold(state: object, calibration: object, points: Points) -> None:
        scores = detector.step(state, points, threads=1)  # type: ignore[arg-type]
        calibrate.step(calibration, points, scores, interval_ns=interval, threads=1)  # type: ignore[arg-type]

    # States go on from run to run: what counts is a fleet that lives, not one that starts.
    state, calibration, clock = detector.start(fleet.series), calibrate.start(fleet.series), [0]
    span = int(fleet.times.max() - fleet.times.min()) + MINUTES_5

    def work() -> None:
        for _ in range(rounds):
            moved = Points(fleet.times + clock[0], fleet.values, fleet.offsets, fleet.rows)
            fold(state, calibration, moved)
            clock[0] += span

    warm: Callable[[], None] = work
    for _ in range(max(1, 40 // (rounds * (len(fleet) // fleet.series)))):
        warm()
    return Case(group, name, work, rounds * len(fleet), size, f"{fleet.series:,} series")
