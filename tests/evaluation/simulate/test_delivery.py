"""Delivery and fleets: what arrives and in which order, and that nothing is held."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest

from watchband.core.duration import HOUR, MINUTE
from watchband.core.errors import ConfigError
from watchband.evaluation.simulate.clock import Clock
from watchband.evaluation.simulate.delivery import Arrived, Delivery
from watchband.evaluation.simulate.fleet import Fleet
from watchband.evaluation.simulate.placing import FaultSpec
from watchband.evaluation.simulate.series import Simulated

SERIES = Simulated("cpu", seed=3, points=20_000, faults=[FaultSpec("gap")])


def arrived(delivery: Delivery) -> Arrived:
    return Arrived(*(np.concatenate(c) for c in zip(*delivery.readings(SERIES), strict=True)))


def test_nothing_happens_where_nothing_is_asked() -> None:
    found = arrived(Delivery())
    assert found.values.tobytes() == SERIES.values.tobytes()
    assert found.times.tobytes() == found.arrivals.tobytes() == SERIES.times.tobytes()


def test_missing_points_never_arrive_and_the_others_are_untouched() -> None:
    found = arrived(Delivery(missing=0.2))
    here = np.isin(SERIES.times, found.times)
    assert here.mean() == pytest.approx(0.8, abs=0.01)
    assert found.values.tobytes() == SERIES.values[here].tobytes()


def test_late_points_arrive_behind_later_ones() -> None:
    found = arrived(Delivery(late=0.1, late_by=HOUR))
    delay = found.arrivals - found.times
    assert (np.diff(found.arrivals) >= 0).all()
    assert (delay > 0).mean() == pytest.approx(0.1, abs=0.01)
    assert 0.9 * HOUR < delay.max() <= HOUR
    assert (np.diff(found.times) < 0).sum() > 500
    order = np.argsort(found.times)
    assert found.values[order].tobytes() == SERIES.values.tobytes()


def test_duplicates_say_the_same_twice() -> None:
    found = arrived(Delivery(duplicates=0.05, late_by=20 * MINUTE))
    times, first, counts = np.unique(found.times, return_index=True, return_counts=True)
    assert (counts == 2).mean() == pytest.approx(0.05, abs=0.01)
    assert counts.max() == 2
    assert found.values[first].tobytes() == SERIES.values.tobytes()
    for time in times[counts == 2][:20]:
        assert len(set(found.values[found.times == time])) == 1


def test_stuck_points_repeat_what_came_before() -> None:
    found = arrived(Delivery(stuck=0.1))
    same = np.diff(found.values) == 0
    assert same.mean() == pytest.approx(0.1, abs=0.02)
    assert (found.values != SERIES.values).mean() == pytest.approx(0.1, abs=0.02)
    changed = found.values != SERIES.values
    runs = np.diff(np.flatnonzero(np.diff(changed.astype(int), prepend=0, append=0)))[::2]
    assert runs.min() >= 3


def test_equal_shares_equal_bits() -> None:
    mixed = Delivery(0.1, 0.1, HOUR, 0.1, 0.1)
    assert all(a.tobytes() == b.tobytes() for a, b in zip(arrived(mixed), arrived(mixed), strict=True))


def test_shares_are_shares() -> None:
    for wrong in ({"missing": 1.0}, {"late": -0.1}, {"stuck": 2.0}, {"late_by": -1}):
        with pytest.raises(ConfigError):
            Delivery(**wrong)  # type: ignore[arg-type]


def test_a_series_of_a_fleet_needs_no_other() -> None:
    fleet = Fleet(["cpu", "sparse", "latency"], 1_000_000, seed=4, points=300, faults=[FaultSpec("dip")])
    last = fleet[999_999]
    assert (last.name, last.kind) == ('cpu{series="999999"}', "cpu")
    assert last.values.tobytes() == Simulated("cpu", 4, 999_999, 300, faults=[FaultSpec("dip")]).values.tobytes()
    assert len(fleet[999_997].labels) == 0 == len(fleet[999_997].faults)
    assert fleet[-1].name == last.name
    with pytest.raises(IndexError):
        fleet[1_000_000]
    assert len({s.values.tobytes() for s in fleet[:30]}) == 30


def test_only_some_series_of_a_fleet_have_faults() -> None:
    fleet = Fleet(
        ["cpu"], 400, points=300, faults=[FaultSpec("any"), FaultSpec("spike", series='cpu{series="7"}')], share=0.25
    )
    struck = [len(s.faults) for s in fleet]
    assert np.mean([n > 0 for n in struck]) == pytest.approx(0.25, abs=0.06)
    assert FaultSpec("spike", series='cpu{series="7"}') in list(fleet[7].faults)
    with pytest.raises(ConfigError, match="None of the kinds"):
        Fleet(["queue", "sparse"], 2, faults=[FaultSpec("dip")])
    with pytest.raises(ConfigError, match="share"):
        Fleet(share=2)


def peak(fleet: Fleet, count: int) -> int:
    tracemalloc.start()
    for number in range(count):
        for chunk in fleet[len(fleet) - 1 - number].chunks():
            assert len(chunk.times)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def of_series() -> tuple[int, int]:
    fleet = Fleet(["cpu", "memory", "counter"], 1_000_000, points=1500, faults=[FaultSpec("spike")])
    peak(fleet, 6)
    return peak(fleet, 12), peak(fleet, 240)


def of_length() -> tuple[int, int]:
    def most(points: int) -> int:
        return peak(Fleet(["requests"], 1, points=points, clock=Clock(interval=MINUTE)), 1)

    most(2000)
    return most(40_000), most(400_000)


@pytest.mark.parametrize("measured", [of_series, of_length])
def test_memory_does_not_grow(measured: Callable[[], tuple[int, int]]) -> None:
    """In a process of its own: threads that other tests left behind allocate too."""
    found = subprocess.run(
        [sys.executable, __file__, measured.__name__], capture_output=True, text=True, check=True, timeout=50
    )
    few, many = map(int, found.stdout.split())
    assert many < 1.2 * few


if __name__ == "__main__":
    sys.stdout.write("{} {}".format(*{"of_series": of_series, "of_length": of_length}[sys.argv[1]]()))
