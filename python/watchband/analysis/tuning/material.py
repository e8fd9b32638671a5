"""What is tuned on: series with labels, and their parts in time: warm-up, validation, gap, test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from watchband.core.duration import DAY, MINUTE
from watchband.core.errors import ConfigError
from watchband.core.points import Float64, Int64
from watchband.core.series import SeriesKey
from watchband.evaluation.labels import Label

WARM_UP_SHARE = 0.15
TEST_SHARE = 0.35
GAP_SHARE = 0.05
"""The gap before the test is a day, or this share of the whole where that is less."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One series with its labels.

    Parameters
    ----------
    key : SeriesKey
        Its name.
    times, values : int64[n], float64[n]
        Readings, ns UTC.
    labels : tuple of Label
        Of this series.
    further : float64[n, k], optional
        Of metrics that are judged together, those behind the leading one, which is in ``values``.
    """

    key: SeriesKey
    times: Int64
    values: Float64
    labels: tuple[Label, ...] = ()
    further: Float64 | None = None

    @property
    def wide(self) -> Float64:
        """All values of each reading: float64[n, 1 + k]."""
        return self.values[:, None] if self.further is None else np.column_stack([self.values, self.further])

    def before(self, stop: int) -> Series:
        """The readings before a time and the labels that begin before it; one that reaches beyond counts nowhere."""
        known = self.times < stop
        labels = tuple(a for a in self.labels if a.start < stop)
        further = None if self.further is None else self.further[known]
        return replace(self, times=self.times[known], values=self.values[known], labels=labels, further=further)


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of time: ``start`` is in it, ``stop`` is not; ns UTC."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        """Nanoseconds."""
        return max(0, self.stop - self.start)


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one series: before ``validation`` it warms up, between the two lies the gap."""

    validation: Part
    test: Part


def in_time(
    series: Sequence[Series],
    *,
    test_share: float = TEST_SHARE,
    warm_up_share: float = WARM_UP_SHARE,
    gap_ns: int | None = None,
) -> list[Parts]:
    """Parts in the order of time, one cut for all series that overlap: what is later anywhere is never searched.

    Parameters
    ----------
    series : sequence of Series
        Each with a reading or more.
    test_share, warm_up_share : float
        Shares of the time from the first to the last reading of series that overlap, directly or through others.
    gap_ns : int, optional
        Time between validation and test that counts in neither; a day by default, at most 5 % of the whole.

    Raises
    ------
    ConfigError
        The shares leave nothing to validate on.

    Examples
    --------
    >>> times = np.arange(100) * DAY
    >>> (parts,) = in_time([Series(SeriesKey("cpu"), times, np.zeros(100))])
    >>> parts.validation.start // DAY, parts.validation.stop // DAY, parts.test.start // DAY
    (14, 63, 64)
    """
    if not (0 < test_share < 1 and warm_up_share >= 0 and test_share + warm_up_share < 0.95):
        raise ConfigError(
            f"The shares of test ({test_share:g}) and warm-up ({warm_up_share:g}) must leave something to validate on: "
            "0 < test, and both together below 0.95."
        )
    found: list[Parts | None] = [None] * len(series)
    for group in _overlapping(series):
        first = min(int(series[i].times[0]) for i in group)
        last = max(int(series[i].times[-1]) for i in group)
        whole = last - first
        gap = min(DAY, int(GAP_SHARE * whole)) if gap_ns is None else gap_ns
        # Cuts on whole minutes can be read and written down.
        unit = MINUTE if whole > DAY else 1
        test = (last - int(test_share * whole)) // unit * unit
        validation = Part((first + int(warm_up_share * whole)) // unit * unit, (test - gap) // unit * unit)
        if validation.length <= 0:
            raise ConfigError(f"A gap of {gap / DAY:g} days leaves nothing to validate on in {whole / DAY:g} days.")
        for i in group:
            found[i] = Parts(validation, Part(test, last + 1))
    return [parts for parts in found if parts is not None]


def _overlapping(series: Sequence[Series]) -> list[list[int]]:
    """Places of series that overlap in time, directly or through others."""
    order = sorted(range(len(series)), key=lambda i: int(series[i].times[0]))
    groups: list[list[int]] = []
    end = 0
    for i in order:
        if not groups or int(series[i].times[0]) > end:
            groups.append([])
            end = int(series[i].times[-1])
        groups[-1].append(i)
        end = max(end, int(series[i].times[-1]))
    return groups


def labels_in(labels: Sequence[Label], part: Part) -> list[Label]:
    """Labels that lie wholly within a part; one that reaches across an edge counts in neither part."""
    return [a for a in labels if part.start <= a.start and a.last < part.stop]


def weeks(times: Int64, part: Part) -> float:
    """Weeks of a part that a series has readings for."""
    inside = times[(times >= part.start) & (times < part.stop)]
    return float(inside[-1] - inside[0]) / (7 * DAY) if len(inside) > 1 else 0.0


def fingerprint_bytes(series: Sequence[Series]) -> bytes:
    """Everything that tuning reads of the series, for the name of a study."""
    parts = []
    for one in series:
        # There are many NaN, and none of them is a 0.
        values = np.where(np.isnan(one.wide), np.nan, one.wide)
        labels = "|".join(f"{a.start},{a.end},{a.last},{a.expect}" for a in one.labels)
        parts += [str(one.key).encode(), one.times.tobytes(), values.tobytes(), labels.encode()]
    return b"\0".join(parts)
