"""Windows: ranges of time in which series are muted, not learned from, or expected to change by a factor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from watchband.core.errors import ConfigError
from watchband.core.events import WindowClosed, WindowOpened
from watchband.core.matcher import Selector
from watchband.core.points import Float64, Points
from watchband.core.series import SeriesKey

WINDOWS_MAX = 1000
"""Windows that a watch remembers; of more, those that end first are dropped."""


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """What windows make of the points of a batch.

    Parameters
    ----------
    muted, unlearned : bool[n]
        Nothing opens, changes or closes here; nothing is learned here.
    factor : float64[n]
        What the expected value is multiplied by; 1 where no window says otherwise.
    """

    muted: NDArray[np.bool_]
    unlearned: NDArray[np.bool_]
    factor: Float64


class Windows:
    """The windows that a log has opened so far, by name; a name that is opened again replaces the earlier one.

    Parameters
    ----------
    windows : sequence of WindowOpened
        Those that are known, oldest first.
    """

    def __init__(self, windows: Sequence[WindowOpened] = ()) -> None:
        self._open: dict[str, WindowOpened] = {w.name: w for w in windows}
        self._series: dict[str, NDArray[np.bool_]] = {}

    def __len__(self) -> int:
        return len(self._open)

    def events(self) -> list[WindowOpened]:
        """What ``Windows`` makes itself of again."""
        return list(self._open.values())

    def get(self, name: str) -> WindowOpened | None:
        """The window of that name."""
        return self._open.get(name)

    def take(self, event: WindowOpened | WindowClosed) -> WindowOpened | None:
        """Note a window that opens or closes; the window as it then is, None where nobody knows it."""
        if isinstance(event, WindowOpened):
            found: WindowOpened | None = event
            self._open.pop(event.name, None)
            self._series.pop(event.name, None)
        else:
            found = self._open.get(event.name)
            found = replace(found, end=min(found.end, event.time)) if found else None
        if found is None:
            return None
        self._open[found.name] = found
        if len(self._open) > WINDOWS_MAX:
            first = min(self._open.values(), key=lambda w: (w.end, w.name)).name
            del self._open[first]
            self._series.pop(first, None)
        return found

    def matching(self, window: WindowOpened, keys: Sequence[SeriesKey]) -> NDArray[np.bool_]:
        """Which of the series it is about: bool[series]. A selector that cannot be read is about none."""
        known = self._series.get(window.name, np.empty(0, bool))
        if len(known) < len(keys):
            try:
                selector = Selector(window.series)
                more = [selector.matches(key) for key in keys[len(known) :]]
            except ConfigError:
                more = [False] * (len(keys) - len(known))
            known = self._series[window.name] = np.concatenate([known, np.array(more, bool)])
        return known

    def renumbered(self) -> None:
        """The series have other rows from here on."""
        self._series.clear()

    def marks(self, points: Points, keys: Sequence[SeriesKey]) -> Marks | None:
        """What they make of a batch; None where no window has a part in it."""
        if not self._open or not len(points):
            return None
        low, high = int(points.times.min()), int(points.times.max())
        around = [w for w in self._open.values() if w.start <= high and w.end > low]
        if not around:
            return None
        n = len(points)
        marks = Marks(np.zeros(n, bool), np.zeros(n, bool), np.ones(n))
        row = np.repeat(points.rows, np.diff(points.offsets))
        for window in around:
            inside = self.matching(window, keys)[row] & (points.times >= window.start) & (points.times < window.end)
            if window.action == "mute":
                marks.muted[inside] = True
            elif window.action == "no_learn":
                marks.unlearned[inside] = True
            elif np.isfinite(window.factor) and window.factor > 0:
                marks.factor[inside] *= window.factor
        return marks
