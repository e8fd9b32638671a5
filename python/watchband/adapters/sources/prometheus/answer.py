"""What a server answers to a range query, as readings."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from watchband.core.errors import ConfigError, PermanentError, TransientError
from watchband.core.points import Float64, Int64
from watchband.core.ports import Readings
from watchband.core.series import SeriesKey, is_storable

_NAME = "__name__"
_MS = 1_000_000
_TOLD = 5


@dataclass(slots=True)
class Answer:
    """Readings of a range of one query.

    Parameters
    ----------
    readings : list of Readings
        One entry a series, in the order of the answer.
    points : int
        How many readings there are.
    refused : int
        Series that could not be read.
    warnings : list of str
        What the server remarks, and what could not be read.
    partial : bool
        The server says that parts of the data are missing.
    """

    readings: list[Readings] = field(default_factory=list)
    points: int = 0
    refused: int = 0
    warnings: list[str] = field(default_factory=list)
    partial: bool = False


def read_answer(body: bytes, name: str, keep_names: bool, first: int, last: int) -> Answer:
    """Read the body of a good answer.

    Parameters
    ----------
    body : bytes
        JSON of ``/api/v1/query_range``.
    name : str
        Of the query; the metric name of its series.
    keep_names : bool
        Series that have a name of their own keep it.
    first, last : int
        The range that was asked for, ns UTC, both ends included. What lies outside is left out: some servers answer
        more.

    Raises
    ------
    TransientError
        The body is no JSON.
    PermanentError
        It is no such answer, or series cannot be told apart by their labels.
    """
    document = _loaded(body)
    data = document.get("data")
    data = data if isinstance(data, dict) else {}
    result = data.get("result")
    if document.get("status") != "success" or not isinstance(result, list) or data.get("resultType") != "matrix":
        raise PermanentError(
            "This is no answer of a Prometheus API: expected a status of success and a result of type matrix. "
            f"Got status {str(document.get('status'))[:20]!r}, type {str(data.get('resultType'))[:20]!r}. Is the "
            "address that of the server, with its path prefix?"
        )
    answer = Answer(partial=document.get("isPartial") is True)
    answer.warnings += _texts(document.get("warnings")) + _texts(document.get("infos"))
    names: dict[SeriesKey, str] = {}
    histograms = 0
    for series in result:
        try:
            key, own = _key(series["metric"], name, keep_names)
            histograms += "histograms" in series
            times, values = _values(series.get("values", []), first, last)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            answer.refused += 1
            if answer.refused <= _TOLD:
                answer.warnings.append(f"series {str(series)[:120]} left out: {str(error)[:200]}")
            continue
        if key in names:
            raise PermanentError(
                f"Two series of query {name!r} are both {key} once they are named after it: {names[key] or 'one'} and "
                f"{own or 'another'}. Set keep_names: true, or write an expression whose series differ in labels."
            )
        names[key] = own
        if len(times):
            answer.readings.append(Readings(key, times, values))
            answer.points += len(times)
    if histograms:
        answer.refused += histograms
        answer.warnings.append(
            f"{histograms} series of query {name!r} hold native histograms, which are not read. Ask for a number of "
            "them: histogram_quantile(0.99, …), histogram_avg(…) or histogram_count(…)."
        )
    return answer


def _loaded(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body.decode())
    except RecursionError:
        raise PermanentError("The server's answer is nested too deeply to be one of a Prometheus API.") from None
    except ValueError as error:
        # Not a word of it is repeated: what is no answer may be anything, this question's own headers among it.
        raise TransientError(
            f"The server's answer of {len(body):,} bytes is no JSON ({str(error)[:80]}): cut short, or of another "
            "program. Is the address that of the server, with its path prefix?"
        ) from None
    if not isinstance(document, dict):
        raise PermanentError(
            f"This is no answer of a Prometheus API: expected a mapping, got {type(document).__name__}."
        )
    return document


def _texts(value: object) -> list[str]:
    return [str(text)[:300] for text in value[:_TOLD]] if isinstance(value, list) else []


def _key(metric: object, name: str, keep_names: bool) -> tuple[SeriesKey, str]:
    if not isinstance(metric, dict):
        raise ValueError("'metric' is no mapping of labels")
    labels = {str(k): str(v) for k, v in metric.items()}
    own = labels.pop(_NAME, "")
    if not all(is_storable(text) for text in (own, *(t for kv in labels.items() for t in kv))):
        raise ValueError("a label holds what is no text (a lone surrogate or NUL)")
    try:
        return SeriesKey(own if keep_names and own else name, labels), own
    except ConfigError as error:
        raise ValueError(str(error)) from None


def _values(pairs: list[list[Any]], first: int, last: int) -> tuple[Int64, Float64]:
    """Times to the millisecond, which is what these servers keep; every NaN is a missing value of one kind."""
    seconds = np.array([float(time) for time, _ in pairs], np.float64)
    values = np.array([float(value) for _, value in pairs], np.float64)
    if not np.isfinite(seconds).all() or (np.abs(seconds) > 9e9).any():
        raise ValueError("a time that is none")
    times = np.rint(seconds * 1000).astype(np.int64) * _MS
    if (times[1:] <= times[:-1]).any():
        raise ValueError("times that do not ascend")
    inside = (times >= first) & (times <= last)
    if not inside.all():
        times, values = times[inside], values[inside]
    values[np.isnan(values)] = np.nan
    return times, values
