"""Calibrate: from a detector's score to one contract, ``anomaly_score > 1`` is anomalous, for every detector."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from watchband import _kernels
from watchband.core import params
from watchband.core.errors import InvalidParameterError, PointsShapeError
from watchband.core.fold import Fold, fingerprint
from watchband.core.params import Choice, Real, param
from watchband.core.points import Float64, Int64, Points
from watchband.core.scores import Scores
from watchband.core.state import Field, State
from watchband.pipeline.rules import DEFAULT_RULE, Budget, Contamination, Cutoff, Rule, Sigma

BINS, FIT, LIFE, VOTER, TOGETHER = _kernels.calibrate_widths()
CELLS_LIGHT, LIFE_LIGHT = _kernels.calibrate_light_widths()
_OUTAGE = -1.0
INTERVAL_UNKNOWN = 60_000_000_000
"""The interval a budget is read with while a series' own is not known."""


@dataclass(frozen=True, slots=True, eq=False)
class Calibrated:
    """One answer per point of the batch, in its order; every array float64[n].

    Parameters
    ----------
    p_value : float64[n]
        Probability of a point at least this strange, as a rate of incidents; NaN while nothing can be said.
    anomaly_score : float64[n]
        Above 1 is anomalous. For a budget log(p) / log(p_limit), otherwise score / cut-off. NaN while nothing
        can be said and where there is no score.
    limit_above, limit_below : float64[n]
        In units of score: the point is anomalous where ``value > expected + limit_above * scale`` or
        ``value < expected - limit_below * scale``. NaN where the score has no scale or nothing is known yet,
        infinite on the side that ``direction`` leaves out. Known also where the point has no value.
    confidence : float64[n]
        0 to 1: how much history the verdict rests on; 1 from a thousand points on.
    members : tuple of float64[n]
        Of an ensemble, each member's own anomaly_score after its share of the false alarms, the band's first: the
        largest of them is ``anomaly_score``. NaN where a member says nothing. Empty for a single detector.
    grade : float64[n], optional
        Of an ensemble: what all members found together at this point and in those before, 0 to 1. It opens no alert;
        ``Decide`` ranks by it the points that are not anomalous. None for a single detector.
    """

    p_value: Float64
    anomaly_score: Float64
    limit_above: Float64
    limit_below: Float64
    confidence: Float64
    members: tuple[Float64, ...] = ()
    grade: Float64 | None = None

    @classmethod
    def blank(cls, n: int, members: int) -> Calibrated:
        """Columns of ``n`` points of which nothing is known."""
        columns = [np.full(n, np.nan) for _ in range(5 + members)]
        return cls._of(columns, np.full(n, np.nan) if members else None)

    @classmethod
    def unwritten(cls, n: int) -> Calibrated:
        """Columns of ``n`` points that hold anything: for a kernel that answers every point of them."""
        return cls._of([np.empty(n) for _ in range(5)])

    @classmethod
    def _of(cls, columns: list[Float64], grade: Float64 | None = None) -> Calibrated:
        p_value, score, above, below, confidence, *own = columns
        return cls(p_value, score, above, below, confidence, tuple(own), grade)

    def columns(self) -> list[Float64]:
        """Every array: the five, then the members' and the grade."""
        five = [self.p_value, self.anomaly_score, self.limit_above, self.limit_below, self.confidence]
        return [*five, *self.members] if self.grade is None else [*five, *self.members, self.grade]

    @property
    def spoke(self) -> Float64:
        """Sum of ``1 << k`` for every member ``k`` whose own anomaly_score is above 1: float64[n].

        Without members it is 1 everywhere: whatever is strange, the only detector says so.
        """
        if not self.members:
            return np.ones(len(self.anomaly_score))
        return np.asarray(sum(float(1 << k) * (own > 1) for k, own in enumerate(self.members)), np.float64)


@dataclass(frozen=True)
class Calibrate(Fold):
    """Fold from scores to p-values and anomaly scores: scores first, then learns.

    With a scale the signed distance z = (value - expected) / scale gives two one-sided rows, each with half of the
    false alarms, so that the band is as asymmetric as the metric; without one the score is the only row.

    Level 1, per row: a histogram of past scores in fixed logarithmic buckets (3.5 %) that forgets with
    ``half_life``; its top 5 % are fitted by a generalised Pareto tail averaged over 20 shapes, with the predictive
    correction for few points; what was often seen is not news. The most surprising row counts. Level 2: incidents
    that pass 1 % are counted, and their rate and size recalibrate the tail, so that a budget counts alerts. The
    opening point of an incident is learned in full, the next hundred with a tenth of the weight.

    Counts: after a hundred whole values in a row the band ends on whole numbers, and where fewer than four are expected
    a value as far out as every fiftieth is no news, whatever its score: a plain 0 among rare events.

    Small samples: below 20 scores nothing is said. Up to 250 scores a prior tail holds, a normal law of 2.5 times
    the scale, widened by the second highest score seen, so that noise stays silent, a jump of 12 scales is found, and
    bursts that come again are no news; in a series that hardly moved only the length of its history counts, so that
    its first steps are none. From then on the prior widens with the points seen and keeps the band of a
    young fit within reason, until only the fit counts. Scores without a scale stay silent until the tail exists.
    ``confidence`` says how far this has come.

    A budget promises a rate for the noise a series has; many short incidents fill the tail and raise the limit.

    State: 5,120 bytes of buckets, 592 of fits and 328 of the rest: 6,040 bytes a series (half of the first two for
    one direction). Cost: O(1) a point, 0.9 µs on one core of 2 vCPU AMD EPYC, Debian 12.

    Examples
    --------
    >>> import numpy as np
    >>> from watchband import Points
    >>> from watchband.detectors import RollingZscore
    >>> rng = np.random.default_rng(1)
    >>> points = Points.of(np.arange(2000) * 60_000_000_000, np.r_[rng.normal(size=1999), 9.0])
    >>> detector, calibrate = RollingZscore(), Calibrate(Budget(1))
    >>> scores = detector.step(detector.start(), points)
    >>> found = calibrate.step(calibrate.start(1), points, scores, interval_ns=np.array([60_000_000_000]))
    >>> bool(found.anomaly_score[-1] > 1), int((found.anomaly_score[:-1] > 1).sum())
    (True, 0)

    References
    ----------
    Siffer et al., "Anomaly Detection in Streams with Extreme Value Theory", KDD 2017, for tails of scores; Zhang and
    Stephens, "A New and Efficient Estimation Method for the Generalized Pareto Distribution", Technometrics 51
    (2009), doi:10.1198/tech.2009.08017, for averaging over the shape.
    """

    name: ClassVar[str] = "calibrate"
    state_version: ClassVar[int] = 3

    rule: Rule = DEFAULT_RULE
    direction: str = param("both", Choice(("both", "above", "below")), "Side on which values are anomalous.")
    half_life: float = param(5000.0, Real(100, 1e6), "Points after which a score counts half.", unit="points")
    tier: str = param("full", Choice(("full", "light")), "'light': a budget for very many series, in 584 bytes each.")
    weights: tuple[float, ...] = (1.0,)
    """Shares of the false alarms of an ensemble's members, the band's first; together 1."""
    strengths: tuple[float, ...] = ()
    """Of each member: nats of evidence for each e-fold of its score, between -4 and 0.5 in all; none where empty."""
    sparse: tuple[bool, ...] = ()
    """Of each member: whether it is heard also where few counts are expected; all are where empty."""

    def __post_init__(self) -> None:
        params.check(self)
        if self.tier == "light" and not (isinstance(self.rule, Budget) and len(self.weights) == 1):
            raise InvalidParameterError(
                "Calibrate(tier='light') knows a budget and single detectors. Got "
                f"{type(self.rule).__name__.lower()} and {len(self.weights)} member(s): use tier='full'."
            )

    @cached_property
    def members(self) -> tuple[float, ...]:
        """Shares of those members that count: under a rule in units of the score only the band's has such a unit."""
        return self.weights if isinstance(self.rule, Budget) else (1.0,)

    @property
    def rows(self) -> int:
        """Tails a series has."""
        sides = 2 if isinstance(self.rule, Budget) and self.direction == "both" else 1
        return sides + len(self.members) - 1

    def layout(self) -> dict[str, Field]:
        """The arrays of one series."""
        if self.tier == "light":
            return {"cells": Field("f4", CELLS_LIGHT), "life": Field("f8", LIFE_LIGHT)}
        return {
            "bins": Field("f4", self.rows * BINS),
            "fits": Field("f8", self.rows * FIT),
            "life": Field("f8", LIFE + self._of_members),
        }

    @property
    def _of_members(self) -> int:
        """Numbers of a series' life that are of the ensemble."""
        further = len(self.members) - 1
        return VOTER * further + (TOGETHER if further else 0)

    @cached_property
    def fingerprint(self) -> str:
        """Of what shapes the state: a budget's size or a cut-off may change on a running state."""
        train = (self.rule.k, self.rule.train, self.rule.robust) if isinstance(self.rule, Sigma) else ()
        values: dict[str, Any] = {"rule": type(self.rule).__name__, "train": list(train)}
        if len(self.members) > 1:
            values["members"] = len(self.members)
        if self.tier != "full":
            values["tier"] = self.tier
        return fingerprint(self.name, {**values, "direction": self.direction, "half_life": self.half_life})

    def upgrade(self, state: State) -> State:
        """Version 1 knew nothing of counts, version 2 no grade of an ensemble and, in the light tier, still no counts.

        Their places are empty at first.
        """
        if state.version not in (1, 2):
            return super().upgrade(state)
        life = state.arrays["life"]
        if self.tier == "light":
            parts = [life, np.zeros((len(life), LIFE_LIGHT - life.shape[1]))]
        else:
            known = life.shape[1] - VOTER * (len(self.members) - 1)
            parts = [life[:, :known], np.zeros((len(life), LIFE - known)), life[:, known:]]
            parts.append(np.zeros((len(life), self.layout()["life"].width - LIFE - parts[2].shape[1])))
        arrays = {**state.arrays, "life": np.concatenate(parts, axis=1)}
        return replace(state, version=self.state_version, arrays=arrays)

    def step(
        self,
        state: State,
        points: Points,
        scores: Scores,
        *,
        interval_ns: Int64,
        learn: NDArray[np.bool_] | None = None,
        held: NDArray[np.bool_] | None = None,
        threads: int = 0,
    ) -> Calibrated:
        """Calibrate a batch, then learn from it; ``state`` is moved on in place.

        Parameters
        ----------
        state : State
            From ``start``, ``load`` or an earlier step.
        points, scores : Points, Scores
            A batch and what the detector said of it. A point with a value but without a score is judged by
            ``expected`` and ``scale``.
        interval_ns : int64[s]
            Interval of each slice of the batch; 0 or less: not known, a minute.
        learn : bool[n], optional
            False: the point is judged and leaves no trace.
        held : bool[n], optional
            True: the detector holds the point back as part of an outage. Under a budget it leaves no trace, and what
            the opening of this outage taught is undone, so that the next outage is news again; for at most three
            outages in a half-life, or a bursty series would never become usual.
        threads : int, default 0
            Threads over series; never changes a bit of the result.

        Raises
        ------
        StateMismatchError
            The state belongs to another rule or direction.
        PointsShapeError
            Lengths, or the number of members, do not fit together; the state has not been touched.
        """
        self.check_state(state)
        n = len(points)
        light = self.tier == "light"
        # The light kernel learns every point unless it is told otherwise, and writes every cell.
        learns = None if light and learn is None and held is None else _learns(n, learn, held)
        further = self._further(scores)
        known = n if learns is None else len(learns)
        if len(scores) != n or known != n or len(interval_ns) != points.series:
            raise PointsShapeError(
                f"Calibrate wants scores and learn for {n} points and intervals for {points.series} slices. Got "
                f"{len(scores)}, {known} and {len(interval_ns)}."
            )
        members = len(self.members) if len(self.members) > 1 else 0
        found = Calibrated.unwritten(n) if light else Calibrated.blank(n, members)
        if n:
            columns = [scores.score, scores.expected, scores.scale, *([learns] if learns is not None else []), *further]
            self._run(state.arrays, points, columns, found.columns(), self._p_limits(interval_ns), threads)
            some, rows = points.folded()
            ends = points.offsets[1:][some]
            state.points_seen[rows] += ends - points.offsets[:-1][some]
            state.last_time[rows] = points.times[ends - 1]
        return found

    def _run(
        self,
        arrays: dict[str, NDArray[Any]],
        points: Points,
        columns: list[Float64],
        outputs: list[Float64],
        p_limits: Float64,
        threads: int,
    ) -> None:
        batch = (points.rows, points.offsets, points.times, points.values)
        if self.tier == "light":
            _kernels.calibrate_light(
                arrays["cells"],
                arrays["life"],
                batch,
                columns,
                outputs,
                p_limits,
                self.direction,
                self.half_life,
                threads,
            )
            return
        _kernels.calibrate(
            arrays["bins"],
            arrays["fits"],
            arrays["life"],
            batch,
            columns,
            outputs,
            p_limits,
            self._kernel_rule(),
            self.direction,
            self.half_life,
            list(self.members),
            list(self.strengths),
            list(self.sparse),
            threads,
        )

    def _further(self, scores: Scores) -> tuple[Float64, ...]:
        """The scores of the further members, as far as they count."""
        further = scores.members if len(self.members) > 1 else ()
        if len(further) != len(self.members) - 1:
            raise PointsShapeError(
                f"This Calibrate combines {len(self.members)} members. Got scores of {1 + len(further)}: give it the "
                "weights of the detector's members."
            )
        return further

    def _p_limits(self, interval_ns: Int64) -> Float64:
        rule = self.rule if isinstance(self.rule, Budget) else Budget()
        if len(interval_ns) and (interval_ns == interval_ns[0]).all():
            interval = int(interval_ns[0])
            return np.full(len(interval_ns), rule.p_limit(interval if interval > 0 else INTERVAL_UNKNOWN))
        # Thousands of series share a few intervals.
        found, where = np.unique(interval_ns, return_inverse=True)
        limits = [rule.p_limit(interval if interval > 0 else INTERVAL_UNKNOWN) for interval in found.tolist()]
        return np.array(limits, np.float64)[where]

    def _kernel_rule(self) -> tuple[str, float, int, bool]:
        match self.rule:
            case Budget():
                return "budget", 0.0, 0, False
            case Cutoff(x):
                return "cutoff", x, 0, False
            case Sigma(k, train, robust):
                return "sigma", k, train, robust
            case Contamination(f):
                return "contamination", f, 0, False


def _learns(n: int, learn: NDArray[np.bool_] | None, held: NDArray[np.bool_] | None) -> Float64:
    """For each point 1, 0 for no trace, or what says that it is part of an outage."""
    learns = np.ones(n) if learn is None else np.asarray(learn, np.float64)
    return learns if held is None else np.where(held & (learns != 0), _OUTAGE, learns)
