"""Preset ``seed001``: a One-Class SVM whose decisions are severities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from watchband import _kernels
from watchband.core.params import Choice, Integer, Maybe, Real, Span, param
from watchband.core.points import Float64
from watchband.detectors.fitted import rows
from watchband.detectors.fitted.fit import Fit
from watchband.detectors.one_class_svm import OneClassSvm, OneClassSvmFit

WARNING, CRITICAL = -0.2, -0.5
"""Decisions below which an alert is a warning, and critical; below 0 it is for information."""
_WARNING_SCORE, _CRITICAL_SCORE = 1.5, 3.0


def graded(decisions: Float64) -> Float64:
    """Decisions as scores: above 1 outside of the support, 1.5 and more a warning, 3 and more critical.

    Examples
    --------
    >>> graded(np.array([1.0, 0.0, -0.1, -0.2, -0.35, -0.5, -0.7])).round(9).tolist()
    [0.5, 1.0, 1.25, 1.5, 2.25, 3.0, 4.0]
    """
    info = 1 - decisions * ((_WARNING_SCORE - 1) / -WARNING)
    slope = (_CRITICAL_SCORE - _WARNING_SCORE) / (WARNING - CRITICAL)
    outside = np.where(decisions > WARNING, info, _WARNING_SCORE + (WARNING - decisions) * slope)
    inside = 1 / (1 + np.maximum(decisions, 0.0))
    return np.asarray(np.where(decisions >= 0, inside, outside))


@dataclass(frozen=True, eq=False)
class Seed001Fit(OneClassSvmFit):
    """A One-Class SVM whose scores are graded decisions; it reads and writes the same model files."""

    def _score(self, rows: Float64) -> Float64:
        return graded(self._decision(rows))

    def _decision(self, rows: Float64) -> Float64:
        falling = -super()._score(rows)
        seen = np.empty(len(rows))
        _kernels.exps_of(np.ascontiguousarray(falling), seen)
        total = 0.0
        for weight in self.weights.tolist():
            total += weight
        return np.asarray(total * seen - self.offset[0])

    def decision(self, rows: object) -> Float64:
        return self._decision(self.rows(rows))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Seed001(OneClassSvm):
    """One-Class SVM over cluster ratios, radial kernel, nu 0.18: an alert's severity is read from the decision.

    Works for a few ratios that go together, such as requested CPU, memory and pods of a cluster
    (``columns="cpu memory pods"``). Does not work where nearly a fifth of what is usual may not alert: that is what
    nu 0.18 lays outside, whatever the data; choose a smaller ``nu``, or ``--budget``.

    Score: 1 where the decision is 0, 1.5 at -0.2 (a warning), 3 at -0.5 (critical), even between. Its own rule is
    ``cutoff:1``, under which alerts are exactly decisions below 0 and their severity is that of the lowest one.

    Parameters
    ----------
    features, columns, window, refit_every, scaling, hold, hold_points, odd, model, nu, gamma
        See the table of the page ``docs/detectors/seed001.md``.

    Examples
    --------
    >>> Seed001(columns="cpu memory pods").names
    ('cpu', 'memory', 'pods')
    """

    name: ClassVar[str] = "seed001"
    fit_class: ClassVar[type[Fit]] = Seed001Fit
    default_rule: ClassVar[str] = "cutoff:1"

    features: str = param("none", Choice(rows.NAMES), "What a row is made of; `none`: the values of a point.")
    window: int = param(
        161, Integer(32, 100_000), "Rows a model is fitted on.", unit="points", search=Span(161, 2000, log=True)
    )
    refit_every: int = param(161, Integer(16, 100_000), "Points from one fit to the next.", unit="points")
    nu: float = param(
        0.18,
        Real(0, 1, low_open=True),
        "Share of the window that may lie outside, and at least so many are support rows.",
        search=Span(0.01, 0.2, log=True),
    )
    gamma: float | None = param(
        None,
        Maybe(Real(0, low_open=True)),
        "Of the kernel `exp(-gamma d²)`; none: 1 over features times variance of the scaled rows.",
    )

    def _fit(self, scaled: Float64, centre: Float64, scale: Float64) -> Seed001Fit:
        found = super()._fit(scaled, centre, scale)
        return Seed001Fit(
            found.names,
            found.centre,
            found.scale,
            found.limits,
            found.support,
            found.weights,
            found.gamma,
            found.offset,
        )
