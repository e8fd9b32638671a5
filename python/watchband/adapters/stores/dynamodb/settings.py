"""What a user writes of the store on AWS."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import ClassVar

from watchband.adapters.aws.access import AwsAccess, AwsSession
from watchband.adapters.stores.dynamodb.letters import DynamoLetters
from watchband.adapters.stores.dynamodb.objects import S3Objects
from watchband.adapters.stores.dynamodb.store import DynamoStore
from watchband.adapters.stores.tiers import Retention
from watchband.core import params
from watchband.core.clock import Clock
from watchband.core.duration import SECOND
from watchband.core.errors import InvalidParameterError
from watchband.core.kinds import Duration, Group, Size, Url
from watchband.core.params import Flag, Maybe, Text, param

TABLE = re.compile(r"[A-Za-z0-9_.-]{3,255}")
PART = re.compile(r"[A-Za-z0-9]{0,20}")
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


@dataclass(frozen=True, kw_only=True)
class DynamoSettings(AwsAccess):
    """A DynamoDB table for one process that writes and others that stand by."""

    kind: ClassVar[str] = "dynamodb"

    table: str = param("watchband", Text("a name of 3-255 letters, digits, _ - or ."), "The table.")
    part: str = param(
        "", Text("up to 20 letters and digits"), "Of several stores in one table, which; empty: the only one."
    )
    create: bool = param(True, Flag(), "Make the table at the first start if it is not there.")
    bucket: str | None = param(
        None, Maybe(Text("the name of a bucket")), "A bucket of S3 for large snapshots; none: all are in the table."
    )
    bucket_endpoint_url: str | None = param(None, Maybe(Url()), "Another address of S3 than AWS's.")
    prefix: str = param("watchband/snapshots/", Text("text"), "What the names of these objects begin with.")
    bucket_from: int = param(
        4 << 20, Size(1 << 20), "Snapshots of so many bytes (compressed) and more go to the bucket."
    )
    lease: int = param(
        15 * SECOND,
        Duration(SECOND, 3600 * SECOND),
        "A process that writes and is not heard of for this long is taken over from.",
    )
    patience: int = param(
        20 * SECOND,
        Duration(SECOND, 600 * SECOND),
        "A call that is throttled or not answered is repeated, with growing waits, for this long.",
    )
    retention: Retention = param(
        Retention(),
        Group(Retention),
        "How long what is kept. There are no files of an archive: `archive` says nothing.",
    )

    def __post_init__(self) -> None:
        params.check(self)
        self.check_access()
        for name, value, shape, words in (
            ("table", self.table, TABLE, "a name of 3-255 letters, digits, _, - and ."),
            ("part", self.part, PART, "up to 20 letters and digits"),
            ("bucket", self.bucket, BUCKET, "the name of a bucket: 3-63 small letters, digits, - and ."),
        ):
            if value is not None and not shape.fullmatch(value):
                raise InvalidParameterError(f"The {name!r} parameter of DynamoSettings must be {words}. Got {value!r}.")

    def letters(self) -> DynamoLetters:
        """Its outbox, for an operator."""
        return DynamoLetters(self.table, self, self.part)

    def open(self, *, clock: Clock, turns: bool = False, session: AwsSession | None = None) -> DynamoStore:
        """The store, ready to be led or to stand by; ``turns`` and ``session`` as ``Tables`` has them."""
        objects = None
        if self.bucket is not None:
            access = replace(self, endpoint_url=self.bucket_endpoint_url)
            prefix = self.prefix + (f"{self.part}/" if self.part else "")
            objects = S3Objects(access, self.bucket, prefix, self.bucket_from, clock)
        return DynamoStore(
            self.table,
            access=self,
            lease_s=self.lease / SECOND,
            budget_s=self.patience / SECOND,
            create=self.create,
            clock=clock,
            objects=objects,
            part=self.part,
            turns=turns,
            session=session,
        )
