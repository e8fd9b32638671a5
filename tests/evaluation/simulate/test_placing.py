"""Faults as users write them, and where they go."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from watchband.core.duration import HOUR, MINUTE, SECOND
from watchband.core.errors import ConfigError
from watchband.evaluation.simulate.clock import START_NS
from watchband.evaluation.simulate.fault_types import FAULT_TYPES
from watchband.evaluation.simulate.placing import FaultSpec, Room, place
from watchband.evaluation.simulate.series import Simulated

ROOM = Room(4000, START_NS, 5 * MINUTE, frozenset({"seasonal"}), "cpu")


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("spike", FaultSpec("spike")),
        ("any", FaultSpec("any")),
        ("dip@+3d:size=-5", FaultSpec("dip", after=72 * HOUR, size=-5.0)),
        ("gap@40%:for=2h", FaultSpec("gap", 0.4, lasts=2 * HOUR)),
        ("gap:for=30", FaultSpec("gap", points=30)),
        ("spike@2024-01-01T00:05Z", FaultSpec("spike", START_NS + 5 * MINUTE)),
        ("spike@2024-01-01T02:05+02:00:size=1e1,for=1", FaultSpec("spike", START_NS + 5 * MINUTE, size=10.0, points=1)),
        ("spike@2024-01-01:series=cpu", FaultSpec("spike", START_NS, series="cpu")),
    ],
)
def test_what_users_write(text: str, expected: FaultSpec) -> None:
    assert FaultSpec.parse(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("spkie", "Did you mean 'spike'"),
        ("spike@noon", "is written 2024-01-05T12:00"),
        ("spike@120%", "below 100%"),
        ("spike:size=big", "is a number, in units"),
        ("spike:size=nan", "finite"),
        ("spike:for=0", "at least one point"),
        ("spike:length=3", "key of a fault"),
        ("spike:", "NAME"),
        ("", "NAME"),
    ],
)
def test_what_cannot_be_read(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        FaultSpec.parse(text)


def test_places_at_given_times_are_exact() -> None:
    specs = [FaultSpec.parse(s) for s in ("gap@50%:for=10", "spike@+5m:for=2,size=7", "dip@2024-01-02:for=1h")]
    found = place(specs, ROOM, rng())
    assert [(p.spec.name, p.first, p.last) for p in found] == [("spike", 1, 2), ("dip", 288, 299), ("gap", 2000, 2009)]
    assert found[0].size == 7
    assert np.isnan(found[2].size)
    # Between two points: the next one.
    assert place([FaultSpec("spike", START_NS + SECOND)], ROOM, rng())[0].first == 1


def test_random_places_do_not_touch_each_other_and_keep_the_start_quiet() -> None:
    names = [name for name, fault in FAULT_TYPES.items() if fault.fits(ROOM.traits) and not fault.stays]
    for seed in range(5):
        found = place([FaultSpec(n) for n in [*names, "spike", "spike", "new_level"]], ROOM, rng(seed))
        assert [p.first for p in found] == sorted(p.first for p in found)
        assert found[0].first >= 0.35 * ROOM.points
        assert all(one.last < two.first for one, two in pairwise(found))
    assert place([FaultSpec("any")] * 3, ROOM, rng(1)) == place([FaultSpec("any")] * 3, ROOM, rng(1))


def test_what_cannot_be_placed() -> None:
    with pytest.raises(ConfigError, match="overlap"):
        place([FaultSpec("gap", 0.5, points=10), FaultSpec("spike", 0.501)], ROOM, rng())
    # A length that nobody asked for gives way.
    shift, gap = place([FaultSpec("level_shift", 0.5), FaultSpec("gap", 0.501, points=10)], ROOM, rng())
    assert (shift.last, shift.settled, gap.first) == (gap.first - 1, gap.first - 1, 2004)
    with pytest.raises(ConfigError, match="no room left"):
        place([FaultSpec("gap", points=1500)] * 3, ROOM, rng())
    with pytest.raises(
        ConfigError, match=r"before the first of the 4\d* points of .*, which begin at 2024-01-01T00:00:00Z"
    ):
        place([FaultSpec("spike", START_NS - HOUR)], ROOM, rng())
    with pytest.raises(ConfigError, match="after the last of the"):
        place([FaultSpec("spike", START_NS + 10**5 * HOUR)], ROOM, rng())
    with pytest.raises(ConfigError, match="that are seasonal"):
        place([FaultSpec("seasonal_break")], Room(4000, 0, MINUTE, name="x"), rng())


def test_a_short_series_has_short_faults() -> None:
    series = Simulated("cpu", points=300, faults=[FaultSpec("level_shift")])
    assert series.events[0].length == 30


def test_signs_turn_where_there_is_no_room_and_a_given_size_is_kept() -> None:
    for seed in range(8):
        event = Simulated("requests:per_5m=50", seed=seed, faults=[FaultSpec("level_shift")]).events[0]
        assert event.past.mean(event.first, event.first + 1)[0] + event.units >= 0
    kept = Simulated("requests:per_5m=50", faults=[FaultSpec("level_shift", size=-50.0)])
    assert kept.events[0].size == -50
    assert kept.values.min() == 0


def test_incidents_are_named_on_their_labels() -> None:
    spec = FaultSpec("spike", incident="incident-7", root=True)
    (label,) = Simulated("cpu", faults=[spec]).labels
    assert (label.incident, label.root) == ("incident-7", True)
