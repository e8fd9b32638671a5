"""Numbers as JSON has them."""

from __future__ import annotations

import math

import numpy as np


def column(values: np.ndarray) -> list[float | None]:
    """Numbers for JSON, seven digits; None where there is none.

    Examples
    --------
    >>> column(np.array([0.1 + 0.2, -1234567.89, 1e-9 / 3, np.nan, 0.0, np.inf, 2.5e30]))
    [0.3, -1234568.0, 3.333333e-10, None, 0.0, None, 2.5e+30]
    """
    known = np.isfinite(values)
    sizes = np.abs(np.where(known, values, 0.0))
    plain = (sizes == 0) | ((sizes >= 1e-12) & (sizes < 1e15))
    with np.errstate(divide="ignore"):
        up = 6 - np.floor(np.log10(np.where(plain & (sizes > 0), sizes, 1.0))).astype(int)
    # A whole number by a power of ten is the double nearest to the decimal, as its text would be read.
    more, less = 10.0 ** np.maximum(up, 0), 10.0 ** np.maximum(-up, 0)
    rounded = np.rint(np.where(plain, values, 0.0) * more / less) * less / more
    found: list[float | None] = rounded.tolist()
    for at in np.flatnonzero(~known | ~plain).tolist():
        found[at] = finite(float(values[at]))
    return found


def finite(value: float) -> float | None:
    """A number for JSON, seven digits; None where there is none.

    Examples
    --------
    >>> finite(0.1 + 0.2), finite(math.nan)
    (0.3, None)
    """
    return float(f"{value:.7g}") if math.isfinite(value) else None
