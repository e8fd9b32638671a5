"""``light`` beside ``auto``: detector and calibrate together, in a fleet and where nothing is in the cache."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, islice

import numpy as np

from benches.timing import Case
from watchband.core.points import Points
from watchband.pipeline.catalogue import CATALOGUE
from watchband.pipeline.watch import Watch
from watchband.testing import streams

MINUTES_5 = 5 * streams.MINUTE
PAST = 600


def cases(points: int, peers: bool) -> list[Case]:
    """A fleet of series of 1,000 points, and one point each of very many series, state after state."""
    found = []
    for name, series, length in (("light", points // 1000, 1000), ("auto", max(2, points // 200_000), 1000)):
        fleet = Points.fleet([(streams.times(length, MINUTES_5), streams.daily(length, i)) for i in range(series)])
        found.append(_case("detector and calibrate, fleet, 1,000 points a series", name, fleet, 1))
    for name, series, rounds in (("light", points // 20, 4), ("auto", max(2, points // 5000), 4)):
        fleet = Points.fleet([(np.full(1, streams.START), np.zeros(1))] * series)
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
    state, calibration, round_ = detector.start(fleet.series), calibrate.start(fleet.series), count()
    length = len(fleet) // fleet.series
    later = streams.daily(len(fleet) + 1000 * length, 1)[:, None]

    def work() -> None:
        for number in islice(round_, rounds):
            at = number * length
            values = later[at : at + len(fleet)]
            fold(state, calibration, Points(fleet.times + at * MINUTES_5, values, fleet.offsets, fleet.rows))

    for batch in _past(fleet):
        fold(state, calibration, batch)
    return Case(group, name, work, rounds * len(fleet), size, f"{fleet.series:,} series")


def _past(fleet: Points) -> Iterator[Points]:
    """What the series of a fleet have lived through before: ``PAST`` points each, in a few batches."""
    part = PAST // 6
    first = int(fleet.times.min())
    for begin in range(first - PAST * MINUTES_5, first, part * MINUTES_5):
        times = streams.times(part, MINUTES_5, begin)
        yield Points.fleet([(times, streams.daily(part, row + begin % 1009)) for row in range(fleet.series)])
