"""The root: one item that every write passes. It says who writes, how far each log reaches, and which numbers are next.

A write is a conditional update of this item, alone or at the head of a transaction: its condition is the writer's token
and the version it knows. So nothing is written by a process that was overtaken, and of two that believe they write only
one does. A process that stands by needs no clock in step with anybody's: it watches whether the item changes, and
takes the next token when it has not changed for as long as a lease lasts by its own clock.
"""

from __future__ import annotations

import contextlib
import copy
import os
import socket
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from watchband.adapters.stores.dynamodb.attributes import Change, to_wire
from watchband.adapters.stores.dynamodb.table import DynamoTable, RefusedError
from watchband.core.errors import AdapterError, FencedError, StateVersionError, TransientError

ROOT = "root"
FORMAT = 1
RENEWALS = 4
"""Renewals within the time of a lease."""
ASK_S = 0.5
"""A process that stands by asks this often, at most."""
_MINE = "#token = :mine AND #version = :known"
EMPTY: Mapping[str, Any] = {
    "format": FORMAT,
    "token": 0,
    "holder": "",
    "version": 0,
    "beat": 0,
    "attempt": "",
    "letters": 0,
    "heads": {},
    "floors": {},
    "positions": {},
    "moved": {},
    "counted": {},
    "series": 0,
    "notices": 0,
    "acts": 0,
    "models": 0,
    "journal": [],
    "strays": [],
}


class Root:
    """The root of one table, and whether this process may write.

    Parameters
    ----------
    table : DynamoTable
        Where it is.
    seconds : float
        A process that is not heard of for so long is taken over from.
    turns : bool
        For processes that live for one batch: no heartbeat, and ``release`` gives the lead back after it. Nobody need
        wait then, and who had it still writes as the same, without taking it anew, until somebody else takes it.
    """

    def __init__(self, table: DynamoTable, seconds: float, turns: bool = False) -> None:
        self.table, self.seconds, self.turns = table, seconds, turns
        self.holder = f"{socket.gethostname()}:{os.getpid()}"
        self.token: int | None = None
        self.lock = threading.RLock()
        self._known: dict[str, Any] | None = None
        self._overtaken = False
        self._watched: tuple[tuple[int, ...], float] = ((), 0.0)
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def read(self) -> dict[str, Any]:
        """The root as it is now.

        Raises
        ------
        StateVersionError
            A newer release wrote it.
        """
        found = {**copy.deepcopy(dict(EMPTY)), **(self.table.get(ROOT, ROOT) or {})}
        if found["format"] > FORMAT:
            raise StateVersionError(
                f"The table {self.table.name!r} was written by a newer release (format {found['format']}, this one "
                f"knows {FORMAT}). Upgrade this Watchband."
            )
        return found

    def mine(self) -> dict[str, Any]:
        """The root as this process last wrote it; the lead at the first write of a process that did not ask for it.

        Raises
        ------
        FencedError
            Another process leads.
        """
        with self.lock:
            if self.token is None and not self._overtaken:
                self.take()
            if self.token is None:
                raise self._fenced(self.read())
            if self._known is None:
                found = self.read()
                if found["token"] != self.token:
                    self.lose()
                    raise self._fenced(found)
                self._known = found
            return copy.deepcopy(self._known)

    def check(self) -> dict[str, Any]:
        """The root as it is now, if this process leads.

        Raises
        ------
        FencedError
            Another does.
        """
        with self.lock:
            self.mine()
            found = self.read()
            if found["token"] != self.token:
                self.lose()
                raise self._fenced(found)
            return found

    def swap(self, changed: Mapping[str, Any], changes: Sequence[Change] = (), letters: bool = False) -> None:
        """Make the root what is given, with some changes, if nobody else has written; else nothing happens.

        Raises
        ------
        FencedError
            Another process leads.
        TransientError
            It is not known whether it was done: look before anything else is written.
        """
        with self.lock:
            known, attempt = self._known, uuid.uuid4().hex
            assert known is not None
            new = {**changed, "version": known["version"] + 1, "attempt": attempt}
            update = self._update(known, new, letters)
            try:
                if changes:
                    self.table.transact({"Update": update}, changes, attempt)
                else:
                    self.table.call("update_item", **update)
            except RefusedError as refused:
                # An answer that was lost makes a call come again: then this very write is what it meets.
                if refused.found.get("attempt") != attempt:
                    self._known = None
                    if refused.found.get("token") != self.token:
                        self.lose()
                        raise self._fenced({**EMPTY, **refused.found}) from None
                    raise TransientError(
                        "An earlier write of this process arrived late. Restore, and try again."
                    ) from None
            except BaseException:
                self._known = None
                raise
            self._known = copy.deepcopy(new)

    def _update(self, known: Mapping[str, Any], new: Mapping[str, Any], letters: bool) -> dict[str, Any]:
        """Only what differs: heartbeats and an operator's changes of the outbox have attributes of their own."""
        differ = [n for n in new if n not in ("beat", "letters") and new[n] != known.get(n)]
        sets = ", ".join(f"#{name} = :{name}" for name in differ)
        names = {f"#{name}": name for name in {*differ, "token", "version"}}
        values = {f":{name}": to_wire(new[name]) for name in differ}
        values |= {":mine": to_wire(self.token), ":known": to_wire(known["version"])}
        if letters:
            names["#letters"], values[":one"] = "letters", to_wire(1)
        return {
            "TableName": self.table.name,
            "Key": self.table.key(ROOT, ROOT),
            "UpdateExpression": f"SET {sets}" + (" ADD #letters :one" if letters else ""),
            "ConditionExpression": _MINE,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def holds(self, journal: Sequence[Any]) -> dict[str, Any]:
        """The head of a transaction that carries out a journal: this process leads, and it is still to be done."""
        return {
            "ConditionCheck": {
                "TableName": self.table.name,
                "Key": self.table.key(ROOT, ROOT),
                "ConditionExpression": "#token = :mine AND #journal = :journal",
                "ExpressionAttributeNames": {"#token": "token", "#journal": "journal"},
                "ExpressionAttributeValues": {":mine": to_wire(self.token), ":journal": to_wire(list(journal))},
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }

    def take(self, timeout: float = 0.0) -> bool:
        """Whether this process leads, waiting so many seconds for it."""
        until = time.monotonic() + timeout
        while not self._has() and not self._try():
            left = until - time.monotonic()
            if left <= 0 or self._ended.wait(min(left, ASK_S, self.seconds / RENEWALS)):
                return False
        return True

    def _has(self) -> bool:
        if self.token is None:
            return False
        found = self.read()
        if found["token"] != self.token:
            self.lose()
        return self.token is not None

    def _try(self) -> bool:
        found = self.read()
        seen, now = (found["token"], found["version"], found["beat"]), time.monotonic()
        if seen != self._watched[0]:
            self._watched = seen, now
        if found["holder"] and now - self._watched[1] < self.seconds:
            return False
        with self.lock:
            token = found["token"] + 1
            # Hosts and process numbers repeat, in containers above all: only this word is this very call's.
            word = uuid.uuid4().hex
            taken = {
                "format": FORMAT,
                "token": token,
                "holder": self.holder,
                "version": found["version"] + 1,
                "attempt": word,
            }
            try:
                self._take(found, taken)
            except RefusedError as refused:
                # The answer to the first of two equal calls was lost.
                if refused.found.get("attempt") != word:
                    return False
            self.token, self._overtaken = token, False
            self._known = None
        if self._thread is None and not self.turns:
            self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)
            self._thread.start()
        return True

    def _take(self, found: Mapping[str, Any], taken: Mapping[str, Any]) -> None:
        free = "#version = :v AND #beat = :b" if found["token"] else "attribute_not_exists(pk)"
        new = dict(taken) if found["token"] else {**found, **taken}
        names = {f"#{name}": name for name in new}
        values = {f":n_{name}": to_wire(value) for name, value in new.items()}
        if found["token"]:
            names |= {"#beat": "beat"}
            values |= {":v": to_wire(found["version"]), ":b": to_wire(found["beat"])}
        self.table.call(
            "update_item",
            TableName=self.table.name,
            Key=self.table.key(ROOT, ROOT),
            UpdateExpression="SET " + ", ".join(f"#{name} = :n_{name}" for name in new),
            ConditionExpression=free,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )

    def lose(self) -> None:
        """Somebody else leads."""
        with self.lock:
            if self.token is not None:
                self.token, self._known, self._overtaken = None, None, True

    def close(self) -> None:
        """Give the lead back, so that the next need not wait for its end."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        with self.lock, contextlib.suppress(AdapterError):
            self.release()
        self.token = None

    def release(self) -> None:
        """Let whoever comes next take the lead without waiting; this process goes on until somebody does.

        Raises
        ------
        FencedError, TransientError
            Somebody has, or it is not known.
        """
        with self.lock:
            if self.token is not None and (mine := self.mine())["holder"]:
                self.swap({**mine, "holder": ""})

    def _renew(self) -> None:
        while not self._ended.wait(self.seconds / RENEWALS):
            token = self.token
            if token is not None:
                # A renewal that fails is tried again; in the meantime the tokens keep the log safe.
                with contextlib.suppress(AdapterError):
                    self._extend(token)

    def _extend(self, token: int) -> None:
        try:
            self.table.call(
                "update_item",
                TableName=self.table.name,
                Key=self.table.key(ROOT, ROOT),
                UpdateExpression="ADD #beat :one",
                ConditionExpression="#token = :mine",
                ExpressionAttributeNames={"#beat": "beat", "#token": "token"},
                ExpressionAttributeValues={":one": to_wire(1), ":mine": to_wire(token)},
            )
        except RefusedError:
            with self.lock:
                if self.token == token:
                    self.lose()

    def _fenced(self, found: Mapping[str, Any]) -> FencedError:
        return FencedError(
            f"Another process leads ({found['holder'] or 'nobody'}). This one stands by and takes over when that one "
            f"is not heard of for {self.seconds:g} s."
        )
