"""All metrics of a service as points of many values, to detectors that read them natively.

Every column is standardised by mean and deviation of its values so far: the same input for everybody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from benches.quality.cache import cached
from benches.quality.peers import streams
from watchband.core.points import Float64, Int64, Points
from watchband.detectors import HalfSpaceTrees, RandomCutForest


@dataclass(frozen=True, eq=False)
class Joined:
    """A detector of many values.

    Parameters
    ----------
    compute : callable
        From times (int64[n]) and rows (float64[n, dims]) to one raw score a point.
    label : str
        Whatever shapes the scores: it names them on disk; empty keeps none.
    needs : str
        The package that it comes from.
    """

    compute: Callable[[Int64, Float64], Float64]
    label: str = ""
    needs: str = "numpy"

    @property
    def installed(self) -> bool:
        """Whether its package is there."""
        return find_spec(self.needs) is not None

    def score(self, times: Int64, metrics: list[Float64]) -> Float64:
        """One score a point of the service as a whole; NaN is no opinion."""
        rows = standardised(np.stack(metrics, axis=1))
        if not self.label:
            return self.compute(times, rows)
        return cached(self.label, lambda t, flat: self.compute(t, flat.reshape(rows.shape)), times, rows.ravel())


def standardised(rows: Float64) -> Float64:
    """Each value by mean and deviation of its column up to it, within ten; 0 while a column has only one value."""
    count = np.arange(1, len(rows) + 1)[:, None]
    away = rows - rows[0]
    mean = np.cumsum(away, axis=0) / count
    scale = np.sqrt(np.maximum(np.cumsum(away**2, axis=0) / count - mean**2, 0))
    known = scale > 1e-9 * np.maximum(np.abs(mean), 1e-12)
    return np.clip(np.divide(away - mean, scale, out=np.zeros(rows.shape), where=known), -10, 10)


def _forest(times: Int64, rows: Float64) -> Float64:
    detector = RandomCutForest(dims=rows.shape[1])
    return detector.step(detector.start(), Points.of(times, rows), threads=1).score


def _half_spaces(times: Int64, rows: Float64) -> Float64:
    detector = HalfSpaceTrees(dims=rows.shape[1])
    return detector.step(detector.start(), Points.of(times, rows), threads=1).score


def _krcf(times: Int64, rows: Float64) -> Float64:
    return np.exp(3 * streams.krcf_of(rows))


def _river(times: Int64, rows: Float64) -> Float64:
    return -np.log(np.maximum(1 - streams.half_space_trees_of(rows), 1e-6))


def _isolation(times: Int64, rows: Float64, every: int = 576, past: int = 2016) -> Float64:
    from sklearn.ensemble import IsolationForest

    score = np.full(len(rows), np.nan)
    for begin in range(every, len(rows), every):
        model = IsolationForest(n_estimators=50, random_state=1).fit(rows[max(0, begin - past) : begin])
        end = min(begin + every, len(rows))
        score[begin:end] = np.maximum(-model.score_samples(rows[begin:end]) - 0.35, 0)
    return score


def _farthest(times: Int64, rows: Float64) -> Float64:
    return np.abs(rows).max(axis=1)


JOINED: dict[str, Joined] = {
    "random_cut_forest, joined": Joined(_forest),
    "half_space_trees, joined": Joined(_half_spaces),
    "krcf, joined": Joined(_krcf, "joined krcf 0.4 shingle 8 trees 50 samples 256 decay 1/2560", "krcf"),
    "half-space trees, joined": Joined(_river, "joined river half-space trees defaults", "river"),
    "isolation forest, joined": Joined(_isolation, "joined isolation forest 50 trees week every 576", "sklearn"),
    "largest z, joined": Joined(_farthest),
}
"""The whole service natively; ``largest z`` is the plain baseline on the same input."""
