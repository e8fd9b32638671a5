"""LSTM autoencoder: our forward pass is the stack's, training gives the same bits, serving needs no stack."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.reference.lstm_autoencoder import reconstruct
from watchband.core.errors import MissingExtraError, StateCorruptError
from watchband.core.points import Points
from watchband.detectors import LstmAutoencoder
from watchband.detectors.fitted import lstm_training
from watchband.detectors.lstm_autoencoder import STEPS, LstmAutoencoderFit, order
from watchband.testing import streams

QUICK: dict[str, Any] = {"window": 600, "refit_every": 600, "epochs": 6}


def fit_of(columns: int, hidden: int, seed: int = 0) -> LstmAutoencoderFit:
    names = tuple(f"f{k}" for k in range(STEPS * columns))
    weights = lstm_training.begin(columns, hidden, seed)
    return LstmAutoencoderFit(names, np.zeros(len(names)), np.ones(len(names)), np.full(2, np.inf), **weights)


def course(n: int, seed: int) -> np.ndarray:
    return np.sin(2 * np.pi * np.arange(n) / 24) + np.random.default_rng(seed).normal(0, 0.05, n)


@pytest.mark.parametrize(("columns", "hidden"), [(1, 16), (3, 5), (2, 1)])
def test_the_forward_pass_is_the_stacks_and_the_formulas(columns: int, hidden: int) -> None:
    rows = np.random.default_rng(hidden).normal(0, 2, (40, STEPS * columns))
    fit = fit_of(columns, hidden)
    windows = fit.windows(rows)
    ours = fit.reconstruct(windows).reshape(40, STEPS, columns)
    jax = lstm_training.library()
    with jax.enable_x64(True):
        theirs = np.asarray(lstm_training.reconstruct(fit.weights, jax.numpy.asarray(windows.reshape(ours.shape))))
    assert theirs.dtype == np.float64
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-13)
    slow = reconstruct(fit.weights, windows[0].reshape(STEPS, columns))
    np.testing.assert_allclose(ours[0], slow, rtol=0, atol=1e-13)


def test_a_window_has_the_same_bits_beside_any_others() -> None:
    rows = np.random.default_rng(1).normal(size=(50, STEPS))
    fit = fit_of(1, 16)
    whole = fit.score(rows)
    assert np.concatenate([fit.score(rows[:7]), fit.score(rows[7:8]), fit.score(rows[8:])]).tobytes() == whole.tobytes()


def test_a_window_is_read_from_its_oldest_value() -> None:
    detector = LstmAutoencoder(columns="a b")
    first, last = (np.array(detector.names)[order(2)][part].tolist() for part in (slice(0, 4), slice(-4, None)))
    assert first == ["a_lag_23", "b_lag_23", "a_lag_22", "b_lag_22"]
    assert last == ["a_lag_1", "b_lag_1", "a", "b"]


TRAIN = """
import hashlib, os
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
import numpy as np
from watchband.detectors.fitted import lstm_training
windows = np.random.default_rng(0).normal(size=(200, 24, 2))
found = lstm_training.train(windows, 8, 2, 5)
print(hashlib.blake2b(b"".join(found[k].tobytes() for k in sorted(found))).hexdigest())
"""


def test_training_gives_the_same_bits_on_one_processor_and_on_all() -> None:
    import hashlib

    windows = np.random.default_rng(0).normal(size=(200, 24, 2))
    found = lstm_training.train(windows, 8, 2, 5)
    here = hashlib.blake2b(b"".join(found[k].tobytes() for k in sorted(found))).hexdigest()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", TRAIN], capture_output=True, text=True, env=environment, check=False)
    assert done.stdout.strip() == here, done.stderr


def test_a_course_of_another_form_stands_out_and_its_lags_are_named() -> None:
    values = course(1000, 2)
    # Inside of all that was seen: the wave runs backwards for a while.
    values[900:924] = values[900:924][::-1]
    detector = LstmAutoencoder(**QUICK)
    state = detector.start()
    score = detector.step(state, Points.of(streams.times(1000), values)).score
    assert np.isnan(score[:600]).all()
    assert score[905:930].max() > 3 * np.quantile(score[600:900], 0.99)
    fit = detector.fit_of(state)
    assert fit is not None
    row = values[700:724][::-1].copy()
    row[5] += 3
    shares = fit.contributions(row[None])[0]
    assert fit.names[int(np.argmax(shares))] == "lag_5"


def test_a_model_file_is_served_without_the_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values, times = course(700, 3), streams.times(700)
    detector = LstmAutoencoder(**QUICK)
    state = detector.start()
    detector.step(state, Points.of(times, values))
    fit = detector.fit_of(state)
    assert fit is not None
    path = str(tmp_path / "lstm.wbm")
    detector.save(path, fit)
    monkeypatch.setitem(sys.modules, "jax", None)
    served = LstmAutoencoder(model=path)
    scores = served.step(served.start(), Points.of(times, values)).score
    rows = np.lib.stride_tricks.sliding_window_view(values, STEPS)[:, ::-1]
    assert scores[STEPS - 1 :].tobytes() == fit.score(rows).tobytes()
    with pytest.raises(MissingExtraError, match=r"watchband\[deep\]"):
        LstmAutoencoder(seed=77).start()


def test_weights_that_do_not_fit_are_refused() -> None:
    arrays = fit_of(1, 4).to_arrays()
    names = tuple(f"f{k}" for k in range(STEPS))
    LstmAutoencoderFit.from_arrays(names, arrays)
    for name, wrong in (("output", np.zeros((4, 2))), ("encoder_bias", np.full(16, np.nan))):
        with pytest.raises(StateCorruptError, match="lstm_autoencoder"):
            LstmAutoencoderFit.from_arrays(names, {**arrays, name: wrong})
    with pytest.raises(StateCorruptError, match="windows of 24"):
        LstmAutoencoderFit.from_arrays(names + names, {**arrays, "centre": np.zeros(48), "scale": np.ones(48)})


def test_huge_values_are_huge_scores_and_no_more() -> None:
    rows = np.zeros((3, STEPS))
    rows[1, 0], rows[2, 0] = 1e90, np.nan
    score = fit_of(1, 4).score(rows)
    assert 1e88 < score[1] < np.inf
    assert np.isnan(score[2])
