"""Rounds: work comes again until it is ended, and a complaint is made once."""

from __future__ import annotations

import logging
import threading

import pytest

from watchband.apps.service.rounds import Rounds, complained
from watchband.core.errors import TransientError


def test_work_comes_again_until_it_is_ended() -> None:
    done, thrice = [], threading.Event()

    def work() -> None:
        done.append(threading.current_thread().name)
        if len(done) == 3:
            thrice.set()

    rounds = Rounds("hourly", work, 0.001)
    rounds.start()
    assert thrice.wait(30)
    rounds.stop()
    assert rounds.ended.is_set()
    so_far = len(done)
    assert not rounds._thread.is_alive()
    assert (len(done), set(done)) == (so_far, {"hourly"})


def test_what_never_began_is_ended_at_once() -> None:
    Rounds("never", lambda: None, 1.0).stop()


def test_a_complaint_is_made_once_and_what_nobody_thought_of_with_its_trace(caplog: pytest.LogCaptureFixture) -> None:
    log, before = logging.getLogger("watchband.test"), ""
    for error in (TransientError("no disk"), TransientError("no disk"), ZeroDivisionError(), ZeroDivisionError()):
        before = complained(log, "it could not be done", error, before)
    assert before == "ZeroDivisionError"
    told = [(r.getMessage(), bool(r.exc_info)) for r in caplog.records]
    assert told == [
        ("it could not be done, trying again: no disk", False),
        ("it could not be done, trying again: ZeroDivisionError", True),
    ]
