"""A bucket of Amazon S3, or of what speaks like it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, TypeVar, cast

from watchband.adapters.aws.access import AwsAccess, AwsSession
from watchband.adapters.aws.failure import DeniedError, failure
from watchband.adapters.aws.pace import Pace
from watchband.adapters.objects.place import ChangedError, Entry, GoneError
from watchband.adapters.objects.ranges import Blocks, RangedFile
from watchband.core.clock import Clock
from watchband.core.duration import SECOND
from watchband.core.errors import AdapterError, PermanentError, TransientError

T = TypeVar("T")
CALLS_PER_SECOND = 500.0
PAGE = 1000
"""Objects in one answer of a listing; more S3 does not give."""
_NEEDS = {"ListObjectsV2": "s3:ListBucket", "GetObject": "s3:GetObject", "PutObject": "s3:PutObject"}


class Bucket:
    """A bucket, by the credentials of boto3's chain; a ``Place``.

    Parameters
    ----------
    bucket : str
        Its name.
    access : AwsAccess
        How it is reached.
    clock : Clock
        Waits between repeats.
    what : str
        Who asks, for messages.

    Raises
    ------
    MissingExtraError
        boto3 is not installed.
    """

    def __init__(self, bucket: str, access: AwsAccess, clock: Clock, what: str = "An address of s3://") -> None:
        self.bucket, self.name = bucket, f"s3://{bucket}"
        self._access = access
        self._session = AwsSession(access, what)
        self._pace = Pace(clock, CALLS_PER_SECOND, seed=bucket)
        self._blocks = Blocks()

    def entries(self, prefix: str, after: str = "") -> Iterator[Entry]:
        """Objects whose keys begin so, a thousand a call; see ``Place``."""
        asked: dict[str, Any] = {"Prefix": prefix, "MaxKeys": PAGE}
        if after:
            asked["StartAfter"] = after
        while True:
            answer = self._page(asked)
            for one in answer.get("Contents", ()):
                yield Entry(one["Key"], int(one["Size"]), one["ETag"].strip('"'), _ns(one["LastModified"]))
            if not answer.get("IsTruncated"):
                return
            asked = {"Prefix": prefix, "MaxKeys": PAGE, "ContinuationToken": answer["NextContinuationToken"]}

    def _page(self, asked: dict[str, Any]) -> dict[str, Any]:
        return self._call("ListObjectsV2", lambda s3: s3.list_objects_v2(Bucket=self.bucket, **asked))

    def find(self, key: str) -> Entry | None:
        """One object, by a listing that begins with it."""
        first = next(self.entries(key), None)
        return first if first is not None and first.key == key else None

    def open(self, entry: Entry) -> BinaryIO:
        """An object as a file: ranges of it are fetched, all of the same version."""
        fetch = lambda start, end: self._part(entry, start, end)  # noqa: E731
        return cast(BinaryIO, RangedFile(entry.size, fetch, self._blocks, (entry.key, entry.etag)))

    def _part(self, entry: Entry, start: int, end: int) -> bytes:
        asked: dict[str, Any] = {"Bucket": self.bucket, "Key": entry.key, "Range": f"bytes={start}-{end - 1}"}
        if entry.etag:
            asked["IfMatch"] = f'"{entry.etag}"'

        def get(s3: Any) -> bytes:
            body = s3.get_object(**asked)["Body"].read()
            if len(body) != end - start:
                raise TransientError(f"GetObject gave {len(body):,} bytes of {end - start:,} of {entry.key!r}.")
            return cast(bytes, body)

        return self._call("GetObject", get, entry.key)

    def put(self, key: str, body: bytes, *, instead_of: str | None = None) -> str:
        """Write an object whole; on a condition where one is given. See ``Place``."""
        given: dict[str, Any] = {"Bucket": self.bucket, "Key": key, "Body": body}
        if instead_of is not None:
            given |= {"IfNoneMatch": "*"} if not instead_of else {"IfMatch": f'"{instead_of}"'}
        answer = self._call("PutObject", lambda s3: s3.put_object(**given), key)
        return str(answer["ETag"]).strip('"')

    def remove(self, key: str) -> None:
        """Remove an object."""
        self._call("DeleteObject", lambda s3: s3.delete_object(Bucket=self.bucket, Key=key), key)

    def close(self) -> None:
        """Let go of connections, and end waits."""
        self._pace.close()
        self._session.close()

    def _call(self, operation: str, work: Callable[[Any], T], key: str = "") -> T:
        def once() -> T:
            try:
                return work(self._session.client("s3"))
            except AdapterError:
                raise
            except Exception as error:
                raise self._failure(error, operation, key) from None

        return self._pace.call(once)

    def _failure(self, error: Exception, operation: str, key: str) -> AdapterError:
        """What S3 says, with what a person can do about it."""
        response = getattr(error, "response", None) or {}
        code = str(response.get("Error", {}).get("Code", ""))
        headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        at = f" at {self._access.endpoint_url}" if self._access.endpoint_url else ""
        where = f"{self.name}/{key}" if key else self.name
        if code == "NoSuchBucket":
            return PermanentError(f"There is no bucket {self.bucket!r}{at}. Is its name right, and the account?")
        if code == "NoSuchKey":
            return GoneError(f"There is no object {where}.")
        if code in ("PreconditionFailed", "ConditionalRequestConflict"):
            return ChangedError(f"{where} was written by somebody else meanwhile.")
        if code == "InvalidRange":
            return ChangedError(f"{where} is shorter than it was listed: it was written anew meanwhile.")
        if code == "InvalidObjectState":
            return PermanentError(f"{where} lies in an archive class of S3. Restore it there first (RestoreObject).")
        if code in ("PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"):
            region = headers.get("x-amz-bucket-region") or response.get("Error", {}).get("Region") or "another one"
            return PermanentError(
                f"The bucket {self.bucket!r} is not in the region {self._session.region}, but in {region}. Say so: "
                f"?region={region} behind the address, or 'region' in the configuration."
            )
        told = failure(error, operation)
        if isinstance(told, DeniedError):
            needed = _NEEDS.get(operation, f"s3:{operation}")
            return DeniedError(f"{told} {where} needs {needed}, and kms:Decrypt where it is encrypted by a key.")
        return told


def _ns(moment: Any) -> int:
    # The session reads moments as numbers, where they are numbers.
    return round((moment if isinstance(moment, float) else moment.timestamp()) * SECOND)
