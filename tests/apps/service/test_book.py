"""The book of alerts: what pages ask instead of the store, bounded, and never another answer than the store's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.apps.service.test_service import running
from tests.apps.service.worlds import batch, config
from watchband.adapters.stores.memory import MemoryStore
from watchband.apps.service.book import AlertBook
from watchband.apps.service.views.incidents import incidents
from watchband.apps.service.views.summary import summary_of
from watchband.testing.contracts.store import an_alert


def test_the_last_are_kept_and_those_that_are_open_always() -> None:
    book = AlertBook(most=20)
    book.took([an_alert(n) for n in range(3)])
    for n in range(3, 60):
        book.took([an_alert(n)])
        book.took([an_alert(n, closed=n + 1)])
    every = book.every()
    assert len(every) <= 20
    assert {a.opened for a in every} >= {0, 1, 2, 59}
    assert [a.opened for a in every] == sorted(a.opened for a in every)
    assert not book.whole
    assert [a.opened for a in book.open()] == [0, 1, 2]
    book.load([an_alert(n, closed=9) for n in range(4)])
    assert book.whole
    assert len(book.every()) == 4


def test_a_change_is_seen_by_its_version_and_old_ones_are_forgotten() -> None:
    book = AlertBook()
    book.load([an_alert(1), an_alert(2, watch="gone"), an_alert(3, closed=7)], ["w"])
    assert ([a.opened for a in book.open()], len(book.every())) == ([1], 3), "open are those of watches there are"
    before = book.version
    book.took([])
    assert book.version == before
    book.took([an_alert(1, points=5)])
    assert book.version > before
    book.forget(8)
    assert [a.opened for a in book.every()] == [1, 2]


def test_pages_say_what_the_store_has_and_do_not_ask_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with running(config()) as service:
        service.offer("push", batch(0, 200, spike=150).readings).result(10)
        service.offer("push", batch(0, 190, spike=180, name="other").readings).result(10)
        stored = list(service.store.alerts())
        assert service.alerts() == stored
        first = incidents(service)
        assert sorted(a.id for i in first for a in i.alerts) == sorted(a.id for a in stored)

        def refused(_: MemoryStore) -> None:
            raise AssertionError("the store was asked")

        monkeypatch.setattr(MemoryStore, "alerts", refused)
        assert incidents(service) is first, "nothing has changed"
        assert summary_of(service)["series"] == 2
        service.book.took([replace(stored[0], points=99)])
        assert incidents(service) is not first


def test_where_the_book_is_too_small_the_store_is_asked() -> None:
    with running(config()) as service:
        service.book.most = 0
        service.offer("push", batch(0, 200, spike=150).readings).result(10)
        assert not service.book.whole
        assert len(service.alerts()) == len(service.store.alerts()) == 1
