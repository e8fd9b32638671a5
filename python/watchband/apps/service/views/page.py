"""Pages of a list: an opaque cursor goes on behind the last item, whatever came or went meanwhile."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from watchband.core.errors import ConfigError

T = TypeVar("T")
CURSOR_MAX = 4096


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Items, the cursor behind the last of them (None at the end), and how many there are in all."""

    items: Sequence[T]
    next: str | None
    total: int


def page_of(items: Sequence[T], key: Callable[[T], tuple[Any, ...]], limit: int, cursor: str | None) -> Page[T]:
    """The items behind a cursor.

    Parameters
    ----------
    items : sequence
        Sorted by ``key``, whose parts are numbers and texts; no two have the same.
    limit : int
        Most of them.
    cursor : str or None
        From the page before.

    Raises
    ------
    ConfigError
        No cursor of this list.

    Examples
    --------
    >>> first = page_of([1, 2, 3], lambda n: (n,), 2, None)
    >>> first.items, page_of([1, 2, 2.5, 3], lambda n: (n,), 2, first.next).items
    ([1, 2], [2.5, 3])
    """
    start = 0
    if cursor is not None:
        after = _read(cursor)
        try:
            start = next((k for k, item in enumerate(items) if key(item) > after), len(items))
        except TypeError:
            raise _refusal() from None
    shown = items[start : start + limit]
    more = start + limit < len(items)
    return Page(shown, _write(key(shown[-1])) if more and shown else None, len(items))


def _write(after: tuple[Any, ...]) -> str:
    return base64.urlsafe_b64encode(json.dumps(after).encode()).decode().rstrip("=")


def _read(cursor: str) -> tuple[Any, ...]:
    try:
        if len(cursor) > CURSOR_MAX:
            raise ValueError
        found = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        raise _refusal() from None
    if not isinstance(found, list) or not found:
        raise _refusal()
    return tuple(found)


def _refusal() -> ConfigError:
    return ConfigError("This is no cursor of this list. Give 'next' of the page before, or none to begin.")
