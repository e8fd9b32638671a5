"""One table of DynamoDB: its calls with their limits, their pace, and its errors in Watchband's words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from watchband.adapters.aws.access import AwsSession
from watchband.adapters.aws.failure import ThrottledError, failure
from watchband.adapters.aws.pace import Pace
from watchband.adapters.stores.dynamodb.attributes import Change, Item, item_of_wire, item_to_wire, to_wire
from watchband.core.clock import Clock
from watchband.core.errors import AdapterError, PermanentError, TransientError

BATCH_WRITE, BATCH_READ = 25, 100
CREATE_S = 60
_CROWDED = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
_BUSY = frozenset({"TransactionConflictException", "TransactionInProgressException", "InternalServerError"})


class RefusedError(AdapterError):
    """A condition was not met: somebody else has written.

    Parameters
    ----------
    found : mapping
        The item as it is; empty if there is none.
    """

    def __init__(self, found: Mapping[str, Any]) -> None:
        self.found = found
        super().__init__("A condition of a write to DynamoDB was not met: another process has written.")


class DynamoTable:
    """Calls on one table; several threads may use it.

    Throttled calls, and those without an answer, are made again with growing waits (``Pace``): whoever writes must
    bear that a call was carried out though its answer was lost.

    Parameters
    ----------
    session : AwsSession
        How the account is reached.
    name : str
        Of the table.
    clock : Clock
        Who waits.
    per_second, budget_s : float
        Calls a second at most; seconds that the repeats of one call may take.
    part : str
        What all its partition keys begin with: several stores may share a table.
    """

    def __init__(
        self,
        session: AwsSession,
        name: str,
        clock: Clock,
        per_second: float = 1000.0,
        budget_s: float = 20.0,
        part: str = "",
    ) -> None:
        self._session, self.name, self._before = session, name, f"{part}/" if part else ""
        self.pace = Pace(clock, per_second, budget_s, seed=name)

    def call(self, operation: str, **given: Any) -> dict[str, Any]:
        """One call, repeated as the pace allows.

        Raises
        ------
        RefusedError
            A condition was not met.
        TransientError
            It was too much, or nothing was heard.
        PermanentError
            It may not be done, or makes no sense.
        """
        client = self._session.client("dynamodb")
        return self.pace.call(lambda: _asked(getattr(client, operation), operation, self.name, given))

    def key(self, pk: str, sk: str) -> dict[str, Any]:
        """The key of an item as DynamoDB has it."""
        return {"pk": {"S": self._before + pk}, "sk": {"S": sk}}

    def _row(self, item: Mapping[str, Any]) -> dict[str, Any]:
        found = item_of_wire(item)
        return {**found, "pk": found["pk"][len(self._before) :]} if self._before else found

    def _full(self, change: Change) -> dict[str, Any]:
        assert change.item is not None
        return item_to_wire(change.item) | self.key(change.pk, change.sk)

    def _request(self, change: Change) -> dict[str, Any]:
        if change.item is None:
            return {"DeleteRequest": {"Key": self.key(change.pk, change.sk)}}
        return {"PutRequest": {"Item": self._full(change)}}

    def get(self, pk: str, sk: str) -> dict[str, Any] | None:
        """An item as it is now."""
        found = self.call("get_item", TableName=self.name, Key=self.key(pk, sk), ConsistentRead=True)
        return self._row(found["Item"]) if "Item" in found else None

    def get_many(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], dict[str, Any]]:
        """Those items of some keys that are there, a hundred a call."""
        items: dict[tuple[str, str], dict[str, Any]] = {}
        for at in range(0, len(keys), BATCH_READ):
            left: Any = {"Keys": [self.key(*key) for key in keys[at : at + BATCH_READ]], "ConsistentRead": True}
            while left:
                left = self._portion("batch_get_item", left, len(left["Keys"]), lambda f: self._take(f, items))
        return items

    def _take(self, found: Mapping[str, Any], items: dict[tuple[str, str], dict[str, Any]]) -> Any:
        rows = list(map(self._row, found.get("Responses", {}).get(self.name, ())))
        items.update(((row["pk"], row["sk"]), row) for row in rows)
        return found.get("UnprocessedKeys", {}).get(self.name)

    def write_many(self, changes: Sequence[Change]) -> None:
        """Changes without order or condition, 25 a call; what was not done is sent again."""
        for at in range(0, len(changes), BATCH_WRITE):
            left: Any = [self._request(change) for change in changes[at : at + BATCH_WRITE]]
            while left:
                left = self._portion(
                    "batch_write_item", left, len(left), lambda f: f.get("UnprocessedItems", {}).get(self.name)
                )

    def _portion(self, operation: str, left: Any, size: int, rest_of: Callable[[Mapping[str, Any]], Any]) -> Any:
        """What DynamoDB left undone of a batch; where it did nothing at all, it wants patience."""
        client = self._session.client("dynamodb")

        def ask() -> Any:
            found = _asked(getattr(client, operation), operation, self.name, {"RequestItems": {self.name: left}})
            rest = rest_of(found)
            if rest and len(rest["Keys"] if isinstance(rest, dict) else rest) >= size:
                raise ThrottledError(f"{operation} on {self.name} did none of {size} items: too much at once.")
            return rest

        return self.pace.call(ask)

    def put(self, change: Change, condition: str = "", names: Item | None = None, values: Item | None = None) -> None:
        """Put one item, if a condition is met."""
        given: dict[str, Any] = {"Item": self._full(change)}
        if condition:
            given |= _condition(condition, names or {}, values or {})
        self.call("put_item", TableName=self.name, **given)

    def query(
        self, pk: str, since: str = "", until: str = "", *, backwards: bool = False, page: int = 0
    ) -> Iterator[dict[str, Any]]:
        """Items of a partition in order of their sort key, from ``since`` to before ``until``, page by page."""
        condition, values = "pk = :pk", {":pk": to_wire(self._before + pk)}
        # BETWEEN takes its upper end in: nothing that is asked for ends like this.
        if since or until:
            condition += " AND sk BETWEEN :a AND :b"
            values |= {":a": to_wire(since or "\0"), ":b": to_wire(until or "\U0010ffff")}
        given: dict[str, Any] = {
            "TableName": self.name,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values,
            "ConsistentRead": True,
            "ScanIndexForward": not backwards,
        } | ({"Limit": page} if page else {})
        while True:
            found = self.call("query", **given)
            for row in map(self._row, found["Items"]):
                if not until or row["sk"] != until:
                    yield row
            if "LastEvaluatedKey" not in found:
                return
            given["ExclusiveStartKey"] = found["LastEvaluatedKey"]

    def transact(self, first: Mapping[str, Any], changes: Iterable[Change], token: str) -> None:
        """All of it or nothing: one conditional part, and changes. The same token twice is done once."""
        rows = [dict(first)]
        for change in changes:
            if change.item is None:
                rows.append({"Delete": {"TableName": self.name, "Key": self.key(change.pk, change.sk)}})
            else:
                rows.append({"Put": {"TableName": self.name, "Item": self._full(change)}})
        self.call("transact_write_items", TransactItems=rows, ClientRequestToken=token)

    def create(self) -> bool:
        """Make the table if it is not there, and wait for it; whether it was there.

        Raises
        ------
        PermanentError
            It is not there and may not be made; or it is another program's.
        """
        try:
            found = self.call("describe_table", TableName=self.name)["Table"]
        except PermanentError as error:
            if not isinstance(error, MissingTableError):
                raise
            self._make()
            return False
        keys = [(key["AttributeName"], key["KeyType"]) for key in found["KeySchema"]]
        if keys != [("pk", "HASH"), ("sk", "RANGE")]:
            raise PermanentError(
                f"The table {self.name!r} has the keys {keys}, not pk and sk: it is another program's. Name another "
                "'table'."
            )
        if found["TableStatus"] == "CREATING":
            self._wait()
        return True

    def _make(self) -> None:
        try:
            self.call("create_table", **table_shape(self.name))
        except PermanentError as error:
            if "ResourceInUse" not in str(error):
                raise PermanentError(
                    f"{error} Make the table beforehand: the page of the store has the command."
                ) from None
        self._wait()

    def _wait(self) -> None:
        from botocore.exceptions import WaiterError

        try:
            waiter = self._session.client("dynamodb").get_waiter("table_exists")
            waiter.wait(TableName=self.name, WaiterConfig={"Delay": 1, "MaxAttempts": CREATE_S})
        except WaiterError as error:
            raise TransientError(f"The table {self.name!r} is not ready after {CREATE_S} s.") from error

    def close(self) -> None:
        """End every wait."""
        self.pace.close()


class MissingTableError(PermanentError):
    """There is no table of this name."""


def table_shape(name: str) -> dict[str, Any]:
    """What CreateTable is asked for: two keys, paid by request, encrypted by AWS's own key."""
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
    }


def _asked(function: Any, operation: str, table: str, given: Mapping[str, Any]) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = function(**given)
    except Exception as error:
        raise _mapped(error, f"{operation} on {table}", table) from None
    return answer


def _mapped(error: Exception, what: str, table: str) -> AdapterError:
    from botocore.exceptions import ClientError

    if not isinstance(error, ClientError):
        return failure(error, what)
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code == "ConditionalCheckFailedException":
        return RefusedError(item_of_wire(error.response.get("Item", {})))
    if code == "TransactionCanceledException":
        reasons: Any = error.response.get("CancellationReasons", [])
        codes = [str(reason.get("Code", "None")) for reason in reasons]
        # A condition that failed while others were in the way says nothing yet: it is asked again with the rest.
        if crowded := _CROWDED.intersection(codes):
            return ThrottledError(f"{what} was cancelled: {', '.join(sorted(crowded))}.")
        for reason in reasons:
            if reason.get("Code") == "ConditionalCheckFailed":
                return RefusedError(item_of_wire(reason.get("Item", {})))
        said = next((str(r.get("Message", "")) for r in reasons if r.get("Message")), "")
        return PermanentError(f"{what} was cancelled ({', '.join(codes)[:200]}): {said[:300]}")
    if code in _BUSY:
        return TransientError(f"{what} met another write ({code}).")
    if code == "ResourceNotFoundException":
        return MissingTableError(f"There is no table {table!r} in this account and region.")
    return failure(error, what)


def _condition(condition: str, names: Item, values: Item) -> dict[str, Any]:
    found: dict[str, Any] = {"ConditionExpression": condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    if names:
        found["ExpressionAttributeNames"] = dict(names)
    if values:
        found["ExpressionAttributeValues"] = item_to_wire(values)
    return found
