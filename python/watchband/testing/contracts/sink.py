"""What every sink keeps, as checks. ``check_sink`` runs them all; authors of other sinks run it on theirs.

Each check takes a rig: a sink and another side that stands in for the real one, answers as it is told, and says what
arrived there.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from watchband.core import params
from watchband.core.alert import alert_id
from watchband.core.duration import MINUTE
from watchband.core.errors import TransientError, WatchbandError
from watchband.core.params import params_of
from watchband.core.ports import Notice, Sink, Stretch
from watchband.core.series import SeriesKey
from watchband.testing.contracts.outbox import an_alert

Mood = Literal["well", "busy", "broken", "refusing", "gone"]
BUSY_S = 7.0
"""Seconds that another side that is busy asks to wait."""
START = 1_772_370_120_000_000_000


@dataclass(frozen=True)
class Arrived:
    """One delivery as the other side has it.

    Parameters
    ----------
    key : str
        What it would know a repeat by; empty if it knows none.
    text : str
        All of it, decoded, as people or programs read it.
    """

    key: str
    text: str


class Rig(Protocol):
    """A sink and its other side.

    ``secrets`` are texts that stand in the sink's settings and must be shown nowhere. ``knows_repeats`` says whether
    the other side can tell a repeat from news, ``says_when`` whether one that is busy can say for how long,
    ``moods`` how it can fail. ``settings`` is the class of the sink's settings.
    """

    settings: type
    secrets: Sequence[str]
    knows_repeats: bool
    says_when: bool
    moods: Sequence[Mood]

    def sink(self) -> Sink:
        """A sink as if the process had just begun; the other side stays."""

    def mood(self, mood: Mood) -> None:
        """How the other side answers from now on."""

    def arrived(self) -> Sequence[Arrived]:
        """Everything that it took, in order."""

    def harmless(self, arrived: Arrived, notice: Notice) -> None:
        """AssertionError if a text of the series does anything there but stand there."""


Check = Callable[[Rig], None]

HOSTILE: Mapping[str, str] = {
    "quotes": """it's "quoted" \\ back\\"slash `tick` $HOME ${x} {{ .Label }} {% raw %} %s %(a)s""",
    "lines": "one\ntwo\r\nthree\rfour\x0bfive\x00six\x85seven\u2028eight",
    "header": "x\r\nBcc: victim@example.com\r\n\r\nbody",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)></td></table><style>*{display:none}</style><!--",
    "entities": "&lt;b&gt; &amp; &#x3c;script&#x3e;",
    "mrkdwn": "<!channel> <!everyone> <@U012AB3CD> <https://evil.example|click> *bold* _it_ ~no~ `code` ```block```",
    "markdown": "[click](https://evil.example) ![x](https://evil.example/p.png) # head\n> quote\n```\ncode",
    "right_to_left": "\u202etxt.exe \u05d0\u05d1\u05d2 \u0645\u0631\u062d\u0628\u0627 \u2067x",
    "emoji": "🔥👩\u200d👩\u200d👧 :smile: :@here: 🏴\U000e0067\U000e007f",
    "long": "x" * 50_000,
    "many_words": "word " * 5_000,
    "terminal": "\x1b[31mred\x1b]0;title\x07\x1b[2J\x08\x7f\x9b",
    "surrogate": "\ud800 alone",
    "nothing_visible": "\u200b\u200e\ufeff",
    "combining": "e" + "\u0301" * 500,
}


def a_notice(revision: int = 1, opened: int = START, **changes: Any) -> Notice:
    """A notice of a latency that was too high, with its last three hours."""
    n = 90
    times = opened - (n - 6) * MINUTE + np.arange(n) * MINUTE
    y = 200.0 + 20 * np.sin(np.arange(n))
    y[-6:] += 900.0
    base = np.full(n, 200.0)
    recent = Stretch(times, y, base, base - 60, base + 60, np.abs(y - 200) / 60, y > 260)
    key = SeriesKey("request_latency_ms", {"service": "checkout", "host": "web-1"})
    alert = an_alert(opened, series=key, id=alert_id(key, "web", opened), watch="web", detector="auto")
    alert = dataclasses.replace(
        alert,
        severity="critical",
        decided=opened + MINUTE,
        peak_time=opened + 2 * MINUTE,
        value=1100.0,
        expected=200.0,
        lower=140.0,
        upper=260.0,
        widths=7.0,
        anomaly_score=4.2,
        points=6,
        members=("band",),
        reason=f"{key} is 1.1 s; expected 0.14–0.26 s. 7 band widths above for 2 min, seen by auto: band.",
    )
    alert = dataclasses.replace(alert, **changes)
    return Notice(alert, revision, "sink", recent=recent, zone="Europe/Berlin")


def hostile_notices() -> list[Notice]:
    """A notice for every hostile text, as the value of a label, in the reason and in names."""
    found = []
    for number, (name, text) in enumerate(HOSTILE.items()):
        key = SeriesKey(f"metric {text[:200]}", {"label": text, f"label.{name}-ü": text[:100], "severity": text[:50]})
        reason = f"{key} is 9; expected 0–2. 3.5 band widths above at 14:02, seen by d."[:60_000]
        notice = a_notice(1, START + number * MINUTE, series=key, watch=f"watch {text[:300]}", reason=reason)
        identity = alert_id(key.parse("m"), notice.alert.watch.encode("utf-8", "replace").decode(), START + number)
        found.append(dataclasses.replace(notice, alert=dataclasses.replace(notice.alert, id=identity)))
    return found


def check_told(rig: Rig) -> None:
    """Opening, change and end arrive, in order, each with what it is about."""
    sink = rig.sink()
    first, closed = a_notice(), START + 9 * MINUTE
    for notice in (a_notice(severity="warning"), a_notice(2), a_notice(3, closed=closed)):
        sink.write(notice)
    told = rig.arrived()
    assert len(told) >= 3, f"{len(told)} of 3 notices arrived"
    for arrived in (told[0], told[-1]):
        assert "request_latency_ms" in arrived.text, "it does not say of which metric"
    assert re.search("(?i)resolved|ended", told[-1].text), "the last word is not that it ended"
    assert not re.search("(?i)resolved|ended", told[0].text), "an alert that begins is told as ended"
    assert first.alert.id


def check_repeat(rig: Rig) -> None:
    """The same notice twice does no more than once, also by a process that knows nothing of the first."""
    sink = rig.sink()
    sink.write(a_notice())
    sink.write(a_notice())
    again = rig.sink()
    again.write(a_notice())
    again.write(a_notice(2, closed=START + 9 * MINUTE))
    if rig.knows_repeats:
        keys = [arrived.key for arrived in rig.arrived()]
        assert all(keys), "nothing to know a repeat by"
        opened = [key for key in keys if key == keys[0]]
        assert len(set(keys)) == 2, f"{len(set(keys))} different keys for 2 notices"
        first, *others = [arrived.text for arrived in rig.arrived() if arrived.key == keys[0]]
        assert all(text == first for text in others), "a repeat is not the same"
        assert len(opened) <= 3
    else:
        assert len(rig.arrived()) <= 3, "a process repeats what it knows that it told"


def _failure(rig: Rig, mood: Mood) -> WatchbandError | None:
    if mood not in rig.moods:
        return None
    sink = rig.sink()
    rig.mood(mood)
    try:
        sink.write(a_notice())
    except WatchbandError as error:
        rig.mood("well")
        _reveals_nothing(rig, str(error), repr(error), str(error.__cause__), str(error.args))
        return error
    raise AssertionError(f"the other side is {mood} and nothing was raised")


def check_busy(rig: Rig) -> None:
    """Whoever is busy is asked again, and not before it said."""
    error = _failure(rig, "busy")
    if error is not None:
        assert isinstance(error, TransientError), f"{type(error).__name__} where another try would help"
        if rig.says_when:
            assert error.retry_after == BUSY_S, f"asked to wait {BUSY_S} s, understood {error.retry_after}"


def check_broken(rig: Rig) -> None:
    """Whoever is broken or away is asked again, and told when it is back."""
    for mood in ("broken", "gone"):
        error = _failure(rig, mood)
        assert error is None or isinstance(error, TransientError), f"{type(error).__name__} of one who is {mood}"
    sink = rig.sink()
    sink.write(a_notice(opened=START + MINUTE))
    assert rig.arrived(), "nothing arrives any more"


def check_refusing(rig: Rig) -> None:
    """Whoever refuses for good is not asked again."""
    error = _failure(rig, "refusing")
    assert error is None or not isinstance(error, TransientError), "tried again although it was refused for good"


def check_hostile(rig: Rig) -> None:
    """Whatever a label says is text and nothing else, and keeps nobody from being told."""
    sink = rig.sink()
    for notice in hostile_notices():
        before = len(rig.arrived())
        sink.write(notice)
        new = rig.arrived()[before:]
        assert new, f"nothing arrived of {notice.alert.series!s:.80}"
        for arrived in new:
            rig.harmless(arrived, notice)


def check_numbers(rig: Rig) -> None:
    """Numbers that are missing, infinite or huge are told too; so is an alert without recent points."""
    sink = rig.sink()
    for number, value in enumerate((math.nan, math.inf, -math.inf, 1e308, -1e-308, 0.0)):
        names = ("value", "expected", "lower", "upper", "widths", "anomaly_score", "confidence")
        notice = a_notice(1, START + number * MINUTE, **dict.fromkeys(names, value))
        assert notice.recent is not None
        changed = dataclasses.replace(notice.recent, y=np.where(notice.recent.alert, value, notice.recent.y))
        for recent in (None, changed, dataclasses.replace(changed, y=np.full(len(changed.y), value))):
            later = dataclasses.replace(notice.alert, id=f"{number}{0 if recent is None else 1}".ljust(16, "0"))
            sink.write(dataclasses.replace(notice, alert=later, recent=recent))
    assert len(rig.arrived()) >= 6, "some numbers keep it from telling"


def check_kinds(rig: Rig) -> None:
    """Every kind of alert, old or far ahead, is told."""
    sink = rig.sink()
    kinds = ("value", "level", "pattern", "variance", "out of range", "no data", "stuck", "drift", "breach")
    for number, kind in enumerate(kinds):
        for revision, closed in ((1, None), (2, START + (number + 3) * MINUTE)):
            notice = a_notice(revision, START + number * MINUTE, kind=kind, closed=closed, adopted=kind == "level")
            sink.write(dataclasses.replace(notice, recent=None))
    for opened in (0, 4_000_000_000 * 10**9):
        sink.write(a_notice(1, opened))


def check_secrets(rig: Rig) -> None:
    """Neither settings nor sink nor message show a secret."""
    sink = rig.sink()
    sink.write(a_notice())
    _reveals_nothing(rig, repr(sink), str(sink), repr(getattr(sink, "_settings", "")), repr(vars(sink)))
    for arrived in rig.arrived():
        _reveals_nothing(rig, arrived.text)


def _reveals_nothing(rig: Rig, *texts: str) -> None:
    for secret in rig.secrets:
        assert not any(secret in text for text in texts), "a secret is shown"


def check_settings(rig: Rig) -> None:
    """Settings are declared, have a kind, and check themselves; opening touches nothing outside."""
    kind = getattr(rig.settings, "kind", "")
    assert re.fullmatch("[a-z][a-z0-9_]*", kind), "settings need a kind"
    declared = params_of(rig.settings)
    fields = {field.name for field in dataclasses.fields(rig.settings)}
    assert fields == set(declared), f"not declared: {fields - set(declared)}"
    assert params.schema(rig.settings)["additionalProperties"] is False
    assert all(p.doc for p in declared.values()), "a parameter without a word on what it does"
    if "gone" in rig.moods:
        rig.mood("gone")
        assert rig.sink().name, "a sink has a name"
        rig.mood("well")


CHECKS: tuple[Check, ...] = (
    check_told,
    check_repeat,
    check_busy,
    check_broken,
    check_refusing,
    check_hostile,
    check_numbers,
    check_kinds,
    check_secrets,
    check_settings,
)


def check_sink(rig: Callable[[], Rig]) -> None:
    """Every check, each with a rig of its own.

    Raises
    ------
    AssertionError
        The first promise that is not kept.
    """
    for check in CHECKS:
        check(rig())
