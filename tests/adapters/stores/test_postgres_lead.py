"""Of the processes of the shared store one leads, the others wait, and one that is held is taken over from."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.adapters.stores.installation import Open, one, run_out
from tests.servers.postgres import Server
from watchband.adapters.stores.postgres import lease
from watchband.core.errors import (
    FencedError,
    TransientError,
)
from watchband.core.ports import FoldRecord, Notice
from watchband.testing.contracts.outbox import an_alert


def test_one_leads_and_the_other_waits_until_it_is_closed(opened: Open) -> None:
    first, second = opened(), opened()
    assert first.lead()
    assert not second.lead()
    first.commit(one(1))
    with pytest.raises(FencedError, match=rf"Another process leads \({first.holder}, for \d"):
        second.commit(one(2))
    first.close()
    assert second.lead(30.0)
    second.commit(one(2))
    assert [entry.sequence for entry in second.log("s", 0)] == [1, 2]


def test_who_was_overtaken_changes_nothing(opened: Open, postgres: Server, database: str) -> None:
    first, second = opened(), opened()
    first.commit(one(1))
    first.adopt("s", "w", FoldRecord("abc", 1))
    run_out(postgres, database)
    assert second.lead()
    notice = Notice(an_alert(), 1, "x")
    for attempt in (
        lambda: first.commit(one(2)),
        lambda: first.adopt("s", "w", FoldRecord("other", 1)),
        lambda: first.forget("s", "w"),
        lambda: first.snapshot("s", "w", 1, b"x"),
        lambda: first.outbox(0),
        lambda: first.delivered([notice]),
        lambda: first.postponed(notice, 1, ""),
        lambda: first.dead(notice, ""),
        lambda: first.revive([notice]),
    ):
        with pytest.raises(FencedError):
            attempt()
    assert (second.head("s"), second.fold("s", "w"), second.restore("s", "w")) == (1, FoldRecord("abc", 1), None)
    second.commit(one(2))
    second.close()
    assert first.lead(), "it may lead again, after the other"
    with pytest.raises(TransientError, match="does not follow 2"):
        first.commit(one(2))


def test_an_entry_under_way_is_finished_before_the_next_process_leads(
    opened: Open, postgres: Server, database: str
) -> None:
    first, second = opened(), opened()
    first.commit(one(1))
    run_out(postgres, database)
    with first.writing() as sql:
        assert not second.lead()
        sql.execute("UPDATE heads SET head = 7")
    assert second.lead()
    assert second.head("s") == 7


def test_who_stops_in_the_middle_of_a_transaction_loses_it_and_the_lead(
    opened: Open, postgres: Server, database: str
) -> None:
    first, second = opened(lease_s=1.0), opened()
    first.commit(one(1))

    def interrupted() -> None:
        with first.writing() as sql:
            sql.execute("UPDATE heads SET head = 7")
            first._lease._ended.set()  # A process that is stopped renews nothing.
            assert second.lead(20.0)
            second.commit(one(2))
            sql.execute("SELECT 1")

    with pytest.raises(TransientError):
        interrupted()
    with pytest.raises(FencedError):
        first.commit(one(2))
    assert second.head("s") == 2


@pytest.mark.parametrize("held", ["within a statement", "between two statements", "while it renews"])
def test_who_is_held_with_the_lead_locked_is_taken_over_from(
    opened: Open, postgres: Server, database: str, held: str
) -> None:
    first, second = opened(lease_s=60.0), opened(lease_s=0.5)
    first.commit(one(1))
    first._lease._ended.set()
    run_out(postgres, database)
    of = first._lease._renewals if held == "while it renews" else first._database
    ready, end = threading.Event(), threading.Event()

    def stopped() -> None:
        with of.transaction() as sql:
            if held == "while it renews":
                sql.execute(f"UPDATE lease SET expires = clock_timestamp() RETURNING {lease.NAMED}")
            else:
                first._lease.hold(sql)
                sql.execute("UPDATE heads SET head = 7")
            ready.set()
            if held == "within a statement":
                sql.execute("SELECT pg_sleep(50)")
            end.wait(50)

    with ThreadPoolExecutor(1) as threads:
        under_way = threads.submit(stopped)
        assert ready.wait(30)
        assert second.lead(30.0), "it waits for the server's time limits"
        second.commit(one(2))
        end.set()
        with pytest.raises(TransientError):
            under_way.result(30)
    assert second.head("s") == 2, "what was under way is undone"
    with pytest.raises(FencedError):
        first.commit(one(2))


def test_who_leads_is_never_ended_and_who_is_late_may_finish(opened: Open, postgres: Server, database: str) -> None:
    first, second, late = opened(lease_s=60.0), opened(lease_s=0.5), opened(lease_s=60.0)
    first.commit(one(1))
    with first.writing() as sql:
        sql.execute("UPDATE heads SET head = 3")
        assert not second.lead(1.0), "the lease has not run out"
        run_out(postgres, database)
        assert not late.lead(1.0), "it has, but only just"
        sql.execute("UPDATE heads SET head = 7")
    assert late.lead()
    assert late.head("s") == 7


def test_of_two_installations_in_a_database_only_the_own_is_ended(
    opened: Open, postgres: Server, database: str
) -> None:
    other = opened(schema="other")
    first, second = opened(), opened(lease_s=0.5)
    for store in (other, first):
        store.commit(one(1))
    assert first._lease.token == other._lease.token
    first._lease._ended.set()

    def lost() -> None:
        with first.writing() as sql:
            run_out(postgres, database)
            assert second.lead(30.0)
            sql.execute("SELECT 1")

    with other.writing() as theirs:
        with pytest.raises(TransientError):
            lost()
        theirs.execute("SELECT 1")
    other.commit(one(2))
    assert other.head("s") == 2


def test_a_lease_is_renewed_as_long_as_its_process_lives(opened: Open, postgres: Server, database: str) -> None:
    first, second = opened(lease_s=2.0), opened()
    first.commit(one(1))
    ends = set()
    until = time.monotonic() + 30
    while len(ends) < lease.RENEWALS + 2:
        assert time.monotonic() < until, "it is not renewed"
        ends |= set(postgres.do(database, "SELECT expires FROM watchband.lease"))
        time.sleep(0.1)
    assert not second.lead()
    assert first.lead()
