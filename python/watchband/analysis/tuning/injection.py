"""Faults instead of labels: put into the user's own series, other ones where it is chosen than where it is held out."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from watchband.analysis.tuning.material import Part, Parts, Series
from watchband.core.duration import SECOND
from watchband.core.errors import ConfigError, UnknownNameError
from watchband.core.points import Int64
from watchband.core.series import SeriesKey
from watchband.evaluation.labels import Label
from watchband.evaluation.simulate.fault_types import FAULT_TYPES, FaultType
from watchband.evaluation.simulate.inject import Given, inject
from watchband.evaluation.simulate.placing import FaultSpec

APART_POINTS = 600
"""One fault in about so many points: where faults are dense they become usual, and no budget lets them alert."""
FAULTS_MAX = 12
"""Of one series in one part."""
KINDS = tuple(name for name, f in FAULT_TYPES.items() if f.expect in ("alert", "stuck") and not f.stays)
"""Faults that an alert answers and that end."""


def kinds_of(names: Sequence[str] | None) -> tuple[str, ...]:
    """Names of faults as the user gives them, all that an alert answers by default.

    Raises
    ------
    UnknownNameError
        No such fault, or one that no alert answers.
    """
    for name in names or ():
        if name not in KINDS:
            raise UnknownNameError("fault to tune to", name, KINDS)
    return tuple(names) if names else KINDS


def with_faults(
    series: Sequence[Series], parts: Sequence[Parts], kinds: Sequence[str] | None = None, *, seed: int = 0
) -> list[Series]:
    """The series with faults in both parts, and the labels of these alone.

    Parameters
    ----------
    series, parts
        What is tuned on. Labels that are there are dropped: what else is wrong in the series is not known.
    kinds : sequence of str, optional
        Names of faults; a series gets those that it can have.
    seed : int, default 0
        Equal seeds, equal faults. Places and sizes of the held-out part are drawn apart from those of the other.

    Raises
    ------
    ConfigError
        No series can have any of these faults.
    """
    names = kinds_of(kinds)
    made = [_one(one, p, names, seed) for one, p in zip(series, parts, strict=True)]
    if not any(one.labels for one in made):
        raise ConfigError(f"None of these series can have any of {', '.join(names)}. Name other faults.")
    return made


def _one(series: Series, parts: Parts, kinds: Sequence[str], seed: int) -> Series:
    if series.further is not None:
        return _joined(series, parts, kinds, seed)
    first = np.r_[True, np.diff(series.times) > 0]
    times, values = series.times[first], series.values[first].astype(np.float64)
    values[~np.isfinite(values)] = np.nan
    if not np.isfinite(values).any():
        return replace(series, labels=())
    given = Given(times, values)
    fitting = [FAULT_TYPES[name] for name in kinds if FAULT_TYPES[name].fits(given.traits)]
    specs: list[FaultSpec] = []
    for number, part in enumerate((parts.validation, parts.test)):
        rng = np.random.default_rng([seed, number, zlib.crc32(str(series.key).encode())])
        specs += _specs(times, given.interval, part, fitting, rng) if fitting else []
    found = inject(times, values, specs, series=str(series.key), seed=seed)
    labels = [a for a in found.labels if _inside(a, parts)]
    return replace(series, times=times, values=found.values, labels=tuple(labels))


def _joined(series: Series, parts: Parts, kinds: Sequence[str], seed: int) -> Series:
    """Faults of the metrics in turn: each metric with its own, of which its turn comes up."""
    wide = series.wide.astype(np.float64)
    count = wide.shape[1]
    labels: list[Label] = []
    for number in range(count):
        key = SeriesKey(f"{series.key.metric} {number}", series.key.labels)
        plain = Series(key, series.times, wide[:, number])
        made = _one(plain, parts, kinds, seed)
        mine = [a for at, a in enumerate(made.labels) if at % count == number]
        for label in mine:
            here = (series.times >= label.start) & (series.times <= label.last)
            wide[here, number] = made.values[here]
        labels += [replace(a, series=str(series.key)) for a in mine]
    # Two metrics may have had a fault at one time: the first stands for both.
    kept: list[Label] = []
    for label in sorted(labels, key=lambda a: (a.start, a.last)):
        if not kept or label.start > kept[-1].last:
            kept.append(label)
    return replace(series, values=wide[:, 0].copy(), further=wide[:, 1:].copy(), labels=tuple(kept))


def _inside(label: Label, parts: Parts) -> bool:
    return any(p.start <= label.start and label.last < p.stop for p in (parts.validation, parts.test))


def _specs(
    times: Int64, interval: int, part: Part, fitting: Sequence[FaultType], rng: np.random.Generator
) -> list[FaultSpec]:
    """One fault in each of equally long stretches, in its first half, no longer than a third of it."""
    low, high = np.searchsorted(times, [part.start, part.stop]).tolist()
    count = min(max((high - low) // APART_POINTS, 1), FAULTS_MAX)
    stretch = (high - low) // count
    if stretch < 12:
        return []
    specs = []
    order = rng.permutation(np.resize(np.arange(len(fitting)), count))
    for number in range(count):
        fault = fitting[int(order[number])]
        shortest, longest = fault.points
        if fault.seconds is not None:
            shortest, longest = (max(shortest, round(s * SECOND / interval)) for s in fault.seconds)
        points = int(rng.integers(shortest, max(shortest, longest) + 1))
        points = max(1, min(points, stretch // 3))
        at = low + number * stretch + int(rng.integers(0, max(1, stretch // 2)))
        specs.append(FaultSpec(fault.name, int(times[at]), points=points))
    return specs
