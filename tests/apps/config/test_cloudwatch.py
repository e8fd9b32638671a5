"""Alarms, detectors and mute rules of CloudWatch become a configuration that is taken, and say what is not the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from watchband.adapters.aws.access import AwsAccess
from watchband.adapters.sources.cloudwatch.inventory import Inventory, Reader
from watchband.apps.cli.main import app
from watchband.apps.config.cloudwatch import Imported, imported
from watchband.apps.config.cloudwatch.mutes import DAYS
from watchband.apps.config.config import read_text
from watchband.core.duration import HOUR, SECOND
from watchband.core.series import SeriesKey
from watchband.core.timestamp import format_rfc3339, parse_rfc3339
from watchband.testing.clock import VirtualClock
from watchband.testing.cloudwatch.server import CloudWatchServer

NOW = parse_rfc3339("2026-02-04T10:00:00Z")  # a Wednesday
WEB = {"Namespace": "AWS/EC2", "MetricName": "CPUUtilization", "Dimensions": [{"Name": "InstanceId", "Value": "i-1"}]}
SERIES = SeriesKey("CPUUtilization", {"InstanceId": "i-1", "namespace": "AWS/EC2", "stat": "Average", "region": "x"})
SNS = "arn:aws:sns:eu-west-1:111122223333:pager"


def limit(**more: Any) -> dict[str, Any]:
    return {
        "AlarmName": "cpu high",
        **WEB,
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 5,
        "DatapointsToAlarm": 3,
        "Threshold": 80.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        "AlarmActions": [SNS],
        "ActionsEnabled": True,
    } | more


def banded(**more: Any) -> dict[str, Any]:
    stat = {"Metric": WEB, "Period": 300, "Stat": "Average"}
    return {
        "AlarmName": "cpu odd",
        "Metrics": [
            {"Id": "m1", "MetricStat": stat, "ReturnData": True},
            {"Id": "ad1", "Expression": "ANOMALY_DETECTION_BAND(m1, 3)", "ReturnData": True},
        ],
        "ThresholdMetricId": "ad1",
        "ComparisonOperator": "GreaterThanUpperThreshold",
        "EvaluationPeriods": 2,
        "TreatMissingData": "missing",
    } | more


DETECTOR = {
    "SingleMetricAnomalyDetector": {**WEB, "Stat": "Average"},
    "Configuration": {
        "ExcludedTimeRanges": [{"StartTime": NOW // SECOND, "EndTime": (NOW + HOUR) // SECOND}],
        "MetricTimezone": "Europe/Dublin",
    },
    "StateValue": "TRAINED",
}


def mute(expression: str, duration: str = "PT2H", **schedule: str) -> dict[str, Any]:
    return {
        "Name": "nightly",
        "Rule": {"Schedule": {"Expression": expression, "Duration": duration, **schedule}},
        "MuteTargets": {"AlarmNames": ["cpu high"]},
        "Status": "SCHEDULED",
        "AlarmMuteRuleArn": "arn:aws:cloudwatch:eu-west-1:111122223333:alarm-mute-rule:nightly",
    }


def made(**given: list[dict[str, Any]]) -> Imported:
    found = imported(Inventory("eu-west-1", **given), NOW)
    config = read_text(found.text(), "imported.yaml")
    assert set(config.watches) == set(found.watches)
    return found


def said(found: Imported, about: str = "") -> str:
    return "\n".join(note.sentence for note in found.notes.get(about, []))


def test_an_alarm_on_a_limit() -> None:
    found = made(alarms=[limit()])
    assert found.watches["cpu_high"] == {
        "match": 'CPUUtilization{InstanceId="i-1",namespace="AWS/EC2",stat="Average"}',
        "detector": "threshold:high=80,low=none",
        "m_of_n": "3/5",
        "missing": "not_breaching",
    }
    assert found.source["metrics"]["CPUUtilization"] == {
        "namespace": "AWS/EC2",
        "names": "CPUUtilization",
        "dimensions": {"InstanceId": "i-1"},
        "only_these": True,
        "statistics": ["Average"],
        "period": "1m",
    }
    assert SNS in said(found, "cpu_high")


def test_the_watch_takes_the_series_of_the_source() -> None:
    config = read_text(made(alarms=[limit()]).text(), "imported.yaml")
    assert config.watches["cpu_high"].matches(SERIES)
    assert config.watches["cpu_high"].options.detector == "threshold:high=80,low=none"


@pytest.mark.parametrize(
    ("operator", "detector", "note"),
    [
        ("LessThanThreshold", "threshold:low=80,high=none", "a fixed limit"),
        ("GreaterThanOrEqualToThreshold", "threshold:high=80,low=none", "80 itself was a breach there"),
        ("SomethingNew", "auto", "the comparison 'SomethingNew'"),
    ],
)
def test_comparisons(operator: str, detector: str, note: str) -> None:
    found = made(alarms=[limit(ComparisonOperator=operator)])
    assert found.watches["cpu_high"]["detector"] == detector
    assert note in said(found, "cpu_high")


def test_an_alarm_on_a_band_with_its_detector() -> None:
    found = made(alarms=[banded()], detectors=[DETECTOR])
    (watch,) = found.watches.values()
    assert (watch["detector"], watch["direction"], watch["consecutive"]) == ("auto", "above", 2)
    assert watch["timezone"] == "Europe/Dublin"
    assert watch["exclude"] == ["2026-02-04T10:00:00Z/2026-02-04T11:00:00Z"]
    assert "ANOMALY_DETECTION_BAND of 3 standard deviations" in said(found, "cpu_odd")


def test_a_detector_without_an_alarm_tells_nobody() -> None:
    found = made(detectors=[DETECTOR])
    (watch,) = found.watches.values()
    assert (watch["route"], watch["detector"]) == ([], "auto")


def test_metric_math_is_passed_on() -> None:
    stats = {one: {"Metric": WEB | {"MetricName": one}, "Period": 60, "Stat": "Sum"} for one in ("errors", "requests")}
    queries = [{"Id": one, "MetricStat": stat, "ReturnData": False} for one, stat in stats.items()]
    queries.append({"Id": "e1", "Expression": "100 * errors / requests", "ReturnData": True})
    alarm = limit(AlarmName="errors", MetricName=None, Metrics=queries)
    found = made(alarms=[alarm])
    assert found.watches["errors"]["match"] == "errors"
    expression = found.source["expressions"]["errors"]
    assert expression["expression"] == "100 * errors / requests"
    assert set(expression["using"]) == {"errors", "requests"}
    nested = [*queries[:2], {"Id": "a", "Expression": "errors"}, {"Id": "b", "Expression": "a * 2", "ReturnData": True}]
    left = made(alarms=[limit(AlarmName="nested", MetricName=None, Metrics=nested)])
    assert "alarm 'nested'" in said(left)
    assert not left.watches


def test_what_has_no_counterpart_is_named() -> None:
    found = made(
        alarms=[limit(ActionsEnabled=False), limit(), limit(AlarmName="insights", MetricName=None)],
        composites=[{"AlarmName": "both", "AlarmRule": "ALARM(a) OR ALARM(b)"}],
        detectors=[{"MetricMathAnomalyDetector": {"MetricDataQueries": []}}],
        mutes=[mute("cron(0 1 1 * *)")],
    )
    assert set(found.watches) == {"cpu_high", "cpu_high_2"}
    assert found.watches["cpu_high"]["route"] == []
    for words in ("composite alarm 'both'", "alarm 'insights'", "metric math without an alarm", "mute rule 'nightly'"):
        assert words in said(found)


@pytest.mark.parametrize(
    ("expression", "zone", "time", "days"),
    [
        ("cron(0 2 * * SUN)", "UTC", "2026-02-08T02:00:00Z", ["sun"]),
        ("cron(30 9 * * *)", "Europe/Dublin", "2026-02-05T09:30:00Z", list(DAYS)),
        ("cron(0 18 * * MON-FRI)", "America/New_York", "2026-02-04T23:00:00Z", ["mon", "tue", "wed", "thu", "fri"]),
        ("cron(0 2 * * 6,0)", "UTC", "2026-02-07T02:00:00Z", ["sat", "sun"]),
        ("at(2026-03-01T20:00)", "Asia/Tokyo", "2026-03-01T11:00:00Z", None),
    ],
)
def test_mute_rules_are_windows(expression: str, zone: str, time: str, days: list[str] | None) -> None:
    found = made(alarms=[limit()], mutes=[mute(expression, Timezone=zone)])
    (window,) = found.windows
    assert (window.body()["time"], window.body().get("days")) == (time, days)
    assert window.body()["duration"] == "2h"
    assert f"--at {time} --for 2h" in found.text()


def test_the_past_and_the_long_are_no_windows() -> None:
    assert "it is over" in said(made(alarms=[limit()], mutes=[mute("at(2020-01-01T00:00)")]))
    assert "lasts longer than a day" in said(made(alarms=[limit()], mutes=[mute("cron(0 2 * * SAT)", "P2D")]))
    assert "none of its alarms" in said(made(mutes=[mute("cron(0 2 * * SAT)")]))
    assert "cannot be read" in said(made(alarms=[limit()], mutes=[mute("cron(0 2 * * SAT)", Timezone="Mars/Olympus")]))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[CloudWatchServer]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret-that-is-long")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    found = CloudWatchServer(VirtualClock(NOW))
    yield found
    found.close()


def test_everything_is_read_page_by_page(server: CloudWatchServer) -> None:
    server.cloud.alarms = [limit(AlarmName=f"alarm {k}") for k in range(205)]
    server.cloud.detectors, server.cloud.mutes = [DETECTOR] * 60, [mute("cron(0 2 * * SUN)")]
    server.refuse("DescribeAlarms", "Throttling")
    reader = Reader(AwsAccess(endpoint_url=server.url), VirtualClock(NOW))
    found = reader.read()
    reader.close()
    assert (len(found.alarms), len(found.detectors), len(found.mutes)) == (205, 60, 1)
    assert server.calls["DescribeAlarms"] == 4


def test_what_may_not_be_read_is_named(server: CloudWatchServer) -> None:
    server.cloud.alarms = [limit()]
    server.denied = {"ListAlarmMuteRules"}
    reader = Reader(AwsAccess(endpoint_url=server.url), VirtualClock(NOW))
    found = reader.read()
    reader.close()
    assert "AccessDenied" in found.missing["mute rules"]
    assert "mute rules could not be read" in said(imported(found, NOW))


def test_the_command(server: CloudWatchServer, tmp_path: Path) -> None:
    server.cloud.alarms = [limit(), banded()]
    server.cloud.mutes = [mute("cron(0 2 * * SUN)")]
    command = ["import", "cloudwatch", "--region", "eu-west-1", "--endpoint-url", server.url]
    out = tmp_path / "watchband.yaml"
    done = CliRunner().invoke(app, [*command, "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "2 watches, 1 windows as comments" in done.output
    assert len(read_text(out.read_text(), "x.yaml").watches) == 2
    assert "a-secret" not in out.read_text()
    assert CliRunner().invoke(app, [*command, "--out", str(out)]).exit_code == 2
    document = json.loads(CliRunner().invoke(app, [*command, "--json"]).stdout)
    assert re.fullmatch(r"[0-9-]+T02:00:00Z", document["windows"][0]["time"])
    assert format_rfc3339(0) == "1970-01-01T00:00:00Z"
