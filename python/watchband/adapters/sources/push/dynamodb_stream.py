"""Items of a DynamoDB table as readings: what a function of Lambda is handed by DynamoDB Streams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from watchband.adapters.sources.files.cells import time_of
from watchband.adapters.sources.files.hints import Hints
from watchband.core import params
from watchband.core.duration import DAY
from watchband.core.errors import ConfigError, DataError
from watchband.core.kinds import Duration, ListOf
from watchband.core.params import Flag, Text, param
from watchband.core.ports import Readings
from watchband.core.series import SeriesKey, is_storable

VALUES_MAX = 1_000


@dataclass(frozen=True, kw_only=True)
class DynamoStreamSettings:
    """New items of a DynamoDB table, each a reading; for the function ``dynamodb_stream`` of AWS Lambda."""

    kind: ClassVar[str] = "dynamodb_stream"
    pushed: ClassVar[bool] = True
    history: ClassVar[int | None] = None

    time: str = param("Timestamp", Text("the name of an attribute"), "Attribute with the time: a text, or epoch.")
    values: tuple[str, ...] = param(
        (), ListOf(Text("the name of an attribute")), "Attributes that are values; none: all numbers."
    )
    labels: tuple[str, ...] = param(
        (), ListOf(Text("the name of an attribute")), "Attributes that are labels; none: all texts."
    )
    timezone: str = param("UTC", Text("an IANA time zone"), "Of times that carry none.")
    day_first: bool = param(False, Flag(), "3/4/2026 is 3 April (true) or 4 March (false).")
    lateness: int = param(
        0, Duration(0, DAY), "How much readings may come out of order; each waits so long before it is judged."
    )

    def __post_init__(self) -> None:
        params.check(self)
        if both := {self.time, *self.values} & set(self.labels) or {self.time} & set(self.values):
            raise ConfigError(f"The attribute {min(both)!r} is named twice. Name it as time, as value or as label.")
        _ = self.hints

    @property
    def hints(self) -> Hints:
        """What is said of times that leave something open."""
        return Hints(timezone=self.timezone, day_first=self.day_first)


def item_readings(item: Mapping[str, Any], settings: DynamoStreamSettings) -> list[Readings]:
    """The readings of an item as DynamoDB writes it: one a value.

    Raises
    ------
    DataError
        It has no time that can be read, or no value.

    Examples
    --------
    >>> item = {"Timestamp": {"S": "1970-01-01T00:00:01Z"}, "sensor": {"S": "a"}, "temperature": {"N": "27.1"}}
    >>> found = item_readings(item, DynamoStreamSettings())
    >>> str(found[0].key), found[0].times.tolist(), found[0].values.tolist()
    ('temperature{sensor="a"}', [1000000000], [27.1])
    """
    plain = {name: (kind, value) for name, typed in item.items() for kind, value in _typed(typed)}
    written = plain.get(settings.time, ("", ""))[1]
    time = time_of(str(written), settings.hints)
    if time is None:
        raise DataError(f"no time in the attribute {settings.time!r}: {str(written)[:40]!r}. 'time' names another")
    labels = {
        name: str(value)
        for name, (kind, value) in plain.items()
        if (name in settings.labels if settings.labels else kind == "S" and name not in settings.values)
        and name != settings.time
        and is_storable(str(value))
    }
    values = {
        name: float(value)
        for name, (kind, value) in plain.items()
        if kind == "N"
        and name != settings.time
        and name not in labels
        and (not settings.values or name in settings.values)
    }
    if not values or len(values) > VALUES_MAX:
        raise DataError(f"an item of {len(values)} numbers: a reading has 1 to {VALUES_MAX}")
    at = np.array([time], np.int64)
    return [Readings(SeriesKey(name, labels), at, np.array([value])) for name, value in values.items()]


def _typed(typed: Any) -> Sequence[tuple[str, Any]]:
    """An attribute's type and value; none where it is nothing of the kind."""
    return [(str(kind), value) for kind, value in typed.items()] if isinstance(typed, dict) and len(typed) == 1 else []
