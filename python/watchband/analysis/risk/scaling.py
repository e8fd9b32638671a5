"""Scale: features of different units side by side, so that a few extreme rows move nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from watchband.core.errors import DataError
from watchband.core.points import Float64

CLIP = 8.0
"""Deviations beyond count as so many: an incident does not drag a centre to itself."""
_SIXTH, _SIGMA = 0.158655, 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """The typical value of the fleet and its spread, a number a feature each: float64[f]."""

    centre: Float64
    spread: Float64

    def __call__(self, values: Float64) -> Float64:
        """Deviations from the typical value in spreads, float64[n, f]; a missing one is 0 of them."""
        found = (values - self.centre) / self.spread
        return np.clip(np.where(np.isnan(found), 0.0, found), -CLIP, CLIP)


def fit_scale(values: Float64, names: Sequence[str]) -> tuple[Scale, list[int]]:
    """Median, and half the distance between the 16th and the 84th of a hundred.

    Returns
    -------
    scale : Scale
        Of the features that vary.
    varying : list of int
        Which those are.

    Raises
    ------
    DataError
        A metric is missing throughout, or none varies.
    """
    empty = [name for name, column in zip(names, values.T, strict=True) if np.isnan(column).all()]
    if empty:
        raise DataError(
            f"There is no value of {', '.join(empty)} in any row. Leave it out with --feature, naming the metrics to "
            "use, or give data that have it."
        )
    centre = np.nanmedian(values, axis=0)
    low, high = np.nanquantile(values, [_SIXTH, 1 - _SIXTH], axis=0)
    spread = (high - low) / 2
    # Mostly one value, as an error rate has: what varies at all tells more than a spread of 0.
    flat = spread <= 0
    spread[flat] = np.nanstd(values[:, flat], axis=0) if flat.any() else spread[flat]
    tiny = 1e-9 * np.maximum(np.abs(centre), 1e-9)
    varying = np.flatnonzero(spread > tiny)
    if not len(varying):
        raise DataError(
            f"Every feature is constant: {', '.join(names)}. States are told apart by what varies; give data of a "
            "longer time, or of more entities."
        )
    return Scale(centre[varying], spread[varying]), [int(f) for f in varying]
