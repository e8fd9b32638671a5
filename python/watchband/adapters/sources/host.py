"""This machine's own metrics as a source. See ``docs/sources/host.md`` for what is delivered and what is not."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, TypeVar

import numpy as np

from watchband.adapters.sources.web.waiting import Waiting
from watchband.core import params
from watchband.core.clock import Clock, SystemClock
from watchband.core.errors import InvalidParameterError
from watchband.core.events import ControlEvent, SourceResumed, WatermarkMoved
from watchband.core.kinds import Duration, MapOf
from watchband.core.params import Text, param
from watchband.core.ports import Batch, Readings
from watchband.core.series import SeriesKey

T = TypeVar("T")

SECOND_NS = 1_000_000_000

UNITS: Mapping[str, str] = {
    "cpu_percent": "%",
    "memory_percent": "%",
    "load_1m": "",
    "disk_read_bytes_per_second": "bytes/s",
    "disk_write_bytes_per_second": "bytes/s",
    "network_received_bytes_per_second": "bytes/s",
    "network_sent_bytes_per_second": "bytes/s",
}
"""Every metric this source can have, in order, and its unit."""

_COUNTERS = {name: name.removesuffix("_per_second") for name in UNITS if name.endswith("_per_second")}


@dataclass(frozen=True, slots=True)
class Sample:
    """What the machine says at one moment; None for what it does not say.

    ``monotonic_s`` is a clock that only goes forward, ``cpu_busy_s`` and ``cpu_total_s`` are processor seconds since
    boot, bytes are counted since boot over all disks, and over all network interfaces but loopback.
    """

    monotonic_s: float
    cpu_busy_s: float | None = None
    cpu_total_s: float | None = None
    memory_percent: float | None = None
    load_1m: float | None = None
    disk_read_bytes: float | None = None
    disk_write_bytes: float | None = None
    network_received_bytes: float | None = None
    network_sent_bytes: float | None = None


Probe = Callable[[], Sample]


@dataclass(frozen=True, kw_only=True)
class HostSettings:
    """The metrics of the machine that Watchband runs on: processor, memory, load, disks, network."""

    kind: ClassVar[str] = "host"
    every: int = param(10 * SECOND_NS, Duration(10_000_000), "Distance of two readings.")
    labels: dict[str, str] = param(
        {"source": "host"}, MapOf(Text()), "Labels of every series, for instance the machine's name."
    )

    def __post_init__(self) -> None:
        params.check(self)

    def open(self, name: str, *, clock: Clock) -> HostSource:
        """The source; the machine is not asked before ``read``."""
        return HostSource(self.every, clock, name=name, labels=self.labels)

    def metrics(self) -> tuple[str, ...]:
        """What it can give."""
        return tuple(UNITS)


class HostSource:
    """Metrics of the machine this runs on, one reading of each every ``interval_ns``.

    Parameters
    ----------
    interval_ns : int, default one second
        Distance of two readings, > 0; they are stamped with multiples of it.
    clock : Clock, default the system's
        Where times come from, and who waits.
    probe : callable returning Sample, default psutil's
        Asks the machine.
    name : str, default "host"
        Of the source.
    labels : mapping of str to str, default ``source="host"``
        Of every series.

    Attributes
    ----------
    keys : tuple of SeriesKey
        The series it delivers, with no name of host, user or device but what ``labels`` say.
    notes : list of str
        Sentences for people: metrics left out, clock jumps.

    Guarantees
    ----------
    Delivery : at most once; a moment that was not read is gone. Times strictly ascend. The position is the time of
    the last reading and resumes nothing: reading always begins now.
    """

    refused = 0

    def __init__(
        self,
        interval_ns: int = SECOND_NS,
        clock: Clock | None = None,
        probe: Probe | None = None,
        *,
        name: str = "host",
        labels: Mapping[str, str] | None = None,
    ) -> None:
        if interval_ns <= 0:
            raise InvalidParameterError(f"The 'interval_ns' parameter of HostSource must be > 0. Got {interval_ns}.")
        self.interval_ns, self.name = interval_ns, name
        self.clock = SystemClock() if clock is None else clock
        self.notes: list[str] = []
        self._labels = {"source": "host"} if labels is None else dict(labels)
        self._probe = sample if probe is None else probe
        self._waiting = Waiting(self.clock)

    @cached_property
    def keys(self) -> tuple[SeriesKey, ...]:
        """The series it delivers; asks the machine."""
        first = self._probe()
        present = [name for name in UNITS if _present(first, name)]
        self.notes += [f"{name} is left out: this machine does not report it." for name in UNITS if name not in present]
        return tuple(SeriesKey(name, self._labels) for name in present)

    def read(self, position: str | None = None) -> Iterator[Batch]:
        """One batch an interval until ``close``, the first one interval from now. ``position`` is not needed."""
        keys = self.keys
        before, stamp = self._probe(), self._slot(self.clock.now())
        # What the machine did before nobody knows.
        events: tuple[ControlEvent, ...] = (SourceResumed(self.clock.now()),)
        while not self._waiting.ended:
            now = self.clock.now()
            if not self._waiting.wait((self.interval_ns - now % self.interval_ns) / SECOND_NS):
                return
            after = self._probe()
            stamp = self._next_stamp(stamp, after.monotonic_s - before.monotonic_s)
            values = _values(before, after)
            times = np.array([stamp], np.int64)
            readings = [Readings(key, times.copy(), np.array([values[key.metric]])) for key in keys]
            before = after
            yield Batch(readings, str(stamp), (*events, WatermarkMoved(stamp)))
            events = ()

    def close(self) -> None:
        """End ``read``."""
        self._waiting.end()

    def _slot(self, now: int) -> int:
        return now - now % self.interval_ns

    def _next_stamp(self, last: int, elapsed_s: float) -> int:
        """The slot of now; where the clock went back, the last one and the time that really passed."""
        stamp = self._slot(self.clock.now())
        if stamp > last:
            return stamp
        if stamp < last:
            note = "The clock of this machine went back; times count on from the last reading until it catches up."
            if note not in self.notes:
                self.notes.append(note)
        return last + max(1, round(elapsed_s * SECOND_NS / self.interval_ns)) * self.interval_ns


def _present(first: Sample, name: str) -> bool:
    if name == "cpu_percent":
        return first.cpu_busy_s is not None and first.cpu_total_s is not None
    return getattr(first, _COUNTERS.get(name, name)) is not None


def _values(before: Sample, after: Sample) -> dict[str, float]:
    """Every metric at ``after``; NaN for what is not known. Rates use the clock that only goes forward."""
    elapsed = after.monotonic_s - before.monotonic_s
    busy = _rate(before.cpu_busy_s, after.cpu_busy_s, _less(before.cpu_total_s, after.cpu_total_s))
    values = {
        # Rounding of the two sums may exceed 100 by a hair; NaN stays NaN.
        "cpu_percent": 100.0 if busy > 1.0 else 100.0 * busy,
        "memory_percent": math.nan if after.memory_percent is None else after.memory_percent,
        "load_1m": math.nan if after.load_1m is None else after.load_1m,
    }
    for name, counter in _COUNTERS.items():
        values[name] = _rate(getattr(before, counter), getattr(after, counter), elapsed)
    return values


def _less(before: float | None, after: float | None) -> float:
    return math.nan if before is None or after is None else after - before


def _rate(before: float | None, after: float | None, elapsed: float) -> float:
    """NaN where either end is unknown, no time passed, or the counter fell (a disk or interface went away)."""
    change = _less(before, after)
    return change / elapsed if change >= 0 and elapsed > 0 else math.nan


def sample() -> Sample:
    """Ask this machine, by psutil; what it cannot say is None."""
    import psutil

    def ask(question: Callable[[], T]) -> T | None:
        try:
            return question()
        except (OSError, RuntimeError, AttributeError, psutil.Error):
            return None

    cpu = ask(psutil.cpu_times)
    memory = ask(psutil.virtual_memory)
    load = ask(psutil.getloadavg)
    disk = ask(psutil.disk_io_counters)
    cards = [c for name, c in (ask(lambda: psutil.net_io_counters(pernic=True)) or {}).items() if not loopback(name)]
    total = idle = None
    if cpu is not None:
        # Guest time is part of user time already; waiting for a disk is not being busy.
        times = cpu._asdict()
        total = sum(times.values()) - times.get("guest", 0.0) - times.get("guest_nice", 0.0)
        idle = times["idle"] + times.get("iowait", 0.0)
    return Sample(
        monotonic_s=time.monotonic(),
        cpu_busy_s=None if total is None or idle is None else total - idle,
        cpu_total_s=total,
        # psutil's own percentage has one decimal, which a band takes for a flat line.
        memory_percent=None if memory is None else 100.0 * (memory.total - memory.available) / memory.total,
        load_1m=None if load is None else float(load[0]),
        disk_read_bytes=None if disk is None else float(disk.read_bytes),
        disk_write_bytes=None if disk is None else float(disk.write_bytes),
        network_received_bytes=float(sum(c.bytes_recv for c in cards)) if cards else None,
        network_sent_bytes=float(sum(c.bytes_sent for c in cards)) if cards else None,
    )


def loopback(interface: str) -> bool:
    """Whether an interface leads nowhere but back: lo, lo0, Loopback Pseudo-Interface 1."""
    word = interface.lower()
    return word.startswith("loopback") or (word.startswith("lo") and (word[2:] == "" or word[2:].isdigit()))
