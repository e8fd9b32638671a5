"""Kinds of sources, sinks and stores: a table, and entry points of outside packages; imported when asked for."""

from __future__ import annotations

import dataclasses
from typing import Any

from watchband.core.errors import ConfigError
from watchband.core.registry import Registry

SOURCES: Registry[object] = Registry(
    "kind of source",
    object,
    {
        "cloudwatch": "watchband.adapters.sources.cloudwatch.settings:CloudWatch",
        "dynamodb_stream": "watchband.adapters.sources.push.dynamodb_stream:DynamoStreamSettings",
        "files": "watchband.adapters.sources.tail.source:FilesSettings",
        "host": "watchband.adapters.sources.host:HostSettings",
        "kinesis": "watchband.adapters.sources.kinesis.settings:Kinesis",
        "metric_stream": "watchband.adapters.sources.push.metric_stream:MetricStreamSettings",
        "poll": "watchband.adapters.sources.poll:PollSettings",
        "prometheus": "watchband.adapters.sources.prometheus.settings:Prometheus",
        "push": "watchband.adapters.sources.push.settings:PushSettings",
        "remote_write": "watchband.adapters.sources.push.settings:RemoteWriteSettings",
        "s3": "watchband.adapters.sources.s3.settings:S3",
        "simulator": "watchband.apps.service.simulated:SimulatorSettings",
        "sse": "watchband.adapters.sources.sse.source:SseSettings",
    },
    "watchband.sources",
)
SINKS: Registry[object] = Registry(
    "kind of sink",
    object,
    {
        "alertmanager": "watchband.adapters.sinks.alertmanager:AlertmanagerSettings",
        "cloudwatch": "watchband.adapters.sinks.cloudwatch:CloudWatchSettings",
        "deadman": "watchband.adapters.sinks.deadman:DeadmanSettings",
        "email": "watchband.adapters.sinks.email.sink:EmailSettings",
        "eventbridge": "watchband.adapters.sinks.aws.eventbridge:EventBridgeSettings",
        "jsonl": "watchband.adapters.sinks.jsonl:JsonlSettings",
        "slack": "watchband.adapters.sinks.slack.sink:SlackSettings",
        "sns": "watchband.adapters.sinks.aws.sns:SnsSettings",
        "sqs": "watchband.adapters.sinks.aws.sqs:SqsSettings",
        "stdout": "watchband.adapters.sinks.stdout:StdoutSettings",
        "webhook": "watchband.adapters.sinks.webhook:WebhookSettings",
    },
    "watchband.sinks",
)
STORES: Registry[object] = Registry(
    "kind of store",
    object,
    {
        "dynamodb": "watchband.adapters.stores.dynamodb.settings:DynamoSettings",
        "memory": "watchband.adapters.stores.memory:MemorySettings",
        "postgres": "watchband.adapters.stores.postgres.settings:PostgresSettings",
        "sqlite": "watchband.adapters.stores.sqlite.settings:SqliteSettings",
    },
    "watchband.stores",
)


def settings_of(registry: Registry[object], kind: str) -> Any:
    """The class of settings of a kind: a dataclass of declared parameters.

    Raises
    ------
    UnknownNameError
        No such kind.
    ConfigError
        An outside package registered something else.
    """
    found = registry.get(kind)
    if not (isinstance(found, type) and dataclasses.is_dataclass(found)):
        raise ConfigError(f"The {registry.kind} {kind!r} is {found!r}, not a dataclass of settings.")
    return found
