"""Readings from JSON documents: where they stand, what their value, time and labels are."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from watchband.adapters.sources.push.payload import key_of, time_of
from watchband.adapters.sources.web.paths import Match, Path
from watchband.core.errors import DataError
from watchband.core.ports import Readings
from watchband.core.series import SeriesKey

log = logging.getLogger("watchband.source")
METRIC = "__name__"
READINGS_MAX = 1_000_000
"""Of one document."""
KEYS_MAX = 100_000
SHOWN_MAX = 20
"""Bad readings of a source that are logged one by one."""


@dataclass(frozen=True)
class Mapped:
    """Readings of a document, in its order, and how many of its parts were none."""

    points: Sequence[tuple[SeriesKey, int, float]] = ()
    refused: int = 0

    def readings(self) -> list[Readings]:
        """By series."""
        return readings_of(self.points)


@dataclass(frozen=True)
class ReadingPaths:
    """How documents are read; see ``web.settings`` for what each part means."""

    metrics: Mapping[str, Path]
    value: Path
    time: Path | None
    time_unit: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    labels_from: Mapping[str, Path] = field(default_factory=dict)


class Mapper:
    """Reads documents as the settings say; a part that is no reading stops no other.

    Parameters
    ----------
    name : str
        Of the source, for the log.
    mapping : ReadingPaths
        How.
    """

    def __init__(self, name: str, mapping: ReadingPaths) -> None:
        self.name, self.mapping = name, mapping
        self.refused = 0
        self._keys: dict[tuple[str, ...], SeriesKey] = {}

    def text(self, data: str | bytes, now: int) -> Mapped:
        """Readings of a text that should be JSON."""
        try:
            document = json.loads(data)
        except (ValueError, RecursionError) as error:
            # What it says of the place does not repeat the text, which may hold anything.
            return Mapped(refused=self._refuse(f"no JSON: {str(error)[:100]}"))
        try:
            return self.document(document, now)
        except DataError as error:
            return Mapped(refused=self._refuse(str(error)))

    def document(self, document: Any, now: int) -> Mapped:
        """Readings of a document; ``now`` is the time of those that carry none."""
        points: list[tuple[SeriesKey, int, float]] = []
        refused = 0
        for metric, path in self.mapping.metrics.items():
            for match in path.matches(Match(document)):
                if len(points) + refused >= READINGS_MAX:
                    raise DataError(f"A document holds at most {READINGS_MAX:,} readings. Ask for less at a time.")
                try:
                    points.append(self._point(metric, match, now))
                except DataError as error:
                    refused += self._refuse(str(error))
        return Mapped(points, refused)

    def _point(self, metric: str, match: Match, now: int) -> tuple[SeriesKey, int, float]:
        mapping = self.mapping
        value = mapping.value.one(match) if isinstance(match.value, dict | list) else match.value
        time = now if mapping.time is None else time_of(_number(mapping.time.one(match)), mapping.time_unit)
        return self._key(metric, match), time, value_of(value)

    def _key(self, metric: str, match: Match) -> SeriesKey:
        found = {name: path.one(match) for name, path in self.mapping.labels_from.items()}
        for name, value in found.items():
            if not isinstance(value, str | int | float) or isinstance(value, bool):
                raise DataError(f"The label {name!r} is a text or a number. Got {type(value).__name__}.")
        texts = (metric, *map(str, found.values()))
        key = self._keys.get(texts)
        if key is None:
            labels = {**self.mapping.labels, **{name: str(value) for name, value in found.items()}}
            named = labels.pop(METRIC, metric)
            if len(self._keys) >= KEYS_MAX:
                self._keys.clear()
            key = self._keys[texts] = key_of(named, labels)
        return key

    def _refuse(self, why: str) -> int:
        self.refused += 1
        if self.refused <= SHOWN_MAX:
            last = " Further ones are only counted." if self.refused == SHOWN_MAX else ""
            log.warning("a part of an answer is no reading: %s%s", why[:300], last, extra={"source": self.name})
        return 1


def value_of(value: Any) -> float:
    """A number of what instruments say: numbers, numbers as text, true and false; null is no value.

    Raises
    ------
    DataError
        None of these.

    Examples
    --------
    >>> value_of("27.1"), value_of(True), value_of(None)
    (27.1, 1.0, nan)
    """
    if value is None:
        return math.nan
    if not isinstance(value, str | int | float):
        raise DataError(f"Expected a number for a value. Got {type(value).__name__}.")
    try:
        return float(value)
    except (ValueError, OverflowError):
        raise DataError(f"Expected a number for a value. Got {str(value)[:40]!r}.") from None


def readings_of(points: Sequence[tuple[SeriesKey, int, float]]) -> list[Readings]:
    """Points by series, each in the order in which it came."""
    times: dict[SeriesKey, list[int]] = {}
    values: dict[SeriesKey, list[float]] = {}
    for key, time, value in points:
        times.setdefault(key, []).append(time)
        values.setdefault(key, []).append(value)
    return [Readings(key, np.array(t, np.int64), np.array(values[key], np.float64)) for key, t in times.items()]


def _number(time: Any) -> Any:
    """Seconds as a text are a number."""
    if isinstance(time, str) and time.lstrip("-").replace(".", "", 1).isdigit():
        return float(time) if "." in time else int(time)
    return time
