"""Breach: told beforehand, once, the same live and replayed, and over when it is over."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from watchband.adapters.sinks.message import headline, message_of
from watchband.core.alert import Alert
from watchband.core.duration import DAY, HOUR, MINUTE
from watchband.core.errors import InvalidParameterError
from watchband.core.events import SeriesExpired, WindowOpened
from watchband.core.ports import Notice, Readings
from watchband.core.series import SeriesKey
from watchband.core.wording import NO_BREAK
from watchband.detectors import RollingZscore
from watchband.pipeline.breach.breach import Breach
from watchband.pipeline.breach.foresee import LEAST, foresee
from watchband.pipeline.raw import Raw
from watchband.pipeline.rules import Cutoff
from watchband.pipeline.watch import Watch

KEY, STEP = SeriesKey("disk_used_percent"), 10 * MINUTE
START = 1_760_054_400_000_000_000
PER_DAY = DAY // STEP
FULL = Breach(above=95.0, within=2 * DAY)


def watch(breach: Breach | None = FULL, **given: Any) -> Watch:
    return Watch("disk", RollingZscore(window=20), Cutoff(1e6), breach=breach, **given)


def filling(days: int = 14, rate: float = 4.0, seed: int = 1, begin: float = 42.0) -> tuple[np.ndarray, np.ndarray]:
    """Times and values of a disk that fills by some per cent a day."""
    n = days * PER_DAY
    at, rng = np.arange(n), np.random.default_rng(seed)
    wave = 1.5 * np.sin(2 * np.pi * at / PER_DAY)
    return START + at * STEP, begin + rate * at / PER_DAY + wave + rng.normal(0, 0.2, n)


def told(alerts: Sequence[Alert]) -> list[Alert]:
    return [a for a in alerts if a.kind == "breach"]


def run(times: np.ndarray, values: np.ndarray, breach: Breach = FULL, cut: int = 53) -> list[Alert]:
    """Every version of every alert that came up, in the order in which a live stream brings them."""
    one = watch(breach)
    state, found = one.start([KEY]), []
    for i in range(0, len(times), cut):
        found += told(one.step(state, Raw.of(times[i : i + cut], values[i : i + cut])).alerts)
    return found


def test_a_disk_that_fills_is_told_of_in_time_and_its_interval_holds() -> None:
    times, values = filling()
    reached = int(times[np.argmax(values >= 95)])
    found = run(times, values)
    assert len({a.id for a in found}) == 1
    first = found[0]
    assert first.severity == "warning"
    assert 1.2 * DAY < reached - first.opened < 2 * DAY
    assert first.decided == first.opened
    assert first.foreseen is not None
    earliest, latest = first.foreseen.earliest, first.foreseen.latest
    assert earliest is not None
    assert latest is not None
    assert earliest <= reached <= latest
    said = first.reason.replace(NO_BREAK, " ")
    assert said.startswith("disk_used_percent reaches 95 % in 41 hours (90 % interval 40–42), about 23 Oct 2025 01:00;")
    assert found[-1].severity == "critical"
    assert found[-1].foreseen is not None
    assert found[-1].foreseen.time == reached
    assert "after it was foreseen" in found[-1].reason


@pytest.mark.parametrize("cut", [1, 7, 144, 10_000])
def test_however_the_stream_is_cut_it_is_the_same(cut: int) -> None:
    times, values = filling(seed=2)
    values[300:340] = np.nan
    one = watch()
    whole = one.start([KEY])
    at_once = {a.id: a for a in told(one.step(whole, Raw.of(times, values)).alerts)}
    state, last = one.start([KEY]), {}
    for i in range(0, len(times), cut):
        last.update({a.id: a for a in told(one.step(state, Raw.of(times[i : i + cut], values[i : i + cut])).alerts)})
        if i == cut * 3:
            state = one.load(state.to_bytes())
    assert state.same_bits(whole)
    assert [a.to_dict() for a in last.values()] == [a.to_dict() for a in at_once.values()]


def test_beside_others_it_is_the_same_as_alone() -> None:
    times, values = filling()
    one, other = watch(), SeriesKey("other_percent")
    both = one.start([other, KEY])
    found = told(one.step(both, Raw.fleet([(times, 100 - values), (times, values)])).alerts)
    alone = one.start([KEY])
    assert [a.to_dict() for a in found if a.series == KEY] == [
        a.to_dict() for a in told(one.step(alone, Raw.of(times, values)).alerts)
    ]


def test_what_stays_away_from_it_is_never_told() -> None:
    for seed in range(6):
        times, values = filling(20, rate=0.0, seed=seed, begin=70.0)
        assert run(times, values, cut=10_000) == []


def test_what_comes_near_every_day_is_told_as_often_as_it_is_promised() -> None:
    """Noise that reaches the threshold now and then: what is told is mostly right."""
    right = wrong = 0
    for seed in range(12):
        times, values = filling(30, rate=0.0, seed=seed, begin=92.0)
        for a in {a.id: a for a in run(times, values, cut=10_000)}.values():
            if "not foreseen" not in a.reason:
                within = (times >= a.opened) & (times <= a.opened + FULL.within)
                right, wrong = right + bool((values[within] >= 95).any()), wrong + (not (values[within] >= 95).any())
    assert wrong <= 0.25 * (right + wrong) + 1


def test_it_is_over_where_it_is_no_longer_expected() -> None:
    times, values = filling(16)
    opened = run(times, values)[0].opened
    turn = int(np.searchsorted(times, opened)) + 30
    values[turn:] = values[turn] - 30 - 0.01 * np.arange(len(values) - turn)
    last = run(times, values)[-1]
    assert last.closed is not None
    assert last.closed > opened
    assert "is no longer expected to reach 95" in last.reason


def test_what_was_not_foreseen_is_told_when_it_is_reached_and_ends_below() -> None:
    times, values = filling(20, rate=0.0, begin=60.0)
    values[1500:1510] = 99.0
    found = run(times, values)
    assert found[0].opened == times[1500]
    assert "which was not foreseen" in found[0].reason
    assert found[0].severity == "critical"
    assert found[-1].closed is not None
    # A day later it may come again; then nobody expects it any more.
    assert times[1510] < found[-1].closed < times[1510] + 2 * DAY
    assert len({a.id for a in found}) == 1


def test_a_level_that_falls_is_told_from_the_other_side() -> None:
    times, values = filling()
    found = run(times, 100 - values, Breach(below=5.0, within=2 * DAY))
    assert found[0].direction == "below"
    assert "falls to 5" in found[0].reason
    assert found[0].opened == run(times, values)[0].opened


def test_windows_that_mute_open_nothing_and_the_end_of_a_series_closes() -> None:
    times, values = filling()
    opened = run(times, values)[0].opened
    one = watch()
    state = one.start()
    batch = Readings(KEY, times, values)
    window = WindowOpened("work", "mute", opened - HOUR, opened + 8 * HOUR)
    found = told(one.fold(state, [batch], [window]).alerts)
    assert opened + 8 * HOUR <= found[0].opened < opened + 8 * HOUR + 2 * FULL.width
    gone = told(one.fold(state, [], [SeriesExpired(str(KEY), int(times[-1]) + DAY)]).alerts)
    assert [a.closed for a in gone] == [int(times[-1]) + DAY]


def test_a_gap_is_no_opinion_and_no_end() -> None:
    times, values = filling()
    opened = run(times, values)[0].opened
    keep = (times <= opened + 2 * HOUR) | (times > opened + 14 * HOUR)
    found = run(times[keep], values[keep])
    assert len({a.id for a in found}) == 1
    assert all(a.closed is None for a in found)


def test_a_state_goes_on_where_the_breach_is_new_or_another() -> None:
    times, values = filling(8)
    plain, later = watch(None), watch()
    state = plain.start([KEY])
    plain.step(state, Raw.of(times, values))
    assert plain.fingerprint == later.fingerprint, "what was learned stays when a threshold is configured"
    loaded = later.load(state.to_bytes())
    assert loaded.breach is not None
    assert not loaded.breach.points_seen.any()
    other = watch(Breach(above=90.0))
    later.step(loaded, Raw.of(times[-1:] + STEP, values[-1:]))
    other.take_over(loaded)
    assert loaded.breach.fingerprint == Breach(above=90.0).fingerprint
    plain.take_over(loaded)
    assert loaded.breach is None


def test_the_future_is_looked_at_from_enough_and_never_from_too_little() -> None:
    line = np.arange(100.0)
    assert foresee(line[: LEAST - 1], 200.0, 1, 0.9, 0) is None
    assert foresee(np.r_[line, np.nan], 110.0, 1, 0.9, 0) is None, "nothing came lately"
    holes = line.copy()
    holes[::3] = np.nan
    holes[-1] = 99.0
    assert foresee(holes, 110.0, 1, 0.9, 0) is None
    far = foresee(line, 1000.0, 1, 0.9, 0)
    assert far is not None
    assert far.chance == 0
    down = foresee(-line, -110.0, -1, 0.9, 0)
    assert down is not None
    assert (down.steps, down.side) == (11, -1)
    day = np.tile(np.r_[np.zeros(7), 9.0], 21)
    peak = foresee(day, 9.0, 1, 0.9, 8)
    assert peak is not None
    assert (peak.steps, peak.low, peak.high) == (8, 8, 8), "the peak of the next day, to the stretch"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "'above' or 'below'. Got neither"),
        ({"above": 1.0, "below": 0.0}, "Got 1 and 0"),
        ({"above": 1.0, "within": 5}, "within"),
    ],
)
def test_what_cannot_be_a_breach(given: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidParameterError, match=says):
        Breach(**given)


def test_people_read_what_nears_when_and_how_it_ended() -> None:
    times, values = filling()
    one = watch()
    state, found = one.start([KEY]), []
    for i in range(0, len(times), 53):
        found += told(one.step(state, Raw.of(times[i : i + 53], values[i : i + 53])).alerts)
    first, reached = found[0], found[-1]
    said = message_of(Notice(first, 1, "chat"))
    assert said.title.replace(NO_BREAK, " ") == "disk_used_percent nears 95 %"
    facts = dict(said.facts)
    assert facts["Threshold"].replace(NO_BREAK, " ") == "95 %"
    assert re.match(r"about .* 90\s% interval .* to ", facts["Reached"])
    assert headline(reached).replace(NO_BREAK, " ") == "has reached 95 %"
    over = replace(reached, closed=reached.opened + DAY)
    assert headline(over).replace(NO_BREAK, " ") == "nears its threshold no more after 1 d"
    assert headline(over, unheard=True).replace(NO_BREAK, " ") == "reached 95 % for 1 d"
    assert headline(replace(first, foreseen=None)) == "nears its threshold"
