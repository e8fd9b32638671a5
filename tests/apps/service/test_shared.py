"""Answers that many ask for are found once, and nobody is left with an old one."""

from __future__ import annotations

import threading

from watchband.apps.service.changes import Changes
from watchband.apps.service.views.shared import LARGE, Shared

LARGER = LARGE + 1


def test_many_that_ask_at_once_share_one_search() -> None:
    shared, begun, go = Shared(Changes("a")), [], threading.Event()

    def work() -> int:
        begun.append(1)
        go.wait(10)
        return len(begun)

    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(shared.found("n", 1, work))) for _ in range(8)]
    for thread in threads:
        thread.start()
    go.set()
    for thread in threads:
        thread.join(10)
    assert found == [1] * 8


def test_a_small_fleet_is_never_old_and_a_large_one_at_most_a_second() -> None:
    now, count = [0.0], iter(range(99))
    shared = Shared(Changes("a"), lambda: now[0])

    def asked(series: int) -> int:
        return shared.found(str(series), series, lambda: next(count))

    assert (asked(1), asked(LARGER)) == (0, 1)
    shared.changes.note("series")
    assert (asked(1), asked(LARGER)) == (2, 1)
    now[0] = 1.1
    assert (asked(1), asked(LARGER)) == (2, 3)


def test_who_got_an_old_answer_is_told_again() -> None:
    changes = Changes("a")
    shared = Shared(changes)
    shared.found("n", LARGER, lambda: 1)
    changes.note("alerts")
    mark = changes.mark
    assert shared.found("n", LARGER, lambda: 2) == 1
    assert changes.wait(mark, 10) == ["series"]


def test_what_changes_while_it_is_found_makes_it_old() -> None:
    shared = Shared(Changes("a"))
    assert shared.found("n", 1, lambda: shared.changes.note("series")) is None
    assert shared.found("n", 1, lambda: 2) == 2


def test_an_answer_may_depend_on_more_than_changes() -> None:
    shared = Shared(Changes("a"))
    assert [shared.found("n", 1, lambda k=k: k, besides=b) for k, b in ((1, 7), (2, 7), (3, 8))] == [1, 1, 3]
