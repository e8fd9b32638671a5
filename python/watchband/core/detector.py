"""A detector is a fold over points: ``scores = detector.step(state, points)`` moves ``state`` on in place.

The ten laws, each one check in ``watchband.testing.contracts.detector``:

1. **split**: a stream cut anywhere (in time, between series, in any order of series, beside any neighbours, on any
   number of threads) gives the same bits, in scores and in state.
2. **snapshot**: through bytes and back a state continues identically.
3. **causal**: score *i* depends on points 0…*i* only.
4. **empty**: an empty batch gives no scores and changes nothing.
5. **seeded**: same seed and points, same bits.
6. **forgets**: ``memory_points`` after one NaN, gap or spike the scores differ from those of the clean stream by at
   most ``memory_tolerance``.
7. **honest**: NaN is "no opinion yet" or "no value", never 0; scores are >= 0 and higher is stranger.
8. **bounded**: the state never outgrows ``state_bytes_max`` a series.
9. **untouched**: inputs are not modified and a copied state is not aliased.
10. **invariances** that a detector declares in ``tags`` (shift, scale, time_shift) hold.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal

from watchband._kernels import Score as Score
from watchband._kernels import Stepper, Steppers
from watchband.core import params
from watchband.core.errors import PointsShapeError
from watchband.core.fold import Fold, check_follows, count, fingerprint
from watchband.core.points import Points
from watchband.core.scores import Scores
from watchband.core.state import State

Maturity = Literal["verified", "beta", "experimental"]


@dataclass(frozen=True)
class Detector(Fold):
    """Base of every detector: a frozen dataclass of parameters with a layout of state arrays and a fold.

    A subclass declares its parameters with ``core.params.param``, names its arrays in ``layout`` and fills the
    scores of a batch in ``_fold``; validation, headers, fingerprints and serialisation are here.
    """

    maturity: ClassVar[Maturity] = "beta"
    tags: ClassVar[frozenset[str]] = frozenset()
    dims_max: ClassVar[int] = 1
    memory_tolerance: ClassVar[float] = 0.0
    """Largest difference of scores, relative to ``1 + score``, that law 6 allows; 0 means equal bits."""
    cost: ClassVar[str] = ""
    """One line for ``watchband detectors``: time a point, as O() and as measured."""

    tier: ClassVar[str] = "full"
    """How a budget on its scores is kept: see ``Calibrate``."""
    one_kernel: ClassVar[bool] = False
    """``_fold`` is one call of a compiled kernel with ``scores.outputs()``; ``step_one`` then keeps that call ready."""

    answers_all: ClassVar[bool] = False
    """``_fold`` writes every cell of the scores but the flags, which spares a large batch to be filled beforehand."""

    def __post_init__(self) -> None:
        params.check(self)

    @property
    @abstractmethod
    def memory_points(self) -> int:
        """Points after which one NaN, gap or spike is forgotten (law 6)."""

    @abstractmethod
    def _fold(self, state: State, points: Points, scores: Scores, threads: int) -> None:
        """Fill ``scores`` and move ``state`` on, point by point in time order."""

    @property
    def invariances(self) -> frozenset[str]:
        """The ``tags`` that hold for these parameters (law 10): one in units of the metric can break a scale."""
        return self.tags

    def leads(self, state: State, row: int, opened: int, decided: int) -> tuple[tuple[str, float], ...]:
        """What made a series strange between two times (ns UTC): names of features and their shares, the largest first.

        Of a detector that looks at more than the value, and keeps it in its state; empty for every other.
        """
        return ()

    @property
    def further(self) -> int:
        """Scores a point besides its own: those of an ensemble's further members."""
        return 0

    @cached_property
    def fingerprint(self) -> str:
        """Of the name and of all parameters that shape a state."""
        return fingerprint(self.name, params.shaping(self))

    def step(self, state: State, points: Points, *, threads: int = 0) -> Scores:
        """Score a batch, then learn from it; ``state`` is moved on in place.

        Parameters
        ----------
        state : State
            From ``start``, ``load`` or an earlier step of a detector with the same parameters.
        points : Points
            Later in time than everything this state has folded, series by series.
        threads : int, default 0
            Threads over series; 0 chooses by the size of the batch. Never changes a bit of the result.

        Returns
        -------
        Scores
            One answer per point, in the order of the batch.

        Raises
        ------
        StateMismatchError, StateVersionError
            The state belongs to another detector, other parameters or another release.
        StateCorruptError
            Its arrays are not those of the layout, or hold what no fold ever wrote; in that case the state stands
            half way and is to be thrown away.
        PointsShapeError, TimeOrderError
            The batch does not fit; the state has not been touched.
        """
        self.check_state(state)
        self._check_points(state, points)
        scores = Scores.unwritten(points) if self.answers_all else Scores.blank(points, self.further)
        if len(points):
            self._fold(state, points, scores, threads)
            self._count(state, points)
        return scores

    _count = staticmethod(count)

    def step_one(self, state: State, time: int, value: float) -> Score:
        """One point of a fleet of one; the same bits as ``step`` with a batch of one, and the same errors.

        From the third call in a row on, a compiled kernel holds the state between calls, and a call costs some
        0.3 µs. ``state.arrays`` and its other arrays, whenever they are asked for, are what they always are; an array
        that was taken out of them before stands still meanwhile.
        """
        if state.one_for is self:
            score = state.one(time, value)
            if score is not None:
                return score
        return self._step_one(state, time, value)

    def _step_one(self, state: State, time: int, value: float) -> Score:
        # What ``step`` does, without what only a batch of many can get wrong.
        self.check_state(state)
        points = Points.one(time, value)
        if not state.series or time <= state.last_time[0]:
            self._check_points(state, points)
        scores = Scores.blank(points, self.further)
        self._fold(state, points, scores, 1)
        state.points_seen[0] += 1
        state.last_time[0] = time
        if self.one_kernel and state.asked_again():
            stepper = self._stepper(state, time)
            if stepper.ready():
                state.lend(self, stepper)
        return self._only(scores)

    def _stepper(self, state: State, time: int) -> Stepper | Steppers:
        """What keeps a copy of the state, whose last point was at ``time``, and the kernel ready."""
        stepper = Stepper(time)
        self._fold(state, Points.empty(), Scores.into(stepper), 1)
        return stepper

    def _only(self, scores: Scores) -> Score:
        """The scores of a batch of one point."""
        return Score(*(a.item() for a in scores.outputs()))

    def _check_points(self, state: State, points: Points) -> None:
        if not 1 <= points.dims <= self.dims_max:
            raise PointsShapeError(
                f"{type(self).__name__} reads up to {self.dims_max} value(s) a point. Got {points.dims}."
            )
        check_follows(state, points)
