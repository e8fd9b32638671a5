"""New objects by messages of SQS: every form, twice, out of order, among poison; removed once they are durable."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote_plus

import pytest

from tests.adapters.s3.conftest import BUCKET
from tests.servers.moto import Moto
from watchband.adapters.sources.s3 import source as sources
from watchband.adapters.sources.s3.notices import Notice, read_notices
from watchband.adapters.sources.s3.settings import S3
from watchband.core.clock import SystemClock
from watchband.core.duration import SECOND
from watchband.core.errors import ConfigError, DataError
from watchband.core.ports import Batch


def s3_event(key: str, bucket: str = BUCKET, name: str = "ObjectCreated:Put") -> str:
    one = {
        "eventSource": "aws:s3",
        "eventName": name,
        "s3": {"bucket": {"name": bucket}, "object": {"key": quote_plus(key)}},
    }
    return json.dumps({"Records": [one]})


def bridge_event(key: str) -> str:
    detail = {"bucket": {"name": BUCKET}, "object": {"key": key, "etag": "x"}}
    return json.dumps({"source": "aws.s3", "detail-type": "Object Created", "detail": detail})


TEST_EVENT = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": BUCKET})


def test_forms_of_messages() -> None:
    wanted = [Notice(BUCKET, "a b/ü+1.csv")]
    assert read_notices(s3_event("a b/ü+1.csv")) == wanted
    assert read_notices(bridge_event("a b/ü+1.csv")) == wanted
    assert read_notices(json.dumps({"Type": "Notification", "Message": s3_event("a b/ü+1.csv")})) == wanted
    assert read_notices(TEST_EVENT) == []
    assert read_notices(s3_event("a", name="ObjectRemoved:Delete")) == []


@pytest.mark.parametrize(
    "body", ["", "[]", "{}", "nonsense", '{"Records": 3}', '{"Records": [{}]}', '{"source": "aws.s3"}', "[" * 100_000]
)
def test_what_is_no_message(body: str) -> None:
    with pytest.raises(DataError):
        read_notices(body)


def rows(first: int, count: int = 5) -> bytes:
    lines = [f"2026-01-01T00:00:{second:02}Z,{second}" for second in range(first, first + count)]
    return ("timestamp,cpu\n" + "\n".join(lines) + "\n").encode()


@pytest.fixture
def queue(there: Any, moto: Moto) -> tuple[Any, str]:
    sqs = moto.client("sqs")
    return sqs, sqs.create_queue(QueueName="objects")["QueueUrl"]


def settings(url: str, moto: Moto, **more: Any) -> S3:
    given = {"objects": f"s3://{BUCKET}/in/{{part}}.csv", "queue_url": url, "endpoint_url": moto.url, **more}
    return S3(**given)


def left(sqs: Any, url: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)


def play(what: S3, position: str | None = None, until: Callable[[list[Batch]], bool] | None = None) -> Iterator[Batch]:
    source = what.open("objects", clock=SystemClock())
    kept: list[Batch] = []
    try:
        for batch in source.read(position):
            kept.append(batch)
            yield batch
            if until is not None and until(kept):
                return
    finally:
        source.close()


def values(batches: list[Batch]) -> list[float]:
    return [value for batch in batches for one in batch.readings for value in one.values.tolist()]


def test_messages_twice_out_of_order_and_poisoned(there: Any, moto: Moto, queue: tuple[Any, str]) -> None:
    sqs, url = queue
    there.put_object(Bucket=BUCKET, Key="in/0.csv", Body=rows(0))
    there.put_object(Bucket=BUCKET, Key="in/other.txt", Body=b"no table")
    what = settings(url, moto, dead_letters=f"s3://{BUCKET}/dead/")
    run = play(what, until=lambda kept: not left(sqs, url) and len(values(kept)) >= 20)
    kept = [next(run)]
    for number, key in enumerate(
        ["in/2.csv", "in/1.csv", "in/2.csv", "in/bad.csv", "in/gone.csv", "in/3.csv", "in/other.txt"]
    ):
        if number < 2:
            there.put_object(Bucket=BUCKET, Key=key, Body=rows(20 if "2" in key else 10))
        sqs.send_message(QueueUrl=url, MessageBody=s3_event(key) if number % 2 else bridge_event(key))
    there.put_object(Bucket=BUCKET, Key="in/3.csv", Body=rows(30))
    there.put_object(Bucket=BUCKET, Key="in/bad.csv", Body=b"\x00\x01\x02 no table")
    for body in (
        TEST_EVENT,
        "nonsense",
        s3_event("in/1.csv"),
        s3_event("in/0.csv"),
        s3_event("in/1.csv", "another-bucket"),
    ):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    kept += list(run)
    assert sorted(values(kept)) == [float(n) for n in (*range(5), *range(10, 15), *range(20, 25), *range(30, 35))]
    assert left(sqs, url) == 0
    notes = [there.get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read()
             for one in there.list_objects_v2(Bucket=BUCKET, Prefix="dead/")["Contents"]]  # fmt: skip
    assert sorted(json.loads(note)["what"].split()[0] for note in notes) == ["in/bad.csv", "message"]


def test_a_message_stays_until_what_it_brought_is_durable(there: Any, moto: Moto, queue: tuple[Any, str]) -> None:
    sqs, url = queue
    what = settings(url, moto)
    position = next(b.position for b in play(what) if b.position)
    there.put_object(Bucket=BUCKET, Key="in/1.csv", Body=rows(1))
    sqs.send_message(QueueUrl=url, MessageBody=s3_event("in/1.csv"))
    # The process ends with the batch in its hands: nothing of it was kept.
    lost = list(play(what, position, until=lambda kept: bool(values(kept))))
    assert values(lost)
    assert left(sqs, url) == 1
    receipt = sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)
    assert not receipt.get("Messages"), "it is hidden from others meanwhile"
    # Kept now, read again from there when it is told again: nothing comes twice.
    kept = [b for b in lost if b.readings][-1].position
    sqs.send_message(QueueUrl=url, MessageBody=s3_event("in/1.csv"))
    again = list(play(what, kept, until=lambda seen: len(seen) >= 2))
    assert values(again) == []


def test_a_version_that_is_written_anew_is_read_anew(there: Any, moto: Moto, queue: tuple[Any, str]) -> None:
    sqs, url = queue
    what = settings(url, moto)
    there.put_object(Bucket=BUCKET, Key="in/1.csv", Body=rows(0))
    run = play(what, until=lambda kept: len(values(kept)) >= 15)
    kept = [next(run)]
    there.put_object(Bucket=BUCKET, Key="in/1.csv", Body=rows(0, 10))
    sqs.send_message(QueueUrl=url, MessageBody=s3_event("in/1.csv"))
    kept += list(run)
    assert values(kept) == [float(n) for n in (*range(5), *range(10))]


def test_long_objects_keep_their_messages_hidden(
    there: Any, moto: Moto, queue: tuple[Any, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sqs, url = queue
    asked: list[int] = []

    class Watched(sources.Queue):
        def _call(self, operation: str, work: Any) -> Any:
            asked.append(operation == "ChangeMessageVisibilityBatch")
            return super()._call(operation, work)

        def keep(self, messages: Any) -> None:
            self._hidden_at -= 60 * SECOND
            super().keep(messages)

    monkeypatch.setattr(sources, "Queue", Watched)
    run = play(settings(url, moto, visibility=30 * SECOND), until=lambda kept: len(values(kept)) >= 5)
    next(run)
    there.put_object(Bucket=BUCKET, Key="in/1.csv", Body=rows(0))
    sqs.send_message(QueueUrl=url, MessageBody=s3_event("in/1.csv"))
    assert len(values(list(run))) == 5
    assert any(asked)


@pytest.mark.parametrize(
    "given",
    [
        {"objects": "s3://my-bucket/one.csv"},
        {"objects": "s3://my-bucket/*.csv?region=x"},
        {"objects": "file:///x/*.csv", "queue_url": "https://sqs/1/q"},
        {"objects": "s3://my-bucket/*.csv", "dead_letters": "s3://my-bucket/{date}/"},
        {"objects": "ftp://x/*.csv"},
    ],
)
def test_settings_that_do_not_fit(given: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        S3(**given)
