"""What people did about incidents, kept in the store and at hand in memory."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

from watchband.core.acts import Act, Handling
from watchband.core.ports import Store

RECENT_MAX = 10_000


class Acting:
    """Acts as they come, and what is known of each target by them.

    Parameters
    ----------
    store : Store
        Where they are durable before anybody is told that they are done.
    """

    def __init__(self, store: Store) -> None:
        self.store, self._lock = store, threading.Lock()
        self._acts: dict[str, list[Act]] = {}
        self._recent: list[Act] = []
        for act in store.acts():
            self._note(act)

    def do(self, act: Act) -> Act:
        """Write down an act; it holds when this returns."""
        done = self.store.act(act)
        with self._lock:
            self._note(done)
        return done

    def _note(self, act: Act) -> None:
        self._acts.setdefault(act.target, []).append(act)
        self._recent.append(act)
        del self._recent[:-RECENT_MAX]

    def of(self, targets: Iterable[str]) -> Handling:
        """What was done about any of these targets, which are one by now."""
        with self._lock:
            return Handling.of([act for target in targets for act in self._acts.get(target, ())])

    def recent(self) -> Sequence[Act]:
        """The last acts, the newest first."""
        with self._lock:
            return self._recent[::-1]
