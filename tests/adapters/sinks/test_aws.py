"""SNS, SQS and EventBridge before moto's server: what arrives behind filters, in which order, and what failures say."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.adapters.listener import Asked, Listener, Says
from tests.adapters.sinks.aws_rigs import arn_of, bus_of, forwarded, queue_of, received, refusal, topic_of
from tests.servers.moto import ACCOUNT, KEYS, REGION, Moto, fresh, shared
from watchband.adapters.sinks.aws import eventbridge
from watchband.adapters.sinks.aws.bodies import as_json, attributes_of, body_of, group_of
from watchband.adapters.sinks.aws.eventbridge import EventBridgeSettings
from watchband.adapters.sinks.aws.sns import SnsSettings
from watchband.adapters.sinks.aws.sqs import SqsSettings
from watchband.adapters.stores.memory import MemoryStore
from watchband.apps.cli.main import app
from watchband.core.duration import HOUR, MINUTE
from watchband.core.errors import ConfigError, PermanentError, TransientError
from watchband.core.ports import Commit, Notice
from watchband.core.series import SeriesKey
from watchband.pipeline.deliver import TRIES_MAX, Courier
from watchband.testing.clock import VirtualClock
from watchband.testing.contracts.outbox import an_alert
from watchband.testing.contracts.sink import START, a_notice

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts"


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def moto() -> Moto:
    return shared()


def opened(settings: Any) -> Any:
    return settings.open("sink", clock=VirtualClock())


def subscribed(moto: Moto, topic: str, *, raw: bool = False, policy: dict[str, Any] | None = None) -> str:
    """A queue behind a topic."""
    queue = queue_of(moto, ".fifo" if topic.endswith(".fifo") else "", **_fifo(topic))
    given = {"RawMessageDelivery": "true"} if raw else {}
    given |= {"FilterPolicy": json.dumps(policy)} if policy else {}
    moto.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn_of(queue), Attributes=given)
    return queue


def _fifo(topic: str) -> dict[str, str]:
    return {"FifoQueue": "true"} if topic.endswith(".fifo") else {}


def of(host: str, **changes: Any) -> Notice:
    return a_notice(series=SeriesKey("latency_ms", {"host": host, "env": "prod"}), **changes)


class Failing:
    """Moto behind a listener that first gives the answers it was given."""

    def __init__(self, moto: Moto, *answers: Says) -> None:
        self.moto, self.answers = moto, list(answers)

    def __call__(self, asked: Asked) -> Says:
        return self.answers.pop(0) if self.answers else forwarded(self.moto.url, asked)


def test_filter_policies_see_severity_event_and_labels(moto: Moto) -> None:
    topic = topic_of(moto)
    critical = subscribed(moto, topic, policy={"severity": ["critical"], "env": ["prod"]})
    ends = subscribed(moto, topic, raw=True, policy={"event": ["ended"], "host": ["a"]})
    everything = subscribed(moto, topic, raw=True)
    sink = opened(SnsSettings(topic_arn=topic, endpoint_url=moto.url))
    sink.write(of("a"))
    sink.write(of("b", severity="info"))
    sink.write(dataclasses.replace(of("a", severity="warning", closed=START + 9 * MINUTE), revision=2))
    (one,) = received(moto, critical)
    told = json.loads(one["Body"])
    assert json.loads(told["Message"])["alert"]["labels"] == {"env": "prod", "host": "a"}
    assert told["Subject"] == "Critical: latency_ms is 1.1 s, expected 0.14-0.26 s (env=prod, host=a)"
    assert [json.loads(m["Body"])["event"] for m in received(moto, ends)] == ["ended"]
    assert [m["MessageAttributes"]["host"]["StringValue"] for m in received(moto, everything)] == ["a", "b", "a"]


def test_of_many_labels_the_chosen_ones_are_among_ten_attributes(moto: Moto) -> None:
    labels = {f"l{k:02d}": "x" for k in range(30)} | {"team": "web", "watch": "mine", "a..b/": "y", "aws.z": "z"}
    notice = a_notice(series=SeriesKey("cpu", labels))
    found = attributes_of(notice, ("team", "absent", "watch", "a..b/", "aws.z"))
    assert list(found) == ["severity", "watch", "event", "metric", "team", "label.watch", "a.b_", "label.aws.z",
                           "l00", "l01"]  # fmt: skip
    assert (found["watch"], found["label.watch"]) == ("web", "mine")
    topic = topic_of(moto)
    queue = subscribed(moto, topic, raw=True)
    opened(SnsSettings(topic_arn=topic, labels=("team",), endpoint_url=moto.url)).write(notice)
    (message,) = received(moto, queue)
    assert len(message["MessageAttributes"]) == 10
    assert message["MessageAttributes"]["team"]["StringValue"] == "web"


def test_each_protocol_has_its_own_words() -> None:
    asked: list[Asked] = []

    def answer(one: Asked) -> Says:
        asked.append(one)
        return Says(body=b"<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>")

    from urllib.parse import parse_qs

    with Listener(answer) as there:
        opened(SnsSettings(topic_arn=TOPIC, format="cloudwatch", endpoint_url=there.url)).write(of("a"))
    given = {name: value[0] for name, value in parse_qs(asked[0].body.decode()).items()}
    assert given["MessageStructure"] == "json"
    message = json.loads(given["Message"])
    assert sorted(message) == ["default", "email", "sms"]
    assert message["sms"] == "Critical: latency_ms prod a is 1.1 s, expected 0.14-0.26 s, since 1 Mar 14:02 CET"
    assert message["email"].startswith("Critical: latency_ms is 1.1\u00a0s")
    alarm = json.loads(message["default"])
    assert (alarm["NewStateValue"], alarm["OldStateValue"], alarm["Region"]) == ("ALARM", "OK", REGION)
    assert alarm["AWSAccountId"] == ACCOUNT
    assert alarm["StateChangeTime"] == "2026-03-01T13:04:00.000+0000"
    assert alarm["Trigger"]["Dimensions"] == [{"value": "prod", "name": "env"}, {"value": "a", "name": "host"}]
    assert alarm["Trigger"]["Threshold"] == 260.0
    assert alarm["Watchband"]["id"] == of("a").id


def test_a_fifo_topic_drops_repeats_and_groups_by_entity(moto: Moto) -> None:
    topic = topic_of(moto, ".fifo")
    queue = subscribed(moto, topic)
    for _ in range(2):
        sink = opened(SnsSettings(topic_arn=topic, endpoint_url=moto.url))
        sink.write(of("a"))
        sink.write(dataclasses.replace(of("a", closed=START + HOUR), revision=2))
    bodies = [json.loads(m["Body"]) for m in received(moto, queue)]
    assert [json.loads(body["Message"])["id"] for body in bodies] == [of("a").id, of("a").id[:-1] + "2"]
    assert group_of(of("a")) == '{env="prod",host="a"}'
    other = a_notice(series=SeriesKey("disk", {"host": "a", "env": "prod"}))
    assert group_of(other) == group_of(of("a")) != group_of(of("b"))
    assert len(group_of(of("ü" * 300))) == 32


def test_a_message_stays_below_what_sns_takes() -> None:
    for text in ("x" * 10**6, '"\\' * 10**5, "\x00" * 10**5, "温" * 10**5):
        notice = a_notice(series=SeriesKey("m", {"label": text}), reason=text)
        for form in ("native", "cloudwatch"):
            body = body_of(notice, form)
            assert len(as_json(body).encode()) <= 230_000
            assert json.loads(body).get("Watchband", json.loads(body))["id"] == notice.id


def test_every_number_is_told_once_and_who_opted_out_is_named(moto: Moto) -> None:
    well, other, out = "+491511000001", "+491511000002", "+491511000099"
    with Listener(Failing(moto)) as there:
        failing = there.answer
        sink = opened(SnsSettings(phone_numbers=(well, out, other), endpoint_url=there.url))
        with pytest.raises(PermanentError, match=r"\+49…099: The number has opted out") as error:
            sink.write(of("a"))
        assert out not in str(error.value)
        told = [number for number, _ in moto.texts()]
        assert (told.count(well), told.count(other), told.count(out)) == (1, 1, 0)
        # The first number is asked about and told; of the second the answer is that it was too much.
        failing.answers = [Says(500, b"")]  # type: ignore[attr-defined]
        again = of("a", opened=START + HOUR)
        sink = opened(SnsSettings(phone_numbers=(well, other), endpoint_url=there.url))
        with pytest.raises(TransientError):
            sink.write(again)
        sink.write(again)
        sink.write(again)
    told = [number for number, _ in moto.texts()]
    assert (told.count(well), told.count(other)) == (2, 2)


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (refusal(400, "Throttling", "Rate exceeded"), TransientError, "Throttling"),
        (refusal(500, "InternalError", "sorry"), TransientError, "500"),
        (refusal(403, "AuthorizationError", "not authorized"), PermanentError, "Allow sns:Publish"),
        (refusal(400, "KMSDisabled", "key"), PermanentError, "encrypted"),
        (refusal(400, "OptedOut", "The endpoint opted out"), PermanentError, "wants no text messages"),
    ],
)
def test_what_sns_says_is_told(moto: Moto, answer: Says, kind: type[Exception], words: str) -> None:
    with Listener(Failing(moto, answer)) as there, pytest.raises(kind, match=words):
        opened(SnsSettings(topic_arn=TOPIC, endpoint_url=there.url)).write(of("a"))


def test_a_topic_a_queue_or_a_bus_that_is_gone_is_for_good(moto: Moto) -> None:
    gone = [
        SnsSettings(topic_arn=f"{TOPIC}-gone", endpoint_url=moto.url),
        SqsSettings(queue_url=f"{moto.url}/{ACCOUNT}/gone", endpoint_url=moto.url),
    ]
    for settings in gone:
        with pytest.raises(PermanentError, match="create it again or name another"):
            opened(settings).write(of("a"))
    for settings in (*gone, EventBridgeSettings(event_bus="gone", endpoint_url=moto.url)):
        with pytest.raises(PermanentError, match="create it again or name another"):
            opened(settings).verify()


class Bus:
    """EventBridge that takes what it is told to, entry by entry."""

    def __init__(self, *codes: str) -> None:
        self.codes, self.calls = list(codes), []

    def __call__(self, asked: Asked) -> Says:
        entries = json.loads(asked.body)["Entries"]
        self.calls.append(entries)
        codes = [self.codes.pop(0) if self.codes else "" for _ in entries]
        said = [{"EventId": "1"} if not code else {"ErrorCode": code, "ErrorMessage": "no"} for code in codes]
        answer = json.dumps({"FailedEntryCount": sum(map(bool, codes)), "Entries": said}).encode()
        return Says(200, answer, {"Content-Type": "application/x-amz-json-1.1"})


def test_of_a_call_that_was_taken_in_part_only_the_rest_comes_again_singly() -> None:
    codes = ["", "ThrottlingException", "InternalFailure", "NotAuthorizedForSourceException", "", "", "InternalFailure"]
    bus = Bus(*codes)
    notices = [of("a", opened=START + k * MINUTE) for k in range(5)]
    with Listener(bus) as there:
        errors = opened(EventBridgeSettings(endpoint_url=there.url)).write_all(notices)
    assert [len(call) for call in bus.calls] == [5, 1, 1]
    assert [type(error).__name__ for error in errors] == [
        "NoneType", "NoneType", "TransientError", "PermanentError", "NoneType",
    ]  # fmt: skip
    assert "policy of the bus" in str(errors[3])
    ids = [json.loads(entry["Detail"])["id"] for call in bus.calls for entry in call]
    assert ids == [n.id for n in notices] + [notices[1].id, notices[2].id]


def test_a_call_holds_ten_events_and_256_kb() -> None:
    small = [{"Source": "s", "DetailType": "d", "Detail": "x" * 100}] * 23
    assert [len(part) for part in eventbridge.parts(small)] == [10, 10, 3]
    large = [{"Source": "s", "DetailType": "d", "Detail": "ü" * 60_000}] * 5
    assert [len(part) for part in eventbridge.parts(large)] == [2, 2, 1]


def test_rules_see_state_and_labels(moto: Moto) -> None:
    name, queue = fresh("bus"), queue_of(moto)
    bus_of(moto, name, queue, {"detail-type": ["Watchband Alert Ended"], "detail": {"state": {"value": ["OK"]}}})
    sink = opened(EventBridgeSettings(event_bus=name, endpoint_url=moto.url))
    sink.write(of("a"))
    sink.write(dataclasses.replace(of("a", closed=START + 9 * MINUTE), revision=2))
    (event,) = [json.loads(m["Body"]) for m in received(moto, queue)]
    assert event["detail"]["previousState"] == {"value": "ALARM"}
    assert event["detail"]["alert"]["labels"]["host"] == "a"


class Refusing:
    name = "chat"

    def __init__(self, error: Exception) -> None:
        self.error = error

    def write(self, notice: Notice) -> None:
        raise self.error


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    found = MemoryStore()
    yield found
    found.close()


def test_what_no_try_delivered_is_put_into_the_queue(moto: Moto, store: MemoryStore) -> None:
    queue, clock = queue_of(moto), VirtualClock()
    store.commit(Commit("s", 1, alerts=[an_alert()], routes={"w": ["chat", "letters"]}))
    letters = SqsSettings(queue_url=queue, dead_letters=True, endpoint_url=moto.url).open("letters", clock=clock)
    courier = Courier(store, [Refusing(TransientError("away")), letters], clock=clock)
    for _ in range(TRIES_MAX - 1):
        courier.deliver()
        clock.sleep(600)
    assert received(moto, queue) == []
    courier.deliver()
    (message,) = received(moto, queue)
    body = json.loads(message["Body"])
    assert body["dead_letter"] == {"sink": "chat", "tries": TRIES_MAX, "error": "away"}
    assert body["id"] == message["MessageAttributes"]["id"]["StringValue"] == f"{an_alert().id}-1"
    assert message["MessageAttributes"]["sink"]["StringValue"] == "chat"
    assert [n.sink for n in store.dead_letters()] == ["chat"]


def test_a_notice_is_given_up_only_once_the_queue_has_it(moto: Moto, store: MemoryStore) -> None:
    queue, clock = queue_of(moto, ".fifo", FifoQueue="true"), VirtualClock()
    store.commit(Commit("s", 1, alerts=[an_alert()], routes={"w": ["chat"]}))
    with Listener(Failing(moto, Says(503, b""))) as there:
        path = queue.partition("://")[2].partition("/")[2]
        settings = SqsSettings(queue_url=f"{there.url}/{path}", dead_letters=True, endpoint_url=there.url)
        letters = settings.open("letters", clock=clock)
        courier = Courier(store, [Refusing(PermanentError("forbidden")), letters], clock=clock)
        courier.deliver()
        assert list(store.dead_letters()) == []
        (waiting,) = store.outbox(2**62)
        assert "forbidden And it could not be put aside" in waiting.error
        clock.sleep(600)
        courier.deliver()
        assert [n.error for n in store.dead_letters()] == ["forbidden"]
        assert len(received(moto, queue)) == 1


def test_a_queue_that_is_gone_holds_up_nothing(moto: Moto, store: MemoryStore) -> None:
    clock = VirtualClock()
    store.commit(Commit("s", 1, alerts=[an_alert()], routes={"w": ["chat"]}))
    gone = SqsSettings(queue_url=f"{moto.url}/{ACCOUNT}/gone", dead_letters=True, endpoint_url=moto.url)
    courier = Courier(store, [Refusing(PermanentError("no")), gone.open("letters", clock=clock)], clock=clock)
    courier.deliver()
    assert len(store.dead_letters()) == 1
    assert "The queue is gone" in courier.lanes["letters"].error


CONFIG = """
sources: {{push: {{}}}}
sinks:
  topic: {{kind: sns, topic_arn: '{topic}', endpoint_url: '{url}'}}
  lost: {{kind: sqs, queue_url: '{url}/{account}/gone', endpoint_url: '{url}'}}
  phone: {{kind: sns, phone_numbers: ['+491511999999'], endpoint_url: '{url}'}}
  out: {{kind: stdout}}
watches: {{web: {{match: latency}}}}
"""


def test_check_looks_at_the_other_side_and_sends_nothing(moto: Moto, tmp_path: Path) -> None:
    topic = topic_of(moto)
    queue = subscribed(moto, topic)
    file = tmp_path / "watchband.yaml"
    file.write_text(CONFIG.format(topic=topic, url=moto.url, account=ACCOUNT))
    before = moto.texts()
    result = CliRunner().invoke(app, ["check", str(file), "--json"])
    found = json.loads(result.stdout)
    sinks = {sink["name"]: sink for sink in found["sinks"]}
    assert sorted(sinks) == ["lost", "phone", "topic"]
    assert sinks["topic"]["state"] == "there"
    # Moto does not count subscriptions.
    assert sinks["topic"]["said"] == "the topic is there, with 0 confirmed subscriptions"
    assert "opted out" in sinks["phone"]["error"]
    assert any("Sink 'lost' cannot be used" in problem for problem in found["problems"])
    assert (received(moto, queue), moto.texts()) == ([], before)
    shown = CliRunner().invoke(app, ["check", str(file)]).stdout
    assert "the topic is there" in shown


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        (SnsSettings, {}),
        (SnsSettings, {"topic_arn": TOPIC, "phone_numbers": ("+4915112345678",)}),
        (SnsSettings, {"topic_arn": "alerts"}),
        (SnsSettings, {"topic_arn": TOPIC, "region": "us-east-1"}),
        (SnsSettings, {"phone_numbers": ("0151 1234",)}),
        (SnsSettings, {"phone_numbers": ("+4915112345678",), "sender_id": "12345"}),
        (SqsSettings, {"queue_url": "https://sqs.eu-west-1.amazonaws.com/"}),
        (SqsSettings, {"queue_url": "https://sqs.eu-west-1.amazonaws.com/1/a", "region": "us-east-1"}),
        (EventBridgeSettings, {"source": "aws.ec2"}),
        (EventBridgeSettings, {"event_bus": "a bus"}),
    ],
)
def test_mistakes_are_told(settings: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        settings(**wrong)
