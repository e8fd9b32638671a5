"""What to do next: the exact commands, each with its reason."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from watchband.analysis.profile.profile import Profile
from watchband.core.duration import MINUTE, format_duration

BUCKETS = (1, 2, 5, 10, 15, 30, 60, 120, 360, 720, 1440)


@dataclass(frozen=True, slots=True)
class Advice:
    """A command and why."""

    command: str
    why: str


def advice_of(series: Sequence[Profile], paths: Sequence[str], flags: Sequence[str]) -> list[Advice]:
    """Commands for this input, the first one first; for a frame in memory FILE stands for it."""
    usable = [p for p in series if p.values.distinct > 1 and p.values.count >= 30]
    given = list(paths) or ["FILE"]
    reading, why = _reading(usable)
    if not usable:
        wider = shlex.join(["watchband", "profile", *given])
        return [Advice(f"{wider}  # with more of its past", "Nothing here changes, or there is too little of it.")]

    def told(command: str, *more: str, plain: bool = False) -> str:
        return shlex.join(["watchband", command, *given, *flags, *(() if plain else reading), *more])

    found = [Advice(told("detect", "--out", "report"), f"Alerts with their reasons, and charts.{why}")]
    if _some(usable, "budget"):
        found.append(
            Advice(told("backtest", "--baselines", "--out", "backtest"),
                   "What would have alerted, beside simple baselines; add --labels FILE where incidents are known.")
        )  # fmt: skip
    elif len(given) == 1 and (given[0] == "FILE" or PurePath(given[0]).suffix):
        found.append(
            Advice(told("inject", "--random", "5", "--seed", "1", plain=True),
                   "Too short to try a budget on: put known faults in and see which are found.")
        )  # fmt: skip
    if _some(usable, "choose"):
        found.append(Advice(told("tune", "--budget", "1/week", "--out", "tuned"),
                            "A setting that keeps to the alerts you can take, shown on a part held out."))  # fmt: skip
    if _some(usable, "forecast") and not any(p.values.kind in ("counter", "sparse") for p in usable[:1]):
        bucket = _bucket(usable)
        resample = ("--resample", bucket) if bucket else ()
        found.append(Advice(told("forecast", "--horizon", _horizon(usable[0]), *resample, plain=True),
                            "What comes next, beside persistence and the season before."))  # fmt: skip
    if _entities(usable):
        found.append(Advice(told("risk", plain=True), "States of hosts from all their metrics together."))
    return found


def _some(series: Sequence[Profile], use: str) -> bool:
    return any(u.enough == "yes" for p in series for u in p.uses if u.name == use)


def _reading(series: Sequence[Profile]) -> tuple[list[str], str]:
    """Flags that these data want, with the reason."""
    flags, why = [], ""
    counters = [p for p in series if p.values.kind == "counter"]
    if counters and len(counters) == len(series):
        flags.append("--counter")
        why = " It counts up: its gains are judged."
    elif counters:
        why = f" {len(counters)} of {len(series)} series count up; judge them apart, with --value and --counter."
    if bucket := _bucket(series):
        flags += ["--resample", bucket]
        why += f" Readings keep no interval: they are gathered by {bucket}."
    if not counters and all(p.values.low >= 0 and p.values.kind in ("sparse", "whole") for p in series):
        flags += ["--range", "0:"]
        why += " It counts things: below 0 there is nothing."
    return flags, why


def _bucket(series: Sequence[Profile]) -> str:
    odd = [p.spacing.interval for p in series if not p.spacing.even and p.spacing.interval]
    if 2 * len(odd) <= len(series):
        return ""
    least = 4 * sorted(odd)[len(odd) // 2]
    return format_duration(next((m * MINUTE for m in BUCKETS if m * MINUTE >= least), least))


def _horizon(about: Profile) -> str:
    day = 1440 * MINUTE
    if about.spacing.span >= 10 * day:
        return "1d"
    return "1h" if about.spacing.span >= 600 * MINUTE else format_duration(max(10 * about.spacing.interval, 1))


def _entities(series: Sequence[Profile]) -> bool:
    """Whether several metrics speak of one thing that a label names, and several such things are there."""
    metrics: dict[str, set[str]] = {}
    for p in series:
        if p.key.labels:
            metrics.setdefault(str(p.key.entity), set()).add(p.key.metric)
    return sum(len(found) >= 2 for found in metrics.values()) >= 2
