"""Snapshots as objects of S3. Each has a name of its own, is written once, and is removed when nothing names it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from watchband.adapters.aws.access import AwsAccess, AwsSession
from watchband.adapters.aws.failure import failure
from watchband.adapters.aws.pace import Pace
from watchband.core.clock import Clock
from watchband.core.errors import PermanentError

PER_SECOND = 50.0
BYTES_MAX = 1 << 30
"""A snapshot that is larger is none of ours."""


class S3Objects:
    """A bucket, below a prefix.

    Parameters
    ----------
    access : AwsAccess
        How the account is reached.
    bucket, prefix : str
        Where.
    least : int
        Snapshots of fewer bytes stay in the table.
    clock : Clock
        Who waits between the repeats of a call.
    """

    def __init__(self, access: AwsAccess, bucket: str, prefix: str, least: int, clock: Clock) -> None:
        self.bucket, self.prefix, self.least = bucket, prefix, least
        self._session = AwsSession(access, "The bucket of the store 'dynamodb'")
        self._pace = Pace(clock, PER_SECOND, seed=bucket)

    def _call(self, what: str, work: Callable[[Any], Any]) -> Any:
        def ask() -> Any:
            try:
                return work(self._session.client("s3"))
            except Exception as error:
                raise failure(error, f"{what} in s3://{self.bucket}/{self.prefix}") from None

        return self._pace.call(ask)

    def put(self, name: str, data: bytes) -> None:
        """Write an object; it is there when this returns."""
        key = self.prefix + name
        self._call("PutObject", lambda s3: s3.put_object(Bucket=self.bucket, Key=key, Body=data))

    def get(self, name: str) -> bytes:
        """Read one.

        Raises
        ------
        PermanentError
            It is not there, or too large to be a snapshot.
        """
        found = self._call("GetObject", lambda s3: self._body(s3, name))
        assert isinstance(found, bytes)
        return found

    def _body(self, s3: Any, name: str) -> bytes:
        answer = s3.get_object(Bucket=self.bucket, Key=self.prefix + name)
        if answer["ContentLength"] > BYTES_MAX:
            raise PermanentError(f"s3://{self.bucket}/{self.prefix}{name} has more than {BYTES_MAX:,} bytes.")
        return bytes(answer["Body"].read())

    def remove(self, name: str) -> None:
        """Remove one; one that is not there is removed already."""
        self._call("DeleteObject", lambda s3: s3.delete_object(Bucket=self.bucket, Key=self.prefix + name))
