from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import delay as slow
from watchband.core.errors import InvalidParameterError
from watchband.evaluation.metrics.cost import costs


def test_a_point_waits_for_its_whole_call() -> None:
    found = costs(np.array([0.5, 0.1]), np.array([90, 10]))
    assert (found.points, found.p50, found.p95, found.worst) == (100, 0.5, 0.5, 0.5)
    assert found.seconds_per_point == pytest.approx(0.006)
    assert found.per_million(3.6) == pytest.approx(6.0)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5)), min_size=1).filter(lambda r: any(k for _, k in r)))
def test_the_slow_reference_agrees(calls: list[tuple[int, int]]) -> None:
    seconds, points = (np.array(c) for c in zip(*calls, strict=True))
    found = costs(seconds.astype(float), points)
    each = [float(s) for s, k in calls for _ in range(k)]
    expected = tuple(slow.quantile(each, q) for q in (0.5, 0.95, 0.99))
    assert (found.p50, found.p95, found.p99) == expected
    assert found.worst == max(each)


def test_nothing_judged_has_no_latency_and_time_does_not_run_back() -> None:
    assert math.isnan(costs(np.empty(0)).p50)
    assert math.isnan(costs(np.ones(1), np.zeros(1, int)).seconds_per_point)
    with pytest.raises(InvalidParameterError, match="at least 0"):
        costs(np.array([-1.0]))
