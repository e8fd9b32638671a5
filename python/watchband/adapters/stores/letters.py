"""The outbox as an operator sees it, in whichever store: looked at and changed beside the process that delivers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from watchband.adapters.stores.rows import notice_of
from watchband.core.ports import Notice

COLUMNS = "body, revision, sink, tries, due, error, dead, made"


@dataclass(frozen=True)
class Letter:
    """A notice that is not delivered.

    Parameters
    ----------
    notice : Notice
        With tries, due time and error.
    dead : bool
        It was given up.
    made : int
        When it came into being, ns UTC.
    """

    notice: Notice
    dead: bool
    made: int

    @property
    def row(self) -> tuple[str, int, str, bool]:
        """Alert, revision, sink, dead: one that was delivered, given up or revived meanwhile has another."""
        return self.notice.alert.id, self.notice.revision, self.notice.sink, self.dead


class Letters(ABC):
    """Notices in the outbox of a store, dead and waiting ones.

    May be used while ``watchband serve`` runs on it: every change is a transaction, and the courier sees it at its next
    look.
    """

    def all(self, *, dead: bool | None = None, sink: str = "", ids: Collection[str] = ()) -> Sequence[Letter]:
        """Notices oldest first: only dead ones, only waiting ones or both; of a sink; with these ids.

        An id is that of a notice, or that of an alert for all of its notices.
        """
        letters = [Letter(notice_of(*row[:6]), bool(row[6]), row[7]) for row in self.rows()]
        return [
            letter
            for letter in letters
            if dead in (None, letter.dead)
            and sink in ("", letter.notice.sink)
            and (not ids or letter.notice.id in ids or letter.notice.alert.id in ids)
        ]

    @abstractmethod
    def rows(self) -> Sequence[tuple[Any, ...]]:
        """``COLUMNS`` of every notice, oldest first."""

    @abstractmethod
    def retry(self, letters: Sequence[Letter]) -> int:
        """Have these delivered now, dead ones too; the number that were still there."""

    @abstractmethod
    def drop(self, letters: Sequence[Letter]) -> int:
        """Never deliver these; the number that were still there."""
