"""Functions that are killed, or race: nothing is lost, nothing is decided twice, no state forks."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.adapters.stores.dynamo_faults import Killed, Through
from tests.apps.aws_lambda.account import MINUTE, START, Account, course, kinesis_event, points
from watchband.adapters.stores.dynamodb.settings import DynamoSettings
from watchband.apps.aws_lambda import parts
from watchband.apps.aws_lambda.function import Function
from watchband.apps.aws_lambda.kinesis_records import kinesis_lots
from watchband.core.clock import SystemClock
from watchband.core.errors import TransientError, WatchbandError

Make = Callable[..., Account]


def fold(function: Function, event: dict[str, Any]) -> list[str]:
    return function.fold(kinesis_lots(function, event), lambda: 60.0)[0]


def picture(there: Account) -> tuple[Any, ...]:
    """What is kept, as a process sees it that has just begun: states, decisions, and readings once each."""
    function = there.function()
    part = function.parts.get(0)
    shard = part.lead()
    state = shard.lanes["all"].state
    readings = [
        (str(r.key), r.times.tolist(), r.values.tolist()) for c in part.store.log("main", 0) for r in c.readings
    ]
    alerts = [(a.id, a.opened, a.decided, a.closed, a.points) for a in part.store.alerts()]
    arrays = [(name, stage.arrays[name].tobytes()) for stage in state.stages.values() for name in sorted(stage.arrays)]
    return readings, alerts, arrays, len(part.store.outbox(1 << 62))


class Killer:
    """Ends a process before or behind the write of a number, of those to DynamoDB and to SNS."""

    def __init__(self, at: int, behind: bool) -> None:
        self.at, self.behind, self.count = at, behind, 0

    def __call__(self, name: str, number: int, call: Callable[[], Any]) -> Any:
        self.count += 1
        if self.count == self.at and not self.behind:
            raise Killed
        found = call()
        if self.count == self.at:
            raise Killed
        return found

    def watch(self, function: Function) -> None:
        client = function.session.client("dynamodb")
        function.session._clients["dynamodb"] = Through(client, self)
        for sink in function.sinks:
            publish = sink._channel.call
            sink._channel.call = lambda *a, publish=publish, **k: self("publish", 0, lambda: publish(*a, **k))


def test_a_function_killed_between_any_two_writes(account: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every write of the event that opens an alert, before and behind; Lambda hands the event over again."""
    records = points("a", course(90, event=(80, 90)))
    calm, last = [kinesis_event(records[:40]), kinesis_event(records[40:82])], kinesis_event(records[82:])
    expected: tuple[Any, ...] | None = None
    told: set[tuple[str, str]] = set()
    kills, at = 0, -1
    # A snapshot with every event.
    monkeypatch.setattr(parts, "readings_a_snapshot", lambda shard: 1)
    while True:
        at += 1
        for behind in (False, True):
            there = account(topic=True)
            function = there.function()
            for event in calm:
                fold(function, event)
            killer = Killer(at, behind)
            killer.watch(function)
            try:
                fold(function, last)
                ended = True
            except Killed:
                ended = False
            if not ended:
                kills += 1
                fold(there.function(), last)
            found = picture(there)
            messages = there.received(there.told)
            ids = {json.loads(m["Message"])["id"] for m in messages}
            assert len(ids) == 1
            # The one that was under way comes again, under the same id.
            assert len(messages) <= (1 if ended else 2)
            told |= {(m["Subject"], "") for m in messages}
            if expected is None:
                expected = found
                assert len(found[1]) == 1
                break
            assert found == expected, (at, behind)
            if ended:
                assert kills >= 10
                assert len(told) == 1
                return


def test_functions_that_race_for_one_entity(account: Make) -> None:
    """Four processes at a time, each with batches of its own and one with those of another."""
    there = account()
    hosts = {f"h{n}": points(f"h{n}", course(90, n, (80, 90))) for n in range(3)}
    events = {h: [kinesis_event(r[i : i + 30]) for i in range(0, 90, 30)] for h, r in hosts.items()}
    work = [*events.values(), events["h1"]]
    errors: list[BaseException] = []

    def run(mine: list[dict[str, Any]]) -> None:
        function = there.function()
        for event in mine:
            try:
                fold(function, event)
            except WatchbandError as error:
                errors.append(error)

    threads = [threading.Thread(target=run, args=(mine,)) for mine in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    part = there.function().parts.get(0)
    shard = part.lead()
    state = shard.lanes["all"].state
    seen = {str(key): int(state.prepare.points_seen[row]) for row, key in enumerate(state.keys)}
    assert seen == {f'cpu{{host="{host}"}}': 90 for host in hosts}
    kept: dict[str, list[int]] = {}
    for entry in part.store.log("main", 0):
        for one in entry.readings:
            kept.setdefault(str(one.key), []).extend(one.times.tolist())
    assert all(times == [START + i * MINUTE for i in range(90)] for times in kept.values())
    assert [(a.decided - START) // MINUTE for a in part.store.alerts()] == [84, 84, 84]


def test_a_service_that_leads_is_left_alone(account: Make) -> None:
    there = account()
    function = there.function()
    service = DynamoSettings(table=there.table).open(clock=SystemClock())
    assert service.lead()
    event = kinesis_event(points("a", course(3)))
    with pytest.raises(TransientError, match="a service leads"):
        function.fold(kinesis_lots(function, event), lambda: 0.5)
    service.close()
    assert fold(function, event) == []
