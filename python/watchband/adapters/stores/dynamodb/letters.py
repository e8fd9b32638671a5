"""The outbox of the store on AWS, for an operator: it takes no lead, and the process that delivers goes on."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from watchband.adapters.aws.access import AwsAccess, AwsSession
from watchband.adapters.stores.dynamodb.attributes import to_wire
from watchband.adapters.stores.dynamodb.outbox import OUTBOX
from watchband.adapters.stores.dynamodb.root import ROOT
from watchband.adapters.stores.dynamodb.table import DynamoTable, RefusedError
from watchband.adapters.stores.letters import Letter, Letters
from watchband.core.clock import SystemClock


class DynamoLetters(Letters):
    """Notices in the outbox of a table.

    Parameters
    ----------
    table : str
        Its name.
    access : AwsAccess
        How the account is reached.
    part : str
        Of several stores in the table, which.
    """

    def __init__(self, table: str, access: AwsAccess, part: str = "") -> None:
        self._name, self._access, self._part = table, access, part

    def _table(self, session: AwsSession) -> DynamoTable:
        return DynamoTable(session, self._name, SystemClock(), part=self._part)

    def rows(self) -> Sequence[tuple[Any, ...]]:
        """``COLUMNS`` of every notice, oldest first."""
        with closing(AwsSession(self._access, "The store 'dynamodb'")) as session:
            rows = self._table(session).query(OUTBOX)
            return [
                (r["body"], r["revision"], r["sink"], r["tries"], r["due"], r["error"], r["dead"], r["made"])
                for r in rows
            ]

    def retry(self, letters: Sequence[Letter]) -> int:
        """Have these delivered now, dead ones too; the number that were still there."""
        return self._change(letters, drop=False)

    def drop(self, letters: Sequence[Letter]) -> int:
        """Never deliver these; the number that were still there."""
        return self._change(letters, drop=True)

    def _change(self, letters: Sequence[Letter], *, drop: bool) -> int:
        with closing(AwsSession(self._access, "The store 'dynamodb'")) as session:
            table = self._table(session)
            places = {(r["alert"], r["revision"], r["sink"], r["dead"]): r["sk"] for r in table.query(OUTBOX)}
            return sum(self._one(table, places[one.row], one.dead, drop) for one in letters if one.row in places)

    def _one(self, table: DynamoTable, sk: str, dead: bool, drop: bool) -> bool:
        """Change one, if it still is as it was seen, and say so to the process that delivers."""
        where = {"TableName": table.name, "Key": table.key(OUTBOX, sk)}
        unless = {
            "ConditionExpression": "#dead = :dead",
            "ExpressionAttributeNames": {"#dead": "dead"},
            "ExpressionAttributeValues": {":dead": to_wire(dead)},
        }
        again: dict[str, Any] = {
            **where,
            **unless,
            "UpdateExpression": "SET #dead = :no, #tries = :zero, #due = :zero",
            "ExpressionAttributeNames": {"#dead": "dead", "#tries": "tries", "#due": "due"},
            "ExpressionAttributeValues": {":dead": to_wire(dead), ":no": to_wire(False), ":zero": to_wire(0)},
        }
        said = {
            "TableName": table.name,
            "Key": table.key(ROOT, ROOT),
            "UpdateExpression": "ADD #letters :one",
            "ExpressionAttributeNames": {"#letters": "letters"},
            "ExpressionAttributeValues": {":one": to_wire(1)},
        }
        rows = [{"Update": said}, {"Delete": {**where, **unless}} if drop else {"Update": again}]
        try:
            table.call("transact_write_items", TransactItems=rows, ClientRequestToken=uuid.uuid4().hex)
        except RefusedError:
            return False
        return True
