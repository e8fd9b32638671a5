"""A scene: a series, what happens to it, what is promised; and how it is played through the pipeline."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchband.core import params
from watchband.core.alert import Alert
from watchband.core.detector import Detector
from watchband.core.errors import UnknownNameError
from watchband.core.series import SeriesKey
from watchband.pipeline.catalogue import CATALOGUE
from watchband.pipeline.excluded import Span
from watchband.pipeline.policy import Policy
from watchband.pipeline.prepare import Prepare, Quality, Raw
from watchband.pipeline.results import Results
from watchband.pipeline.rules import DEFAULT_RULE, Rule
from watchband.pipeline.watch import Watch

EVERY = ("auto", "seasonal_band", "light")
"""What most scenes are played against: the default, the band alone, the one for a million series."""
CHANCE = 1e-3
"""More alerts than a Poisson law of the promised mean gives but this seldom are too many."""


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happens from ``start`` to before ``end`` (ns UTC), in words."""

    start: int
    end: int
    words: str


@dataclass(frozen=True, eq=False)
class Play:
    """One performance of a scene: a pure function of its seed.

    Parameters
    ----------
    raw : Raw
        All readings, of one or more series.
    promises : sequence of Promise
        What must hold of the course.
    happenings : sequence of Happening
        What happens, for people and pictures.
    twin : Play or None
        The same without what happens; some promises compare with it.
    rule, policy, prepare : Rule, Policy, Prepare
        Of the watch.
    settings : mapping
        Parameters of the detector; those that it does not have are left out.
    excluded : sequence of (int, int)
        Ranges that are not learned.
    batches : sequence of Raw
        How the readings arrive; empty: all at once.
    through_bytes : bool
        Between two batches the state goes through bytes, as in a restart.
    zone : str
        Time zone of words and pictures.
    metric : str
        What the series are called.
    """

    raw: Raw
    promises: Sequence[Promise] = ()
    happenings: Sequence[Happening] = ()
    twin: Play | None = None
    rule: Rule = DEFAULT_RULE
    policy: Policy = field(default_factory=Policy)
    prepare: Prepare = field(default_factory=Prepare)
    settings: Mapping[str, Any] = field(default_factory=dict)
    excluded: Sequence[Span] = ()
    batches: Sequence[Raw] = ()
    through_bytes: bool = False
    zone: str = "UTC"
    metric: str = "requests"

    def detector(self, name: str) -> Detector:
        """The named detector with those of the settings that it knows."""
        known = params.params_of(CATALOGUE.get(name))
        return CATALOGUE.build({"type": name, **{k: v for k, v in self.settings.items() if k in known}})

    @property
    def keys(self) -> list[SeriesKey]:
        """One key a series."""
        if self.raw.series == 1:
            return [SeriesKey(self.metric)]
        return [SeriesKey(self.metric, {"series": f"{i:03d}"}) for i in range(self.raw.series)]


@dataclass(frozen=True, eq=False)
class Course:
    """How a play went: what the pipeline said of every point, and the alerts in order of opening."""

    play: Play
    results: Results
    quality: list[Quality]
    twin: Course | None = None

    @property
    def alerts(self) -> list[Alert]:
        """The last state of every alert."""
        return self.results.alerts

    def opened(self, start: int, end: int) -> list[Alert]:
        """Alerts that opened from ``start`` to before ``end``."""
        return [alert for alert in self.alerts if start <= alert.opened < end]

    def within(self, start: int, end: int) -> NDArray[np.bool_]:
        """Points from ``start`` to before ``end``."""
        return (self.results.time >= start) & (self.results.time < end)

    @cached_property
    def strange(self) -> NDArray[np.bool_]:
        """Points that are anomalous."""
        return self.results.anomaly_score > 1


@dataclass(frozen=True, slots=True)
class Measure:
    """What a promise came to in one play.

    Parameters
    ----------
    held : bool
        Whether it was held; of what noise may do, only the sum over all plays decides.
    said : str
        What was measured.
    extra, promised : float, optional
        Where noise has its share: alerts found, and how many the budget allows on average.
    """

    held: bool
    said: str
    extra: float | None = None
    promised: float = 0.0


@dataclass(frozen=True, slots=True)
class Promise:
    """One thing that must hold: in words, and as a measure of the course."""

    words: str
    check: Callable[[Course], Measure]


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one promise over all plays: whether it was held, in how many, and what was measured."""

    promise: str
    held: bool
    plays: int
    measured: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of the promises of one scene under one detector."""

    scene: str
    detector: str
    seeds: tuple[int, ...]
    findings: tuple[Finding, ...]

    @property
    def held(self) -> bool:
        """Whether every promise was."""
        return all(finding.held for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {**dataclasses.asdict(self), "held": self.held}


@dataclass(frozen=True, slots=True)
class Scene:
    """A scene of the suite.

    Parameters
    ----------
    name : str
        As users name it: ``outage-hours``.
    promise : str
        What is promised, in a sentence.
    complaint : str
        What people have complained of elsewhere.
    sources : tuple of str
        Where they did: ``owner/repository#number`` or the name of a document.
    play : callable
        From a seed to what happens.
    detectors : tuple of str
        Which detectors hold it.
    once : bool
        It plays many series at a time: one seed says enough.
    """

    name: str
    promise: str
    complaint: str
    sources: tuple[str, ...]
    play: Callable[[int], Play]
    detectors: tuple[str, ...] = EVERY
    once: bool = False


def scene(
    name: str,
    *,
    promise: str,
    complaint: str,
    sources: tuple[str, ...],
    detectors: tuple[str, ...] = EVERY,
    once: bool = False,
) -> Callable[[Callable[[int], Play]], Scene]:
    """Make a scene of a function from a seed to a play."""

    def made(play: Callable[[int], Play]) -> Scene:
        return Scene(name, promise, complaint, sources, play, detectors, once)

    return made


def perform(play: Play, detector: str) -> Course:
    """Play it through prepare, detector, calibrate, decide and explain.

    Raises
    ------
    UnknownNameError
        There is no such detector.
    """
    watch = Watch("scene", play.detector(detector), play.rule, play.policy, play.prepare, play.zone)
    state = watch.start(play.keys)
    parts = []
    batches = list(play.batches) or [play.raw]
    for number, batch in enumerate(batches):
        last = number == len(batches) - 1
        parts.append(watch.step(state, batch, excluded=play.excluded, flush=last))
        if play.through_bytes and not last:
            state = watch.load(state.to_bytes())
    twin = perform(play.twin, detector) if play.twin else None
    return Course(play, Results.joined(parts), watch.prepare.quality(state.prepare), twin)


def judge(scene: Scene, detector: str, seeds: Sequence[int]) -> Verdict:
    """Play a scene and see what became of its promises.

    Parameters
    ----------
    scene : Scene
        From ``catalogue.SCENES``.
    detector : str
        Name of a detector or preset; it need not be one that promises the scene.
    seeds : sequence of int
        One play each; equal seeds, equal bits. A scene of many series is played with the first only.
    """
    played = tuple(seeds[:1] if scene.once else seeds)
    words: list[str] = []
    measures: list[list[Measure]] = []
    for seed in played:
        play = scene.play(seed)
        course = perform(play, detector)
        words = [promise.words for promise in play.promises]
        measures.append([promise.check(course) for promise in play.promises])
    columns = zip(words, zip(*measures, strict=True), strict=True)
    return Verdict(scene.name, detector, played, tuple(_found(promise, column) for promise, column in columns))


def _found(promise: str, measures: Sequence[Measure]) -> Finding:
    if measures[0].extra is None:
        broken = [m for m in measures if not m.held]
        said = (broken or measures)[0].said + (f" (not held in {len(broken)} of {len(measures)})" if broken else "")
        return Finding(promise, not broken, len(measures), said)
    if len(measures) == 1:
        return Finding(promise, measures[0].extra <= by_chance(measures[0].promised), 1, measures[0].said)
    extra = sum(m.extra or 0.0 for m in measures)
    most = by_chance(sum(m.promised for m in measures))
    named = next((m.said for m in measures if not m.held), "") if extra > most else ""
    said = f"{extra:g} alerts, chance allows {most}" + (f"; {named}" if named else "")
    return Finding(promise, extra <= most, len(measures), said)


def by_chance(mean: float) -> int:
    """The largest count that a Poisson law of that mean exceeds less often than once in a thousand.

    Examples
    --------
    >>> by_chance(0.1), by_chance(2.0), by_chance(30.0)
    (2, 8, 48)
    """
    count, beyond = -1, 1.0
    while beyond > CHANCE:
        count += 1
        beyond -= math.exp(count * math.log(mean) - mean - math.lgamma(count + 1)) if mean > 0 else 1.0
    return count


def named(scenes: Mapping[str, Scene], name: str) -> Scene:
    """A scene by its name.

    Raises
    ------
    UnknownNameError
        There is none; the message names the nearest.
    """
    if name not in scenes:
        raise UnknownNameError("scene", name, sorted(scenes))
    return scenes[name]
