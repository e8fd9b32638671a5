"""Where faults go: what users write, and places that do not overlap."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np

from watchband.core.duration import DAY, SECOND, parse_duration
from watchband.core.errors import ConfigError, UnknownNameError
from watchband.evaluation.simulate.fault_types import FAULT_TYPES, FaultType

QUIET_SHARE = 0.35
"""Share at the start of a series that faults without a place of their own keep clear of."""
LONGEST_SHARE = 0.1
"""A fault whose length nobody gave is no longer than this share of the series."""
SETTLE_POINTS = 12
ANY = "any"
_TRIES = 1000
_SPEC = re.compile(r"(?P<name>\w+)(?:@(?P<when>.*?))?(?::(?P<rest>[a-z]+=.*))?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """A fault as users write it: ``NAME[@WHEN][:size=X,for=TIME,series=NAME]``.

    Parameters
    ----------
    name : str
        One of ``FAULT_TYPES``, or ``any``: one of those that the series can have.
    when : int or float, optional
        First time as ns since 1970 UTC, or as a share of the series below 1; else a random place. Written as
        ``2024-01-05T12:00`` (UTC unless it has an offset), ``+3d`` after the start, or ``40%``.
    after : int, optional
        ns after the start of the series, instead of ``when``.
    size : float, optional
        In units of the series' own noise; else drawn.
    points, lasts : int, optional
        Length in points (``for=12``) or ns (``for=2h``); else drawn.
    series : str, default ""
        Only for the series of that name.
    incident : str, default ""
        Incident that it belongs to.
    root : bool, default False
        The incident begins here.

    Examples
    --------
    >>> spec = FaultSpec.parse("spike@2024-01-05T12:00:size=8,for=3")
    >>> spec.name, spec.when, spec.size, spec.points
    ('spike', 1704456000000000000, 8.0, 3)
    """

    name: str
    when: int | float | None = None
    after: int | None = None
    size: float | None = None
    points: int | None = None
    lasts: int | None = None
    series: str = ""
    incident: str = ""
    root: bool = False

    def __post_init__(self) -> None:
        if self.name != ANY and self.name not in FAULT_TYPES:
            raise UnknownNameError("fault", self.name, (*FAULT_TYPES, ANY))
        if self.size is not None and not math.isfinite(self.size):
            raise ConfigError(f"The size of a fault must be a finite number. Got {self.size} for {self.name}.")
        if self.points is not None and self.points < 1:
            raise ConfigError(f"A fault lasts at least one point. Got {self.points} for {self.name}.")

    @property
    def type(self) -> FaultType:
        """The kind of fault."""
        return FAULT_TYPES[self.name]

    @classmethod
    def parse(cls, text: str) -> FaultSpec:
        """From what users write.

        Raises
        ------
        UnknownNameError
            No such fault or key.
        ConfigError
            A time, size or length that is none.
        """
        match = _SPEC.fullmatch(text.strip())
        if match is None:
            raise ConfigError(
                f"A fault is written NAME[@WHEN][:size=X,for=TIME], for example spike@2024-01-05T12:00:size=8. "
                f"Got {text!r}."
            )
        given: dict[str, Any] = {}
        for part in filter(None, (match["rest"] or "").split(",")):
            key, _, value = part.partition("=")
            given |= _value(key.strip(), value.strip(), text)
        if match["when"]:
            given |= _when(match["when"].strip())
        return cls(match["name"], **given)


def _value(key: str, value: str, text: str) -> dict[str, Any]:
    if key == "series":
        return {"series": value.strip("'\"")}
    if key == "size":
        try:
            return {"size": float(value)}
        except ValueError:
            raise ConfigError(
                f"The size of the fault {text!r} is a number, in units of the series' noise. Got {value!r}."
            ) from None
    try:
        if key == "for":
            return {"points": int(value)} if value.isdigit() else {"lasts": parse_duration(value)}
    except ValueError as error:
        raise ConfigError(f"{key}={value} of the fault {text!r} cannot be read: {error}") from None
    raise UnknownNameError("key of a fault", key, ("size", "for", "series"))


def _when(text: str) -> dict[str, Any]:
    try:
        if text.startswith("+"):
            return {"after": parse_duration(text[1:])}
        if text.endswith("%"):
            share = float(text[:-1]) / 100
            if not 0 <= share < 1:
                raise ValueError("not from 0% to below 100%")
            return {"when": share}
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(
            f"The time of a fault is written 2024-01-05T12:00, +3d after the start, or 40%. Got {text!r} ({error})."
        ) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return {"when": ((moment - _EPOCH) // timedelta(microseconds=1)) * 1000}


@dataclass(frozen=True, slots=True)
class Place:
    """A fault by points: ``first`` to ``last``, over at ``settled``; ``size`` is NaN for faults without one."""

    spec: FaultSpec
    first: int
    last: int
    settled: int
    size: float

    @property
    def fault(self) -> FaultType:
        """The kind of fault."""
        return self.spec.type


@dataclass(frozen=True, slots=True)
class Room:
    """The series that faults are placed in.

    Parameters
    ----------
    points : int
        Its length.
    start, interval : int
        Time of its first point, and usual ns from one to the next.
    traits : frozenset of str
        What it can have; see ``Course``.
    name : str
        For messages.
    """

    points: int
    start: int
    interval: int
    traits: frozenset[str] = frozenset()
    name: str = "the series"

    def index_of(self, spec: FaultSpec) -> int | None:
        """The first point of a fault that says when; None for a random place."""
        if isinstance(spec.when, float):
            return int(spec.when * self.points)
        after = spec.after if spec.after is not None else None if spec.when is None else spec.when - self.start
        return None if after is None else -(-after // self.interval)


def place(specs: Sequence[FaultSpec], room: Room, rng: np.random.Generator, at: Mapping[int, int] = {}) -> list[Place]:
    """Places for faults, in order of time, none overlapping another's stretch.

    Parameters
    ----------
    specs : sequence of FaultSpec
        Those without a time go to random places behind the quiet start.
    room : Room
        The series.
    rng : Generator
        For lengths, sizes and places.
    at : mapping of int to int
        First points of some of the faults, by their position in ``specs``, instead of the room's own reckoning.

    Raises
    ------
    ConfigError
        A fault that this series cannot have, one outside the series, two that overlap, or no room left.
    """
    specs = [_resolved(spec, room, rng) for spec in specs]
    firsts = [at.get(number, room.index_of(spec)) for number, spec in enumerate(specs)]
    drawn = [_draw(spec, room, rng) for spec in specs]
    placed = [
        _placed(spec, first, *found, room)
        for spec, first, found in zip(specs, firsts, drawn, strict=True)
        if first is not None
    ]
    placed.sort(key=lambda p: p.first)
    placed = [_cut(one, two) for one, two in pairwise(placed)] + placed[-1:]
    for one, two in pairwise(placed):
        if two.first <= one.last:
            raise ConfigError(
                f"{one.fault.name} (points {one.first} to {one.last}) and {two.fault.name} (from {two.first}) of "
                f"{room.name} overlap. Move one, or shorten it with for=."
            )
    # The long ones first: they fit in fewer places.
    left = [(spec, found) for spec, first, found in zip(specs, firsts, drawn, strict=True) if first is None]
    for spec, found in sorted(left, key=lambda item: -item[1][0]):
        placed.append(_somewhere(spec, *found, room, placed, rng))
    return sorted(placed, key=lambda p: p.first)


def _cut(one: Place, two: Place) -> Place:
    """A length that nobody asked for ends before the next fault begins."""
    if one.spec.points is not None or one.spec.lasts is not None or not one.first < two.first <= one.last:
        return one
    return replace(one, last=two.first - 1, settled=two.first - 1)


def _resolved(spec: FaultSpec, room: Room, rng: np.random.Generator) -> FaultSpec:
    """``any`` becomes a fault that the series can have."""
    if spec.name != ANY:
        return spec
    fitting = [name for name, fault in FAULT_TYPES.items() if fault.fits(room.traits)]
    return replace(spec, name=str(rng.choice(fitting)))


def _draw(spec: FaultSpec, room: Room, rng: np.random.Generator) -> tuple[int, float]:
    """Length in points and size."""
    fault = spec.type
    if not fault.fits(room.traits):
        raise ConfigError(
            f"{room.name} cannot have a {fault.name}: that is for series "
            + (f"that are {' or '.join(sorted(fault.only_for))}." if fault.only_for else
               f"that are not {' or '.join(sorted(fault.not_for))}.")
        )  # fmt: skip
    share, height = rng.random(2).tolist()
    sign = int(rng.choice(fault.signs))
    low, high = fault.points
    if fault.seconds is not None:
        low = max(low, round(fault.seconds[0] * SECOND / room.interval))
        high = max(low, round(fault.seconds[1] * SECOND / room.interval))
    length = low + int(share * (high - low + 1))
    length = max(min(length, int(LONGEST_SHARE * room.points)), 1)
    if fault.day_for & room.traits:
        length = max(length, round(DAY / room.interval))
    if spec.points is not None:
        length = spec.points
    elif spec.lasts is not None:
        length = max(1, round(spec.lasts / room.interval))
    if fault.size is None:
        return length, spec.size if spec.size is not None else math.nan
    drawn = sign * (fault.size[0] + height * (fault.size[1] - fault.size[0]))
    return length, drawn if spec.size is None else spec.size


def _placed(spec: FaultSpec, first: int, length: int, size: float, room: Room) -> Place:
    if not 0 <= first < room.points:
        first_time = np.datetime64(room.start, "ns").astype("M8[s]")
        raise ConfigError(
            f"The {spec.name} would begin {'before the first' if first < 0 else 'after the last'} of the "
            f"{room.points} points of {room.name}, which begin at {first_time}Z. Choose another time."
        )
    last = min(first + length - 1, room.points - 1)
    settle = max(round(spec.type.settle * SECOND / room.interval), SETTLE_POINTS)
    return Place(spec, first, last, min(last + settle, room.points - 1), size)


def _somewhere(
    spec: FaultSpec, length: int, size: float, room: Room, taken: list[Place], rng: np.random.Generator
) -> Place:
    """A random place behind the quiet start that touches no other, its aftermath included if there is room."""
    low, high = int(QUIET_SHARE * room.points), room.points - length
    for attempt in range(_TRIES):
        first = int(rng.integers(min(low, max(high, 0)), max(high, 0) + 1))
        found = _placed(spec, first, length, size, room)
        end = found.settled if attempt < _TRIES // 2 else found.last
        after = [p for p in taken if p.first >= first]
        before = [p for p in taken if p.first < first]
        quiet = (p.settled if attempt < _TRIES // 2 else p.last for p in before)
        if all(p.first > end for p in after) and all(q < first for q in quiet):
            return found
    raise ConfigError(
        f"There is no room left in {room.name} ({room.points} points) for a {spec.name} of {length} points. "
        "Give fewer faults, shorter ones (for=), or a longer series."
    )
