"""What the template makes, in words that are neither CloudFormation's nor Terraform's."""

from __future__ import annotations

import json
from typing import Any

from tests.deploy.aws.evaluated import NAMES, Evaluated

Things = dict[tuple[str, str], dict[str, Any]]


def things(given: dict[str, Any]) -> Things:
    """Everything that there is with some parameters: facts by kind and name."""
    found: Things = {}
    template = Evaluated(given)
    for name, (kind, about) in template.resources.items():
        known = template.known(name)[1] if kind in NAMES or kind == "AWS::IAM::Role" else name
        made = _MADE[kind](about, known)
        for key, facts in made:
            found.setdefault(key, {}).update(facts)
    return found


def statements(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Statements of a policy with lists where there may be one."""
    return [
        {
            "sid": one.get("Sid", ""),
            "effect": one["Effect"],
            "actions": sorted(_many(one["Action"])),
            "resources": sorted(_many(one.get("Resource", []))),
            "who": _who(one.get("Principal")),
            "if": _conditions(one.get("Condition", {})),
        }
        for one in document["Statement"]
    ]


def _many(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _who(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else value["Service"]


def _conditions(value: dict[str, Any]) -> list[tuple[str, str, list[str]]]:
    return sorted((test, name, _many(wanted)) for test, of in value.items() for name, wanted in of.items())


def _table(about: dict[str, Any], name: str) -> Any:
    stream, ttl = about.get("StreamSpecification"), about.get("TimeToLiveSpecification")
    facts = {
        "keys": [(key["AttributeName"], key["KeyType"]) for key in about["KeySchema"]],
        "attributes": sorted((one["AttributeName"], one["AttributeType"]) for one in about["AttributeDefinitions"]),
        "billing": about["BillingMode"],
        "recovery": about["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"],
        "stream": stream["StreamViewType"] if stream else None,
        "ttl": ttl["AttributeName"] if ttl and ttl["Enabled"] else None,
        "key": about.get("SSESpecification", {}).get("KMSMasterKeyId"),
        "protected": about.get("DeletionProtectionEnabled", False),
    }
    yield ("table", name), facts


def _bucket(about: dict[str, Any], name: str) -> Any:
    rule = about["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]
    by = rule["ServerSideEncryptionByDefault"]
    told = about.get("NotificationConfiguration", {}).get("QueueConfigurations", [])
    facts = {
        "encryption": (by["SSEAlgorithm"], by.get("KMSMasterKeyID"), rule["BucketKeyEnabled"]),
        "closed": [value for _, value in sorted(about["PublicAccessBlockConfiguration"].items())],
        "owner": about["OwnershipControls"]["Rules"][0]["ObjectOwnership"],
        "versions": about.get("VersioningConfiguration", {}).get("Status"),
        "rules": {one["Id"]: _rule(one) for one in about["LifecycleConfiguration"]["Rules"]},
        "tells": [(one["Event"], one["Queue"]) for one in told],
    }
    yield ("bucket", name), facts


def _rule(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "status": one["Status"],
        "prefix": one.get("Prefix"),
        "moves": [(move["StorageClass"], move["TransitionInDays"]) for move in one.get("Transitions", [])],
        "abort": one.get("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation"),
        "old": one.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays"),
        "markers": one.get("ExpiredObjectDeleteMarker"),
    }


def _queue(about: dict[str, Any], name: str) -> Any:
    back = about.get("RedrivePolicy")
    facts = {
        "hidden": about["VisibilityTimeout"],
        "kept": about["MessageRetentionPeriod"],
        "encryption": (about.get("SqsManagedSseEnabled"), about.get("KmsMasterKeyId")),
        "back": (back["deadLetterTargetArn"], back["maxReceiveCount"]) if back else None,
    }
    yield ("queue", name), facts


def _function(about: dict[str, Any], name: str) -> Any:
    facts = {
        "handler": about["Handler"],
        "runtime": about["Runtime"],
        "processor": about["Architectures"],
        "code": (about["Code"]["S3Bucket"], about["Code"]["S3Key"]),
        "memory": about["MemorySize"],
        "timeout": about["Timeout"],
        "role": about["Role"],
        "environment": about["Environment"]["Variables"],
        "logs": about["LoggingConfig"]["LogGroup"],
        "traces": about["TracingConfig"]["Mode"],
        "key": about.get("KmsKeyArn"),
        "is": about["Description"],
    }
    yield ("function", name), facts


def _mapping(about: dict[str, Any], _: str) -> Any:
    failed = about.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    filters = [json.loads(one["Pattern"]) for one in about.get("FilterCriteria", {}).get("Filters", [])]
    facts = {
        "from": about["EventSourceArn"],
        "start": about.get("StartingPosition"),
        "batch": (about["BatchSize"], about.get("MaximumBatchingWindowInSeconds")),
        "at once": (about.get("ParallelizationFactor"), about.get("ScalingConfig", {}).get("MaximumConcurrency")),
        "halves": about.get("BisectBatchOnFunctionError"),
        "again": (about.get("MaximumRetryAttempts"), about.get("MaximumRecordAgeInSeconds")),
        "answers": about["FunctionResponseTypes"],
        "failed": failed,
        "filters": filters,
    }
    yield ("mapping", about["FunctionName"]), facts


def _started(about: dict[str, Any], _: str) -> Any:
    facts = {
        "age": about["MaximumEventAgeInSeconds"],
        "again": about["MaximumRetryAttempts"],
        "failed": about["DestinationConfig"]["OnFailure"]["Destination"],
    }
    yield ("started", about["FunctionName"]), facts


def _role(about: dict[str, Any], name: str) -> Any:
    (policy,) = about["Policies"]
    assert not about.get("ManagedPolicyArns")
    yield (
        ("role", name),
        {
            "may": statements(policy["PolicyDocument"]),
            "trusts": statements(about["AssumeRolePolicyDocument"]),
        },
    )


def _schedule(about: dict[str, Any], _: str) -> Any:
    target = about["Target"]
    facts = {
        "when": about["ScheduleExpression"],
        "window": about["FlexibleTimeWindow"]["Mode"],
        "calls": (target["Arn"], target["RoleArn"], json.loads(target["Input"])),
        "again": (target["RetryPolicy"]["MaximumEventAgeInSeconds"], target["RetryPolicy"]["MaximumRetryAttempts"]),
        "failed": target["DeadLetterConfig"]["Arn"],
    }
    yield ("schedule", about["Name"]), facts


def _alarm(about: dict[str, Any], _: str) -> Any:
    facts = {
        "says": about["AlarmDescription"],
        "metric": _metric(about) if "MetricName" in about else None,
        "metrics": {one["Id"]: _query(one) for one in about.get("Metrics", [])},
        "limit": (about["ComparisonOperator"], about["Threshold"], about["EvaluationPeriods"]),
        "missing": about["TreatMissingData"],
        "tells": (about["AlarmActions"], about["OKActions"]),
    }
    yield ("alarm", about["AlarmName"]), facts


def _metric(about: dict[str, Any]) -> tuple[Any, ...]:
    dimensions = {one["Name"]: one["Value"] for one in about["Dimensions"]}
    return about["Namespace"], about["MetricName"], dimensions, about["Statistic"], about["Period"]


def _query(one: dict[str, Any]) -> tuple[Any, ...]:
    if "Expression" in one:
        return one["Expression"], one["Label"], one["ReturnData"]
    stat = one["MetricStat"]
    return (*_metric(stat["Metric"] | {"Statistic": stat["Stat"], "Period": stat["Period"]}), one["ReturnData"])


def _stream(about: dict[str, Any], name: str) -> Any:
    facts = {
        "shards": about["ShardCount"],
        "hours": about["RetentionPeriodHours"],
        "mode": about["StreamModeDetails"]["StreamMode"],
        "encryption": (about["StreamEncryption"]["EncryptionType"], about["StreamEncryption"]["KeyId"]),
    }
    yield ("stream", name), facts


_MADE: dict[str, Any] = {
    "AWS::DynamoDB::Table": _table,
    "AWS::S3::Bucket": _bucket,
    "AWS::S3::BucketPolicy": lambda a, _: [(("bucket", a["Bucket"]), {"policy": statements(a["PolicyDocument"])})],
    "AWS::Kinesis::Stream": _stream,
    "AWS::SQS::Queue": _queue,
    "AWS::SQS::QueuePolicy": lambda a, _: [
        (("queue", queue[len("url(queue ") : -1]), {"policy": statements(a["PolicyDocument"])}) for queue in a["Queues"]
    ],
    "AWS::SNS::Topic": lambda a, name: [(("topic", name), {"key": a.get("KmsMasterKeyId")})],
    "AWS::SNS::Subscription": lambda a, _: [(("subscription", f"{a['TopicArn']} {a['Protocol']} {a['Endpoint']}"), {})],
    "AWS::Logs::LogGroup": lambda a, name: [(("logs", name), {"days": a["RetentionInDays"]})],
    "AWS::Lambda::Function": _function,
    "AWS::Lambda::EventSourceMapping": _mapping,
    "AWS::Lambda::EventInvokeConfig": _started,
    "AWS::IAM::Role": _role,
    "AWS::Scheduler::Schedule": _schedule,
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::CloudWatch::Dashboard": lambda a, _: [
        (("dashboard", a["DashboardName"]), {"body": json.loads(a["DashboardBody"])})
    ],
}
"""How each type is read; one that is not here fails."""
