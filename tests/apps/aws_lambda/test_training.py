"""Cut-offs that are trained on the day before: evaporators, read every minute, from the items of a table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.apps.aws_lambda.account import Account, course, kinesis_event, points, stream_event
from watchband.apps.aws_lambda.function import Function
from watchband.apps.aws_lambda.kinesis_records import kinesis_lots
from watchband.apps.aws_lambda.stream_items import stream_lots
from watchband.apps.aws_lambda.training import Wanted, train_part, wanted_of
from watchband.core.duration import DAY
from watchband.core.errors import ConfigError
from watchband.core.events import ChallengerStarted, ModelPromoted
from watchband.core.timestamp import format_rfc3339
from watchband.evaluation.simulate.scenes.evaporator import EVENT, MINUTE_NS, START_NS, evaporator

Make = Callable[..., Account]
FOREST = """
store: {kind: dynamodb, lease: 1s}
watches:
  evaporators:
    match: EvaporatorTemperature
    detector: 'random_cut_forest:trees=50,samples=64,shingle=1,frozen=true'
    sigma: '2.5'
    consecutive: 5
    direction: above
    no_data: false
    stuck: false
"""
NAME = "EvaporatorTemperature"


def items(values: Any, first: int) -> list[dict[str, Any]]:
    return [
        {"Timestamp": {"S": format_rfc3339(first + i * MINUTE_NS)}, "sensor": {"S": "e7"}, NAME: {"N": f"{v:.1f}"}}
        for i, v in enumerate(values)
    ]


def fold(function: Function, some: list[dict[str, Any]]) -> list[Any]:
    return function.fold(stream_lots(function, stream_event(some)), lambda: 60.0)[1].get("evaporators", [])


@pytest.mark.parametrize("k", [2.5, 3.0])
def test_the_day_of_the_evaporator(account: Make, k: float) -> None:
    there = account(text=FOREST, topic=True)
    day, before = evaporator(0).series[0].values, evaporator(1).series[0].clean_values
    function = there.function()
    for at in range(0, len(before), 580):
        fold(function, items(before[at : at + 580], START_NS - DAY + at * MINUTE_NS))
    trained = train_part(function.parts.get(0), Wanted(k=k), START_NS)
    assert [one["rule"].split(",")[0] for one in trained] == [f"sigma:{k!r}"]
    cutoffs = trained[0]["cutoffs"]
    assert list(cutoffs) == [f'{NAME}{{sensor="e7"}}']
    flagged: list[int] = []
    fold(function, items(day[:700], START_NS))
    for minute in range(700, 760, 3):
        # Another process every few minutes.
        function = there.function() if minute % 20 == 0 else function
        for results in fold(function, items(day[minute : minute + 3], START_NS + minute * MINUTE_NS)):
            flagged += [(int(t) - START_NS) // MINUTE_NS for t in results.time[results.anomaly_score > 1].tolist()]
    assert flagged == list(range(EVENT[0], EVENT[1] + 1))
    fold(function, items(day[760:], START_NS + 760 * MINUTE_NS))
    found = function.parts.get(0).store.alerts()
    # The fifth in a row: 12:06. Resolved after.
    assert [(a.decided - START_NS) // MINUTE_NS for a in found] == [726]
    assert all(a.closed is not None for a in found)
    assert len(there.received(there.told)) == 2


def test_versions_of_a_cut_off(account: Make) -> None:
    there = account()
    function = there.function()
    for at in range(0, 400, 100):
        function.fold(kinesis_lots(function, kinesis_event(points("a", course(100, at), at))), lambda: 60.0)
    part = function.parts.get(0)
    first = train_part(part, Wanted(), 1)
    second = train_part(there.function().parts.get(0), Wanted(k=3.0, robust=True), 2)
    assert [one["model"] for one in first + second] == [1, 2]
    assert first[0]["cutoffs"]['cpu{host="a"}'] != second[0]["cutoffs"]['cpu{host="a"}']
    events = [record.event for record in part.store.model_events()]
    assert [type(event) for event in events] == [ChallengerStarted, ModelPromoted] * 2
    assert "cut-off at sigma:3.0" in events[-1].why
    function.fold(kinesis_lots(function, kinesis_event(points("a", course(5), 400))), lambda: 60.0)
    lineage = part.runner.live().lanes["all"].state.upstream.lineage
    assert (lineage.champion.number, lineage.challenger, lineage.former and lineage.former.number) == (2, None, 1)
    with pytest.raises(ConfigError, match="no watch 'x'"):
        train_part(part, Wanted(watch="x"), 3)


def test_what_an_event_asks_for() -> None:
    assert wanted_of({"days": 7, "robust": True, "time": "…"}) == Wanted(days=7, robust=True)
    for wrong in ({"k": -1}, {"days": "many"}, {"robust": 3}):
        with pytest.raises(ConfigError):
            wanted_of(wrong)
    assert np.isclose(Wanted().k, 2.5)
