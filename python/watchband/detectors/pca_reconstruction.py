"""PCA reconstruction: what the principal components of a window of the past leave over of a row of features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from watchband import _kernels
from watchband.core.errors import InvalidParameterError
from watchband.core.params import Real, Span, param
from watchband.core.points import Float64
from watchband.detectors.fitted.base import Fitted, features_param
from watchband.detectors.fitted.fit import NO_LIMITS, Fit

EXACT = 1e-12
"""Where components leave less than this share of the variance, the rest is rounding."""


@dataclass(frozen=True, eq=False)
class PcaReconstructionFit(Fit):
    """Mean, components that are kept (a row each, the largest variance first), and the ``usual`` mean square left."""

    kind: ClassVar[str] = "pca_reconstruction"
    types: ClassVar[Mapping[str, str]] = {"mean": "f8", "axes": "f8", "usual": "f8"}

    mean: Float64
    axes: Float64
    usual: Float64

    @property
    def _model(self) -> tuple[Float64, Float64, float]:
        return self.mean, self.axes.reshape(-1), float(self.usual[0])

    def _score(self, rows: Float64) -> Float64:
        scores = np.empty(len(rows))
        _kernels.principal(self._model, rows, scores, None)
        return scores

    def _parts(self, rows: Float64) -> Float64:
        shares = np.empty(rows.shape)
        _kernels.principal(self._model, rows, None, shares)
        return shares

    def _flaw(self) -> str:
        if self.mean.shape != (self.dims,) or self.axes.ndim != 2 or self.axes.shape[1] != self.dims:
            return "its components are of another number of features"
        if self.usual.shape != (1,) or not self.usual[0] > 0 or not np.isfinite(self.usual[0]):
            return "what is usually left is not above 0"
        known = np.isfinite(self.mean).all() and np.isfinite(self.axes).all()
        return "" if known else "a component is no number"


@dataclass(frozen=True)
class PcaReconstruction(Fitted):
    """What the principal components of a window of the past leave over of a row of features.

    The components are the directions in which usual rows vary together; a row that breaks the relation between its
    features cannot be put together from them. Works for features that go together: the metrics of a host, the last
    values of a smooth metric. Does not work for features that are independent, nor for what keeps the relation: twice
    the load with all that belongs to it.

    Score: root of what is left, over its root mean square in the window: about 1 for usual rows. Expected, lower,
    upper and scale are NaN.

    Parameters
    ----------
    features, columns, window, refit_every, scaling, hold, hold_points, odd, model, share
        See the table of the page ``docs/detectors/pca_reconstruction.md``.

    References
    ----------
    J. E. Jackson, G. S. Mudholkar, "Control Procedures for Residuals Associated With Principal Component Analysis",
    Technometrics 21 (1979), doi:10.1080/00401706.1979.10489779.

    Examples
    --------
    >>> from watchband import Points
    >>> load = np.random.default_rng(1).random(1500)
    >>> host = np.stack([100 * load, 20 + 60 * load, 5 + load], axis=1)
    >>> host += np.random.default_rng(2).normal(0, 1, (1500, 3)) * [3, 2, 0.1]
    >>> host[1400] = [10, 75, 5.1]  # no value is unusual; memory and processor never went so
    >>> detector = PcaReconstruction(features="none", columns="cpu memory latency")
    >>> scores = detector.step(detector.start(), Points.of(np.arange(1500), host))
    >>> int(np.nanargmax(scores.score))
    1400
    """

    name: ClassVar[str] = "pca_reconstruction"
    fit_class: ClassVar[type[Fit]] = PcaReconstructionFit
    cost: ClassVar[str] = "O(features · components) a point"

    features: str = features_param("last24")
    share: float = param(
        0.9,
        Real(0, 1, low_open=True, high_open=True),
        "Share of the variance that the components that are kept have; one fewer than features at most.",
        search=Span(0.5, 0.99),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.names) < 2:
            raise InvalidParameterError(
                f"The 'features' parameter of {type(self).__name__} must make at least 2 features: one alone leaves "
                f"nothing over. Got {self.features!r} of {self.columns!r}; take last24, or more columns."
            )

    def _fit(self, scaled: Float64, centre: Float64, scale: Float64) -> PcaReconstructionFit:
        k = scaled.shape[1]
        mean, variances, axes = _kernels.principal_fit(scaled)
        whole = float(variances.sum())
        kept = min(int(np.searchsorted(np.cumsum(variances), self.share * whole)) + 1, k - 1)
        usual = np.array([max(float(variances[kept:].sum()), EXACT * whole)])
        components = np.ascontiguousarray(axes.reshape(k, k)[:kept])
        return PcaReconstructionFit(self.names, centre, scale, NO_LIMITS, mean, components, usual)
