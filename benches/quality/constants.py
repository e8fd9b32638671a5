"""Every constant of a preset that has a name outside the kernels, and the preset with one of them changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import ModuleType

from watchband.core import params
from watchband.core.errors import WatchbandError
from watchband.detectors import gap_novelty, seasonal_band
from watchband.pipeline.calibrate import Calibrate
from watchband.pipeline.ensemble import Ensemble, Member, Mix
from watchband.pipeline.policy import Policy

LEFT_OUT = frozenset({"seed", "dims", "coverage", "width"})
"""No constants of judgement: seed, values of a point, width of the drawn band."""
UNUSED = {"value": ("window",)}
"""Of gap novelty: parameters that do not count for what it looks at."""
POLICY = ("close_after", "close_level")
MODULES: tuple[tuple[ModuleType, str, tuple[str, ...]], ...] = (
    (seasonal_band, "FOLLOW_POINTS", ("seasonal_band",)),
    (gap_novelty, "_GAIN_MAX", ("gap_novelty",)),
    (gap_novelty, "_GAINS", ("gap_novelty",)),
)
"""Module, name, and the detectors that read it."""


@dataclass(frozen=True, slots=True)
class Constant:
    """One number.

    Parameters
    ----------
    part : str
        A member's label, or ``calibrate``, ``policy``, or ``module``.
    name : str
        Of the parameter, ``weight`` or ``strength``.
    value : float
        As released.
    """

    part: str
    name: str
    value: float

    def times(self, factor: float) -> float:
        """The value changed; a whole number stays one, and moves by one at least."""
        if not float(self.value).is_integer() or isinstance(self.value, float):
            return self.value * factor
        moved = round(self.value * factor)
        return moved if moved != self.value else int(self.value) + (1 if factor > 1 else -1)


@dataclass(frozen=True, slots=True)
class Variant:
    """A preset with one constant changed, ready to be judged.

    Parameters
    ----------
    constant : Constant or None
        None: as released.
    factor : float
        What it was multiplied by.
    members : tuple of Member
        Of the preset.
    touched : tuple of str
        Labels of the members whose scores are others now.
    """

    constant: Constant | None
    factor: float
    members: tuple[Member, ...]
    touched: tuple[str, ...] = ()
    policy: Policy = field(default_factory=Policy)
    half_life: float = Calibrate().half_life

    @property
    def preset(self) -> Mix:
        """Its detector."""
        return Mix(self.members)

    @contextmanager
    def set(self) -> Iterator[None]:
        """A constant of a module has its other value inside."""
        module = next((m for m, name, _ in MODULES if self.constant and name == self.constant.name), None)
        if module is None or self.constant is None:
            yield
            return
        setattr(module, self.constant.name, self.constant.times(self.factor))
        try:
            yield
        finally:
            setattr(module, self.constant.name, self.constant.value)


def constants(preset: Ensemble) -> list[Constant]:
    """All that can be changed by a share: a 0 cannot."""
    found = []
    for member in preset.members:
        given = {"weight": member.weight, "strength": member.strength, **params.values_of(member.detector)}
        left_out = LEFT_OUT | set(UNUSED.get(str(given.get("of", "")), ()))
        for name, value in given.items():
            if isinstance(value, int | float) and not isinstance(value, bool) and value and name not in left_out:
                found.append(Constant(member.label, name, value))
    found.append(Constant("calibrate", "half_life", Calibrate().half_life))
    found += [Constant("policy", name, getattr(Policy(), name)) for name in POLICY]
    names = {m.detector.name for m in preset.members}
    found += [Constant("module", name, getattr(m, name)) for m, name, read in MODULES if names & set(read)]
    return found


def changed(preset: Ensemble, constant: Constant, factor: float) -> Variant | None:
    """The preset with one constant changed; None where the changed value is not allowed."""
    members, value = preset.members, constant.times(factor)
    try:
        if constant.part == "calibrate":
            return Variant(constant, factor, members, half_life=value)
        if constant.part == "policy":
            return Variant(constant, factor, members, policy=replace(Policy(), **{constant.name: value}))
        if constant.part == "module":
            read = next(detectors for _, name, detectors in MODULES if name == constant.name)
            return Variant(constant, factor, members, tuple(m.label for m in members if m.detector.name in read))
        if constant.name == "weight":
            return Variant(constant, factor, _weighed(members, constant.part, value))
        if constant.name == "strength":
            return Variant(constant, factor, _each(members, constant.part, strength=value))
        detector = next(m.detector for m in members if m.label == constant.part)
        told = params.build(type(detector), {**params.values_of(detector), constant.name: value})
    except WatchbandError:
        return None
    return Variant(constant, factor, _each(members, constant.part, detector=told), (constant.part,))


def _each(members: tuple[Member, ...], label: str, **values: object) -> tuple[Member, ...]:
    return tuple(replace(m, **values) if m.label == label else m for m in members)


def _weighed(members: tuple[Member, ...], label: str, weight: float) -> tuple[Member, ...]:
    """The others keep their proportions: weights are 1 together."""
    heavier = [weight if m.label == label else m.weight for m in members]
    return tuple(replace(m, weight=w / sum(heavier)) for m, w in zip(members, heavier, strict=True))
