"""Whatever happens between two calls to DynamoDB: what was acknowledged is there, and what is there is whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from tests.adapters.stores.dynamo_faults import SCRIPT, disturbed, entry, opened, picture, run_out
from tests.servers.dynamodb.server import DynamoServer
from watchband.adapters.stores.dynamodb import catalogue, snapshots, tables
from watchband.core.acts import Act
from watchband.core.errors import FencedError, TransientError
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
