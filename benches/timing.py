"""How a bench measures: runs of all cases of a group take turns, the time is that of the process on the CPU.

Taking turns spreads a slow minute of the machine over all cases, so that ratios hold where absolute figures do not.
"""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """One thing to measure.

    Parameters
    ----------
    group : str
        Cases of one group do the same work and are compared with its first.
    name : str
        Who does it.
    work : callable
        One run of it, from the same start each time.
    points : int
        Points (or rows) that one run handles.
    series_bytes : int or None
        Bytes a series that it declares to keep between points.
    note : str
        What the figure leaves out or adds.
    """

    group: str
    name: str
    work: Callable[[], object]
    points: int
    series_bytes: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Measured:
    """A case and the CPU seconds of its runs."""

    case: Case
    seconds: tuple[float, ...]

    @property
    def best(self) -> float:
        """Seconds of the quickest run: what the work costs when nothing disturbs it."""
        return min(self.seconds)

    @property
    def middle(self) -> float:
        """Seconds of the median run."""
        return statistics.median(self.seconds)

    @property
    def ns_per_point(self) -> float:
        """Nanoseconds a point in the quickest run."""
        return self.best / self.case.points * 1e9


def measure(cases: Sequence[Case], runs: int) -> list[Measured]:
    """Run every case once to warm it up, then ``runs`` times in turns with the others of its group."""
    measured: list[Measured] = []
    for group in dict.fromkeys(case.group for case in cases):
        members = [case for case in cases if case.group == group]
        seconds: list[list[float]] = [[] for _ in members]
        for run in range(runs + 1):
            for case, into in zip(members, seconds, strict=True):
                started = time.process_time()
                case.work()
                if run:
                    into.append(time.process_time() - started)
        measured += [Measured(case, tuple(s)) for case, s in zip(members, seconds, strict=True)]
    return measured


def machine() -> dict[str, str]:
    """The class of the machine: processor, cores, Python. Nothing that names it."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.partition(":")[2] for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0].strip() if names else model
    return {"cpu": model, "cores": str(os.cpu_count()), "python": platform.python_version()}


def ratio(item: Measured, measured: Sequence[Measured]) -> float:
    """Time a point in times of the group's first case."""
    first = next(m for m in measured if m.case.group == item.case.group)
    return item.ns_per_point / max(first.ns_per_point, 1e-9)


def report(measured: Sequence[Measured]) -> str:
    """A table for people, group by group."""
    lines = []
    width = max(len(m.case.name) for m in measured)
    for group in dict.fromkeys(m.case.group for m in measured):
        lines += ["", group, f"  {'':{width}}    points/s  ns/point  median     ratio  bytes/series"]
        for m in measured:
            if m.case.group == group:
                size = "" if m.case.series_bytes is None else f"{m.case.series_bytes:,}"
                middle = m.middle / m.case.points * 1e9
                speed = m.case.points / max(m.best, 1e-9)
                lines.append(
                    f"  {m.case.name:{width}}  {speed:>10,.0f}  {m.ns_per_point:>8,.1f}  {middle:>6,.1f}  "
                    f"{ratio(m, measured):>8.2f}  {size:>12}  {m.case.note}".rstrip()
                )
    return "\n".join(lines).lstrip("\n")


PEERS = ("krcf", "rrcf", "river", "pysad", "stumpy", "bottleneck", "pandas", "numpy")
"""Packages whose cases stand beside Watchband's."""


def beside(measured: Sequence[Measured]) -> str:
    """Every peer in one table, each beside the first case of its group: the same work in the same run."""
    rows = []
    for m in measured:
        package, _, what = m.case.name.partition(" ")
        first = next(other for other in measured if other.case.group == m.case.group)
        package = package.rstrip(",")
        if package in PEERS and first.case.name.startswith("watchband"):
            ours = first.case.name.removeprefix("watchband").strip(" ,") or "watchband"
            rows.append((PEERS.index(package), package, what, ours, first, m))
    if not rows:
        return ""
    lines = ["peers, each beside the same work in the same run: CPU time a point, theirs / ours", ""]
    for _, package, what, ours, first, m in sorted(rows, key=lambda row: row[0]):
        times = m.ns_per_point / max(first.ns_per_point, 1e-9)
        costs = f"{m.ns_per_point:>12,.0f} ns  {first.ns_per_point:>10,.0f} ns  {times:>9,.2f} x"
        lines.append(f"  {package:10} {what:38} {costs}  {ours}: {m.case.group}")
    return "\n".join(lines)


def records(measured: Sequence[Measured]) -> list[dict[str, object]]:
    """The same for machines."""
    return [
        {
            "group": m.case.group,
            "name": m.case.name,
            "points": m.case.points,
            "runs": len(m.seconds),
            "ns_per_point_min": m.ns_per_point,
            "ns_per_point_median": m.middle / m.case.points * 1e9,
            "ratio": ratio(m, measured),
            "series_bytes": m.case.series_bytes,
            "note": m.case.note,
        }
        for m in measured
    ]
