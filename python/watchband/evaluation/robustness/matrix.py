"""What is tried: settings, and the series that belongs to each, a pure function of the seed."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from watchband.core.duration import DAY, HOUR, MINUTE, SECOND, WEEK
from watchband.core.errors import ConfigError, UnknownNameError
from watchband.core.points import Float64, Int64
from watchband.evaluation.labels import Label
from watchband.evaluation.simulate.clock import Clock
from watchband.evaluation.simulate.dice import Dice
from watchband.evaluation.simulate.fault_types import FAULT_TYPES
from watchband.evaluation.simulate.metric_types import METRICS, course_of
from watchband.evaluation.simulate.placing import FaultSpec
from watchband.evaluation.simulate.series import Simulated

CLEAN = "none"
"""The fault of a series without any."""
SMALL_POINTS = 4032
SMALL_FAULTS = (CLEAN, "spike", "level_shift")
SMALL_KINDS = ("cpu", "memory", "latency", "requests", "sparse", "temperature")
"""What the small form tries away from the usual condition; there it tries every kind with every fault."""
UNSEEN = frozenset({"gap"})
"""Faults without a point in them: no score can answer for them."""
FAULTS_MAX = 3


@dataclass(frozen=True, slots=True)
class Frame:
    """A time frame: ns from point to point, points in all, and the budget as ns for which one alert is promised.

    The budgets are such that about two alerts are promised in a whole series, as people would set them for such data.
    """

    interval: int
    points: int
    budget: int

    @property
    def one_in(self) -> int:
        """The budget as points in which one alert is promised."""
        return max(round(self.budget / self.interval), 2)


FRAMES: dict[str, Frame] = {
    "1s": Frame(SECOND, 2 * DAY // SECOND, DAY),
    "1m": Frame(MINUTE, 4 * WEEK // MINUTE, 2 * WEEK),
    "5m": Frame(5 * MINUTE, 8 * WEEK // (5 * MINUTE), 30 * DAY),
    "1h": Frame(HOUR, 730 * DAY // HOUR, 365 * DAY),
}
NOISE: dict[str, float] = {"half": 0.5, "usual": 1.0, "twice": 2.0}
"""The metric's noise as a multiple; faults keep the size they have in usual noise."""
MISSING: dict[str, tuple[float, int]] = {"whole": (0.0, 1), "scattered": (0.05, 1), "holes": (0.2, 24)}
"""Share of points that are missing, and how many in a row on average."""
USUAL = {"frame": "5m", "noise": "usual", "missing": "whole"}
"""The condition from which the matrix departs in one direction at a time."""
AXES = ("kind", "fault", *USUAL)


@dataclass(frozen=True, slots=True, order=True)
class Setting:
    """One series of the matrix.

    Parameters
    ----------
    kind, fault : str
        Names in ``METRICS`` and ``FAULT_TYPES``, or ``none``.
    frame, noise, missing : str
        Names in ``FRAMES``, ``NOISE`` and ``MISSING``.
    number : int
        Tells series of equal settings apart.

    Examples
    --------
    >>> str(Setting("cpu", "spike")), Setting.parse("cpu/spike/5m/usual/whole/0") == Setting("cpu", "spike")
    ('cpu/spike/5m/usual/whole/0', True)
    """

    kind: str
    fault: str
    frame: str = USUAL["frame"]
    noise: str = USUAL["noise"]
    missing: str = USUAL["missing"]
    number: int = 0

    def __str__(self) -> str:
        return "/".join([*(getattr(self, axis) for axis in AXES), str(self.number)])

    @classmethod
    def parse(cls, text: str) -> Setting:
        """From its text form."""
        kind, fault, frame, noise, missing, number = text.split("/")
        return cls(kind, fault, frame, noise, missing, int(number))

    @property
    def departs(self) -> tuple[str, ...]:
        """Axes of the condition in which it is not the usual one."""
        return tuple(axis for axis, usual in USUAL.items() if getattr(self, axis) != usual)


def frames(*, small: bool = False, budget: int | None = None) -> dict[str, Frame]:
    """Time frames: whole ones, or the small form's of 4,032 points; with one budget (ns for one alert) if given."""
    points = {name: SMALL_POINTS if small else frame.points for name, frame in FRAMES.items()}
    return {name: replace(f, points=points[name], budget=budget or f.budget) for name, f in FRAMES.items()}


def matrix(
    only: Mapping[str, Collection[str]] = {},
    *,
    small: bool = False,
    cross: bool = False,
    replicas: int = 1,
) -> list[Setting]:
    """The settings that are tried.

    Parameters
    ----------
    only : mapping of str to collection of str
        Names that an axis is limited to.
    small : bool, default False
        Every kind and fault in the usual condition; elsewhere six kinds with a spike, a level shift and none.
    cross : bool, default False
        Every condition with every other, not only one departure from the usual at a time.
    replicas : int, default 1
        Series of each setting; clean ones come twice as often, because they alone tell of alerts a week.

    Raises
    ------
    UnknownNameError
        An axis or name that there is none of.
    ConfigError
        Nothing is left.

    Examples
    --------
    >>> [str(s) for s in matrix({"kind": ["sparse"], "fault": ["spike"], "frame": ["1h", "5m"]}, small=True)][:2]
    ['sparse/spike/5m/usual/whole/0', 'sparse/spike/5m/half/whole/0']
    """
    known: dict[str, Iterable[str]] = {
        "kind": METRICS, "fault": (CLEAN, *FAULT_TYPES), "frame": FRAMES, "noise": NOISE, "missing": MISSING
    }  # fmt: skip
    for axis, names in only.items():
        if axis not in known:
            raise UnknownNameError("axis of the robustness matrix", axis, known)
        for name in names:
            if name not in known[axis]:
                raise UnknownNameError(axis, name, known[axis])
    found = []
    conditions = [dict(zip(USUAL, words, strict=True)) for words in product(FRAMES, NOISE, MISSING)]
    conditions.sort(key=lambda c: sum(c[axis] != usual for axis, usual in USUAL.items()))
    for condition in conditions:
        departs = sum(condition[axis] != usual for axis, usual in USUAL.items())
        if departs > 1 and not cross:
            continue
        for kind, fault in pairs():
            if small and departs and (fault not in SMALL_FAULTS or kind not in SMALL_KINDS):
                continue
            count = replicas * (2 if fault == CLEAN else 1)
            found += [Setting(kind, fault, **condition, number=number) for number in range(count)]
    chosen = [s for s in found if all(getattr(s, axis) in names for axis, names in only.items())]
    if not chosen:
        said = ", ".join(f"{axis}={','.join(names)}" for axis, names in only.items())
        raise ConfigError(f"No series of the matrix is left by --only {said}. A kind may not have that fault.")
    return chosen


def pairs() -> list[tuple[str, str]]:
    """Every kind with every fault that it can have, and with none."""
    found = []
    for kind in METRICS:
        traits = course_of(kind, 0, 0, Clock()).traits
        found += [(kind, CLEAN)]
        found += [(kind, name) for name, fault in FAULT_TYPES.items() if fault.fits(traits) and name not in UNSEEN]
    return found


def simulated(setting: Setting, frame: Frame, seed: int = 0) -> Simulated | None:
    """The series of a setting, nothing missing yet; None where the frame is too short for the fault.

    Up to three faults of one kind, as many as there is room for; of what never ends, one. They are of the same size in
    units of the metric, and at the same places, whatever the noise.
    """
    clock = Clock(interval=frame.interval)
    # A course of its own for every fault, or one odd course would be counted with each of them.
    number = zlib.crc32(f"{setting.fault}/{setting.number}".encode())

    def series(faults: list[FaultSpec], noise: float) -> Simulated:
        return Simulated(setting.kind, seed, number, frame.points, clock, faults, noise)

    if setting.fault == CLEAN:
        return series([], NOISE[setting.noise])
    fault = FAULT_TYPES[setting.fault]
    for count in range(1 if fault.stays else FAULTS_MAX, 0, -1):
        try:
            found = series([FaultSpec(setting.fault)] * count, 1.0)
        except ConfigError:
            continue
        if NOISE[setting.noise] == 1:
            return found
        unit = found.noise_units / series([], NOISE[setting.noise]).noise_units
        placed = [
            FaultSpec(
                setting.fault,
                when=clock.start + e.first * clock.interval,
                size=None if np.isnan(e.size) else e.size * unit,
                points=e.length,
            )
            for e in found.events
        ]
        return series(placed, NOISE[setting.noise])
    return None


def series_of(setting: Setting, frame: Frame, seed: int = 0) -> tuple[Int64, Float64, list[Label]] | None:
    """Times, values and labels of a setting as a source would give them; None where it cannot be.

    Examples
    --------
    >>> times, values, labels = series_of(Setting("cpu", "spike", missing="scattered"), Frame(10**9, 2000, 10**12))
    >>> 0.03 < 1 - len(times) / 2000 < 0.07, {label.fault for label in labels}
    (True, {'spike'})
    """
    found = simulated(setting, frame, seed)
    if found is None:
        return None
    times, values = found.times, found.values
    share, length = MISSING[setting.missing]
    if share:
        lost = _lost(len(times), share, length, Dice(seed, str(setting)).generator("missing"))
        times, values = times[~lost], values[~lost]
    return times, values, found.labels


def _lost(n: int, share: float, length: int, rng: np.random.Generator) -> np.ndarray:
    """Holes of geometric length until about the share is gone."""
    lost = np.zeros(n, np.bool_)
    starts = rng.random(n) < -np.log1p(-share) / length
    for start, size in zip(np.flatnonzero(starts).tolist(), rng.geometric(1 / length, int(starts.sum())), strict=True):
        lost[start : start + int(size)] = True
    return lost
