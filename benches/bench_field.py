"""Detectors from the field beside numpy's plain forms of the same."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benches.timing import Case
from watchband.core.points import Float64, Points
from watchband.detectors import ForecastResidual, SpectralResidual
from watchband.detectors.fitted import lstm_training
from watchband.detectors.lstm_autoencoder import STEPS, LstmAutoencoderFit
from watchband.testing import streams

ROWS = 2048
FEW = 2000


def cases(points: int, peers: bool) -> list[Case]:
    """Spectral residual over windows of 256 and 1,024, forecast residual by each forecaster; five-minute seasons."""
    found = []
    for window in (256, 1024):
        values = _values(min(points, 20_000_000 // window))
        group = f"spectral residual, windows of {window:,}"
        detector = SpectralResidual(window=window)
        found.append(Case(group, "watchband spectral_residual", _fold(detector, values), len(values), 8 * window))
        if peers:
            found.append(Case(group, "numpy, 2,048 windows at once", _rows(values, window), len(values)))
            few = min(FEW, len(values))
            found.append(Case(group, "numpy, window by window", _singly(values[:few], window), few))
    values = _values(min(points, 100_000))
    for forecaster in ("ridge", "seasonal_naive", "smoothing"):
        one = ForecastResidual(forecaster=forecaster)
        found.append(
            Case("forecast residual", f"watchband {forecaster}", _fold(one, values), len(values), one.state_bytes_max)
        )
    return found + _lstm(min(points, 20_000), peers)


def _lstm(n: int, peers: bool) -> list[Case]:
    """Windows written again by an autoencoder: by our kernel, and by the stack that trains it, in double precision."""
    weights = lstm_training.begin(1, 16, 0)
    names = tuple(str(k) for k in range(STEPS))
    fit = LstmAutoencoderFit(names, np.zeros(STEPS), np.ones(STEPS), np.full(2, np.inf), **weights)
    windows = np.random.default_rng(0).normal(size=(n // ROWS * ROWS, STEPS))
    group = "LSTM autoencoder, windows of 24 values, hidden size 16"
    found = [Case(group, "watchband lstm_autoencoder", lambda: fit.reconstruct(windows), len(windows), fit.nbytes)]
    if peers:
        for rows in (ROWS, 1):
            name = f"JAX, {rows:,} windows at once" if rows > 1 else "JAX, window by window"
            some = windows if rows > 1 else windows[:500]
            found.append(Case(group, name, _jax(weights, some, rows), len(some), note="compiled before"))
    return found


def _jax(weights: dict[str, Float64], windows: Float64, rows: int) -> Callable[[], object]:
    jax = lstm_training.library()
    compiled = jax.jit(lstm_training.reconstruct)
    parts = windows.reshape(-1, rows, STEPS, 1)

    def work() -> object:
        with jax.enable_x64(True):
            return [np.asarray(compiled(weights, part)) for part in parts]

    work()
    return work


def _values(n: int) -> Float64:
    return streams.daily(max(n, 4096), 0, interval=5 * streams.MINUTE)


def _fold(detector: SpectralResidual | ForecastResidual, values: Float64) -> Callable[[], object]:
    points = Points.of(streams.times(len(values), 5 * streams.MINUTE), values)
    return lambda: detector.step(detector.start(), points, threads=1)


def _saliency(windows: Float64, ahead: int = 5) -> Float64:
    """The newest point's saliency over the mean of its window, by logarithms, as the paper writes it."""
    estimate = windows[:, -1 - ahead : -1].mean(axis=1, keepdims=True)
    whole = np.concatenate([windows, np.repeat(estimate, ahead, axis=1)], axis=1)
    spectrum = np.fft.rfft(whole - np.median(windows, axis=1, keepdims=True))
    logs = np.log(np.maximum(np.abs(spectrum), 1e-8))
    around = np.concatenate([logs[:, 1:2], logs, logs[:, -2:-1]], axis=1)
    mean = (around[:, :-2] + around[:, 1:-1] + around[:, 2:]) / 3
    saliency = np.abs(np.fft.irfft(spectrum * np.exp(-mean), whole.shape[1]))[:, : windows.shape[1]]
    return np.asarray(saliency[:, -1] / saliency.mean(axis=1))


def _rows(values: Float64, window: int) -> Callable[[], object]:
    windows = np.lib.stride_tricks.sliding_window_view(values, window - 5)
    return lambda: [_saliency(windows[at : at + ROWS]) for at in range(0, len(windows), ROWS)]


def _singly(values: Float64, window: int) -> Callable[[], object]:
    windows = np.lib.stride_tricks.sliding_window_view(values, window - 5)
    return lambda: [_saliency(windows[at : at + 1]) for at in range(len(windows))]
