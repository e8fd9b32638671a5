"""Control events: what the log carries besides points. Time passes only when the watermark moves."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

WindowAction = Literal["mute", "no_learn", "expect"]


@dataclass(frozen=True, slots=True)
class WatermarkMoved:
    """No point of ``source`` older than ``time`` (ns UTC) will be folded from here on; an empty one means of all."""

    time: int
    source: str = ""


@dataclass(frozen=True, slots=True)
class SourceResumed:
    """``source`` is listened to again from ``time`` (ns UTC) on; that it gave nothing before is nobody's fault.

    A source that cannot be asked for what it missed (it is pushed to, or was disconnected) says so after a start and
    after every break, before its watermark moves on. A series is not silent for that time.
    """

    time: int
    source: str = ""


@dataclass(frozen=True, slots=True)
class SeriesExpired:
    """A series has ended for good by ``time`` (ns UTC): its alerts are closed and what was learned of it is dropped.

    Should it come again, it is a new one.
    """

    series: str
    time: int


@dataclass(frozen=True, slots=True)
class WindowOpened:
    """A time range in which a series is muted, not learned from, or expected to change by a factor.

    ``name`` tells windows apart; ``title`` is what people call it, if that is something else.
    """

    name: str
    action: WindowAction
    start: int
    end: int
    series: str = "*"
    factor: float = 1.0
    title: str = ""


@dataclass(frozen=True, slots=True)
class WindowClosed:
    """The window of this name ends early, at ``time`` (ns UTC)."""

    name: str
    time: int


@dataclass(frozen=True, slots=True)
class FeedbackGiven:
    """A person judged an alert."""

    alert_id: str
    verdict: Literal["true", "false", "expected", "missed"]
    time: int


@dataclass(frozen=True, slots=True)
class ConfigChanged:
    """A watch took a new configuration; ``fingerprint`` is that of the new one."""

    watch: str
    fingerprint: str
    time: int


@dataclass(frozen=True, slots=True)
class StateReverted:
    """What a watch learned is from here on what it was behind entry ``sequence``, of the series that match.

    ``fingerprint`` is that of the watch: under other parameters it means nothing.
    """

    watch: str
    fingerprint: str
    sequence: int
    time: int
    series: str = "*"


@dataclass(frozen=True, slots=True)
class DriftApproved:
    """What now comes of the series that match is what the monitors of a watch measure drift against from here on."""

    watch: str
    time: int
    series: str = "*"


@dataclass(frozen=True, slots=True)
class ChallengerStarted:
    """Model ``number`` of a watch judges the same readings from here on, in shadow: nobody is told what it says.

    ``settings`` is JSON of what it has otherwise than the watch as configured, ``fingerprint`` that of the configured
    watch: under other parameters it means nothing. ``learned`` says what it learned anew, all or only the cut-off.
    """

    watch: str
    fingerprint: str
    number: int
    settings: str
    time: int
    learned: Literal["all", "cutoff"] = "all"
    by: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class ModelPromoted:
    """Model ``number`` of a watch, which was in shadow, judges from here on; the one before goes on in shadow.

    ``back``: it is the one that judged before, and comes back.
    """

    watch: str
    fingerprint: str
    number: int
    time: int
    back: bool = False
    by: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class ShadowEnded:
    """Model ``number`` of a watch judges in shadow no longer, and what it learned is dropped."""

    watch: str
    fingerprint: str
    number: int
    time: int
    outcome: Literal["refused", "withdrawn", "failed", "over"] = "refused"
    by: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class LineageKept:
    """Which models a watch has, as its state keeps it; never in the log."""

    text: str


@dataclass(frozen=True, slots=True)
class Recomputed:
    """A watch was folded anew at ``time``, with what had come late by entry ``through`` in its place."""

    watch: str
    through: int
    time: int


@dataclass(frozen=True, slots=True)
class SeriesShed:
    """There was no room for a series: no watch takes its readings from here on, though they are kept.

    ``why`` says what was short, ``priority`` the highest of its watches.
    """

    series: str
    time: int
    why: str = ""
    priority: int = 0


@dataclass(frozen=True, slots=True)
class SeriesTaken:
    """There is room again for a series that was shed: watches take its readings from here on, as of a new one."""

    series: str
    time: int


@dataclass(frozen=True, slots=True)
class PriorGiven:
    """A new series starts from what its siblings know: typical ``scale`` and ``level``."""

    series: str
    level: float
    scale: float
    time: int


@dataclass(frozen=True, slots=True)
class TierChanged:
    """A series moves to another detector tier (``light``, ``auto``)."""

    series: str
    tier: str
    time: int


ControlEvent = (
    WatermarkMoved
    | SourceResumed
    | SeriesExpired
    | WindowOpened
    | WindowClosed
    | FeedbackGiven
    | ConfigChanged
    | StateReverted
    | DriftApproved
    | ChallengerStarted
    | ModelPromoted
    | ShadowEnded
    | LineageKept
    | Recomputed
    | SeriesShed
    | SeriesTaken
    | PriorGiven
    | TierChanged
)

ModelEvent = ChallengerStarted | ModelPromoted | ShadowEnded
"""What happens to the models of a watch; stores keep these when the log is shortened, see ``ports.Store``."""

_TYPES: Mapping[str, type] = {kind.__name__: kind for kind in get_args(ControlEvent)}


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """What happened to a model, and the entry of which shard's log says so."""

    shard: str
    sequence: int
    event: ModelEvent


def of_models(events: Iterable[ControlEvent]) -> list[ModelEvent]:
    """The events that are about models."""
    return [event for event in events if isinstance(event, ModelEvent)]


def event_to_dict(event: ControlEvent) -> dict[str, Any]:
    """Plain data for the log."""
    return {"type": type(event).__name__, **dataclasses.asdict(event)}


def event_from_dict(data: Mapping[str, Any]) -> ControlEvent:
    """The inverse of ``event_to_dict``.

    Raises
    ------
    KeyError, TypeError
        No event of this release.

    Examples
    --------
    >>> event_from_dict(event_to_dict(WatermarkMoved(5)))
    WatermarkMoved(time=5, source='')
    """
    values = dict(data)
    found: ControlEvent = _TYPES[values.pop("type")](**values)
    return found
