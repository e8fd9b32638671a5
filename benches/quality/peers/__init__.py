"""Peers that detectors are measured beside: raw scores only, the calibration and the alerts are everybody's.

EWMA z-scores and the residual of a recursive regression are detectors of Watchband's own, ``ewma`` and ``residual``.
All are strictly causal, with one configuration for every series.
"""

from __future__ import annotations

import numpy as np

from benches.quality.peers import fits, plain, streams, windows
from benches.quality.peers.peer import Peer
from watchband.core.points import Float64
from watchband.evaluation.candidate import Candidate
from watchband.pipeline.catalogue import CATALOGUE

__all__ = ["PEERS", "Peer", "candidates"]


def _mass(score: Float64) -> Float64:
    """Half-space trees say 1 - mass / largest mass, which crowds at 1: -log of the share instead."""
    return np.asarray(-np.log(np.maximum(1 - score, 1e-6)))


def _above_nine_tenths(score: Float64) -> Float64:
    """Local outlier factors begin just below 1."""
    return np.maximum(score - 0.9, 0)


PEERS: dict[str, Peer] = {
    "static threshold": Peer(
        plain.static_threshold,
        "static threshold first 576",
        "limits around the mean of the first 576 points, in their deviations, set once",
    ),
    "rolling z": Peer(plain.rolling_z, "rolling z 288", "mean and deviation of the last 288 points"),
    "seasonal naive": Peer(
        plain.seasonal_naive, "seasonal naive day rate 0.005", "the value of a day ago; running scale of its errors"
    ),
    "seasonal fit": Peer(
        fits.seasonal_fit,
        "harmonics day 8 week 3 two weeks daily",
        "harmonic regression of day (8 waves) and week (3) on the last two weeks, refitted daily",
    ),
    "Prophet": Peer(
        fits.prophet_fit,
        "prophet defaults two weeks daily",
        "prophet, defaults, on the last two weeks, refitted daily",
        needs="prophet",
        thirds=("simulated", "nab"),
        never=("services",),
    ),
    "spectral residual": Peer(
        plain.spectral_residual,
        "spectral residual window 256 mean ahead",
        "own code after Ren et al. 2019, the newest point of the last 256",
    ),
    "krcf": Peer(
        streams.krcf,
        "krcf 0.4 shingle 8 trees 50 samples 256 decay 1/2560",
        "AWS's Random Cut Forest, its Rust code: shingle 8, 50 trees, 256 samples, decay 1/2,560; exp(3 x score)",
        lambda s: np.exp(3 * s),
        needs="krcf",
    ),
    "rrcf": Peer(
        streams.rrcf,
        "rrcf trees 4 samples 256 shingle 8",
        "rrcf: shingle 8, 256 samples, 4 trees instead of 40; mean displacement",
        thirds=("simulated", "nab"),
        never=("services",),
        needs="rrcf",
    ),
    "half-space trees": Peer(
        streams.half_space_trees,
        "river half-space trees defaults",
        "river, defaults, values scaled by their running range; -log(1 - score)",
        _mass,
        needs="river",
    ),
    "Gaussian scorer": Peer(
        streams.gaussian_scorer,
        "river gaussian scorer log",
        "river, defaults: all points so far; -log(1 - score)",
        needs="river",
    ),
    "absolute deviation": Peer(
        streams.absolute_deviation,
        "river standard absolute deviation",
        "river, defaults: all points so far",
        needs="river",
    ),
    "streaming SVM": Peer(
        streams.river_svm,
        "river one class svm nu 0.1 exp 3",
        "river's OneClassSVM, defaults, on standardised shingles of 8; exp(3 x score)",
        needs="river",
    ),
    "streaming LOF": Peer(
        streams.river_lof,
        "river lof defaults shingle 8",
        "river's LocalOutlierFactor, defaults, on standardised shingles of 8; score - 0.9",
        _above_nine_tenths,
        thirds=("simulated", "nab"),
        never=("services",),
        needs="river",
    ),
    "LODA": Peer(
        streams.loda,
        "pysad loda shingle 8",
        "pysad, defaults, on standardised shingles of 8; exp(score)",
        needs="pysad",
        thirds=("services",),
    ),
    "RS-Hash": Peer(
        streams.rs_hash,
        "pysad rshash 4 shingle 8",
        "pysad, defaults, the same shingles, grids over ±4; 2^score",
        needs="pysad",
        thirds=("simulated", "nab"),
        never=("services",),
    ),
    "xStream": Peer(
        streams.xstream,
        "pysad xstream 25 25 shingle 8",
        "pysad, the same shingles, 25 projections and chains instead of 100; 2^(score / 2)",
        needs="pysad",
        thirds=("simulated", "nab"),
        never=("services",),
    ),
    "KNN-CAD": Peer(
        streams.knn_cad,
        "pysad knncad 300",
        "pysad, as in NAB; probation of 300 points",
        needs="pysad",
        never=("services",),
    ),
    "STORM": Peer(
        streams.exact_storm,
        "pysad exact storm 2016 shingle 8",
        "pysad, the same shingles, last 2,016",
        needs="pysad",
        thirds=("simulated", "nab"),
        never=("services",),
    ),
    "KitNET": Peer(
        streams.kit_net,
        "pysad kitnet 100 400 shingle 8",
        "pysad, the same shingles, 100 and 400 points of grace",
        needs="pysad",
        thirds=("services",),
    ),
    "isolation forest": Peer(
        windows.isolation_forest,
        "isolation forest 50 trees window 16 week every 576",
        "scikit-learn, 50 trees on windows of 16, refitted every 576 points to the last 2,016",
        lambda s: np.maximum(s - 0.35, 0),
        needs="sklearn",
    ),
    "one-class SVM": Peer(
        windows.one_class_svm,
        "one class svm nu 0.05 window 16 week every 576",
        "scikit-learn, the same windows and refits, nu 0.05; -log(score)",
        needs="sklearn",
    ),
    "LOF": Peer(
        windows.local_outlier_factor,
        "lof 20 window 16 week every 576",
        "scikit-learn, the same windows and refits, 20 neighbours; score - 0.9",
        _above_nine_tenths,
        needs="sklearn",
        never=("services",),
    ),
}


SLOW: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = dict.fromkeys(
    ("one_class_svm", "local_outlier_factor", "lstm_autoencoder", "vote"), (("simulated", "nab"), ("services",))
)
"""Detectors of our own that fit for long: families of which they run on every third series only, and on none."""


def candidates(names: list[str] | None = None) -> dict[str, Candidate]:
    """Detectors and peers by name; by default all detectors, and the peers whose packages are installed."""
    every = [name for name in CATALOGUE.names() if name != "threshold"]
    every += [name for name, peer in PEERS.items() if peer.installed]
    return {n: PEERS[n] if n in PEERS else CATALOGUE.build({"type": n}) for n in names or every}
