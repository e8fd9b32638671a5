"""Isolation Forest: scikit-learn's scores from scikit-learn's trees, our own trees as good, and what they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn import ensemble

from watchband.core.errors import StateCorruptError
from watchband.detectors import IsolationForest
from watchband.detectors.isolation_forest import IsolationForestFit


def crowd(n: int = 600, k: int = 3, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, k)) * [1.0, 100.0, 1e-3][:k] + [0, 1e4, 5][:k]


def columns(k: int) -> str:
    return " ".join("abcdef"[:k])


def plain(k: int = 3, **values: object) -> IsolationForest:
    return IsolationForest(features="none", columns=columns(k), **values)  # type: ignore[arg-type]


def seed_rows(path: Path) -> np.ndarray:
    """value, diff, rolling mean and deviation over 12, as the seed has them."""
    values = np.array([float(line.split(",")[1]) for line in path.read_text().splitlines()[1:]])
    windows = np.lib.stride_tricks.sliding_window_view(values, 12)
    mean, deviation = windows.mean(axis=1), windows.std(axis=1, ddof=1)
    return np.stack([values[11:], np.diff(values)[10:], mean, deviation], axis=1)


@pytest.mark.data
def test_the_seeds_flags_and_top_score(nab: Path) -> None:
    rows = seed_rows(nab / "realAWSCloudwatch" / "ec2_cpu_utilization_53ea38.csv")
    theirs = ensemble.IsolationForest(n_estimators=300, contamination=0.03, random_state=42).fit(rows)
    detector = IsolationForest(trees=300, seed=42, by="scikit-learn", scaling="none")
    score = detector.fit(rows).score(rows)
    assert int((score > -theirs.offset_).sum()) == 121
    assert score.max() + theirs.offset_ == pytest.approx(0.159293, abs=5e-7)
    np.testing.assert_allclose(score, -theirs.score_samples(rows), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("samples", "part"), [(256, 1.0), (64, 0.67), (2, 1.0), (1, 1.0)])
def test_scores_equal_scikit_learns(samples: int, part: float) -> None:
    rows, others = crowd(), 3 * crowd(200, seed=2) + 1
    made = ensemble.IsolationForest(n_estimators=20, max_samples=samples, max_features=part, random_state=3).fit(rows)
    fit = IsolationForestFit.of_scikit(made, ("a", "b", "c"), np.zeros(3), np.ones(3))
    for asked in (rows, others):
        np.testing.assert_allclose(fit.score(asked), -made.score_samples(asked), rtol=0, atol=1e-9)


def test_our_trees_are_as_good_as_scikit_learns() -> None:
    rows = crowd()
    rows[50] = [0, 1e4, 5.02]
    rows[60:63] = [4, 1.05e4, 5]
    ours = plain(trees=200).fit(rows).score(rows)
    theirs = plain(trees=200, by="scikit-learn").fit(rows).score(rows)
    assert set(np.argsort(ours)[-4:]) == {50, 60, 61, 62}
    assert np.corrcoef(ours, theirs)[0, 1] > 0.98
    assert abs(ours.mean() - theirs.mean()) < 0.01


def test_another_seed_is_another_forest() -> None:
    rows = crowd()
    one, same, other = (plain(seed=seed).fit(rows) for seed in (0, 0, 1))
    assert one.same_bits(same)
    assert not one.same_bits(other)


def test_contributions_name_the_feature() -> None:
    rows = crowd()
    fit = plain(trees=200).fit(rows)
    for k in range(3):
        odd = np.array([[0.0, 1e4, 5.0]])
        odd[0, k] += [8.0, 800.0, 8e-3][k]
        shares = fit.contributions(odd)[0]
        assert int(np.argmax(shares)) == k
        assert shares[k] > 0.7
        assert shares.sum() == pytest.approx(1)
    # All of them together are what the path is shorter by than a random tree's.
    parts, whole = (
        fit._parts(fit.rows(rows)).sum(axis=1),
        200 * 2 * (np.log(255) + np.euler_gamma) - 200 * 2 * 255 / 256,
    )
    np.testing.assert_allclose(np.exp2(-(whole - parts) / whole), fit.score(rows), rtol=1e-9)


def test_any_cut_of_rows_has_the_same_bits() -> None:
    rows = crowd(700)
    rows[[3, 400]] = np.nan
    fit = plain().fit(rows)
    whole = fit.score(rows)
    assert np.isnan(whole).sum() == 2
    pieces = np.concatenate([fit.score(rows[at : at + 37]) for at in range(0, 700, 37)])
    assert pieces.tobytes() == whole.tobytes()


@pytest.mark.parametrize("change", ["lefts", "attributes", "roots", "loop", "cuts", "short"])
def test_forged_arrays_are_refused(change: str) -> None:
    fit = plain(trees=3).fit(crowd())
    arrays = {name: array.copy() for name, array in fit.to_arrays().items()}
    if change == "loop":
        arrays["lefts"][0] = 0
    elif change == "short":
        arrays["sizes"] = arrays["sizes"][:-1]
    elif change == "cuts":
        arrays["cuts"][1] = np.nan
    else:
        arrays[change][0] = 1 << 20
    with pytest.raises(StateCorruptError, match="no fitted isolation_forest"):
        IsolationForestFit.from_arrays(fit.names, arrays)


def test_arrays_and_back() -> None:
    fit = plain().fit(crowd())
    again = IsolationForestFit.from_arrays(fit.names, fit.to_arrays())
    assert again.same_bits(fit)
    assert again.score(crowd(seed=9)).tobytes() == fit.score(crowd(seed=9)).tobytes()
