"""``watchband aws doctor``: what it asks, what it says of the answers, and that no secret is among it."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import xform_name
from botocore.stub import ANY, Stubber

import watchband
from tests.apps.test_cli import run
from tests.servers.moto import ACCOUNT, KEYS, REGION, Moto
from watchband.adapters.aws.access import AwsAccess, AwsSession, _loader
from watchband.apps.aws_doctor import needs
from watchband.apps.aws_doctor.checkup import examine
from watchband.apps.aws_doctor.finding import ADVICE, MISSING, OK, UNKNOWN, Report
from watchband.apps.aws_doctor.needs import Place, bucket_of, users, wanted
from watchband.apps.config.config import read_config
from watchband.core.clock import SystemClock
from watchband.core.duration import SECOND
from watchband.testing.clock import VirtualClock

CONFIG = """
sources:
  stream: {kind: kinesis, stream: metrics, leases: wb-leases}
  objects:
    kind: s3
    objects: s3://in-bucket/metrics/{date}/*.csv
    queue_url: https://sqs.eu-west-1.amazonaws.com/123456789012/wb-objects
watches:
  all: {match: '*', detector: light, budget: 1/week}
sinks:
  duty: {kind: sns, topic_arn: 'arn:aws:sns:eu-west-1:123456789012:wb-alerts'}
  bands: {kind: cloudwatch, series: ['cpu']}
store: {kind: dynamodb, table: wb-store, create: false, bucket: wb-data}
"""
USER = f"arn:aws:iam::{ACCOUNT}:user/watchband"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "watchband.yaml"
    path.write_text(CONFIG)
    return path


class Answers:
    """An account of botocore's stubs: what is asked must be of the API's form, and so must what is answered."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._stubs: dict[str, Stubber] = {}
        monkeypatch.setattr(AwsSession, "client", lambda _, service: self._stub(service).client)

    def _stub(self, service: str) -> Stubber:
        if service not in self._stubs:
            self._stubs[service] = Stubber(boto3.client(service, region_name=REGION))
            self._stubs[service].activate()
        return self._stubs[service]

    def give(self, service: str, operation: str, answer: dict[str, Any], asked: dict[str, Any] | None = None) -> None:
        self._stub(service).add_response(operation, answer, asked)

    def refuse(self, service: str, operation: str, code: str, status: int = 400) -> None:
        self._stub(service).add_client_error(operation, code, "no", http_status_code=status)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Answers:
    return Answers(monkeypatch)


def called(account: Answers, arn: str = USER, date: str = "") -> None:
    headers = {"HTTPHeaders": {"date": date}} if date else {}
    account.give(
        "sts", "get_caller_identity", {"Account": ACCOUNT, "Arn": arn, "UserId": "A", "ResponseMetadata": headers}
    )


def parts_of(config: Path, keep: str) -> list[Any]:
    return [part for part in users(read_config(config)) if part.about == keep]


def levels(report: Report, about: str) -> list[str]:
    return [one.level for one in report.findings if one.about == about]


def test_what_a_configuration_needs(config: Path) -> None:
    place = Place(ACCOUNT, REGION)
    found = {part.about: part.statements(place) for part in users(read_config(config))}
    assert list(found) == ["store", "source stream", "source objects", "sink duty", "sink bands"]
    store, snapshots = found["store"]
    assert store.resources == (f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/wb-store",)
    assert "dynamodb:CreateTable" not in store.actions
    assert snapshots.resources == ("arn:aws:s3:::wb-data/watchband/snapshots/*",)
    assert [one.sid for one in found["source stream"]] == ["Stream", "Leases"]
    assert found["source objects"][2].resources == (f"arn:aws:sqs:{REGION}:{ACCOUNT}:wb-objects",)
    assert found["sink bands"][0].document()["Condition"] == {"StringEquals": {"cloudwatch:namespace": "Watchband"}}


def test_the_policy_alone_asks_nothing(config: Path) -> None:
    said = run("aws", "doctor", config, "--policy")
    assert said.exit_code == 0, said.stderr
    policy = json.loads(said.stdout)
    assert policy == wanted(list(users(read_config(config))))
    sids = [one["Sid"] for one in policy["Statement"]]
    assert len(set(sids)) == len(sids) == 9


def test_a_store_that_lacks_a_permission_says_which_statement(config: Path, account: Answers) -> None:
    called(account)
    actions = parts_of(config, "store")[0].statements(Place(ACCOUNT, REGION))[0].actions
    decisions = [
        {"EvalActionName": action, "EvalDecision": "implicitDeny" if action == "dynamodb:PutItem" else "allowed"}
        for action in actions
    ]
    asked = {"PolicySourceArn": USER, "ActionNames": list(actions), "ResourceArns": ANY, "MaxItems": ANY}
    account.give("iam", "simulate_principal_policy", {"EvaluationResults": decisions}, asked)
    account.give("iam", "simulate_principal_policy", {"EvaluationResults": []})
    keys = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
    table = {"KeySchema": keys, "TableStatus": "ACTIVE", "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"}}
    account.give("dynamodb", "describe_table", {"Table": table}, {"TableName": "wb-store"})
    off = {"ContinuousBackupsStatus": "ENABLED",
           "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "DISABLED"}}  # fmt: skip
    account.give("dynamodb", "describe_continuous_backups", {"ContinuousBackupsDescription": off})
    account.give("s3", "head_bucket", {}, {"Bucket": "wb-data"})
    account.refuse("s3", "get_public_access_block", "NoSuchPublicAccessBlockConfiguration", 404)
    limit = {"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 10}
    account.give("lambda", "get_account_settings", {"AccountLimit": limit})
    account.give("dynamodb", "describe_limits", {"TableMaxWriteCapacityUnits": 40_000})
    report = examine(parts_of(config, "store"), AwsAccess(), SystemClock())
    assert levels(report, "store") == [MISSING, OK, OK, ADVICE, OK, ADVICE]
    (lacks,) = report.missing
    assert "dynamodb:PutItem" in lacks.says
    policy = report.policy()
    assert policy is not None
    assert policy["Statement"] == [
        {
            "Sid": "Store",
            "Effect": "Allow",
            "Action": ["dynamodb:PutItem"],
            "Resource": [f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/wb-store"],
        }
    ]
    assert levels(report, "limits") == [ADVICE, OK]


@pytest.mark.parametrize(
    ("decision", "word"),
    [
        ({"EvalDecision": "explicitDeny"}, "Effect Deny"),
        ({"EvalDecision": "implicitDeny", "OrganizationsDecisionDetail": {"AllowedByOrganizations": False}}, "organ"),
    ],
)
def test_who_forbids_it_is_said(config: Path, account: Answers, decision: dict[str, Any], word: str) -> None:
    called(account)
    account.give(
        "iam", "simulate_principal_policy", {"EvaluationResults": [{"EvalActionName": "sns:Publish", **decision}]}
    )
    account.give("sns", "get_topic_attributes", {"Attributes": {"SubscriptionsPending": "1"}})
    account.refuse("lambda", "get_account_settings", "AccessDeniedException", 403)
    report = examine(parts_of(config, "sink duty"), AwsAccess(), SystemClock())
    assert word in report.missing[0].fix
    assert levels(report, "sink duty") == [MISSING, OK, ADVICE]
    assert levels(report, "limits") == [UNKNOWN]


def test_a_role_is_simulated_as_the_role_and_with_its_path(config: Path, account: Answers) -> None:
    called(account, f"arn:aws:sts::{ACCOUNT}:assumed-role/runner/i-17")
    role = f"arn:aws:iam::{ACCOUNT}:role/teams/runner"
    made = {"Path": "/teams/", "RoleName": "runner", "RoleId": "A" * 16, "Arn": role, "CreateDate": 0}
    account.give("iam", "get_role", {"Role": made}, {"RoleName": "runner"})
    asked = {"PolicySourceArn": role, "ActionNames": ["cloudwatch:PutMetricData"], "MaxItems": ANY,
             "ContextEntries": ANY}  # fmt: skip
    allowed = [{"EvalActionName": "cloudwatch:PutMetricData", "EvalDecision": "allowed"}]
    account.give("iam", "simulate_principal_policy", {"EvaluationResults": allowed}, asked)
    account.refuse("lambda", "get_account_settings", "AccessDeniedException", 403)
    report = examine(parts_of(config, "sink bands"), AwsAccess(), SystemClock())
    assert not report.missing
    assert levels(report, "sink bands") == [OK]


def test_a_clock_that_is_wrong_stops_it(account: Answers) -> None:
    called(account, f"arn:aws:iam::{ACCOUNT}:root", date="Mon, 23 Nov 2026 02:00:00 GMT")
    account.refuse("lambda", "get_account_settings", "AccessDeniedException", 403)
    clock = VirtualClock(1_795_399_200 * SECOND + 400 * SECOND)
    report = examine([], AwsAccess(), clock)
    assert levels(report, "clock") == [MISSING]
    assert "400 s ahead" in next(one.says for one in report.findings if one.about == "clock")
    assert ADVICE in levels(report, "credentials")  # the root user's


def test_text_messages_of_a_sandbox_stop_it_without_telling_numbers(tmp_path: Path, account: Answers) -> None:
    path = tmp_path / "watchband.yaml"
    path.write_text(
        "watches: {all: {match: '*', detector: light}}\n"
        "sources: {push: {kind: push}}\n"
        "sinks: {texts: {kind: sns, phone_numbers: ['+353861234567', '+353867654321']}}\n"
    )
    called(account)
    account.refuse("iam", "simulate_principal_policy", "AccessDenied", 403)
    account.give("sns", "get_sms_sandbox_account_status", {"IsInSandbox": True})
    verified = [{"PhoneNumber": "+353861234567", "Status": "Verified"}]
    account.give("sns", "list_sms_sandbox_phone_numbers", {"PhoneNumbers": verified})
    account.give("sns", "get_sms_attributes", {"attributes": {"MonthlySpendLimit": "1"}})
    account.refuse("lambda", "get_account_settings", "AccessDeniedException", 403)
    report = examine(list(users(read_config(path))), AwsAccess(), SystemClock())
    assert levels(report, "sink texts") == [UNKNOWN, MISSING, ADVICE]
    assert "1 of the telephones" in report.missing[0].says
    assert "+353" not in json.dumps(report.document())


def test_an_address_of_objects_is_a_bucket_and_a_beginning() -> None:
    assert bucket_of("s3://b/k/{date}/x.csv") == ("b", "k/")
    assert bucket_of("s3://b") == ("b", "")
    assert bucket_of("file:///tmp/x") is None


@pytest.fixture(scope="module")
def moto() -> Iterator[Moto]:
    with Moto() as server:
        yield server


def enforce(moto: Moto, after: str) -> None:
    asked = urllib.request.Request(f"{moto.url}/moto-api/reset-auth", after.encode(), {"Content-Type": "text/plain"})
    urllib.request.urlopen(asked, timeout=30).close()


def test_a_user_who_may_little_is_told_what_is_missing(
    moto: Moto, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moto.client("dynamodb").create_table(
        TableName="wb-store",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )
    iam = moto.client("iam")
    iam.create_user(UserName="watchband")
    may = {"Effect": "Allow", "Action": ["dynamodb:DescribeTable", "s3:*"], "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [may]})
    iam.put_user_policy(UserName="watchband", PolicyName="little", PolicyDocument=policy)
    key = iam.create_access_key(UserName="watchband")["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    enforce(moto, "0")
    try:
        said = run("aws", "doctor", config, "--endpoint-url", moto.url, "--json")
    finally:
        enforce(moto, "inf")
    assert said.exit_code == 1, said.stderr
    document = json.loads(said.stdout)
    assert document["who"][0]["arn"] == USER
    assert document["who"][0]["credentials"] == "env"
    told = [(one["about"], one["level"], one["says"]) for one in document["findings"]]
    assert any(one[:2] == ("store", MISSING) and "other keys: id (HASH)" in one[2] for one in told)
    # The topic: GetTopicAttributes is not among what it may.
    assert any(one[:2] == ("sink duty", UNKNOWN) and "cannot be looked at" in one[2] for one in told)
    for secret in (key["SecretAccessKey"], key["AccessKeyId"]):
        assert secret not in said.stdout + said.stderr


def test_people_read_what_stops_it_first(moto: Moto, config: Path) -> None:
    said = run("aws", "doctor", config, "--endpoint-url", moto.url, width=100)
    assert said.exit_code == 1
    lines = [line for line in said.stdout.splitlines() if line.strip()]
    assert lines[1].lstrip().startswith("missing")
    assert lines[-1].endswith("missing.")
    assert KEYS["AWS_SECRET_ACCESS_KEY"] not in said.stdout
    assert KEYS["AWS_ACCESS_KEY_ID"] not in said.stdout


def test_without_credentials_it_says_so_and_ends(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    said = run("aws", "doctor", config, "--endpoint-url", "http://127.0.0.1:9", "--json")
    assert said.exit_code == 1, said.stdout
    (one,) = json.loads(said.stdout)["findings"]
    assert one["about"] == "credentials"
    assert "no AWS credentials" in one["says"]


FOLDERS: dict[str, tuple[str, str, set[str]]] = {
    "stores/dynamodb": ("dynamodb", "store", {"dynamodb:ConditionCheckItem", "dynamodb:DeleteItem"}),
    "sources/kinesis/lease_table.py": ("dynamodb", "leases", set()),
    "sources/kinesis/client.py": ("kinesis", "stream", set()),
    "stores/dynamodb/objects.py": ("s3", "snapshots", set()),
    "objects/bucket.py": ("s3", "bucket", set()),
    "sources/s3/queue.py": ("sqs", "messages", set()),
    "sinks/aws/sns.py": ("sns", "alerts", set()),
    "sinks/aws/sqs.py": ("sqs", "letters", set()),
    "sinks/aws/eventbridge.py": ("events", "events", set()),
    "sources/cloudwatch/client.py": ("cloudwatch", "metrics", set()),
    "sinks/cloudwatch.py": ("cloudwatch", "bands", set()),
}
"""Code that calls AWS: service, what its actions are declared as, and actions that are no call of their own."""
_IAM = {
    "s3:ListObjectsV2": "s3:ListBucket",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
}
DECLARED = {
    "store": {*needs.DYNAMODB, *needs.MAKES},
    "leases": {*needs.LEASES, *needs.MAKES},
    "stream": set(needs.KINESIS),
    "snapshots": set(needs.OBJECTS),
    "bucket": {*needs.OBJECTS, "s3:ListBucket"},
    "messages": set(needs.MESSAGES),
    "alerts": {"sns:CheckIfPhoneNumberIsOptedOut", "sns:GetTopicAttributes", "sns:Publish"},
    "letters": {"sqs:GetQueueAttributes", "sqs:SendMessage"},
    "events": {"events:DescribeEventBus", "events:PutEvents"},
    "metrics": set(needs.METRICS),
    "bands": {"cloudwatch:PutMetricData"},
}


@pytest.mark.parametrize("path", FOLDERS)
def test_what_is_declared_is_what_the_code_calls(path: str) -> None:
    service, declared, besides = FOLDERS[path]
    root = Path(watchband.__file__).parent / "adapters" / path
    text = "\n".join(one.read_text() for one in ([root] if root.is_file() else sorted(root.glob("*.py"))))
    operations = {xform_name(name): name for name in _loader().load_service_model(service, "service-2")["operations"]}
    words = set(re.findall(r"""(?:["']|\.)([a-z_0-9]+)(?:["']|\()""", text)) & set(operations)
    # What a transaction does is allowed by the actions of its items; a list of S3 and a batch of SQS have other names.
    names = {operations[word] for word in words} - {"TransactWriteItems"}
    if declared == "store" and "DescribeTable" in names:
        names |= {"CreateTable"}
    actions = {_IAM.get(f"{service}:{name}", f"{service}:{name}") for name in names}
    assert actions | besides == DECLARED[declared], path
