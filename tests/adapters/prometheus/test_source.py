"""The Prometheus source's walk over time: what is asked, what is handed over, what a failure costs."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchband.adapters.sources.prometheus import source as module
from watchband.adapters.sources.prometheus.answer import Answer
from watchband.adapters.sources.prometheus.failure import BusyError, DeniedError, StumbledError, TooMuchError
from watchband.adapters.sources.prometheus.position import read_position
from watchband.adapters.sources.prometheus.source import PrometheusSource
from watchband.adapters.sources.prometheus.window import STEPS_MAX
from watchband.core.duration import DAY, MINUTE, WEEK
from watchband.core.errors import PermanentError, TransientError
from watchband.core.events import WatermarkMoved
from watchband.core.ports import Batch, Readings
from watchband.core.series import SeriesKey
from watchband.testing.clock import VirtualClock

NOW = 29_500_000 * MINUTE
Fail = Callable[[str, int, int], Exception | None]


class Table:
    """Answers every question: ``series`` series of the time itself; fails where ``fail`` says so."""

    def __init__(self, clock: VirtualClock, fail: Fail = lambda name, first, last: None, series: int = 1) -> None:
        self.clock, self.fail, self.series = clock, fail, series
        self.asked: list[tuple[str, int, int]] = []

    def ask(self, name: str, expr: str, first: int, last: int, step: int) -> Answer:
        assert last <= self.clock.now()
        assert (last - first) // step < STEPS_MAX
        self.asked.append((name, first, last))
        if (error := self.fail(name, first, last)) is not None:
            raise error
        times = np.arange(first, last + 1, step)
        keys = [SeriesKey(name, {"n": str(n)}) for n in range(self.series)]
        return Answer([Readings(key, times, times / 1e9) for key in keys], self.series * len(times))

    def close(self) -> None: ...


def opened(table: Table, *names: str, backfill: int = 0, every: int = MINUTE, step: int = MINUTE) -> PrometheusSource:
    return PrometheusSource(
        "prom",
        {name: f"expr of {name}" for name in names or ("cpu",)},
        table,
        clock=table.clock,
        every_ns=every,
        step_ns=step,
        lateness_ns=MINUTE,
        backfill_ns=backfill,
    )


def take(source: PrometheusSource, batches: int, position: str | None = None) -> list[Batch]:
    reading = source.read(position)
    return [next(reading) for _ in range(batches)]


def times(batches: list[Batch], name: str = "cpu") -> list[int]:
    return [t for b in batches for r in b.readings if r.key.metric == name for t in r.times.tolist()]


def marks(batches: list[Batch]) -> list[int]:
    return [e.time for b in batches for e in b.events if isinstance(e, WatermarkMoved)]


@pytest.mark.parametrize("offset", [0, 1, 17_123_456_789, MINUTE - 1])
def test_readings_stand_on_the_grid_whenever_a_pull_begins(offset: int) -> None:
    found = take(opened(Table(VirtualClock(NOW + offset)), backfill=5 * MINUTE), 3)
    assert times(found) == [NOW + k * MINUTE for k in range(-5, 2)]
    assert [b.history for b in found] == [True, False, False]
    assert marks(found) == [NOW, NOW + MINUTE]


def test_a_reading_is_asked_for_once_it_is_settled() -> None:
    clock = VirtualClock(NOW)
    reading = opened(Table(clock)).read()
    for _ in range(3):
        batch = next(reading)
        assert clock.now() - max(times([batch])) == MINUTE


def test_every_longer_than_the_step_brings_several_readings() -> None:
    found = take(opened(Table(VirtualClock(NOW)), every=5 * MINUTE), 2)
    assert [len(times([b])) for b in found] == [5, 5]


def test_weeks_of_the_past_come_in_bounded_batches_and_in_order() -> None:
    table = Table(VirtualClock(NOW), series=40)
    source = opened(table, "cpu", "load", backfill=2 * WEEK)
    found = list(source.history())
    for name in ("cpu", "load"):
        came = times(found, name)
        assert len(came) == 40 * 2 * WEEK // MINUTE
        assert sorted(came) == sorted(40 * [NOW - MINUTE - k * MINUTE for k in range(2 * WEEK // MINUTE)])
        firsts = [r.times for b in found for r in b.readings if r.key == SeriesKey(name, {"n": "0"})]
        assert (np.diff(np.concatenate(firsts)) == MINUTE).all()
    sizes = [sum(len(r.times) for r in b.readings) for b in found]
    assert max(sizes) <= module.BATCH_POINTS
    assert all(b.history for b in found)
    assert len(table.asked) < 100


def test_a_huge_number_of_series_is_asked_for_step_by_step() -> None:
    table = Table(VirtualClock(NOW), series=30_000)
    found = list(opened(table, backfill=20 * MINUTE).history())
    assert [(b - a) // MINUTE + 1 for _, a, b in table.asked] == [15, 1, 1, 1, 1, 1]
    assert len(set(times(found))) == 20


def test_a_query_that_fails_keeps_its_place_and_the_others_go_on() -> None:
    down = True

    def fail(name: str, first: int, last: int) -> Exception | None:
        return TransientError("the disk is full") if name == "bad" and down else None

    source = opened(Table(VirtualClock(NOW), fail), "cpu", "bad")
    reading = source.read()
    before = [next(reading) for _ in range(3)]
    assert times(before, "bad") == []
    assert times(before) == [NOW + k * MINUTE for k in range(3)]
    assert marks(before) == []
    assert source.problems == {"bad": "the disk is full"}
    down = False
    after = [next(reading) for _ in range(3)]
    assert times(before + after, "bad") == [NOW + k * MINUTE for k in range(6)]
    assert times(before + after) == [NOW + k * MINUTE for k in range(6)]
    assert marks(after)[-1] == NOW + 5 * MINUTE
    assert source.problems == {}


@pytest.mark.parametrize("most", [1, 7, 59])
def test_what_is_too_much_at_once_comes_in_parts(most: int) -> None:
    def fail(name: str, first: int, last: int) -> Exception | None:
        return TooMuchError("too many samples") if (last - first) // MINUTE >= most else None

    table = Table(VirtualClock(NOW), fail)
    found = list(opened(table, backfill=300 * MINUTE).history())
    assert times(found) == [NOW - MINUTE - k * MINUTE for k in reversed(range(300))]
    assert len(table.asked) < 2.5 * 300 / most + 40


def test_what_is_too_much_at_one_step_fails_and_says_so() -> None:
    source = opened(Table(VirtualClock(NOW), lambda *_: TooMuchError("too many samples")), backfill=DAY)
    with pytest.raises(TransientError, match=r"No query of source 'prom' was answered\. cpu: too many samples"):
        next(source.read())


def test_a_moment_that_cannot_be_computed_is_passed_over() -> None:
    bad = NOW - 31 * MINUTE

    def fail(name: str, first: int, last: int) -> Exception | None:
        return StumbledError("found duplicate series") if first <= bad <= last else None

    found = list(opened(Table(VirtualClock(NOW), fail), backfill=120 * MINUTE).history())
    assert set(range(NOW - 120 * MINUTE, NOW, MINUTE)) - set(times(found)) == {bad}


def test_a_query_that_never_can_be_computed_waits_where_it_is() -> None:
    table = Table(VirtualClock(NOW), lambda *_: StumbledError("many-to-many"))
    with pytest.raises(TransientError, match="many-to-many"):
        list(opened(table, backfill=DAY).history())
    assert len(table.asked) < 20


def test_a_busy_server_is_left_alone_as_long_as_it_asks() -> None:
    table = Table(VirtualClock(NOW), lambda *_: BusyError("429", retry_after=90))
    with pytest.raises(TransientError) as raised:
        next(opened(table, "a", "b", "c").read())
    assert raised.value.retry_after == 90
    assert len(table.asked) == 1


def test_a_query_that_is_wrong_stops_no_other_and_is_asked_again_rarely() -> None:
    clock = VirtualClock(NOW)

    def fail(name: str, first: int, last: int) -> Exception | None:
        return PermanentError("parse error") if name == "bad" else None

    table = Table(clock, fail)
    source = opened(table, "cpu", "bad")
    assert len(times(take(source, 30))) == 30
    assert source.problems == {"bad": "parse error"}
    assert sum(name == "bad" for name, _, _ in table.asked) == 3


def test_what_no_retry_helps_is_permanent() -> None:
    for error in (PermanentError("parse error"), DeniedError("401")):
        source = opened(Table(VirtualClock(NOW), lambda *_, e=error: e), "a", "b")
        with pytest.raises(PermanentError, match=str(error)):
            next(source.read())


def test_a_query_that_is_new_brings_its_past_and_one_that_went_leaves_none() -> None:
    table = Table(VirtualClock(NOW))
    position = take(opened(table, "cpu", "old", backfill=3 * MINUTE), 2)[-1].position
    source = opened(table, "cpu", "new", backfill=3 * MINUTE)
    found = take(source, 2, position)
    assert times(found, "new") == [NOW + k * MINUTE for k in range(-2, 2)]
    assert times(found) == [NOW + MINUTE]
    assert [(b.history, bool(b.events)) for b in found] == [(True, False), (False, True)]
    assert len(read_position(found[-1].position)) == 2


def test_another_expression_is_another_query() -> None:
    table = Table(VirtualClock(NOW))
    position = take(opened(table, backfill=3 * MINUTE), 1)[-1].position
    other = opened(table, backfill=3 * MINUTE, step=30 * 10**9)
    assert take(other, 1, position)[0].history


def test_what_was_history_when_the_backfill_began_stays_so_after_a_crash() -> None:
    clock = VirtualClock(NOW)
    table = Table(clock, series=1000)
    first = take(opened(table, backfill=DAY), 1)
    clock.sleep(3600)
    rest = []
    for batch in opened(table, backfill=DAY).read(first[-1].position):
        rest.append(batch)
        if max(times([batch])) >= NOW + 59 * MINUTE:
            break
    assert {t >= NOW for b in rest if b.history for t in times([b])} == {False}
    assert {t >= NOW for b in rest if not b.history for t in times([b])} == {True}
    assert Counter(times(first + rest)) == Counter(1000 * list(range(NOW - DAY, NOW + 60 * MINUTE, MINUTE)))


def test_a_position_of_something_else_begins_anew(caplog: pytest.LogCaptureFixture) -> None:
    table = Table(VirtualClock(NOW))
    for position in ("17", "[]", '{"a": "b"}', "line 7 of access.log"):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            assert times(take(opened(table, backfill=2 * MINUTE), 1, position)) == [NOW - 2 * MINUTE, NOW - MINUTE]
        assert "is none of this source" in caplog.text


def test_a_clock_that_went_back_repeats_nothing() -> None:
    clock = VirtualClock(NOW)
    position = take(opened(Table(clock)), 2)[-1].position
    found = take(opened(Table(VirtualClock(NOW - 10 * MINUTE))), 1, position)
    assert times(found) == [NOW + 2 * MINUTE]


outcomes = st.sampled_from(["", "", "", "fail", "busy", "much", "stop"])


@settings(deadline=None)
@given(st.lists(outcomes, max_size=60), st.integers(1, 40), st.integers(1, 3))
def test_whatever_fails_and_wherever_it_is_cut_nothing_is_lost_or_repeated(
    story: list[str], past: int, queries: int
) -> None:
    clock = VirtualClock(NOW)
    left = list(story)

    def fail(name: str, first: int, last: int) -> Exception | None:
        word = left.pop(0) if left else ""
        known = {"fail": TransientError("x"), "busy": BusyError("x", retry_after=5), "much": TooMuchError("x")}
        return known.get(word)

    names = [f"q{n}" for n in range(queries)]
    end, kept, position = NOW + 20 * MINUTE, list[Batch](), None
    while any(max(times(kept, name), default=0) < end for name in names):
        source = opened(Table(clock, fail), *names, backfill=past * MINUTE)
        try:
            for batch in source.read(position):
                kept.append(batch)
                position = batch.position
                if (left and left.pop(0) == "stop") or all(max(times(kept, n), default=0) >= end for n in names):
                    break
        except TransientError:
            clock.sleep(5)
    for name in names:
        came = times(kept, name)
        assert all(b - a == MINUTE for a, b in pairwise(came))
        assert came[0] == NOW - past * MINUTE
    mark = 0
    for number, batch in enumerate(kept):
        assert min((t for r in batch.readings for t in r.times.tolist()), default=mark + 1) > mark or batch.history
        mark = max([mark, *marks([batch])])
        if marks([batch]):
            assert all(max(times(kept[: number + 1], name)) >= mark for name in names)
