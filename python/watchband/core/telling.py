"""What a sink may do besides ``write``: take several notices at once, keep dead letters, be looked at beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from watchband.core.errors import WatchbandError
from watchband.core.ports import Notice


@runtime_checkable
class Batching(Protocol):
    """A sink that takes up to ``at_once`` notices in one call."""

    name: str
    at_once: int

    def write_all(self, notices: Sequence[Notice]) -> Sequence[WatchbandError | None]:
        """What became of each, in order: None where it was taken; raises as ``write`` does where none was."""


@runtime_checkable
class Burying(Protocol):
    """A sink that takes, where it ``buries``, what could not be delivered to others."""

    name: str
    buries: bool

    def bury(self, notice: Notice, error: str) -> None:
        """Take a dead letter of the sink ``notice.sink``; fails as ``write`` does.

        Called by the thread of the sink that failed, before the store calls it a dead letter; by several at a time.
        """


@runtime_checkable
class Verifying(Protocol):
    """A sink that can look whether its other side is there, and may be used, without telling it anything."""

    name: str

    def verify(self) -> str:
        """What it found, in a few words; fails as ``write`` does."""
