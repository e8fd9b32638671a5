"""The forward pass of the LSTM autoencoder as its formulas say it, number by number."""

from __future__ import annotations

import math

import numpy as np


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0


def cell(
    inputs: list[float], hidden: list[float], kept: list[float], w: np.ndarray, u: np.ndarray, b: np.ndarray
) -> tuple[list[float], list[float]]:
    """One step of a layer; gates stand in the order in, forget, new, out."""
    size = len(hidden)
    gates = [
        b[g] + sum(x * w[i, g] for i, x in enumerate(inputs)) + sum(h * u[i, g] for i, h in enumerate(hidden))
        for g in range(4 * size)
    ]
    for i in range(size):
        enter, forget, out = (sigmoid(gates[k * size + i]) for k in (0, 1, 3))
        kept[i] = forget * kept[i] + enter * math.tanh(gates[2 * size + i])
        hidden[i] = out * math.tanh(kept[i])
    return hidden, kept


def reconstruct(weights: dict[str, np.ndarray], window: np.ndarray) -> np.ndarray:
    """One window float64[steps, columns] written again: same shape."""
    w, size = weights, weights["output"].shape[0]
    hidden, kept = [0.0] * size, [0.0] * size
    for row in window.tolist():
        hidden, kept = cell(row, hidden, kept, w["encoder_inputs"], w["encoder_hidden"], w["encoder_bias"])
    seen, found = list(hidden), []
    hidden, kept = [0.0] * size, [0.0] * size
    for _ in window:
        hidden, kept = cell(seen, hidden, kept, w["decoder_inputs"], w["decoder_hidden"], w["decoder_bias"])
        found.append(np.array(hidden) @ w["output"] + w["output_bias"])
    return np.array(found)
