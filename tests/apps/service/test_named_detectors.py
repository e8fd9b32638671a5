"""Detectors from the field and the vote in the service, named in its configuration: they say what detect says."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

import watchband as wb
from tests.apps.service.test_service import running, until
from tests.apps.service.worlds import config
from watchband.apps.config.config import read_text
from watchband.core.ports import Readings
from watchband.core.series import SeriesKey
from watchband.pipeline.results import Results
from watchband.testing.streams import MINUTE, START

pytestmark = pytest.mark.timeout(300)
QUICK = "window=200,refit_every=200"
DETECTORS = {
    "spectral_residual": "spectral_residual",
    "forecast_residual": "forecast_residual",
    "isolation_forest": f"isolation_forest:{QUICK},trees=20",
    "one_class_svm": f"one_class_svm:{QUICK}",
    "local_outlier_factor": f"local_outlier_factor:{QUICK}",
    "pca_reconstruction": f"pca_reconstruction:{QUICK}",
    "vote": "vote:members=ewma rolling_median gap_novelty",
    "lstm_autoencoder": "lstm_autoencoder:window=200,refit_every=200,epochs=1",
}
N = 320
CUTS = (0, 1, 90, 260, 261, 319, 320)


def values() -> np.ndarray:
    found = 10 + np.sin(np.arange(N) / 3) + np.random.default_rng(0).normal(0, 0.1, N)
    found[300:305] += 8
    return found


@pytest.fixture(scope="module")
def served() -> dict[str, dict[str, np.ndarray]]:
    """What one service says by all of them, of readings that come in several requests."""
    lines = "".join(f"  {name}: {{match: cpu, detector: '{text}'}}\n" for name, text in DETECTORS.items())
    watches = dict(read_text(f"watches:\n{lines}", "text").watches)
    parts: dict[str, list[Results]] = {name: [] for name in DETECTORS}

    def take(found: Mapping[str, Results]) -> None:
        for name, results in found.items():
            parts[name].append(results)

    times = START + MINUTE * np.arange(N)
    with running(config(watches=watches)) as service:
        service.listeners.append(take)
        for first, last in pairwise(CUTS):
            part = Readings(SeriesKey("cpu"), times[first:last], values()[first:last])
            service.offer("push", [part]).result(240)
        until(lambda: all(sum(len(r.time) for r in found) == N for found in parts.values()))
        assert not service.runner.stopped
    columns = ("score", "anomaly_score", "yhat")
    return {name: {c: np.concatenate([getattr(r, c) for r in found]) for c in columns} for name, found in parts.items()}


@pytest.mark.parametrize("name", DETECTORS)
def test_the_service_says_what_detect_says(name: str, served: dict[str, dict[str, np.ndarray]]) -> None:
    frame = pd.DataFrame({"time": pd.to_datetime(START + MINUTE * np.arange(N)), "cpu": values()})
    table = wb.detect(frame, detector=DETECTORS[name]).to_pandas()
    for column in ("anomaly_score", "yhat"):
        np.testing.assert_array_equal(served[name][column], table[column].to_numpy())
    assert np.isfinite(served[name]["score"][-20:]).all(), "it has no opinion"
    assert served[name]["score"][300] > np.nanmax(served[name]["score"][280:300])
