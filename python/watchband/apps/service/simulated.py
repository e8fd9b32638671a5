"""A virtual plant as a source: the simulator's series, played at any speed. See ``docs/sources/simulator.md``."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from watchband.adapters.sources.web.waiting import Waiting
from watchband.apps.library.simulation.call import Simulation, simulate
from watchband.apps.library.simulation.playing import Readings as Played
from watchband.apps.library.simulation.playing import merged, parse_speed
from watchband.core import params
from watchband.core.clock import Clock
from watchband.core.duration import DAY, MINUTE, format_duration
from watchband.core.errors import PermanentError
from watchband.core.events import WatermarkMoved
from watchband.core.kinds import Duration, ListOf
from watchband.core.params import Integer, Real, Text, param
from watchband.core.ports import Batch, Readings
from watchband.core.series import SeriesKey
from watchband.core.timestamp import format_rfc3339
from watchband.evaluation.labels import Label
from watchband.evaluation.simulate.placing import FaultSpec

log = logging.getLogger("watchband.source")
HISTORY_POINTS = 20_000
"""Readings of one batch of the past."""
TICK_S = 0.05
"""Waiting for less is not worth it: readings that near come together."""


@dataclass(frozen=True)
class SimulatorSettings:
    """Simulated series with labelled faults: a virtual plant to try Watchband on."""

    kind: ClassVar[str] = "simulator"
    what: tuple[str, ...] = param(("cpu",), ListOf(Text("a kind of metric or a scene"), 1), "What is simulated.")
    faults: tuple[str, ...] = param(
        (),
        ListOf(Text("NAME[@+TIME][:size=X,for=TIME]")),
        "Faults that are put into what is played: so long after its beginning, else spread over it.",
    )
    series: int = param(1, Integer(1, 10_000), "How many series.")
    seed: int = param(0, Integer(0), "Equal seeds give equal values.")
    interval: int = param(MINUTE, Duration(1_000_000), "Distance of two readings, in simulated time.")
    history: int = param(7 * DAY, Duration(0), "The past that is there at the first start.")
    length: int = param(DAY, Duration(1), "How much simulated time is played after it.")
    speed: str = param("60x", Text("60x, 1h (an hour a second) or max"), "Simulated seconds a second.")
    missing: float = param(0.0, Real(0, 1), "Share of readings that never come.")
    late: float = param(0.0, Real(0, 1), "Share of readings that come up to ten minutes late.")
    lateness: int = param(0, Duration(0), "How much readings may come out of order; each waits so long.")

    def __post_init__(self) -> None:
        params.check(self)
        parse_speed(self.speed)
        self.simulation(DAY)

    def open(self, name: str, *, clock: Clock) -> SimulatorSource:
        """The source; nothing is simulated before ``read``."""
        return SimulatorSource(name, self, clock)

    def start(self, began: int) -> int:
        """First simulated time, such that the last one comes when the play ends: no reading is of the future."""
        played = 0 if math.isinf(self.rate) else int(self.length / self.rate)
        first = began + min(played, self.length) - self.length - self.history
        return first - first % self.interval

    @property
    def rate(self) -> float:
        """Simulated seconds a second."""
        return parse_speed(self.speed)

    def simulation(self, began: int) -> Simulation:
        """What is played by a source that was first read at ``began``."""
        return simulate(
            list(self.what) if len(self.what) > 1 else self.what[0],
            faults=self._placed(),
            series=self.series,
            seed=self.seed,
            interval=format_duration(self.interval),
            start=self.start(began),
            length=format_duration(self.history + self.length),
            missing=self.missing,
            late=self.late,
        )

    def _placed(self) -> list[FaultSpec]:
        """The faults in what is played, not in the past: spread over it, or so long after its beginning."""
        found = []
        for number, text in enumerate(self.faults, 1):
            spec = FaultSpec.parse(text)
            after = spec.after
            if spec.when is None and after is None:
                after = self.length * number // (len(self.faults) + 1)
            found.append(spec if after is None else replace(spec, after=self.history + after))
        return found


class SimulatorSource:
    """Plays a simulation: its past at once, the rest by the clock; ends when all was played.

    Parameters
    ----------
    name : str
        Of the source.
    settings : SimulatorSettings
        What the user wrote.
    clock : Clock
        By which it plays.
    """

    refused = 0

    def __init__(self, name: str, settings: SimulatorSettings, clock: Clock) -> None:
        self.name, self.settings, self.clock = name, settings, clock
        self._waiting = Waiting(clock)

    def read(self, position: str | None = None) -> Iterator[Batch]:
        """Batches in the order of arrival; the position is how many readings were given."""
        began, done = _parse(position) if position else (self.clock.now(), 0)
        simulation = self.settings.simulation(began)
        keys = [SeriesKey.parse(series.name) for series in simulation.series]
        labels = sorted(simulation.labels, key=lambda label: label.start)
        live = self.settings.start(began) + self.settings.history
        told = sum(label.start < live for label in labels)
        delay = 10 * MINUTE if self.settings.late else 0
        seen = 0
        for part in merged(simulation):
            count = len(part.times)
            if seen + count <= done:
                seen += count
                continue
            at = max(0, done - seen)
            while at < count:
                to = self._next(part, at, began, live)
                if self._waiting.ended:
                    return
                newest = int(part.arrivals[to - 1])
                told = self._tell(labels, told, newest, quiet=seen + at < done)
                past = newest < live
                events = () if past else (WatermarkMoved(newest - delay),)
                yield Batch(_readings(keys, part.cut(slice(at, to))), json.dumps([began, seen + to]), events, past)
                at = to
            seen += count

    def close(self) -> None:
        """End ``read``."""
        self._waiting.end()

    def _next(self, part: Played, at: int, began: int, live: int) -> int:
        """The end of the next batch, when its time has come."""
        arrivals = part.arrivals
        if arrivals[at] < live:
            past = int(np.searchsorted(arrivals, live))
            return min(past, at + HISTORY_POINTS)
        if math.isinf(self.settings.rate):
            return min(len(arrivals), at + HISTORY_POINTS)
        due = began + (int(arrivals[at]) - live) / self.settings.rate
        self._waiting.wait((due - self.clock.now()) / 1e9)
        now = live + (self.clock.now() - began + TICK_S * 1e9) * self.settings.rate
        return max(at + 1, int(np.searchsorted(arrivals, now, side="right")))

    def _tell(self, labels: list[Label], told: int, now: int, *, quiet: bool) -> int:
        """Log the faults that have begun; how many have."""
        while told < len(labels) and labels[told].start <= now:
            label = labels[told]
            if not quiet:
                log.info(
                    "the simulator put a %s into %s from %s to %s: expect %s",
                    label.fault, label.series, format_rfc3339(label.start), format_rfc3339(label.end), label.expect,
                    extra={"source": self.name},
                )  # fmt: skip
            told += 1
        return told


def _parse(position: str) -> tuple[int, int]:
    try:
        began, done = json.loads(position)
        return int(began), int(done)
    except (ValueError, TypeError):
        raise PermanentError(
            f"The position {position[:80]!r} is none of a simulation. Was the source of this name of another kind? "
            "Give it another name."
        ) from None


def _readings(keys: list[SeriesKey], part: Played) -> list[Readings]:
    found = []
    for number in np.unique(part.series).tolist():
        mine = part.series == number
        found.append(Readings(keys[number], part.times[mine].astype(np.int64), part.values[mine].astype(np.float64)))
    return found
