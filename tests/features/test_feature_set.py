"""Sets of features: names, numbers by hand, errors."""

from __future__ import annotations

import json

import numpy as np
import pytest

from watchband.core.errors import (
    ConfigError,
    InvalidParameterError,
    PointsShapeError,
    StateMismatchError,
    TimeOrderError,
    UnknownNameError,
)
from watchband.core.points import Float64, Points
from watchband.features.families import Family
from watchband.features.feature_set import FeatureSet
from watchband.features.schema import check
from watchband.features.sets import RATIOS, SETS

SLOT = 300_000_000_000
MONDAY = 1_704_067_200_000_000_000


def rows(features: FeatureSet, values: Float64, times: np.ndarray | None = None) -> Float64:
    moments = MONDAY + SLOT * np.arange(len(values)) if times is None else times
    return features.step(features.start(), Points.of(moments, values))


def column(features: FeatureSet, values: Float64, name: str) -> Float64:
    return rows(features, values)[:, features.names.index(name)]


def test_value4_is_value_difference_and_window_with_the_point() -> None:
    values = np.random.default_rng(1).normal(50, 3, 60)
    features = FeatureSet.named("value4")
    assert features.names == ("value", "diff", "roll_mean", "roll_std")
    made = rows(features, values)
    assert np.isnan(made[10]).any()
    assert not np.isnan(made[11:]).any()
    for i in (11, 12, 40, 59):
        window = values[i - 11 : i + 1]
        wanted = [values[i], values[i] - values[i - 1], window.mean(), window.std(ddof=1)]
        assert np.allclose(made[i], wanted, rtol=1e-13)


def test_the_trailing_form_leaves_the_point_out() -> None:
    values = np.arange(20.0)
    values[15] = 1e6
    made = rows(FeatureSet.named("value4_trailing", interval_ns=SLOT), values)
    assert made[15, 2:].tolist() == [values[3:15].mean(), values[3:15].std(ddof=1)]
    assert np.isnan(made[11, 2])
    assert not np.isnan(made[12, 2])


def test_lags24_are_the_readings_before() -> None:
    values = np.random.default_rng(2).normal(size=50)
    features = FeatureSet.named("lags24")
    assert features.names == tuple(f"lag_{n}" for n in range(1, 25))
    assert rows(features, values)[30].tolist() == values[29:5:-1].tolist()


def test_windows_and_lags_are_of_time_and_not_of_rows() -> None:
    values = np.arange(40.0)
    there = np.r_[0:20, 24:40]
    times = MONDAY + SLOT * there
    features = FeatureSet((("value"),), (Family("lags", (1, 4, 5)), Family("rolling", (6,))), interval_ns=SLOT)
    made = rows(features, values[there], times)
    at = int(np.flatnonzero(there == 24)[0])
    assert np.isnan(made[at, 0])
    assert np.isnan(made[at, 1])
    assert made[at, 2] == 19.0
    # Of the six slots up to 25 two are known, which is less than half; of those up to 26 three are.
    mean = features.names.index("rolling_mean_6")
    assert np.isnan(made[at + 1, mean])
    assert made[at + 2, mean] == np.mean([24.0, 25.0, 26.0])


def test_there_are_294_features_of_three_metrics() -> None:
    features = FeatureSet.named("ratios294")
    assert len(features) == len(set(features.names)) == 294
    counts = [sum(1 for _ in family.ops(features.columns)) for family in features.families]
    assert counts == [3, 11, 126, 63, 45, 9, 7, 30]
    assert not [name for name in features.names if name.count("rolling") > 1]


def test_a_set_is_told_by_its_schema() -> None:
    for name in SETS:
        features = FeatureSet.named(name, interval_ns=SLOT, timezone="Europe/Dublin")
        document = json.loads(json.dumps(features.schema()))
        again = FeatureSet.from_schema(document)
        assert again == features
        assert again.fingerprint == features.fingerprint
        check(document, features)


def test_drift_of_a_schema_is_named() -> None:
    features = FeatureSet.named("value4")
    document = features.schema()
    with pytest.raises(ConfigError, match="version 7, this release makes version 1"):
        FeatureSet.from_schema(document | {"schema_version": 7})
    with pytest.raises(ConfigError, match="roll_mad is missing and roll_std is new"):
        FeatureSet.from_schema(document | {"names": ["value", "diff", "roll_mean", "roll_mad"]})
    with pytest.raises(ConfigError, match="another order"):
        FeatureSet.from_schema(document | {"names": ["diff", "value", "roll_mean", "roll_std"]})
    with pytest.raises(ConfigError, match="KeyError: 'families'"):
        FeatureSet.from_schema({k: v for k, v in document.items() if k != "families"})
    with pytest.raises(ConfigError, match="no schema of features"):
        FeatureSet.from_schema({})
    with pytest.raises(ConfigError, match=r"share 0\.5 and not 0\.9"):
        check(document, FeatureSet.named("value4", share=0.9))


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: FeatureSet.named("valu4"), UnknownNameError, "Did you mean 'value4'"),
        (lambda: FeatureSet.named("ratios294", ("a", "b")), ConfigError, "takes 3 column"),
        (lambda: FeatureSet.named("value4", interval_ns=-1), InvalidParameterError, "interval"),
        (lambda: FeatureSet.named("value4", share=0.0), InvalidParameterError, "share"),
        (lambda: FeatureSet(("a", "a"), (Family("value"),)), InvalidParameterError, "different names"),
        (lambda: FeatureSet(("a",), ()), InvalidParameterError, "1 to 20000 features"),
        (lambda: FeatureSet(("a",), (Family("pairs"),)), ConfigError, "two at least"),
        (lambda: Family("rollin"), UnknownNameError, "Did you mean 'rolling'"),
        (lambda: Family("rolling", (1,)), InvalidParameterError, "from 2"),
        (lambda: Family("temporal", (3,)), InvalidParameterError, "takes no sizes"),
        (lambda: FeatureSet.named("value4", timezone="Europe/Dubln"), UnknownNameError, "time zone"),
    ],
)
def test_mistakes_are_named(make, error, says) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(error, match=says):
        make()


def test_a_batch_that_does_not_fit_leaves_the_state_alone() -> None:
    features = FeatureSet.named("value4")
    state = features.start()
    features.step(state, Points.of([1, 2, 3], [1.0, 2.0, 3.0]))
    before = state.to_bytes()
    with pytest.raises(PointsShapeError, match="1 columns"):
        features.step(state, Points.of([4], [[1.0, 2.0]]))
    with pytest.raises(TimeOrderError):
        features.step(state, Points.of([3], [1.0]))
    with pytest.raises(StateMismatchError):
        FeatureSet.named("lags24").step(state, Points.of([4], [1.0]))
    assert state.to_bytes() == before
    assert FeatureSet.named("ratios294").columns == RATIOS
