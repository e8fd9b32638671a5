"""``watchband detect cloudwatch://…``: the past of metrics by one address, with what the look cost; and ``check``."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from watchband.apps.cli.main import app
from watchband.apps.library.cloudwatch import read_address
from watchband.core.clock import SystemClock
from watchband.core.duration import DAY, HOUR, MINUTE
from watchband.core.errors import ConfigError
from watchband.testing.cloudwatch.account import metric_of
from watchband.testing.cloudwatch.server import CloudWatchServer

RUN = CliRunner()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[CloudWatchServer]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret-that-is-long")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    found = CloudWatchServer()
    now = SystemClock().now() // (5 * MINUTE) * 5 * MINUTE
    for host in ("i-1", "i-2"):
        metric = metric_of("AWS/EC2", "CPUUtilization", {"InstanceId": host})
        spike = {30, 31, 32} if host == "i-2" else set()
        found.cloud.put(
            metric,
            [(now - k * 5 * MINUTE, 50 + 5 * math.sin(k * k) + 300 * (k in spike)) for k in range(600)],
        )
    yield found
    found.close()


def test_the_past_of_an_address(server: CloudWatchServer) -> None:
    address = f"cloudwatch:///AWS/EC2/CPU*?InstanceId=i-*&stat=Maximum&endpoint_url={server.url}"
    found = RUN.invoke(app, ["detect", address, "--since", "2d", "--detector", "rolling_zscore:window=100", "--json"],
                       env={"AWS_REGION": "eu-west-1"})  # fmt: skip
    assert found.exit_code == 0, found.output
    document = json.loads(found.stdout)
    series = {alert["series"] for alert in document["alerts"]}
    wanted = 'CPUUtilization{InstanceId="i-2",namespace="AWS/EC2",region="eu-west-1",stat="Maximum"}'
    assert wanted in series
    assert "2 metrics × 8,760 calls a month" in found.stdout


def test_mistakes_are_one_line(server: CloudWatchServer) -> None:
    for address in (
        "cloudwatch://eu-west-1/OnlyOne",
        "cloudwatch://eu-west-1/N/m?stat=mean",
        "cloudwatch://x/N/m?period=7s",
    ):
        found = RUN.invoke(app, ["detect", address])
        assert found.exit_code == 2
    both = RUN.invoke(app, ["detect", "cloudwatch://x/N/m", "a.csv"])
    assert "Give one cloudwatch:// address" in both.output
    nothing = RUN.invoke(app, ["detect", f"cloudwatch://x/N/m?endpoint_url={server.url}"])
    assert (nothing.exit_code, "nothing for 'N m'" in nothing.output) == (2, True)


def test_an_address_says_everything() -> None:
    text = "cloudwatch://eu-west-1/Own/App/a%2Fb?stat=p50&stat=p99&period=1m&account=*&dimension.stat=x&Host="
    found = read_address(text, since_ns=DAY)
    assert found.metrics is not None
    entry = found.metrics["metrics"]
    assert (entry.namespace, entry.names, entry.period) == ("Own/App", ("a/b",), MINUTE)
    assert (entry.statistics, entry.accounts) == (("p50", "p99"), ("*",))
    assert entry.dimensions == {"stat": "x", "Host": "*"}
    with pytest.raises(ConfigError, match="max_metrics"):
        read_address("cloudwatch://x/N/m?max_metrics=0", since_ns=HOUR)


def test_check_says_the_price(server: CloudWatchServer, tmp_path: Path) -> None:
    path = tmp_path / "watchband.yaml"
    path.write_text(
        f"""
sources:
  aws:
    kind: cloudwatch
    region: eu-west-1
    endpoint_url: {server.url}
    backfill: 1d
    metrics: {{ec2: {{namespace: AWS/EC2, statistics: [Average, p99]}}}}
watches: {{all: {{match: '*', detector: light, route: []}}}}
store: {{kind: memory}}
"""
    )
    said = RUN.invoke(app, ["check", str(path)])
    assert "4 metrics × 8,760 calls a month = 35,040 metrics requested" in " ".join(said.output.split())
    (source,) = json.loads(RUN.invoke(app, ["check", str(path), "--json"]).stdout)["sources"]
    assert (source["series"], source["cost"]["metrics_requested_per_month"]) == (4, 35_040)
    assert source["cost"]["usd_per_month"] == pytest.approx(0.3577, abs=1e-4)
    path.write_text(path.read_text().replace("backfill: 1d", "max_monthly_cost: 0.1"))
    refused = RUN.invoke(app, ["check", str(path)])
    assert refused.exit_code == 1
    assert "would cost more than 'max_monthly_cost'" in " ".join(refused.output.split())
