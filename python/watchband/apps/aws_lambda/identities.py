"""Identities of records: a batch that comes again, whole or in part, is known by what is in it.

The position of an entry is the list of its records' identities, eight bytes each. It is kept in the entry itself, so
what was folded and what is known of it become durable together. Order does not matter, nor where a retry begins.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence

from watchband.core.errors import PermanentError

SIZE = 8
"""Bytes: of 20,000 known ones and a billion that come, one is taken for another once in a thousand such billions."""
KNOWN_MAX = 20_000
ENTRIES = 256
"""Entries whose records are known again after a restart; what is older is known by its times."""


def identity(*parts: str) -> bytes:
    """The identity of a record by what names it.

    Examples
    --------
    >>> identity("shardId-0", "17") == identity("shardId-0", "17"), len(identity("a"))
    (True, 8)
    """
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=SIZE).digest()


def position_of(ids: Sequence[bytes]) -> str:
    """Identities as the position of an entry."""
    return "i" + base64.b64encode(b"".join(ids)).decode()


def ids_in(positions: Iterable[str]) -> set[bytes]:
    """The identities in positions, the last ones first, up to ``KNOWN_MAX``.

    Raises
    ------
    PermanentError
        A position is of another kind of source.

    Examples
    --------
    >>> one, other = identity("1"), identity("2")
    >>> ids_in([position_of([one]), position_of([other])]) == {one, other}
    True
    """
    found: set[bytes] = set()
    for position in reversed(list(positions)):
        if not position.startswith("i"):
            raise PermanentError(
                f"The position {position[:60]!r} is none of a function. Was a source of this name read by a service? "
                "Give it another name."
            )
        data = base64.b64decode(position[1:])
        found.update(data[at : at + SIZE] for at in range(0, len(data), SIZE))
        if len(found) >= KNOWN_MAX:
            break
    return found
