"""Whatever happens between two calls to DynamoDB: what was acknowledged is there, and what is there is whole."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from tests.adapters.stores.dynamo_faults import SCRIPT, Killed, disturbed, entry, opened, picture, run_out
from tests.servers.dynamodb.server import DynamoServer
from watchband.adapters.stores.dynamodb import catalogue, snapshots, tables
from watchband.core.acts import Act
from watchband.core.errors import AdapterError, FencedError, TransientError
from watchband.testing.contracts.outbox import an_alert

Call = Callable[[], Any]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits so low that entries have parts, and writes need journals of several transactions."""
    monkeypatch.setattr(tables, "TRANSACTION_ITEMS", 5)
    for module in (tables, catalogue, snapshots):
        monkeypatch.setattr(module, "PART", 2_000)


@pytest.fixture
def pictures(dynamodb_server: DynamoServer, small: None) -> list[str]:
    """What is there before the script and after each of its steps, undisturbed."""
    store = opened(dynamodb_server, dynamodb_server.table())
    found = [picture(store)]
    for step in SCRIPT:
        step(store)
        found.append(picture(store))
    store.close()
    assert len(set(found)) == len(SCRIPT) + 1, "a step changes nothing that is seen"
    return found


def left_behind(server: DynamoServer, table: str) -> set[str]:
    rows = server.client().scan(TableName=table)["Items"]
    return {row["pk"]["S"] for row in rows if row["pk"]["S"].startswith("part#")}


def test_a_process_killed_between_any_two_writes(dynamodb_server: DynamoServer, pictures: list[str]) -> None:
    last = 0
    while True:
        last += 1
        table = dynamodb_server.table()
        store, done = opened(dynamodb_server, table), 0

        def kill(name: str, number: int, call: Call, at: int = last) -> Any:
            if number >= at:
                raise Killed
            return call()

        through = disturbed(store, kill)
        try:
            for step in SCRIPT:
                step(store)
                done += 1
        except Killed:
            pass
        store._root._ended.set()
        if done == len(SCRIPT):
            assert through.writes > 25
            break
        other = opened(dynamodb_server, table)
        beside = picture(other)
        assert beside in pictures[done : done + 2], f"killed before write {last}: seen from beside, half of a step"
        run_out(dynamodb_server, table)
        assert other.lead()
        assert picture(other) == beside, f"killed before write {last}: who leads sees something else"
        for step in SCRIPT[pictures.index(beside) :]:
            step(other)
        assert picture(other) == pictures[-1], f"killed before write {last}: it does not go on from there"
        other.close()
        assert left_behind(dynamodb_server, table) == set(), (
            f"killed before write {last}: something is left lying about"
        )


@pytest.mark.parametrize("every", [2, 3])
def test_an_answer_that_is_lost(dynamodb_server: DynamoServer, pictures: list[str], every: int) -> None:
    store = opened(dynamodb_server, dynamodb_server.table())

    def lose(name: str, number: int, call: Call) -> Any:
        answer = call()
        if number % every == 0:
            raise ReadTimeoutError(endpoint_url="http://x")
        return answer

    disturbed(store, lose)
    for number, step in enumerate(SCRIPT, 1):
        step(store)
        assert picture(store) == pictures[number]


def refusal(code: str, **more: Any) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "slowly"}, **more}, "x")  # type: ignore[typeddict-item]


def test_throttles_and_cancelled_transactions(dynamodb_server: DynamoServer, pictures: list[str]) -> None:
    store = opened(dynamodb_server, dynamodb_server.table())
    reasons = [{"Code": "None"}, {"Code": "TransactionConflict"}]

    def busy(name: str, number: int, call: Call) -> Any:
        if number % 2:
            if name == "transact_write_items":
                raise refusal("TransactionCanceledException", CancellationReasons=reasons)
            raise refusal("ProvisionedThroughputExceededException")
        return call()

    disturbed(store, busy)
    for number, step in enumerate(SCRIPT, 1):
        step(store)
        assert picture(store) == pictures[number]
    assert store.table.pace.throttled > 20


def test_a_batch_of_which_a_part_was_done(dynamodb_server: DynamoServer, pictures: list[str]) -> None:
    store = opened(dynamodb_server, dynamodb_server.table())
    client, refused = store.session.client("dynamodb"), 0

    class Partly:
        def __getattr__(self, name: str) -> Any:
            return getattr(client, name)

        def batch_write_item(self, RequestItems: dict[str, list[Any]]) -> Any:  # noqa: N803 - boto3's name.
            nonlocal refused
            ((table, rows),) = RequestItems.items()
            done = len(rows) // 2
            refused += len(rows) - done if done or refused % 2 else 1
            if done:
                client.batch_write_item(RequestItems={table: rows[:done]})
            elif refused % 2 == 0:
                client.batch_write_item(RequestItems={table: rows})
                done = len(rows)
            return {"UnprocessedItems": {table: rows[done:]} if rows[done:] else {}}

    store.session._clients["dynamodb"] = Partly()
    for step in SCRIPT:
        step(store)
    assert (picture(store), refused > 5) == (pictures[-1], True)


def test_throttled_for_longer_than_is_borne(dynamodb_server: DynamoServer) -> None:
    store = opened(dynamodb_server, dynamodb_server.table())
    store.commit(entry(1))
    client = store.session.client("dynamodb")

    def never(name: str, number: int, call: Call) -> Any:
        raise refusal("ThrottlingException")

    disturbed(store, never)
    with pytest.raises(TransientError, match="ThrottlingException"):
        store.commit(entry(2))
    store.session._clients["dynamodb"] = client
    store.commit(entry(2))
    assert [one.sequence for one in store.log("s", 0)] == [1, 2]


@pytest.mark.parametrize("held_at", range(1, 9))
def test_a_process_that_is_held_anywhere_in_a_write_and_was_overtaken(
    dynamodb_server: DynamoServer, small: None, held_at: int
) -> None:
    """It was stopped before one of its calls; another led, wrote, and ended; now it goes on."""
    table = dynamodb_server.table()
    first, second = opened(dynamodb_server, table), opened(dynamodb_server, table)
    first.commit(entry(1))
    before: list[str] = []

    def hold(name: str, number: int, call: Call) -> Any:
        if number == held_at:
            run_out(dynamodb_server, table)
            assert second.lead()
            while second.head("s") < 3:
                second.commit(entry(second.head("s") + 1, 7, alerts=[an_alert(9)], routes={"w": ["z"]}))
            second.act(beside)
            before.append(picture(second))
        return call()

    beside = Act(1, "ann", "note", "x")
    through = disturbed(first, hold)

    def write() -> None:
        first.commit(entry(2, 400, alerts=[an_alert(n) for n in range(2, 6)], routes={"w": ["x", "y"]}))
        first.commit(entry(3))

    with pytest.raises((FencedError, TransientError)):
        write()
    assert through.writes >= held_at, "it was held nowhere"
    with pytest.raises(FencedError):
        first.outbox(0)
    assert picture(second) == before[0], "who was overtaken changed something"
    second.commit(entry(4))


def test_two_workers_race_and_never_fork(dynamodb_server: DynamoServer) -> None:
    table = dynamodb_server.table()
    opened(dynamodb_server, table).close()
    acknowledged: list[tuple[int, int]] = []
    refused: list[str] = []
    over = threading.Event()

    def work(me: int) -> None:
        store = opened(dynamodb_server, table)
        while not over.is_set():
            try:
                store.lead()
                sequence = store.head("s") + 1
                commit = entry(sequence)
                commit.readings[0].values[:] = me
                store.commit(commit)
                acknowledged.append((sequence, me))
            except AdapterError as error:
                refused.append(type(error).__name__)
        store._root._ended.set()

    workers = [threading.Thread(target=work, args=(me,), daemon=True) for me in (1, 2)]
    for worker in workers:
        worker.start()
    while len({me for _, me in acknowledged}) < 2 or len(acknowledged) < 60 or len(refused) < 10:
        run_out(dynamodb_server, table)
    over.set()
    for worker in workers:
        worker.join()
    log = {one.sequence: int(one.readings[0].values[0]) for one in opened(dynamodb_server, table).log("s", 0)}
    assert list(log) == list(range(1, len(log) + 1))
    assert len(dict(acknowledged)) == len(acknowledged), "two were told that their entry is this one"
    assert all(log[sequence] == me for sequence, me in acknowledged), "what was acknowledged is another's"
    assert np.isin(list(log.values()), [1, 2]).all()
