"""Random Cut Forest: how easily random cuts would set the last values apart from those seen before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from watchband import _kernels
from watchband.core.params import Choice, Flag, param
from watchband.core.points import Float64, Points
from watchband.core.scores import Scores
from watchband.core.state import State
from watchband.detectors.forest.attribution import Attribution
from watchband.detectors.forest.base import Forest
from watchband.detectors.forest.explanation import Explanation, told_of


@dataclass(frozen=True)
class RandomCutForest(Forest):
    """Robust Random Cut Forest over shingles of the last values.

    Each tree cuts a sample of earlier shingles at random until every one is alone; a shingle that would be alone after
    few cuts is strange. Works for metrics whose shape repeats, in any season or none, and for several values at a
    time (values of a point times ``shingle`` up to 256). Does not work where values change by less than a millionth of
    themselves (they are kept in single precision), and it draws no band.

    Score: expected depth turned over, about 0.3 to 1 for usual points and several for strange ones; NaN until
    ``warm_up`` points are learned. Expected, lower, upper and scale are NaN.

    Parameters
    ----------
    trees, samples, shingle, dims, memory, warm_up, seed, frozen, missing, transform, time_dimension, measure, expected
        See the table of the page ``docs/detectors/random_cut_forest.md``.

    Notes
    -----
    From AWS's implementation by meaning: reservoir sampling with time decay, shingles made inside, equal points
    counted in one leaf, missing values. Here a point leaves every tree after ``6 * memory`` points, where a reservoir
    alone would keep one in four hundred longer; random numbers are pure functions of seed, tree and point number.

    References
    ----------
    S. Guha, N. Mishra, G. Roy, O. Schrijvers, "Robust Random Cut Forest Based Anomaly Detection On Streams", ICML 2016,
    PMLR 48:2712-2721. P. Efraimidis, P. Spirakis, "Weighted random sampling with a reservoir", 2006,
    doi:10.1016/j.ipl.2005.11.003.

    Examples
    --------
    >>> import numpy as np
    >>> from watchband import Points
    >>> values = np.sin(np.arange(1000) / 10)
    >>> values[900] = 2
    >>> detector = RandomCutForest(trees=30)
    >>> scores = detector.step(detector.start(), Points.of(np.arange(1000), values))
    >>> bool(scores.score[900] > 2 * np.nanmax(scores.score[500:900]))
    True
    """

    name: ClassVar[str] = "random_cut_forest"
    cost: ClassVar[str] = "O(trees · log samples) a point, 10 µs"

    measure: str = param(
        "depth",
        Choice(("depth", "displacement", "none")),
        "The score: expected depth turned over, expected collusive displacement, or none (learn only).",
        retunable=True,
    )
    expected: bool = param(
        False,
        Flag(),
        "Say the value that the trees expect (of several the first): about twice the time a point.",
        retunable=True,
        later=True,
    )

    @property
    def _silent(self) -> int:
        return 1 << 62 if self.measure == "none" else super()._silent

    def attribute(
        self, state: State, points: Points, *, above: float = 0.0, threads: int = 0
    ) -> tuple[Scores, Attribution]:
        """Like ``step``, and say of each point that scores ``above`` or more which values make it strange.

        The scores and the state are those of ``step``, bit for bit.

        Parameters
        ----------
        state, points, threads
            As for ``step``.
        above : float, default 0
            Scores below it are not shared out, which costs less; with 0 all are.

        Returns
        -------
        tuple of Scores and Attribution
            Shares are NaN where there is no score, or one below ``above``.

        Raises
        ------
        StateMismatchError, StateVersionError, PointsShapeError, TimeOrderError
            As for ``step``.
        """
        scores, columns = self._ask_along(state, points, 2 * self._length, above, threads)
        return scores, self._shares(columns)

    def explain(
        self, state: State, points: Points, *, above: float = 1.5, threads: int = 0
    ) -> tuple[Scores, Attribution, Explanation]:
        """Like ``attribute``, and say of each point that scores ``above`` or more what was expected in its place.

        The scores and the state are those of ``step``, bit for bit.

        Parameters
        ----------
        state, points, threads
            As for ``step``.
        above : float, default 1.5
            Scores below it are neither shared out nor explained.

        Returns
        -------
        tuple of Scores, Attribution and Explanation
            NaN (in ``points_ago`` and ``past_points_ago`` -1) where there is no score, or one below ``above``.

        Raises
        ------
        StateMismatchError, StateVersionError, PointsShapeError, TimeOrderError
            As for ``step``.
        """
        width = 2 * self._length
        scores, columns = self._ask_along(state, points, width + 2 + 3 * self.dims, above, threads)
        return scores, self._shares(columns[:width]), told_of(columns[width:])

    @property
    def _length(self) -> int:
        return self.shingle * self._held

    def _shares(self, columns: list[Float64]) -> Attribution:
        shares = np.stack(columns, axis=1).reshape(-1, 2, self.shingle, self._held)
        return Attribution(shares[:, 0], shares[:, 1], self.time_dimension)

    def _ask_along(
        self, state: State, points: Points, width: int, above: float, threads: int
    ) -> tuple[Scores, list[Float64]]:
        """A step whose kernel fills so many further columns."""
        self.check_state(state)
        self._check_points(state, points)
        scores = Scores.blank(points)
        columns = [np.full(len(points), np.nan) for _ in range(width)]
        if len(points):
            self._run(state, points, [*scores.outputs(), *columns], threads, above)
            self._count(state, points)
        return scores, columns

    def _fold(self, state: State, points: Points, scores: Scores, threads: int) -> None:
        self._run(state, points, scores.outputs(), threads, None)

    def _run(
        self, state: State, points: Points, outputs: list[Float64], threads: int, attributes: float | None
    ) -> None:
        self._check_dims(points)
        arrays, fresh = self._arrays(state)
        _kernels.random_cut_forest(
            arrays,
            (points.rows, points.offsets, points.times, points.values),
            outputs,
            self._sizes,
            self._intake,
            self.seed,
            6 / self.span,
            self._silent,
            self.frozen,
            self.measure == "displacement",
            self.expected,
            attributes,
            threads,
        )
        if fresh:
            self._check_trees(state, points.rows)
