"""What went wrong, one by one: events without an alert, and alerts without an event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from watchband.analysis.tuning.material import Part, Series, labels_in
from watchband.analysis.tuning.replay import Said
from watchband.evaluation.labels import FOUND_BY_ALERT, windows

MISTAKES_MAX = 1000
"""Of each kind; the strangest first."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One of them.

    Parameters
    ----------
    kind : str
        ``missed`` (a false negative) or ``false`` (a false positive).
    series : str
        Which.
    start, end : int
        Of the event, or the time at which the alert opened; ns UTC.
    fault : str
        What kind of event, where labels say so.
    value : float
        Of the metric: at the opening, or where the score was highest within the event.
    anomaly_score : float
        There; above 1 is anomalous.
    """

    kind: Literal["missed", "false"]
    series: str
    start: int
    end: int
    fault: str
    value: float
    anomaly_score: float


def mistakes(said: Sequence[Said], series: Sequence[Series], parts: Sequence[Part]) -> list[Mistake]:
    """Missed events, then false alerts, of the parts that count; of each kind the highest score first."""
    found: list[Mistake] = []
    for answer, one, part in zip(said, series, parts, strict=True):
        found += _missed(answer, one, part) + _false(answer, one, part)
    found.sort(key=lambda m: (m.kind != "missed", -np.nan_to_num(m.anomaly_score, nan=-1.0), m.series, m.start))
    missed = [m for m in found if m.kind == "missed"]
    return missed[:MISTAKES_MAX] + [m for m in found if m.kind == "false"][:MISTAKES_MAX]


def _missed(said: Said, series: Series, part: Part) -> list[Mistake]:
    found: list[Mistake] = []
    for label in labels_in(series.labels, part):
        for first, last, _ in windows([label], said.times).tolist():
            if ((said.opened >= first) & (said.opened <= last)).any():
                continue
            scores = np.nan_to_num(said.anomaly_score[first : last + 1], nan=-1.0)
            at = first + int(np.argmax(scores))
            found.append(_mistake("missed", series, label.start, label.end, label.fault, said, at))
    return found


def _false(said: Said, series: Series, part: Part) -> list[Mistake]:
    excused = windows(series.labels, said.times, (*FOUND_BY_ALERT,))
    found: list[Mistake] = []
    for at in said.opened.tolist():
        time = int(said.times[at])
        inside = bool(((excused[:, 0] <= at) & (at <= excused[:, 2])).any())
        if part.start <= time < part.stop and not inside:
            found.append(_mistake("false", series, time, time, "", said, at))
    return found


def _mistake(
    kind: Literal["missed", "false"], series: Series, start: int, end: int, fault: str, said: Said, at: int
) -> Mistake:
    return Mistake(kind, str(series.key), start, end, fault, float(said.values[at]), float(said.anomaly_score[at]))
