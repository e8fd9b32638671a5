"""Events of functions: what is folded, what comes again, what cannot be read; across invocations and processes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.apps.aws_lambda.account import (
    MINUTE,
    START,
    Account,
    course,
    kinesis_event,
    points,
    queue_event,
    stream_event,
)
from watchband import detect
from watchband.apps.aws_lambda.function import Function
from watchband.apps.aws_lambda.kinesis_records import kinesis_lots
from watchband.apps.aws_lambda.messages import fold_messages
from watchband.apps.aws_lambda.parts import part_of
from watchband.apps.aws_lambda.stream_items import stream_lots
from watchband.core.errors import ConfigError
from watchband.core.series import SeriesKey
from watchband.core.timestamp import format_rfc3339
from watchband.pipeline.results import Results

Make = Callable[..., Account]
QUIET = "no_data: false, stuck: false"


def left() -> float:
    return 60.0


def fold(function: Function, event: dict[str, Any]) -> tuple[list[str], dict[str, list[Results]]]:
    return function.fold(kinesis_lots(function, event), left)


def alerts(function: Function, part: int = 0) -> list[tuple[int, int | None]]:
    """When each was decided and closed, in points."""
    found = function.parts.get(part).store.alerts()
    return [((a.decided - START) // MINUTE, a.closed and (a.closed - START) // MINUTE) for a in found]


def test_five_in_a_row_are_counted_across_invocations_and_processes(account: Make) -> None:
    there = account(topic=True)
    records = points("a", course(100, event=(80, 90)))
    ones = [there.function(), there.function()]
    fold(ones[0], kinesis_event(records[:80]))
    decided = []
    for i in range(80, 90):
        fold(ones[i % 2], kinesis_event(records[i : i + 1]))
        decided.append(len(alerts(ones[i % 2])))
    assert decided == [0, 0, 0, 0, 1, 1, 1, 1, 1, 1]
    assert alerts(ones[0])[0][0] == 84
    assert [told["Subject"].split(":")[0] for told in there.received(there.told)] == ["Critical"]


def test_what_comes_again_changes_nothing(account: Make) -> None:
    there = account(topic=True)
    records = points("a", course(100, event=(80, 90)))
    events = [kinesis_event(records[i : i + 10]) for i in range(0, 100, 10)]
    one = there.function()
    for event in events:
        assert fold(one, event)[0] == []
    store = one.parts.get(0).store
    before = store.head("main"), store.alerts(), [m["Subject"] for m in there.received(there.told)]
    assert len(before[2]) == 1
    # The same process, another, in parts, joined, backwards.
    whole = {"Records": [r for event in events[5:] for r in event["Records"]]}
    for function in (one, there.function()):
        for event in (events[-1], events[8], whole, {"Records": whole["Records"][20:33]}):
            assert fold(function, event) == ([], {})
        assert (store.head("main"), store.alerts(), there.received(there.told)) == (before[0], before[1], [])
    mixed = {"Records": [*whole["Records"][-3:], *kinesis_event(points("a", course(3), 100))["Records"]]}
    assert len(fold(one, mixed)[1]["all"][0]) == 3


def test_the_same_bits_as_detect(account: Make, tmp_path: Path) -> None:
    detector = "light"
    there = account(text=f"watches: {{all: {{match: '*', detector: {detector}, {QUIET}}}}}", parts=4)
    values = {f"h{n}": course(300, n, (200, 220) if n == 1 else None) for n in range(5)}
    said: dict[str, list[Any]] = {}
    rng = np.random.default_rng(3)
    at, function = 0, there.function()
    records = [record for row in zip(*(points(h, v) for h, v in values.items()), strict=True) for record in row]
    while at < len(records):
        # Every few events another process.
        function = there.function() if at % 7 == 0 else function
        size = int(rng.integers(1, 250))
        for results in fold(function, kinesis_event(records[at : at + size]))[1].get("all", ()):
            for i, row in enumerate(results.row.tolist()):
                figures = [getattr(results, name)[i] for name in ("score", "anomaly_score", "p_value", "yhat_upper")]
                said.setdefault(str(results.keys[row]), []).append(np.array(figures).tobytes())
        at += size
    path = tmp_path / "all.csv"
    lines = ["timestamp,host,cpu"]
    for i in range(300):
        lines += [f"{format_rfc3339(START + i * MINUTE)},{host},{column[i]!r}" for host, column in values.items()]
    path.write_text("\n".join(lines) + "\n")
    table = detect(path, detector=detector).table.to_pydict()
    expected: dict[str, list[Any]] = {}
    for i, series in enumerate(table["series"]):
        figures = [table[name][i] for name in ("score", "anomaly_score", "p_value", "yhat_upper")]
        expected.setdefault(series, []).append(np.array([np.nan if f is None else f for f in figures]).tobytes())
    assert said == expected


def test_rows_of_hosts(account: Make) -> None:
    there = account(parts=2)
    function = there.function()
    row = "2/17/2025 0:00," + ",".join(str(n) for n in range(24))
    results = fold(function, kinesis_event([("i-1", row.encode()), ("i-2", row.encode())]))[1]["all"]
    keys = {str(found.keys[n]) for found in results for n in found.row.tolist()}
    assert len(keys) == 48
    assert 'CPUUtilization{host="i-1"}' in keys


def test_poison_goes_to_the_queue_and_the_rest_is_folded(account: Make) -> None:
    there = account(parts=4)
    function = there.function()
    good = points("a", course(5))
    event = kinesis_event([good[0], ("x", b"{broken"), good[1], ("x", b"\xff\xfe"), *good[2:]])
    event["Records"][1]["kinesis"]["data"] = "not base64!"
    failed, said = fold(function, event)
    assert failed == []
    assert sum(len(r) for r in said["all"]) == 5
    letters = there.received(there.letters)
    assert [letter["partition_key"] for letter in letters] == ["x", "x"]
    assert all(letter["reason"] for letter in letters)
    assert fold(there.function(), event) == ([], {})
    assert there.received(there.letters) == []


def test_what_failed_comes_again_and_the_rest_does_not(account: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    there = account(parts=4)
    function = there.function()
    event = kinesis_event([r for host in "abcdefgh" for r in points(host, course(2))])
    whole = function.parts.get

    broken = part_of(SeriesKey("cpu", {"host": "a"}), 4)

    def part(number: int) -> Any:
        if number == broken:
            raise ConfigError("this part is broken")
        return whole(number)

    monkeypatch.setattr(function.parts, "get", part)
    failed, said = fold(function, event)
    folded = sum(len(r) for r in said["all"])
    assert 0 < len(failed) == 16 - folded < 16
    monkeypatch.undo()
    again = {"Records": [r for r in event["Records"] if r["kinesis"]["sequenceNumber"] >= failed[0]]}
    assert sum(len(r) for r in fold(function, again)[1]["all"]) == len(failed)


def test_items_of_a_table(account: Make) -> None:
    there = account(text="watches: {all: {match: '*', detector: light}}")
    function = there.function()
    items = [_item(i, "s1", 27.1) for i in range(3)]
    event = stream_event([*items, {"sensor": {"S": "s1"}, "EvaporatorTemperature": {"N": "1"}}])
    failed, said = function.fold(stream_lots(function, event), left)
    assert failed == []
    assert [str(said["all"][0].keys[0]), len(said["all"][0])] == ['EvaporatorTemperature{sensor="s1"}', 3]
    assert ["no time" in letter["reason"] for letter in there.received(there.letters)] == [True]
    for repeat in (event, stream_event(items, "MODIFY"), stream_event(items, "REMOVE")):
        _, said = function.fold(stream_lots(function, repeat), left)
        assert not sum(np.isfinite(r.score).sum() for results in said.values() for r in results)


def test_messages_of_a_queue(account: Make) -> None:
    there = account()
    function = there.function()
    body = "[" + ",".join(data.decode() for _, data in points("a", course(3))) + "]"
    event = queue_event([body, "{broken"])
    assert fold_messages(function, event, left) == []
    assert function.parts.get(0).store.head("main") == 2
    assert len(there.received(there.letters)) == 1
    assert fold_messages(there.function(), event, left) == []
    assert function.parts.get(0).store.head("main") == 2


def test_objects_that_a_queue_tells_of(account: Make) -> None:
    from tests.servers.moto import fresh, shared

    bucket = fresh("metrics")
    client = shared().client("s3")
    client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    rows = [f"{format_rfc3339(START + i * MINUTE)},{20 + i % 3}" for i in range(50)]
    client.put_object(Bucket=bucket, Key="in/a.csv", Body=("timestamp,cpu\n" + "\n".join(rows) + "\n").encode())
    client.put_object(Bucket=bucket, Key="in/b.csv", Body=b"\x00\x01\x02")
    there = account(text=f"sources: {{s3: {{objects: 's3://{bucket}/in/'}}}}\nwatches: {{all: {{match: '*'}}}}")
    function = there.function()
    objects = [{"bucket": {"name": bucket}, "object": {"key": key}} for key in ("in/a.csv", "in/b.csv", "else.csv")]
    notices = [json.dumps({"Records": [{"eventName": "ObjectCreated:Put", "s3": one}]}) for one in objects]
    event = queue_event(notices)
    assert fold_messages(function, event, left) == []
    lane = function.parts.get(0).runner.live().lanes["all"]
    assert [int(lane.state.prepare.points_seen[0]), len(lane.state.keys)] == [50, 1]
    assert lane.bound.watch.detector.name == "light"
    head = function.parts.get(0).store.head("main")
    assert [letter["object"] for letter in there.received(there.letters)] == [f"s3://{bucket}/in/b.csv"]
    fold_messages(there.function(), event, left)
    assert function.parts.get(0).store.head("main") == head


def test_auto_takes_windows_only(account: Make) -> None:
    there = account(text=f"watches: {{all: {{match: '*', detector: auto, {QUIET}}}}}")
    function = there.function()
    records = points("a", course(30))
    with pytest.raises(ConfigError, match=r"'auto'.*at least 15 readings a series, and this one has 14 of 1"):
        fold(function, kinesis_event(records[:14]))
    assert len(fold(function, kinesis_event(records[:15]))[1]["all"][0]) == 15


def test_what_is_written_for_a_reading(account: Make) -> None:
    """Bytes that go to DynamoDB, counted where they leave; one reading an invocation, which is the dearest way."""
    for detector in ("light", "random_cut_forest:frozen=true"):
        there = account(text=f"watches: {{all: {{match: '*', detector: '{detector}', {QUIET}}}}}")
        function = there.function()
        sizes: list[int] = []
        client = function.session.client("dynamodb")

        def count(request: Any, sizes: list[int] = sizes, **_: Any) -> None:
            if request.headers["X-Amz-Target"].decode().rpartition(".")[2] not in ("GetItem", "Query", "BatchGetItem"):
                sizes.append(len(request.body))

        client.meta.events.register("before-send.dynamodb", count)
        records = points("a", course(300))
        fold(function, kinesis_event(records[:5]))
        sizes.clear()
        for record in records[5:]:
            fold(function, kinesis_event([record]))
        assert sum(sizes) / 295 < 4096, detector


def _item(minute: int, sensor: str, value: float) -> dict[str, Any]:
    time = format_rfc3339(START + minute * MINUTE)
    return {"Timestamp": {"S": time}, "sensor": {"S": sensor}, "EvaporatorTemperature": {"N": repr(value)}}


def test_the_wrong_handler_says_so(account: Make) -> None:
    function = account().function()
    wrong: Sequence[dict[str, Any]] = ({}, {"Records": [{"body": "x"}]}, {"Records": 3})
    for event in wrong:
        with pytest.raises(ConfigError, match="belongs to the event source"):
            kinesis_lots(function, event)
