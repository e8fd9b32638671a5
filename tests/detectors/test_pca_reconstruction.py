"""PCA reconstruction: scikit-learn's reconstruction error to 1e-9, broken relations, what keeps them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import decomposition

from watchband.core.errors import InvalidParameterError, StateCorruptError
from watchband.detectors import PcaReconstruction
from watchband.detectors.pca_reconstruction import PcaReconstructionFit


def together(n: int = 500, k: int = 6, seed: int = 1) -> np.ndarray:
    """Features that follow two hidden loads."""
    rng = np.random.default_rng(seed)
    mixture = np.random.default_rng(99).normal(size=(2, k))
    return rng.normal(size=(n, 2)) @ mixture + rng.normal(0, 0.1, (n, k)) + np.arange(k)


def plain(k: int = 6, **values: object) -> PcaReconstruction:
    return PcaReconstruction(features="none", columns=" ".join("abcdefgh"[:k]), **values)  # type: ignore[arg-type]


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_the_error_equals_scikit_learns(share: float) -> None:
    rows, others = together(), 3 * together(200, seed=2)
    fit = plain(share=share, scaling="none").fit(rows)
    theirs = decomposition.PCA(n_components=len(fit.axes)).fit(rows)
    if len(fit.axes) < 5:
        assert theirs.explained_variance_ratio_.sum() >= share > theirs.explained_variance_ratio_[:-1].sum()
    for asked in (rows, others):
        left = asked - theirs.inverse_transform(theirs.transform(asked))
        error = np.sqrt((left**2).sum(axis=1) / fit.usual[0])
        np.testing.assert_allclose(fit.score(asked), error, rtol=1e-9, atol=1e-9)
        wanted = left**2 / (left**2).sum(axis=1, keepdims=True)
        np.testing.assert_allclose(fit.contributions(asked), wanted, rtol=1e-6, atol=1e-9)


def test_many_features() -> None:
    rng = np.random.default_rng(5)
    rows = rng.normal(size=(400, 10)) @ rng.normal(size=(10, 200)) + rng.normal(0, 0.3, (400, 200))
    detector = PcaReconstruction(features="none", columns=" ".join(f"m{i}" for i in range(200)), scaling="none")
    fit = detector.fit(rows)
    theirs = decomposition.PCA(n_components=len(fit.axes)).fit(rows)
    left = rows - theirs.inverse_transform(theirs.transform(rows))
    np.testing.assert_allclose(fit.score(rows), np.sqrt((left**2).sum(axis=1) / fit.usual[0]), rtol=1e-9)


def test_a_broken_relation_is_strange_and_a_large_load_is_not() -> None:
    rows = together()
    fit = plain().fit(rows)
    middle, direction = rows.mean(axis=0), np.linalg.svd(rows - rows.mean(axis=0))[2][0]
    assert fit.score(rows).mean() == pytest.approx(1, abs=0.1)
    assert fit.score([middle + 6 * direction])[0] < 3
    broken = middle.copy()
    broken[2] += 3
    assert fit.score([broken])[0] > 8
    assert int(np.argmax(fit.contributions([broken]))) == 2


def test_features_that_repeat_each_other() -> None:
    rows = together(k=3)
    rows[:, 2] = 2 * rows[:, 0]
    fit = plain(3, share=0.99).fit(rows)
    assert np.isfinite(fit.score(rows)).all()
    assert fit.score(rows + np.array([0, 0, 1e-3]))[0] > fit.score(rows)[0]


def test_one_feature_leaves_nothing_over() -> None:
    with pytest.raises(InvalidParameterError, match="at least 2 features"):
        PcaReconstruction(features="none")


def test_any_cut_of_rows_has_the_same_bits() -> None:
    fit, rows = plain().fit(together()), together(301, seed=4)
    pieces = np.concatenate([fit.score(rows[at : at + 7]) for at in range(0, 301, 7)])
    assert pieces.tobytes() == fit.score(rows).tobytes()


@pytest.mark.parametrize(("name", "value"), [("axes", np.nan), ("usual", 0.0), ("mean", np.inf), ("scale", 0.0)])
def test_forged_arrays_are_refused(name: str, value: float) -> None:
    fit = plain().fit(together())
    arrays = {key: array.copy() for key, array in fit.to_arrays().items()}
    arrays[name].reshape(-1)[0] = value
    with pytest.raises(StateCorruptError, match="no fitted pca_reconstruction"):
        PcaReconstructionFit.from_arrays(fit.names, arrays)
