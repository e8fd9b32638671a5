"""Rows of a result: what is said of every reading, in the order in which the readings came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from watchband.core.points import Float64, Int32, Int64

if TYPE_CHECKING:
    from watchband.pipeline.results import Results

COLUMNS = (
    "series",
    "timestamp",
    "y",
    "yhat",
    "yhat_lower",
    "yhat_upper",
    "score",
    "p_value",
    "anomaly_score",
    "alert_score",
    "alert",
    "seen_by",
)
"""Columns of every table of results, in their order."""

NUMBERS = COLUMNS[2:-2]
"""Those of them that are float64."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """A block of results. All arrays have one length n.

    Parameters
    ----------
    row : int32[n]
        Number of the series.
    time : int64[n]
        Nanoseconds since 1970 in UTC.
    y, yhat, yhat_lower, yhat_upper, score, p_value, anomaly_score, alert_score : float64[n]
        The value, what was expected, the band, and the four verdicts; NaN is "not known" or "no opinion".
    alert : object[n]
        Id of the alert the point belongs to, or an empty text.
    seen_by : object[n]
        The members of an ensemble that found the point anomalous, joined by ``+``, or an empty text.
    imputed : bool[n]
        True where no reading stands behind the point.
    order : int64[n]
        Position of the reading in the input; of an imputed point that of the reading it comes before.
    """

    row: Int32
    time: Int64
    y: Float64
    yhat: Float64
    yhat_lower: Float64
    yhat_upper: Float64
    score: Float64
    p_value: Float64
    anomaly_score: Float64
    alert_score: Float64
    alert: NDArray[np.object_]
    seen_by: NDArray[np.object_]
    imputed: NDArray[np.bool_]
    order: Int64

    @classmethod
    def unscored(cls, row: Int32, time: Int64, y: Float64, order: Int64) -> Rows:
        """Readings of which nothing is said."""
        n = len(row)
        unknown: dict[str, Any] = {name: np.full(n, np.nan) for name in NUMBERS[1:]}
        texts = {name: np.full(n, "", object) for name in ("alert", "seen_by")}
        return cls(row, time, y, **unknown, **texts, imputed=np.zeros(n, np.bool_), order=order)

    @classmethod
    def of(cls, results: Results) -> Rows:
        """What a watch said of its points, one row each; their order in the input is not known."""
        columns: dict[str, Any] = {f.name: getattr(results, f.name) for f in fields(cls) if f.name != "order"}
        return cls(**columns, order=np.zeros(len(results), np.int64))

    @classmethod
    def empty(cls) -> Rows:
        """A block of nothing."""
        return cls.unscored(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64))

    @classmethod
    def joined(cls, parts: Sequence[Rows]) -> Rows:
        """Blocks end to end."""
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return cls.empty()
        arrays: dict[str, Any] = {f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)}
        return cls(**arrays)

    def __len__(self) -> int:
        return len(self.row)

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_] | slice) -> Rows:
        """The chosen rows as a block of their own."""
        return Rows(*(getattr(self, f.name)[index] for f in fields(self)))

    def nbytes(self) -> int:
        """Bytes of the arrays, texts not counted."""
        return sum(getattr(self, f.name).nbytes for f in fields(self))
