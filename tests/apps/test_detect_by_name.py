"""Detectors from the field by their names in ``detect``: each finds a spike and is named in the alert."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import watchband as wb
from watchband.testing import streams

QUICK = "window=400,refit_every=400,epochs=2"


@pytest.mark.parametrize("text", ["spectral_residual", "forecast_residual", f"lstm_autoencoder:{QUICK}", "seed001"])
def test_a_spike_is_found_and_told(text: str) -> None:
    times = streams.times(900, 5 * streams.MINUTE)
    values = 0.62 + np.random.default_rng(1).normal(0, 0.01, 900)
    values[800] = 0.9
    found = wb.detect(pd.DataFrame({"time": pd.to_datetime(times), "ratio": values}), detector=text)
    name = text.partition(":")[0]
    assert any(a.opened <= times[800] <= (a.closed or times[-1]) and a.detector == name for a in found.alerts)
    assert all(f"seen by {name}" in a.reason for a in found.alerts)
