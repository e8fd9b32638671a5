"""``python -m benches.features_elsewhere``: our features beside tsfresh and mlforecast, which want an older pandas.

They stand in an environment of their own, in which this package's Python and its compiled core are found by PYTHONPATH:

    python3 -m venv elsewhere && elsewhere/bin/pip install tsfresh mlforecast
    PYTHONPATH=python:. elsewhere/bin/python -m benches.features_elsewhere
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from benches.timing import Case, machine, measure, report
from watchband.core.duration import MINUTE
from watchband.core.points import Float64, Points
from watchband.features.families import Family
from watchband.features.feature_set import FeatureSet

STEP = 5 * MINUTE
WINDOW, RUNS = 12, 3
STATS = ("mean", "standard_deviation", "minimum", "maximum", "median", "skewness", "kurtosis")


def cases() -> list[Case]:
    """Seven statistics of a window of 12 beside tsfresh; 24 lags and four statistics of the past beside mlforecast."""
    small, large = values(1_000), values(20_000)
    seven = FeatureSet(("value",), (Family("rolling", (WINDOW,)),), interval_ns=STEP)
    lagged = FeatureSet(("value",), (Family("lags"), Family("trailing", (WINDOW,))), interval_ns=STEP)
    one, two = f"seven statistics of 12 slots, {len(small):,} points", f"24 lags, windows of 12, {len(large):,} points"
    return [
        Case(one, "watchband", ours(seven, small), len(small), seven.state_bytes_max),
        Case(one, "tsfresh", with_tsfresh(small), len(small)),
        Case(two, "watchband", ours(lagged, large), len(large), lagged.state_bytes_max, "three statistics more"),
        Case(two, "mlforecast", with_mlforecast(large), len(large)),
    ]


def values(n: int) -> Float64:
    """A day, and noise."""
    return 50 + 10 * np.sin(2 * np.pi * np.arange(n) / 288) + np.random.default_rng(1).normal(0, 2, n)


def ours(features: FeatureSet, given: Float64) -> Callable[[], Float64]:
    """One thread, a fresh state."""
    points = Points.of(STEP * np.arange(len(given)), given)
    return lambda: features.step(features.start(), points, threads=1)


def with_tsfresh(given: Float64) -> Callable[[], Any]:
    """Windows are rolled out into a long table, then each is asked."""
    import pandas as pd
    from tsfresh import extract_features
    from tsfresh.utilities.dataframe_functions import roll_time_series

    frame = pd.DataFrame({"id": 0, "time": np.arange(len(given)), "value": given})
    asked = dict.fromkeys(STATS)

    def work() -> Any:
        rolled = roll_time_series(
            frame, column_id="id", column_sort="time", max_timeshift=WINDOW - 1, min_timeshift=WINDOW - 1,
            n_jobs=0, disable_progressbar=True,
        )  # fmt: skip
        return extract_features(
            rolled, column_id="id", column_sort="time", column_value="value", default_fc_parameters=asked,
            n_jobs=0, disable_progressbar=True,
        )  # fmt: skip

    return work


def with_mlforecast(given: Float64) -> Callable[[], Any]:
    """Its own preprocessing, on one thread."""
    import pandas as pd
    from mlforecast import MLForecast
    from mlforecast.lag_transforms import RollingMax, RollingMean, RollingMin, RollingStd

    times = pd.date_range("2024-01-01", periods=len(given), freq="5min")
    frame = pd.DataFrame({"unique_id": 0, "ds": times, "y": given})
    windows = [kind(window_size=WINDOW) for kind in (RollingMean, RollingStd, RollingMin, RollingMax)]
    made = MLForecast([], freq="5min", lags=list(range(1, 25)), lag_transforms={1: windows}, num_threads=1)
    return lambda: made.preprocess(frame)


def main() -> int:
    try:
        import mlforecast  # noqa: F401
        import tsfresh  # noqa: F401
    except ImportError as error:
        print(f"{error.name} is not here. {__doc__}", file=sys.stderr)
        return 2
    about = machine()
    print(f"{about['cpu']}, {about['cores']} cores, Python {about['python']}\n")
    print(report(measure(cases(), RUNS)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
