"""Detectors: one file, one detector, one paper.

``DETECTORS`` is the registry. A new built-in detector is one line in its table; outside packages register under
the entry-point group ``watchband.detectors``.
"""

from __future__ import annotations

from watchband.core.detector import Detector
from watchband.core.registry import Registry

_TABLE = {
    "ewma": "watchband.detectors.ewma:Ewma",
    "forecast_residual": "watchband.detectors.forecast_residual:ForecastResidual",
    "forest_forecast": "watchband.detectors.forest_forecast:ForestForecast",
    "gap_novelty": "watchband.detectors.gap_novelty:GapNovelty",
    "half_space_trees": "watchband.detectors.half_space_trees:HalfSpaceTrees",
    "isolation_forest": "watchband.detectors.isolation_forest:IsolationForest",
    "light_band": "watchband.detectors.light_band:LightBand",
    "level_shift": "watchband.detectors.level_shift:LevelShift",
    "left_discord": "watchband.detectors.left_discord:LeftDiscord",
    "local_outlier_factor": "watchband.detectors.local_outlier_factor:LocalOutlierFactor",
    "one_class_svm": "watchband.detectors.one_class_svm:OneClassSvm",
    "pca_reconstruction": "watchband.detectors.pca_reconstruction:PcaReconstruction",
    "lstm_autoencoder": "watchband.detectors.lstm_autoencoder:LstmAutoencoder",
    "random_cut_forest": "watchband.detectors.random_cut_forest:RandomCutForest",
    "residual": "watchband.detectors.residual:Residual",
    "rolling_median": "watchband.detectors.rolling_median:RollingMedian",
    "rolling_zscore": "watchband.detectors.rolling_zscore:RollingZscore",
    "seasonal_band": "watchband.detectors.seasonal_band:SeasonalBand",
    "shape_novelty": "watchband.detectors.shape_novelty:ShapeNovelty",
    "spectral_residual": "watchband.detectors.spectral_residual:SpectralResidual",
    "thresholded_forest": "watchband.detectors.thresholded_forest:ThresholdedForest",
    "threshold": "watchband.detectors.threshold:Threshold",
}

DETECTORS: Registry[Detector] = Registry("detector", Detector, _TABLE, "watchband.detectors")  # type: ignore[type-abstract]

_CLASSES = {path.partition(":")[2]: name for name, path in _TABLE.items()}

__all__ = ["DETECTORS", *sorted(_CLASSES)]


def __getattr__(name: str) -> type[Detector]:
    if name in _CLASSES:
        return DETECTORS.get(_CLASSES[name])
    raise AttributeError(f"module 'watchband.detectors' has no attribute {name!r}")
