"""A peer: raw scores only, kept on disk; the calibration and the alerts are everybody's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from benches.quality.cache import cached
from watchband.core.points import Float64, Int64

Stretch = Callable[[Float64], Float64]


def same(score: Float64) -> Float64:
    """The score as it is."""
    return np.asarray(score)


@dataclass(frozen=True, eq=False)
class Peer:
    """A detector that is not Watchband's, strictly causal, with one configuration for every series.

    Parameters
    ----------
    compute : callable
        From times (int64[n], ns) and values (float64[n]) to one raw score a point, NaN is no opinion.
    label : str
        Whatever shapes the scores: it names them on disk.
    run : str
        How it is run, for the table of the peers.
    stretch : callable
        Monotone: scores that live in a narrow range get room, or the calibration could not tell them apart.
    needs : str
        The package that it comes from.
    thirds, never : tuple of str
        Families of which it runs on every third series only, or not at all, because it is slow.
    """

    compute: Callable[[Int64, Float64], Float64]
    label: str
    run: str
    stretch: Stretch = same
    needs: str = "numpy"
    thirds: tuple[str, ...] = ()
    never: tuple[str, ...] = ()

    @property
    def installed(self) -> bool:
        """Whether its package is there."""
        return find_spec(self.needs) is not None

    def __call__(self, times: Int64, values: Float64) -> Float64:
        return self.stretch(cached(self.label, self.compute, times, values))
