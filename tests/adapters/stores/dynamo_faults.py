"""A process on DynamoDB that is killed, held, throttled or not answered at a chosen call; and a script of writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.servers.dynamodb.server import DynamoServer
from watchband.adapters.stores.dynamodb.store import DynamoStore
from watchband.core.access_keys import AccessKey
from watchband.core.acts import Act
from watchband.core.clock import SystemClock
from watchband.core.events import ShadowEnded
from watchband.core.keeping import ArchiveFile, Rollups, Trim
from watchband.core.ports import Commit, FoldRecord, Readings
from watchband.core.series import SeriesKey
from watchband.testing.contracts.outbox import an_alert

KEY = SeriesKey("cpu", {"host": "a"})
WRITES = frozenset({"put_item", "update_item", "delete_item", "batch_write_item", "transact_write_items"})
Step = Callable[[DynamoStore], object]


class Killed(BaseException):
    """The process is gone."""


class Hasty(SystemClock):
    """Waits for nothing; the time of writing is always the same."""

    def now(self) -> int:
        return 1_700_000_000_000_000_000

    def sleep(self, seconds: float) -> None:
        pass


class Through:
    """A client of boto3's, with something that happens around its calls.

    Parameters
    ----------
    client : client
        Who does it.
    around : callable(name, number of the write, call) -> answer
        Called for every write; it may call, or not, or raise.
    """

    def __init__(self, client: Any, around: Callable[[str, int, Callable[[], Any]], Any]) -> None:
        self._client, self._around = client, around
        self.writes = 0

    def __getattr__(self, name: str) -> Any:
        function = getattr(self._client, name)
        if name not in WRITES:
            return function

        def asked(**given: Any) -> Any:
            self.writes += 1
            return self._around(name, self.writes, lambda: function(**given))

        return asked


def opened(server: DynamoServer, table: str, **given: Any) -> DynamoStore:
    return DynamoStore(table, access=server.access, **{"lease_s": 3600.0, "clock": Hasty()} | given)


def disturbed(store: DynamoStore, around: Callable[[str, int, Callable[[], Any]], Any]) -> Through:
    """Have something happen around the writes of a store, from now on."""
    through = Through(store.session.client("dynamodb"), around)
    store.session._clients["dynamodb"] = through
    return through


def run_out(server: DynamoServer, table: str) -> None:
    """The lease ends, as if its process had not been heard of; nothing, where nobody has led yet."""
    client = server.client()
    if "Item" not in client.get_item(TableName=table, Key={"pk": {"S": "root"}, "sk": {"S": "root"}}):
        return
    client.update_item(
        TableName=table,
        Key={"pk": {"S": "root"}, "sk": {"S": "root"}},
        UpdateExpression="SET #h = :none",
        ExpressionAttributeNames={"#h": "holder"},
        ExpressionAttributeValues={":none": {"S": ""}},
    )


def entry(sequence: int, points: int = 3, **given: Any) -> Commit:
    """An entry whose readings no compression makes small."""
    values = np.random.default_rng(sequence).normal(size=points)
    readings = [Readings(KEY, np.arange(points) + 10 * sequence, values, "p")]
    return Commit("s", sequence, readings, positions={"p": str(sequence)}, **given)


def _hours() -> Rollups:
    one = np.array([2], np.int64)
    return Rollups([KEY], np.zeros(1, np.int32), one * 0, one, np.ones(1), np.ones(1), np.ones(1), one)


def _outbox(store: DynamoStore) -> None:
    """Deliver one, postpone one, give one up."""
    first, second, third = store.outbox(0)[:3]
    store.delivered([first])
    store.postponed(second, 5, "later")
    store.dead(third, "gone")


ALERTS = [an_alert(n, series=KEY) for n in range(2, 6)]
SCRIPT: tuple[Step, ...] = (
    lambda s: s.commit(entry(1)),
    lambda s: s.adopt("s", "w", FoldRecord("abc", 1)),
    lambda s: s.commit(entry(2, 400, alerts=ALERTS[:1], routes={"w": ["x"]}, folds=["w"])),
    lambda s: s.commit(entry(3, alerts=ALERTS, routes={"w": ["x", "y"]}, events=[ShadowEnded("w", "f", 0, 9, "x")])),
    lambda s: s.snapshot("s", "w", 1, np.random.default_rng(1).bytes(9_000)),
    lambda s: s.snapshot("s", "w", 3, np.random.default_rng(3).bytes(9_000)),
    lambda s: s.act(Act(5, "ann", "note", "alert-1", "text")),
    lambda s: s.keep_access_key(AccessKey("b", "bob", "admin", "00" * 32, 9, "local")),
    lambda s: s.trim(Trim("s", 2, _hours(), [ArchiveFile("a.parquet", "1970-01-01", 2, 100)])),
    lambda s: s.forget("s", "w"),
)


def picture(store: DynamoStore) -> str:
    """Everything that can be read of a store, by whoever looks."""
    with store.reading() as look:
        outbox = [[row["sk"], row["sink"], row["revision"], row["dead"]] for row in look.query("outbox")]
    hours = Rollups.joined(list(store.rollups(0, 10))) if list(store.rollups(0, 10)) else None
    seen = {
        "log": [[c.sequence, [r.values.tolist() for r in c.readings], dict(c.positions)] for c in store.log("s", 0)],
        "head": [store.head("s"), dict(store.positions("s"))],
        "alerts": [alert.to_dict() for alert in store.alerts()],
        "outbox": outbox,
        "states": [repr(state) for state in store.states()],
        "state": repr(store.restore("s", "w")),
        "series": [repr(series) for series in store.series()],
        "rest": [repr(list(rows)) for rows in (store.acts(), store.model_events(), store.access_keys())],
        "tiers": [repr(store.archived()), None if hours is None else [hours.count.tolist(), hours.high.tolist()]],
    }
    return json.dumps(seen, default=str)
