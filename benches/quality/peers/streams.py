"""Streaming detectors of other packages, a call a point: krcf, rrcf, river and pysad."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from watchband.core.points import Float64, Int64

SHINGLE = 8


def krcf(times: Int64, values: Float64) -> Float64:
    """AWS's Random Cut Forest, its Rust code: expected depth at AWS's defaults."""
    return krcf_of(values[:, None])


def krcf_of(rows: Float64) -> Float64:
    """The same of points of several values, float64[n, dims]."""
    from krcf import RandomCutForest

    dims = rows.shape[1]
    options = {"dimensions": dims, "shingle_size": 8, "num_trees": 50, "sample_size": 256, "random_seed": 1}
    forest = RandomCutForest({**options, "lambda": 1 / 2560, "internal_shingling": True})  # type: ignore[typeddict-item]
    scores = np.empty(len(rows))
    for i, row in enumerate(rows.tolist()):
        scores[i] = forest.score(row)
        forest.update(row)
    return scores


def rrcf(times: Int64, values: Float64, trees: int = 4, samples: int = 256) -> Float64:
    """Bartos, Mullapudi and Troutman, "rrcf", JOSS 2019: collusive displacement of each new shingle."""
    from rrcf import RCTree

    forest: list[Any] = [RCTree(random_state=seed) for seed in range(trees)]
    scores = np.full(len(values), np.nan)
    rows = np.lib.stride_tricks.sliding_window_view(values, SHINGLE) if len(values) >= SHINGLE else []
    for i, row in enumerate(rows):
        moved = 0.0
        for tree in forest:
            if len(tree.leaves) > samples:
                tree.forget_point(i - samples - 1)
            tree.insert_point(row, index=i)
            moved += tree.codisp(i)
        scores[i + SHINGLE - 1] = moved / trees
    return scores


def half_space_trees(times: Int64, values: Float64) -> Float64:
    """River's half-space trees at its defaults, on values scaled by their running range."""
    return half_space_trees_of(values[:, None])


def half_space_trees_of(rows: Float64) -> Float64:
    """The same of points of several values, float64[n, dims]."""
    from river import anomaly, preprocessing

    scaler: Any = preprocessing.MinMaxScaler()
    trees: Any = anomaly.HalfSpaceTrees(seed=1)
    scores = np.empty(len(rows))
    names = ["x"] if rows.shape[1] == 1 else [f"x{k}" for k in range(rows.shape[1])]
    for i, values in enumerate(rows.tolist()):
        row = dict(zip(names, values, strict=True))
        scaler.learn_one(row)
        row = scaler.transform_one(row)
        scores[i] = trees.score_one(row)
        trees.learn_one(row)
    return scores


def gaussian_scorer(times: Int64, values: Float64) -> Float64:
    """River's GaussianScorer, all points before alike: minus the logarithm of what lies further out."""
    from river import anomaly

    scorer: Any = anomaly.GaussianScorer()
    scores = np.full(len(values), np.nan)
    for i, x in enumerate(values.tolist()):
        scores[i] = -math.log(max(1 - scorer.score_one(None, x), 1e-16))
        scorer.learn_one(None, x)
    return scores


def absolute_deviation(times: Int64, values: Float64) -> Float64:
    """River's StandardAbsoluteDeviation: distance from the mean of all points so far."""
    from river import anomaly

    scorer: Any = anomaly.StandardAbsoluteDeviation()
    scores = np.full(len(values), np.nan)
    for i, x in enumerate(values.tolist()):
        scores[i] = scorer.score_one(None, x)
        scorer.learn_one(None, x)
    return scores


def river_svm(times: Int64, values: Float64) -> Float64:
    """River's OneClassSVM, by stochastic gradients, on standardised shingles; the score lies around 0."""
    from river import anomaly

    model: Any = anomaly.OneClassSVM(nu=0.1)
    scores = np.full(len(values), np.nan)
    for i, row in standardised(values):
        point = dict(enumerate(row.tolist()))
        scores[i] = math.exp(min(3 * model.score_one(point), 50.0))
        model.learn_one(point)
    return scores


def river_lof(times: Int64, values: Float64) -> Float64:
    """River's LocalOutlierFactor on standardised shingles."""
    from river import anomaly

    model: Any = anomaly.LocalOutlierFactor()
    scores = np.full(len(values), np.nan)
    for i, row in standardised(values):
        point = dict(enumerate(row.tolist()))
        scores[i] = min(model.score_one(point), 1e6)
        model.learn_one(point)
    return scores


def standardised(values: Float64, shingle: int = SHINGLE) -> Iterator[tuple[int, Float64]]:
    """Each point with its shingle: the last values, each by mean and deviation of all values up to it."""
    count = np.arange(1, len(values) + 1)
    # Differences from the first value keep the sums of squares exact enough.
    away = values - values[0]
    mean = np.cumsum(away) / count
    scale = np.sqrt(np.maximum(np.cumsum(away**2) / count - mean**2, 0))
    z = np.divide(away - mean, scale, out=np.zeros(len(values)), where=scale > 1e-9 * np.maximum(np.abs(mean), 1e-12))
    z = np.clip(z, -50, 50)
    for i in range(shingle - 1, len(values)):
        yield i, np.ascontiguousarray(z[i - shingle + 1 : i + 1])


def _pysad(make: Callable[[Any], Any], values: Float64, whole: bool = False, warm: int = 20) -> Float64:
    """A model of pysad: it scores each standardised shingle, or each value, and then learns it."""
    import pysad.models

    model = make(pysad.models)
    scores = np.full(len(values), np.nan)
    rows = ((i, np.array([x])) for i, x in enumerate(values.tolist())) if whole else standardised(values)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for i, row in rows:
            if i >= warm:
                scores[i] = float(np.ravel(model.fit_score_partial(row))[0])
            else:
                model.fit_partial(row)
    return scores


def loda(times: Int64, values: Float64) -> Float64:
    """Pevný, "Loda", 2016: minus the logarithm of a density of random projections; its exponential."""
    return np.exp(np.clip(_pysad(lambda m: m.LODA(random_state=1), values), -50, 50))


def rs_hash(times: Int64, values: Float64) -> Float64:
    """Sathe and Aggarwal, "Subspace Outlier Detection in Linear Time", 2016: grids over four deviations each way."""
    bounds = {"feature_mins": np.full(SHINGLE, -4.0), "feature_maxes": np.full(SHINGLE, 4.0)}
    return np.exp2(_pysad(lambda m: m.RSHash(**bounds, random_state=1), values))


def xstream(times: Int64, values: Float64) -> Float64:
    """Manzoor, Lamba and Akoglu, "xStream", KDD 2018, with a quarter of its projections and chains."""
    made = {"num_components": 25, "n_chains": 25, "random_state": 1}
    return np.exp2(_pysad(lambda m: m.xStream(**made), values) / 2)


def knn_cad(times: Int64, values: Float64) -> Float64:
    """Burnaev and Ishimtsev, "Conformalized density- and distance-based anomaly detection", 2016, as in NAB."""
    return _pysad(lambda m: m.KNNCAD(probationary_period=300), values, whole=True, warm=0)


def exact_storm(times: Int64, values: Float64) -> Float64:
    """Angiulli and Fassetti, "Detecting distance-based outliers in streams of data", CIKM 2007."""
    return _pysad(lambda m: m.ExactStorm(window_size=2016), values)


def kit_net(times: Int64, values: Float64) -> Float64:
    """Mirsky et al., "Kitsune", NDSS 2018: an ensemble of autoencoders."""
    return _pysad(lambda m: m.KitNet(grace_feature_mapping=100, grace_anomaly_detector=400, random_state=1), values)
