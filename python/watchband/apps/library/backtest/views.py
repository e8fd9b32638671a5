"""What charts of a backtest are drawn from: the kept scores of one series under one candidate."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import numpy as np

from watchband.apps.library.backtest.scores import read_scores
from watchband.apps.library.view import SeriesView
from watchband.core.series import SeriesKey

if TYPE_CHECKING:
    from watchband.apps.library.backtest.result import Backtest

HELD = 8
"""Series whose points are in memory at once."""
_COLUMNS = ("y", "yhat", "yhat_lower", "yhat_upper", "anomaly_score")


class ViewCache:
    """Reads scores when they are asked for, and holds the last few."""

    def __init__(self, found: Backtest) -> None:
        self._found = found
        self._held: OrderedDict[tuple[str, str], SeriesView | None] = OrderedDict()

    def get(self, series: str, candidate: str) -> SeriesView | None:
        """The points of a series; None where no scores were kept."""
        pair = (series, candidate)
        if pair not in self._held:
            self._held[pair] = self._read(series, candidate)
            while len(self._held) > HELD:
                self._held.popitem(last=False)
        return self._held[pair]

    def _read(self, series: str, candidate: str) -> SeriesView | None:
        path = self._found.scores_of(series, candidate)
        if not path.exists():
            return None
        times, columns = read_scores(path, _COLUMNS)
        arrays: dict[str, Any] = {**columns, "imputed": np.zeros(len(times), np.bool_)}
        return SeriesView(SeriesKey.parse(series), "", times, **arrays)
