"""Samples: one row of an entity's metrics under whatever names its sender gives them, and what is wrong with it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from watchband.adapters.sources.push.payload import key_of, time_of
from watchband.apps.server.fields import CLUSTER_RATIOS, OTHERS, SERIES, TIMES, FieldSettings, metrics_by_name
from watchband.apps.service.predicting import Reading
from watchband.core.duration import HOUR
from watchband.core.errors import ConfigError, DataError
from watchband.core.series import SeriesKey

AHEAD = HOUR
"""A reading of the future would make every later one late: so far ahead a clock may be."""


class SampleError(DataError):
    """A sample that cannot be read (400) or judged (422): what, and what to do."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True)
class Field:
    """A value of a sample: the name that the sender gave it, and the reading that it is."""

    name: str
    reading: Reading


class Samples:
    """Reads samples.

    Parameters
    ----------
    fields : mapping of str to FieldSettings
        By metric; empty: ``CLUSTER_RATIOS``.

    Raises
    ------
    ConfigError
        Two fields share a name.
    """

    def __init__(self, fields: Mapping[str, FieldSettings] | None = None) -> None:
        self.fields = dict(fields or CLUSTER_RATIOS)
        self.metric_of = metrics_by_name(self.fields)

    def read(self, sample: object, now: int) -> list[Field]:
        """The values of a sample.

        Parameters
        ----------
        sample : object
            As JSON has it: the fields by any of their names, with ``cluster`` or ``labels`` and ``timestamp``; or
            ``series`` and ``value``.
        now : int
            ns UTC.

        Raises
        ------
        SampleError
            400: a field is missing, unknown, given twice or no number; 422: a value or time that no reading can have.
        """
        if not isinstance(sample, dict):
            raise SampleError(f"Expected a sample as a mapping of fields. Got {type(sample).__name__}.")
        found = self._one(sample) if "series" in sample else self._row(sample)
        time = _time(sample, now)
        return [Field(name, Reading(key, value, time)) for name, key, value in found]

    def _one(self, sample: dict[str, Any]) -> list[tuple[str, SeriesKey, float]]:
        unknown = [name for name in sample if name not in SERIES]
        if unknown or "value" not in sample or not isinstance(sample["series"], str):
            raise SampleError(f"Beside 'series' (a text) there is 'value' and 'timestamp'. Got {_names(sample)}.")
        try:
            parsed = SeriesKey.parse(sample["series"][:10_000])
            key = key_of(parsed.metric, dict(parsed.labels))
        except (ConfigError, DataError) as error:
            raise SampleError(f"'series': {str(error)[:300]}") from None
        return [("value", key, _value("value", sample["value"], self.fields.get(key.metric) or FieldSettings()))]

    def _row(self, sample: dict[str, Any]) -> list[tuple[str, SeriesKey, float]]:
        given: dict[str, str] = {}
        unknown = []
        for name in sample:
            metric = self.metric_of.get(name)
            if metric is None:
                unknown += [name] if name not in OTHERS else []
            elif metric in given:
                raise SampleError(f"{given[metric][:60]!r} and {name[:60]!r} are the same field. Give it once.")
            else:
                given[metric] = name
        if unknown:
            raise SampleError(f"Unknown: {_names(unknown)}. Known: {self.known()}.")
        missing = [metric for metric in self.fields if metric not in given]
        if missing:
            also = "; ".join(f"{m} (or {', '.join(self.fields[m].aliases)})" for m in missing)
            raise SampleError(f"Missing: {also}.")
        labels = _labels(sample)
        found = []
        for metric, name in given.items():
            try:
                key = key_of(metric, labels)
            except DataError as error:
                raise SampleError(str(error)) from None
            found.append((name, key, _value(name, sample[name], self.fields[metric])))
        return found

    def known(self) -> str:
        """Every name that is understood, in words."""
        return ", ".join([*self.fields, *(a for f in self.fields.values() for a in f.aliases), *OTHERS])

    def schema(self) -> dict[str, Any]:
        """What a sample looks like, as JSON Schema."""
        names = {
            name: {
                "type": "number",
                **({"minimum": self.fields[metric].low} if self.fields[metric].low is not None else {}),
                **({"maximum": self.fields[metric].high} if self.fields[metric].high is not None else {}),
                "description": f"{metric}." if name == metric else f"Another name of {metric}.",
            }
            for name, metric in self.metric_of.items()
        }
        time = {"type": ["string", "number"], "description": "RFC 3339, or a number since 1970; now if left out."}
        text = {"type": "string", "maxLength": 1024}
        row = {
            "type": "object",
            "title": "Sample",
            "properties": names
            | {
                "cluster": text | {"description": "The label `cluster`."},
                "labels": {"type": "object", "additionalProperties": text, "description": "All labels."},
                "timestamp": time,
                "time": time,
            },
            "additionalProperties": False,
        }
        one = {
            "type": "object",
            "title": "Value of a series",
            "properties": {"series": text, "value": {"type": "number"}, "timestamp": time, "time": time},
            "required": ["series", "value"],
            "additionalProperties": False,
        }
        return {"oneOf": [row, one]}

    def example(self) -> dict[str, Any]:
        """A sample with short names."""
        found: dict[str, Any] = {}
        for share, (metric, field) in zip((0.61, 0.65, 0.19), self.fields.items(), strict=False):
            found[field.aliases[0] if field.aliases else metric] = share
        for metric in list(self.fields)[3:]:
            found[metric] = 1.0
        return found | {"cluster": "prod-1"}


def _labels(sample: dict[str, Any]) -> dict[str, Any]:
    labels = sample.get("labels", {})
    if not isinstance(labels, dict):
        raise SampleError(f"'labels' is a mapping of texts. Got {type(labels).__name__}.")
    if "cluster" not in sample:
        return labels
    if "cluster" in labels or not isinstance(sample["cluster"], str):
        raise SampleError("'cluster' is one text, and not given in 'labels' as well.")
    return labels | {"cluster": sample["cluster"]}


def _time(sample: dict[str, Any], now: int) -> int | None:
    given = [name for name in TIMES if sample.get(name) is not None]
    if not given:
        return None
    if len(given) > 1:
        raise SampleError("'timestamp' and 'time' are the same field. Give it once.")
    try:
        time = time_of(sample[given[0]])
    except DataError as error:
        raise SampleError(f"{given[0]!r}: {error}") from None
    if time > now + AHEAD:
        raise SampleError(f"{given[0]!r} lies more than an hour ahead: every reading after it would be late.", 422)
    return time


def _value(name: str, value: object, field: FieldSettings) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SampleError(f"{name[:60]!r}: expected a number. Got {str(value)[:40]!r}.")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise SampleError(f"{name[:60]!r}: expected a finite number, so there is nothing to judge.", 422)
    low = -math.inf if field.low is None else field.low
    high = math.inf if field.high is None else field.high
    if not low <= number <= high:
        why = " Is it in percent? Give a share of 1." if (low, high) == (0.0, 1.0) and number > 1 else ""
        limits = f"from {low:g} to {high:g} ('server.predict')"
        raise SampleError(f"{name[:60]!r}: {number:g} is not {limits}.{why}", 422)
    return number


def _names(names: Mapping[str, Any] | list[str]) -> str:
    return ", ".join(repr(name[:60]) for name in list(names)[:20]) or "nothing"
