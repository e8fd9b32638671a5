"""Keys of series that were seen lately, by what stood for them; bounded."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Cache(Generic[K, V]):
    """A mapping that forgets what was not asked for while so many others were put in.

    Two halves: what is found in the old one moves to the new one, and a full new one becomes the old one. Any thread
    may use it; the worst that two of them do to each other is to make a key twice.

    Parameters
    ----------
    entries : int, default 50,000
        Of each half.
    text : int, default 2,000
        Length of what stands for a key; longer ones are not kept.

    Examples
    --------
    >>> cache = Cache(entries=1)
    >>> cache.put("a", 1), cache.put("b", 2), cache.get("a"), cache.get("c")
    (None, None, 1, None)
    """

    def __init__(self, entries: int = 50_000, text: int = 2_000) -> None:
        self._entries, self._text = entries, text
        self._new: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def __len__(self) -> int:
        return len(self._new) + len(self._old)

    def get(self, name: K) -> V | None:
        """What was put in, or None."""
        found = self._new.get(name)
        if found is None and (found := self._old.get(name)) is not None:
            self.put(name, found)
        return found

    def put(self, name: K, value: V) -> None:
        """Keep it for a while."""
        if (len(name) if isinstance(name, str | bytes) else len(repr(name))) > self._text:
            return
        if len(self._new) >= self._entries:
            self._new, self._old = {}, self._new
        self._new[name] = value
