"""Vote: detectors that each say of a point whether it is strange, and a weighted majority that decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from watchband import _kernels
from watchband._kernels import EnsembleScore
from watchband.core import artifact, fold
from watchband.core.detector import Detector, Score
from watchband.core.errors import InvalidParameterError, StateCorruptError
from watchband.core.params import Integer, Real, Span, Text, param, params_of
from watchband.core.points import Float64, Points
from watchband.core.scores import Scores
from watchband.core.state import Field, State
from watchband.detectors import DETECTORS
from watchband.detectors.fitted import rows
from watchband.pipeline.calibrate import Calibrate, Calibrated
from watchband.pipeline.ensemble import MEMBERS_MAX, Ensemble, told

KIND = "vote"
_CLOSE = 1e-12


@dataclass(frozen=True)
class Vote(Detector):
    """A weighted majority: every member casts a vote, and a point is strange where enough weight says so.

    A member votes where its score passes the limit that a ``share`` of its own last ``memory`` scores pass, so members
    need no common unit. Works where detectors of different kinds err at different points: what only one of them sees is
    not told. Does not work for what only one of them can see; there the ensembles ``auto`` and ``novelty`` are better,
    which share a budget and let any member speak.

    Score: each member's standing is its score's distance from the median of its last ones, in units of that of its
    limit. The score is the largest number that members of ``threshold`` of the weight reach: above 1 exactly where
    their votes reach the threshold. Members without an opinion do not vote; where the others have less weight than the
    threshold there is none. Expected, lower, upper and scale are NaN.

    With ``cutoff:1`` an alert is a vote that was won. With the default rule scores are calibrated as all others.

    Parameters
    ----------
    members, weights, threshold, share, memory, columns, model
        See the table of the page ``docs/detectors/vote.md``.

    Examples
    --------
    >>> vote = Vote(members="ewma rolling_median gap_novelty", weights="2 1 1")
    >>> vote.voters, vote.weights_of_members
    (('ewma', 'rolling median', 'gap novelty'), (0.5, 0.25, 0.25))
    >>> values = np.random.default_rng(1).normal(size=600)
    >>> values[500] = 9
    >>> scores = vote.step(vote.start(), Points.of(np.arange(600), values))
    >>> bool(scores.score[500] > 1), [bool(own[500] > 1) for own in scores.members]
    (True, [True, True, True])
    """

    name: ClassVar[str] = "vote"
    dims_max: ClassVar[int] = 256
    cost: ClassVar[str] = "the sum of its members"

    members: str = param(
        "isolation_forest one_class_svm local_outlier_factor",
        Text("names of detectors, separated by blanks"),
        "Who votes.",
    )
    weights: str = param(
        "", Text("numbers, separated by blanks, or empty"), "Weight of each; all alike if empty.", retunable=True
    )
    threshold: float = param(
        0.5,
        Real(0, 1, low_open=True),
        "Share of the weight that must say so.",
        retunable=True,
        search=Span(0.2, 0.9),
    )
    share: float = param(
        0.005,
        Real(0, 0.5),
        "Share of its last scores that pass a member's limit.",
        retunable=True,
        search=Span(0.001, 0.05, log=True),
    )
    memory: int = param(2000, Integer(16, 100_000), "Scores that a limit is made of.", unit="points")
    columns: str = param(
        "value", Text("names, separated by blanks"), "What the values of a point are called; as many as it has."
    )
    model: str = param(
        "", Text("the path of a model file (.wbm), or empty"), "A file of weights and threshold.", retunable=True
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        names = self.members.split()
        if not 2 <= len(names) <= MEMBERS_MAX or len(set(names)) < len(names):
            raise InvalidParameterError(
                f"The 'members' parameter of Vote must be 2 to {MEMBERS_MAX} different names of detectors, separated "
                f"by blanks. Got {self.members!r}."
            )
        _ = self._mix, self._weighing

    @cached_property
    def _mix(self) -> Ensemble:
        """The members as an ensemble: their states, side by side."""
        found = []
        for name in self.members.split():
            kind = DETECTORS.get(name)
            columns = self.columns.split()
            reads = rows.plain(kind, columns) if len(columns) > 1 and "features" in params_of(kind) else {}
            member = told(
                kind(), {"columns": self.columns, "dims": len(columns) if len(columns) > 1 else None, **reads}
            )
            found.append((name.replace("_", " "), member, 1 / len(self.members.split())))
        return Ensemble.of(*found)

    @property
    def voters(self) -> tuple[str, ...]:
        """What people call the members."""
        return self._mix.labels

    @property
    def weights_of_members(self) -> tuple[float, ...]:
        """Of each member, 1 together."""
        return self._weighing[0]

    @cached_property
    def _weighing(self) -> tuple[tuple[float, ...], float]:
        if self.model:
            return _read(self.model, self.members.split())
        count = len(self.members.split())
        try:
            given = [float(word) for word in self.weights.split()] or [1.0] * count
        except ValueError:
            given = []
        if len(given) != count or not all(0 <= w < np.inf for w in given) or not sum(given) > 0:
            raise InvalidParameterError(
                f"The 'weights' parameter of Vote must be {count} numbers of 0 and more, one for each of 'members', "
                f"not all 0. Got {self.weights!r}."
            )
        return tuple(w / sum(given) for w in given), self.threshold

    def save(self, path: str, weights: Sequence[float], threshold: float = 0.5) -> str:
        """Write a file that the parameter ``model`` reads; returns its checksum."""
        document = {"members": self.members.split(), "threshold": threshold}
        return artifact.write(path, KIND, document, {"weights": np.array(weights, np.float64)})

    @property
    def memory_points(self) -> int:
        return self._mix.memory_points + self.memory

    @property
    def memory_tolerance(self) -> float:  # type: ignore[override]
        return max(m.detector.memory_tolerance for m in self._mix.members)

    @property
    def invariances(self) -> frozenset[str]:
        return self._mix.invariances

    @property
    def further(self) -> int:
        return len(self._mix.members)

    @cached_property
    def fingerprint(self) -> str:
        return fold.fingerprint(self.name, {"members": self._mix.fingerprint, "memory": self.memory})

    def _standing(self, k: int) -> tuple[str, str, str]:
        return f"standing{k}.ring", f"standing{k}.sorted", f"standing{k}.head"

    def layout(self) -> dict[str, Field]:
        found = self._mix.layout()
        for k in range(self.further):
            ring, ordered, head = self._standing(k)
            found |= {ring: Field("f8", self.memory), ordered: Field("f8", self.memory), head: Field("i8", 2)}
        return found

    def start(self, series: int = 1) -> State:
        for member in self._mix.members:
            member.detector.start(0)
        return super().start(series)

    def _check_points(self, state: State, points: Points) -> None:
        super()._check_points(state, points)
        for _, part in self._mix._parts(state):
            detector = next(m.detector for m in self._mix.members if m.detector.name == part.detector)
            detector._check_points(part, points)

    def _fold(self, state: State, points: Points, scores: Scores, threads: int) -> None:
        for k, (member, part) in enumerate(self._mix._parts(state)):
            own = Scores.blank(points)
            member.detector._fold(part, points, own, threads)
            standing = Scores.blank(points)
            ring, ordered, head = (state.arrays[name] for name in self._standing(k))
            _kernels.standing(
                ring,
                ordered,
                head,
                (points.rows, points.offsets, points.times, np.ascontiguousarray(own.score[:, None])),
                standing.outputs(),
                self.share,
                threads,
            )
            scores.members[k][:] = standing.score
        weights, threshold = self._weighing
        scores.score[:] = reached(np.stack(scores.members, axis=1), np.array(weights), threshold)

    def leads(self, state: State, row: int, opened: int, decided: int) -> tuple[tuple[str, float], ...]:
        return self._mix.leads(state, row, opened, decided)

    def _only(self, scores: Scores) -> Score:
        score, expected, lower, upper, scale, flags = (a.item() for a in scores.outputs())
        return EnsembleScore(score, expected, lower, upper, scale, flags, [a.item() for a in scores.members])


def reached(standings: Float64, weights: Float64, threshold: float) -> Float64:
    """The largest number that members of so much weight reach: float64[n]; NaN where fewer have an opinion.

    Examples
    --------
    >>> standings = np.array([[3.0, 2.0, 0.5], [3.0, 0.4, 0.5], [np.nan, np.nan, 9.0]])
    >>> reached(standings, np.array([0.4, 0.3, 0.3]), 0.5).tolist()
    [2.0, 0.5, nan]
    """
    known = np.where(np.isnan(standings), -1.0, standings)
    order = np.argsort(-known, axis=1, kind="stable")
    ordered = np.take_along_axis(known, order, axis=1)
    found, done = np.full(len(known), np.nan), np.zeros(len(known))
    # Member by member: one order of summing, however many points there are.
    for k in range(known.shape[1]):
        before = done.copy()
        done += weights[order[:, k]]
        first = (before < threshold - _CLOSE) & (done >= threshold - _CLOSE)
        found = np.where(first, ordered[:, k], found)
    return np.where(found >= 0, found, np.nan)


def weights_by_f1(votes: NDArray[np.bool_], odd: NDArray[np.bool_]) -> tuple[float, ...]:
    """Weights from labelled points: each member's F1, 1 together; all alike where nobody found anything.

    Parameters
    ----------
    votes : bool[n, k]
        Whether each member called each point strange.
    odd : bool[n]
        Whether it was.

    Examples
    --------
    >>> votes = np.array([[True, True], [False, True], [False, True], [False, False]])
    >>> weights_by_f1(votes, np.array([True, False, False, False]))
    (0.6666666666666666, 0.3333333333333333)
    """
    hits = (votes & odd[:, None]).sum(axis=0)
    f1 = 2 * hits / np.maximum(votes.sum(axis=0) + odd.sum(), 1)
    if not f1.any():
        f1 = np.ones(votes.shape[1])
    return tuple((f1 / f1.sum()).tolist())


def _read(path: str, members: list[str]) -> tuple[tuple[float, ...], float]:
    found = artifact.read(path, KIND)
    weights, threshold = found.arrays.get("weights"), found.document.get("threshold")
    fits = weights is not None and weights.shape == (len(members),) and weights.dtype == np.float64
    if weights is None or not fits or found.document.get("members") != members or not isinstance(threshold, float):
        raise StateCorruptError(f"{path} holds no weights of the members {', '.join(members)}. {artifact.ADVICE}")
    if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.sum() > 0 and 0 < threshold <= 1):
        raise StateCorruptError(f"{path} holds weights or a threshold that make no vote. {artifact.ADVICE}")
    return tuple((weights / weights.sum()).tolist()), threshold


def labels_of(detector: Detector, calibrate: Calibrate) -> tuple[str, ...]:
    """What the members of a detector are called, as far as they count; empty for a single one."""
    if isinstance(detector, Ensemble):
        return detector.labels if len(calibrate.members) > 1 else ()
    return detector.voters if isinstance(detector, Vote) else ()


def shares_of(detector: Detector, calibrate: Calibrate) -> tuple[float, ...]:
    """Of each member, its share of the false alarms or of the votes."""
    return detector.weights_of_members if isinstance(detector, Vote) else calibrate.members


def heard(detector: Detector, scores: Scores, found: Calibrated) -> Calibrated:
    """With what each voter said; as it is for all others."""
    return replace(found, members=scores.members) if isinstance(detector, Vote) else found


def says_of(detector: Detector) -> tuple[Any, ...]:
    """What each member means when it speaks."""
    return detector.says if isinstance(detector, Ensemble) else ()
