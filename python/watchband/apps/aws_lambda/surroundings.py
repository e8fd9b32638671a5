"""What a function is told by its environment, and the configuration that it reads at its first call."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchband.adapters.aws.access import AwsAccess
from watchband.core.errors import ConfigError

if TYPE_CHECKING:
    from watchband.adapters.stores.dynamodb.settings import DynamoSettings
    from watchband.apps.config.config import Config
    from watchband.core.clock import Clock

PARTS_MAX = 256
DETECTOR = "light"
"""Of watches that name none: a service has ``auto``, whose state is too large to be written for every reading."""
TOPIC = "topic"
"""The sink that ``WATCHBAND_TOPIC`` makes."""


@dataclass(frozen=True)
class Surroundings:
    """Variables of the environment, each named ``WATCHBAND_`` and the field.

    Parameters
    ----------
    config : str
        The configuration: a file, or ``s3://BUCKET/KEY``.
    table, bucket : str
        Of the DynamoDB store; otherwise what the configuration says.
    topic : str
        ARN of a topic of SNS that is told besides the sinks of the configuration.
    dead_letters : str
        Address of a queue of SQS for records that cannot be read.
    parts : int
        Into how many parts entities are shared out, each with a log and a lead of its own.
    silence : str
        How long after its last news a source that is pushed to counts as silent, for ``poll``; empty: never.
    """

    config: str = "watchband.yaml"
    table: str = ""
    bucket: str = ""
    topic: str = ""
    dead_letters: str = ""
    parts: int = 1
    silence: str = ""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Surroundings:
        """As an environment has them.

        Raises
        ------
        ConfigError
            ``WATCHBAND_PARTS`` is no number of parts.
        """
        given = {f.name: environment.get(f"WATCHBAND_{f.name.upper()}", "") for f in dataclasses.fields(cls)}
        found: dict[str, Any] = {name: text for name, text in given.items() if text}
        if (text := given["parts"]) != "":
            if not text.isdigit() or not 1 <= int(text) <= PARTS_MAX or int(text) & (int(text) - 1):
                raise ConfigError(f"WATCHBAND_PARTS is 1, 2, 4 … or {PARTS_MAX}. Got {text!r}.")
            found["parts"] = int(text)
        return cls(**found)


def read(where: str, clock: Clock, environment: Mapping[str, str] | None = None) -> Config:
    """The configuration of a file beside the code, anywhere else, or in a bucket.

    Raises
    ------
    ConfigError
        It is not there, or has mistakes.
    TransientError
        The bucket cannot be reached.
    """
    from watchband.apps.config.config import read_config, read_text

    if not where.startswith("s3://"):
        # Lambda starts in the folder of the code.
        path = Path(os.environ.get("LAMBDA_TASK_ROOT", "."), where)
        return read_config(path, environment, base=str(path.parent))
    from watchband.adapters.objects.bucket import Bucket

    bucket, _, key = where.removeprefix("s3://").partition("/")
    place = Bucket(bucket, AwsAccess(), clock, "WATCHBAND_CONFIG")
    try:
        entry = place.find(key)
        if entry is None:
            raise ConfigError(f"WATCHBAND_CONFIG: there is no {where}.")
        with place.open(entry) as file:
            text = file.read().decode()
    except UnicodeDecodeError:
        raise ConfigError(f"WATCHBAND_CONFIG: {where} is no text.") from None
    finally:
        place.close()
    return read_text(text, where, environment, base=os.environ.get("LAMBDA_TASK_ROOT", "."))


def store_of(config: Config, told: Surroundings) -> DynamoSettings:
    """The store that the functions write.

    Raises
    ------
    ConfigError
        None is named that functions can write.
    """
    from watchband.adapters.stores.dynamodb.settings import DynamoSettings

    given = config.store
    if not isinstance(given, DynamoSettings):
        if not told.table:
            raise ConfigError(
                "Functions keep their state in DynamoDB: name the table in WATCHBAND_TABLE, or write "
                "'store: dynamodb://REGION/TABLE'."
            )
        given = DynamoSettings()
    changes: dict[str, Any] = {"create": False}
    if told.table:
        changes["table"] = told.table
    if told.bucket:
        changes["bucket"] = told.bucket
    return replace(given, **changes)


def fitted(config: Config, told: Surroundings) -> Config:
    """The configuration as functions have it: the detector of watches that name none, the topic as a sink.

    Raises
    ------
    ConfigError
        Something in it takes all series together, and they are shared out into parts.
    """
    watches = {}
    for name, watch in config.watches.items():
        named = any(("watches", name, key) in config.given for key in ("detector", "model"))
        # Watches that the configuration makes itself, such as that of risk, have a detector of their own.
        usual = watch.detector == type(watch)().detector
        watches[name] = replace(watch, detector=DETECTOR) if usual and not named else watch
    sinks: dict[str, Any] = dict(config.sinks)
    if told.topic:
        from watchband.adapters.sinks.aws.sns import SnsSettings

        sinks.setdefault(TOPIC, SnsSettings(topic_arn=told.topic))
    if told.parts > 1 and (config.expressions or config.risk.model is not None):
        raise ConfigError(
            "Expressions and risk read several entities together, and WATCHBAND_PARTS shares entities out. Set it to 1."
        )
    return replace(config, watches=watches, sinks=sinks)
