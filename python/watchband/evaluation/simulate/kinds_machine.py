"""Kinds of metrics that follow a machine: memory, disk, temperature, counters, jobs, switches, whole numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from watchband.core.points import Float64
from watchband.evaluation.simulate.clock import DAY_SECONDS
from watchband.evaluation.simulate.course import Course, Own, Season
from watchband.evaluation.simulate.dice import BLOCK
from watchband.evaluation.simulate.kinds_load import requests

_HOUR = 3600.0


def memory(own: Own) -> Course:
    """Memory in percent that leaks and falls back at every restart."""
    period = own.number("hours", 20, 60) * _HOUR
    level, climb, noise = own.number("level", 30, 45), own.number("climb", 15, 40), own.number("noise", 0.2, 0.8)
    restarts = own.cycles("restarts", period, 0.06)

    def block(number: int) -> tuple[Float64, Float64]:
        _, since = restarts.at(own.elapsed(number))
        mean = level + climb * since / period
        return mean, mean + noise * own.autoregressive("noise", number, 0.5)

    return Course(block, 0, 100, traits=frozenset({"climbs"}))


def disk(own: Own) -> Course:
    """Space used in percent: fills for days, is cleaned up, and each night some of it is rotated away."""
    period = own.number("days", 6, 20) * DAY_SECONDS
    level, climb = own.number("level", 30, 50), own.number("climb", 20, 45)
    rotated, hour, noise = (
        own.number("rotated", 0.3, 1.2),
        own.number("rotation_hour", 0, 5),
        own.number("noise", 0.02, 0.06),
    )
    cleanings = own.cycles("cleanings", period, 0.08)

    def block(number: int) -> tuple[Float64, Float64]:
        _, since = cleanings.at(own.elapsed(number))
        night = ((own.local(number).second - hour * _HOUR) % DAY_SECONDS) / DAY_SECONDS
        mean = level + climb * since / period + rotated * night
        return mean, mean + noise * own.autoregressive("noise", number, 0.3)

    return Course(block, 0, 100, traits=frozenset({"climbs"}))


def temperature(own: Own) -> Course:
    """Degrees under a duty cycle: cooling on, cooling off; a little warmer by day."""
    period = max(own.number("minutes", 90, 240) * 60, 6 * own.clock.seconds)
    on, level, swing = own.number("on", 0.3, 0.6), own.number("level", 4, 22), own.number("swing", 1.5, 4)
    day, noise = own.number("day", 0, 0.8), own.number("noise", 0.1, 0.25)
    cycles, season = own.cycles("duty", period, 0.03), Season.of(own)

    def block(number: int) -> tuple[Float64, Float64]:
        which, since = cycles.at(own.elapsed(number))
        part = np.minimum(since / cycles.length(which), 1.0)
        cycle = np.where(part < on, 1 - part / on, (part - on) / (1 - on))
        mean = level + swing * cycle + day * season(own.local(number))
        return mean, mean + noise * own.dice.normal("noise", number)

    return Course(block, traits=frozenset({"seasonal"}))


def counter(own: Own) -> Course:
    """Requests since the process began: only ever up, and from 0 again after every restart."""
    rate, swing, days = own.number("per_5m", 200, 5000), own.number("swing", 0.3, 0.6), own.number("days", 2, 9)
    level = rate * own.clock.seconds / 300
    restarts, season = own.cycles("restarts", days * DAY_SECONDS, 0.2), Season.of(own)

    def block(number: int) -> tuple[Float64, Float64]:
        mean = level * np.maximum(1 + swing * season(own.local(number)), 0)
        generator = own.dice.generator("requests", number)
        return mean, generator.poisson(mean * generator.gamma(400, 1 / 400, BLOCK)).astype(np.float64)

    def resets(number: int) -> NDArray[np.bool_]:
        seconds = own.elapsed(number)
        which, _ = restarts.at(np.concatenate([[seconds[0] - own.clock.seconds], seconds]))
        return np.asarray(np.diff(which) > 0)

    return Course(block, 0, whole=True, traits=frozenset({"seasonal"}), resets=resets)


def batch(own: Own) -> Course:
    """Megabytes a second of a job that runs once a day, nearly nothing otherwise."""
    hour, minutes = own.number("hour", 0.5, 5), own.number("minutes", 25, 70)
    level, idle, late = own.number("level", 80, 400), own.number("idle", 0.2, 1.5), own.number("late_minutes", 1, 6)
    length = max(minutes * 60, 1.5 * own.clock.seconds)

    def block(number: int) -> tuple[Float64, Float64]:
        local = own.local(number)
        # Days as the job counts them: a run may end after midnight.
        begin = local.second - hour * _HOUR
        day = local.day - (begin < 0)
        begin = np.where(begin < 0, begin + DAY_SECONDS, begin) - 60 * late * own.dice.uniform_at("late", day)
        runs = (begin >= 0) & (begin < length * (1 + 0.08 * np.clip(own.dice.normal_at("length", day), -2, 2)))
        mean = np.where(runs, level * (1 + 0.05 * own.dice.normal_at("level", day)), idle)
        spread = np.where(runs, 0.06 * level, 0.25 * idle)
        return mean, np.maximum(mean + spread * own.dice.normal("noise", number), 0)

    return Course(block, 0, traits=frozenset({"seasonal", "floor", "jobs"}))


def switch(own: Own) -> Course:
    """Watts of a device that is on or off: a compressor, a pump."""
    period = max(own.number("minutes", 40, 120) * 60, 6 * own.clock.seconds)
    on, level, noise = own.number("on", 0.3, 0.6), own.number("level", 60, 900), own.number("noise", 0.01, 0.03)
    cycles = own.cycles("cycles", period, 0.06)

    def block(number: int) -> tuple[Float64, Float64]:
        which, since = cycles.at(own.elapsed(number))
        runs = since < period * on * (1 + 0.05 * np.clip(own.dice.normal_at("length", which), -2, 2))
        mean = np.where(runs, level, 0.0)
        return mean, np.where(runs, np.maximum(level + noise * level * own.dice.normal("noise", number), 0), 0.0)

    return Course(block, 0, traits=frozenset({"floor", "steps"}))


def constant(own: Own) -> Course:
    """A number that never changes, such as a limit or a version."""
    mean = np.full(BLOCK, float(np.round(own.number("level", 1, 100))))
    return Course(lambda number: (mean, mean), traits=frozenset({"still", "steps"}))


def integer(own: Own) -> Course:
    """A small whole number that seldom moves, as of replicas or connections."""
    level, every = np.round(own.number("level", 4, 30)), own.number("points", 100, 400)
    share = own.number("share", 0.1, 0.3)

    def block(number: int) -> tuple[Float64, Float64]:
        slot = (np.arange(number * BLOCK, (number + 1) * BLOCK) // int(every)).astype(np.int64)
        drawn = own.dice.uniform_at("steps", slot)
        mean = np.maximum(level + np.where(drawn < share / 2, -1.0, np.where(drawn > 1 - share / 2, 1.0, 0.0)), 0)
        return mean, mean

    return Course(block, 0, whole=True, traits=frozenset({"still", "steps"}))


def work(own: Own) -> Course:
    """CPU seconds spent on the requests of the series ``requests`` of the same seed and number: goes with them."""
    asked = requests(own.beside("requests"))
    cost, idle, noise = own.number("cost", 0.01, 0.05), own.number("idle", 0.5, 2), own.number("noise", 0.02, 0.05)

    def block(number: int) -> tuple[Float64, Float64]:
        mean, values = asked.block(number)
        noisy = values * (1 + noise * own.dice.normal("noise", number))
        return idle + cost * mean, np.maximum(idle + cost * noisy, 0)

    return Course(block, 0, traits=frozenset({"seasonal", "related"}))


def drifting(own: Own) -> Course:
    """Nearly a random walk, as of a price or a connection pool: waves of every length, the longer the larger."""
    level, step = own.number("level", 50, 500), own.number("step", 0.15, 1.5)

    def block(number: int) -> tuple[Float64, Float64]:
        index = np.arange(number * BLOCK, (number + 1) * BLOCK, dtype=np.int64)
        values = np.full(BLOCK, level)
        for octave in range(10):
            width = 4**octave
            knot = index // width
            part = (index - knot * width) / width
            low, high = (own.dice.normal_at(f"waves {octave}", k) for k in (knot, knot + 1))
            values = values + 0.6 * step * 2**octave * (low + part * (high - low))
        return values, values

    return Course(block, traits=frozenset({"wanders"}))
