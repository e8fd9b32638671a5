"""Asks Kinesis: shards, iterators, records; each call once, and in our words where it fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from watchband.adapters.aws.access import AwsAccess, AwsSession
from watchband.adapters.aws.failure import failure
from watchband.adapters.aws.pace import Pace
from watchband.adapters.sources.kinesis.shards import AT, BEGIN, Shard, shards_of
from watchband.core.clock import Clock
from watchband.core.errors import PermanentError, TransientError, WatchbandError

PAGES_MAX = 1_000
CALLS = 5.0
"""Of ListShards and GetShardIterator a second; AWS allows as many iterators a shard."""


class ExpiredError(TransientError):
    """An iterator is older than five minutes."""


class GoneError(PermanentError):
    """There is no such stream or shard."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its number, key, bytes, and when it came to the stream (ns)."""

    sequence: str
    key: str
    data: bytes
    arrived: int


@dataclass(frozen=True, slots=True)
class Page:
    """Records of a call; ``next`` is None behind the last of a closed shard; ``behind_ms`` the age of what is left."""

    records: Sequence[Record]
    next: str | None
    behind_ms: int


class Client:
    """One stream.

    Parameters
    ----------
    access : AwsAccess
        How it is reached.
    stream : str
        Name or ARN.
    name : str
        Of the source.
    clock : Clock
        Who waits.
    threads : int
        Calls at a time.
    """

    def __init__(self, access: AwsAccess, stream: str, name: str, clock: Clock, threads: int = 1) -> None:
        self._access, self._threads = access, threads
        self._stream = {"StreamARN": stream} if stream.startswith("arn:") else {"StreamName": stream}
        self._name = stream
        self._session: AwsSession | None = None
        # Who reads comes again by itself; only waits of half a minute are spent here.
        self._pace = Pace(clock, CALLS, 30.0, name)

    @property
    def session(self) -> AwsSession:
        """Connections, made when they are first needed."""
        if self._session is None:
            try:
                self._session = AwsSession(self._access, "The source 'kinesis'", self._threads)
            except WatchbandError:
                raise
            except Exception as error:
                raise failure(error, "boto3") from None
        return self._session

    def close(self) -> None:
        """Give up waiting."""
        self._pace.close()
        if self._session is not None:
            self._session.close()

    def shards(self) -> dict[str, Shard]:
        """Every shard that has records or will have.

        Raises
        ------
        GoneError
            There is no such stream.
        """
        listed: list[dict[str, Any]] = []
        given: dict[str, Any] = dict(self._stream)
        for _ in range(PAGES_MAX):
            page = self._pace.call(lambda: self._call("list_shards", "Shards", **given))  # noqa: B023 (called at once)
            listed += page["Shards"]
            if not page.get("NextToken"):
                return shards_of(listed)
            # A token stands for the stream too: both are refused.
            given = {"NextToken": page["NextToken"]}
        raise TransientError(f"ListShards does not end after {PAGES_MAX} pages.")

    def iterator(self, shard: str, place: str) -> str:
        """An iterator that begins behind ``place``."""
        if place == BEGIN:
            where: dict[str, Any] = {"ShardIteratorType": BEGIN}
        elif place.startswith(AT):
            where = {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": int(place.removeprefix(AT)) / 1000}
        else:
            where = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": place}
        given = {**self._stream, "ShardId": shard, **where}
        answer = self._pace.call(lambda: self._call("get_shard_iterator", "", **given))
        if not isinstance(answer.get("ShardIterator"), str):
            raise TransientError("GetShardIterator was answered by something that is not AWS.")
        return str(answer["ShardIterator"])

    def records(self, iterator: str, limit: int) -> Page:
        """What is behind an iterator.

        Raises
        ------
        ExpiredError
            Ask for another iterator.
        ThrottledError
            Too much was read of this shard; come later.
        """
        arn = {"StreamARN": self._name} if "StreamARN" in self._stream else {}
        answer = self._call("get_records", "Records", ShardIterator=iterator, Limit=limit, **arn)
        found = [_record(one) for one in answer["Records"]]
        return Page(found, answer.get("NextShardIterator") or None, int(answer.get("MillisBehindLatest") or 0))

    def _call(self, operation: str, holds: str, **given: Any) -> dict[str, Any]:
        what = "".join(part.capitalize() for part in operation.split("_"))
        session = self.session
        try:
            answer: dict[str, Any] = getattr(session.client("kinesis"), operation)(**given)
        except Exception as error:
            raise self._failed(error, what) from None
        if holds and not isinstance(answer.get(holds), list):
            raise TransientError(f"{what} was answered by something that is not AWS: there is no {holds} in it.")
        return answer

    def _failed(self, error: Exception, what: str) -> Exception:
        code = code_of(error)
        if code == "ExpiredIteratorException":
            return ExpiredError(f"{what}: the iterator has expired.")
        if code == "ResourceNotFoundException":
            return GoneError(f"{what}: {message_of(error)} Is the stream {self._name!r} in this region and account?")
        if code in ("KMSThrottlingException", "ResourceInUseException"):
            return TransientError(f"{what} was refused ({code}): {message_of(error)}")
        return error if isinstance(error, WatchbandError) else failure(error, what)


def code_of(error: Exception) -> str:
    """The code of an error of AWS; empty where it is none."""
    return str(_said(error).get("Code", ""))


def message_of(error: Exception) -> str:
    """What AWS said."""
    return str(_said(error).get("Message", ""))[:300]


def _said(error: Exception) -> Mapping[str, Any]:
    response = getattr(error, "response", None)
    found = response.get("Error", {}) if isinstance(response, dict) else {}
    return found if isinstance(found, dict) else {}


def _record(one: Mapping[str, Any]) -> Record:
    try:
        arrived = round(float(one.get("ApproximateArrivalTimestamp") or 0.0) * 1000) * 1_000_000
        return Record(str(one["SequenceNumber"]), str(one.get("PartitionKey", "")), bytes(one["Data"]), arrived)
    except (KeyError, TypeError, ValueError):
        raise TransientError("GetRecords was answered by something that is not AWS.") from None
