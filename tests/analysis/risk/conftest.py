"""Rows that risk is tried on: the four hosts of the simulator, and a model fitted to them once."""

from __future__ import annotations

import numpy as np
import pytest

from watchband.analysis.risk.fit import Fitted, Settings, fit
from watchband.analysis.risk.rows import Rows
from watchband.evaluation.simulate.scenes.hosts import ROWS, START_NS, STEP_NS, hosts
from watchband.features.cloudwatch10 import CLOUDWATCH10, NAMES

HOSTS = ["1", "2", "3", "4"]
QUICK = Settings(sample=3_000)


@pytest.fixture(scope="session")
def rows() -> Rows:
    """Four hosts by 4,033 rows of ten features."""
    columns = hosts().columns
    times = np.tile(START_NS + STEP_NS * np.arange(ROWS, dtype=np.int64), len(HOSTS))
    values = np.stack([columns[name] for name in NAMES], axis=1)
    return Rows(np.repeat(np.arange(len(HOSTS)), ROWS).astype(np.int32), times, values)


@pytest.fixture(scope="session")
def fitted(rows: Rows) -> Fitted:
    """A model of them."""
    return fit(rows.chunks, CLOUDWATCH10, HOSTS, STEP_NS, QUICK)
