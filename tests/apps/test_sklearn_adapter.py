"""The scikit-learn adapter: scikit-learn's own checks, and that it says what the pipeline says."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator

from watchband import Points
from watchband.apps.library.sklearn_adapter import WatchbandDetector
from watchband.core.errors import MissingExtraError, UnknownNameError
from watchband.detectors import RollingZscore
from watchband.pipeline.calibrate import Calibrate
from watchband.pipeline.rules import parse_rule

MINUTE = 60_000_000_000
FOLDS = "rows are consecutive points: a score depends on the rows before it, by design"
QUIET = "a budget of one alert a week finds nothing in 300 points of noise, as it should"
NEVER = {"check_methods_sample_order_invariance": FOLDS, "check_methods_subset_invariance": FOLDS}
NEVER_ON_A_BUDGET = {"check_outliers_train": QUIET, "check_outliers_fit_predict": QUIET}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("estimator", "never"),
    [
        (WatchbandDetector(), NEVER_ON_A_BUDGET),
        (WatchbandDetector("rolling_zscore:window=10", rule="cutoff:2"), NEVER),
    ],
    ids=["default", "cutoff"],
)
def test_scikit_learn_accepts_it(estimator: WatchbandDetector, never: dict[str, str]) -> None:
    """All of its checks but those declared; a declared one that passes is a failure."""
    results = check_estimator(estimator, on_fail=None, on_skip=None)
    failed = {r["check_name"]: str(r["exception"]) for r in results if r["status"] == "failed"}
    assert set(failed) == set(never), failed
    assert len(results) > 40


@pytest.fixture
def noise() -> Any:
    return np.random.default_rng(4).normal(size=(1200, 2))


def test_it_says_what_the_pipeline_says(noise: Any) -> None:
    model = WatchbandDetector("rolling_zscore:window=30", interval="1m", rule="cutoff:3").fit(noise[:1000])
    detector, calibrate = RollingZscore(window=30), Calibrate(parse_rule("cutoff:3"))
    state, calibration = detector.start(2), calibrate.start(2)
    times = np.arange(1200) * MINUTE
    points = Points.fleet([(times, noise[:, 0]), (times, noise[:, 1])])
    found = calibrate.step(calibration, points, detector.step(state, points), interval_ns=np.full(2, MINUTE, np.int64))
    expected = -np.nan_to_num(found.anomaly_score.reshape(2, 1200), nan=0.0).max(axis=0)
    assert model.training_scores_.tolist() == expected[:1000].tolist()
    assert model.score_samples(noise[1000:]).tolist() == expected[1000:].tolist()
    assert model.predict(noise[1000:]).tolist() == np.where(expected[1000:] < -1, -1, 1).tolist()
    assert (model.state_.points_seen == 1000).all()


def test_signs(noise: Any) -> None:
    model = WatchbandDetector("rolling_zscore:window=100", rule="cutoff:3").fit(noise[:, :1])
    today = np.array([[0.1], [30.0], [0.1]])
    assert model.predict(today).tolist() == [1, -1, 1]
    assert model.score_samples(today)[1] < -1
    assert np.array_equal(model.decision_function(today), model.score_samples(today) + 1)
    assert model.predict(today).tolist() == model.predict(today).tolist()


def test_no_opinion_is_normal_unless_asked_for() -> None:
    few = [[1.0], [math.nan], [2.0]]
    assert WatchbandDetector().fit(few).score_samples(few).tolist() == [0.0, 0.0, 0.0]
    honest = WatchbandDetector(no_opinion=math.nan).fit(few)
    assert np.isnan(honest.score_samples(few)).all()
    assert honest.predict(few).tolist() == [1, 1, 1]


def test_it_lives_in_pipelines_and_takes_detectors_as_objects(noise: Any) -> None:
    model = make_pipeline(FunctionTransformer(np.cbrt), WatchbandDetector(RollingZscore(window=20), rule="cutoff:3"))
    assert set(clone(model).fit(noise).predict(noise)) <= {-1, 1}
    assert model.get_params()["watchbanddetector__interval"] == "5m"


def test_words_that_mean_nothing_are_named(noise: Any) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'rolling_zscore'"):
        WatchbandDetector("rolling_zscor").fit(noise)


def test_without_scikit_learn_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.base", None)
    monkeypatch.delitem(sys.modules, "watchband.apps.library.sklearn_adapter")
    with pytest.raises(MissingExtraError, match=r"needs scikit-learn: pip install 'watchband\[analysis\]'"):
        import watchband.apps.library.sklearn_adapter  # noqa: F401
