"""Leases in a table of DynamoDB: one item a shard, every write conditional on the counter that was seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from watchband.adapters.aws.access import AwsSession
from watchband.adapters.aws.failure import failure
from watchband.adapters.aws.pace import Pace
from watchband.adapters.sources.kinesis.client import code_of
from watchband.adapters.sources.kinesis.leases import Lease
from watchband.core.clock import Clock
from watchband.core.errors import PermanentError, TransientError, WatchbandError

CALLS = 50.0
PAGES_MAX = 1_000
READY_S = 60
_SEEN = {"#c": "counter"}
"""A word that DynamoDB keeps for itself."""


class DynamoLeases:
    """A table of leases; its key is ``lease``: stream and shard, so several streams may share it.

    Parameters
    ----------
    session : callable
        Gives the AWS session when it is first needed.
    table : str
        Name.
    group : str
        Stream and source, before each key.
    create : bool
        Make the table where it is not there.
    clock : Clock
        Who waits.
    """

    def __init__(self, session: Callable[[], AwsSession], table: str, group: str, create: bool, clock: Clock) -> None:
        self._session, self._table, self._group, self._create = session, table, group, create
        self._clock = clock
        self._pace = Pace(clock, CALLS, 10.0, table)

    def all(self) -> Sequence[Lease]:
        """Every lease of this group, read consistently."""
        prefix = f"{self._group}/"
        given: dict[str, Any] = {
            "FilterExpression": "begins_with(#l, :g)",
            "ExpressionAttributeNames": {"#l": "lease"},
            "ExpressionAttributeValues": {":g": {"S": prefix}},
            "ConsistentRead": True,
        }
        found: list[Lease] = []
        for _ in range(PAGES_MAX):
            page = self._call("scan", **given)
            found += [_lease(item, prefix) for item in page.get("Items", [])]
            if not page.get("LastEvaluatedKey"):
                return sorted(found, key=lambda lease: lease.shard)
            given["ExclusiveStartKey"] = page["LastEvaluatedKey"]
        raise TransientError(f"The table {self._table!r} does not end after {PAGES_MAX} pages.")

    def get(self, shard: str) -> Lease | None:
        """One lease."""
        item = self._call("get_item", Key=self._key(shard), ConsistentRead=True).get("Item")
        return _lease(item, f"{self._group}/") if item else None

    def create(self, lease: Lease) -> bool:
        """Put it where there is none."""
        return self._put(
            lease, ConditionExpression="attribute_not_exists(#l)", ExpressionAttributeNames={"#l": "lease"}
        )

    def change(self, seen: Lease, to: Lease) -> bool:
        """Put it where it is as it was seen."""
        return self._put(to, **_condition(seen))

    def remove(self, seen: Lease) -> bool:
        """Remove it where it is as it was seen."""
        return self._won("delete_item", Key=self._key(seen.shard), **_condition(seen))

    def _put(self, lease: Lease, **condition: Any) -> bool:
        texts = {"owner": lease.owner, "checkpoint": lease.checkpoint, "wanted": lease.wanted}
        item: dict[str, Any] = {name: {"S": text} for name, text in texts.items() if text}
        return self._won(
            "put_item", Item={**self._key(lease.shard), **item, "counter": {"N": str(lease.counter)}}, **condition
        )

    def _won(self, operation: str, **given: Any) -> bool:
        try:
            self._call(operation, **given)
        except _LostError:
            return False
        return True

    def _key(self, shard: str) -> dict[str, Any]:
        return {"lease": {"S": f"{self._group}/{shard}"}}

    def _call(self, operation: str, **given: Any) -> dict[str, Any]:
        try:
            return self._pace.call(lambda: self._asked(operation, TableName=self._table, **given))
        except _NoTableError:
            if not self._create:
                raise PermanentError(
                    f"There is no table {self._table!r} for leases. Make it, with the key 'lease' (a string), or let "
                    "this source make it: create_leases: true."
                ) from None
            self._make()
            return self._pace.call(lambda: self._asked(operation, TableName=self._table, **given))

    def _make(self) -> None:
        keys = [{"AttributeName": "lease", "KeyType": "HASH"}]
        kinds = [{"AttributeName": "lease", "AttributeType": "S"}]
        with suppress(_TakenError):
            self._asked(
                "create_table",
                TableName=self._table,
                KeySchema=keys,
                AttributeDefinitions=kinds,
                BillingMode="PAY_PER_REQUEST",
            )
        for _ in range(READY_S):
            # What was just made is not seen everywhere at once.
            with suppress(_NoTableError):
                if self._asked("describe_table", TableName=self._table)["Table"]["TableStatus"] == "ACTIVE":
                    return
            self._clock.sleep(1.0)
        raise TransientError(f"The table {self._table!r} for leases is not ready after {READY_S} s.")

    def _asked(self, operation: str, **given: Any) -> dict[str, Any]:
        what = "".join(part.capitalize() for part in operation.split("_"))
        client = self._session().client("dynamodb")
        try:
            answer: dict[str, Any] = getattr(client, operation)(**given)
        except Exception as error:
            special = _SPECIAL.get(code_of(error))
            if special is not None:
                raise special(what) from None
            raise error if isinstance(error, WatchbandError) else failure(error, what) from None
        return answer


class _LostError(PermanentError):
    """Somebody else was quicker."""


class _NoTableError(PermanentError):
    """There is no such table."""


class _TakenError(PermanentError):
    """Somebody else makes it."""


_SPECIAL: dict[str, type[PermanentError]] = {
    "ConditionalCheckFailedException": _LostError,
    "ResourceNotFoundException": _NoTableError,
    "ResourceInUseException": _TakenError,
}


def _condition(seen: Lease) -> dict[str, Any]:
    return {
        "ConditionExpression": "#c = :c",
        "ExpressionAttributeNames": _SEEN,
        "ExpressionAttributeValues": {":c": {"N": str(seen.counter)}},
    }


def _lease(item: dict[str, Any], prefix: str) -> Lease:
    texts = {name: str(item.get(name, {}).get("S", "")) for name in ("lease", "owner", "checkpoint", "wanted")}
    shard = texts.pop("lease").removeprefix(prefix)
    return Lease(shard, counter=int(item.get("counter", {}).get("N", 0)), **texts)
