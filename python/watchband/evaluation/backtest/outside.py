"""Functions and outside programs as detectors of one replay: the scores are theirs, everything else is Watchband's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from watchband.core.detector import Detector
from watchband.core.points import Points
from watchband.core.scores import Scores
from watchband.core.state import Field, State
from watchband.evaluation.candidate import name_of, plain


@dataclass(frozen=True)
class Outside(Detector):
    """What scores by a function ``(times, values) -> scores`` or by an outside program.

    It is good for one replay of one series and no fold: what it has seen is kept here and not in the state. It is asked
    about all points so far, batch after batch, and must not change its mind about the past: a long series is best
    replayed in one batch.

    Parameters
    ----------
    said : callable
        What scores.

    Examples
    --------
    >>> from watchband import Points
    >>> outside = Outside(lambda times, values: np.abs(values - np.nanmean(values)))
    >>> outside.step(outside.start(), Points.of(np.arange(2), [3.0, 5.0])).score
    array([1., 1.])
    """

    name: ClassVar[str] = "outside"

    said: Any = None
    _past: list[Points] = field(default_factory=list, compare=False, repr=False)

    @property
    def memory_points(self) -> int:
        return 1

    def layout(self) -> dict[str, Field]:
        return {}

    def fresh(self) -> Outside:
        """The same for another replay."""
        return Outside(self.said)

    def __str__(self) -> str:
        return name_of(self.said)

    def _fold(self, state: State, points: Points, scores: Scores, threads: int) -> None:
        self._past.append(points)
        times = np.concatenate([p.times for p in self._past])
        values = np.concatenate([p.values[:, 0] for p in self._past])
        whole = Points.of(times, values)
        scores.score[:] = plain(whole, self.said(times, values), str(self)).score[len(times) - len(points) :]
