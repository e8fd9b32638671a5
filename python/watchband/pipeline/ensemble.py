"""Ensemble: several detectors as one. The first draws the band, the others add their scores."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from watchband._kernels import EnsembleScore, Stepper, Steppers
from watchband.core import fold, params
from watchband.core.detector import Detector
from watchband.core.errors import InvalidParameterError
from watchband.core.params import param
from watchband.core.points import Points
from watchband.core.scores import HELD, Scores
from watchband.core.state import Field, State

MEMBERS_MAX = 16
READS = ("value", "residual")
_FAR = 1e9


@dataclass(frozen=True, slots=True)
class Member:
    """One detector of an ensemble.

    Parameters
    ----------
    label : str
        What people call it: "seen by auto: band and forest".
    detector : Detector
        Reads one value a point.
    weight : float
        Its share of the false alarms, > 0; those of all members are 1 together.
    reads : {"value", "residual"}
        Its input: the metric's value, or the distance from what the band's member expected, in that one's scale
        (NaN where there is no scale).
    holds : bool, default False
        Where the band's member holds back learning it gets NaN: it learns nothing of an outage, and has no score.
    strength : float, default 0
        For scores that mean the same in every series: nats of evidence for each e-fold of the score, from -4 to 0.5
        in all. A novelty a hundred times as large as another is the stranger one, also where both have never been
        seen. The second level of ``Calibrate`` counts what comes of it, so the budget holds. Not for the band's member.
    sparse : bool, default True
        False for a detector that cannot judge rare events: of a metric that counts it is not heard where fewer than
        four are expected.
    says : str
        What it means when this one speaks and the value lies within the band: a clause of the alert's sentence.
    """

    label: str
    detector: Detector
    weight: float
    reads: str = "value"
    holds: bool = False
    strength: float = 0.0
    sparse: bool = True
    says: str = "its course does not fit what it usually does"

    def __str__(self) -> str:
        return self.label


@dataclass(frozen=True)
class _Members:
    """What the members of an ensemble may be."""

    def allows(self, value: object) -> bool:
        if not isinstance(value, tuple) or not all(isinstance(m, Member) for m in value):
            return False
        return not _flaw(value)

    def __str__(self) -> str:
        return f"a tuple of 2 to {MEMBERS_MAX} members, the band's first"

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "minItems": 2, "maxItems": MEMBERS_MAX}

    def read(self, text: str) -> object:
        raise ValueError(text)


def _flaw(members: tuple[Member, ...]) -> str:
    """What is wrong with them, or nothing."""
    labels = [m.label for m in members]
    if not 2 <= len(members) <= MEMBERS_MAX:
        return f"it has 2 to {MEMBERS_MAX} members, got {len(members)}"
    if len(set(labels)) < len(labels) or not all(label and "." not in label for label in labels):
        return f"every member has a label of its own, without a dot, got {labels}"
    if any(not m.weight > 0 for m in members) or abs(sum(m.weight for m in members) - 1) > 1e-9:
        return f"weights are > 0 and 1 together, got {[m.weight for m in members]}"
    if members[0].reads != "value" or members[0].holds or any(m.reads not in READS for m in members):
        return f"the band's member reads values and never holds; the others read one of {READS}"
    wide = [m.label for m in members if isinstance(m.detector, Ensemble) or getattr(m.detector, "dims", 1) != 1]
    return f"members are single detectors that read one value a point, got {wide}" if wide else ""


class Ensemble(Detector):
    """Base of ensembles: what the members say, side by side; ``Calibrate`` combines it.

    Score, expected, lower, upper, scale and flags are those of the first member, the band's; ``Scores.members`` has
    the scores of the others. A subclass says which ``members`` there are. State: theirs, side by side.
    """

    maturity: ClassVar[Any] = "beta"

    @property
    @abstractmethod
    def members(self) -> tuple[Member, ...]:
        """The band's member first."""

    @staticmethod
    def of(*members: tuple[Any, ...] | Member) -> Mix:
        """An ensemble of ``(label, detector, weight)`` or ``(label, detector, weight, {option: value})``.

        Examples
        --------
        >>> from watchband.detectors import GapNovelty, LevelShift, SeasonalBand
        >>> mix = Ensemble.of(
        ...     ("band", SeasonalBand(), 0.6),
        ...     ("novelty", GapNovelty(), 0.2),
        ...     ("shift", LevelShift(), 0.2, {"reads": "residual", "holds": True}),
        ... )
        >>> [m.label for m in mix.members], mix.weights
        (['band', 'novelty', 'shift'], (0.6, 0.2, 0.2))
        """
        made = [m if isinstance(m, Member) else Member(*m[:3], **(m[3] if len(m) > 3 else {})) for m in members]
        if flaw := _flaw(tuple(made)):
            raise InvalidParameterError(f"These members make no ensemble: {flaw}.")
        return Mix(tuple(made))

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """What people call the members, in their order."""
        return tuple(m.label for m in self.members)

    @cached_property
    def weights(self) -> tuple[float, ...]:
        """The members' shares of the false alarms, in their order."""
        return tuple(float(m.weight) for m in self.members)

    @cached_property
    def says(self) -> tuple[str, ...]:
        """What each member means when it speaks, in their order."""
        return tuple(m.says for m in self.members)

    @cached_property
    def strengths(self) -> tuple[float, ...]:
        """The members' strengths, in their order."""
        return tuple(float(m.strength) for m in self.members)

    @property
    def further(self) -> int:
        return len(self.members) - 1

    @property
    def one_kernel(self) -> bool:  # type: ignore[override]
        return all(m.detector.one_kernel for m in self.members)

    @property
    def combination(self) -> dict[str, Any]:
        """What ``Calibrate`` is to know of the members, as its parameters."""
        sparse = tuple(m.sparse for m in self.members)
        return {"weights": self.weights, "strengths": self.strengths, "sparse": sparse}

    @property
    def band(self) -> Detector:
        """The member that draws the band."""
        return self.members[0].detector

    @property
    def memory_points(self) -> int:
        before = {"value": 0, "residual": self.band.memory_points}
        return max(before[m.reads] + m.detector.memory_points for m in self.members)

    @property
    def memory_tolerance(self) -> float:  # type: ignore[override]
        return self.band.memory_tolerance

    @property
    def invariances(self) -> frozenset[str]:
        return frozenset.intersection(*(m.detector.invariances for m in self.members))

    @cached_property
    def fingerprint(self) -> str:
        """Of the members: label, detector, what it reads. Weights may change on a running state."""
        told = [[m.label, m.detector.name, m.detector.fingerprint, m.reads, m.holds] for m in self.members]
        return fold.fingerprint(self.name, {"members": told})

    def start(self, series: int = 1) -> State:
        state = super().start(series)
        # Which release of each member's arrays these are: a member that changes its own is upgraded on its own.
        state.libraries = {m.label: str(m.detector.state_version) for m in self.members}
        return state

    def load(self, data: bytes) -> State:
        state = State.from_bytes(data)
        if state.detector == self.name and state.fingerprint == self.fingerprint:
            for member in self.members:
                self._upgrade_member(state, member)
            state.libraries = {m.label: str(m.detector.state_version) for m in self.members}
        self.check_state(state)
        return state

    @staticmethod
    def _upgrade_member(state: State, member: Member) -> None:
        detector, prefix = member.detector, f"{member.label}."
        version = int(state.libraries.get(member.label, detector.state_version))
        if version == detector.state_version:
            return
        own = {k.removeprefix(prefix): a for k, a in state.arrays.items() if k.startswith(prefix)}
        part = State(detector.name, version, detector.fingerprint, own, state.points_seen, state.last_time)
        if version > detector.state_version:
            detector.check_state(part)
        for name in own:
            del state.arrays[prefix + name]
        state.arrays.update({prefix + name: a for name, a in detector.upgrade(part).arrays.items()})

    def layout(self) -> dict[str, Field]:
        return {f"{m.label}.{name}": declared for m in self.members for name, declared in m.detector.layout().items()}

    @cached_property
    def _names(self) -> list[tuple[Member, list[tuple[str, str]], list[tuple[str, str]]]]:
        """Each member with its arrays' own names and those in the common state: written ones, and derived ones."""
        found = []
        for member in self.members:
            layout = member.detector.layout()
            pairs = [(name, f"{member.label}.{name}") for name in layout]
            found.append(
                (
                    member,
                    [pair for pair in pairs if not layout[pair[0]].derived],
                    [pair for pair in pairs if layout[pair[0]].derived],
                )
            )
        return found

    def _parts(self, state: State) -> Iterator[tuple[Member, State]]:
        """Each member with its state, which shares all memory with ``state``."""
        for member, written, derived in self._names:
            detector = member.detector
            part = State(
                detector.name,
                detector.state_version,
                detector.fingerprint,
                {name: state.arrays[common] for name, common in written},
                state.points_seen,
                state.last_time,
                {},
                {name: state.derived[common] for name, common in derived if common in state.derived},
            )
            yield member, part
            for name, common in derived:
                if name in part.derived:
                    state.derived[common] = part.derived[name]

    def leads(self, state: State, row: int, opened: int, decided: int) -> tuple[tuple[str, float], ...]:
        every = (member.detector.leads(part, row, opened, decided) for member, part in self._parts(state))
        return next((leads for leads in every if leads), ())

    def _fold(self, state: State, points: Points, scores: Scores, threads: int) -> None:
        further = iter(scores.members)
        held: np.ndarray | None = None
        for index, (member, part) in enumerate(self._parts(state)):
            if index == 0:
                member.detector._fold(part, points, scores, threads)
                continue
            if held is None and member.holds:
                held = scores.flags.astype(np.int64) & HELD != 0
            given = _input(member, points, scores, held)
            own = Scores.blank(points)
            member.detector._fold(part, given, own, threads)
            next(further)[:] = own.score

    def _stepper(self, state: State, time: int) -> Steppers:
        parts = ((m, m.detector._stepper(part, time)) for m, part in self._parts(state))
        return Steppers([(one, m.reads == "residual", m.holds) for m, one in parts if isinstance(one, Stepper)])

    def _only(self, scores: Scores) -> EnsembleScore:
        score, expected, lower, upper, scale, flags = (a.item() for a in scores.outputs())
        return EnsembleScore(score, expected, lower, upper, scale, flags, [a.item() for a in scores.members])


def _input(member: Member, points: Points, scores: Scores, held: np.ndarray | None) -> Points:
    values = points.values
    if member.reads == "residual":
        known = scores.scale > 0
        away = np.full(len(scores), np.nan)
        np.divide(values[:, 0] - scores.expected, scores.scale, out=away, where=known)
        values = np.clip(away, -_FAR, _FAR)[:, None]
    if member.holds and held is not None and held.any():
        values = np.where(held[:, None], np.nan, values)
    return points if values is points.values else points.with_values(values)


@dataclass(frozen=True)
class Mix(Ensemble):
    """An ensemble of any members; ``Ensemble.of`` makes it.

    Examples
    --------
    >>> import numpy as np
    >>> from watchband import Points
    >>> from watchband.detectors import Ewma, GapNovelty
    >>> mix = Ensemble.of(("band", Ewma(), 0.7), ("novelty", GapNovelty(), 0.3))
    >>> scores = mix.step(mix.start(), Points.of(np.arange(300), np.random.default_rng(0).normal(size=300)))
    >>> len(scores.members), bool(np.isfinite(scores.members[0][-1]))
    (1, True)
    """

    name: ClassVar[str] = "ensemble"

    parts: tuple[Member, ...] = param((), _Members(), "The members, the band's first.")

    @property
    def members(self) -> tuple[Member, ...]:
        return self.parts


def told(detector: Detector, values: dict[str, Any]) -> Detector:
    """The detector with those of the values that it has parameters for."""
    known = params.params_of(type(detector))
    given = {k: v for k, v in values.items() if k in known and v is not None}
    return params.build(type(detector), {**params.values_of(detector), **given}) if given else detector
