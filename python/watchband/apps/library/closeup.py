"""The stretches around the openings of alerts, kept point by point where the rest of a long series is thinned."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchband.apps.library.rows import Rows
from watchband.apps.library.view import SeriesView

BEFORE, AFTER = 120, 300
"""Points kept before an opening, and from it on."""
OPENINGS_MAX = 1_000
"""Openings kept in all series together."""


class CloseUps:
    """Keeps what stands around the first point of every alert of one series."""

    def __init__(self) -> None:
        self._tail = Rows.empty()
        self._parts: list[Rows] = []
        self._alert = ""
        self._left = 0
        self.openings = 0

    def take(self, rows: Rows, room: int) -> None:
        """Look at further rows, ascending in time; keep at most ``room`` more openings."""
        before = np.concatenate([[self._alert], rows.alert[:-1]]) if len(rows) else rows.alert
        opened = np.flatnonzero((rows.alert != "") & (rows.alert != before))[: max(room, 0)]
        self.openings += len(opened)
        whole = Rows.joined([self._tail, rows])
        keep = np.zeros(len(whole), np.bool_)
        shift = len(self._tail)
        keep[shift : shift + self._left] = True
        for at in opened.tolist():
            keep[max(0, shift + at - BEFORE) : shift + at + AFTER] = True
        self._left = max(self._left - len(rows), 0)
        if len(opened):
            self._left = max(self._left, int(opened[-1]) + AFTER - len(rows), 0)
        if keep.any():
            self._parts.append(whole.take(keep))
        self._alert = str(rows.alert[-1]) if len(rows) else self._alert
        self._tail = whole.take(slice(max(0, len(whole) - BEFORE), None))

    def added_to(self, view: SeriesView) -> SeriesView:
        """The view with every point kept here that it lacks."""
        rows = Rows.joined(self._parts)
        times, first = np.unique(rows.time, return_index=True)
        new = first[~np.isin(times, view.times)]
        if not len(new) or not len(view):
            return view
        rows = rows.take(new)
        order = np.argsort(np.concatenate([view.times, rows.time]), kind="stable")
        assert view.segments is not None
        # A point between two others lies on the line that leads to it.
        near = np.maximum(np.searchsorted(view.times, rows.time, side="right") - 1, 0)
        added: dict[str, NDArray[Any]] = {"times": rows.time, "segments": view.segments[near]}
        for name in ("y", "yhat", "yhat_lower", "yhat_upper", "anomaly_score", "imputed"):
            added[name] = getattr(rows, name)
        merged: dict[str, Any] = {k: np.concatenate([getattr(view, k), a])[order] for k, a in added.items()}
        return replace(view, **merged)
