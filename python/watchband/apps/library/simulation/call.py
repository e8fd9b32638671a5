"""``wb.simulate``: series of any kind, or a whole scene, with labelled faults."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from watchband.apps.library.moments import parse_moment
from watchband.core.duration import parse_duration
from watchband.core.errors import ConfigError, UnknownNameError
from watchband.evaluation.candidate import Candidate, candidate, score
from watchband.evaluation.judge import judge
from watchband.evaluation.labels import Label, windows
from watchband.evaluation.metrics.events import EventCounts, count_events
from watchband.evaluation.simulate.clock import START_NS, Calendar, Clock
from watchband.evaluation.simulate.delivery import Arrived, Delivery, Playable
from watchband.evaluation.simulate.fleet import Fleet
from watchband.evaluation.simulate.metric_types import METRICS
from watchband.evaluation.simulate.placing import FaultSpec
from watchband.evaluation.simulate.scenes import ANY_SPAN, SCENES, Scene, scene

if TYPE_CHECKING:
    import pyarrow as pa

    from watchband.apps.library.plot import Theme

POINTS_MAX = 1 << 31
"""A longer series is a mistake in ``length`` or ``interval``."""


@dataclass(frozen=True, eq=False)
class Simulation:
    """Simulated series and how they arrive; nothing is made before it is asked for.

    Parameters
    ----------
    series : sequence
        Each with ``name``, ``labels``, ``quiet_labels``; single ones also with ``times`` and ``values``.
    delivery : Delivery
        What is missing, late, twice, stuck.
    scene : Scene, optional
        Where it is one.
    """

    series: Sequence[Playable]
    delivery: Delivery
    scene: Scene | None = None

    def __len__(self) -> int:
        return len(self.series)

    @property
    def labels(self) -> list[Label]:
        """Every fault, series by series. Computes the stretches of the faults, so that labels are exact."""
        return [label for series in self.series for label in series.labels]

    def every_label(self) -> Iterator[Label]:
        """Series by series its faults, then what only looks like one; none of them is held."""
        for series in self.series:
            yield from series.labels
            yield from series.quiet_labels

    @property
    def quiet_labels(self) -> list[Label]:
        """Holidays, ends of months and switches of the clock, series by series."""
        return [label for series in self.series for label in series.quiet_labels]

    def readings(self) -> Iterator[tuple[Playable, Arrived]]:
        """Series after series, a few thousand readings at a time, in the order of their arrival."""
        for series in self.series:
            for arrived in self.delivery.readings(series):
                yield series, arrived

    def table(self) -> pa.Table:
        """Everything in memory as an Arrow table with the columns series, timestamp and value."""
        from watchband.apps.library.simulation.tables import long_table

        return long_table(self.readings())

    def write(self, path: str | Path, labels: str | Path | None = None, *, layout: str = "auto") -> Path:
        """Write the readings, and the labels if a path for them is given; see ``tables.write``."""
        from watchband.apps.library.labels import check_label_path, write_labels
        from watchband.apps.library.simulation.tables import write

        if labels is not None:
            check_label_path(labels)
        found = write(self, Path(path), layout=layout)
        if labels is not None:
            write_labels(labels, self.every_label())
        return found

    def plot(self, path: str | Path, *, timezone: str = "UTC", theme: Theme = "light", only: str | None = None) -> Path:
        """Write a picture of the series and their labels, one panel each; see ``picture.draw_picture``.

        Parameters
        ----------
        path : path
            A PNG file.
        timezone, theme
            Of the time axis; ``light`` or ``dark``.
        only : str, optional
            Name of the one series to show; else the first sixteen.
        """
        from watchband.apps.library.simulation.picture import PANELS_MAX, draw_picture

        chosen = self.series[:PANELS_MAX] if only is None else [s for s in self.series if s.name == only]
        if only is not None and not chosen:
            raise UnknownNameError("series", only, [s.name for s in self.series[:1000]])
        panels = []
        for series in chosen:
            times, values = series.grid(0, series.points)
            here = ~np.isnan(values)
            panels.append((series.name, times[here], values[here], [*series.labels, *series.quiet_labels]))
        return draw_picture(panels, path, timezone=timezone, theme=theme)

    def judge(self, what: str | Candidate, *, one_in: int = 1440) -> EventCounts:
        """Put anything that can be judged into the simulation: faults found, missed, and alerts elsewhere.

        Parameters
        ----------
        what : str or Detector or callable
            See ``watchband.evaluation.candidate.candidate``.
        one_in : int, default 1440
            Budget: one alert in so many points is acceptable.
        """
        judged, total = candidate(what), EventCounts()
        for series in self.series:
            parts = list(self.delivery.readings(series))
            times = np.concatenate([p.times for p in parts])
            values = np.concatenate([p.values for p in parts])
            times, first = np.unique(times, return_index=True)
            values = values[first]
            opened = judge(judged, times, values, score(judged, times, values), one_in).opened
            total += count_events(opened, windows(series.labels, times), len(times))
        return total


def simulate(
    what: str | Sequence[str] = "cpu",
    *,
    faults: str | FaultSpec | Sequence[str | FaultSpec] = (),
    series: int = 1,
    start: str | int | None = None,
    to: str | int | None = None,
    length: str = "14d",
    interval: str = "5m",
    seed: int = 0,
    noise: float = 1.0,
    share: float = 1.0,
    timezone: str = "UTC",
    holidays: str | None = None,
    calendar: str = "day,week",
    missing: float = 0.0,
    late: float = 0.0,
    late_by: str = "10m",
    duplicates: float = 0.0,
    stuck: float = 0.0,
) -> Simulation:
    """Simulate series with labelled faults.

    Parameters
    ----------
    what : str or sequence of str
        A kind of metric, with constants if some are to be set (``"cpu"``, ``"sparse:level=0.3"``), several kinds in
        turn, or the name of a scene; ``docs/simulate.md`` lists both.
    faults : str or FaultSpec or sequence of them
        ``NAME[@WHEN][:size=X,for=TIME,series=NAME]``; without a time at a random place. Scenes have their own.
    series : int, default 1
        How many; each is a function of seed and number alone.
    start, to : str or int
        First time and the time before which the last point lies; the start is 2024-01-01 unless given.
    length, interval : str
        Durations; ``to`` overrides ``length``.
    seed, noise
        Equal seeds give equal bits; noise is a multiple of what the kind has.
    share : float, default 1
        Share of the series that have faults.
    timezone, holidays, calendar : str
        The clock on the wall, the country of the holidays (``"IE"``), and which patterns there are: of ``hour``,
        ``day``, ``week``, ``month_end``, or ``none``.
    missing, late, duplicates, stuck : float
        Shares of points, and ``late_by``, the longest delay.

    Raises
    ------
    ConfigError
        Something that cannot be; the message says what to write instead.

    Examples
    --------
    >>> found = simulate("cpu", faults=["spike@2024-01-08T12:00:size=8", "gap"], seed=3)
    >>> [(a.fault, a.expect) for a in found.labels][0]
    ('spike', 'alert')
    >>> found.table().num_rows < 4032
    True
    """
    delivery = Delivery(missing, late, parse_duration(late_by), duplicates, stuck)
    kinds = [what] if isinstance(what, str) else list(what)
    clock, points = _span(start, to, length, interval, Calendar.parse(calendar, timezone, holidays))
    if _is_scene(kinds):
        others = bool(faults) or (series, noise, share) != (1, 1.0, 1.0) or len(kinds) > 1
        played = _scene(kinds[0], seed, others, clock, points)
        return Simulation(played.series, delivery, played)
    given = [faults] if isinstance(faults, (str, FaultSpec)) else list(faults)
    specs = [fault if isinstance(fault, FaultSpec) else FaultSpec.parse(fault) for fault in given]
    return Simulation(Fleet(kinds, series, seed, points, clock, specs, noise, share), delivery)


def _is_scene(kinds: Sequence[str]) -> bool:
    """Whether a scene is among them; UnknownNameError for what is neither scene nor kind."""
    known = {kind.partition(":")[0] for kind in kinds}
    if unknown := sorted(known - METRICS.keys() - SCENES.keys()):
        raise UnknownNameError("kind of metric or scene", unknown[0], {*METRICS, *SCENES})
    return bool(known & SCENES.keys())


def _scene(name: str, seed: int, others: bool, clock: Clock, points: int) -> Scene:
    """The scene; ConfigError for what it does not take."""
    if others:
        raise ConfigError(f"The scene {name!r} stands alone and has its own faults and noise. Leave out the others.")
    if (clock, points) == _span(None, None, "14d", "5m", Calendar()):
        return scene(name, seed)
    if name not in ANY_SPAN:
        raise ConfigError(f"The scene {name!r} has its own times. Leave out start, length, interval and calendar.")
    return scene(name, seed, clock=clock, points=points)


def _span(
    start: str | int | None, to: str | int | None, length: str, interval: str, calendar: Calendar
) -> tuple[Clock, int]:
    """The clock of the series and their points."""
    clock = Clock(_moment(start, calendar.timezone, START_NS), parse_duration(interval), calendar)
    end = clock.start + parse_duration(length) if to is None else _moment(to, calendar.timezone, 0)
    points = -(-(end - clock.start) // clock.interval)
    if not 0 < points <= POINTS_MAX:
        raise ConfigError(f"From the start to the end there are {points:,} points. Expected 1 to {POINTS_MAX:,}.")
    return clock, points


def _moment(given: Any, timezone: str, default: int) -> int:
    if given is None:
        return default
    return given if isinstance(given, int) else parse_moment(str(given), timezone)
