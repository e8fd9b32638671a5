"""Peers that detectors are measured beside: raw scores only, the calibration and the alerts are everybody's.

EWMA z-scores and the residual of a recursive regression are detectors of Watchband's own, ``ewma`` and ``residual``.
All are strictly causal, with one configuration for every series.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benches.quality.cache import cached
from benches.quality.judge import Candidate
from watchband.core.points import Float64, Int64
from watchband.pipeline.catalogue import CATALOGUE

WEEK = 2016


def krcf(times: Int64, values: Float64) -> Float64:
    """AWS's Random Cut Forest, its Rust code: expected depth at AWS's defaults."""
    from krcf import RandomCutForest

    options = {"dimensions": 1, "shingle_size": 8, "num_trees": 50, "sample_size": 256, "random_seed": 1}
    forest = RandomCutForest({**options, "lambda": 1 / 2560, "internal_shingling": True})  # type: ignore[typeddict-item]
    scores = np.empty(len(values))
    for i, x in enumerate(values.tolist()):
        row = [x]
        scores[i] = forest.score(row)
        forest.update(row)
    return scores


def spectral_residual(times: Int64, values: Float64, window: int = 256) -> Float64:
    """Ren et al., "Time-Series Anomaly Detection Service at Microsoft", KDD 2019: each point the newest of a window.

    Behind it the mean of the five points before goes on for five points, so that the newest one does not hide itself
    (Microsoft's code leaves it out of that estimate too); the log spectrum is freed of its running mean of three, and
    the saliency is divided by its mean over the window.
    """
    ahead = 5
    n = len(values)
    scores = np.full(n, np.nan)
    for begin in range(window, n + 1, 2048):
        stops = np.arange(begin, min(begin + 2048, n + 1))
        rows = values[stops[:, None] - window + np.arange(window)]
        estimate = rows[:, -1 - ahead : -1].mean(axis=1, keepdims=True)
        spectrum = np.fft.fft(np.concatenate([rows, np.repeat(estimate, ahead, axis=1)], axis=1))
        amplitude = np.maximum(np.abs(spectrum), 1e-8)
        logs = np.log(amplitude)
        mean = (np.roll(logs, 1, axis=1) + logs + np.roll(logs, -1, axis=1)) / 3
        saliency = np.abs(np.fft.ifft(np.exp(logs - mean) * spectrum / amplitude))[:, :window]
        scores[stops - 1] = saliency[:, -1] / np.maximum(saliency.mean(axis=1), 1e-12)
    return scores


def half_space_trees(times: Int64, values: Float64) -> Float64:
    """River's half-space trees at its defaults, on values scaled by their running range."""
    from river import anomaly, preprocessing

    scaler: Any = preprocessing.MinMaxScaler()
    trees: Any = anomaly.HalfSpaceTrees(seed=1)
    scores = np.empty(len(values))
    for i, x in enumerate(values.tolist()):
        row = {"x": x}
        scaler.learn_one(row)
        row = scaler.transform_one(row)
        scores[i] = trees.score_one(row)
        trees.learn_one(row)
    return scores


def isolation_forest(times: Int64, values: Float64, window: int = 16, every: int = 576) -> Float64:
    """scikit-learn's Isolation Forest on windows of 16 points, fitted to the last week again and again."""
    from sklearn.ensemble import IsolationForest

    n = len(values)
    scores = np.full(n, np.nan)
    rows = np.lib.stride_tricks.sliding_window_view(values, window)
    for begin in range(every, n, every):
        past = rows[max(0, begin - WEEK) : begin - window + 1]
        forest = IsolationForest(n_estimators=50, random_state=1).fit(past)
        end = min(begin + every, n)
        scores[begin:end] = -forest.score_samples(rows[begin - window + 1 : end - window + 1])
    return scores


def kept(
    label: str, compute: Callable[[Int64, Float64], Float64], stretch: Callable[[Float64], Float64] = np.asarray
) -> Candidate:
    """A peer whose scores are kept on disk; the label holds whatever shapes them.

    ``stretch`` is monotone: scores that live in a narrow range get room, or the calibration could not tell them apart.
    """
    return lambda times, values: stretch(cached(label, compute, times, values))


def _mass(score: Float64) -> Float64:
    """Half-space trees say 1 - mass / largest mass, which crowds at 1: -log of the share instead."""
    return np.asarray(-np.log(np.maximum(1 - score, 1e-6)))


PEERS: dict[str, Candidate] = {
    "krcf": kept("krcf 0.4 shingle 8 trees 50 samples 256 decay 1/2560", krcf, lambda s: np.exp(3 * s)),
    "spectral residual": kept("spectral residual window 256 mean ahead", spectral_residual),
    "half-space trees": kept("river half-space trees defaults", half_space_trees, _mass),
    "isolation forest": kept(
        "isolation forest 50 trees window 16 week every 576", isolation_forest, lambda s: np.maximum(s - 0.35, 0)
    ),
}


def candidates(names: list[str] | None = None) -> dict[str, Candidate]:
    """Detectors and peers by name; all of them by default."""
    every = [name for name in CATALOGUE.names() if name != "threshold"] + list(PEERS)
    return {n: PEERS[n] if n in PEERS else CATALOGUE.build({"type": n}) for n in names or every}
