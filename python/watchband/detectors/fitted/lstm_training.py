"""How the weights of the LSTM autoencoder are found: with JAX, on the CPU, in double precision, from a seed.

Nothing here is needed to score: what is found are plain arrays.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from watchband.core.errors import MissingExtraError
from watchband.core.points import Float64

_ONE_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
BATCH = 64
RATE = 0.01
_MOMENTUM, _SQUARES, _TINY = 0.9, 0.999, 1e-8

Weights = dict[str, Float64]


def library() -> Any:
    """JAX, on one thread of the CPU if nobody has loaded it before.

    Raises
    ------
    MissingExtraError
        It is not installed.
    """
    if "jax" not in sys.modules:
        os.environ.setdefault("JAX_PLATFORMS", "cpu")
        os.environ.setdefault("XLA_FLAGS", _ONE_THREAD)
    try:
        import jax
    except ImportError as error:
        raise MissingExtraError("training lstm_autoencoder", "jax", "deep") from error
    return jax


def shapes(columns: int, hidden: int) -> dict[str, tuple[int, ...]]:
    """Of every array of weights."""
    gates = 4 * hidden
    return {
        "encoder_inputs": (columns, gates),
        "encoder_hidden": (hidden, gates),
        "encoder_bias": (gates,),
        "decoder_inputs": (hidden, gates),
        "decoder_hidden": (hidden, gates),
        "decoder_bias": (gates,),
        "output": (hidden, columns),
        "output_bias": (columns,),
    }


def begin(columns: int, hidden: int, seed: int) -> Weights:
    """Weights to start from: evenly spread within one over the root of the hidden size."""
    rng, most = np.random.default_rng(seed), hidden**-0.5
    return {name: rng.uniform(-most, most, shape) for name, shape in shapes(columns, hidden).items()}


def reconstruct(weights: Mapping[str, Any], windows: Any) -> Any:
    """Windows float[n, steps, columns] written again by the stack itself: what training follows."""
    jax = library()
    np_, hidden = jax.numpy, weights["output"].shape[0]

    def cell(state: Any, gates: Any) -> Any:
        enter, forget, new, out = np_.split(gates, 4, axis=1)
        kept = jax.nn.sigmoid(forget) * state[1] + jax.nn.sigmoid(enter) * np_.tanh(new)
        return jax.nn.sigmoid(out) * np_.tanh(kept), kept

    def read(state: Any, row: Any) -> Any:
        given = row @ weights["encoder_inputs"] + state[0] @ weights["encoder_hidden"] + weights["encoder_bias"]
        return cell(state, given), None

    nothing = np_.zeros((windows.shape[0], hidden), windows.dtype)
    (last, _), _ = jax.lax.scan(read, (nothing, nothing), np_.swapaxes(windows, 0, 1))
    given = last @ weights["decoder_inputs"] + weights["decoder_bias"]

    def write(state: Any, _: Any) -> Any:
        state = cell(state, given + state[0] @ weights["decoder_hidden"])
        return state, state[0] @ weights["output"] + weights["output_bias"]

    _, found = jax.lax.scan(write, (nothing, nothing), None, length=windows.shape[1])
    return np_.swapaxes(found, 0, 1)


@lru_cache(maxsize=1)
def _step() -> Any:
    """One step of Adam on a batch, compiled once for each shape."""
    jax = library()

    def loss(weights: Any, windows: Any) -> Any:
        return jax.numpy.mean((reconstruct(weights, windows) - windows) ** 2)

    def step(weights: Any, mean: Any, square: Any, count: Any, windows: Any) -> Any:
        slope = jax.grad(loss)(weights, windows)
        mean = {k: _MOMENTUM * mean[k] + (1 - _MOMENTUM) * slope[k] for k in slope}
        square = {k: _SQUARES * square[k] + (1 - _SQUARES) * slope[k] ** 2 for k in slope}
        first, second = 1 - _MOMENTUM**count, 1 - _SQUARES**count
        moved = {k: RATE * (mean[k] / first) / (jax.numpy.sqrt(square[k] / second) + _TINY) for k in slope}
        return {k: weights[k] - moved[k] for k in slope}, mean, square

    return jax.jit(step)


def train(windows: Float64, hidden: int, epochs: int, seed: int) -> Weights:
    """Weights of an autoencoder of these windows; the same bits for the same windows, seed and version of JAX.

    Parameters
    ----------
    windows : float64[n, steps, columns]
        Scaled, 64 or more; each epoch sees whole batches of them in an order of its own, so up to 63 are left out.
    hidden, epochs, seed : int
        Size of the layers, how often the windows are gone through, of the first weights and the orders.

    Raises
    ------
    MissingExtraError
        JAX is not installed.
    """
    jax = library()
    rng = np.random.default_rng([seed, 1])
    with jax.enable_x64(True), jax.default_device(jax.devices("cpu")[0]):
        step = _step()
        weights: Any = begin(windows.shape[2], hidden, seed)
        mean = square = {name: np.zeros_like(array) for name, array in weights.items()}
        count = 0
        for _ in range(epochs):
            order = rng.permutation(len(windows))
            for at in range(0, len(windows) - BATCH + 1, BATCH):
                count += 1
                weights, mean, square = step(weights, mean, square, float(count), windows[order[at : at + BATCH]])
        return {name: np.ascontiguousarray(np.asarray(array), np.float64) for name, array in weights.items()}
