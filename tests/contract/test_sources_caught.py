"""Each check of the sources' contract catches the source that was broken for it: a check that cannot fail is none."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
import pytest

from watchband.core.clock import Clock
from watchband.core.duration import SECOND
from watchband.core.errors import PermanentError, TransientError
from watchband.core.events import WatermarkMoved
from watchband.core.params import Text, param
from watchband.core.ports import Batch, Readings
from watchband.core.series import SeriesKey
from watchband.testing.contracts.source import CHECKS, check_source
from watchband.testing.contracts.source_rig import HUGE, PERMANENT, TRANSIENT, Rig

SECRET = "hunter2"
KEYS = [SeriesKey("cpu", {"host": h}) for h in "ab"]
BEGIN = 1_000 * SECOND
HISTORY = 3
Item = tuple[int, int, object]
log = logging.getLogger("watchband.test")


@dataclass
class World:
    """A list of items, an outside that fails on demand, and who asked when."""

    items: list[Item] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)
    failures: int = 0
    over: bool = False


class Sound:
    """Keeps the contract: items by their number, three at a time."""

    def __init__(self, settings: ListSettings, name: str, clock: Clock) -> None:
        self.settings, self.name, self.clock, self.world = settings, name, clock, settings.world
        self.closed, self.refused = False, 0

    def read(self, position: str | None = None) -> Iterator[Batch]:
        at = int(position or 0)
        while not self.closed:
            items = self.ask(at)
            if items:
                at += len(items)
                yield self.batch(at, items)
            elif self.world.over:
                # The test that it failed is over.
                return
            else:
                self.clock.sleep(0.2)

    def ask(self, at: int) -> list[Item]:
        self.world.requests.append(self.clock.now())
        if self.world.faults:
            self.failed(self.world.faults.pop(0))
        end = at + 3 if at >= HISTORY else HISTORY
        return self.world.items[at:end]

    def failed(self, fault: str) -> None:
        if fault in PERMANENT:
            raise PermanentError(f"the list answered {fault}")
        error = TransientError(f"the list: {fault}")
        error.retry_after = 7.0 if fault == "429" else None  # type: ignore[attr-defined]
        raise error

    def batch(self, at: int, items: list[Item]) -> Batch:
        readings = []
        for series, time, value in items:
            if isinstance(value, float):
                readings.append(self.reading(KEYS[series], time, value))
            else:
                self.refused += 1
        mark = max(time for _, time, _ in items) - SECOND
        return Batch(readings, str(at), (WatermarkMoved(mark),), at <= HISTORY)

    def reading(self, key: SeriesKey, time: int, value: float) -> Readings:
        return Readings(key, np.array([time], np.int64), np.array([value]))

    def close(self) -> None:
        self.closed = True


@dataclass(frozen=True)
class ListSettings:
    """Settings of the list; the world is no parameter."""

    kind: ClassVar[str] = "list"
    made: ClassVar[type[Sound]] = Sound
    world: ClassVar[World]
    title: str = param("items", Text(), "What it is called.")

    def open(self, name: str, *, clock: Clock) -> Sound:
        return self.made(self, name, clock)


class ListRig(Rig):
    """Nine good items and two bad ones."""

    bad, faults, secret = 2, (*TRANSIENT, *PERMANENT, HUGE), SECRET
    history_until = BEGIN + HISTORY * SECOND

    def __init__(self, made: type[Sound], settings: type[ListSettings] = ListSettings) -> None:
        super().__init__()
        self.world = World(requests=self.requests)
        self.settings = type("S", (settings,), {"made": made, "world": self.world})()
        for k in range(11):
            self.add("seven" if k in (4, 7) else float(k))

    def add(self, value: object) -> None:
        k = len(self.world.items)
        time = BEGIN + k * SECOND
        self.world.items.append((k % 2, time, value))
        if isinstance(value, float):
            self.expected.append((str(KEYS[k % 2]), time, value))

    def more(self) -> None:
        self.add(99.0)

    def close(self) -> None:
        self.world.over = True

    def fail(self, fault: str) -> None:
        self.world.faults.append(fault)


class BreaksReads(Sound):
    """Times as numbers of any kind."""

    def reading(self, key: SeriesKey, time: int, value: float) -> Readings:
        return Readings(key, np.array([float(time)]), np.array([value]))  # type: ignore[arg-type]


class BreaksResumes(Sound):
    """Begins one item too early, but not from where it ended."""

    def read(self, position: str | None = None) -> Iterator[Batch]:
        return super().read(str(int(position) - 1) if position and int(position) < 9 else position)


class BreaksGoesOn(Sound):
    """Repeats the last batch of all."""

    def read(self, position: str | None = None) -> Iterator[Batch]:
        return super().read("9" if position == "11" else position)


class BreaksWatermark(Sound):
    """Says what it has not seen."""

    def batch(self, at: int, items: list[Item]) -> Batch:
        return replace(super().batch(at, items), events=(WatermarkMoved(items[-1][1] + 2 * SECOND),))


class BreaksHistory(Sound):
    """Takes everything of a first read for history."""

    def batch(self, at: int, items: list[Item]) -> Batch:
        return replace(super().batch(at, items), history=True)


class BreaksBad(Sound):
    """One bad item takes its batch with it."""

    def batch(self, at: int, items: list[Item]) -> Batch:
        batch = super().batch(at, items)
        return batch if len(batch.readings) == len(items) else replace(batch, readings=())


class BreaksCloses(Sound):
    """Looks at nothing but its own list."""

    def close(self) -> None:
        pass


class BreaksFaults(Sound):
    """Comes again at once, whatever the outside says."""

    def failed(self, fault: str) -> None:
        if fault == "429":
            raise TransientError("again")
        super().failed(fault)


class BreaksSecret(Sound):
    """Logs what it was sent."""

    def failed(self, fault: str) -> None:
        log.debug("the list answered %s to Bearer %s", fault, SECRET)
        super().failed(fault)


class BreaksSettings(Sound):
    """Takes another name."""

    def __init__(self, settings: ListSettings, name: str, clock: Clock) -> None:
        super().__init__(settings, "list", clock)


class BreaksUntouched(Sound):
    """Looks whether anybody is there."""

    def __init__(self, settings: ListSettings, name: str, clock: Clock) -> None:
        super().__init__(settings, name, clock)
        self.world.requests.append(clock.now())


BROKEN: dict[str, type[Sound]] = {
    "reads": BreaksReads,
    "resumes": BreaksResumes,
    "goes_on": BreaksGoesOn,
    "watermark": BreaksWatermark,
    "history": BreaksHistory,
    "bad": BreaksBad,
    "closes": BreaksCloses,
    "faults": BreaksFaults,
    "secret": BreaksSecret,
    "settings": BreaksSettings,
    "untouched": BreaksUntouched,
}


class SilentlyPermanent(Sound):
    """Tries what only a person can mend for ever."""

    def failed(self, fault: str) -> None:
        if fault not in PERMANENT:
            super().failed(fault)


class Forgetful(Sound):
    """Loses the first batch after a failure."""

    def failed(self, fault: str) -> None:
        self.world.failures += 1
        super().failed(fault)

    def batch(self, at: int, items: list[Item]) -> Batch:
        lost, self.world.failures = self.world.failures, 0
        batch = super().batch(at, items)
        return replace(batch, readings=()) if lost else batch


class SecretInTheCause(Sound):
    """Hides the secret where only a traceback shows it."""

    def failed(self, fault: str) -> None:
        try:
            raise ValueError(f"Bearer {SECRET}")
        except ValueError as error:
            raise TransientError("the list does not answer") from error


@dataclass(frozen=True)
class OddSettings(ListSettings):
    """Changes what it was given."""

    title: str = param("items", Text(), "What it is called.")

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", self.title + "!")


def test_a_sound_source_passes() -> None:
    check_source(lambda: ListRig(Sound))


def test_every_check_has_its_broken_source() -> None:
    assert BROKEN.keys() == CHECKS.keys()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watchband.testing.contracts.source_rig.LIMIT_S", 2.0)
    monkeypatch.setattr("watchband.testing.contracts.source.CLOSE_S", 2.0)


@pytest.mark.parametrize("check", CHECKS)
def test_check_catches(check: str) -> None:
    with pytest.raises(AssertionError):
        CHECKS[check](lambda: ListRig(BROKEN[check]))


@pytest.mark.parametrize("made", [SilentlyPermanent, Forgetful])
def test_faults_are_neither_hidden_nor_paid_for_with_readings(made: type[Sound]) -> None:
    with pytest.raises(AssertionError):
        CHECKS["faults"](lambda: ListRig(made))


def test_a_secret_in_a_traceback_is_found() -> None:
    with pytest.raises(AssertionError, match="secret shows"):
        CHECKS["secret"](lambda: ListRig(SecretInTheCause))


def test_settings_that_change_their_values_are_found() -> None:
    with pytest.raises(AssertionError, match="differ"):
        CHECKS["settings"](lambda: ListRig(Sound, OddSettings))


def test_the_check_is_named() -> None:
    with pytest.raises(AssertionError, match="breaks 'watermark'"):
        check_source(lambda: ListRig(BreaksWatermark))
