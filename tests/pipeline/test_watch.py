"""The whole pipeline as one fold."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from watchband.core.series import SeriesKey
from watchband.detectors import RollingZscore
from watchband.pipeline.prepare import Raw
from watchband.pipeline.rules import Cutoff
from watchband.pipeline.watch import Watch


@pytest.mark.data
@pytest.mark.parametrize(("inclusive", "found"), [(True, 5), (False, 60)])
def test_the_count_of_the_published_example(nab: Path, inclusive: bool, found: int) -> None:
    with (nab / "realAWSCloudwatch" / "ec2_cpu_utilization_53ea38.csv").open() as file:
        rows = list(csv.DictReader(file))
    times = np.array([r["timestamp"] for r in rows], "datetime64[ns]")
    watch = Watch("nab", RollingZscore(window=12, ddof=1, inclusive=inclusive), Cutoff(3))
    state = watch.start([SeriesKey("cpu_percent")])
    results = watch.step(state, Raw.of(times, [float(r["value"]) for r in rows]), flush=True)
    assert int((results.anomaly_score > 1).sum()) == found
