"""Neighbours: the earlier shingles most like one, how far away and how long ago."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from watchband.core.errors import InvalidParameterError
from watchband.core.points import Float64
from watchband.detectors.forest.windows import windows_of

if TYPE_CHECKING:
    from watchband.core.state import State
    from watchband.detectors.forest.base import Forest


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """The nearest shingles that the trees know, nearest first; NaN and -1 where there are fewer.

    Parameters
    ----------
    distance : float64[n, count]
        Sum of the distances of all values, as the trees hold them.
    ago : int64[n, count]
        Points between the last one of the neighbour and the newest one folded.
    values : float64[n, count, shingle, dims]
        The neighbour's values in units of the metric. With ``transform="normalise"`` as that mean and deviation of now
        would have them, with ``"difference"`` moved to end at the newest value.
    """

    distance: Float64
    ago: NDArray[np.int64]
    values: Float64


def neighbours(
    detector: Forest,
    state: State,
    windows: ArrayLike | None = None,
    *,
    count: int = 5,
    row: int = 0,
    least_ago: int = 1,
) -> Neighbours:
    """The nearest of the shingles that the trees lead to: at most one a tree.

    Parameters
    ----------
    detector, state
        The forest and what it has learned; the state is left as it is.
    windows : float64[n, shingle, dims], optional
        Shingles in units of the metric, oldest point first (with ``transform="difference"`` one more before each); the
        newest one of every series if none. Values that are NaN do not count.
    count : int, default 5
        Neighbours wanted of each.
    row : int, default 0
        Which series of the state is asked.
    least_ago : int, default 1
        Neighbours that ended fewer points ago are left out; with 1 the newest shingle itself is.

    Returns
    -------
    Neighbours
        Empty before the trees know a quarter of their samples.

    Raises
    ------
    PointsShapeError
        The windows have another shape.
    InvalidParameterError
        ``count`` is below 1.

    Notes
    -----
    O(trees · (log samples + shingle · dims)) a window. Each tree answers with the shingle whose leaf the one asked
    about falls into; it may know a nearer one behind a cut, so this is a good sample of the neighbourhood and no
    exact search.

    References
    ----------
    S. Guha, N. Mishra, G. Roy, O. Schrijvers, "Robust Random Cut Forest Based Anomaly Detection On Streams", ICML 2016,
    PMLR 48:2712-2721.

    Examples
    --------
    >>> import numpy as np
    >>> from watchband import Points
    >>> from watchband.detectors import RandomCutForest
    >>> detector = RandomCutForest()
    >>> values = np.sin(2 * np.pi * np.arange(2000) / 100)
    >>> state = detector.start()
    >>> _ = detector.step(state, Points.of(np.arange(2000), values))
    >>> found = detector.neighbours(state, count=3, least_ago=50)
    >>> bool((found.ago % 100 == 0).all()), bool(found.distance.max() < 0.001)
    (True, True)
    """
    if count < 1:
        raise InvalidParameterError(f"The 'count' of neighbours must be at least 1. Got {count!r}.")
    asked = windows_of(detector, state, windows, row)
    width = 2 + detector.shingle * detector.dims
    told = detector.ask(state, ("neighbours", float(least_ago)), asked, count * width).reshape(-1, count, width)
    ago = np.where(np.isnan(told[:, :, 1]), -1, told[:, :, 1]).astype(np.int64)
    return Neighbours(told[:, :, 0], ago, told[:, :, 2:].reshape(-1, count, detector.shingle, detector.dims))
