"""LSTM autoencoder: how badly a small recurrent network, taught to repeat usual windows, repeats the last one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from watchband import _kernels
from watchband.core.errors import InvalidParameterError
from watchband.core.params import Choice, Integer, Span, param
from watchband.core.points import Float64, Int64
from watchband.detectors.fitted import lstm_training
from watchband.detectors.fitted.base import Fitted
from watchband.detectors.fitted.fit import NO_LIMITS, Fit

STEPS = 24
"""Values of a window: a value and the 23 before it."""


def order(columns: int) -> Int64:
    """Which features of a row make a window, the oldest step first and its columns side by side: int64[24 * columns].

    Examples
    --------
    >>> order(1)[[0, 1, -1]].tolist(), order(2)[-4:].tolist()
    ([23, 22, 0], [2, 25, 0, 1])
    """
    lags = np.arange(STEPS - 1, 0, -1)
    before = columns + (lags - 1)[:, None] + (STEPS - 1) * np.arange(columns)
    return np.concatenate([before.ravel(), np.arange(columns)]).astype(np.int64)


@dataclass(frozen=True, eq=False)
class LstmAutoencoderFit(Fit):
    """Two layers and what turns a hidden state into values; gates stand in the order in, forget, cell, out."""

    kind: ClassVar[str] = "lstm_autoencoder"
    types: ClassVar[Mapping[str, str]] = dict.fromkeys(lstm_training.shapes(1, 1), "f8")

    encoder_inputs: Float64
    encoder_hidden: Float64
    encoder_bias: Float64
    decoder_inputs: Float64
    decoder_hidden: Float64
    decoder_bias: Float64
    output: Float64
    output_bias: Float64

    @property
    def weights(self) -> dict[str, Float64]:
        """By name."""
        return {name: getattr(self, name) for name in self.types}

    def windows(self, rows: Float64) -> Float64:
        """Centred and scaled rows as windows, the oldest step first: float64[n, 24 * columns]."""
        return np.ascontiguousarray(rows[:, order(len(self.output_bias))])

    def reconstruct(self, windows: Float64) -> Float64:
        """Windows written again by the network: float64[n, 24 * columns], each the same bits beside any others."""
        found = np.empty_like(windows)
        _kernels.lstm_reconstruct(
            windows,
            found,
            (self.encoder_inputs, self.encoder_hidden, self.encoder_bias),
            (self.decoder_inputs, self.decoder_hidden, self.decoder_bias),
            (self.output, self.output_bias),
            STEPS,
        )
        return found

    def _away(self, rows: Float64) -> Float64:
        windows = self.windows(rows)
        known = ~np.isnan(windows).any(axis=1)
        away = np.full(windows.shape, np.nan)
        away[known] = np.abs(windows[known] - self.reconstruct(np.ascontiguousarray(windows[known])))
        return away

    def _score(self, rows: Float64) -> Float64:
        away = self._away(rows)
        most = away.max(axis=1)
        unit = np.where(most > 0, most, 1.0)
        total = np.zeros(len(rows))
        # Column by column: one order of summing, however many rows there are.
        for column in away.T:
            total += (column / unit) ** 2
        return np.asarray(unit * np.sqrt(total / away.shape[1]))

    def _parts(self, rows: Float64) -> Float64:
        away = self._away(rows)
        most = away.max(axis=1, keepdims=True)
        parts = np.empty_like(away)
        parts[:, order(len(self.output_bias))] = (away / np.where(most > 0, most, 1.0)) ** 2
        return parts

    def _flaw(self) -> str:
        columns, hidden = self.output_bias.size, self.output.shape[0] if self.output.ndim == 2 else 0
        wanted = lstm_training.shapes(columns, hidden)
        if not hidden or any(getattr(self, name).shape != shape for name, shape in wanted.items()):
            return "its layers do not fit together"
        if not all(np.isfinite(array).all() for array in self.weights.values()):
            return "a weight is no number"
        return "" if columns * STEPS == self.dims else f"it reads windows of {columns * STEPS} values"


@dataclass(frozen=True)
class LstmAutoencoder(Fitted):
    """How badly a small recurrent network, taught to repeat the windows of the past, repeats the last 24 values.

    Works for courses: a peak of another form, a missing wave, a switch of dynamics, also of several values a point at
    a time, whose usual ways together it learns. Does not work where a few hundred windows do not show what is usual,
    for levels outside of all that was seen where a band says the same for a thousandth of the cost, and it draws none.

    Score: root mean square of the differences between the window and what the network makes of it, in the units that
    scaling gives (standard deviations by default); NaN until the first fit, and where a value of the window is missing.
    Expected, lower, upper and scale are NaN.

    Training needs the extra ``deep`` (JAX on the CPU); scoring does not: the weights are plain arrays, and the forward
    pass is our own kernel.

    Parameters
    ----------
    features, columns, window, refit_every, scaling, hold, hold_points, odd, model, hidden, epochs, seed
        See the table of the page ``docs/detectors/lstm_autoencoder.md``.

    References
    ----------
    P. Malhotra et al., "LSTM-based Encoder-Decoder for Multi-sensor Anomaly Detection", 2016, arXiv:1607.00148;
    S. Hochreiter, J. Schmidhuber, "Long Short-Term Memory", 1997, doi:10.1162/neco.1997.9.8.1735.

    Examples
    --------
    >>> LstmAutoencoder(columns="cpu memory").names[:3]
    ('cpu', 'memory', 'cpu_lag_1')
    """

    name: ClassVar[str] = "lstm_autoencoder"
    fit_class: ClassVar[type[Fit]] = LstmAutoencoderFit
    least: ClassVar[int] = lstm_training.BATCH
    cost: ClassVar[str] = "O(hidden²) for each of 24 steps a point; 30 µs"

    features: str = param("last24", Choice(("last24",)), "What a window is made of: a value and the 23 before it.")
    window: int = param(
        2000, Integer(64, 100_000), "Rows a model is fitted on.", unit="points", search=Span(1000, 8000, log=True)
    )
    refit_every: int = param(
        2000, Integer(16, 100_000), "Points from one fit to the next.", unit="points", search=Span(1000, 4000, log=True)
    )
    hidden: int = param(
        16, Integer(1, 128), "Size of the state that a window must pass through.", search=Span(4, 32, log=True)
    )
    epochs: int = param(10, Integer(1, 1000), "How often training goes through the rows.", search=Span(5, 40, log=True))
    seed: int = param(0, Integer(0, 2**32 - 1), "Of the first weights and of the order of rows.")

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.columns.split()) > 10:
            raise InvalidParameterError(
                f"The 'columns' parameter of {type(self).__name__} must be 1 to 10 names: 24 steps of each are read. "
                f"Got {len(self.columns.split())}."
            )

    def check_libraries(self) -> None:
        if not self.model:
            lstm_training.library()

    @property
    def libraries(self) -> str:
        return f"{super().libraries} jax {lstm_training.library().__version__}"

    def _fit(self, scaled: Float64, centre: Float64, scale: Float64) -> LstmAutoencoderFit:
        columns = len(self.columns.split())
        windows = scaled[:, order(columns)].reshape(len(scaled), STEPS, columns)
        weights = lstm_training.train(windows, self.hidden, self.epochs, self.seed)
        return LstmAutoencoderFit(self.names, centre, scale, NO_LIMITS, **weights)
