"""Local Outlier Factor: scikit-learn's factors to 1e-9, clouds of different density, rows that are equal."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import neighbors

from watchband.core.errors import StateCorruptError
from watchband.detectors import LocalOutlierFactor
from watchband.detectors.local_outlier_factor import LocalOutlierFactorFit


def clouds(n: int = 400, seed: int = 1) -> np.ndarray:
    """A dense one and a sparse one."""
    rng = np.random.default_rng(seed)
    dense = rng.random(n) < 0.5
    return rng.normal(size=(n, 3)) * np.where(dense, 0.1, 2.0)[:, None] + np.where(dense, 0.0, 12.0)[:, None]


def plain(**values: object) -> LocalOutlierFactor:
    return LocalOutlierFactor(features="none", columns="cpu memory errors", **values)  # type: ignore[arg-type]


@pytest.mark.parametrize("neighbours", [1, 5, 20, 60])
def test_scores_equal_scikit_learns(neighbours: int) -> None:
    rows, others = clouds(), 1.5 * clouds(300, seed=2)
    fit = plain(neighbours=neighbours, scaling="none", floor=0.0).fit(rows)
    theirs = neighbors.LocalOutlierFactor(neighbours, novelty=True, algorithm="kd_tree").fit(rows)
    np.testing.assert_allclose(fit.score(others), -theirs.score_samples(others), rtol=1e-9)
    np.testing.assert_allclose(fit.densities, theirs._lrd, rtol=1e-9)


def test_more_neighbours_than_rows() -> None:
    rows = clouds(40)
    fit = plain(neighbours=500, scaling="none", floor=0.0).fit(rows)
    theirs = neighbors.LocalOutlierFactor(39, novelty=True, algorithm="kd_tree").fit(rows)
    np.testing.assert_allclose(fit.score(clouds(seed=3)), -theirs.score_samples(clouds(seed=3)), rtol=1e-9)


def test_far_in_a_dense_cloud_is_near_in_a_sparse_one() -> None:
    fit = plain().fit(clouds())
    beside = fit.score([[1.2, 0.0, 0.0], [13.2, 12.0, 12.0]])
    assert beside[0] > 3
    assert beside[1] < 1.5


def test_equal_rows_make_no_place_infinitely_dense() -> None:
    rows = clouds()
    rows[:200] = 1.0
    without, floored = plain(floor=0.0).fit(rows), plain().fit(rows)
    beside = [[1.001, 1.0, 1.0]]
    assert without.score(beside)[0] > 1e4
    assert floored.score(beside)[0] == pytest.approx(1.0)
    assert np.isfinite(without.score(rows)).all()


def test_contributions_name_the_feature() -> None:
    fit = plain().fit(clouds())
    for k in range(3):
        odd = np.zeros((1, 3))
        odd[0, k] = -3.0
        assert int(np.argmax(fit.contributions(odd))) == k


def test_any_cut_of_rows_has_the_same_bits() -> None:
    fit, rows = plain().fit(clouds()), clouds(301, seed=4)
    pieces = np.concatenate([fit.score(rows[at : at + 7]) for at in range(0, 301, 7)])
    assert pieces.tobytes() == fit.score(rows).tobytes()


@pytest.mark.parametrize(
    ("name", "value"), [("crowd", np.nan), ("reaches", -1.0), ("densities", 0.0), ("neighbours", 400), ("floor", -1.0)]
)
def test_forged_arrays_are_refused(name: str, value: float) -> None:
    fit = plain().fit(clouds())
    arrays = {key: array.copy() for key, array in fit.to_arrays().items()}
    arrays[name].reshape(-1)[0] = value
    with pytest.raises(StateCorruptError, match="no fitted local_outlier_factor"):
        LocalOutlierFactorFit.from_arrays(fit.names, arrays)
