"""scikit-learn's detectors on windows of 16 points, fitted anew every 576 points to the last week."""

from __future__ import annotations

from typing import Any

import numpy as np

from watchband.core.points import Float64, Int64

WEEK = 2016
WINDOW = 16
EVERY = 576
NU = 0.05
"""Share of the past that may lie outside."""


def refitted(make: Any, values: Float64, window: int = WINDOW, every: int = EVERY) -> Float64:
    """What a model that was fitted to the windows of the past says of each newest window; higher is stranger."""
    n = len(values)
    scores = np.full(n, np.nan)
    if n <= every:
        return scores
    rows = np.lib.stride_tricks.sliding_window_view(values, window)
    for begin in range(every, n, every):
        model = make().fit(rows[max(0, begin - WEEK) : begin - window + 1])
        end = min(begin + every, n)
        scores[begin:end] = -model.score_samples(rows[begin - window + 1 : end - window + 1])
    return scores


def isolation_forest(times: Int64, values: Float64) -> Float64:
    """Liu, Ting and Zhou, "Isolation Forest", ICDM 2008."""
    from sklearn.ensemble import IsolationForest

    return refitted(lambda: IsolationForest(n_estimators=50, random_state=1), values)


def one_class_svm(times: Int64, values: Float64) -> Float64:
    """Schölkopf et al., 2001: the negative logarithm of what the kernel still sees of the past."""
    from sklearn.svm import OneClassSVM

    seen = -refitted(lambda: OneClassSVM(nu=NU, gamma="scale"), values)
    return np.asarray(-np.log(np.maximum(seen / (NU * WEEK), 1e-30)))


def local_outlier_factor(times: Int64, values: Float64) -> Float64:
    """Breunig et al., "LOF", SIGMOD 2000; repeated windows give factors without bound, which are cut."""
    from sklearn.neighbors import LocalOutlierFactor

    return np.minimum(refitted(lambda: LocalOutlierFactor(n_neighbors=20, novelty=True), values), 1e6)
