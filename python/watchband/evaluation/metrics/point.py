"""Points flagged against points labelled: the confusion matrix and the shares that follow from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchband.evaluation.metrics.arrays import same_length
from watchband.evaluation.metrics.bootstrap import Interval, cells, f1
from watchband.evaluation.metrics.proportion import wilson


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts of points; they add up over series.

    Parameters
    ----------
    tp, fn : int
        Abnormal points that were flagged, and that were not.
    fp, tn : int
        Normal points that were flagged, and that were not.

    Examples
    --------
    >>> Confusion(tp=5, fn=4, fp=2, tn=24).f1
    0.625
    """

    tp: int = 0
    fn: int = 0
    fp: int = 0
    tn: int = 0

    def __add__(self, other: Confusion) -> Confusion:
        return Confusion(self.tp + other.tp, self.fn + other.fn, self.fp + other.fp, self.tn + other.tn)

    @property
    def points(self) -> int:
        """All of them."""
        return self.tp + self.fn + self.fp + self.tn

    @property
    def precision(self) -> float:
        """Abnormal points among the flagged ones; NaN where nothing was flagged."""
        return _share(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float:
        """Flagged points among the abnormal ones; NaN where nothing was abnormal."""
        return _share(self.tp, self.tp + self.fn)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; NaN where nothing was flagged or abnormal."""
        return _share(2 * self.tp, 2 * self.tp + self.fn + self.fp)

    @property
    def fpr(self) -> float:
        """False positive rate: flagged points among the normal ones; NaN where nothing was normal."""
        return _share(self.fp, self.fp + self.tn)

    @property
    def matrix(self) -> list[list[int]]:
        """``[[tn, fp], [fn, tp]]``: rows are the truth, columns what was said, normal first."""
        return [[self.tn, self.fp], [self.fn, self.tp]]

    def intervals(self, *, level: float = 0.95, seed: int = 0) -> dict[str, Interval]:
        """Precision, recall and FPR with Wilson intervals, F1 with a bootstrap over the points.

        They take the points as independent. Where abnormal points come in runs, the truth is wider: resample series
        or blocks instead (``bootstrap``).

        Examples
        --------
        >>> {name: str(i) for name, i in Confusion(5, 4, 2, 24).intervals().items()}["precision"]
        '0.714 (0.359 to 0.918)'
        """
        counts = np.array([self.tp, self.fn, self.fp, self.tn])
        return {
            "precision": wilson(self.tp, self.tp + self.fp, level=level),
            "recall": wilson(self.tp, self.tp + self.fn, level=level),
            "f1": cells(counts, f1, level=level, seed=seed),
            "fpr": wilson(self.fp, self.fp + self.tn, level=level),
        }


def confusion(flagged: NDArray[np.bool_], labels: NDArray[np.bool_]) -> Confusion:
    """Confusion matrix of points.

    Parameters
    ----------
    flagged, labels : bool[n]
        What was said, and what is true. Numbers count as True where they are not 0.

    Raises
    ------
    PointsShapeError
        The lengths differ.

    Examples
    --------
    >>> confusion(np.array([1, 1, 0, 0]), np.array([1, 0, 1, 0]))
    Confusion(tp=1, fn=1, fp=1, tn=1)
    """
    n = same_length("confusion", flagged=flagged, labels=labels)
    said, true = np.asarray(flagged) != 0, np.asarray(labels) != 0
    both, says, trues = (int(np.count_nonzero(x)) for x in (said & true, said, true))
    return Confusion(both, trues - both, says - both, n - says - trues + both)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
