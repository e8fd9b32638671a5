"""Labels: what was abnormal, from when to when, and what a detector is expected to do about it.

A label speaks of times, not of points, so that the same label holds for a file, for its resampled form and for a
live stream. ``windows`` turns labels into the point windows that metrics count with.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from watchband.core.errors import ConfigError, UnknownNameError
from watchband.core.points import Int64
from watchband.core.series import SeriesKey

EXPECT = {
    "alert": "must alert",
    "quiet": "must not alert: a holiday, a switch of the clocks, a job that is known",
    "adapt": "alerts, then becomes normal",
    "no_data": "no points come",
    "stuck": "the value does not move any more",
}
"""What may be expected of a label, and what that means."""
FOUND_BY_ALERT = ("alert", "adapt", "stuck", "no_data")
"""Expectations that an alert fulfils; an alert in a label that is to stay ``quiet`` is a false alarm."""


@dataclass(frozen=True, slots=True)
class Label:
    """One fault, or one stretch that looks like a fault and is none.

    Parameters
    ----------
    series : str
        Name of the series as ``watchband detect`` prints it; empty for the only series of a file.
    start, end : int
        First and last abnormal time, ns since 1970 UTC; both belong to the label.
    fault : str, default ""
        What kind of fault.
    settled : int, optional
        Last time at which the end of the fault may still be seen: alerts after ``end`` and up to here count neither
        way. Default ``end``.
    size : float, default NaN
        In units of the series' own noise.
    expect : str, default "alert"
        One of ``EXPECT``.
    incident : str, default ""
        Name of the incident that several series share.
    root : bool, default False
        The incident began in this series.

    Raises
    ------
    ConfigError
        It ends before it starts, or settles before it ends.
    UnknownNameError
        Nothing of that kind can be expected.

    Examples
    --------
    >>> Label("cpu", 60, 120).settled
    120
    """

    series: str
    start: int
    end: int
    fault: str = ""
    settled: int | None = None
    size: float = float("nan")
    expect: str = "alert"
    incident: str = ""
    root: bool = False

    def __post_init__(self) -> None:
        if self.settled is None:
            object.__setattr__(self, "settled", self.end)
        if self.end < self.start or self.last < self.end:
            times = np.array([self.start, self.end, self.last]).astype("M8[ns]").astype("M8[ms]")
            start, end, settled = (f"{time}Z" for time in times)
            raise ConfigError(
                f"A label of {self.series or 'the series'!r} starts at {start}, ends at {end} and settles at "
                f"{settled}. Expected start <= end <= settled."
            )
        if self.expect not in EXPECT:
            raise UnknownNameError("expectation of a label", self.expect, EXPECT)

    @property
    def last(self) -> int:
        """``settled`` as a plain number."""
        assert self.settled is not None
        return self.settled


def windows(labels: Iterable[Label], times: Int64, expect: Collection[str] = FOUND_BY_ALERT) -> Int64:
    """Labels of one series as point windows for ``count_events``.

    Parameters
    ----------
    labels : iterable of Label
        Of one series.
    times : int64[n]
        Times of its points, ascending.
    expect : collection of str
        Labels with another expectation give no window.

    Returns
    -------
    int64[w, 3]
        First and last point of each label and last point in which its end may still be seen, in order of time. A label
        without a point in it, such as a gap, gives no window: no score can answer for it.

    Examples
    --------
    >>> windows([Label("", 15, 30, settled=41), Label("", 61, 69)], np.arange(0, 100, 10)).tolist()
    [[2, 3, 4]]
    """
    wanted = [label for label in labels if label.expect in expect]
    bounds = np.array([(a.start, a.end, a.last) for a in wanted], np.int64).reshape(-1, 3)
    first = np.searchsorted(times, bounds[:, 0], side="left")
    last = np.searchsorted(times, bounds[:, 1], side="right") - 1
    settled = np.searchsorted(times, bounds[:, 2], side="right") - 1
    found = np.stack([first, last, settled], axis=1)[first <= last]
    return np.ascontiguousarray(found[np.lexsort(found.T[::-1])], np.int64)


def labels_of(labels: Iterable[Label], series: str, file: str = "", *, only: bool = False) -> list[Label]:
    """The labels that speak of one series.

    Parameters
    ----------
    labels : iterable of Label
        Of any series.
    series : str
        Name of the series as ``watchband detect`` prints it.
    file : str, default ""
        Path of the file it came from, where known: labels may name a file instead, by its relative path or its name,
        and without a file its stem is compared with the name of the metric.
    only : bool, default False
        It is the only series, so that labels without a name are its own.

    Examples
    --------
    >>> both = [Label("cpu", 1, 2), Label("cloud/cpu.csv", 5, 6), Label("", 8, 9)]
    >>> [a.start for a in labels_of(both, "cpu")], [a.start for a in labels_of(both, "cpu", "/data/other/cpu.csv")]
    ([1, 5], [1])
    >>> [a.start for a in labels_of(both, "mem", only=True)]
    [8]
    """
    plain = series.partition("{")[0]
    parts = PurePosixPath(file.replace("\\", "/")).parts

    def speaks(name: str) -> bool:
        if not name:
            return only
        if name == series:
            return True
        end = PurePosixPath(name).parts
        if file and parts[-len(end) :] == end:
            return True
        # Readers call the only column of a file by its stem.
        return not file and bool(PurePosixPath(name).suffix) and PurePosixPath(name).stem == plain

    return [label for label in labels if speaks(label.series)]


def key_of(label: Label) -> SeriesKey:
    """The series of a label as a key; ConfigError where it has no name or is no text form of one."""
    return SeriesKey.parse(label.series)
