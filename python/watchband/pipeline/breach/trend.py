"""Trend: slopes that spikes do not turn."""

from __future__ import annotations

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
    middles = _medians(cut.reshape(-1, width)).reshape(len(rows), blocks)
    first, second = np.triu_indices(blocks, 1)
    found = _medians((middles[:, second] - middles[:, first]) / ((second - first) * width))
    return np.where(np.isfinite(found), found, 0.0)


def _medians(rows: Float64) -> Float64:
    """The median of what is known of every row, NaN where nothing is."""
    if rows.shape[1] == 1:
        return rows[:, 0]
    found = np.full(len(rows), np.nan)
    whole = np.isfinite(rows).all(axis=1)
    # Where nothing is missing, which is nearly everywhere, it costs a tenth.
    if whole.any():
        found[whole] = np.median(rows[whole], axis=1)
    some = ~whole & np.isfinite(rows).any(axis=1)
    if some.any():
        found[some] = np.nanmedian(rows[some], axis=1)
    return found
