"""One-Class SVM: scikit-learn's decisions to 1e-9, a score that goes on growing, and what each feature has in it."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import svm

from watchband.core.errors import MissingExtraError, StateCorruptError
from watchband.detectors import OneClassSvm
from watchband.detectors.one_class_svm import OneClassSvmFit


def crowd(n: int = 400, k: int = 3, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, k)) + 5.0 * (rng.random((n, 1)) < 0.4)


def plain(**values: object) -> OneClassSvm:
    return OneClassSvm(features="none", columns="cpu memory errors", **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(("nu", "gamma"), [(0.05, None), (0.18, None), (0.5, 2.0), (0.01, 0.1)])
def test_decisions_equal_scikit_learns(nu: float, gamma: float | None) -> None:
    rows, others = crowd(), 2 * crowd(300, seed=2)
    fit = plain(nu=nu, gamma=gamma, scaling="none").fit(rows)
    theirs = svm.OneClassSVM(nu=nu, gamma=gamma or "scale").fit(rows)
    for asked in (rows, others):
        np.testing.assert_allclose(fit.decision(asked), theirs.decision_function(asked), rtol=0, atol=1e-9)
        assert ((fit.decision(asked) < 0) == (theirs.predict(asked) < 0)).all()


def test_the_score_orders_as_the_decision_does_and_goes_on_where_it_stands() -> None:
    fit = plain().fit(crowd())
    near, far = crowd(300, seed=3), np.outer([200.0, 1e3, 1e6, 1e30], np.ones(3))
    assert (np.argsort(fit.score(near)) == np.argsort(-fit.decision(near))).all()
    assert (np.diff(fit.decision(far)) == 0).all()
    assert (np.diff(fit.score(far)[:3]) > 0).all()
    assert np.isfinite(fit.score(far)).all()


def test_a_share_nu_of_the_window_lies_outside() -> None:
    fit = plain(nu=0.1).fit(crowd(1000))
    assert 0.07 < (fit.decision(crowd(1000)) < 0).mean() < 0.13


def test_contributions_name_the_feature() -> None:
    fit = plain().fit(crowd())
    for k in range(3):
        odd = np.zeros((1, 3))
        odd[0, k] = -9.0
        assert int(np.argmax(fit.contributions(odd))) == k
    assert np.isnan(fit.contributions([[0.0, np.nan, 1.0]])).all()


def test_any_cut_of_rows_has_the_same_bits() -> None:
    fit, rows = plain().fit(crowd()), crowd(301, seed=4)
    pieces = np.concatenate([fit.score(rows[at : at + 7]) for at in range(0, 301, 7)])
    assert pieces.tobytes() == fit.score(rows).tobytes()


@pytest.mark.parametrize(
    ("name", "value"), [("weights", -1.0), ("gamma", 0.0), ("support", np.inf), ("offset", np.nan)]
)
def test_forged_arrays_are_refused(name: str, value: float) -> None:
    fit = plain().fit(crowd())
    arrays = {key: array.copy() for key, array in fit.to_arrays().items()}
    arrays[name].reshape(-1)[0] = value
    with pytest.raises(StateCorruptError, match="no fitted one_class_svm"):
        OneClassSvmFit.from_arrays(fit.names, arrays)
    arrays = {**fit.to_arrays(), "weights": fit.weights[1:]}
    with pytest.raises(StateCorruptError, match="do not fit"):
        OneClassSvmFit.from_arrays(fit.names, arrays)


def test_without_scikit_learn_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sklearn.svm", None)
    with pytest.raises(MissingExtraError, match=r"watchband\[analysis\]"):
        OneClassSvm().start()
