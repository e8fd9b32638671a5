"""Points that are old when they are pushed: judged and kept, told to nobody; the rest of the same push is news."""

from __future__ import annotations

from concurrent.futures import Future

import numpy as np
import pytest

from tests.apps.service.test_service import running, until
from tests.apps.service.worlds import HandClock, ListSinkSettings, batch, config, watch
from watchband.adapters.sources.push.settings import PushSettings, RemoteWriteSettings
from watchband.apps.service.inflow import both, kept_apart
from watchband.apps.service.status import status_of
from watchband.core.duration import HOUR
from watchband.core.errors import ConfigError
from watchband.core.ports import Readings
from watchband.core.series import SeriesKey
from watchband.testing.streams import MINUTE, START


def at(minute: int) -> HandClock:
    return HandClock(START + minute * MINUTE)


@pytest.mark.parametrize("settings", [PushSettings, RemoteWriteSettings])
def test_a_week_pushed_by_hand_pages_nobody(settings: type[PushSettings]) -> None:
    chat = ListSinkSettings()
    with running(config({"push": settings()}, sinks={"chat": chat}), at(1000)) as service:
        service.offer("push", batch(0, 200, spike=150).readings).result(10)
        assert [a.opened for a in service.store.alerts()] == [START + 150 * MINUTE]
        assert not service.store.outbox(service.clock.now())
        found = status_of(service)["sources"][0]
        assert (found["points"], found["history"], found["state"]) == (200, 200, "up")
        assert service.unready == []
    assert not chat.notices


def test_a_push_is_past_up_to_an_age_and_news_from_there_on() -> None:
    chat = ListSinkSettings()
    with running(config({"push": PushSettings()}, sinks={"chat": chat}), at(240)) as service:
        # One spike is two hours old, the other ten minutes.
        one = batch(0, 240, spike=120).readings[0]
        one.values[230:235] += 40
        entry = service.offer("push", [one]).result(10)
        until(lambda: chat.notices)
        assert entry == 2, "the past and the news are entries of their own, and the answer waits for both"
        assert [a.opened for a in service.store.alerts()] == [START + 120 * MINUTE, START + 230 * MINUTE]
        assert service.inflow.pushed["push"].health.history == 180
    assert {n.alert.opened for n in chat.notices} == {START + 230 * MINUTE}


def test_what_lasts_from_pushed_history_into_the_present_is_told_once() -> None:
    chat = ListSinkSettings()
    flat = {"all": watch(detector="threshold:high=30", cutoff=0.5)}
    with running(config({"push": PushSettings()}, sinks={"chat": chat}, watches=flat), at(240)) as service:
        one = batch(0, 238).readings[0]
        one.values[170:] += 40
        service.offer("push", [one]).result(10)
        until(lambda: chat.notices)
    assert [(n.revision, n.alert.opened) for n in chat.notices] == [(1, START + 170 * MINUTE)]


def test_everything_is_news_where_the_configuration_says_so() -> None:
    chat = ListSinkSettings()
    with running(config({"push": PushSettings(history=None)}, sinks={"chat": chat}), at(10_000)) as service:
        service.offer("push", batch(0, 200, spike=150).readings).result(10)
        until(lambda: chat.notices)
        assert service.inflow.pushed["push"].health.history == 0


def test_an_age_is_a_duration_of_a_minute_at_least() -> None:
    assert PushSettings().history == RemoteWriteSettings().history == HOUR
    with pytest.raises(ConfigError, match="history"):
        PushSettings(history=0)


def test_readings_are_parted_by_time_and_lose_nothing() -> None:
    keys = [SeriesKey("cpu", {"n": str(n)}) for n in range(3)]
    given = [Readings(key, np.arange(n, n + 4), np.arange(4.0)) for n, key in enumerate(keys)]
    past, news = kept_apart(given, 4)
    assert [(r.key, r.times.tolist()) for r in past] == [
        (keys[0], [0, 1, 2, 3]),
        (keys[1], [1, 2, 3]),
        (keys[2], [2, 3]),
    ]
    assert [(r.key, r.times.tolist(), r.values.tolist()) for r in news] == [
        (keys[1], [4], [3.0]),
        (keys[2], [4, 5], [2.0, 3.0]),
    ]
    assert kept_apart([], 4) == ([], [])
    assert kept_apart(given, 0) == ([], given)


def test_an_answer_for_both_parts_is_that_of_the_worse() -> None:
    first, second = Future[int](), Future[int]()
    whole = both(first, second)
    second.set_result(7)
    assert not whole.done()
    first.set_result(6)
    assert whole.result(0) == 7
    failed, taken = Future[int](), Future[int]()
    whole = both(failed, taken)
    failed.set_exception(OSError("no disk"))
    taken.set_result(8)
    assert isinstance(whole.exception(0), OSError)
    gone = Future[int]()
    gone.cancel()
    assert both(gone, taken).cancelled()
