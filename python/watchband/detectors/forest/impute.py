"""Imputation: what the missing values of a shingle most likely were, by the shingles that are like the rest of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from watchband.core.points import Float64
from watchband.detectors.forest.windows import rows_of, windows_of

if TYPE_CHECKING:
    from watchband.core.state import State
    from watchband.detectors.forest.base import Forest


def impute(detector: Forest, state: State, windows: ArrayLike, *, row: int = 0) -> Float64:
    """Shingles with values where they have none.

    Parameters
    ----------
    detector, state
        The forest and what it has learned; the state is left as it is.
    windows : float64[n, shingle, dims]
        Shingles in units of the metric, oldest point first; NaN where a value is missing. With
        ``transform="difference"`` one point more before each, which must have its values.
    row : int, default 0
        Which series of the state is asked.

    Returns
    -------
    float64[n, shingle, dims]
        The same with every value; those that were there are untouched. NaN stays before the trees know a quarter of
        their samples.

    Raises
    ------
    PointsShapeError
        The windows have another shape.

    Notes
    -----
    A shingle goes down each tree by the cuts in the values it has; where a cut is in a missing one both sides are
    tried, and the leaf that is nearest in the values it has is the tree's answer (of equally near ones the newest).
    Imputed is the median of what the nearer half of the answers have there. O(trees · log samples) with few values
    missing, up to O(trees · samples) with many.

    References
    ----------
    S. Guha, N. Mishra, G. Roy, O. Schrijvers, "Robust Random Cut Forest Based Anomaly Detection On Streams", ICML 2016,
    PMLR 48:2712-2721; the imputation of AWS's implementation by meaning.

    Examples
    --------
    >>> import numpy as np
    >>> from watchband import Points
    >>> from watchband.detectors import RandomCutForest
    >>> detector = RandomCutForest()
    >>> values = np.sin(np.arange(2000) / 10)
    >>> state = detector.start()
    >>> _ = detector.step(state, Points.of(np.arange(2000), values))
    >>> window = values[500:508].copy()
    >>> window[4] = np.nan
    >>> filled = detector.impute(state, window)
    >>> bool(abs(filled[0, 4, 0] - values[504]) < 0.05)
    True
    """
    asked = windows_of(detector, state, windows, row)
    shape = (len(asked), detector.shingle, detector.dims)
    filled = detector.ask(state, ("impute", 0.0), asked, detector.shingle * detector.dims).reshape(shape)
    if (extra := rows_of(detector) - detector.shingle) == 0:
        return filled
    import numpy as np

    before = asked.values.reshape(len(asked), -1, detector.dims)[:, :extra]
    return np.concatenate([before, filled], axis=1)
