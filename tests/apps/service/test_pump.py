"""A pump: what refuses it is asked again, and nothing ends its thread unseen."""

from __future__ import annotations

import threading

from tests.apps.service.worlds import HandClock, Script, ScriptedSource, batch
from watchband.apps.service.inbox import Inbox, Item
from watchband.apps.service.pump import REFUSED_WAIT_S, Pump
from watchband.core.errors import PermanentError, TransientError


def answered(inbox: Inbox, error: Exception | None = None) -> Item:
    (item,) = inbox.take(10)
    if error is not None:
        item.done.set_exception(error)
    else:
        item.done.set_result(1)
    return item


def test_a_source_that_is_refused_is_asked_again_in_ten_minutes() -> None:
    inbox, clock = Inbox(), HandClock()
    waited: list[tuple[float, str, int]] = []
    script = Script([PermanentError("the token is wrong"), batch(0, 5)], ends=True)

    def wait(seconds: float) -> None:
        waited.append((seconds, pump.health.state, pump.health.retry_at))

    pump = Pump("prom", lambda: ScriptedSource("prom", script), inbox, lambda: None, clock, wait=wait)
    thread = threading.Thread(target=pump.run)
    thread.start()
    answered(inbox)
    thread.join(10)
    assert waited == [(REFUSED_WAIT_S, "failed", clock.time + int(REFUSED_WAIT_S * 1e9))]
    assert (pump.health.state, pump.health.points, pump.health.error) == ("ended", 5, "")


def test_an_answer_that_is_a_timeout_is_an_answer() -> None:
    inbox = Inbox()
    waited: list[float] = []
    script = Script([batch(0, 5)], ends=True)
    pump = Pump("prom", lambda: ScriptedSource("prom", script), inbox, lambda: None, HandClock(), wait=waited.append)
    thread = threading.Thread(target=pump.run, daemon=True)
    thread.start()
    answered(inbox, TimeoutError("the store was slow"))
    answered(inbox)
    thread.join(10)
    assert not thread.is_alive()
    assert len(waited) == 1


def test_a_store_that_is_away_when_it_starts_is_asked_again() -> None:
    inbox = Inbox()
    calls: list[int] = []

    def position() -> str | None:
        calls.append(1)
        if len(calls) < 3:
            raise TransientError("away")
        return None

    script = Script([batch(0, 5)], ends=True)
    pump = Pump("prom", lambda: ScriptedSource("prom", script), inbox, position, HandClock(), wait=lambda s: None)
    pump.start()
    answered(inbox)
    assert pump.join(10)
    assert pump.health.points == 5
