"""Feedback files: what people said of alerts, as labels that know something and not everything."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watchband.apps.library.labels import moment
from watchband.core.alert import Alert
from watchband.core.errors import ConfigError, DataError, UnknownNameError
from watchband.evaluation.labels import Label

EXPECT = {"true": "alert", "missed": "alert", "false": "quiet", "expected": "quiet"}
"""What a verdict says was to be expected: an alert that was right, one that was lacking, two that were not wanted."""


@dataclass(frozen=True, slots=True)
class Rating:
    """What somebody said: of an alert by its identity, or of a stretch of a series.

    Parameters
    ----------
    verdict : str
        One of ``EXPECT``.
    alert : str, default ""
        Identity of the alert.
    series : str, default ""
        Without an identity: which series,
    start, end : int, default 0
        and from when to when (ns UTC), both within.
    """

    verdict: str
    alert: str = ""
    series: str = ""
    start: int = 0
    end: int = 0


def read_feedback(path: str | os.PathLike[str]) -> list[Rating]:
    """Ratings from a CSV, JSON (an array) or JSON Lines file.

    Each has a ``verdict`` (``true``, ``false``, ``expected``, ``missed``) and either ``alert``, the identity that
    ``detect``, ``backtest`` and notices give, or ``series``, ``start`` and ``end``.

    Raises
    ------
    ConfigError
        No such file.
    DataError
        It cannot be read, or a row of it is no rating; the message names the row.
    """
    path = Path(path)
    if not path.is_file():
        raise ConfigError(f"No such feedback file: {str(path)!r}.")
    try:
        rows = _rows(path.suffix.lower(), path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as feedback: {error}.") from error
    return [_rating(row, f"{path}, row {number}") for number, row in enumerate(rows, 1)]


def _rows(suffix: str, text: str) -> Sequence[Mapping[str, Any]]:
    if suffix in (".json", ".jsonl", ".ndjson"):
        found = (
            json.loads(text) if suffix == ".json" else [json.loads(line) for line in text.splitlines() if line.strip()]
        )
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            raise ValueError("expected objects with a verdict")
        return found
    return list(csv.DictReader(io.StringIO(text)))


def _rating(row: Mapping[str, Any], where: str) -> Rating:
    given = {k: v for k, v in row.items() if v not in (None, "")}
    verdict = str(given.get("verdict", "")).strip().lower()
    if verdict not in EXPECT:
        raise DataError(f"{where}: {UnknownNameError('verdict', verdict, EXPECT)}")
    if "alert" in given:
        return Rating(verdict, alert=str(given["alert"]))
    if missing := [name for name in ("series", "start", "end") if name not in given]:
        raise DataError(f"{where} names no alert and lacks {', '.join(missing)}. Give alert, or series, start and end.")
    try:
        return Rating(verdict, "", str(given["series"]), moment(given["start"]), moment(given["end"]))
    except ValueError as error:
        raise DataError(f"{where}: {error}") from error


def labels_of_ratings(ratings: Iterable[Rating], alerts: Mapping[str, Alert]) -> tuple[list[Label], list[str]]:
    """Ratings as labels, and the identities that no alert has.

    Parameters
    ----------
    ratings : iterable of Rating
        What was said.
    alerts : mapping of str to Alert
        Alerts by identity: of whichever candidate, the identity says series and time.
    """
    labels, unknown = [], []
    for one in ratings:
        if not one.alert:
            labels.append(Label(one.series, one.start, one.end, one.verdict, expect=EXPECT[one.verdict]))
        elif one.alert in alerts:
            alert = alerts[one.alert]
            end = max(alert.decided, alert.peak_time, alert.closed or 0)
            labels.append(Label(str(alert.series), alert.opened, end, one.verdict, expect=EXPECT[one.verdict]))
        else:
            unknown.append(one.alert)
    return labels, unknown
