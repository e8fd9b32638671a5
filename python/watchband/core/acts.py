"""Acts: what people did, in the order in which they did it. The audit log, and what is known of each incident by it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

Deed = Literal[
    "acknowledge",
    "unacknowledge",
    "snooze",
    "note",
    "retry",
    "reload",
    "window",
    "deploy",
    "revert",
    "approve",
    "retrain",
    "promote",
    "refuse",
    "roll back",
    "create key",
    "revoke key",
    "task",
    "sign in",
    "sign out",
    "sign in refused",
]
TEXT_MAX = 4000


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that somebody did.

    Parameters
    ----------
    time : int
        When, ns UTC.
    by : str
        Who: the name of a token, or ``local``.
    deed : str
        What was done.
    target : str
        To what: an alert, a notice, a window; empty for the whole service.
    text : str
        What they said.
    until : int
        Of a snooze, when it ends, ns UTC.
    number : int
        Its place, given by the store from 1.
    """

    time: int
    by: str
    deed: Deed
    target: str = ""
    text: str = ""
    until: int = 0
    number: int = 0


@dataclass(frozen=True, slots=True)
class Handling:
    """What people have done about one incident so far.

    Parameters
    ----------
    acknowledged : Act or None
        The act by which somebody took it on.
    snoozed : Act or None
        The last act by which somebody put it off.
    notes : tuple of Act
        In their order.
    """

    acknowledged: Act | None = None
    snoozed: Act | None = None
    notes: tuple[Act, ...] = ()

    @classmethod
    def of(cls, acts: Iterable[Act]) -> Handling:
        """What these acts amount to, in the order in which they were done.

        Examples
        --------
        >>> ann, bob = Act(1, "ann", "acknowledge", "a", number=1), Act(2, "bob", "acknowledge", "a", number=2)
        >>> found = Handling.of([Act(3, "bob", "note", "a", "disk", number=3), bob, ann])
        >>> found.acknowledged.by, [note.text for note in found.notes]
        ('ann', ['disk'])
        """
        found = cls()
        for act in sorted(acts, key=lambda act: act.number):
            found = found.after(act)
        return found

    @property
    def snoozed_until(self) -> int:
        """When it asks for somebody again, ns UTC; 0: it was not put off."""
        return self.snoozed.until if self.snoozed else 0

    def after(self, act: Act) -> Handling:
        """The same after one more act."""
        if act.deed == "acknowledge":
            return replace(self, acknowledged=self.acknowledged or act)
        if act.deed == "unacknowledge":
            return replace(self, acknowledged=None)
        if act.deed == "snooze":
            return replace(self, snoozed=act)
        return replace(self, notes=(*self.notes, act)) if act.deed == "note" else self
