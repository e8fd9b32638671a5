"""Features in one unit: what is taken from each, and what it is divided by."""

from __future__ import annotations

import numpy as np

from watchband.core.points import Float64

WAYS = ("standard", "robust", "none")
NORMAL = 1.349
"""Distance of the quartiles of a normal distribution in deviations."""
FLAT = 1e-12
"""A deviation this little beside the level is rounding: the feature is constant."""


def of(rows: Float64, way: str) -> tuple[Float64, Float64]:
    """Centre and scale of each feature, float64[k] each, of finite rows float64[n, k].

    A constant feature is divided by 1, as scikit-learn does.

    Examples
    --------
    >>> centre, scale = of(np.array([[1.0, 5.0], [3.0, 5.0]]), "standard")
    >>> centre.tolist(), scale.tolist()
    ([2.0, 5.0], [1.0, 1.0])
    """
    k = rows.shape[1]
    if way == "none":
        return np.zeros(k), np.ones(k)
    deviation = rows.std(axis=0)
    if way == "robust":
        low, centre, high = np.quantile(rows, (0.25, 0.5, 0.75), axis=0)
        scale = (high - low) / NORMAL
        # Where more than half are equal, quartiles know no unit.
        scale = np.where(scale > FLAT * np.abs(centre), scale, deviation)
    else:
        centre, scale = rows.mean(axis=0), deviation
    return centre, np.where(scale > FLAT * np.abs(centre), scale, 1.0)
