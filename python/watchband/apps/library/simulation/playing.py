"""Simulated readings live: in the order in which they arrive, at any speed, to a file, a terminal or a service."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol, TextIO

import numpy as np

from watchband.adapters.sinks.points_api import PointsApi
from watchband.apps.library.outputs.table import iso_texts
from watchband.apps.library.simulation.call import Simulation
from watchband.apps.library.simulation.tables import cell, json_line
from watchband.core.duration import SECOND, parse_duration
from watchband.core.errors import ConfigError
from watchband.core.points import Float64, Int64
from watchband.core.series import SeriesKey
from watchband.evaluation.simulate.delivery import Arrived

BATCH_LINES = 1000
_TICK = 0.05
"""Seconds of waiting that are not worth it: readings that near are sent together."""
_SPEED = re.compile(r"(\d+(?:\.\d+)?)x")
Progress = Callable[[int, int], None]


class Readings(NamedTuple):
    """Readings of several series in the order of their arrival: all arrays [n]; ``series`` numbers them."""

    arrivals: Int64
    times: Int64
    values: Float64
    series: Int64

    def cut(self, here: slice) -> Readings:
        """Some of them."""
        return Readings(self.arrivals[here], self.times[here], self.values[here], self.series[here])


class Target(Protocol):
    """Where readings go."""

    def put(self, names: list[str], readings: Readings) -> None:
        """Take readings; may wait."""
        ...


def parse_speed(text: str) -> float:
    """Simulated seconds a second: ``60x``, ``max`` for as quick as can be, or ``1h`` for an hour a second.

    Raises
    ------
    ConfigError
        None of these, or 0.

    Examples
    --------
    >>> parse_speed("60x"), parse_speed("max"), parse_speed("1h")
    (60.0, inf, 3600.0)
    """
    word = text.strip().lower()
    if word == "max":
        return math.inf
    match = _SPEED.fullmatch(word)
    try:
        speed = float(match[1]) if match else parse_duration(word) / SECOND
    except ConfigError:
        speed = 0.0
    if not speed > 0:
        raise ConfigError(f"A speed is written 60x, 1h (an hour a second) or max. Got {text!r}.")
    return speed


def merged(simulation: Simulation) -> Iterator[Readings]:
    """Readings of all series together, about a thousand points of each at a time."""
    feeds = [simulation.delivery.readings(series) for series in simulation.series]
    ended = np.zeros(len(feeds), np.bool_)
    empty = Arrived(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    while not ended.all():
        parts: list[Arrived] = []
        for number, feed in enumerate(feeds):
            part = None if ended[number] else next(feed, None)
            ended[number] = part is None
            parts.append(part or empty)
        counts = [len(part.times) for part in parts]
        if not sum(counts):
            continue
        arrivals = np.concatenate([part.arrivals for part in parts])
        which = np.repeat(np.arange(len(parts)), counts)
        # At one instant series by series, and in one series as it sent them.
        order = np.lexsort((np.arange(len(which)), which, arrivals))
        times, values = (np.concatenate([getattr(part, name) for part in parts]) for name in ("times", "values"))
        yield Readings(arrivals[order], times[order], values[order], which[order])


def play(
    simulation: Simulation,
    target: Target,
    speed: float = math.inf,
    *,
    progress: Progress | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Send all readings in the order and, at that speed, at the time of their arrival.

    Parameters
    ----------
    simulation : Simulation
        What to play. Its series are held a thousand points at a time.
    target : Target
        Where to. While it takes its time, the play falls behind and catches up afterwards.
    speed : float
        Simulated seconds a second.
    progress : callable, optional
        Told of readings done and expected.
    clock, sleep : callable
        Stand for the machine's in tests.

    Returns
    -------
    int
        Readings sent.
    """
    names = [series.name for series in simulation.series]
    total = sum(series.points for series in simulation.series)
    begin: tuple[float, int] | None = None
    sent = 0
    for block in merged(simulation):
        if begin is None:
            begin = clock(), int(block.arrivals[0])
        at = 0
        while at < len(block.arrivals):
            stop = min(at + BATCH_LINES, len(block.arrivals))
            if math.isfinite(speed):
                due = begin[0] + (int(block.arrivals[at]) - begin[1]) / SECOND / speed
                if (left := due - clock()) > 0:
                    sleep(left)
                now = begin[1] + int((max(clock(), due) - begin[0] + _TICK) * speed * SECOND)
                stop = min(stop, max(int(np.searchsorted(block.arrivals, now, side="right")), at + 1))
            target.put(names, block.cut(slice(at, stop)))
            sent, at = sent + stop - at, stop
            if progress:
                progress(sent, max(total, sent))
    return sent


class LinesTarget:
    """Lines to an open text file or the terminal, each batch flushed at once.

    Parameters
    ----------
    file : text file
        Written to, not closed.
    form : "jsonl" or "csv"
        CSV begins with a header of series, timestamp, value.
    """

    def __init__(self, file: TextIO, form: str = "jsonl", *, header: bool = True) -> None:
        if form not in ("jsonl", "csv"):
            raise ConfigError(f"Readings are played as jsonl or csv. Got {form!r}.")
        self._file, self._form = file, form
        if form == "csv" and header:
            file.write("series,timestamp,value\n")

    def put(self, names: list[str], readings: Readings) -> None:
        """Write and flush."""
        order = readings.series.tolist()
        texts = iso_texts(readings.times).tolist()
        values = readings.values.tolist()
        if self._form == "csv":
            keys = [cell(name) for name in names]
            self._file.writelines(f"{keys[s]},{t},{v!r}\n" for s, t, v in zip(order, texts, values, strict=True))
        else:
            keys = [json.dumps(name) for name in names]
            self._file.writelines(json_line(keys[s], t, v) for s, t, v in zip(order, texts, values, strict=True))
        self._file.flush()


class ServiceTarget:
    """Lines to a running service."""

    def __init__(self, api: PointsApi) -> None:
        self._api = api
        self._labels: dict[str, str] = {}

    def put(self, names: list[str], readings: Readings) -> None:
        """Send; waits as long as the service asks to."""
        for name in names:
            if name not in self._labels:
                key = SeriesKey.parse(name)
                self._labels[name] = json.dumps({"__name__": key.metric, **key.labels}, ensure_ascii=False)
        keys = [self._labels[name] for name in names]
        body = "".join(
            f'{{"series":{keys[s]},"time":"{t}","value":{v!r}}}\n'
            for s, t, v in zip(
                readings.series.tolist(), iso_texts(readings.times).tolist(), readings.values.tolist(), strict=True
            )
        )
        self._api.send(body.encode(), len(readings.times))
