"""Rounds: work that comes again every some seconds, in a thread of its own, until it is ended."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from watchband.core.errors import WatchbandError

PATIENCE_S = 5.0


class Rounds:
    """A thread that does a piece of work again and again.

    Parameters
    ----------
    name : str
        Of the thread.
    work : callable
        What is done; it deals with its own failures, since one that came through would end the rounds.
    every_s : float
        Pause before each.

    Attributes
    ----------
    ended : threading.Event
        Set when it is to end: work that takes long looks at it, and pauses by it.
    """

    def __init__(self, name: str, work: Callable[[], object], every_s: float) -> None:
        self.ended = threading.Event()
        self._work, self._every_s = work, every_s
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin, with a pause."""
        self._thread.start()

    def stop(self, patience_s: float = PATIENCE_S) -> None:
        """End, after the piece that is under way; one that takes longer than ``patience_s`` is left alone."""
        self.ended.set()
        if self._thread.ident is not None:
            self._thread.join(patience_s)

    def _run(self) -> None:
        while not self.ended.wait(self._every_s):
            self._work()


def complained(log: logging.Logger, what: str, error: Exception, before: str) -> str:
    """Why a piece of work failed, logged once as long as the reason stays the same.

    Parameters
    ----------
    log : logging.Logger
        Where; with a trace if nobody thought of this failure.
    what : str
        What could not be done.
    error : Exception
        Why.
    before : str
        What this function said of the failure before; empty: there was none.
    """
    said = str(error) or type(error).__name__
    if said != before:
        log.warning("%s, trying again: %s", what, said, exc_info=not isinstance(error, WatchbandError | OSError))
    return said
