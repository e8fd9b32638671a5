"""The source against a CloudWatch that throttles, leaves out, is late, changes its mind, and costs money."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from watchband.adapters.sources.cloudwatch.settings import CloudWatch, Math, Metrics
from watchband.adapters.sources.cloudwatch.source import CloudWatchSource
from watchband.adapters.stores.memory import MemoryStore
from watchband.apps.config.config import read_text
from watchband.core.duration import DAY, HOUR, MINUTE, SECOND
from watchband.core.errors import ConfigError, PermanentError, TransientError
from watchband.core.events import WatermarkMoved
from watchband.core.ports import Arrival, Batch
from watchband.pipeline.runner import Runner
from watchband.testing.clock import VirtualClock
from watchband.testing.cloudwatch import metric_data
from watchband.testing.cloudwatch.account import Metric, metric_of
from watchband.testing.cloudwatch.server import CloudWatchServer

OTHER = "444455556666"


@pytest.fixture
def server() -> Iterator[CloudWatchServer]:
    found = CloudWatchServer(VirtualClock())
    yield found
    found.close()


def put(server: CloudWatchServer, host: str = "a", *, minutes: range = range(-60, 0), **more: Any) -> Metric:
    metric = metric_of(
        "Test", "load", {"host": host}, **({"account": more.pop("account")} if "account" in more else {})
    )
    base = server.cloud.clock.now()
    server.cloud.put(metric, [(base + k * MINUTE, float(k)) for k in minutes], delay=more.pop("delay", 0), **more)
    return metric


def settings(server: CloudWatchServer, **given: Any) -> CloudWatch:
    entry = {"namespace": "Test", "period": MINUTE, **given.pop("entry", {})}
    base = {"metrics": {"test": Metrics(**entry)}, "backfill": 30 * MINUTE, "timeout": 5 * SECOND}
    return CloudWatch(endpoint_url=server.url, **{**base, **given})


def source(server: CloudWatchServer, **given: Any) -> CloudWatchSource:
    return settings(server, **given).open("aws", clock=server.cloud.clock)


def read(
    found: CloudWatchSource, until: Callable[[list[Batch]], bool], position: str | None = None, most: int = 500
) -> list[Batch]:
    batches: list[Batch] = []
    for batch in found.read(position):
        batches.append(batch)
        if until(batches):
            break
        assert len(batches) < most, f"it does not come to that: {found.problems}"
    found.close()
    return batches


def shown(batches: list[Batch]) -> dict[str, list[tuple[int, float]]]:
    values: dict[str, list[tuple[int, float]]] = {}
    for batch in batches:
        for one in batch.readings:
            pairs = zip(one.times.tolist(), one.values.tolist(), strict=True)
            values.setdefault(one.key.labels.get("host", str(one.key)), []).extend(pairs)
    return values


def points(batches: list[Batch], host: str = "a") -> int:
    return len(shown(batches).get(host, []))


def after(server: CloudWatchServer, seconds: float) -> Callable[[list[Batch]], bool]:
    end = server.cloud.clock.now() + seconds * SECOND
    return lambda batches: server.cloud.clock.now() >= end


def test_throttling_is_waited_for_with_jitter(server: CloudWatchServer) -> None:
    put(server)
    server.refuse("ListMetrics", "Throttling", 2)
    server.refuse("GetMetricData", "Throttling", 3)
    found = source(server)
    batches = read(found, lambda kept: points(kept) >= 30)
    assert points(batches) == 30
    pace = found._client.pace
    assert (pace.throttled, pace.repeats) == (5, 5)
    assert pace.rate < 10
    assert len(set(server.cloud.clock.sleeps)) > 3


def test_a_budget_that_is_spent_is_told_and_the_place_is_kept(server: CloudWatchServer) -> None:
    put(server)
    found = source(server, retry_for=SECOND)
    server.refuse("GetMetricData", "Throttling", 100)
    with pytest.raises(TransientError, match="Throttling"):
        read(found, lambda kept: True)
    server._refusals.clear()
    assert points(read(source(server), lambda kept: points(kept) >= 30)) == 30


@pytest.mark.parametrize("status", ["InternalError", "PartialData"])
def test_one_metric_in_trouble_stops_no_other(server: CloudWatchServer, status: str) -> None:
    first, _ = put(server, "a"), put(server, "b")
    server.cloud.trouble[first] = (status, 2)
    found = source(server)
    batches = read(found, lambda kept: points(kept, "a") >= 30)
    values = shown(batches)
    assert [t for t, _ in values["a"]] == sorted({t for t, _ in values["a"]})
    assert points(batches, "b") >= 30
    # The other came first.
    assert next(iter(values)) == "b"


def test_a_part_of_the_data_is_taken_after_some_tries(server: CloudWatchServer) -> None:
    metric = put(server)
    server.cloud.trouble[metric] = ("PartialData", 10**6)
    found = source(server)
    assert points(read(found, lambda kept: points(kept) > 0)) == 15


def test_what_is_forbidden_is_told_and_holds_up_nobody(server: CloudWatchServer) -> None:
    metric = put(server, "a", minutes=range(-60, 60))
    put(server, "b", minutes=range(-60, 60))
    server.cloud.trouble[metric] = ("Forbidden", 10**6)
    found = source(server)
    batches = read(found, after(server, 900))
    assert set(shown(batches)) == {"b"}
    assert "Forbidden" in next(iter(found.problems.values()))
    assert sum(isinstance(e, WatermarkMoved) for b in batches for e in b.events) > 5


def test_one_expression_that_is_refused_stops_no_other(server: CloudWatchServer) -> None:
    put(server)
    key = {"m": 'load{host="a",namespace="Test",stat="Sum"}'}
    math = {name: Math(expression=text, using=key, period=MINUTE) for name, text in (("good", "m * 2"), ("bad", "m *"))}
    found = source(server, expressions=math)
    values = shown(read(found, lambda kept: len(shown(kept)) >= 2))
    assert set(values) == {"a", 'good{region="eu-west-1"}'}
    assert "Error in expression" in found.problems["bad"]


def test_a_search_gives_a_series_for_each_result(server: CloudWatchServer) -> None:
    put(server, "a"), put(server, "b")
    text = "SEARCH('{Test,host} MetricName=\"load\"', 'Average', 60)"
    found = source(server, metrics=None, expressions={"each": Math(expression=text, period=MINUTE)})
    values = shown(read(found, lambda kept: len(shown(kept)) >= 2))
    assert sorted(values) == [f'each{{label="{host}",region="eu-west-1"}}' for host in "ab"]
    assert found.cost is not None
    assert "at least $" in str(found.cost)


def late(server: CloudWatchServer) -> tuple[CloudWatchSource, int, int]:
    """A metric with a reading that comes six minutes late, and one that is revised then."""
    base = server.cloud.clock.now()
    metric = put(server, minutes=range(-60, -3), delay=30 * SECOND)
    put(server, minutes=range(-2, 60), delay=30 * SECOND)
    missing, revised = base - 3 * MINUTE, base - 5 * MINUTE
    server.cloud.put(metric, [(missing, 7.0), (revised + SECOND, 1.0)], arrival=base + 6 * MINUTE)
    return source(server), missing, revised


def test_late_and_revised_readings_come_once_behind_the_watermark(server: CloudWatchServer) -> None:
    found, missing, revised = late(server)
    batches = read(found, after(server, 1200))
    pairs = shown(batches)["a"]
    assert [value for time, value in pairs if time == missing] == [7.0]
    assert [value for time, value in pairs if time == revised] == [-5.0, -2.0]
    assert found.revised == 2
    assert len(pairs) == len({time for time, _ in pairs}) + 1


def test_a_revised_reading_is_kept_and_counted_and_never_folded_twice(server: CloudWatchServer) -> None:
    config = read_text(
        "sources: {push: {}}\nwatches: {all: {match: '*', detector: ewma}}\nstore: {kind: memory}\n", "x"
    )
    store = MemoryStore()
    runner = Runner(config.bounds(), store, shard="main", clock=server.cloud.clock)
    found, missing, revised = late(server)
    for batch in read(found, after(server, 1200)):
        runner.take([("aws", batch)])
    arrived = [
        (time, one.arrival)
        for entry in store.log("main", 0)
        for one in entry.readings
        for time in one.times.tolist()
        if time in (missing, revised)
    ]
    assert sorted(arrived) == sorted([(revised, Arrival.ON_TIME), (revised, Arrival.LATE), (missing, Arrival.LATE)])


def test_a_reading_is_asked_for_two_periods_after_its_own(server: CloudWatchServer) -> None:
    put(server, minutes=range(-60, 30))
    batches = read(source(server), after(server, 600))
    begin = server.cloud.clock.now()
    last = max(time for pairs in shown(batches).values() for time, _ in pairs)
    assert 3 * MINUTE <= begin - last <= 5 * MINUTE


def test_calls_are_full_and_the_past_is_paid_once(server: CloudWatchServer) -> None:
    for k in range(1100):
        put(server, f"{k:04}", minutes=range(-10, 3))
    found = source(server, backfill=5 * MINUTE, max_metrics=1050, max_requests_per_second=40.0)
    batches = read(found, after(server, 90))
    sizes = [len(asked["MetricDataQueries"]) for name, asked in server.bodies if name == "GetMetricData"]
    assert sorted(sizes[:3]) == [50, 500, 500]
    assert max(sizes) == 500
    assert found._client.requests["metrics"] == sum(sizes)
    assert found.warnings["left out"] == "50 series are beyond 'max_metrics'."
    assert len({host for batch in batches for host in shown([batch])}) == 1050


def test_a_long_past_is_one_call_of_few_series(server: CloudWatchServer) -> None:
    for k in range(30):
        put(server, f"{k}", minutes=range(-35, 0))
    read(source(server, backfill=10 * DAY), lambda kept: len(kept) > 3)
    sizes = [len(asked["MetricDataQueries"]) for name, asked in server.bodies if name == "GetMetricData"]
    assert sorted(sizes[:5]) == [2, 7, 7, 7, 7]


def test_pages_are_read_to_their_end(server: CloudWatchServer, monkeypatch: pytest.MonkeyPatch) -> None:
    put(server, "a"), put(server, "b")
    monkeypatch.setattr(metric_data, "POINTS_MAX", 7)
    monkeypatch.setattr("watchband.testing.cloudwatch.metric_data.get_metric_data.__defaults__", None)
    batches = read(source(server), lambda kept: points(kept, "b") >= 30)
    assert points(batches, "a") == points(batches, "b") == 30
    assert server.calls["GetMetricData"] >= 9


def test_it_says_its_price_and_refuses_one_that_is_too_high(
    server: CloudWatchServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for host in "abcd":
        put(server, host)
    found = source(server, entry={"statistics": ("Average", "p99")}, max_monthly_cost=3.0)
    with pytest.raises(PermanentError, match=r"more than 'max_monthly_cost', \$3.00: 8 metrics × 43,800 calls a month"):
        read(found, lambda kept: True)
    assert "GetMetricData" not in server.calls
    cheap = source(server, entry={"statistics": ("Average", "p99")}, max_monthly_cost=3.0, every=5 * MINUTE)
    read(cheap, lambda kept: True)
    assert "8 metrics × 8,760 calls a month = 70,080 metrics requested = $0.71 a month" in caplog.text


def test_metrics_that_are_new_bring_their_past(server: CloudWatchServer) -> None:
    put(server, "a", minutes=range(-60, 120))
    found = source(server, discover_every=10 * MINUTE)
    server.cloud.clock.at(server.cloud.clock.now() + 5 * MINUTE, lambda: put(server, "new", minutes=range(-60, 60)))
    batches = read(found, lambda kept: points(kept, "new") > 30)
    past = [batch.history for batch in batches if "new" in shown([batch])]
    assert past[0]
    assert not past[-1]


def test_names_dimensions_tags_and_selectors(server: CloudWatchServer) -> None:
    for host in ("web-1", "web-2", "db-1"):
        put(server, host)
    server.cloud.put(metric_of("Test", "other", {"host": "web-1"}), [(server.cloud.clock.now() - MINUTE, 1.0)])
    arn = "arn:aws:ec2:eu-west-1:111122223333:instance/{}".format
    server.cloud.resources = {arn("web-1"): {"env": "prod"}, arn("web-2"): {"env": "test"}}

    def hosts(**entry: Any) -> set[str]:
        return set(shown(read(source(server, entry=entry), lambda kept: True)))

    assert hosts(names=("lo*",)) == {"web-1", "web-2", "db-1"}
    assert hosts(names=("load",), dimensions={"host": "web-*"}) == {"web-1", "web-2"}
    assert hosts(names=("load",), exclude=('{host=~"web.*"}',)) == {"db-1"}
    assert hosts(names=("load",), include=('{host="db-1"}',)) == {"db-1"}
    assert hosts(tags={"env": "prod"}) == {"web-1"}
    assert hosts(tags={"env": ""}) == {"web-1", "web-2"}


def test_a_role_is_assumed_and_accounts_are_monitored(server: CloudWatchServer) -> None:
    role = "arn:aws:iam::111122223333:role/watchband"
    server.cloud.linked = (OTHER,)
    put(server, "far", account=OTHER)
    with pytest.raises(PermanentError, match="AccessDenied"):
        read(source(server, role_arn=role), lambda kept: True)
    server.roles.add(role)
    found = source(server, role_arn=role, entry={"accounts": ("*",)})
    (series,) = [one.key for batch in read(found, lambda kept: True) for one in batch.readings]
    assert series.labels["account"] == OTHER


def test_a_position_of_another_source_begins_anew(server: CloudWatchServer, caplog: pytest.LogCaptureFixture) -> None:
    put(server)
    assert points(read(source(server), lambda kept: points(kept) >= 30, '{"x": 7}')) == 30
    assert "the kept position is none of this source" in caplog.text


def test_answers_that_are_none_are_told(server: CloudWatchServer, monkeypatch: pytest.MonkeyPatch) -> None:
    put(server)
    # botocore takes what is no JSON for an empty answer.
    server.fail(*["dies"] * 20)
    with pytest.raises(TransientError, match="something that is not AWS"):
        read(source(server, retry_for=SECOND), lambda kept: True)
    server.next_fault()
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(PermanentError, match="There are no AWS credentials"):
        read(source(server), lambda kept: True)


def test_history_is_the_past_alone(server: CloudWatchServer) -> None:
    put(server, minutes=range(-60, 60))
    found, begin = source(server), server.cloud.clock.now()
    batches = list(found.history())
    assert points(batches) == 30
    # It does not wait for what is new.
    assert server.cloud.clock.now() - begin < 5 * SECOND
    assert all(batch.history for batch in batches)


@pytest.mark.parametrize(
    "wrong",
    [
        {"metrics": None},
        {"role_arn": "admin"},
        {"entry": {"period": 90 * SECOND}},
        {"entry": {"statistics": ("mean",)}},
        {"entry": {"accounts": ("mine",)}},
        {"entry": {"exclude": ("{",)}},
        {"expressions": {"e": "m"}},
    ],
)
def test_mistakes_are_told(server: CloudWatchServer, wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        settings(server, **wrong)


@pytest.mark.parametrize(
    "using", [{"m": "load"}, {"m": 'load{namespace="N",stat="mean"}'}, {"wb_1": 'a{namespace="N"}'}]
)
def test_mistakes_in_expressions_are_told(using: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        Math(expression="m", using=using)


def test_what_is_kept_of_a_period_bounds_the_past(server: CloudWatchServer) -> None:
    put(server)
    found = source(server, backfill=100 * DAY)
    read(found, lambda kept: True)
    first = min(asked["StartTime"] for name, asked in server.bodies if name == "GetMetricData")
    assert server.cloud.clock.now() - first * SECOND <= 15 * DAY
    assert HOUR == 3600 * SECOND
