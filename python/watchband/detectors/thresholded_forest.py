"""Thresholded forest: a random cut forest that says which points are anomalies, and what is to be said of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from watchband import _kernels
from watchband.core.params import Real, Span, param
from watchband.core.points import Float64, Points
from watchband.core.scores import Scores
from watchband.core.state import Field, State
from watchband.detectors.forest.attribution import Attribution
from watchband.detectors.forest.base import Forest
from watchband.detectors.forest.explanation import told_of

_NUMBERS = 3
"""Score, threshold and confidence, which the kernel tells beside the grade."""


@dataclass(frozen=True)
class ThresholdedForest(Forest):
    """A random cut forest with a threshold of its own: grades from 0 to 1 in the place of scores.

    Works where no calibration follows and each point is to be judged at once, as a stand-alone detector of the
    kind that AWS's ThresholdedRandomCutForest is. Where Watchband calibrates scores itself, ``RandomCutForest`` is
    the better choice: its scores are graded, these are 0 for nearly every point.

    Score: the grade, 0 for a usual point, above 0 to 1 for an anomaly; NaN until ``warm_up`` points are learned.
    Expected is what the trees expect in the place of an anomaly that began with this very point. Lower, upper and
    scale are NaN.

    Parameters
    ----------
    factor, score_min, ignore_above, ignore_below, ignore_above_ratio, ignore_below_ratio, and those of RandomCutForest
        See the table of the page ``docs/detectors/thresholded_forest.md``.

    Notes
    -----
    The threshold is the moving mean of the scores plus ``factor`` of their moving deviations, at least ``score_min``.
    A score beyond it is learned as if it lay on it. A point is no anomaly where the strangeness began no later than
    that of the last anomaly did (it is the same one), or where the values are as near to the expected ones as
    ``ignore_…`` allows.

    References
    ----------
    S. Guha, N. Mishra, G. Roy, O. Schrijvers, "Robust Random Cut Forest Based Anomaly Detection On Streams", ICML 2016,
    PMLR 48:2712-2721; the thresholded mode of AWS's implementation by meaning.

    Examples
    --------
    >>> import numpy as np
    >>> from watchband import Points
    >>> values = np.sin(np.arange(1000) / 10) + np.random.default_rng(1).normal(0, 0.05, 1000)
    >>> values[900] += 2
    >>> detector = ThresholdedForest()
    >>> _, found = detector.detect(detector.start(), Points.of(np.arange(1000), values), names=["load"])
    >>> [(told["time"], told["grade"], told["attribution"]["load"]["DIRECTION"]) for told in found]
    [(900, 1.0, 'HIGH')]
    """

    name: ClassVar[str] = "thresholded_forest"
    cost: ClassVar[str] = "O(trees · log samples) a point, 10 µs"
    # A grade is 0 or up to 1: one forest may call an anomaly what another one, of other cuts, does not.
    memory_tolerance: ClassVar[float] = 1.0

    factor: float = param(
        4.0,
        Real(1.0, 100.0),
        "Deviations of the score over its mean from which it is an anomaly.",
        search=Span(2.0, 8.0),
    )
    score_min: float = param(0.8, Real(0.0, 100.0), "No lower score is an anomaly.")
    ignore_above: float = param(0.0, Real(0.0), "A value may be over the expected one by so much.")
    ignore_below: float = param(0.0, Real(0.0), "A value may be under the expected one by so much.")
    ignore_above_ratio: float = param(0.0, Real(0.0), "The same, as a share of the expected value.")
    ignore_below_ratio: float = param(0.0, Real(0.0), "The same, as a share of the expected value.")

    @property
    def invariances(self) -> frozenset[str]:
        """An absolute margin is in units of the metric, a relative one holds for one zero point."""
        broken = set()
        if self.ignore_above or self.ignore_below:
            broken.add("scale")
        if self.ignore_above_ratio or self.ignore_below_ratio:
            broken.add("shift")
        return super().invariances - broken

    def layout(self) -> dict[str, Field]:
        return {**super().layout(), "grading": Field("f8", _kernels.random_cut_grade_width())}

    def detect(
        self, state: State, points: Points, *, names: Sequence[str] | None = None, threads: int = 0
    ) -> tuple[Scores, list[dict[str, Any]]]:
        """Like ``step``, and say of each anomaly what is to be said.

        Parameters
        ----------
        state, points, threads
            As for ``step``; scores and state are the same, bit for bit.
        names : sequence of str, optional
            Of the values of a point, for the attribution.

        Returns
        -------
        tuple of Scores and list of dict
            Of each anomaly, in the order of the batch: ``row`` of the state, ``time``, ``grade`` (above 0, to 1),
            ``confidence`` (0 to 1: how full the samples are, times the share of points that had every value),
            ``score``, ``threshold``, ``points_ago`` (of the point that began it), then by value of that point
            ``actual``, ``expected`` (None for values that had little share) and ``past`` (what came
            ``past_points_ago`` in the most similar shingle), and ``attribution`` (by name DIRECTION, STRENGTH,
            ATTRIBUTION_SCORE).

        Raises
        ------
        StateMismatchError, StateVersionError, PointsShapeError, TimeOrderError
            As for ``step``.
        """
        self.check_state(state)
        self._check_points(state, points)
        scores = Scores.blank(points)
        width = 2 * self.shingle * self._held
        columns = [np.full(len(points), np.nan) for _ in range(_NUMBERS + width + 2 + 3 * self.dims)]
        if len(points):
            self._run(state, points, [*scores.outputs(), *columns], threads)
            self._count(state, points)
        shares = np.stack(columns[_NUMBERS : _NUMBERS + width], axis=1).reshape(-1, 2, self.shingle, self._held)
        attribution = Attribution(shares[:, 0], shares[:, 1], self.time_dimension)
        told = told_of(columns[_NUMBERS + width :])
        rows = np.repeat(points.rows, np.diff(points.offsets))
        found = []
        for i in np.flatnonzero(scores.score > 0).tolist():
            found.append(
                {
                    "row": int(rows[i]),
                    "time": int(points.times[i]),
                    "grade": float(scores.score[i]),
                    "confidence": float(columns[2][i]),
                    "score": float(columns[0][i]),
                    "threshold": float(columns[1][i]),
                    "points_ago": int(told.points_ago[i]),
                    "actual": told.actual[i].tolist(),
                    "expected": _or_none(told.expected[i]),
                    "past_points_ago": int(told.past_points_ago[i]),
                    "past": _or_none(told.past[i]),
                    "attribution": attribution.payload(i, names),
                }
            )
        return scores, found

    def _fold(self, state: State, points: Points, scores: Scores, threads: int) -> None:
        self._run(state, points, scores.outputs(), threads)

    def _run(self, state: State, points: Points, outputs: list[Float64], threads: int) -> None:
        self._check_dims(points)
        (i64, f32, u16, f64), fresh = self._arrays(state)
        _kernels.random_cut_grade(
            (i64, f32, u16, [*f64, state.arrays["grading"]]),
            (points.rows, points.offsets, points.times, points.values),
            outputs,
            self._sizes,
            self._intake,
            self.seed,
            6 / self.span,
            (self._silent, self.frozen),
            (self.factor, self.score_min, 6 / self.span),
            [(self.ignore_above, self.ignore_above_ratio), (self.ignore_below, self.ignore_below_ratio)],
            threads,
        )
        if fresh:
            self._check_trees(state, points.rows)


def _or_none(values: Float64) -> list[float | None]:
    return [None if np.isnan(value) else value for value in values.tolist()]
