"""The SAM template with its parameters filled in: translated as AWS does it, conditions and functions carried out."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

DEPLOY = Path(__file__).resolve().parents[3] / "deploy" / "aws"
ACCOUNT, REGION, PARTITION = "111122223333", "eu-west-1", "aws"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
PARAMETERS: dict[str, dict[str, Any]] = {
    "as it comes": {"CodeBucket": "code"},
    "all of it": {
        "CodeBucket": "code",
        "Name": "wb-2",
        "WithStream": "true",
        "StreamShards": 4,
        "PollEvery": "rate(1 minute)",
        "TrainWhen": "cron(15 2 * * ? *)",
        "AlertPhone": "+353861234567",
        "AlertEmail": "duty@example.org",
        "OperatorEmail": "ops@example.org",
        "KmsKeyArn": KEY,
        "Tracing": "Active",
        "Architecture": "arm64",
        "Memory": 512,
    },
    "the least": {"CodeBucket": "code", "WithReadings": "false", "WithObjects": "false", "ExportWhen": "off"},
}
"""What both are compared with."""
_NOTHING = object()
NAMES = {
    "AWS::DynamoDB::Table": ("table", "TableName"),
    "AWS::S3::Bucket": ("bucket", "BucketName"),
    "AWS::Kinesis::Stream": ("stream", "Name"),
    "AWS::SQS::Queue": ("queue", "QueueName"),
    "AWS::SNS::Topic": ("topic", "TopicName"),
    "AWS::Lambda::Function": ("function", "FunctionName"),
    "AWS::Logs::LogGroup": ("logs", "LogGroupName"),
}
"""What has a name that others know: kind, and the property that holds it."""


@functools.cache
def template() -> dict[str, Any]:
    """The template as it is written, with short forms of functions made long."""
    from samtranslator.yaml_helper import yaml_parse

    found: dict[str, Any] = yaml_parse((DEPLOY / "template.yaml").read_text())
    return found


@functools.cache
def translated() -> dict[str, Any]:
    """What CloudFormation is given after SAM's part."""
    import boto3
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator

    session = boto3.session.Session(region_name=REGION)
    # Managed policies would be asked for: the template uses none.
    found: dict[str, Any] = Translator({}, Parser(), boto_session=session).translate(template(), {"CodeBucket": "code"})
    return found


class Evaluated:
    """The resources that there are for some parameters.

    Parameters
    ----------
    given : dict
        Parameters; the others have their defaults.

    Attributes
    ----------
    resources : dict of str to (str, dict)
        Type and properties by logical name.
    """

    def __init__(self, given: dict[str, Any]) -> None:
        document = translated()
        self._parameters = {
            name: given.get(name, about.get("Default")) for name, about in document["Parameters"].items()
        }
        assert set(given) <= set(self._parameters)
        self._conditions = document["Conditions"]
        self._raw = {
            name: one
            for name, one in document["Resources"].items()
            if "Condition" not in one or self._holds(one["Condition"])
        }
        self.resources = {name: (one["Type"], self(one.get("Properties", {}))) for name, one in self._raw.items()}

    def _holds(self, name: str) -> bool:
        return bool(self(self._conditions[name]))

    def __call__(self, node: Any) -> Any:
        """A part of the template with its functions carried out."""
        if isinstance(node, list):
            return [found for one in node if (found := self(one)) is not _NOTHING]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            (key, value), *_ = node.items()
            if key == "Ref":
                return self._ref(value)
            if key == "Condition" and isinstance(value, str):
                return self._holds(value)
            if key.startswith("Fn::"):
                return getattr(self, "_" + key[4:].lower())(value)
        return {key: found for key, one in node.items() if (found := self(one)) is not _NOTHING}

    def _ref(self, name: str) -> Any:
        if name in self._parameters:
            return self._parameters[name]
        pseudo = {"AccountId": ACCOUNT, "Region": REGION, "Partition": PARTITION, "NoValue": _NOTHING}
        if name.startswith("AWS::"):
            return pseudo[name[5:]]
        kind, own = self.known(name)
        return {"queue": f"url({kind} {own})", "topic": f"arn({kind} {own})"}.get(kind, own)

    def known(self, name: str) -> tuple[str, str]:
        """Kind and own name of a resource."""
        one = self._raw[name]
        if one["Type"] == "AWS::IAM::Role":
            return "role", name.removesuffix("Role").lower()
        kind, key = NAMES[one["Type"]]
        return kind, str(self(one["Properties"][key]))

    def _getatt(self, value: Any) -> str:
        name, attribute = value.split(".") if isinstance(value, str) else value
        kind, own = self.known(name)
        if attribute == "QueueName":
            return own
        of_all = ":*" if kind == "logs" else ""
        return f"{ {'Arn': 'arn', 'StreamArn': 'stream_arn'}[attribute] }({kind} {own}){of_all}"

    def _sub(self, value: str) -> str:
        def one(match: re.Match[str]) -> str:
            return str(self._getatt(match[1]) if "." in match[1] else self._ref(match[1]))

        return re.sub(r"\$\{([\w.:]+)\}", one, value)

    def _if(self, value: Any) -> Any:
        return self(value[1] if self._holds(value[0]) else value[2])

    def _equals(self, value: Any) -> bool:
        first, second = map(self, value)
        return bool(first == second)

    def _not(self, value: Any) -> bool:
        return not self(value[0])

    def _or(self, value: Any) -> bool:
        return any(map(self, value))
