"""How late events are found: the distribution of delays, with what was never found kept in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from watchband.core.points import Float64, Int64
from watchband.evaluation.metrics.bootstrap import Interval
from watchband.evaluation.metrics.proportion import wilson


def delays(opened: Int64, windows: Int64) -> Float64:
    """From the start of each event to the first alert in it; infinite where there is none.

    Parameters
    ----------
    opened : int64[k]
        Where alerts opened, ascending: points, or times in ns.
    windows : int64[w, 2] or int64[w, 3]
        First and last of each event, in the same unit.

    Returns
    -------
    float64[w]

    Examples
    --------
    >>> delays(np.array([12, 17, 40]), np.array([[10, 19], [20, 29]])).tolist()
    [2.0, inf]
    """
    opened = np.asarray(opened, np.int64)
    windows = np.asarray(windows, np.int64)
    windows = windows.reshape(-1, windows.shape[-1] if windows.size else 2)
    at = np.searchsorted(opened, windows[:, 0])
    first = np.r_[opened, np.iinfo(np.int64).max][at]
    return np.where(first <= windows[:, 1], first - windows[:, 0], np.inf)


@dataclass(frozen=True, slots=True, eq=False)
class Delays:
    """Delays of many events; ``each`` is float64[w] with infinity for what was missed.

    A median over found events only flatters a detector that finds nothing but the easy ones, so every quantile is over
    all events: it is infinite where too many were missed. Delays of several series are joined with
    ``Delays(np.concatenate(...))``.

    Examples
    --------
    >>> some = Delays(np.array([0.0, 2.0, 9.0, np.inf]))
    >>> some.quantile(0.5), some.quantile(0.9), some.within(5).value, some.mean_found
    (2.0, inf, 0.5, 3.6666666666666665)
    """

    each: Float64

    @property
    def found(self) -> float:
        """Share of events with a finite delay; NaN without events."""
        return float(np.isfinite(self.each).mean()) if len(self.each) else float("nan")

    @property
    def mean_found(self) -> float:
        """Mean over found events; NaN without any. Read it beside ``found``."""
        some = self.each[np.isfinite(self.each)]
        return float(some.mean()) if len(some) else float("nan")

    def quantile(self, share: float) -> float:
        """The delay by which this share of all events was found: infinite where fewer were; NaN without events."""
        if not len(self.each):
            return float("nan")
        at = max(int(np.ceil(share * len(self.each))) - 1, 0)
        return float(np.partition(self.each, at)[at])

    def within(self, delay: float, *, level: float = 0.95) -> Interval:
        """Share of events found no later than this, with Wilson's interval."""
        return wilson(int(np.count_nonzero(self.each <= delay)), len(self.each), level=level)

    def curve(self) -> tuple[Float64, Float64]:
        """Delays at which the found share rises, ascending, and the share from there on."""
        some, counts = np.unique(self.each[np.isfinite(self.each)], return_counts=True)
        return some, np.cumsum(counts) / max(len(self.each), 1)
