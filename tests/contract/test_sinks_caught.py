"""Each check of sinks catches a sink that does not keep it; a plain good one passes them all."""

from __future__ import annotations

import html
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import pytest

from watchband.adapters.sinks.message import event_of, message_of
from watchband.core import params
from watchband.core.clock import Clock
from watchband.core.errors import PermanentError, TransientError
from watchband.core.kinds import SecretText
from watchband.core.params import Maybe, param
from watchband.core.ports import Notice, Sink
from watchband.core.secret import Secret
from watchband.testing.contracts import sink as contract
from watchband.testing.contracts.sink import BUSY_S, Arrived, Check, Mood, check_sink

TOKEN = "tok-0123456789"


@dataclass
class Box:
    """The other side."""

    mood: Mood = "well"
    taken: list[Arrived] = field(default_factory=list)


@dataclass(frozen=True)
class Settings:
    """Of the good sink."""

    kind: ClassVar[str] = "box"
    token: Secret | None = param(None, Maybe(SecretText()), "A token.")

    def __post_init__(self) -> None:
        params.check(self)

    def open(self, name: str, *, clock: Clock) -> Sink:
        raise AssertionError("not used")


class Good:
    """Puts a page in the box."""

    def __init__(self, box: Box) -> None:
        self.name, self.box, self._token = "good", box, Secret(TOKEN)

    def write(self, notice: Notice) -> None:
        errors = {
            "busy": TransientError("busy", retry_after=BUSY_S),
            "broken": TransientError("broken"),
            "gone": TransientError("gone"),
            "refusing": PermanentError("no"),
        }
        if self.box.mood != "well":
            raise self.failure(errors[self.box.mood])
        self.box.taken.append(Arrived(self.key(notice), self.text(notice)))

    def failure(self, error: Exception) -> Exception:
        return error

    def key(self, notice: Notice) -> str:
        return notice.id

    def text(self, notice: Notice) -> str:
        message = message_of(notice)
        labels = notice.alert.series.labels.get("label", "")
        return f"<p>{html.escape(message.headline)}</p><p>{html.escape(labels)}</p>"


class Rig:
    """The good sink's, or that of a sink given to it."""

    settings: type = Settings
    secrets: Sequence[str] = (TOKEN,)
    knows_repeats = says_when = True
    moods: Sequence[Mood] = ("busy", "broken", "gone", "refusing")

    def __init__(self, made: type[Good] = Good) -> None:
        self.box, self.made = Box(), made

    def sink(self) -> Sink:
        return self.made(self.box)

    def mood(self, mood: Mood) -> None:
        self.box.mood = mood

    def arrived(self) -> Sequence[Arrived]:
        return self.box.taken

    def harmless(self, arrived: Arrived, notice: Notice) -> None:
        assert arrived.text.count("<") == 4, "markup of a label"


def test_a_good_sink_passes() -> None:
    check_sink(Rig)


class Silent(Good):
    def write(self, notice: Notice) -> None:
        if self.box.mood != "well":
            super().write(notice)


class NeverEnds(Good):
    def text(self, notice: Notice) -> str:
        return f"<p>{notice.alert.series.metric}</p><p></p>"


class SaysTheEndAtOnce(Good):
    def text(self, notice: Notice) -> str:
        return super().text(notice) + "resolved"


class SaysNotWhat(Good):
    def text(self, notice: Notice) -> str:
        return event_of(notice)


class NewKeys(Good):
    numbers = itertools.count()

    def key(self, notice: Notice) -> str:
        return str(next(self.numbers))


class NoKeys(Good):
    def key(self, notice: Notice) -> str:
        return ""


class OneKeyAnAlert(Good):
    def key(self, notice: Notice) -> str:
        return notice.alert.id


class ChangingRepeats(Good):
    numbers = itertools.count()

    def text(self, notice: Notice) -> str:
        return f"{next(self.numbers)} {super().text(notice)}"


class AsksAtOnce(Good):
    def failure(self, error: Exception) -> Exception:
        return TransientError("busy") if isinstance(error, TransientError) else error


class GivesUpOnBusy(Good):
    def failure(self, error: Exception) -> Exception:
        return PermanentError(str(error)) if str(error) == "busy" else error


class GivesUpOnBroken(Good):
    def failure(self, error: Exception) -> Exception:
        return PermanentError(str(error)) if str(error) in ("broken", "gone") else error


class Swallows(Good):
    def write(self, notice: Notice) -> None:
        if self.box.mood == "well":
            super().write(notice)


class StaysBroken(Good):
    def write(self, notice: Notice) -> None:
        if self.box.mood == "well":
            return
        super().write(notice)


class NeverGivesUp(Good):
    def failure(self, error: Exception) -> Exception:
        return TransientError(str(error))


class ShowsTheTokenInErrors(Good):
    def failure(self, error: Exception) -> Exception:
        return type(error)(f"{error}: {self._token.reveal()}")


class HidesTheTokenInTheCause(Good):
    def failure(self, error: Exception) -> Exception:
        error.__cause__ = ValueError(self._token.reveal())
        return error


class ShowsTheToken(Good):
    def __repr__(self) -> str:
        return f"Sink({self._token.reveal()})"


class KeepsTheTokenOpen(Good):
    def __init__(self, box: Box) -> None:
        super().__init__(box)
        self.token = TOKEN


class SendsTheToken(Good):
    def text(self, notice: Notice) -> str:
        return f"{super().text(notice)} {TOKEN}"


class DoesNotEscape(Good):
    def text(self, notice: Notice) -> str:
        return html.unescape(super().text(notice))


class CannotTakeLongOnes(Good):
    def write(self, notice: Notice) -> None:
        if len(str(notice.alert.series)) < 10_000:
            super().write(notice)


class StrictJson(Good):
    def text(self, notice: Notice) -> str:
        return json.dumps([super().text(notice), notice.alert.value], allow_nan=False)


class KnowsFewKinds(Good):
    def text(self, notice: Notice) -> str:
        return {"value": super().text(notice), "level": "", "pattern": ""}[notice.alert.kind]


BROKEN: list[tuple[str, type[Good]]] = [
    ("told", Silent),
    ("told", NeverEnds),
    ("told", SaysTheEndAtOnce),
    ("told", SaysNotWhat),
    ("repeat", NewKeys),
    ("repeat", NoKeys),
    ("repeat", OneKeyAnAlert),
    ("repeat", ChangingRepeats),
    ("busy", AsksAtOnce),
    ("busy", GivesUpOnBusy),
    ("busy", Swallows),
    ("busy", ShowsTheTokenInErrors),
    ("busy", HidesTheTokenInTheCause),
    ("broken", GivesUpOnBroken),
    ("broken", Swallows),
    ("broken", StaysBroken),
    ("refusing", NeverGivesUp),
    ("refusing", ShowsTheTokenInErrors),
    ("hostile", DoesNotEscape),
    ("hostile", CannotTakeLongOnes),
    ("numbers", StrictJson),
    ("kinds", KnowsFewKinds),
    ("secrets", ShowsTheToken),
    ("secrets", KeepsTheTokenOpen),
    ("secrets", SendsTheToken),
]


@pytest.mark.parametrize(("name", "made"), BROKEN, ids=lambda value: getattr(value, "__name__", value))
def test_a_broken_sink_is_caught(name: str, made: type[Good]) -> None:
    check: Check = getattr(contract, f"check_{name}")
    with pytest.raises((AssertionError, ValueError, KeyError)):
        check(Rig(made))


@dataclass(frozen=True)
class Undeclared:
    """Settings with a field that no configuration reaches."""

    kind: ClassVar[str] = "box"
    hidden: int = 5


@dataclass(frozen=True)
class Nameless:
    """Settings without a kind."""


@dataclass(frozen=True)
class Wordless:
    """A parameter that explains nothing."""

    kind: ClassVar[str] = "box"
    token: Secret | None = param(None, Maybe(SecretText()), "")


@pytest.mark.parametrize("settings", [Undeclared, Nameless, Wordless])
def test_settings_that_say_too_little_are_caught(settings: type) -> None:
    rig = Rig()
    rig.settings = settings
    with pytest.raises(AssertionError):
        contract.check_settings(rig)


def test_each_check_catches_something() -> None:
    assert {name for name, _ in BROKEN} | {"settings"} == {check.__name__[6:] for check in contract.CHECKS}
