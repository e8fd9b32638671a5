"""Trend: slopes that spikes do not turn."""

from __future__ import annotations

import warnings

import numpy as np

from watchband.core.points import Float64

BLOCKS = 24
"""Medians that a window is divided into."""


def slopes(rows: Float64) -> Float64:
    """The slope of every row, in units a place: the median over all pairs of block medians.

    Parameters
    ----------
    rows : float64[m, n]
        Windows of values at equal distances; NaN is no value.

    Returns
    -------
    float64[m]
        0 where less than two blocks have a value.

    References
    ----------
    P. K. Sen, "Estimates of the Regression Coefficient Based on Kendall's Tau", JASA 63 (1968).

    Examples
    --------
    >>> line = 3.0 + 0.5 * np.arange(96.0)
    >>> line[10] = 900.0
    >>> slopes(line[None, :]).tolist()
    [0.5]
    """
    rows = np.atleast_2d(rows)
    n = rows.shape[1]
    blocks = min(BLOCKS, n)
    width = n // blocks
    cut = rows[:, n - blocks * width :].reshape(len(rows), blocks, width)
    with warnings.catch_warnings():
        # A block without a value is NaN, as it should be.
        warnings.simplefilter("ignore", RuntimeWarning)
        middles = np.nanmedian(cut, axis=2)
        first, second = np.triu_indices(blocks, 1)
        pairs = (middles[:, second] - middles[:, first]) / ((second - first) * width)
        found = np.nanmedian(pairs, axis=1)
    return np.where(np.isfinite(found), found, 0.0)
