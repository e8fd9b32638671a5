"""Entries of a log through a watch: watermarks, sources that fail, late readings, windows, series that end."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pipeline.faulty import PatientClock
from watchband.adapters.stores.memory import MemoryStore
from watchband.core.alert import Alert
from watchband.core.duration import DAY, HOUR, MINUTE
from watchband.core.events import (
    ControlEvent,
    SeriesExpired,
    SourceResumed,
    WatermarkMoved,
    WindowClosed,
    WindowOpened,
)
from watchband.core.ports import Arrival, Batch, Readings
from watchband.core.series import SeriesKey
from watchband.detectors import RollingMedian
from watchband.pipeline.policy import Policy
from watchband.pipeline.pulse import Pulse
from watchband.pipeline.rules import Cutoff
from watchband.pipeline.runner import Runner
from watchband.pipeline.series_states import SeriesState
from watchband.pipeline.watch import Watch
from watchband.pipeline.watch_state import WatchState

A, B = SeriesKey("cpu", {"host": "a"}), SeriesKey("cpu", {"host": "b"})
WATCH = Watch("w", RollingMedian(window=31), Cutoff(6), Policy(close_after=3), pulse=Pulse())


def value(minute: int) -> float:
    return 20.0 + (minute * 7919 % 13) / 6


def some(
    key: SeriesKey, minutes: Sequence[int], source: str = "s", spike: Sequence[int] = (), **more: object
) -> Readings:
    values = [value(m) + (50 if m in spike else 0) for m in minutes]
    return Readings(key, np.array(minutes, np.int64) * MINUTE, np.array(values), source, **more)  # type: ignore[arg-type]


def mark(minute: float, source: str = "s") -> WatermarkMoved:
    return WatermarkMoved(int(minute * MINUTE), source)


@dataclasses.dataclass
class Line:
    """A watch over a log, through bytes and back behind every entry."""

    watch: Watch = WATCH
    alerts: dict[str, Alert] = dataclasses.field(default_factory=dict)
    state: WatchState = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        self.state = self.watch.start()

    def fold(self, readings: Sequence[Readings] = (), *events: ControlEvent) -> list[Alert]:
        results = self.watch.fold(self.state, readings, events)
        before, self.state = self.state, self.watch.load(self.state.to_bytes())
        assert self.state.same_bits(before)
        self.alerts.update((a.id, a) for a in results.alerts)
        return results.alerts

    def minutes(self, first: int, last: int, *keys: SeriesKey, **more: Sequence[int]) -> None:
        for m in range(first, last):
            self.fold([some(key, [m], **more) for key in keys], mark(m))  # type: ignore[arg-type]

    @property
    def kinds(self) -> list[tuple[str, str, bool]]:
        return [(str(a.series.labels["host"]), a.kind, a.closed is not None) for a in self.alerts.values()]


def test_a_source_that_fails_raises_no_storm_and_one_that_goes_on_does() -> None:
    line = Line()
    for m in range(60):
        line.fold([some(A, [m], "one"), some(B, [m], "two")], mark(m, "one"), mark(m, "two"))
    for m in range(60, 120):
        line.fold((), mark(m, "one"))
    assert line.kinds == [("a", "no data", False)]
    line.fold([some(B, [121], "one")], mark(121, "one"))
    for m in range(122, 140):
        line.fold((), mark(m, "one"))
    assert ("b", "no data", False) in line.kinds, "a series belongs to the source that gave it last"


def test_a_watermark_of_all_is_every_sources() -> None:
    line = Line()
    for m in range(60):
        line.fold([some(A, [m], "one"), some(B, [m], "two")], mark(m, ""))
    line.fold((), mark(70, ""))
    assert sorted(line.kinds) == [("a", "no data", False), ("b", "no data", False)]
    end = 2**63 - 1
    assert not line.fold((), WatermarkMoved(end)), "the end of a stream is nobody's silence"


def test_what_nobody_listened_to_is_no_silence() -> None:
    line = Line()
    line.minutes(0, 60, A)
    line.fold((), SourceResumed(120 * MINUTE, "s"), mark(121))
    line.minutes(122, 130, A)
    assert not line.alerts
    line.fold((), mark(140))
    assert line.kinds == [("a", "no data", False)]


def test_readings_of_a_source_with_lateness_wait_for_its_watermark() -> None:
    rng = np.random.default_rng(4)
    straight, shuffled = Line(), Line()
    minutes = np.arange(200)
    straight.fold([some(A, minutes.tolist(), spike=[150, 151])], mark(200))
    order = np.argsort(minutes + rng.uniform(0, 8, 200))
    for at, m in enumerate(order.tolist()):
        late = shuffled.fold(
            [some(A, [m], spike=[150, 151], arrival=Arrival.HELD)], mark(min(order[at + 1 :], default=200) - 1)
        )
        assert not late or shuffled.state.upstream.held < 20
    shuffled.fold((), mark(200))
    assert shuffled.state.upstream.held == 0
    assert list(shuffled.alerts.values()) == list(straight.alerts.values())
    assert shuffled.state.decide.same_bits(straight.state.decide)


def test_late_readings_are_kept_counted_and_never_folded() -> None:
    store = MemoryStore()
    runner = Runner(WATCH, store, lateness={"slow": 5 * MINUTE}, clock=PatientClock())
    for m in range(40):
        runner.step("fast", Batch([some(A, [m])], ""))
        runner.step("slow", Batch([some(B, [m])], "", [WatermarkMoved((m - 5) * MINUTE)]))
    before = runner.live().lanes["w"].state.decide.copy()
    runner.step("fast", Batch([some(A, [12, 13, 40])], ""))
    runner.step("slow", Batch([some(B, [20, 41])], ""))
    *_, fast, slow = store.log("w", 0)
    arrived = [(r.arrival, (r.times // MINUTE).tolist(), r.source) for e in (fast, slow) for r in e.readings]
    assert arrived == [
        (Arrival.LATE, [12, 13], "fast"),
        (Arrival.ON_TIME, [40], "fast"),
        (Arrival.LATE, [20], "slow"),
        (Arrival.HELD, [41], "slow"),
    ]
    state = runner.live().lanes["w"].state
    assert (state.decide.points_seen - before.points_seen).tolist() == [1, 0]
    assert WATCH.tallies(state)["late"].tolist() == [2, 1]
    again = Runner(WATCH, store, lateness={"slow": 5 * MINUTE})
    assert again.live().lanes["w"].state.same_bits(state)


def test_too_much_that_waits_is_let_go_by_half(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watchband.pipeline.upstream.HELD_MAX", 50)
    store = MemoryStore()
    runner = Runner(WATCH, store, lateness={"slow": HOUR})
    for m in range(200):
        runner.step("slow", Batch([some(A, [m])], ""))
        assert runner.live().lanes["w"].state.upstream.held <= 51
    assert Runner(WATCH, store).live().lanes["w"].state.same_bits(runner.live().lanes["w"].state)


def test_a_series_that_ends_for_good_leaves_no_alert_open() -> None:
    line = Line()
    line.minutes(0, 100, A, B)
    line.minutes(100, 103, A, B, spike=range(100, 200))
    assert ("a", "value", False) in line.kinds
    for hour in range(2, 40):
        line.fold((), mark(60 * hour))
    assert sorted(line.kinds) == [(h, k, True) for h in "ab" for k in ("no data", "value")]
    values = [a for a in line.alerts.values() if a.kind == "value"]
    assert {a.policies for a in values} == {("series ended",)}
    assert {a.closed for a in values} == {a.closed for a in line.alerts.values() if a.kind == "no data"}


@pytest.mark.parametrize("whole", [True, False])
def test_an_end_within_an_entry_is_where_it_is(whole: bool) -> None:
    line, gap = Line(), list(range(5000, 5100))
    first, spikes = list(range(110)), [108, 109]
    if whole:
        line.fold([some(A, [*first, *gap], spike=spikes)])
    else:
        line.fold([some(A, first, spike=spikes)])
        line.fold([some(A, gap)])
    assert sorted(line.kinds) == [("a", "no data", True), ("a", "value", True)]
    closed = {a.kind: a.closed for a in line.alerts.values()}
    assert closed["no data"] == closed["value"] == (109 + 5) * MINUTE + DAY


def test_a_series_that_expired_is_forgotten_and_comes_again_as_a_new_one() -> None:
    line = Line()
    line.minutes(0, 100, A, B)
    line.minutes(100, 103, A, B, spike=range(100, 200))
    line.fold((), SeriesExpired(str(A), 200 * MINUTE))
    assert line.state.keys == [B]
    assert ("a", "value", True) in line.kinds
    assert ("b", "value", False) in line.kinds
    line.fold([some(A, [300])], mark(300))
    assert line.state.keys == [B, A]
    assert line.watch.tallies(line.state)["rows"].tolist() == [103, 1]


@pytest.mark.parametrize(
    ("missing", "kinds"),
    [
        ("missing", [("no data", "warning", False), ("value", "critical", False)]),
        ("breaching", [("no data", "critical", False), ("value", "critical", False)]),
        ("not_breaching", [("value", "critical", True)]),
        ("ignore", [("value", "critical", False)]),
    ],
)
def test_silence_is_what_the_policy_for_missing_data_says(missing: str, kinds: list[tuple[str, str, bool]]) -> None:
    line = Line(dataclasses.replace(WATCH, policy=Policy(close_after=3, missing=missing)))
    line.minutes(0, 100, A)
    line.minutes(100, 102, A, spike=[100, 101])
    line.fold((), mark(130))
    assert sorted((a.kind, a.severity, a.closed is not None) for a in line.alerts.values()) == kinds
    standing = SeriesState.ALARM if missing == "breaching" else SeriesState.NO_DATA
    assert line.watch.states(line.state).tolist() == [standing]


def window(action: str, start: int, end: int, **more: object) -> WindowOpened:
    return WindowOpened("deploy", action, start * MINUTE, end * MINUTE, 'cpu{host="a"}', **more)  # type: ignore[arg-type]


def test_in_a_muted_window_nothing_opens_and_behind_it_what_lasts_does() -> None:
    line = Line()
    line.fold((), window("mute", 90, 110))
    line.minutes(0, 108, A, B, spike=range(100, 108))
    assert line.kinds == [("b", "value", False)]
    line.minutes(108, 112, A, B, spike=range(100, 112))
    opened = {a.series: a.opened // MINUTE for a in line.alerts.values()}
    assert opened == {B: 100, A: 110}


def test_in_a_muted_window_silence_is_not_told_until_it_ends() -> None:
    line = Line()
    line.minutes(0, 80, A, B)
    line.fold((), window("mute", 70, 110))
    for m in range(80, 114):
        line.fold((), mark(m))
    assert line.kinds == [("b", "no data", False)]
    for m in range(114, 130):
        line.fold((), mark(m))
    assert line.kinds == [("b", "no data", False), ("a", "no data", False)]


def test_a_window_that_is_closed_early_mutes_no_longer() -> None:
    line = Line()
    line.fold((), window("mute", 90, 1000))
    line.minutes(0, 95, A)
    line.fold((), WindowClosed("deploy", 100 * MINUTE))
    line.minutes(95, 103, A, spike=range(96, 110))
    assert [a.opened // MINUTE for a in line.alerts.values()] == [100]
    line.fold((), mark(120))
    assert ("a", "no data", False) in line.kinds


def test_what_a_window_expects_is_no_news_and_what_it_does_not_is() -> None:
    line, plain = Line(), Line()
    line.fold((), window("expect", 90, 110, factor=3.0))
    for one in (line, plain):
        for m in range(130):
            factor = 3.0 if 90 <= m < 110 else 1.0
            reading = some(A, [m])
            reading.values[:] *= factor if m != 120 else 3.0
            one.fold([reading])
    assert [a.opened // MINUTE for a in line.alerts.values()] == [120]
    assert next(a.opened // MINUTE for a in plain.alerts.values()) == 90


def test_in_a_window_without_learning_points_are_judged_and_not_learned() -> None:
    line, plain = Line(), Line()
    line.fold((), window("no_learn", 90, 110))
    for one in (line, plain):
        one.minutes(0, 110, A, spike=range(90, 110))
        one.minutes(110, 130, A, spike=[118])
    assert [a.opened // MINUTE for a in line.alerts.values()] == [90, 118]
    assert [a.opened // MINUTE for a in plain.alerts.values()] != [90, 118]


@given(st.lists(st.integers(1, 60), max_size=8), st.lists(st.integers(0, 3), min_size=61, max_size=61))
def test_however_readings_and_watermarks_are_cut_into_entries(cuts: list[int], gaps: list[int]) -> None:
    minutes = np.cumsum([1 if g else 40 for g in gaps]).tolist()
    whole, pieces = Line(), Line()
    edges = sorted({0, 61, *cuts})
    for m in minutes[:5]:
        for one in (whole, pieces):
            one.fold([some(A, [m])], mark(m))
    rest = minutes[5:]
    for m in rest:
        whole.fold([some(A, [m])], mark(m))
    for a, b in pairwise(edges):
        if rest[a:b]:
            pieces.fold([some(A, rest[a:b])], *(mark(m) for m in rest[a:b]))
    assert {a.id: a for a in whole.alerts.values()} == {a.id: a for a in pieces.alerts.values()}
    assert whole.state.detector.same_bits(pieces.state.detector)


def test_how_series_stand_and_why() -> None:
    watch = dataclasses.replace(WATCH, policy=Policy(consecutive=5, close_after=3, direction="above", cool_down=10))
    line = Line(watch)
    assert watch.warm_up == 32
    line.minutes(0, 8, A)
    ready = watch.readiness(line.state)
    assert (ready.left.tolist(), ready.at.tolist()) == ([24], [31 * MINUTE])
    assert "warms up: 24 more points" in said(line)
    line.minutes(8, 100, A)
    assert watch.states(line.state).tolist() == [SeriesState.OK]
    assert watch.readiness(line.state).left.tolist() == [0]
    line.minutes(100, 103, A, spike=range(100, 105))
    assert "3 of 5 consecutive points" in said(line)
    line.minutes(103, 106, A, spike=range(100, 106))
    assert watch.states(line.state).tolist() == [SeriesState.ALARM]
    assert "An alert is open; 3 points in a row" in said(line)
    line.minutes(106, 112, A)
    assert "cools down after the last alert for" in said(line)
    line.minutes(112, 140, A)
    line.fold([Readings(A, np.array([140 * MINUTE]), np.array([-90.0]), "s")])
    assert "on the side that is not watched" in said(line)
    assert "Only values above the band count." in said(line)
    line.fold([some(A, [3], arrival=Arrival.LATE)], mark(150))
    assert "1 readings came too late" in said(line)
    assert "has sent nothing since" in said(line)
    assert watch.why(line.state, B) is None


def said(line: Line) -> str:
    found = line.watch.why(line.state, A)
    assert found is not None
    assert found.to_dict()["state"] == found.standing.name
    return "\n".join(found.reasons)


def test_readings_that_repeat_a_time_or_come_in_no_order_stop_nobody() -> None:
    line, plain = Line(), Line()
    line.fold([some(A, [0, 2, 2, 1, 1, 3])], mark(3))
    plain.fold([some(A, [0, 1, 2, 3])], mark(3))
    assert line.state.detector.same_bits(plain.state.detector)
    assert line.watch.tallies(line.state)["duplicates"].tolist() == [2]
