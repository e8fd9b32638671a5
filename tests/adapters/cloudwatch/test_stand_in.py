"""The stand-in keeps CloudWatch's rules, asked by boto3 itself; each test names the rule it would miss."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from watchband.core.duration import DAY, HOUR, MINUTE, SECOND
from watchband.testing.clock import VirtualClock
from watchband.testing.cloudwatch.account import Metric, metric_of
from watchband.testing.cloudwatch.expressions import Series, evaluated
from watchband.testing.cloudwatch.refusal import Refusal
from watchband.testing.cloudwatch.server import CloudWatchServer

CPU = metric_of("AWS/EC2", "CPUUtilization", {"InstanceId": "i-1"})


@pytest.fixture
def server() -> Iterator[CloudWatchServer]:
    found = CloudWatchServer(VirtualClock())
    found.cloud.put(CPU, [(now(found) - k * MINUTE, float(k)) for k in range(1, 61)])
    yield found
    found.close()


@pytest.fixture
def client(server: CloudWatchServer) -> Any:
    config = Config(retries={"mode": "standard", "total_max_attempts": 1}, parameter_validation=False)
    return boto3.client("cloudwatch", endpoint_url=server.url, config=config)


def now(server: CloudWatchServer) -> int:
    return server.cloud.clock.now()


def query(
    metric: Metric = CPU, stat: str = "Average", period: int = 60, name: str = "m", **more: Any
) -> dict[str, Any]:
    return {"Id": name, "MetricStat": {"Metric": metric.wire(), "Period": period, "Stat": stat}, **more}


def ask(client: Any, server: CloudWatchServer, *queries: dict[str, Any], back: int = HOUR, **more: Any) -> Any:
    end = now(server) // SECOND
    return client.get_metric_data(
        MetricDataQueries=list(queries or [query()]), StartTime=end - back // SECOND, EndTime=end, **more
    )


def code(work: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as error:
        work()
    return str(error.value.response["Error"]["Code"])


def test_the_protocol_is_the_one_that_botocore_chooses(client: Any) -> None:
    assert client.meta.service_model.resolved_protocol == "json"
    assert client.meta.service_model.metadata["jsonVersion"] == "1.0"


def test_listings_have_pages_of_500(client: Any, server: CloudWatchServer) -> None:
    for k in range(700):
        server.cloud.put(metric_of("Many", "m", {"k": f"{k:03}"}), [(now(server), 1.0)])
    first = client.list_metrics(Namespace="Many")
    second = client.list_metrics(Namespace="Many", NextToken=first["NextToken"])
    assert (len(first["Metrics"]), len(second["Metrics"]), "NextToken" in second) == (500, 200, False)
    assert code(lambda: client.list_metrics(NextToken=first["NextToken"])) == "InvalidNextToken"
    assert code(lambda: client.list_metrics(NextToken="made up")) == "InvalidNextToken"


def test_listings_filter_by_dimensions_and_activity(client: Any, server: CloudWatchServer) -> None:
    for name, age in (("new", 0), ("quiet", 4 * HOUR), ("gone", 15 * DAY)):
        server.cloud.put(metric_of("N", name, {"A": "1", "B": name}), [(now(server) - age, 1.0)])

    def names(**filters: Any) -> list[str]:
        return [m["MetricName"] for m in client.list_metrics(Namespace="N", **filters)["Metrics"]]

    assert names() == ["new", "quiet"]
    assert names(RecentlyActive="PT3H") == ["new"]
    assert names(Dimensions=[{"Name": "A"}]) == ["new", "quiet"]
    assert names(Dimensions=[{"Name": "A", "Value": "1"}, {"Name": "B", "Value": "new"}]) == ["new"]
    assert names(Dimensions=[{"Name": "C"}]) == []
    assert code(lambda: names(Dimensions=[{"Name": str(k)} for k in range(11)])) == "InvalidParameterValue"
    assert code(lambda: names(RecentlyActive="PT1H")) == "InvalidParameterValue"


def test_accounts_that_are_monitored(client: Any, server: CloudWatchServer) -> None:
    other = metric_of("N", "far", account="444455556666")
    server.cloud.put(other, [(now(server) - MINUTE, 1.0)])
    assert code(lambda: client.list_metrics(OwningAccount="444455556666")) == "InvalidParameterCombination"
    server.cloud.linked = ("444455556666",)
    found = client.list_metrics(IncludeLinkedAccounts=True, Namespace="N")
    assert found["OwningAccounts"] == ["444455556666"]
    asked = query(other, name="far", AccountId="444455556666")
    assert ask(client, server, asked)["MetricDataResults"][0]["Values"] == [1.0]
    server.cloud.linked = ()
    assert ask(client, server, asked)["MetricDataResults"][0]["StatusCode"] == "Forbidden"


def test_at_most_500_queries_of_different_ids(client: Any, server: CloudWatchServer) -> None:
    many = [query(name=f"m{k}") for k in range(501)]
    assert code(lambda: ask(client, server, *many)) == "ValidationError"
    assert len(ask(client, server, *many[:500])["MetricDataResults"]) == 500
    for wrong in ([query(name="Big")], [query(), query()], [query(ReturnData=False)], [query(period=90)]):
        assert code(lambda wrong=wrong: ask(client, server, *wrong)) in ("ValidationError", "InvalidParameterValue")  # type: ignore[misc]
    assert code(lambda: ask(client, server, query() | {"Expression": "m"})) == "InvalidParameterCombination"
    assert code(lambda: ask(client, server, query(stat="Median"))) == "InvalidParameterValue"
    assert code(lambda: ask(client, server, back=0)) == "ValidationError"


def test_pages_of_data_go_over_all_results(client: Any, server: CloudWatchServer) -> None:
    asked = [query(name="a"), query(stat="Sum", name="b")]
    token, pages, times = None, 0, list[float]()
    while True:
        more = {"NextToken": token} if token else {}
        page = ask(client, server, *asked, MaxDatapoints=50, ScanBy="TimestampAscending", **more)
        pages += 1
        times += [time.timestamp() for time in page["MetricDataResults"][0]["Timestamps"]]
        token = page.get("NextToken")
        assert page["MetricDataResults"][0]["StatusCode"] == ("PartialData" if token else "Complete")
        if not token:
            break
    assert (pages, len(times)) == (3, 60)
    assert times == sorted(times)
    newest = ask(client, server, MaxDatapoints=1)["MetricDataResults"][0]
    assert newest["Values"] == [1.0]
    assert code(lambda: ask(client, server, MaxDatapoints=100_801)) == "InvalidParameterValue"


@pytest.mark.parametrize(
    ("age", "period", "there"),
    [
        (2 * HOUR, 1, True), (4 * HOUR, 1, False), (4 * HOUR, 60, True), (14 * DAY, 60, True), (16 * DAY, 60, False),
        (16 * DAY, 300, True), (62 * DAY, 300, True), (64 * DAY, 300, False), (64 * DAY, 3600, True),
        (454 * DAY, 3600, True), (456 * DAY, 3600, False),
    ],
)  # fmt: skip
def test_retention(client: Any, server: CloudWatchServer, age: int, period: int, there: bool) -> None:
    metric = metric_of("N", "fine")
    server.cloud.put(metric, [(now(server) - age, 1.0)], high=True)
    values = ask(client, server, query(metric, period=period), back=age + HOUR)["MetricDataResults"][0]["Values"]
    assert bool(values) == there


def test_a_metric_of_minutes_has_no_seconds(client: Any, server: CloudWatchServer) -> None:
    assert ask(client, server, query(period=10))["MetricDataResults"][0]["Values"] == []


@pytest.mark.parametrize(
    ("stat", "value"),
    [
        ("SampleCount", 5.0), ("Average", 22.0), ("Sum", 110.0), ("Minimum", 1.0), ("Maximum", 100.0), ("p50", 3.0),
        ("p100", 100.0), ("tm80", 2.5), ("TM(0%:80%)", 2.5), ("TM(2:4)", 3.0), ("TC(2:4)", 3.0), ("TS(2:)", 109.0),
        ("PR(:3)", 60.0), ("IQM", 3.0), ("WM(2:4)", 3.0),
    ],
)  # fmt: skip
def test_statistics(client: Any, server: CloudWatchServer, stat: str, value: float) -> None:
    metric = metric_of("N", "five")
    server.cloud.put(metric, [(now(server) - 5 * MINUTE, v) for v in (1.0, 2.0, 3.0, 4.0, 100.0)])
    assert ask(client, server, query(metric, stat=stat))["MetricDataResults"][0]["Values"] == [value]


def test_a_statistic_set_hides_its_percentiles(client: Any, server: CloudWatchServer) -> None:
    metric = metric_of("N", "set")
    server.cloud.put_set(metric, now(server) - 5 * MINUTE, 3, 9.0, 1.0, 5.0)
    both = [query(metric, name="a"), query(metric, stat="p90", name="b")]
    found = ask(client, server, *both)["MetricDataResults"]
    assert [one["Values"] for one in found] == [[3.0], []]


def test_late_and_revised_points_are_there_from_when_they_came(client: Any, server: CloudWatchServer) -> None:
    metric, time = metric_of("N", "late"), now(server) - 10 * MINUTE
    server.cloud.put(metric, [(time, 1.0)])
    server.cloud.put(metric, [(time + SECOND, 3.0)], arrival=now(server) + MINUTE)

    def values() -> list[float]:
        return list(ask(client, server, query(metric))["MetricDataResults"][0]["Values"])

    assert values() == [1.0]
    server.cloud.clock.sleep(60)
    assert values() == [2.0]


def test_throttling_has_the_right_code(client: Any, server: CloudWatchServer) -> None:
    server.quotas["ListMetrics"] = 2
    assert client.list_metrics()
    assert client.list_metrics()
    assert code(client.list_metrics) == "Throttling"
    server.cloud.clock.sleep(1)
    assert client.list_metrics()


@pytest.mark.parametrize(("status", "calls"), [("InternalError", 1), ("PartialData", 2)])
def test_trouble_of_one_metric(client: Any, server: CloudWatchServer, status: str, calls: int) -> None:
    server.cloud.trouble[CPU] = (status, calls)
    statuses = [ask(client, server)["MetricDataResults"][0]["StatusCode"] for _ in range(3)]
    assert statuses == [status] * calls + ["Complete"] * (3 - calls)


def test_metric_math(client: Any, server: CloudWatchServer) -> None:
    asked = [query(name="a", ReturnData=False), query(stat="Sum", name="b", ReturnData=False)]
    math = {"Id": "e", "Expression": "100 * a / (a + b)", "Label": "share"}
    found = ask(client, server, *asked, math)["MetricDataResults"]
    assert [one["Id"] for one in found] == ["e"]
    assert set(found[0]["Values"]) == {50.0}
    searched = {"Id": "s", "Expression": "SEARCH('{AWS/EC2,InstanceId} MetricName=\"CPUUtilization\"', 'Sum', 60)"}
    assert ask(client, server, searched)["MetricDataResults"][0]["Label"] == "i-1"


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("a + 1", {0: 2.0, 60: 3.0}), ("-a", {0: -1.0, 60: -2.0}), ("a / 0", {}), ("SUM([a, b])", {0: 11.0, 60: 2.0}),
        ("MAX(METRICS())", {0: 10.0, 60: 2.0}), ("a - AVG(a)", {0: -0.5, 60: 0.5}), ("RATE(a)", {60: 1 / 60}),
        ("FILL(b, 7)", {0: 10.0, 60: 7.0}), ("FILL(b, REPEAT)", {0: 10.0, 60: 10.0}),
        ("IF(a > 1, a, 0)", {0: 0, 60: 2}),
    ],
)  # fmt: skip
def test_expressions(text: str, points: dict[int, float]) -> None:
    known = {"a": [Series("a", "a", {0: 1.0, 60: 2.0})], "b": [Series("b", "b", {0: 10.0})]}
    assert evaluated(text, known, lambda *_: [])[0].points == points


@pytest.mark.parametrize(
    "text", ["", "7", "a +", "zz", "__import__('os')", "a.b", "ANOMALY_DETECTION_BAND(a)", "x" * 2049]
)
def test_expressions_that_are_refused(text: str) -> None:
    with pytest.raises(Refusal):
        evaluated(text, {"a": [Series("a", "a", {0: 1.0})]}, lambda *_: [])


def datum(**more: Any) -> dict[str, Any]:
    return {"MetricName": "m", "Value": 1.0} | more


def test_what_may_be_put(client: Any, server: CloudWatchServer) -> None:
    client.put_metric_data(
        Namespace="Own", MetricData=[{"MetricName": "m", "Values": [1.0, 2.0], "Counts": [3.0, 1.0]}]
    )
    assert sum(s.count for s in server.cloud.samples[metric_of("Own", "m")]) == 4


def test_what_may_not_be_put(client: Any, server: CloudWatchServer) -> None:
    second = now(server) / SECOND
    wrong: list[list[dict[str, Any]]] = [
        [datum()] * 1001,
        [datum(Value=2.0**361)],
        [datum(Timestamp=second - 15 * 86_400)],
        [datum(Timestamp=second + 3 * 3600)],
        [datum(Dimensions=[{"Name": str(k), "Value": "v"} for k in range(31)])],
        [datum(Dimensions=[{"Name": "a", "Value": " "}])],
        [datum(Dimensions=[{"Name": ":a", "Value": "v"}])],
        [datum(Values=[1.0])],
        [datum(StorageResolution=5)],
        [{"MetricName": "m", "Values": [float(k) for k in range(151)]}],
    ]
    for data in wrong:
        with pytest.raises(ClientError):
            client.put_metric_data(Namespace="Own", MetricData=data)
    assert code(lambda: client.put_metric_data(Namespace="AWS/Own", MetricData=[datum()])) == "InvalidParameterValue"
    assert metric_of("Own", "m") not in server.cloud.samples


def test_credentials_are_looked_at(server: CloudWatchServer) -> None:
    stranger = boto3.client("cloudwatch", endpoint_url=server.url, aws_access_key_id="no", aws_secret_access_key="no")
    assert code(stranger.list_metrics) == "UnrecognizedClientException"
    server.denied = {"ListMetrics"}
    known = boto3.client("cloudwatch", endpoint_url=server.url)
    assert code(known.list_metrics) == "AccessDenied"
