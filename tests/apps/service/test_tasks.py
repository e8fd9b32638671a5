"""Tasks by themselves: bounded, in their turn, cancelled where they tell how far they are, forgotten in time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.apps.service.test_service import until
from tests.apps.service.worlds import HandClock
from watchband.apps.service.tasks import (
    KEPT_MAX,
    KEPT_NS,
    WAITING_MAX,
    WORKERS,
    Found,
    NoTaskError,
    Task,
    Tasks,
    TasksFullError,
)
from watchband.core.errors import PermanentError


@pytest.fixture
def tasks(tmp_path: Path) -> Iterator[Tasks]:
    (tmp_path / "tasks" / "old").mkdir(parents=True)
    found = Tasks(HandClock(), lambda: None, tmp_path / "tasks")
    yield found
    found.stop()


def held(gate: threading.Event) -> Callable[[Task], Found]:
    def work(task: Task) -> Found:
        while not gate.wait(0.01):
            task.progress("waiting", 1, 4)
        return Found({"held": True})

    return work


def test_progress_never_goes_back_and_says_how_long_it_takes(tasks: Tasks) -> None:
    gate, seen = threading.Event(), threading.Event()

    def work(task: Task) -> Found:
        for done in (5, 2):
            task.progress("half", done, 10)
        seen.set()
        gate.wait(10)
        return Found({"n": 1})

    task = tasks.start("test", "a test", "ann", work)
    assert seen.wait(10)
    assert (task.state, task.phase, task.share) == ("running", "half", 0.5)
    assert task.eta_s is not None
    assert task.eta_s >= 0
    gate.set()
    until(lambda: task.state == "done")
    assert (task.share, task.eta_s, task.found) == (1.0, None, Found({"n": 1}))


def test_some_run_some_wait_and_no_more_are_taken(tasks: Tasks) -> None:
    gate = threading.Event()
    many = [tasks.start("test", str(k), "ann", held(gate)) for k in range(WORKERS)]
    until(lambda: all(task.state == "running" for task in many))
    waiting = [tasks.start("test", "later", "ann", held(gate)) for _ in range(WAITING_MAX)]
    with pytest.raises(TasksFullError):
        tasks.start("test", "too many", "ann", held(gate))
    tasks.drop(waiting[0].id)
    assert waiting[0].state == "cancelled"
    assert tasks.start("test", "room again", "ann", held(gate)).state == "waiting"
    gate.set()
    until(lambda: all(task.state in ("done", "cancelled") for task in tasks.all()))
    assert waiting[0].started == 0


def test_one_that_runs_ends_where_it_tells_how_far_it_is_and_leaves_nothing(tasks: Tasks, tmp_path: Path) -> None:
    gate = threading.Event()

    def work(task: Task) -> Found:
        (tasks.room(task) / "half").write_text("x")
        return held(gate)(task)

    task = tasks.start("test", "a test", "ann", work)
    until(lambda: task.phase == "waiting")
    assert not (tmp_path / "tasks" / "old").exists(), "what an earlier process left"
    assert (tmp_path / "tasks" / task.id / "half").exists()
    assert tasks.drop(task.id).cancelling
    until(lambda: task.state == "cancelled")
    assert not (tmp_path / "tasks" / task.id).exists()


def test_what_fails_says_why_and_surprises_are_not_told(tasks: Tasks, caplog: pytest.LogCaptureFixture) -> None:
    def fails(error: Exception) -> Callable[[Task], Found]:
        def work(task: Task) -> Found:
            raise error

        return work

    told = tasks.start("test", "a", "ann", fails(PermanentError("the disk is damaged")))
    full = tasks.start("test", "b", "ann", fails(OSError(28, "No space left on device")))
    odd = tasks.start("test", "c", "ann", fails(KeyError("hunter2")))
    until(lambda: all(task.state == "failed" for task in (told, full, odd)))
    assert told.error == "the disk is damaged"
    assert full.error.startswith("No space left on device.")
    assert "hunter2" not in odd.error


def test_what_was_found_is_kept_for_a_while_and_of_so_many(tmp_path: Path) -> None:
    clock = HandClock()
    tasks = Tasks(clock, lambda: None)
    for _ in range(KEPT_MAX + 3):
        task = tasks.start("test", "a", "ann", lambda task: Found({}))
        until(lambda task=task: task.state == "done")
    assert len(tasks.all()) == KEPT_MAX
    last = tasks.all()[0].id
    assert tasks.of(last).id == last
    clock.time += KEPT_NS + 1
    with pytest.raises(NoTaskError, match="a restart forgets all of them"):
        tasks.of(last)
    tasks.stop()
