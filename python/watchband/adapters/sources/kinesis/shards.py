"""Shards of a stream: who descends from whom, and how far each was read, as one short text for the log."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from watchband.core.errors import PermanentError

END = "END"
"""A shard that was closed by a split or merge, read to its last record."""
BEGIN = "TRIM_HORIZON"
AT = "AT:"
"""Before the time in ms that follows, nothing is read."""
NEVER = -(2**62)
_AT = re.compile(rf"\d{{1,60}}|{END}|{BEGIN}|{AT}-?\d{{1,16}}")


@dataclass(frozen=True, slots=True)
class Shard:
    """One shard.

    Parameters
    ----------
    id : str
        As Kinesis calls it.
    parents : tuple of str
        The shard that was split, or the two that were merged.
    first, last : int
        Range of hash keys, both included.
    """

    id: str
    parents: tuple[str, ...] = ()
    first: int = 0
    last: int = 2**128 - 1


def shards_of(listed: Iterable[Mapping[str, Any]]) -> dict[str, Shard]:
    """Shards as ListShards names them, by id."""
    found = {}
    for one in listed:
        parents = tuple(p for p in (one.get("ParentShardId"), one.get("AdjacentParentShardId")) if p)
        keys = one.get("HashKeyRange") or {}
        first, last = int(keys.get("StartingHashKey", 0)), int(keys.get("EndingHashKey", 2**128 - 1))
        found[str(one["ShardId"])] = Shard(str(one["ShardId"]), parents, first, last)
    return dict(sorted(found.items()))


def readable(shard: Shard, shards: Mapping[str, Shard], at: Mapping[str, str]) -> bool:
    """Whether a shard may be read: its parents are read to their ends, or Kinesis has forgotten them."""
    return all(parent not in shards or at.get(parent) == END for parent in shard.parents)


def first_place(shard: Shard, at: Mapping[str, str], start: str) -> str:
    """Where a shard that was never read begins: a child of one that was, with its first record."""
    return BEGIN if any(parent in at for parent in shard.parents) else start


def further(one: str | None, other: str | None) -> str:
    """The further of two places in one shard; none: nobody was there.

    Examples
    --------
    >>> further("9", "10"), further(END, "10"), further(BEGIN, "1"), further(None, "AT:5")
    ('10', 'END', '1', 'AT:5')
    """
    return max(one or "", other or "", key=_rank)


def _rank(place: str) -> tuple[int, int]:
    if place.isdigit():
        return 2, int(place)
    return (3 if place == END else 1 if place else 0), 0


@dataclass
class Place:
    """How far a stream was read.

    Parameters
    ----------
    began : int
        When it was first read, ns; records that were in the stream before are the past.
    mark : int
        Watermark, ns.
    at : dict of str to str
        By shard the number of its last record, ``END``, or where it begins.
    """

    began: int
    mark: int = NEVER
    at: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return json.dumps([self.began, self.mark, self.at], separators=(",", ":"))

    @classmethod
    def parse(cls, text: str) -> Place:
        """The inverse of ``str``.

        Raises
        ------
        PermanentError
            No position of this kind of source.
        """
        try:
            began, mark, at = json.loads(text)
            found = cls(int(began), int(mark), {str(shard): str(place) for shard, place in at.items()})
            if not all(_AT.fullmatch(place) for place in found.at.values()):
                raise ValueError("no place")
        except (ValueError, TypeError, AttributeError, RecursionError):
            raise PermanentError(
                f"The position {text[:80]!r} is none of a Kinesis stream. Was the source of this name of another kind? "
                "Give it another name."
            ) from None
        return found
