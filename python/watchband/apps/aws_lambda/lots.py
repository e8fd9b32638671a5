"""Lots: records that are decoded together, each with its identity and the name by which Lambda sends it again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from watchband.core.ports import Readings


@dataclass
class Decoded:
    """Readings of some records; letters: what is wrong with a record, by its number in the lot, as a document."""

    readings: Sequence[Readings] = ()
    letters: Sequence[tuple[int, dict[str, Any]]] = ()


@dataclass
class Lot:
    """Records of one source that share a home.

    Parameters
    ----------
    source : str
        Its name.
    home : str
        Text whose part keeps the records that hold no reading.
    decode : callable
        Takes the records of some numbers apart.
    lateness : int
        How much its readings may come out of order, ns.
    ids, items : list
        Of each record its identity, and how Lambda calls it.
    """

    source: str
    home: str
    decode: Callable[[Sequence[int]], Decoded]
    lateness: int = 0
    ids: list[bytes] = field(default_factory=list)
    items: list[str] = field(default_factory=list)

    def all(self) -> list[int]:
        """The numbers of its records, each identity once."""
        return list({one: number for number, one in reversed(list(enumerate(self.ids)))}.values())[::-1]
