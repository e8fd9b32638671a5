"""Forecast: what came after the shingles that are most like the newest one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from watchband.core.errors import InvalidParameterError
from watchband.core.points import Float64
from watchband.detectors.forest.windows import windows_of

if TYPE_CHECKING:
    from watchband.core.state import State
    from watchband.detectors.forest.base import Forest


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """Values to come, for each series, step and value of a point.

    Parameters
    ----------
    values : float64[series, horizon, dims]
        Median of the ways that things went on before.
    lower, upper : float64[series, horizon, dims]
        Quantiles of these ways: how they differed, not yet how often they are right. ``ForestForecast`` gives
        intervals that are.
    """

    values: Float64
    lower: Float64
    upper: Float64


def forecast(detector: Forest, state: State, horizon: int, *, level: float = 0.8) -> Forecast:
    """What is likely to come after the newest point.

    Parameters
    ----------
    detector, state
        The forest and what it has learned; the state is left as it is.
    horizon : int
        Points ahead, at the pace of the past.
    level : float, default 0.8
        Share of the ways between ``lower`` and ``upper``.

    Returns
    -------
    Forecast
        NaN before the trees know a quarter of their samples.

    Raises
    ------
    InvalidParameterError
        ``horizon`` is below 1, or ``level`` not between 0 and 1.

    Notes
    -----
    Each tree leads the newest shingle to the one that is most like it; what followed that one stands in the ring of
    past values. The median over the nearer half of the trees is the forecast: O(trees · (log samples + horizon)).
    Imputing one value after the other, as AWS's implementation does, costs as much for every step and was less
    accurate on seasons longer than the shingle.

    References
    ----------
    S. Guha, N. Mishra, G. Roy, O. Schrijvers, "Robust Random Cut Forest Based Anomaly Detection On Streams", ICML 2016,
    PMLR 48:2712-2721. E. N. Lorenz, "Atmospheric predictability as revealed by naturally occurring analogues", 1969,
    doi:10.1175/1520-0469(1969)26<636:APARBN>2.0.CO;2.

    Examples
    --------
    >>> import numpy as np
    >>> from watchband import Points
    >>> from watchband.detectors import RandomCutForest
    >>> detector = RandomCutForest()
    >>> values = np.sin(np.arange(3000) / 10)
    >>> state = detector.start()
    >>> _ = detector.step(state, Points.of(np.arange(2900), values[:2900]))
    >>> told = detector.forecast(state, horizon=100)
    >>> bool(np.abs(told.values[0, :, 0] - values[2900:]).max() < 0.2)
    True
    """
    if horizon < 1 or not 0 < level < 1:
        raise InvalidParameterError(
            f"A forecast needs a 'horizon' of at least 1 and a 'level' between 0 and 1. Got {horizon!r}, {level!r}."
        )
    asked = windows_of(detector, state, None, 0)
    width = horizon * detector.dims
    told = detector.ask(state, ("forecast", (1 - level) / 2), asked, 3 * width)
    sides = told.reshape(len(asked), 3, horizon, detector.dims)
    return Forecast(sides[:, 0], sides[:, 1], sides[:, 2])
