"""Watchband finds and explains anomalies in operational metrics.

The names below are imported when first used, so that ``import watchband`` costs numpy and nothing else.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_EXPORTS = {
    "Alert": "watchband.core.alert",
    "Detector": "watchband.core.detector",
    "Points": "watchband.core.points",
    "Scores": "watchband.core.scores",
    "SeriesKey": "watchband.core.series",
    "State": "watchband.core.state",
    "WatchbandError": "watchband.core.errors",
    "backtest": "watchband.apps.library.backtest.call",
    "detect": "watchband.apps.library.detect",
    "detectors": "watchband.detectors",
    "feature_matrix": "watchband.apps.library.matrix.call",
    "forecast": "watchband.apps.library.forecasting.call",
    "load_model": "watchband.apps.library.training.model",
    "inject": "watchband.apps.library.simulation.injection",
    "profile": "watchband.apps.library.profiling.call",
    "report": "watchband.apps.library.story.call",
    "simulate": "watchband.apps.library.simulation.call",
    "train": "watchband.apps.library.training.call",
    "tune": "watchband.apps.library.tune",
}

__all__ = ["__version__", *sorted(_EXPORTS)]

if TYPE_CHECKING:
    from watchband import detectors as detectors
    from watchband.apps.library.backtest.call import backtest as backtest
    from watchband.apps.library.detect import detect as detect
    from watchband.apps.library.forecasting.call import forecast as forecast
    from watchband.apps.library.matrix.call import feature_matrix as feature_matrix
    from watchband.apps.library.profiling.call import profile as profile
    from watchband.apps.library.simulation.call import simulate as simulate
    from watchband.apps.library.simulation.injection import inject as inject
    from watchband.apps.library.story.call import report as report
    from watchband.apps.library.training.call import train as train
    from watchband.apps.library.training.model import load_model as load_model
    from watchband.apps.library.tune import tune as tune
    from watchband.core.alert import Alert as Alert
    from watchband.core.detector import Detector as Detector
    from watchband.core.errors import WatchbandError as WatchbandError
    from watchband.core.points import Points as Points
    from watchband.core.scores import Scores as Scores
    from watchband.core.series import SeriesKey as SeriesKey
    from watchband.core.state import State as State


def __getattr__(name: str) -> object:
    if name not in _EXPORTS:
        raise AttributeError(f"module 'watchband' has no attribute {name!r}")
    module = import_module(_EXPORTS[name])
    value = module if _EXPORTS[name].endswith(f".{name}") and name == "detectors" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
