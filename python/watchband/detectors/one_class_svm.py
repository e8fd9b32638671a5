"""One-Class SVM: how far a row of features lies from the support of a window of the past, by a Gaussian kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from watchband import _kernels
from watchband.core.errors import MissingExtraError
from watchband.core.params import Maybe, Real, Span, param
from watchband.core.points import Float64
from watchband.detectors.fitted.base import Fitted
from watchband.detectors.fitted.fit import NO_LIMITS, Fit


@dataclass(frozen=True, eq=False)
class OneClassSvmFit(Fit):
    """Support rows feature by feature, their weights, ``gamma`` of the kernel, and the ``offset`` of decisions."""

    kind: ClassVar[str] = "one_class_svm"
    types: ClassVar[Mapping[str, str]] = {"support": "f8", "weights": "f8", "gamma": "f8", "offset": "f8"}

    support: Float64
    weights: Float64
    gamma: Float64
    offset: Float64

    @property
    def _model(self) -> tuple[Float64, Float64, float]:
        return self.support, self.weights, float(self.gamma[0])

    def _score(self, rows: Float64) -> Float64:
        scores = np.empty(len(rows))
        _kernels.one_class_svm(self._model, rows, scores, None)
        return scores

    def _parts(self, rows: Float64) -> Float64:
        shares = np.empty(rows.shape)
        _kernels.one_class_svm(self._model, rows, None, shares)
        return shares

    def decision(self, rows: ArrayLike) -> Float64:
        """``decision_function`` of scikit-learn, float64[n]: below 0 outside the support, NaN where one is missing.

        Examples
        --------
        >>> rows = np.random.default_rng(1).normal(size=(200, 1))
        >>> fit = OneClassSvm(features="none").fit(rows)
        >>> (fit.decision([[0.0], [9.0]]) > 0).tolist()
        [True, False]
        """
        return self.decided(self.score(rows))

    def decided(self, scores: Float64) -> Float64:
        """The decisions that go with scores of this model."""
        return np.asarray(self.weights.sum() * np.exp(-scores) - self.offset[0])

    def _flaw(self) -> str:
        if self.support.ndim != 2 or self.support.shape != (self.dims, len(self.weights)) or not len(self.weights):
            return "its support rows and weights do not fit together"
        if self.gamma.shape != (1,) or self.offset.shape != (1,) or not np.isfinite([*self.gamma, *self.offset]).all():
            return "gamma and offset are one number each"
        if not (self.weights > 0).all() or not np.isfinite(self.weights).all() or not self.gamma[0] > 0:
            return "a weight or gamma is not above 0"
        return "" if np.isfinite(self.support).all() else "a support row has no value"


@dataclass(frozen=True)
class OneClassSvm(Fitted):
    """How far a row of features lies from the support of a window of the past, by a Gaussian kernel.

    The support vector machine of one class draws the smallest region, smooth by ``gamma``, that holds all but a share
    ``nu`` of the window. Works for rows of a few features that go together in one or more clouds of any form. Does not
    work for features of which many say nothing, nor for what is odd only by its place in time.

    Score: ``-ln`` of the weighted mean of the kernels over the support rows. It is a decreasing function of the
    machine's decision (``Fit.decision``), and unlike it goes on growing where all kernels are 0. Expected, lower, upper
    and scale are NaN.

    Parameters
    ----------
    features, columns, window, refit_every, scaling, hold, hold_points, odd, model, nu, gamma
        See the table of the page ``docs/detectors/one_class_svm.md``.

    References
    ----------
    B. Schölkopf, J. C. Platt, J. Shawe-Taylor, A. J. Smola, R. C. Williamson, "Estimating the Support of a
    High-Dimensional Distribution", Neural Computation 13 (2001), doi:10.1162/089976601750264965.

    Examples
    --------
    >>> from watchband import Points
    >>> values = np.sin(np.arange(1500) / 10)
    >>> values[1400] = 2
    >>> detector = OneClassSvm()
    >>> scores = detector.step(detector.start(), Points.of(np.arange(1500), values))
    >>> bool(scores.score[1400] > np.nanmax(scores.score[:1400]))
    True
    """

    name: ClassVar[str] = "one_class_svm"
    fit_class: ClassVar[type[Fit]] = OneClassSvmFit
    cost: ClassVar[str] = "O(nu · window) a point"

    nu: float = param(
        0.05,
        Real(0, 1, low_open=True),
        "Share of the window that may lie outside, and at least so many are support rows.",
        search=Span(0.01, 0.2, log=True),
    )
    gamma: float | None = param(
        None,
        Maybe(Real(0, low_open=True)),
        "Of the kernel `exp(-gamma d²)`; none: 1 over features times variance of the scaled rows.",
        search=Span(0.05, 2.0, log=True),
    )

    @property
    def libraries(self) -> str:
        return f"{super().libraries} scikit-learn {_scikit('sklearn').__version__}"

    def check_libraries(self) -> None:
        if not self.model:
            _scikit("sklearn.svm")

    def _fit(self, scaled: Float64, centre: Float64, scale: Float64) -> OneClassSvmFit:
        variance = float(scaled.var())
        gamma = self.gamma or 1.0 / (scaled.shape[1] * variance if variance > 0 else 1.0)
        machine = _scikit("sklearn.svm").OneClassSVM(kernel="rbf", nu=self.nu, gamma=gamma).fit(scaled)
        support = np.ascontiguousarray(machine.support_vectors_.T)
        weights, offset = np.ascontiguousarray(machine.dual_coef_[0]), -machine.intercept_
        return OneClassSvmFit(self.names, centre, scale, NO_LIMITS, support, weights, np.array([gamma]), offset)


def _scikit(module: str) -> Any:
    from importlib import import_module

    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtraError("one_class_svm", "scikit-learn", "analysis") from error
