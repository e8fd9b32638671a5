from __future__ import annotations

import math

import numpy as np
import pytest

from tests.reference import calibration as slow
from watchband.core.errors import InvalidParameterError
from watchband.evaluation.metrics.proportion import poisson, wilson


@pytest.mark.parametrize(("hits", "trials"), [(0, 5), (1, 5), (5, 7), (5, 9), (2, 26), (60, 60)])
def test_wilson_is_what_the_score_test_does_not_reject(hits: int, trials: int) -> None:
    found = wilson(hits, trials)
    assert (found.low, found.high) == pytest.approx(slow.wilson(hits, trials), abs=1e-5)
    assert found.low <= found.value <= found.high


@pytest.mark.parametrize("count", [0, 1, 3, 40, 700, 2000, 2001, 5000])
def test_the_exact_interval_leaves_the_tails_it_says(count: int) -> None:
    found = poisson(count)
    assert slow.at_most(count, found.high) == pytest.approx(0.025, rel=1e-4)
    if count:
        assert slow.at_most(count - 1, found.low) == pytest.approx(0.975, rel=1e-4)
    else:
        assert found.low == 0


def test_an_interval_holds_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    held = [i.low <= 0.2 <= i.high for i in (wilson(int(k), 40) for k in rng.binomial(40, 0.2, 2000))]
    assert 0.92 < np.mean(held) < 0.97
    kept = [i.low <= 3 <= i.high for i in (poisson(int(k), 2.0) for k in rng.poisson(6, 500))]
    assert np.mean(kept) > 0.95


def test_mirrored_shares_have_mirrored_intervals() -> None:
    one, other = wilson(3, 20), wilson(17, 20)
    assert (one.low, one.high) == pytest.approx((1 - other.high, 1 - other.low))


def test_nothing_tried_is_nothing_known() -> None:
    assert math.isnan(wilson(0, 0).value)
    assert math.isnan(poisson(0, 0.0).value)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match="3 hits of 2"):
        wilson(3, 2)
    with pytest.raises(InvalidParameterError, match="Got -1"):
        poisson(-1)
    with pytest.raises(InvalidParameterError, match="level"):
        wilson(1, 2, level=1.0)
