"""Every registered detector keeps the ten laws; found by discovery, nobody lists them."""

from __future__ import annotations

import pytest

from watchband.core import params
from watchband.core.detector import Detector
from watchband.pipeline.catalogue import CATALOGUE
from watchband.testing.contracts.detector import CHECKS

# Further parameter sets that take other paths through a detector; its defaults are always tried.
VARIANTS: dict[str, list[dict[str, object]]] = {
    "ewma": [
        {"half_life": 5, "clip": None},
        {"half_life": 12, "warm_up": 3, "scale_min": 40, "clip": 1.5},
        {"clip": 9999.0},
    ],
    "forecast_residual": [
        {"lags": 6, "window": 60, "spread": 50, "refit": 12.0},
        {"forecaster": "seasonal_naive", "spread": 50},
        {"forecaster": "smoothing", "spread": 50, "season_rate": 0.5},
        {"forecaster": "smoothing", "spread": 50, "season": 0.0},
    ],
    "forest_forecast": [
        {"trees": 7, "samples": 32, "shingle": 3, "memory": 50, "horizon": 4, "errors": 40},
        {"trees": 7, "samples": 32, "memory": 50, "transform": "difference", "level": 0.5},
    ],
    "gap_novelty": [
        {"memory": 300, "cells": 16, "warm_up": 5},
        {"memory": 500, "cells": 512},
        {"memory": 300, "cells": 32, "of": "mean", "window": 4},
        {"memory": 300, "cells": 32, "of": "deviation", "window": 12},
    ],
    "half_space_trees": [{"trees": 7, "height": 5, "window": 40}, {"height": 11, "window": 90, "limit": 0.05}],
    "isolation_forest": [
        {"trees": 20, "samples": 32, "window": 100, "refit_every": 40, "hold": 0.0, "hold_points": 3},
        {"trees": 10, "features": "none", "window": 200, "refit_every": 16, "scaling": "robust", "odd": 8.0},
        {"trees": 10, "features": "last24", "window": 100, "refit_every": 50, "by": "scikit-learn"},
    ],
    "level_shift": [
        {"half_life": 40.0, "mean_points": 4, "spread_points": 8, "usual_points": 200, "adopt": 6},
        {"of": "spread"},
        {"of": "level"},
    ],
    "left_discord": [
        {"length": 40, "window": 200},
        {"length": 48, "window": 600, "exclusion": 12, "warm_up": 40},
        {"length": 48, "window": 48, "warm_up": 1},
    ],
    "light_band": [
        {"timezone": "Europe/Dublin", "adapt": "follow"},
        {"adapt": "hold", "width": 5.0},
        {"hold": 1.0, "hold_points": 4},
    ],
    "local_outlier_factor": [
        {"neighbours": 5, "window": 150, "refit_every": 40, "floor": 0.0},
        {"features": "last24", "window": 200, "refit_every": 60, "scaling": "none"},
    ],
    "one_class_svm": [
        {"nu": 0.2, "gamma": 0.5, "window": 150, "refit_every": 40},
        {"features": "none", "window": 200, "refit_every": 60, "scaling": "robust"},
    ],
    "pca_reconstruction": [
        {"features": "value4", "share": 0.5, "window": 150, "refit_every": 40},
        {"window": 200, "refit_every": 60, "scaling": "none"},
    ],
    "lstm_autoencoder": [
        {"window": 100, "refit_every": 90, "epochs": 1, "hold": 0.0, "hold_points": 3},
        {"window": 110, "refit_every": 110, "epochs": 2, "scaling": "robust"},
    ],
    "random_cut_forest": [
        {"trees": 7, "samples": 32, "shingle": 3, "memory": 50},
        {"shingle": 1, "trees": 20, "measure": "displacement"},
        {"trees": 7, "samples": 32, "shingle": 3, "memory": 50, "transform": "difference", "missing": "last"},
        {"trees": 7, "samples": 32, "memory": 50, "transform": "normalise", "time_dimension": True, "expected": True},
        {"trees": 7, "samples": 32, "memory": 50, "time_dimension": True},
    ],
    "residual": [{"memory": 300, "huber": 2.0}, {"memory": 300, "huber": 100.0}],
    "rolling_median": [{"window": 12, "inclusive": True}, {"window": 13}, {"window": 2}],
    "rolling_zscore": [{"window": 12, "inclusive": True}, {"window": 3000, "ddof": 0}],
    "seed001": [{"features": "value4", "window": 100, "refit_every": 40, "hold": 0.0, "hold_points": 3}],
    "seasonal_band": [
        {"timezone": "Europe/Dublin", "holidays": "IE"},
        {"adapt": "follow"},
        {"adapt": "hold"},
        {"range_low": 0.0, "range_high": 100.0},
    ],
    "shape_novelty": [
        {"block": 3, "memory": 150, "stride": 1, "warm_up": 20},
        {"block": 2, "memory": 200, "stride": 2, "warm_up": 30},
        {"block": 1, "memory": 60, "stride": 1, "warm_up": 1},
    ],
    "spectral_residual": [
        {"window": 32, "local": 8},
        {"window": 64, "extension": "slope", "local": 21},
        {"window": 64, "extension": "slope", "local": 21, "centre": False},
        {"window": 16, "ahead": 0, "back": 1},
    ],
    "thresholded_forest": [
        {"trees": 7, "samples": 32, "shingle": 3, "memory": 50, "factor": 2.0, "ignore_above_ratio": 0.1},
        {"trees": 7, "samples": 32, "memory": 50, "transform": "normalise", "ignore_below": 2.0},
    ],
    "vote": [
        {"members": "ewma rolling_median gap_novelty", "weights": "1 2 1", "memory": 100, "share": 0.02},
        {"members": "rolling_zscore residual", "threshold": 1.0, "memory": 64},
    ],
    "threshold": [{"low": 30.0, "high": 70.0}, {"low": 30.0, "high": None}],
}


def instances() -> list[Detector]:
    found = []
    for name in CATALOGUE.names():
        found += [CATALOGUE.build({"type": name, **values}) for values in ({}, *VARIANTS.get(name, []))]
    return found


def label(detector: Detector) -> str:
    values = params.values_of(detector)
    default = params.values_of(type(detector)())
    changed = ",".join(f"{k}={v}" for k, v in values.items() if v != default[k])
    return f"{detector.name}({changed})"


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS.keys())
@pytest.mark.parametrize("detector", instances(), ids=label)
def test_law(detector: Detector, check: object) -> None:
    assert callable(check)
    check(detector)


@pytest.mark.parametrize("detector", instances(), ids=label)
def test_config_round_trip(detector: Detector) -> None:
    assert CATALOGUE.build(CATALOGUE.to_config(detector)) == detector
