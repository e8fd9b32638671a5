"""What is beside the leading metric of joined points: the other columns, with bands where the detector has some."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from watchband.core.points import Float64, Points
from watchband.core.scores import Scores
from watchband.core.series import SeriesKey

if TYPE_CHECKING:
    from watchband.pipeline.join_columns import JoinColumns
    from watchband.pipeline.results import Results

_FLOATS = ("y", "yhat", "yhat_lower", "yhat_upper")


@dataclass(frozen=True, slots=True, eq=False)
class Beside:
    """The columns of joined points behind the leading one.

    Parameters
    ----------
    columns : tuple of str
        Their metrics.
    y, yhat, yhat_lower, yhat_upper : float64[m, k]
        Value, expected value and band of each column; NaN where the detector has none of it.
    """

    columns: tuple[str, ...]
    y: Float64
    yhat: Float64
    yhat_lower: Float64
    yhat_upper: Float64

    @classmethod
    def of(cls, join: JoinColumns | None, points: Points, scores: Scores) -> Beside | None:
        """Of a batch; None where nothing is joined."""
        if join is None:
            return None
        values = points.values[:, 1:]
        if len(scores.beside) != 3 * values.shape[1]:
            none = np.full(values.shape, np.nan)
            return cls(join.columns[1:], values, none, none, none)
        bands = np.stack(scores.beside, axis=1)
        return cls(join.columns[1:], values, bands[:, 0::3], bands[:, 1::3], bands[:, 2::3])

    def at(self, picked: NDArray[np.bool_]) -> Beside:
        """Some of the points."""
        return Beside(self.columns, *(getattr(self, name)[picked] for name in _FLOATS))

    @classmethod
    def joined(cls, parts: Sequence[Beside | None]) -> Beside | None:
        """Of consecutive batches."""
        known = [part for part in parts if part is not None]
        if not known:
            return None
        return cls(known[0].columns, *(np.concatenate([getattr(p, name) for p in known]) for name in _FLOATS))

    def results(self, results: Results, column: int, keys: Sequence[SeriesKey]) -> Results:
        """One column as results of its own, of these series: score and verdict are those of the whole point."""
        return replace(
            results, keys=keys, alerts=[], beside=None, **{name: getattr(self, name)[:, column] for name in _FLOATS}
        )
