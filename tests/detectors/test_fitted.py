"""What every fitted detector promises: the model is no part of the state, an outage is not learned, files are trusted
only when they can be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from watchband.core.errors import DataError, InvalidParameterError, NotThereError, PointsShapeError, StateError
from watchband.core.points import Points
from watchband.core.scores import ADOPTED, HELD
from watchband.detectors import DETECTORS
from watchband.detectors.fitted import cache
from watchband.detectors.fitted.base import Fitted
from watchband.detectors.fitted.fit import Fit
from watchband.testing import streams

# An autoencoder is trained for seconds and takes one set of features: its own tests have it.
KINDS = [n for n in DETECTORS.names() if issubclass(DETECTORS.get(n), Fitted) and n != "lstm_autoencoder"]
SMALL = {"window": 300, "refit_every": 60}


@pytest.fixture(autouse=True)
def models(monkeypatch: pytest.MonkeyPatch) -> cache.Models:
    """A cache of its own for each test."""
    own = cache.Models()
    monkeypatch.setattr("watchband.detectors.fitted.base.MODELS", own)
    return own


def build(name: str, **values: object) -> Fitted:
    found = DETECTORS.build({"type": name, **SMALL, **values})
    assert isinstance(found, Fitted)
    return found


def stream(n: int = 900, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    return streams.times(n), streams.daily(n, seed)


@pytest.mark.parametrize("name", KINDS)
def test_the_model_is_made_again_after_a_restart(name: str, models: cache.Models) -> None:
    moments, values = stream()
    detector = build(name)
    whole = detector.step(detector.start(), Points.of(moments, values))
    fitted = models.told()["fitted"]
    assert fitted == len(range(60, 900, 60))
    for cut in (419, 420, 421, 479):
        models.clear()
        state = detector.start()
        first = detector.step(state, Points.of(moments[:cut], values[:cut]))
        models.clear()
        state = detector.load(state.to_bytes())
        rest = detector.step(state, Points.of(moments[cut:], values[cut:]))
        assert np.r_[first.score, rest.score].tobytes() == whole.score.tobytes()


@pytest.mark.parametrize("name", KINDS)
def test_a_full_cache_changes_no_bit(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    moments, values = stream(500)
    points = Points.fleet([(moments, values + k) for k in range(3)])
    detector = build(name)
    plenty = detector.step(detector.start(3), points)
    small = cache.Models(count_max=1)
    monkeypatch.setattr("watchband.detectors.fitted.base.MODELS", small)
    state = detector.start(3)
    told = [
        detector.step(state, streams.part(points, [(k, at, at + 50) for k in range(3)])) for at in range(0, 500, 50)
    ]
    found = np.stack([t.score.reshape(3, 50) for t in told], axis=1).reshape(-1)
    assert found.tobytes() == plenty.score.tobytes()
    assert small.told()["models"] == 1
    assert small.told()["evicted"] > 0


def test_the_cache_keeps_to_its_bytes() -> None:
    rows = np.random.default_rng(1).normal(size=(400, 4))
    fits = [build("isolation_forest", seed=seed).fit(rows) for seed in range(5)]
    models = cache.Models(bytes_max=fits[0].nbytes * 5 // 2)
    for number, fit in enumerate(fits):
        models.put(bytes([number]), fit)
    assert models.told()["models"] == 2
    assert models.told()["bytes"] == sum(fit.nbytes for fit in fits[-2:]) <= models.bytes_max
    assert models.get(bytes([4])) is fits[4]
    assert models.get(bytes([0])) is None


@pytest.mark.parametrize("name", KINDS)
def test_an_outage_is_not_learned(name: str) -> None:
    """Twenty hours at a level that never was, and refits within: it stays as strange as it was."""
    moments, values = stream(900)
    values[500:520] = 5.0
    detector = build(name, refit_every=16)
    state = detector.start()
    scores = detector.step(state, Points.of(moments, values))
    usual = np.nanquantile(scores.score[300:500], 0.99)
    assert scores.score[500:520].min() > usual
    assert (scores.flags[503:520] == HELD).all()
    assert np.nanquantile(scores.score[560:], 0.9) < usual
    held = _window(detector, moments[:540], values[:540])[1]
    assert held[500 - 228 : 520 - 228].all()
    assert held.sum() < 40
    follows = build(name, refit_every=16, hold=0.0, hold_points=1)
    assert _window(follows, moments[:540], values[:540])[1][500 - 228 : 520 - 228].sum() <= 1


def _window(detector: Fitted, moments: np.ndarray, values: np.ndarray) -> tuple[Fit, np.ndarray]:
    """The model after these points, which rows of its window were held; it was fitted on the others."""
    state = detector.start()
    detector.step(state, Points.of(moments, values))
    fit = detector.fit_of(state)
    window, usual = detector._ring.window_at_last_fit(state, 0, len(values))
    whole = ~np.isnan(window).any(axis=1)
    assert fit is not None
    assert fit.same_bits(detector.fit(window[usual & whole], window[whole]))
    return fit, ~usual


@pytest.mark.parametrize("name", KINDS)
def test_a_level_that_stays_becomes_normal(name: str) -> None:
    moments, values = stream(1200)
    values[500:] += 60.0
    detector = build(name)
    scores = detector.step(detector.start(), Points.of(moments, values))
    adopted = np.flatnonzero(scores.flags == ADOPTED)
    # 24 hours are over before 36 points are.
    assert 536 <= adopted[0] <= 545
    assert np.nanmedian(scores.score[900:]) < 1.5 * np.nanmedian(scores.score[300:500])
    assert np.nanmedian(scores.score[503:536]) > 1.2 * np.nanmedian(scores.score[300:500])


@pytest.mark.parametrize("name", KINDS)
def test_nothing_is_said_of_a_constant_or_of_few_rows(name: str) -> None:
    detector = build(name)
    constant = detector.step(detector.start(), Points.of(streams.times(300), np.full(300, 7.0)))
    assert np.isnan(constant.score).all()
    values = np.full(300, np.nan)
    values[::2] = 1.0
    values[40:60] = np.arange(20)
    assert np.isnan(detector.step(detector.start(), Points.of(streams.times(300), values)).score).all()
    for rows, flaw in ((np.ones((100, 4)), "all 100 rows are the same"), (np.eye(4), "4 row")):
        rows = (
            rows[:, : len(detector.names)]
            if rows.shape[1] >= len(detector.names)
            else np.resize(rows, (len(rows), len(detector.names)))
        )
        with pytest.raises(DataError, match=flaw):
            detector.fit(rows)


@pytest.mark.parametrize("name", KINDS)
def test_one_constant_feature_among_others(name: str) -> None:
    rows = np.random.default_rng(1).normal(size=(400, 3))
    rows[:, 1] = 4.0
    detector = build(name, features="none", columns="cpu memory errors")
    fit = detector.fit(rows)
    assert np.isfinite(fit.score(rows)).all()
    assert np.isfinite(fit.score(rows + np.array([0, 50, 0]))).all()


@pytest.mark.parametrize("name", KINDS)
def test_other_columns_are_refused(name: str) -> None:
    detector = build(name, features="none", columns="cpu memory")
    with pytest.raises(PointsShapeError, match="2 value"):
        detector.step(detector.start(), Points.of(np.arange(3), np.ones((3, 3))))
    with pytest.raises(PointsShapeError, match="cpu, memory"):
        detector.fit(np.ones((100, 5)))
    for wrong in ("", "cpu cpu", "1st", "a,b"):
        with pytest.raises(InvalidParameterError, match="different names"):
            build(name, columns=wrong)


@pytest.mark.parametrize("name", KINDS)
def test_a_model_file_scores_as_the_fit_did(name: str, tmp_path: Path) -> None:
    moments, values = stream(600)
    detector = build(name)
    state = detector.start()
    detector.step(state, Points.of(moments, values))
    fit = detector.fit_of(state)
    assert fit is not None
    path = tmp_path / "model.wbm"
    checksum = detector.save(str(path), fit)
    frozen = DETECTORS.build({"type": name, "model": str(path)})
    assert isinstance(frozen, Fitted)
    assert frozen.names == detector.names
    assert frozen.state_bytes_max < 500
    points = Points.of(moments, values)
    assert frozen.step(frozen.start(), points).score.tobytes() == fit.score(_rows(detector, points)).tobytes()
    detector.save(str(tmp_path / "other.wbm"), detector.fit(_rows(detector, points)[:300]))
    other = DETECTORS.build({"type": name, "model": str(tmp_path / "other.wbm")})
    assert other.fingerprint != frozen.fingerprint != detector.fingerprint
    again = DETECTORS.build({"type": name, "model": str(_copied(path, tmp_path / "elsewhere.wbm"))})
    assert again.fingerprint == frozen.fingerprint
    assert len(checksum) == 32


def _copied(path: Path, to: Path) -> Path:
    to.write_bytes(path.read_bytes())
    return to


def _rows(detector: Fitted, points: Points) -> np.ndarray:
    rows = detector.rows
    return rows.step(rows.start(), points)


def test_a_model_file_that_cannot_be_trusted(tmp_path: Path) -> None:
    rows = np.random.default_rng(1).normal(size=(400, 4))
    detector = build("isolation_forest")
    path = tmp_path / "model.wbm"
    detector.save(str(path), detector.fit(rows))
    with pytest.raises(NotThereError):
        build("isolation_forest", model=str(tmp_path / "none.wbm"))
    whole = path.read_bytes()
    for damaged in (whole[:-9], whole[:40] + b"x" + whole[41:], b""):
        path.write_bytes(damaged)
        with pytest.raises(StateError):
            build("isolation_forest", model=str(path))
