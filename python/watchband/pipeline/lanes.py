"""A lane of delivery: one sink, its order and pace, and how it does."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from watchband.core.ports import Notice, Sink
from watchband.pipeline.pace import Bucket


@dataclass
class Lane:
    """One sink and how it does.

    Parameters
    ----------
    sink : Sink
        Who is told.
    pace : Bucket
        How fast it may be told.
    pause : int
        Nothing is tried before this time, ns UTC.
    failures : int
        Tries that failed since it last took something.
    failing : int
        Since when, ns UTC; 0 while it does not.
    refused : bool
        It failed for good: until it takes another notice, or until nothing of its is a dead letter any more.
    busy : int
        Since when it is being told something, ns UTC; 0 while it is not.
    error : str
        What the last failure was.
    tended : int
        When it was last tended, ns UTC.
    ended : bool
        Nobody is to be told any more: the sink was exchanged.
    unnoted : list of Notice
        What the sink took and the store could not note yet: it must not be told a second time meanwhile.
    """

    sink: Sink
    pace: Bucket
    pause: int = 0
    failures: int = 0
    failing: int = 0
    refused: bool = False
    busy: int = 0
    error: str = ""
    tended: int | None = None
    ended: bool = False
    awake: threading.Event = field(default_factory=threading.Event, repr=False)
    unnoted: list[Notice] = field(default_factory=list, repr=False)


def lane_of(sink: Sink) -> Lane:
    """The lane of a sink that has not been told anything yet."""
    return Lane(sink, Bucket(getattr(sink, "per_minute", 0)))


def let_go(sink: Sink) -> None:
    """Close a sink that can be closed."""
    close = getattr(sink, "close", None)
    if close is not None:
        close()
