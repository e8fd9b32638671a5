from __future__ import annotations

import numpy as np
import pytest

from watchband.evaluation.simulate.faults import FAULTS
from watchband.evaluation.simulate.kinds import KINDS
from watchband.evaluation.simulate.world import CLEAN, QUIET_SHARE, World, families, worlds


@pytest.mark.parametrize(("kind", "fault"), families())
def test_a_fault_changes_what_it_says_and_nothing_else(kind: str, fault: str) -> None:
    changed = 0
    for seed in range(3):
        world = World(kind, fault, seed, 3000)
        # The same draws up to the first fault: the clean stretch is what kinds make of the same generator.
        clean = KINDS[kind](_generator(world), 3000)
        inside = np.zeros(3000, bool)
        for first, last, settled in world.windows.tolist():
            assert QUIET_SHARE * 3000 <= first <= last < settled
            assert last < 3000
            assert not inside[first : last + 1].any()
            inside[first : last + 1] = True
        different = world.values != clean.values
        assert 1 <= len(world.events) <= 3
        assert not (different & ~inside).any()
        changed += int(different.sum())
        assert np.isfinite(world.values).all()
    assert changed > 0


def _generator(world: World) -> np.random.Generator:
    import zlib

    return np.random.default_rng([world.seed, zlib.crc32(world.family.encode())])


@pytest.mark.parametrize("kind", list(KINDS))
def test_clean_series_have_no_event_and_equal_seeds_equal_bits(kind: str) -> None:
    one, same, other = World(kind, CLEAN, 1, 2000), World(kind, CLEAN, 1, 2000), World(kind, CLEAN, 2, 2000)
    assert not one.events
    assert one.windows.shape == (0, 3)
    assert one.values.tobytes() == same.values.tobytes() != other.values.tobytes()
    assert len(np.unique(one.values)) > 1


def test_metrics_keep_to_what_they_can_be() -> None:
    for world in worlds(points=2000):
        limits = KINDS[world.kind](np.random.default_rng(0), 2)
        assert world.values.min() >= limits.low
        assert world.values.max() <= limits.high
        if limits.whole:
            assert (world.values == np.round(world.values)).all()


def test_sizes_and_lengths_are_those_of_the_fault() -> None:
    for world in worlds(clean=0):
        fault = FAULTS[world.fault]
        for event in world.events:
            assert fault.points[0] <= event.last - event.first + 1 <= fault.points[1]
            assert fault.size[0] <= abs(event.size) <= fault.size[1]
            assert event.settled - event.last == fault.aftermath


def test_every_family_comes_as_often_as_asked() -> None:
    made = worlds(replicas=2, clean=1, points=1500, seed=7)
    assert len(made) == 2 * len(families()) + len(KINDS)
    assert {w.seed for w in made} == {7, 8}
    assert len({w.values.tobytes() for w in made}) == len(made)
