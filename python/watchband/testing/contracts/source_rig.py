"""The outside world of a source under test, and how a service reads it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from watchband.core.clock import Clock
from watchband.core.errors import AdapterError, TransientError
from watchband.core.ports import Batch, Source, SourceSettings
from watchband.testing.clock import VirtualClock

Reading = tuple[str, int, float]
"""Series as text, time, value."""
T = TypeVar("T")

LIMIT_S = 30.0
"""A check that takes longer hangs."""
TRANSIENT = ("dies", "garbage", "slow", "503", "429")
"""Faults that pass: the connection breaks in the middle of an answer, nonsense, no answer in time, statuses."""
PERMANENT = ("401", "404")
"""Faults that only a person can mend: they are told."""
HUGE = "huge"
"""An answer without an end: given up after a bounded part of it."""
RETRY_AFTER_S = 7
"""What an outside says with a 429."""
TRIES_MAX = 20
BATCHES_MAX = 5_000
RESTART_S = 20.0
"""How long a process is away when it restarts, by the rig's clock."""


class Rig:
    """An outside world and the settings of a source over it. Subclass it for a source.

    Attributes
    ----------
    settings : SourceSettings
        Of the source; nothing is open yet.
    clock : VirtualClock
        Of outside and source.
    expected : list of Reading
        Every good reading that is there, in time order within a series.
    history_until : int
        Readings before this time (ns UTC) are the past at the first start; none by default.
    bad : int
        Items outside that are no readings.
    faults : tuple of str
        Which of ``TRANSIENT``, ``PERMANENT`` and ``HUGE`` this outside can have.
    secret : str
        What the source proves itself by, if anything; the outside repeats it in answers that fail.
    requests : list of int
        When the source asked for something, ns of ``clock``.
    resumes : bool
        Whether what was not read can be read later: False of a source that only knows the present.
    """

    settings: SourceSettings
    history_until: int = -(2**63)
    bad: int = 0
    faults: tuple[str, ...] = ()
    secret: str = ""
    resumes: bool = True

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.expected: list[Reading] = []
        self.requests: list[int] = []

    def open(self, clock: Clock | None = None) -> Source:
        """A new source over the same outside."""
        return self.settings.open("rig", clock=clock or self.clock)

    def more(self) -> None:
        """More good readings outside, later than all others; add them to ``expected``."""
        raise NotImplementedError

    def fail(self, fault: str) -> None:
        """The next answer fails in this way. Only for the faults that it says it has."""
        raise NotImplementedError

    def close(self) -> None:
        """Take the outside down."""


class Play:
    """Reads a rig as the service does: keeps batches, comes again after a failure, restarts where it is told to.

    Parameters
    ----------
    rig : Rig
    restart : callable, default never
        Given how many batches are kept: ``""`` goes on, ``"restart"`` ends the process after this batch, ``"lose"`` in
        the middle of the next one, which is not kept.
    """

    def __init__(self, rig: Rig, restart: Callable[[int], str] = lambda kept: "") -> None:
        self.rig, self.restart = rig, restart
        self.kept: list[Batch] = []
        self.errors: list[AdapterError] = []
        self.source: Source | None = None
        self._given_up = False

    @property
    def readings(self) -> list[Reading]:
        """Everything kept, in order."""
        return [one for batch in self.kept for one in readings_of(batch)]

    @property
    def position(self) -> str | None:
        """Of the last batch that has one."""
        return next((b.position for b in reversed(self.kept) if b.position), None)

    def run(self) -> Play:
        """Read until everything expected was seen; a PermanentError ends it."""
        within(self._run, "reading to the end", self._abort)
        return self

    def _abort(self) -> None:
        # Without this a source that repeats itself for ever would fill the memory behind the test that it failed.
        self._given_up = True
        if self.source is not None:
            self.source.close()

    def _run(self) -> None:
        lose = False
        while not self._given_up and self._missing():
            self.source = source = self.rig.open()
            batches: Iterator[Batch] = iter(())
            try:
                batches = source.read(self.position)
                for batch in batches:
                    if lose or self._given_up:
                        lose = False
                        break
                    self.kept.append(batch)
                    assert len(self.kept) <= BATCHES_MAX, (
                        f"{BATCHES_MAX} batches, and still missing: {self._missing()[:3]}"
                    )
                    action = self.restart(len(self.kept)) if self._missing() else "restart"
                    if action:
                        lose = action == "lose"
                        self.rig.clock.sleep(RESTART_S)
                        break
                else:
                    raise AssertionError(f"read ended by itself; missing: {self._missing()[:3]}")
            except TransientError as error:
                self.errors.append(error)
                if len(self.errors) >= TRIES_MAX:
                    raise AssertionError(f"it never recovers: {error}") from error
                self.rig.clock.sleep(getattr(error, "retry_after", None) or 1.0)
            except AdapterError as error:
                self.errors.append(error)
                return
            finally:
                getattr(batches, "close", lambda: None)()
                source.close()

    def _missing(self) -> list[tuple[str, int, str]]:
        return list((counted(self.rig.expected) - counted(self.readings)).elements())


def readings_of(batch: Batch) -> list[Reading]:
    """The readings of a batch, one by one."""
    return [
        (str(one.key), time, value)
        for one in batch.readings
        for time, value in zip(one.times.tolist(), one.values.tolist(), strict=True)
    ]


def same(found: Sequence[Reading], expected: Sequence[Reading], where: str) -> None:
    """Both have the same readings, each as often."""
    have, want = counted(found), counted(expected)
    missing, extra = sorted((want - have).elements()), sorted((have - want).elements())
    assert not missing + extra, f"{where}: missing {missing[:3]}, repeated or made up {extra[:3]}"


def within(work: Callable[[], T], what: str, abort: Callable[[], object] = lambda: None) -> T:
    """The result of some work, or AssertionError where it does not end."""
    found: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            found.append(work())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(LIMIT_S)
    if thread.is_alive():
        abort()
        thread.join(LIMIT_S / 3)
        raise AssertionError(f"{what} does not end within {LIMIT_S:g} s; {failed}")
    if failed:
        raise failed[0]
    return found[0]


def counted(readings: Sequence[Reading]) -> Counter[tuple[str, int, str]]:
    """How often each reading is there; values by their text, since NaN is not itself."""
    return Counter((series, time, repr(value)) for series, time, value in readings)
