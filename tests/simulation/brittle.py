"""What surrounds the runner and fails: a store and sinks, before a call takes effect, behind it, or for good."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from watchband.core.errors import PermanentError, TransientError
from watchband.core.ports import Batch, Commit, Notice, Store


class Crash(BaseException):
    """The process ends here; whatever it had in memory is gone."""


@dataclass
class Fate:
    """Decides what fails: a share of the calls, never too many in a row, nothing once it is calm.

    ``crashes`` of the failures are the end of the process.
    """

    random: random.Random
    share: float = 0.0
    crashes: float = 0.0
    calm: bool = False
    row: int = 0
    trace: list[str] = field(default_factory=list)

    def strikes(self, what: str, when: str) -> None:
        """Raise, or not."""
        if self.calm or self.row >= 3 or self.random.random() >= self.share / 2:
            self.row = 0 if when == "behind" else self.row
            return
        self.row += 1
        if self.random.random() < self.crashes:
            self.trace.append(f"  crash {when} {what}")
            raise Crash
        self.trace.append(f"  failure {when} {what}")
        raise TransientError(f"{what} failed")


TOUCHED = (
    "positions",
    "head",
    "fold",
    "adopt",
    "forget",
    "snapshot",
    "restore",
    "outbox",
    "delivered",
    "postponed",
    "told",
)


class BrittleStore:
    """A store between whose calls anything may happen.

    Attributes
    ----------
    attempt : sequence of (str, Batch)
        What the runner folds at the moment.
    applied : dict of int to sequence of (str, Batch)
        What each entry of the log was made of.
    """

    def __init__(self, inner: Store, fate: Fate) -> None:
        self.inner, self.fate = inner, fate
        self.attempt: Sequence[tuple[str, Batch]] = ()
        self.applied: dict[int, Sequence[tuple[str, Batch]]] = {}

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.inner, name)
        if name not in TOUCHED:
            return method

        def call(*args: Any, **named: Any) -> Any:
            self.fate.strikes(name, "before")
            answer = method(*args, **named)
            self.fate.strikes(name, "behind")
            return answer

        return call

    def commit(self, commit: Commit) -> None:
        """Append, note what it was made of."""
        self.fate.strikes("commit", "before")
        self.inner.commit(commit)
        self.applied[commit.sequence] = self.attempt
        self.fate.strikes("commit", "behind")

    def log(self, shard: str, after: int) -> Iterator[Commit]:
        """Fails before, or on the way."""
        self.fate.strikes("log", "before")
        for entry in self.inner.log(shard, after):
            yield entry
            if self.fate.random.random() < 0.05:
                self.fate.strikes("log", "behind")


class BrittleSink:
    """Keeps what it was told; refuses, or takes it and says that it did not."""

    def __init__(self, name: str, fate: Fate) -> None:
        self.name, self.fate = name, fate
        self.first: dict[str, Notice] = {}
        self.repeats = 0
        self.refused = 0

    def write(self, notice: Notice) -> None:
        """Take a notice, or fail on either side of it."""
        self.fate.strikes(f"sink {self.name}", "before")
        if not self.fate.calm and self.fate.random.random() < self.fate.share / 20:
            self.refused += 1
            raise PermanentError("never")
        if notice.id in self.first:
            self.repeats += 1
            before = self.first[notice.id].alert
            assert before.to_dict() == notice.alert.to_dict(), f"{notice.id} was told twice and differs"
        else:
            self.first[notice.id] = notice
        self.fate.strikes(f"sink {self.name}", "behind")


class HandClock:
    """Time passes when somebody sleeps, or when it is told to."""

    def __init__(self, time: int) -> None:
        self.time = time

    def now(self) -> int:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += int(seconds * 1e9)
