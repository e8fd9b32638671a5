"""Fitted models that are at hand: a bounded cache, since each can be made again from its window."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watchband.detectors.fitted.fit import Fit

COUNT_MAX = 4096
BYTES_MAX = 512 << 20


class Models:
    """Models by the digest of their window, parameters and libraries; the longest unused goes first.

    Parameters
    ----------
    count_max, bytes_max : int
        Both hold. A model larger than ``bytes_max`` is kept as long as it is the only one.

    Examples
    --------
    >>> models = Models(count_max=2)
    >>> models.told()
    {'models': 0, 'bytes': 0, 'fitted': 0, 'evicted': 0}
    """

    def __init__(self, count_max: int = COUNT_MAX, bytes_max: int = BYTES_MAX) -> None:
        self.count_max, self.bytes_max = count_max, bytes_max
        self._lock = threading.Lock()
        self._held: OrderedDict[bytes, Fit] = OrderedDict()
        self._bytes = self._fitted = self._evicted = 0

    def get(self, key: bytes) -> Fit | None:
        """The model, if it is at hand."""
        with self._lock:
            found = self._held.get(key)
            if found is not None:
                self._held.move_to_end(key)
            return found

    def put(self, key: bytes, fit: Fit) -> None:
        """Keep a model that was just fitted; others go where there is no room."""
        with self._lock:
            self._fitted += 1
            if key in self._held:
                return
            self._held[key] = fit
            self._bytes += fit.nbytes
            while len(self._held) > 1 and (len(self._held) > self.count_max or self._bytes > self.bytes_max):
                _, gone = self._held.popitem(last=False)
                self._bytes -= gone.nbytes
                self._evicted += 1

    def clear(self) -> None:
        """Forget all models; they are fitted anew when they are needed."""
        with self._lock:
            self._held.clear()
            self._bytes = 0

    def told(self) -> dict[str, int]:
        """How many models and bytes are at hand, how many were fitted and thrown away since the process began."""
        with self._lock:
            counts = (len(self._held), self._bytes, self._fitted, self._evicted)
        return dict(zip(("models", "bytes", "fitted", "evicted"), counts, strict=True))


MODELS = Models()
"""The one of this process: all watches share it."""
