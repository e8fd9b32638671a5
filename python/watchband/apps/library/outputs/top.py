"""``top_50_anomalies.csv``: the strangest points of all series."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from watchband.apps.library.outputs.table import iso_texts
from watchband.apps.library.rows import Rows
from watchband.core.points import Float64
from watchband.core.series import SeriesKey

TOP = 50
HEADER = (
    "series",
    "timestamp",
    "value",
    "score",
    "anomaly_score",
    "is_anomaly",
    "yhat",
    "yhat_lower",
    "yhat_upper",
    "p_value",
    "alert",
)


class TopPoints:
    """Keeps the points with the highest anomaly_score; of equal ones the earlier, then the first series.

    Parameters
    ----------
    count : int, default 50
        How many.
    """

    def __init__(self, count: int = TOP) -> None:
        self.count = count
        self.rows = Rows.empty()
        self._keys: Sequence[SeriesKey] = ()

    def take(self, rows: Rows, keys: Sequence[SeriesKey]) -> None:
        """Look at a block."""
        self._keys = keys
        floor = self.rows.anomaly_score[-1] if len(self.rows) == self.count else -np.inf
        both = Rows.joined([self.rows, rows.take(rows.anomaly_score >= floor)])
        order = np.lexsort((both.row, both.time, -both.anomaly_score))
        both = both.take(order)
        again = np.zeros(len(both), np.bool_)
        again[1:] = (np.diff(both.row) == 0) & (np.diff(both.time) == 0)
        self.rows = both.take(np.flatnonzero(~again)[: self.count])

    def write(self, path: Path) -> None:
        """The table as CSV, strangest first."""
        rows = self.rows
        with path.open("w", newline="", encoding="utf-8") as file:
            out = csv.writer(file, lineterminator="\n")
            out.writerow(HEADER)
            times = iso_texts(rows.time)
            for i in range(len(rows)):
                numbers = [_text(a, i) for a in (rows.yhat, rows.yhat_lower, rows.yhat_upper, rows.p_value)]
                score, anomaly = _text(rows.score, i), _text(rows.anomaly_score, i)
                flag = int(rows.anomaly_score[i] > 1)
                value = _text(rows.y, i)
                out.writerow([self._keys[rows.row[i]], times[i], value, score, anomaly, flag, *numbers, rows.alert[i]])


def _text(values: Float64, at: int) -> str:
    value = float(values[at])
    return repr(value) if np.isfinite(value) else ""
