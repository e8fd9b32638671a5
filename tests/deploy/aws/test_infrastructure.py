"""The template and the Terraform module: valid, alike, and narrow in what they allow."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from typing import Any

import boto3
import pytest

from tests.deploy.aws import from_template, from_terraform
from tests.deploy.aws.evaluated import DEPLOY, PARAMETERS, REGION, template
from tests.deploy.aws.module import Module, parsed, snake
from watchband.adapters.stores.dynamodb.table import table_shape
from watchband.apps.aws_doctor import needs

BODY_BYTES_MAX = 51_200
"""CloudFormation quotas: a template in a request's body; a larger one has to be put into a bucket first."""


@pytest.mark.timeout(300)
def test_cfn_lint_finds_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from cfnlint.runner.cli import main; main()", str(DEPLOY / "template.yaml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_cfn_lint_does_not_see_the_translator_refuses() -> None:
    from samtranslator.model.exceptions import InvalidDocumentException
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator

    broken = copy.deepcopy(template())
    records = broken["Resources"]["KinesisFunction"]["Properties"]["Events"]["Records"]["Properties"]
    records["BatchSizes"] = records.pop("BatchSize")
    session = boto3.session.Session(region_name=REGION)
    with pytest.raises(InvalidDocumentException, match="BatchSizes"):
        Translator({}, Parser(), boto_session=session).translate(broken, {"CodeBucket": "code"})


def test_it_can_be_sent_in_one_request() -> None:
    assert len((DEPLOY / "template.yaml").read_bytes()) <= BODY_BYTES_MAX


@pytest.mark.parametrize("given", PARAMETERS.values(), ids=PARAMETERS)
def test_template_and_module_make_the_same(given: dict[str, Any]) -> None:
    ours, theirs = from_template.things(given), from_terraform.things(given)
    assert sorted(ours) == sorted(theirs)
    for key, facts in ours.items():
        for fact, value in facts.items():
            assert theirs[key].get(fact) == value, f"{key}: {fact}"
        assert facts.keys() == theirs[key].keys(), key


def test_parameters_are_the_same() -> None:
    ours = {
        snake(name): ({"true": True, "false": False}.get(one.get("Default"), one.get("Default")), one["Description"])
        for name, one in template()["Parameters"].items()
    }
    module = Module({})
    theirs = {
        name.strip('"'): (module(one.get("default")), module(one["description"]))
        for block in parsed()["variable"]
        for name, one in block.items()
    }
    assert ours == theirs


def test_outputs_are_the_same() -> None:
    theirs = {name.strip('"') for block in parsed()["output"] for name in block}
    assert {snake(name) for name in template()["Outputs"]} == theirs


def test_the_store_has_the_table_that_it_makes_itself() -> None:
    shape = table_shape("watchband")
    (table,) = [
        facts for key, facts in from_template.things({"CodeBucket": "b"}).items() if key == ("table", "watchband")
    ]
    assert table["keys"] == [(key["AttributeName"], key["KeyType"]) for key in shape["KeySchema"]]
    assert table["attributes"] == sorted(
        (one["AttributeName"], one["AttributeType"]) for one in shape["AttributeDefinitions"]
    )
    assert table["billing"] == shape["BillingMode"]


@pytest.mark.parametrize("given", PARAMETERS.values(), ids=PARAMETERS)
def test_nothing_is_public_and_no_role_may_more_than_it_names(given: dict[str, Any]) -> None:
    for (kind, name), facts in from_template.things(given).items():
        if kind == "bucket":
            assert facts["closed"] == [True] * 4
            assert facts["policy"][0]["effect"] == "Deny"
        if kind == "role":
            assert all("*" not in action for one in facts["may"] for action in one["actions"]), name
            wide = [one["sid"] for one in facts["may"] if one["resources"] == ["*"]]
            # X-Ray, ListStreams and CloudWatch's reading know no resource.
            assert set(wide) <= {"Traces", "Streams", "Metrics"}, name


def test_alarms_and_the_board_look_at_functions_that_there_are() -> None:
    made = from_template.things(PARAMETERS["all of it"])
    functions = {name for kind, name in made if kind == "function"}
    assert len(functions) == 6
    watched = {
        facts["metric"][2]["FunctionName"]
        for (kind, name), facts in made.items()
        if kind == "alarm" and name.endswith("-errors")
    }
    assert watched == functions
    throttled = made["alarm", "wb-2-throttled"]
    assert {one[2]["FunctionName"] for one in throttled["metrics"].values() if len(one) > 3} == functions
    (board,) = [facts["body"] for (kind, _), facts in made.items() if kind == "dashboard"]
    names = {name for name in functions if f'"{name}"' in json.dumps(board)}
    assert names == functions


def test_a_difference_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    given = PARAMETERS["as it comes"]
    ours = from_template.things(given)
    for (section, kind, label), about in Module({})._raw.items():
        if (section, kind, label) == ("resource", "aws_lambda_function", "readings"):
            monkeypatch.setitem(about, "timeout", 121)
    theirs = from_terraform.things(given)
    assert ours["function", "watchband-readings"] != theirs["function", "watchband-readings"]


def test_roles_allow_what_the_code_is_declared_to_call() -> None:
    made = from_template.things(PARAMETERS["all of it"])
    for function in ("kinesis", "readings", "objects", "poll", "train", "export"):
        may = {one["sid"]: set(one["actions"]) for one in made["role", function]["may"]}
        # The table is there: nobody makes or describes it.
        assert may["Store"] == set(needs.DYNAMODB)
        assert may["Snapshots"] == set(needs.OBJECTS)
        assert may["Config"] | may["ConfigList"] == {"s3:GetObject", "s3:ListBucket"}
        assert may["DeadLetters"] == {"sqs:SendMessage"}
        assert may.get("Alerts", {"sns:Publish"}) == {"sns:Publish"}
    assert {one["sid"] for one in made["role", "poll"]["may"]} >= {"Metrics"}
    (metrics,) = [set(one["actions"]) for one in made["role", "poll"]["may"] if one["sid"] == "Metrics"]
    assert metrics == {*needs.METRICS, "tag:GetResources"}
