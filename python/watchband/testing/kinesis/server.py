"""The server of the stand-in: credentials, one operation a request, faults on demand."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any

from watchband.core.clock import Clock, SystemClock
from watchband.testing.kinesis import stream as limits
from watchband.testing.kinesis.stream import Kept, Refusal, StoredShard, Stream
from watchband.testing.outside import Answer, FaultyServer, Request

TARGET = "Kinesis_20131202."
PAGE = 100
_KEY = re.compile(r"Credential=([^/]+)/\d{8}/[^/]+/kinesis/aws4_request")


class KinesisServer(FaultyServer):
    """A Kinesis on loopback.

    Parameters
    ----------
    clock : Clock, optional
        What time it is there.

    Attributes
    ----------
    streams : dict of str to Stream
        By name.
    calls : Counter of str
        Requests by operation.
    bodies : list of (str, dict)
        Every request: operation and what was asked.
    denied : set of str
        Operations that the credentials may not use.
    page : int
        Shards of a page of ListShards.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self.streams: dict[str, Stream] = {}
        self.calls: Counter[str] = Counter()
        self.bodies: list[tuple[str, dict[str, Any]]] = []
        self.denied: set[str] = set()
        self.page = PAGE
        self._refusals: dict[str, list[Refusal]] = {}
        self._failing: list[set[int]] = []
        self._lock = threading.Lock()
        super().__init__(self._answer, clock=clock, content_type="application/x-amz-json-1.1")

    def stream(self, name: str, shards: int = 1) -> Stream:
        """A new stream."""
        self.streams[name] = Stream(shards, self.clock)
        return self.streams[name]

    def refuse(self, operation: str, code: str, times: int = 1) -> None:
        """The next requests of an operation are refused."""
        self._refusals.setdefault(operation, []).extend([Refusal(code, "It was told to.")] * times)

    def fail_records(self, *places: int) -> None:
        """Of the next PutRecords these records fail, by their places; the others are taken."""
        self._failing.append(set(places))

    def _answer(self, request: Request) -> Answer:
        operation = request.headers.get("x-amz-target", "").removeprefix(TARGET)
        try:
            if _KEY.search(request.headers.get("authorization", "")) is None:
                raise Refusal("MissingAuthenticationTokenException", "Missing Authentication Token")
            asked = json.loads(request.body or b"{}")
            with self._lock:
                self.calls[operation] += 1
                self.bodies.append((operation, asked))
                return _said(self._called(operation, asked))
        except Refusal as refusal:
            document = {"__type": refusal.code, "message": refusal.message}
            return Answer(json.dumps(document).encode(), refusal.status)

    def _called(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        if operation in self.denied:
            raise Refusal("AccessDeniedException", f"User is not authorized to perform: kinesis:{operation}")
        waiting = self._refusals.get(operation)
        if waiting:
            raise waiting.pop(0)
        done = {
            "ListShards": self._list_shards,
            "GetShardIterator": self._iterator,
            "GetRecords": self._get_records,
            "PutRecords": self._put_records,
        }.get(operation)
        if done is None:
            raise Refusal("UnknownOperationException", f"{operation!r} is not done here.")
        return done(asked)

    def _named(self, asked: Mapping[str, Any]) -> Stream:
        name = str(asked.get("StreamName") or asked.get("StreamARN", "")).rpartition("/")[2]
        if name not in self.streams:
            raise Refusal("ResourceNotFoundException", f"Stream {name} under account 123456789012 not found.")
        return self.streams[name]

    def _list_shards(self, asked: dict[str, Any]) -> dict[str, Any]:
        token = asked.get("NextToken")
        if token and (asked.get("StreamName") or asked.get("StreamARN")):
            raise Refusal("InvalidArgumentException", "NextToken and StreamName cannot be provided together.")
        name, _, start = (token or "/0").rpartition("/")
        listed = list(self._named({"StreamName": name} if token else asked).shards.values())
        at = int(start)
        name = name or str(asked.get("StreamName") or asked["StreamARN"]).rpartition("/")[2]
        more = {"NextToken": f"{name}/{at + self.page}"} if at + self.page < len(listed) else {}
        return {"Shards": [_shard(one) for one in listed[at : at + self.page]], **more}

    def _iterator(self, asked: dict[str, Any]) -> dict[str, Any]:
        stream = self._named(asked)
        shard = stream.shards.get(asked["ShardId"])
        if shard is None:
            raise Refusal("ResourceNotFoundException", f"Shard {asked['ShardId']} in stream does not exist.")
        kind = asked["ShardIteratorType"]
        if kind == "TRIM_HORIZON":
            after = 0
        elif kind == "AT_TIMESTAMP":
            start = round(float(asked["Timestamp"]) * 1000) * 1_000_000
            after = max((r.sequence for r in shard.records if r.arrived < start), default=0)
        elif kind == "AFTER_SEQUENCE_NUMBER":
            after = int(asked["StartingSequenceNumber"])
            if after < shard.born or (shard.ended is not None and after > shard.ended):
                raise Refusal("InvalidArgumentException", "StartingSequenceNumber is not of this shard.")
        else:
            raise Refusal("InvalidArgumentException", f"{kind} is not done here.")
        name = str(asked.get("StreamName") or asked["StreamARN"]).rpartition("/")[2]
        return {"ShardIterator": self._token(name, shard, after)}

    def _token(self, name: str, shard: StoredShard, after: int) -> str:
        return base64.b64encode(json.dumps([name, shard.id, after, self.clock.now()]).encode()).decode()

    def _get_records(self, asked: dict[str, Any]) -> dict[str, Any]:
        name, shard_id, after, made = json.loads(base64.b64decode(asked["ShardIterator"]))
        now = self.clock.now()
        if now - made > limits.ITERATOR_LIVES:
            raise Refusal("ExpiredIteratorException", "Iterator expired.")
        shard = self.streams[name].shards.get(shard_id)
        if shard is None:
            raise Refusal("ResourceNotFoundException", f"Shard {shard_id} in stream {name} does not exist.")
        limit = asked.get("Limit", limits.GET_RECORDS)
        if not 1 <= limit <= limits.GET_RECORDS:
            raise Refusal("ValidationException", f"Limit must be 1 to {limits.GET_RECORDS}.")
        shard.read(now)
        page = shard.page(after, limit, now)
        last = page[-1].sequence if page else after
        left = [record for record in shard.records if record.sequence > last]
        done = not left and shard.ended is not None
        found: dict[str, Any] = {
            "Records": [_record(record) for record in page],
            "MillisBehindLatest": max(0, now - left[0].arrived) // 1_000_000 + 1 if left else 0,
        }
        return found if done else {**found, "NextShardIterator": self._token(name, shard, last)}

    def _put_records(self, asked: dict[str, Any]) -> dict[str, Any]:
        stream, records = self._named(asked), asked["Records"]
        bodies = [base64.b64decode(one["Data"]) for one in records]
        sizes = [len(body) + len(one["PartitionKey"].encode()) for one, body in zip(records, bodies, strict=True)]
        if not 1 <= len(records) <= limits.PUT_RECORDS:
            raise Refusal("ValidationException", f"Records must have 1 to {limits.PUT_RECORDS} members.")
        if sum(sizes) > limits.PUT_BYTES or max(sizes) > limits.RECORD_BYTES:
            raise Refusal("ValidationException", "Records size exceeds the limit.")
        if not all(1 <= len(one["PartitionKey"]) <= 256 for one in records):
            raise Refusal("ValidationException", "PartitionKey must have 1 to 256 characters.")
        failing = self._failing.pop(0) if self._failing else set()
        answers: list[dict[str, Any]] = []
        for place, (one, body, size) in enumerate(zip(records, bodies, sizes, strict=True)):
            shard = stream.of(one["PartitionKey"])
            if place in failing or not shard.takes(size, self.clock.now()):
                code = "ProvisionedThroughputExceededException"
                answers.append({"ErrorCode": code, "ErrorMessage": f"Rate exceeded for shard {shard.id}"})
            else:
                shard, kept = stream.put(one["PartitionKey"], body)
                answers.append({"SequenceNumber": str(kept.sequence), "ShardId": shard.id})
        return {"FailedRecordCount": sum("ErrorCode" in one for one in answers), "Records": answers}


def _said(document: dict[str, Any]) -> Answer:
    return Answer(json.dumps(document).encode())


def _shard(shard: StoredShard) -> dict[str, Any]:
    ended = {} if shard.ended is None else {"EndingSequenceNumber": str(shard.ended)}
    parents = dict(zip(("ParentShardId", "AdjacentParentShardId"), shard.parents, strict=False))
    return {
        "ShardId": shard.id,
        **parents,
        "HashKeyRange": {"StartingHashKey": str(shard.first), "EndingHashKey": str(shard.last)},
        "SequenceNumberRange": {"StartingSequenceNumber": str(shard.born), **ended},
    }


def _record(record: Kept) -> dict[str, Any]:
    return {
        "SequenceNumber": str(record.sequence),
        "ApproximateArrivalTimestamp": record.arrived / 1e9,
        "Data": base64.b64encode(record.data).decode(),
        "PartitionKey": record.key,
    }
