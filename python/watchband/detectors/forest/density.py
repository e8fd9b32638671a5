"""Density: how many earlier shingles lie how near to one, and on which side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from watchband.core.errors import InvalidParameterError
from watchband.core.points import Float64
from watchband.detectors.forest.windows import windows_of

if TYPE_CHECKING:
    from watchband.core.state import State
    from watchband.detectors.forest.base import Forest


@dataclass(frozen=True, slots=True, eq=False)
class Density:
    """Shares of the density around shingles, by the direction in which cuts would set them apart.

    Parameters
    ----------
    above, below : float64[n, shingle, dims]
        What is due to values above, and below, what was seen; newest point of the shingle last, with ``time_dimension``
        the time as the last value. All together they are the density.
    """

    above: Float64
    below: Float64

    @property
    def total(self) -> Float64:
        """Density of each shingle, float64[n]: share of the sample per unit of distance to the power asked for."""
        return np.asarray(self.above.sum(axis=(1, 2)) + self.below.sum(axis=(1, 2)))


def density(
    detector: Forest,
    state: State,
    windows: ArrayLike | None = None,
    *,
    row: int = 0,
    power: float | None = None,
) -> Density:
    """How close earlier shingles lie around the ones asked about, by direction.

    Parameters
    ----------
    detector, state
        The forest and what it has learned; the state is left as it is.
    windows : float64[n, shingle, dims], optional
        Shingles in units of the metric, oldest point first (with ``transform="difference"`` one more before each); the
        newest one of every series if none.
    row : int, default 0
        Which series of the state is asked.
    power : float, optional
        Dimensions that the shingles fill: distance counts to this power. If none, the number of values of a shingle, at
        most 8.

    Returns
    -------
    Density
        NaN before the trees know a quarter of their samples, and where a window lacks a value; infinite where every
        tree holds the very shingle.

    Raises
    ------
    PointsShapeError
        The windows have another shape.
    InvalidParameterError
        ``power`` is not positive.

    Notes
    -----
    O(trees · log samples · shingle · dims) a window. In every tree, each cut that could set the shingle apart counts
    the share of the sample in the box it would be set apart from, and the width of that box with the shingle in it,
    each with its chance. Density is the mean share over the mean width. The idea is that of the interpolation visitor
    of AWS's implementation.

    References
    ----------
    S. Guha, N. Mishra, G. Roy, O. Schrijvers, "Robust Random Cut Forest Based Anomaly Detection On Streams", ICML 2016,
    PMLR 48:2712-2721.

    Examples
    --------
    >>> import numpy as np
    >>> from watchband import Points
    >>> from watchband.detectors import RandomCutForest
    >>> detector = RandomCutForest(shingle=1, dims=2)
    >>> values = np.random.default_rng(1).normal(size=(1000, 2))
    >>> state = detector.start()
    >>> _ = detector.step(state, Points.of(np.arange(1000), values))
    >>> near, far = detector.density(state, [[[0.0, 0.0]], [[0.0, 6.0]]]).total
    >>> bool(near > 20 * far)
    True
    """
    held = detector.dims + detector.time_dimension
    power = min(detector.shingle * held, 8) if power is None else power
    if not power > 0:
        raise InvalidParameterError(f"The 'power' of a density must be > 0. Got {power!r}.")
    asked = windows_of(detector, state, windows, row)
    shares = detector.ask(state, ("density", float(power)), asked, 2 * detector.shingle * held)
    sides = shares.reshape(len(asked), 2, detector.shingle, held)
    return Density(sides[:, 0], sides[:, 1])
