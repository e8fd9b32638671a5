"""Evidence: what the points of a part say for and against a configuration, as sums over stretches of time.

Everything that is ever reported is a function of such sums. The stretches are what intervals are drawn over: with many
series each is one stretch, with few each is cut into several, so that one series has an interval too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from watchband.analysis.tuning.material import Part, Parts, Series, labels_in
from watchband.analysis.tuning.replay import Said
from watchband.core.duration import DAY, HOUR
from watchband.core.points import Float64, Int64
from watchband.evaluation.labels import FOUND_BY_ALERT, windows
from watchband.evaluation.metrics.nab import nab_file
from watchband.evaluation.metrics.ranking import vus

COLUMNS = (
    "found",
    "missed",
    "false",
    "delay_hours",
    "weeks",
    "alerts",
    "hits",
    "misses",
    "wrong",
    "right",
    "vus_pr",
    "ranked",
    "nab",
    "nab_silent",
    "nab_perfect",
)
"""Events found and missed, alerts outside events, delay of found events, weeks, alerts; points in events that were
anomalous or not, points outside that were or were not; VUS-PR of a series and 1; gain by NAB, of silence, at best."""
AT = {name: i for i, name in enumerate(COLUMNS)}
STRETCHES = 24
"""Stretches that are wanted: few series are cut into several each."""
_NAB_FP, _NAB_FN = 0.11, 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Sums of every stretch.

    Parameters
    ----------
    table : float64[stretches, len(COLUMNS)]
        See ``COLUMNS``.
    banded : float
        Share of points with a drawn band.
    """

    table: Float64
    banded: float

    @property
    def sums(self) -> Float64:
        """float64[len(COLUMNS)]."""
        return np.asarray(self.table.sum(axis=0))

    def __getitem__(self, name: str) -> float:
        return float(self.sums[AT[name]])


def gather(
    said: Sequence[Said],
    series: Sequence[Series],
    parts: Sequence[Part],
    *,
    ranked: bool = True,
    stretches: int = STRETCHES,
) -> Evidence:
    """What a configuration said of the points of a part, against the labels that lie within it.

    Parameters
    ----------
    said : sequence of Said
        Of each series.
    series : sequence of Series
        With their labels.
    parts : sequence of Part
        The part of each series that counts.
    ranked : bool, default True
        Also VUS-PR, which takes longest.
    stretches : int, default 24
        How many are wanted in all.
    """
    each = max(1, -(-stretches // max(1, len(series))))
    tables = [_one(*row, each, ranked) for row in zip(said, series, parts, strict=True)]
    return Evidence(
        np.concatenate(tables) if tables else np.zeros((0, len(COLUMNS))),
        float(np.mean([s.banded for s in said])) if said else 0.0,
    )


def validation_parts(parts: Sequence[Parts]) -> list[Part]:
    """Of each series."""
    return [p.validation for p in parts]


def test_parts(parts: Sequence[Parts]) -> list[Part]:
    """Of each series."""
    return [p.test for p in parts]


def _one(said: Said, series: Series, part: Part, stretches: int, ranked: bool) -> Float64:
    table = np.zeros((stretches, len(COLUMNS)))
    inside = (said.times >= part.start) & (said.times < part.stop)
    here = np.flatnonzero(inside)
    if not len(here):
        return table
    cut = part.start + (part.length * np.arange(1, stretches)) // stretches
    stretch = np.searchsorted(cut, said.times, side="right")

    def add(name: str, points: Int64, amounts: Float64 | float = 1.0) -> None:
        np.add.at(table[:, AT[name]], stretch[points], amounts)

    counted = windows(labels_in(series.labels, part), said.times)
    excused = windows(series.labels, said.times, (*FOUND_BY_ALERT,))
    opened = said.opened[inside[said.opened]]
    add("alerts", opened)
    add("weeks", here[1:], np.diff(said.times[here]) / (7 * DAY))
    add("false", opened[~_in_any(opened, excused)])
    for first, last, _ in counted.tolist():
        hit = opened[(opened >= first) & (opened <= last)]
        add("found" if len(hit) else "missed", np.array([first]))
        if len(hit):
            add("delay_hours", np.array([first]), float(said.times[hit[0]] - said.times[first]) / HOUR)
    strange = np.nan_to_num(said.anomaly_score[here], nan=0.0) > 1
    event, near = _in_any(here, counted[:, :2]), _in_any(here, excused)
    for name, which in (("hits", event & strange), ("misses", event & ~strange)):
        add(name, here[which])
    for name, which in (("wrong", ~near & strange), ("right", ~near & ~strange)):
        add(name, here[which])
    if ranked and len(counted):
        volume = vus(said.anomaly_score[here], counted[:, :2] - here[0])
        add("vus_pr", counted[:1, 0], volume.pr)
        add("ranked", counted[:1, 0])
    _add_nab(add, said, counted, opened, excused)
    return table


def _in_any(points: Int64, spans: Int64) -> np.ndarray:
    """Whether each point lies in a span: more of them began by then than were over."""
    begun = np.searchsorted(np.sort(spans[:, 0]), points, side="right")
    return np.asarray(begun > np.searchsorted(np.sort(spans[:, -1]), points, side="left"))


def _add_nab(add, said: Said, counted: Int64, opened: Int64, excused: Int64) -> None:  # type: ignore[no-untyped-def]
    """NAB's standard profile for the alerts as they open, without probation: the part begins after a warm-up."""
    edges = said.times[counted[:, :2]].reshape(-1, 2)
    worth = nab_file(said.times, edges).worth
    for first, last, _ in counted.tolist():
        hit = opened[(opened >= first) & (opened <= last)]
        add("nab", np.array([first]), float(worth[hit].max()) if len(hit) else -_NAB_FN)
        add("nab_silent", np.array([first]), -_NAB_FN)
        add("nab_perfect", np.array([first]))
    outside = opened[~_in_any(opened, excused)]
    add("nab", outside, _NAB_FP * worth[outside])
