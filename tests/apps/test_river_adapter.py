"""The river adapter: river's own checks, and that it says what the detector says."""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from river import anomaly, checks, compose

from watchband import Points
from watchband.apps.library.river_adapter import RiverDetector
from watchband.core.errors import DataError, MissingExtraError, TimeOrderError
from watchband.detectors import RollingZscore


class Readings:
    """A labelled stream of one value, a spike every fifty points. river's own needs a download."""

    def __init__(self, length: int, timed: bool) -> None:
        self.length, self.timed = length, timed

    def __iter__(self) -> Iterator[tuple[dict[str, Any], bool]]:
        rng = random.Random(9)
        for at in range(self.length):
            spike = at % 50 == 49
            x: dict[str, Any] = {"cpu": rng.gauss(20, 2) + (30 if spike else 0)}
            if self.timed:
                x["time"] = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=at)
            yield x, spike


def river_checks(timed: bool) -> dict[str, Any]:
    """Checks of river by name, over our stream."""
    model = RiverDetector("rolling_zscore:window=12")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checks, "_yield_datasets", lambda model, scale=1: iter([Readings(200 * scale, timed)]))
        return {check.__name__: check for check in checks.yield_checks(model)}


NAMES = sorted(river_checks(timed=False))
NEVER: dict[str, str] = {}
"""No exceptions: every check of river applies."""


@pytest.mark.parametrize("name", NAMES)
def test_river_accepts_it(name: str) -> None:
    random.seed(1)
    river_checks(timed=False)[name](RiverDetector("rolling_zscore:window=12"))


@pytest.mark.parametrize(
    "name", ["check_roc_auc", "check_learn_one", "check_predict_one_pure", "check_bounded_memory_growth"]
)
def test_river_accepts_it_with_times(name: str) -> None:
    river_checks(timed=True)[name](RiverDetector("rolling_zscore:window=12"))


def test_river_has_the_checks_we_count_on() -> None:
    assert {"check_roc_auc", "check_pickling", "check_clone_is_independent", "check_learn_one"} <= set(NAMES)


def test_it_says_what_the_detector_says() -> None:
    values = [x["cpu"] for x, _ in Readings(300, timed=False)]
    detector = RollingZscore(window=12)
    expected = detector.step(detector.start(), Points.of(np.arange(300), values)).score
    model = RiverDetector(detector, no_opinion=math.nan)
    got = []
    for value in values:
        got.append(model.score_one({"cpu": value}))
        model.learn_one({"cpu": value})
    np.testing.assert_array_equal(got, expected)


def test_scoring_leaves_no_trace() -> None:
    model = RiverDetector("rolling_zscore:window=12")
    for x, _ in Readings(40, timed=True):
        model.learn_one(x)
    before = model._state.copy()
    assert model.score_one({"cpu": 1e9}) == model.score_one({"cpu": 1e9}) > 100
    assert model._state.same_bits(before)


def test_no_opinion_is_zero_unless_asked_for() -> None:
    assert RiverDetector().score_one({"cpu": 1.0}) == 0.0
    assert math.isnan(RiverDetector(no_opinion=math.nan).score_one({"cpu": 1.0}))
    assert RiverDetector().score_one({}) == 0.0


@pytest.mark.parametrize(
    ("time", "nanoseconds"),
    [
        (1_500_000_000, 1_500_000_000),
        (datetime(1970, 1, 1, 0, 0, 1, 500_000), 1_500_000_000),
        (datetime(1970, 1, 1, 2, 0, 1, tzinfo=timezone(timedelta(hours=2))), 1_000_000_000),
        (np.datetime64("1970-01-01T00:00:01.5"), 1_500_000_000),
        (np.int64(7), 7),
    ],
)
def test_times(time: Any, nanoseconds: int) -> None:
    model = RiverDetector()
    model.learn_one({"cpu": 1.0, "time": time})
    assert model._state.last_time.tolist() == [nanoseconds]
    model.learn_one({"cpu": 1.0})
    assert model._state.last_time.tolist() == [nanoseconds + 300_000_000_000]


def test_what_it_cannot_read() -> None:
    model = RiverDetector()
    with pytest.raises(DataError, match="Got the features 'cpu', 'disk'; choose one with feature=NAME"):
        model.learn_one({"disk": 1.0, "cpu": 1.0})
    with pytest.raises(DataError, match=r"integer nanoseconds\. Got 1\.5"):
        model.learn_one({"cpu": 1.0, "time": 1.5})
    model.learn_one({"cpu": 1.0, "time": 10})
    with pytest.raises(TimeOrderError):
        model.learn_one({"cpu": 1.0, "time": 10})


def test_it_chooses_its_feature_and_lives_in_pipelines_and_filters() -> None:
    model = RiverDetector("rolling_zscore:window=12", feature="cpu")
    model.learn_one({"cpu": 1.0, "disk": 2.0})
    chain = compose.Select("cpu") | anomaly.QuantileFilter(RiverDetector("rolling_zscore:window=12"), q=0.95)
    found = []
    for x, _ in Readings(200, timed=False):
        x["disk"] = 1.0
        found.append(chain["QuantileFilter"].classify(chain.score_one(x)))
        chain.learn_one(x)
    hits = {at for at, hit in enumerate(found) if hit and at > 40}
    assert {49, 99, 149, 199} <= hits
    assert len(hits) < 20


def test_without_river_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "river.base", None)
    monkeypatch.delitem(sys.modules, "watchband.apps.library.river_adapter")
    with pytest.raises(MissingExtraError, match=r"needs river: pip install 'watchband\[river\]'"):
        import watchband.apps.library.river_adapter  # noqa: F401
