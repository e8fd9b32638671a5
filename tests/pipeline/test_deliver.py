"""The courier: each sink in its own lane, at its own pace; nothing left out, nothing twice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest

from tests.pipeline.faulty import ListSink, PatientClock
from watchband.adapters.stores.memory import MemoryStore
from watchband.core.duration import SECOND
from watchband.core.errors import ConfigError, PermanentError, TransientError
from watchband.core.ports import Commit, Notice, Standing
from watchband.pipeline.deliver import TRIES_MAX, Courier
from watchband.testing.contracts.outbox import an_alert

MINUTE = 60 * SECOND


def told(store: MemoryStore, *alerts: object, sinks: tuple[str, ...] = ("x",)) -> None:
    store.commit(Commit("s", store.head("s") + 1, alerts=alerts, routes={"w": sinks}))  # type: ignore[arg-type]


class Sink(ListSink):
    """Does what a test says."""

    def __init__(self, name: str = "x", does: Callable[[Notice], None] = lambda notice: None, per_minute: float = 0):
        super().__init__(name=name)
        self.does, self.per_minute = does, per_minute
        self.seen: list[Notice] = []

    def write(self, notice: Notice) -> None:
        self.seen.append(notice)
        self.does(notice)
        super().write(notice)


def fails(error: Exception) -> Callable[[Notice], None]:
    def does(notice: Notice) -> None:
        raise error

    return does


def test_a_retry_waits_as_long_as_it_is_asked_to() -> None:
    store, clock = MemoryStore(), PatientClock()
    sink = Sink(does=fails(TransientError("busy", retry_after=90.0)))
    courier = Courier(store, [sink], clock=clock)
    told(store, an_alert(), an_alert(6))
    assert (courier.deliver(), len(sink.seen)) == (0, 1), "who is busy is not asked for the next one either"
    clock.sleep(89)
    assert (courier.deliver(), len(sink.seen)) == (0, 1)
    sink.does = lambda notice: None
    clock.sleep(1)
    assert courier.deliver() == 2
    assert courier.lanes["x"].failures == 0


class Full(MemoryStore):
    """A store that can be read and not written to."""

    full = True

    def delivered(self, notices: Sequence[Notice]) -> None:
        if self.full:
            raise TransientError("the disk is full")
        super().delivered(notices)


def test_what_was_told_is_not_told_again_while_the_store_cannot_note_it() -> None:
    store, clock = Full(), PatientClock()
    sink = Sink()
    courier = Courier(store, [sink], clock=clock)
    told(store, an_alert(), an_alert(6))
    for _ in range(5):
        with pytest.raises(TransientError):
            courier.deliver()
        clock.sleep(1)
    assert len(sink.seen) == 1
    store.full = False
    while courier.deliver():
        pass
    assert [n.alert.opened for n in sink.seen] == [5, 6]
    assert not store.outbox(clock.now())


def test_what_waits_for_a_sink_that_goes_is_a_dead_letter() -> None:
    store, clock = MemoryStore(), PatientClock()
    gone, stays = Sink(does=fails(TransientError("away"))), Sink("y")
    courier = Courier(store, [gone, stays], clock=clock)
    told(store, an_alert())
    told(store, an_alert(closed=9))
    courier.deliver()
    courier.start()
    courier.exchange([stays])
    courier.close()
    assert [n.revision for n in store.dead_letters()] == [1, 2]
    assert not store.outbox(2**62)


def test_a_thread_that_tells_survives_whatever_the_store_raises() -> None:
    sink, came = Sink(), threading.Event()
    sink.does = lambda notice: came.set()

    class Odd(MemoryStore):
        left = 1

        def outbox(self, now: int, sink: str = "", most: int = 0) -> Sequence[Notice]:
            if sink and self.left:
                self.left -= 1
                raise RuntimeError("a surprise")
            return super().outbox(now, sink, most)

    store = Odd()
    courier = Courier(store, [sink])
    told(store, an_alert())
    courier.start()
    courier.wake()
    assert came.wait(10)
    courier.close()


def test_what_one_notice_cannot_do_does_not_hold_up_the_others() -> None:
    store, clock = MemoryStore(), PatientClock()

    def does(notice: Notice) -> None:
        if notice.alert.opened == 5:
            raise TransientError("not this one")

    sink = Sink(does=does)
    courier = Courier(store, [sink], clock=clock)
    told(store, an_alert(), an_alert(6), an_alert(7))
    for _ in range(3):
        courier.deliver()
        clock.sleep(2)
    assert [n.alert.opened for n in sink.notices.values()] == [6, 7]
    for _ in range(TRIES_MAX):
        clock.sleep(301)
        courier.deliver()
    (dead,) = store.dead_letters()
    assert (dead.alert.opened, dead.tries, dead.error) == (5, TRIES_MAX, "not this one")


def test_every_change_is_told_in_order_however_late() -> None:
    """An alert that opened, got worse and ended while the sink was away is told as just that."""
    store, clock = MemoryStore(), PatientClock()
    sink = Sink(does=fails(TransientError("away")))
    courier = Courier(store, [sink], clock=clock)
    told(store, an_alert())
    courier.deliver()
    told(store, an_alert(severity="critical"))
    told(store, an_alert(severity="critical", closed=9))
    sink.does = lambda notice: None
    for _ in range(4):
        clock.sleep(61)
        courier.deliver()
    assert [(n.revision, n.alert.severity, n.alert.closed) for n in sink.notices.values()] == [
        (1, "info", None),
        (2, "critical", None),
        (3, "critical", 9),
    ]


def test_a_pace_is_kept_and_what_is_beyond_it_waits() -> None:
    store, clock = MemoryStore(), PatientClock()
    slow, fast = Sink("slow", per_minute=2), Sink("fast")
    courier = Courier(store, [slow, fast], clock=clock)
    told(store, *(an_alert(k) for k in range(1, 8)), sinks=("slow", "fast"))
    counts = []
    for _ in range(6):
        courier.deliver()
        counts.append(len(slow.seen))
        clock.sleep(30)
    assert counts == [2, 3, 4, 5, 6, 7]
    assert len(fast.seen) == 7
    assert [n.alert.opened for n in slow.seen] == list(range(1, 8))
    assert not [n for n in store.outbox(2**62) if n.tries], "waiting for its turn is no failure"


@pytest.mark.parametrize("error", [ConfigError("no file"), KeyError("token-abc"), OSError("disk")])
def test_a_sink_that_breaks_is_tried_again_and_says_nothing_it_should_not(error: Exception) -> None:
    store, clock = MemoryStore(), PatientClock()
    courier = Courier(store, [Sink(does=fails(error))], clock=clock)
    told(store, an_alert())
    courier.deliver()
    (notice,) = store.outbox(2**62)
    assert (notice.tries, notice.error) == (
        1,
        "no file" if isinstance(error, ConfigError) else f"it failed: {type(error).__name__}",
    )


def test_every_delivery_is_reported_with_the_time_since_its_point() -> None:
    store, clock = MemoryStore(), PatientClock()
    found: list[tuple[str, str, float]] = []
    sink = Sink(does=fails(TransientError("no")))
    courier = Courier(store, [sink], clock=clock, report=lambda *said: found.append(said))
    told(store, an_alert(opened=10 * SECOND), sinks=("x", "gone"))
    clock.sleep(12)
    courier.deliver()
    sink.does = lambda notice: None
    clock.sleep(5)
    courier.deliver()
    told(store, an_alert(opened=10 * SECOND, closed=16 * SECOND))
    sink.does = fails(PermanentError("never"))
    courier.deliver()
    assert found == [("gone", "dead", 2.0), ("x", "postponed", 2.0), ("x", "delivered", 7.0), ("x", "dead", 1.0)]


def test_what_people_see_besides_the_alert_is_put_in_at_delivery() -> None:
    store, sink = MemoryStore(), Sink()
    courier = Courier(store, [sink], zone={"w": "Europe/Berlin"}.__getitem__, external_url="https://wb.test/")
    told(store, an_alert())
    courier.deliver()
    assert (sink.seen[0].zone, sink.seen[0].link) == ("Europe/Berlin", f"https://wb.test/alerts/{an_alert().id}")


class Tended(Sink):
    """Remembers what it was told of the whole."""

    every_s = 30.0

    def __init__(self, name: str = "t") -> None:
        super().__init__(name)
        self.standings: list[Standing] = []

    def tend(self, standing: Standing) -> None:
        self.standings.append(standing)


def test_a_sink_that_speaks_without_news_hears_how_things_stand() -> None:
    store, clock, tended, other = MemoryStore(), PatientClock(), Tended(), Sink()
    clock.time = SECOND
    trouble = ""
    tells = {("w", "t"): True}
    courier = Courier(
        store, [tended, other], clock=clock, trouble=lambda: trouble, tells=lambda w, s: tells.get((w, s), False)
    )
    courier.deliver()
    courier.deliver()
    assert tended.standings == [Standing([])], "once in thirty seconds"
    told(store, an_alert(), an_alert(6))
    told(store, an_alert(6, closed=9), an_alert(7, watch="v"))
    other.does = fails(TransientError("no"))
    trouble = "no readings are judged"
    courier.deliver()
    clock.sleep(31)
    courier.deliver()
    (found,) = tended.standings[1:]
    assert ([n.alert.opened for n in found.open], found.trouble, found.undelivered) == ([5], trouble, 31.0)
    assert found.open[0].sink == "t"
    other.does = lambda notice: None
    for _ in range(3):
        clock.sleep(31)
        courier.deliver()
    assert tended.standings[-1].undelivered == 0


def test_what_is_refused_for_good_counts_as_undelivered_until_somebody_saw_to_it() -> None:
    store, clock, tended = MemoryStore(), PatientClock(), Tended()
    clock.time = SECOND
    courier = Courier(store, [tended, Sink(does=fails(PermanentError("revoked")))], clock=clock)
    told(store, an_alert())
    courier.deliver()
    clock.sleep(40)
    courier.deliver()
    assert tended.standings[-1].undelivered == 40.0
    store.delivered(store.dead_letters())
    clock.sleep(40)
    courier.deliver()
    assert tended.standings[-1].undelivered == 0


def test_a_slow_sink_holds_up_nobody_and_closing_waits_for_it_no_longer_than_it_may() -> None:
    store, free, done = MemoryStore(), threading.Event(), threading.Event()
    told(store, *(an_alert(k) for k in range(1, 40)), sinks=("slow", "fast"))
    closed = []

    class Slow(Sink):
        def close(self) -> None:
            closed.append(self.name)
            free.set()

    def fast_does(notice: Notice) -> None:
        if notice.alert.opened == 39:
            done.set()

    slow = Slow("slow", lambda notice: free.wait(30) and None)
    fast = Sink("fast", fast_does)
    courier = Courier(store, [slow, fast])
    courier.start()
    assert done.wait(20)
    assert len(slow.seen) == 1
    courier.close(patience_s=0.05)
    assert closed == ["slow"]
    assert len(fast.notices) == 39
    assert len(store.outbox(2**62, "slow")) == 39 - len(slow.notices)
    assert not [t for t in threading.enumerate() if t.name.startswith("sink-")]


def test_news_that_come_while_it_sleeps_are_told_when_it_is_woken() -> None:
    store, done = MemoryStore(), threading.Event()
    courier = Courier(store, [Sink(does=lambda notice: done.set())])
    courier.start()
    told(store, an_alert())
    courier.wake()
    assert done.wait(20)
    courier.close()


def test_a_store_that_fails_for_a_while_ends_no_thread() -> None:
    class Moody(MemoryStore):
        moods = iter([TransientError("away"), TransientError("away")])

        def outbox(self, now: int, sink: str = "", most: int = 0) -> list[Notice]:
            for mood in self.moods:
                raise mood
            return list(super().outbox(now, sink, most))

    store, done = Moody(), threading.Event()
    told(store, an_alert())
    courier = Courier(store, [Sink(does=lambda notice: done.set())])
    courier.start()
    for _ in range(200):
        courier.wake()
        if done.wait(0.1):
            break
    assert done.is_set()
    courier.close()
