"""The last rows of a series, those that were held marked, and the key of the model that was fitted on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchband.core.points import Float64
from watchband.core.state import Field, State

KEY = 16


@dataclass(frozen=True)
class Ring:
    """Room for ``window + every`` rows of ``dims`` features: between two fits the window of the last one is all there.

    State: 8 bytes for each feature of a row and 1 for each row, and 16.
    """

    window: int
    every: int
    dims: int

    @property
    def size(self) -> int:
        return self.window + self.every

    def layout(self) -> dict[str, Field]:
        return {
            "ring": Field("f8", self.size * self.dims, np.nan),
            "held": Field("u1", self.size),
            "key": Field("u1", KEY),
        }

    def write(self, state: State, row: int, seen: int, found: Float64, held: NDArray[np.bool_]) -> None:
        """Add rows, at most ``every`` of them, after ``seen`` points."""
        ring, marks = state.arrays["ring"][row].reshape(self.size, self.dims), state.arrays["held"][row]
        places = (seen + np.arange(len(found))) % self.size
        ring[places], marks[places] = found, held

    def window_at_last_fit(self, state: State, row: int, seen: int) -> tuple[Float64, NDArray[np.bool_]]:
        """The rows before the last multiple of ``every``, oldest first, and which of them were not held."""
        end = seen - seen % self.every
        places = np.arange(max(0, end - self.window), end) % self.size
        ring, marks = state.arrays["ring"][row].reshape(self.size, self.dims), state.arrays["held"][row]
        return ring[places], marks[places] == 0

    def key(self, state: State, row: int) -> bytes:
        """The key of the model that scores the next point; zeros where there is none."""
        return bytes(state.arrays["key"][row])

    def set_key(self, state: State, row: int, key: bytes) -> None:
        """Note the key of a model, or that there is none."""
        state.arrays["key"][row] = np.frombuffer(key.ljust(KEY, b"\0"), np.uint8)
