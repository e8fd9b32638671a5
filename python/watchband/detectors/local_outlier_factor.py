"""Local Outlier Factor: how much sparser the place of a row is than the places of its nearest neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from watchband import _kernels
from watchband.core.params import Integer, Real, Span, param
from watchband.core.points import Float64
from watchband.detectors.fitted.base import Fitted
from watchband.detectors.fitted.fit import NO_LIMITS, Fit


@dataclass(frozen=True, eq=False)
class LocalOutlierFactorFit(Fit):
    """Rows feature by feature, of each the distance of its k-th neighbour and its density; k, and the floor."""

    kind: ClassVar[str] = "local_outlier_factor"
    types: ClassVar[Mapping[str, str]] = {
        "crowd": "f8",
        "reaches": "f8",
        "densities": "f8",
        "neighbours": "i8",
        "floor": "f8",
    }

    crowd: Float64
    reaches: Float64
    densities: Float64
    neighbours: NDArray[np.int64]
    floor: Float64

    @property
    def _model(self) -> tuple[Float64, Float64, Float64, int, float]:
        return self.crowd, self.reaches, self.densities, int(self.neighbours[0]), float(self.floor[0])

    def _score(self, rows: Float64) -> Float64:
        scores = np.empty(len(rows))
        _kernels.local_outlier_factor(self._model, rows, scores, None)
        return scores

    def _parts(self, rows: Float64) -> Float64:
        shares = np.empty(rows.shape)
        _kernels.local_outlier_factor(self._model, rows, None, shares)
        return shares

    def _flaw(self) -> str:
        count = len(self.reaches)
        if self.crowd.shape != (self.dims, count) or self.densities.shape != (count,):
            return "its rows, reaches and densities do not fit together"
        if self.neighbours.shape != (1,) or self.floor.shape != (1,) or not 1 <= self.neighbours[0] < max(count, 1):
            return "the number of neighbours is not one below that of its rows"
        if not np.isfinite(self.crowd).all() or not (self.densities > 0).all() or not (self.reaches >= 0).all():
            return "a row has no value, or a reach or density that none can have"
        known = np.isfinite(self.densities).all() and np.isfinite(self.reaches).all() and self.floor[0] >= 0
        return "" if known else "a reach, a density or the floor is no number"


@dataclass(frozen=True)
class LocalOutlierFactor(Fitted):
    """How much sparser the place of a row of features is than the places of its nearest neighbours.

    Works where usual rows lie in several clouds of different densities: what is far in a dense cloud is near in a
    sparse one. Does not work for features of which many say nothing, nor in crowds of strange rows that are each
    other's neighbours.

    Score: density of the neighbours over the row's own: about 1 for usual rows, and growing without bound. Expected,
    lower, upper and scale are NaN.

    Parameters
    ----------
    features, columns, window, refit_every, scaling, hold, hold_points, odd, model, neighbours, floor
        See the table of the page ``docs/detectors/local_outlier_factor.md``.

    References
    ----------
    M. M. Breunig, H.-P. Kriegel, R. T. Ng, J. Sander, "LOF: Identifying Density-Based Local Outliers", SIGMOD 2000,
    doi:10.1145/342009.335388.

    Examples
    --------
    >>> from watchband import Points
    >>> values = np.sin(np.arange(1500) / 10)
    >>> values[1400] = 2
    >>> detector = LocalOutlierFactor()
    >>> scores = detector.step(detector.start(), Points.of(np.arange(1500), values))
    >>> bool(scores.score[1400] > np.nanmax(scores.score[:1400]))
    True
    """

    name: ClassVar[str] = "local_outlier_factor"
    fit_class: ClassVar[type[Fit]] = LocalOutlierFactorFit
    cost: ClassVar[str] = "O(window) a point, O(window²) a fit"

    neighbours: int = param(
        20, Integer(1, 1000), "Rows that are a neighbourhood.", unit="points", search=Span(10, 60, log=True)
    )
    floor: float = param(
        0.01,
        Real(0),
        "A distance below it counts as it, in scaled features: rows that are equal make no place infinitely dense.",
    )

    def _fit(self, scaled: Float64, centre: Float64, scale: Float64) -> LocalOutlierFactorFit:
        crowd = np.ascontiguousarray(scaled.T)
        neighbours = min(self.neighbours, len(scaled) - 1)
        reaches, densities = _kernels.local_outlier_factor_fit(crowd, neighbours, self.floor)
        sizes = np.array([neighbours]), np.array([float(self.floor)])
        return LocalOutlierFactorFit(self.names, centre, scale, NO_LIMITS, crowd, reaches, densities, *sizes)
