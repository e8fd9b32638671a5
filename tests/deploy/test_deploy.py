"""What is shipped for operators: rules that Prometheus takes, dashboards that name metrics there are."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.adapters.servers import program
from tests.apps.server.test_operations import push, until
from tests.apps.server.world import World
from tests.apps.service.worlds import ListSinkSettings, watch
from tools.dashboards import DASHBOARDS, FOLDER, text
from watchband.apps.server.settings import ServerSettings

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
RULES = DEPLOY / "prometheus" / "watchband.rules.yml"
NAME = re.compile(r"\b(?:watchband|process)_[a-z0-9_]+\b")
RECORDED = re.compile(r"\b[a-z_]+:[a-z_]+:[a-z0-9_]+\b")
OF_A_RULE = "instance_sink:watchband_delivery_latency_seconds:p95_1h"


@pytest.fixture(scope="module")
def names() -> set[str]:
    """Every metric on the page of a service that has told somebody something."""
    chat = ListSinkSettings()
    watches = {"all": watch(), "budget": watch(cutoff=None, budget="1/week", detector="light")}
    with World(
        watches=watches, sinks={"chat": chat}, server=ServerSettings(listen="127.0.0.1:0", export=("*",))
    ) as world:
        world.clock.time -= 790 * 60_000_000_000
        push(world, 0, 200, spike=150)
        world.service.ticker.tick()
        until(lambda: world.service.sinks.get("chat") and world.service.sinks["chat"].delivered)
        page = world.client.get("/metrics").text
    return {line.split("{")[0].split(" ")[0] for line in page.splitlines() if not line.startswith("#")}


def named(expression: str) -> set[str]:
    return set(NAME.findall(RECORDED.sub("", re.sub(r'"[^"]*"', '""', expression))))


def test_promtool_takes_the_rules() -> None:
    done = subprocess.run([program("promtool", "prometheus"), "check", "rules", str(RULES)], capture_output=True)
    assert done.returncode == 0, done.stderr


def test_rules_name_metrics_there_are(names: set[str]) -> None:
    rules = [r for group in yaml.safe_load(RULES.read_text())["groups"] for r in group["rules"]]
    recorded = {r["record"] for r in rules if "record" in r}
    for rule in rules:
        assert named(rule["expr"]) <= names, rule["expr"]
        assert set(RECORDED.findall(rule["expr"])) <= recorded
        assert "record" in rule or rule["annotations"]["summary"]


@pytest.mark.parametrize("name", DASHBOARDS)
def test_dashboards_are_current_and_name_metrics_there_are(name: str, names: set[str]) -> None:
    found = (FOLDER / name).read_text()
    assert found == text(name), "run: python -m tools.dashboards"
    document = json.loads(found)
    expressions = [t["expr"] for panel in document["panels"] for t in panel.get("targets", [])]
    expressions += [a["expr"] for a in document["annotations"]["list"]]
    expressions += [v["definition"] for v in document["templating"]["list"] if "definition" in v]
    assert len(expressions) > 5
    for expression in expressions:
        assert named(expression) <= names, expression
    places = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in document["panels"]]
    assert len(set(places)) == len(places)
    assert all(p["gridPos"]["x"] + p["gridPos"]["w"] <= 24 for p in document["panels"])


CASES = {
    "WatchbandStoreFailing": ({'watchband_store_up{instance="a"}': "1x3 0x10"}, "10m"),
    "WatchbandSourceFailing": ({'watchband_source_up{instance="a",source="prom",kind="prometheus"}': "0x30"}, "15m"),
    "WatchbandReloadFailed": ({'watchband_config_last_reload_successful{instance="a"}': "0x30"}, "10m"),
    "WatchbandDeadLetters": (
        {'watchband_deliveries_total{instance="a",sink="chat",outcome="dead"}': "0 0 0 1x30"},
        "10m",
    ),
    "WatchbandSourceBehind": (
        {
            'watchband_source_lag_seconds{instance="a",source="prom",kind="x"}': "1000x30",
            'watchband_source_state{instance="a",source="prom",kind="x",state="up"}': "1x30",
        },
        "15m",
    ),
    "WatchbandBandOff": (
        {
            'watchband_watch_points_inside_total{instance="a",watch="w"}': "0+8x4000",
            'watchband_watch_points_banded_total{instance="a",watch="w"}': "0+10x4000",
        },
        "3000m",
    ),
}


@pytest.mark.parametrize("alert", CASES)
def test_an_alert_fires_when_it_should_and_not_otherwise(alert: str, tmp_path: Path) -> None:
    series, at = CASES[alert]
    given = [{"series": name, "values": values} for name, values in series.items()]
    case = {
        "interval": "1m",
        "input_series": given,
        "promql_expr_test": [
            {"expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}})', "eval_time": at,
             "exp_samples": [{"labels": "{}", "value": 1}]},
            {"expr": f'ALERTS{{alertname="{alert}",alertstate="firing"}}', "eval_time": "1m", "exp_samples": []},
        ],
    }  # fmt: skip
    file = tmp_path / "test.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "5m", "tests": [case]}))
    done = subprocess.run(
        [program("promtool", "prometheus"), "test", "rules", str(file)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
