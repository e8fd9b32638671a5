"""Values as DynamoDB has them, and what they weigh. Numbers are whole or Decimal: a float is refused unsent."""

from __future__ import annotations

import base64
import json
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Item = Mapping[str, Any]
Wire = dict[str, Any]

ITEM_MAX = 400 << 10
"""Bytes of an item, names included."""
PART = 350 << 10
"""Bytes of one part of what is cut in pieces: an item with room for its keys."""
TRANSACTION_ITEMS, TRANSACTION_BYTES = 100, 4_000_000
"""What one transaction takes; AWS says 100 items and 4 MB."""
_SMALLEST, _LARGEST = 1e-130, 9.9e125


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one item: its new attributes, or None where it goes."""

    pk: str
    sk: str
    item: Item | None

    @property
    def weight(self) -> int:
        """Bytes, about as DynamoDB counts them."""
        keys = len(self.pk.encode()) + len(self.sk.encode()) + 4
        return keys + (0 if self.item is None else sum(len(n) + weight(v) for n, v in self.item.items()))


def to_wire(value: Any) -> Wire:
    """A value as the protocol writes it.

    Raises
    ------
    TypeError
        A float, or something else that DynamoDB has no exact type for.
    """
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int | Decimal):
        return {"N": str(value)}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, bytes):
        return {"B": value}
    if isinstance(value, Mapping):
        return {"M": {str(name): to_wire(one) for name, one in value.items()}}
    if isinstance(value, Sequence):
        return {"L": [to_wire(one) for one in value]}
    raise TypeError(f"DynamoDB has no exact type for {type(value).__name__}. Give a Decimal, a text or bytes.")


def of_wire(wire: Mapping[str, Any]) -> Any:
    """The inverse; whole numbers are int, others Decimal."""
    ((kind, value),) = wire.items()
    if kind == "N":
        number = Decimal(value)
        return int(number) if number == number.to_integral_value() else number
    if kind == "M":
        return {name: of_wire(one) for name, one in value.items()}
    if kind == "L":
        return [of_wire(one) for one in value]
    return None if kind == "NULL" else value


def item_to_wire(item: Item) -> Wire:
    """All attributes of an item."""
    return {name: to_wire(value) for name, value in item.items()}


def item_of_wire(wire: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse."""
    return {name: of_wire(value) for name, value in wire.items()}


def weight(value: Any) -> int:
    """Bytes of a value, never less than DynamoDB counts."""
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, Mapping):
        return 3 + sum(1 + len(str(name).encode()) + weight(one) for name, one in value.items())
    if isinstance(value, list | tuple):
        return 3 + sum(1 + weight(one) for one in value)
    return 21


def number_of(value: float) -> Decimal | None:
    """A reading as a number of DynamoDB: the shortest decimal that is this float; None for what it cannot hold.

    Examples
    --------
    >>> number_of(27.1), number_of(float("nan")), number_of(1e300)
    (Decimal('27.1'), None, None)
    """
    if not math.isfinite(value) or (value and not _SMALLEST <= abs(value) <= _LARGEST):
        return None
    return Decimal(repr(float(value)))


def packed(changes: Sequence[Change]) -> bytes:
    """Changes as bytes, for a journal."""
    rows = [[c.pk, c.sk, None if c.item is None else item_to_wire(c.item)] for c in changes]
    return zlib.compress(json.dumps(rows, default=lambda raw: base64.b64encode(raw).decode()).encode(), 1)


def unpacked(data: bytes) -> list[Change]:
    """The inverse."""
    rows = json.loads(zlib.decompress(data), object_hook=_bytes)
    return [Change(pk, sk, None if item is None else item_of_wire(item)) for pk, sk, item in rows]


def _bytes(found: dict[str, Any]) -> dict[str, Any]:
    # An attribute of that name holds a mapping, not a text.
    return {"B": base64.b64decode(found["B"])} if isinstance(found.get("B"), str) and len(found) == 1 else found
