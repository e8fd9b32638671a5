"""What the Terraform module makes, in the words of ``from_template``."""

from __future__ import annotations

import json
from typing import Any

from tests.deploy.aws.from_template import Things
from tests.deploy.aws.module import Module


def things(given: dict[str, Any]) -> Things:
    """Everything that there is with some parameters: facts by kind and name."""
    found: Things = {}
    for kind, label, about in Module(given).resources:
        for key, facts in _MADE[kind](about, label):
            found.setdefault(key, {}).update(facts)
    return found


def statements(many: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Statements of a policy document as those of a template are read."""
    return [
        {
            "sid": one.get("sid", ""),
            "effect": one.get("effect", "Allow"),
            "actions": sorted(one["actions"]),
            "resources": sorted(one.get("resources", [])),
            "who": "".join(name for who in one.get("principals", []) for name in who["identifiers"]),
            "if": sorted((test["test"], test["variable"], test["values"]) for test in one.get("condition", [])),
        }
        for one in many
    ]


def _first(about: dict[str, Any], name: str) -> dict[str, Any]:
    """The one block of a name, or an empty one."""
    found = about.get(name, [])
    assert len(found) <= 1, name
    return dict(found[0]) if found else {}


def _table(about: dict[str, Any], _: str) -> Any:
    keys = [(about["hash_key"], "HASH")] + ([(about["range_key"], "RANGE")] if "range_key" in about else [])
    ttl = _first(about, "ttl")
    facts = {
        "keys": keys,
        "attributes": sorted((one["name"], one["type"]) for one in about["attribute"]),
        "billing": about["billing_mode"],
        "recovery": _first(about, "point_in_time_recovery")["enabled"],
        "stream": about["stream_view_type"] if about.get("stream_enabled") else None,
        "ttl": ttl["attribute_name"] if ttl.get("enabled") else None,
        "key": _first(about, "server_side_encryption").get("kms_key_arn"),
        "protected": about.get("deletion_protection_enabled", False),
    }
    yield ("table", about["name"]), facts


def _encryption(about: dict[str, Any], _: str) -> Any:
    rule = _first(about, "rule")
    by = _first(rule, "apply_server_side_encryption_by_default")
    yield (
        ("bucket", about["bucket"]),
        {"encryption": (by["sse_algorithm"], by["kms_master_key_id"], rule["bucket_key_enabled"])},
    )


def _closed(about: dict[str, Any], _: str) -> Any:
    names = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
    yield ("bucket", about["bucket"]), {"closed": [about[name] for name in names]}


def _lifecycle(about: dict[str, Any], _: str) -> Any:
    rules = {
        one["id"]: {
            "status": one["status"],
            "prefix": _first(one, "filter").get("prefix"),
            "moves": [(move["storage_class"], move["days"]) for move in one.get("transition", [])],
            "abort": _first(one, "abort_incomplete_multipart_upload").get("days_after_initiation"),
            "old": _first(one, "noncurrent_version_expiration").get("noncurrent_days"),
            "markers": _first(one, "expiration").get("expired_object_delete_marker"),
        }
        for one in about["rule"]
    }
    yield ("bucket", about["bucket"]), {"rules": rules}


def _told(about: dict[str, Any], _: str) -> Any:
    told = [(event, one["queue_arn"]) for one in about["queue"] for event in one["events"]]
    yield ("bucket", about["bucket"]), {"tells": told}


def _queue(about: dict[str, Any], _: str) -> Any:
    facts = {
        "hidden": about["visibility_timeout_seconds"],
        "kept": about["message_retention_seconds"],
        "encryption": (about["sqs_managed_sse_enabled"], about["kms_master_key_id"]),
        "back": None,
    }
    yield ("queue", about["name"]), facts


def _back(about: dict[str, Any], _: str) -> Any:
    policy = about["redrive_policy"]
    facts = {"back": (policy["deadLetterTargetArn"], policy["maxReceiveCount"])}
    yield ("queue", about["queue_url"][len("url(queue ") : -1]), facts


def _function(about: dict[str, Any], _: str) -> Any:
    facts = {
        "handler": about["handler"],
        "runtime": about["runtime"],
        "processor": about["architectures"],
        "code": (about["s3_bucket"], about["s3_key"]),
        "memory": about["memory_size"],
        "timeout": about["timeout"],
        "role": about["role"],
        "environment": _first(about, "environment")["variables"],
        "logs": _first(about, "logging_config")["log_group"],
        "traces": _first(about, "tracing_config")["mode"],
        "key": about["kms_key_arn"],
        "is": about["description"],
    }
    yield ("function", about["function_name"]), facts


def _mapping(about: dict[str, Any], _: str) -> Any:
    at_once = _first(about, "scaling_config").get("maximum_concurrency")
    facts = {
        "from": about["event_source_arn"],
        "start": about.get("starting_position"),
        "batch": (about["batch_size"], about.get("maximum_batching_window_in_seconds")),
        "at once": (about.get("parallelization_factor"), at_once),
        "halves": about.get("bisect_batch_on_function_error"),
        "again": (about.get("maximum_retry_attempts"), about.get("maximum_record_age_in_seconds")),
        "answers": about["function_response_types"],
        "failed": _first(_first(about, "destination_config"), "on_failure").get("destination_arn"),
        "filters": [json.loads(one["pattern"]) for one in _first(about, "filter_criteria").get("filter", [])],
    }
    # By ARN here, by name in the template; the function is the same.
    yield ("mapping", about["function_name"].removeprefix("arn(function ").removesuffix(")")), facts


def _started(about: dict[str, Any], _: str) -> Any:
    facts = {
        "age": about["maximum_event_age_in_seconds"],
        "again": about["maximum_retry_attempts"],
        "failed": _first(_first(about, "destination_config"), "on_failure")["destination"],
    }
    yield ("started", about["function_name"]), facts


def _schedule(about: dict[str, Any], _: str) -> Any:
    target = _first(about, "target")
    again = _first(target, "retry_policy")
    facts = {
        "when": about["schedule_expression"],
        "window": _first(about, "flexible_time_window")["mode"],
        "calls": (target["arn"], target["role_arn"], json.loads(target["input"])),
        "again": (again["maximum_event_age_in_seconds"], again["maximum_retry_attempts"]),
        "failed": _first(target, "dead_letter_config")["arn"],
    }
    yield ("schedule", about["name"]), facts


def _alarm(about: dict[str, Any], _: str) -> Any:
    facts = {
        "says": about["alarm_description"],
        "metric": _metric(about, "statistic") if "metric_name" in about else None,
        "metrics": {one["id"]: _query(one) for one in about.get("metric_query", [])},
        "limit": (about["comparison_operator"], about["threshold"], about["evaluation_periods"]),
        "missing": about["treat_missing_data"],
        "tells": (about["alarm_actions"], about["ok_actions"]),
    }
    yield ("alarm", about["alarm_name"]), facts


def _metric(about: dict[str, Any], statistic: str) -> tuple[Any, ...]:
    return about["namespace"], about["metric_name"], about["dimensions"], about[statistic], about["period"]


def _query(one: dict[str, Any]) -> tuple[Any, ...]:
    if "expression" in one:
        return one["expression"], one["label"], one["return_data"]
    return (*_metric(_first(one, "metric"), "stat"), one["return_data"])


def _stream(about: dict[str, Any], _: str) -> Any:
    facts = {
        "shards": about["shard_count"],
        "hours": about["retention_period"],
        "mode": _first(about, "stream_mode_details")["stream_mode"],
        "encryption": (about["encryption_type"], about["kms_key_id"]),
    }
    yield ("stream", about["name"]), facts


_MADE: dict[str, Any] = {
    "aws_dynamodb_table": _table,
    "aws_s3_bucket": lambda a, _: [(("bucket", a["bucket"]), {"versions": None, "tells": []})],
    "aws_s3_bucket_server_side_encryption_configuration": _encryption,
    "aws_s3_bucket_public_access_block": _closed,
    "aws_s3_bucket_ownership_controls": lambda a, _: [
        (("bucket", a["bucket"]), {"owner": _first(a, "rule")["object_ownership"]})
    ],
    "aws_s3_bucket_versioning": lambda a, _: [
        (("bucket", a["bucket"]), {"versions": _first(a, "versioning_configuration")["status"]})
    ],
    "aws_s3_bucket_lifecycle_configuration": _lifecycle,
    "aws_s3_bucket_policy": lambda a, _: [(("bucket", a["bucket"]), {"policy": statements(a["policy"])})],
    "aws_s3_bucket_notification": _told,
    "aws_kinesis_stream": _stream,
    "aws_sqs_queue": _queue,
    "aws_sqs_queue_redrive_policy": _back,
    "aws_sqs_queue_policy": lambda a, _: [
        (("queue", a["queue_url"][len("url(queue ") : -1]), {"policy": statements(a["policy"])})
    ],
    "aws_sns_topic": lambda a, _: [(("topic", a["name"]), {"key": a.get("kms_master_key_id")})],
    "aws_sns_topic_subscription": lambda a, _: [
        (("subscription", f"{a['topic_arn']} {a['protocol']} {a['endpoint']}"), {})
    ],
    "aws_cloudwatch_log_group": lambda a, _: [(("logs", a["name"]), {"days": a["retention_in_days"]})],
    "aws_lambda_function": _function,
    "aws_lambda_event_source_mapping": _mapping,
    "aws_lambda_function_event_invoke_config": _started,
    "aws_iam_role": lambda a, label: [(("role", label), {"trusts": statements(a["assume_role_policy"])})],
    "aws_iam_role_policy": lambda a, label: [(("role", a["role"]), {"may": statements(a["policy"])})],
    "aws_scheduler_schedule": _schedule,
    "aws_cloudwatch_metric_alarm": _alarm,
    "aws_cloudwatch_dashboard": lambda a, _: [
        (("dashboard", a["dashboard_name"]), {"body": json.loads(a["dashboard_body"])})
    ],
}
"""How each type is read; one that is not here fails."""
