"""Selection of features: what goes, what stays, and that nothing of the validation part is looked at."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.feature_selection import mutual_info_classif

from watchband.core.errors import ConfigError, DataError, InvalidParameterError
from watchband.core.points import Float64, Points
from watchband.features.feature_set import FeatureSet
from watchband.features.selection import Selection, information, scaled_variance, standard_ranks

NAMES = ("tells", "tells_too", "half", "noise", "flat", "gone")


def made(n: int = 600, seed: int = 0) -> tuple[Float64, Float64]:
    rng = np.random.default_rng(seed)
    target = (rng.random(n) < 0.3).astype(float)
    tells = target + rng.normal(0, 0.3, n)
    half = target + rng.normal(0, 1.0, n)
    rows = np.stack([tells, 1000 * tells, half, rng.normal(size=n), np.full(n, 0.7), np.full(n, np.nan)], axis=1)
    return rows, target


def test_each_feature_has_its_fate() -> None:
    rows, target = made()
    found = Selection.fit(rows, NAMES, target)
    assert found.names[:2] == ("tells", "half")
    fates = {name: fate["fate"] for name, fate in found.fates.items()}
    assert fates == {
        "tells": "kept", "tells_too": "redundant", "half": "kept", "noise": "silent", "flat": "flat", "gone": "missing",
    }  # fmt: skip
    assert found.fates["tells_too"]["like"] == "tells"
    assert found.fates["noise"]["information"] < 0.01
    assert Selection.fit(rows, NAMES, target, most=1).fates["half"]["fate"] == "beyond"


def test_nothing_of_the_validation_part_is_looked_at() -> None:
    rows, target = made()
    until = 400
    wanted = Selection.fit(rows, NAMES, target, until=until).document()
    other, told = rows.copy(), target.copy()
    # The validation part says the contrary: what was noise is the target, what told it is flat.
    other[until:, 3] = told[until:] * 1e6
    other[until:, :3] = -5.0
    told[until:] = np.random.default_rng(5).random(200)
    assert Selection.fit(other, NAMES, told, until=until).document() == wanted
    assert Selection.fit(rows[:until], NAMES, target[:until]).document() == wanted
    # And the check can fail: with these rows it chooses otherwise.
    assert Selection.fit(other, NAMES, target).document() != wanted


def test_features_of_the_training_part_do_not_know_what_comes() -> None:
    rng = np.random.default_rng(1)
    times, values = 300_000_000_000 * np.arange(900), rng.normal(size=900)
    later = values.copy()
    later[600:] *= 50
    features = FeatureSet.named("metric")
    one, two = (features.step(features.start(), Points.of(times, v)) for v in (values, later))
    target = np.abs(values) > 1.5
    assert (
        Selection.fit(one, features.names, target, until=600).document()
        == Selection.fit(two, features.names, target, until=600).document()
    )


def test_the_order_of_magnitude_of_a_feature_does_not_matter() -> None:
    rows, target = made()
    scale = np.array([1e-6, 1e-3, 1e6, 1e9, 1.0, 1.0])
    assert Selection.fit(rows * scale, NAMES, target).names == Selection.fit(rows, NAMES, target).names


def test_information_agrees_with_another_estimate() -> None:
    rows, target = made(4000, 3)
    ours = [information(rows[:, k], target)[0] for k in (0, 2, 3)]
    theirs = mutual_info_classif(rows[:, [0, 2, 3]], target.astype(int), random_state=0)
    assert np.allclose(ours, theirs, atol=0.03)
    tried = [information(np.random.default_rng(s).normal(size=300), target[:300]) for s in range(400)]
    assert abs(np.mean([found for found, _ in tried])) < 0.002
    assert 0 < np.mean([found > chance for found, chance in tried]) < 0.03


def test_ranks_and_variance_by_hand() -> None:
    assert np.allclose(standard_ranks(np.array([1.0, 5.0, 5.0, 100.0])), np.array([-1.5, 0, 0, 1.5]) / np.sqrt(4.5))
    assert scaled_variance(np.full(50, 0.3)) == 0.0
    assert scaled_variance(np.tile([0.0, 1.0], 50)) == 0.25
    # Rare events are no variance of nothing.
    assert scaled_variance(np.r_[np.zeros(995), np.ones(5)]) == pytest.approx(0.004975)


def test_a_selection_is_kept_as_a_document() -> None:
    rows, target = made()
    found = Selection.fit(rows, NAMES, target)
    again = Selection.from_document(json.loads(json.dumps(found.document())))
    assert again == found
    assert (again.apply(rows, NAMES) == rows[:, [NAMES.index(name) for name in found.names]]).all()
    with pytest.raises(ConfigError, match="no tells"):
        again.apply(rows[:, 1:], NAMES[1:])
    with pytest.raises(ConfigError, match="version"):
        Selection.from_document({"schema_version": 99})
    with pytest.raises(ConfigError, match="KeyError"):
        Selection.from_document({"schema_version": 1})
    with pytest.raises(ConfigError, match="contradicts"):
        Selection.from_document(found.document() | {"names": ["flat"]})


def test_what_cannot_be_chosen_from_is_told() -> None:
    rows, target = made()
    with pytest.raises(DataError, match="30 training rows"):
        Selection.fit(rows, NAMES, target, until=20)
    with pytest.raises(DataError, match="in every training row"):
        Selection.fit(rows, NAMES, np.zeros(len(rows)))
    with pytest.raises(DataError, match="1 flat"):
        Selection.fit(np.ones((50, 1)), ("one",))
    with pytest.raises(InvalidParameterError, match="different names"):
        Selection.fit(rows, NAMES[1:], target)
    with pytest.raises(InvalidParameterError, match="one value a row"):
        Selection.fit(rows, NAMES, target[1:])
    with pytest.raises(InvalidParameterError, match="until"):
        Selection.fit(rows, NAMES, target, until=10_000)
