"""Records to a Kinesis stream: full calls, and again only what failed of one."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from typing import Any

from watchband.adapters.aws.access import AwsAccess, AwsSession
from watchband.adapters.aws.failure import ThrottledError, failure
from watchband.core.clock import Clock
from watchband.core.errors import AdapterError, PermanentError, TransientError, WatchbandError

RECORDS_MAX, BYTES_MAX = 500, 5 << 20
"""Of one PutRecords, partition keys included."""
RECORD_BYTES_MAX = 1 << 20
TRIES_MAX = 12
FIRST_S, LONGEST_S = 0.1, 10.0
KEY_MAX = 256

Entry = tuple[str, bytes]
"""Partition key and bytes."""


class Producer:
    """Puts records.

    Of a call that is taken in part only what failed is sent again, before anything behind it: records of one key stay
    in order from call to call. Within a call Kinesis may take a later one of a key and refuse an earlier one: a call
    holds no key twice where ``ordered``.

    Parameters
    ----------
    access : AwsAccess
        How the account is reached.
    stream : str
        Name or ARN.
    clock : Clock
        Who waits.
    ordered : bool
        Keep the order of a key whatever fails, at the price of more calls.

    Attributes
    ----------
    sent, calls, again : int
        Records taken, calls made, and records that were sent once more.
    """

    def __init__(self, access: AwsAccess, stream: str, clock: Clock, *, ordered: bool = False) -> None:
        self._access, self._clock, self._ordered = access, clock, ordered
        self._stream = {"StreamARN": stream} if stream.startswith("arn:") else {"StreamName": stream}
        self._session: AwsSession | None = None
        self._random = random.Random(stream)
        self._closed = threading.Event()
        self.sent = self.calls = self.again = 0

    def close(self) -> None:
        """Let go of connections."""
        self._closed.set()
        if self._session is not None:
            self._session.close()

    def put(self, entries: Sequence[Entry]) -> None:
        """Send records in their order; all are taken when it returns.

        Raises
        ------
        TransientError
            Some were not taken after many tries.
        PermanentError
            A record is too large, its key is none, or the stream does not take records from this account.
        """
        for key, data in entries:
            if not 1 <= len(key) <= KEY_MAX or len(data) + len(key.encode()) > RECORD_BYTES_MAX:
                raise PermanentError(
                    f"A record has a key of 1 to {KEY_MAX} characters and at most {RECORD_BYTES_MAX:,} bytes. Got "
                    f"{len(data):,} bytes with the key {key[:60]!r}."
                )
        for call in calls_of(entries, ordered=self._ordered):
            self._all(call)

    def _all(self, left: list[Entry]) -> None:
        """One call, and again what failed of it."""
        why = ""
        for tries in range(TRIES_MAX):
            if tries:
                self.again += len(left)
                self._clock.sleep(self._random.uniform(0.5, 1.0) * min(FIRST_S * 2.0**tries, LONGEST_S))
            try:
                failed = self._once(left)
            except TransientError as error:
                # Nothing is known of it: all of it again. Consumers know a repeat by its time.
                why = str(error)
                if error.retry_after is not None and isinstance(error, ThrottledError):
                    self._clock.sleep(min(error.retry_after, LONGEST_S))
                continue
            self.sent += len(left) - len(failed)
            if not failed:
                return
            why = "; ".join(sorted({f"{code}: {text}" for _, code, text in failed}))[:300]
            left = [entry for entry, _, _ in failed]
        raise TransientError(f"{len(left)} records were not taken after {TRIES_MAX} tries: {why}")

    def _once(self, entries: list[Entry]) -> list[tuple[Entry, str, str]]:
        """One PutRecords; what failed of it, with code and words."""
        self.calls += 1
        try:
            client = self._opened().client("kinesis")
            records = [{"PartitionKey": key, "Data": data} for key, data in entries]
            answer: dict[str, Any] = client.put_records(Records=records, **self._stream)
        except Exception as error:
            raise _failed(error) from None
        said = answer.get("Records")
        if not isinstance(said, list) or len(said) != len(entries):
            raise TransientError("PutRecords was answered by something that is not AWS.")
        return [
            (entry, str(one["ErrorCode"]), str(one.get("ErrorMessage", "")))
            for entry, one in zip(entries, said, strict=True)
            if one.get("ErrorCode")
        ]

    def _opened(self) -> AwsSession:
        if self._session is None:
            self._session = AwsSession(self._access, "Sending to Kinesis")
        return self._session


def calls_of(entries: Sequence[Entry], *, ordered: bool = False) -> list[list[Entry]]:
    """Records in full calls: 500 records, 5 MiB.

    Examples
    --------
    >>> entries = [("a", b"1"), ("b", b"2"), ("a", b"3")]
    >>> [len(call) for call in calls_of(entries)], [len(call) for call in calls_of(entries, ordered=True)]
    ([3], [2, 1])
    """
    calls: list[list[Entry]] = []
    sizes: list[int] = []
    lasts: dict[str, int] = {}
    for key, data in entries:
        size = len(data) + len(key.encode())
        # Behind the call that holds this key already; what is behind the last is a new call.
        at = lasts.get(key, -1) + 1 if ordered else max(0, len(calls) - 1)
        while at < len(calls) and (len(calls[at]) >= RECORDS_MAX or sizes[at] + size > BYTES_MAX):
            at += 1
        if at == len(calls):
            calls.append([])
            sizes.append(0)
        calls[at].append((key, data))
        sizes[at] += size
        lasts[key] = at
    return calls


def _failed(error: Exception) -> AdapterError | WatchbandError:
    return error if isinstance(error, WatchbandError) else failure(error, "PutRecords")
