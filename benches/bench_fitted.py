"""Fitted detectors beside scikit-learn and stream libraries: a fit, scores of many rows, of one, and a whole stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benches.timing import Case
from watchband.core.points import Float64, Points
from watchband.detectors import IsolationForest, LocalOutlierFactor, OneClassSvm, PcaReconstruction
from watchband.detectors.fitted import cache
from watchband.detectors.fitted.base import Fitted
from watchband.testing import streams

WINDOW, EVERY, FEW = 2000, 250, 300


def cases(points: int, peers: bool) -> list[Case]:
    """Each detector on rows of ten features, and on a metric as a stream; scikit-learn with the same settings."""
    rows = np.random.default_rng(0).normal(size=(WINDOW, 10))
    asked = np.random.default_rng(1).normal(size=(min(points, 20_000), 10)) * 1.5
    found: list[Case] = []
    for detector, theirs in pairs():
        fit, name = detector.fit(rows), detector.name
        group = f"{name}: a fit of {WINDOW:,} rows of 10"
        found.append(Case(group, "watchband", _fit(detector, rows), WINDOW, detector.state_bytes_max))
        if peers:
            found.append(Case(group, "scikit-learn", _their_fit(theirs, rows), WINDOW))
        group = f"{name}: scores, {len(asked):,} rows at once"
        found.append(Case(group, "watchband", _score(fit.score, asked), len(asked), fit.nbytes, "bytes: of the model"))
        group_one = f"{name}: scores, row by row"
        ones = Case(group_one, "watchband", _one_by_one(fit.score, asked[:FEW]), FEW)
        if peers:
            made = theirs().fit(rows)
            their = made.score_samples
            found.append(Case(group, "scikit-learn", _score(their, asked), len(asked)))
            found += [ones, Case(group_one, "scikit-learn", _one_by_one(their, asked[:FEW]), FEW)]
        else:
            found.append(ones)
    return found + _streams(min(points, 6000), peers)


def pairs() -> list[tuple[Fitted, Callable[[], Any]]]:
    """Our detectors and scikit-learn's estimators with the same settings."""
    from sklearn import decomposition, ensemble, neighbors, svm

    plain = {"features": "none", "columns": " ".join(f"m{k}" for k in range(10)), "scaling": "none"}
    return [
        (
            IsolationForest(**plain),
            lambda: ensemble.IsolationForest(n_estimators=100, max_samples=256, random_state=0),
        ),
        (OneClassSvm(**plain, nu=0.05), lambda: svm.OneClassSVM(nu=0.05)),
        (LocalOutlierFactor(**plain), lambda: neighbors.LocalOutlierFactor(20, novelty=True)),
        (PcaReconstruction(**plain), lambda: _Reconstruction(decomposition.PCA(0.9))),
    ]


class _Reconstruction:
    """scikit-learn's components, and what they leave over."""

    def __init__(self, components: Any) -> None:
        self.components = components

    def fit(self, rows: Float64) -> _Reconstruction:
        self.components.fit(rows)
        return self

    def score_samples(self, rows: Float64) -> Float64:
        left = rows - self.components.inverse_transform(self.components.transform(rows))
        return -np.sqrt((left * left).sum(axis=1))


def _fit(detector: Fitted, rows: Float64) -> Callable[[], object]:
    return lambda: detector.fit(rows)


def _their_fit(theirs: Callable[[], Any], rows: Float64) -> Callable[[], object]:
    return lambda: theirs().fit(rows)


def _score(score: Callable[[Float64], Float64], rows: Float64) -> Callable[[], object]:
    return lambda: score(rows)


def _one_by_one(score: Callable[[Float64], Float64], rows: Float64) -> Callable[[], object]:
    return lambda: [score(rows[i : i + 1]) for i in range(len(rows))]


def _streams(n: int, peers: bool) -> list[Case]:
    """A metric point by point in order: features, a fit every 250 points, a score of each."""
    values = streams.daily(n, 0, interval=5 * streams.MINUTE)
    batch = Points.of(streams.times(n, 5 * streams.MINUTE), values)
    group = "isolation_forest as a stream, a fit every 250 points"
    detector = IsolationForest()
    found = [Case(group, "watchband", _fold(detector, batch), n, detector.state_bytes_max)]
    if peers:
        rows = detector.rows.step(detector.rows.start(), batch)
        rows = rows[~np.isnan(rows).any(axis=1)]
        found.append(
            Case(group, "scikit-learn, in blocks of 250", _blocks(rows), len(rows), note="features made before")
        )
        found += [Case(group, name, work, FEW, note="features made before") for name, work in _river(rows)]
    return found


def _fold(detector: Fitted, batch: Points) -> Callable[[], object]:
    def work() -> object:
        cache.MODELS.clear()
        return detector.step(detector.start(), batch, threads=1)

    return work


def _blocks(rows: Float64) -> Callable[[], object]:
    """The pipeline people write: every 250 rows a scaler and a forest, then the next 250 at once."""
    from sklearn import ensemble, pipeline, preprocessing

    def work() -> object:
        scores = []
        for at in range(EVERY, len(rows), EVERY):
            forest = ensemble.IsolationForest(n_estimators=100, max_samples=250, random_state=0)
            made = pipeline.make_pipeline(preprocessing.StandardScaler(), forest)
            made.fit(rows[max(0, at - WINDOW) : at])
            scores.append(-made.score_samples(rows[at : at + EVERY]))
        return np.concatenate(scores)

    return work


def _river(rows: Float64) -> list[tuple[str, Callable[[], object]]]:
    """River's detectors, which score and learn every row, over the first 300."""
    from river import anomaly

    names = [f"f{k}" for k in range(rows.shape[1])]
    given = [dict(zip(names, row, strict=True)) for row in rows[:FEW].tolist()]

    def run(make: Callable[[], Any]) -> Callable[[], object]:
        def work() -> object:
            model, scores = make(), []
            for row in given:
                scores.append(model.score_one(row))
                model.learn_one(row)
            return scores

        return work

    return [
        ("River HalfSpaceTrees, 25 trees", run(lambda: anomaly.HalfSpaceTrees(n_trees=25, height=8, window_size=250))),
        ("River LocalOutlierFactor, 20 neighbours", run(lambda: anomaly.LocalOutlierFactor(n_neighbors=20))),
    ]
