"""How far each series has been read; as one short text for the log; and what was shown of its last readings."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from watchband.core.errors import AdapterError
from watchband.core.series import SeriesKey

_MS = 1_000_000
_PAIR = re.compile(r"(-?\d{1,16})/(-?\d{1,16})")
Place = tuple[int, int]
"""Seen up to, and history up to; ns UTC."""


@dataclass(slots=True, eq=False)
class Track:
    """One question: a statistic of a metric, or an expression.

    Parameters
    ----------
    id : str
        The same in every process.
    entry : str
        Id of the part of the settings that it comes from.
    name : str
        For people.
    query : mapping
        ``MetricStat`` with ``AccountId``, or ``Expression`` with ``Using``.
    period : int
        ns.
    key : SeriesKey or None
        Its series; None of an expression, which names them by its results.
    seen : int
        Every reading up to this time was asked for and answered.
    news : int
        Up to here it is history.
    fresh : int
        From here on ``shown`` knows every reading: what was asked for by this process.
    shown : dict of str to (dict of int to float)
        By label of the result, the last readings as they were handed over.
    """

    id: str
    entry: str
    name: str
    query: Mapping[str, Any]
    period: int
    key: SeriesKey | None
    seen: int = 0
    news: int = 0
    fresh: int = 0
    due: int = 0
    failures: int = 0
    partial: int = 0
    active: bool = True
    error: AdapterError | None = None
    shown: dict[str, dict[int, float]] = field(default_factory=dict)

    @property
    def metrics(self) -> int:
        """Metrics that AWS counts when it is asked."""
        return max(1, len(self.query.get("Using") or {})) if self.key is None else 1

    def place(self, place: Place) -> None:
        """Stand there, knowing nothing of what was shown before."""
        self.seen, self.news = place
        self.fresh, self.due, self.shown = self.seen + self.period, 0, {}

    def take(self, label: str, pairs: Iterable[tuple[int, float]], last: int, memory: int) -> tuple[list[int], int]:
        """Note what an answer holds; the times that are new, and how many of them are behind ``seen``."""
        shown = self.shown.setdefault(label, {})
        found: list[int] = []
        late = 0
        for time, value in pairs:
            if time > last or (time <= self.seen and time < self.fresh):
                continue
            known = shown.get(time)
            if known is not None and (known == value or known != known):
                continue
            late += time <= self.seen
            shown[time] = value
            found.append(time)
        for time in [t for t in shown if t <= last - memory]:
            del shown[time]
        return found, late


def id_of(*parts: object) -> str:
    """Eight characters, the same in every process.

    Examples
    --------
    >>> id_of("ec2", {"a": 1}) == id_of("ec2", {"a": 1}), len(id_of("x"))
    (True, 8)
    """
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()


def position_of(tracks: Iterable[Track]) -> str:
    """The position: of every entry where most of its series stand, and those that stand elsewhere."""
    places: dict[str, dict[str, list[str]]] = {}
    for track in tracks:
        if track.active:
            place = f"{track.seen // _MS}/{track.news // _MS}"
            places.setdefault(track.entry, {}).setdefault(place, []).append(track.id)
    document: dict[str, dict[str, str]] = {}
    for entry, groups in places.items():
        usual = Counter({place: len(ids) for place, ids in groups.items()}).most_common(1)[0][0]
        document[entry] = {"*": usual, **{p: " ".join(ids) for p, ids in groups.items() if p != usual}}
    return json.dumps(document, separators=(",", ":"))


def read_position(text: str) -> dict[str, tuple[Place, dict[str, Place]]]:
    """By entry: where most stand, and those that stand elsewhere by their ids.

    Raises
    ------
    ValueError
        No position of this source.
    """
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError("no mapping")
    found: dict[str, tuple[Place, dict[str, Place]]] = {}
    for entry, groups in document.items():
        if not isinstance(groups, dict) or "*" not in groups:
            raise ValueError(f"no places: {str(groups)[:40]!r}")
        usual = _place(groups["*"])
        others = {one: _place(place) for place, ids in groups.items() if place != "*" for one in str(ids).split()}
        found[str(entry)] = usual, others
    return found


def _place(text: object) -> Place:
    match = _PAIR.fullmatch(str(text))
    if match is None:
        raise ValueError(f"no moments: {str(text)[:40]!r}")
    return int(match[1]) * _MS, int(match[2]) * _MS
