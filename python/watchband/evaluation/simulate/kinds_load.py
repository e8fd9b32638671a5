"""Kinds of metrics that follow what people ask of a system: load, latency, requests, errors, queues."""

from __future__ import annotations

import numpy as np

from watchband.core.points import Float64
from watchband.evaluation.simulate.course import Course, Own, Season
from watchband.evaluation.simulate.dice import BLOCK

_SEASONAL = frozenset({"seasonal"})
_FLOOR = frozenset({"floor", "still"})
_FIVE_MINUTES = 300.0


def cpu(own: Own) -> Course:
    """Utilisation in percent with day and week, noise that remembers."""
    level, swing, noise = own.number("level", 25, 50), own.number("swing", 8, 18), own.number("noise", 1.5, 4)
    season = Season.of(own)

    def block(number: int) -> tuple[Float64, Float64]:
        mean = np.clip(level + swing * season(own.local(number)), 0, 100)
        return mean, np.clip(mean + noise * own.autoregressive("noise", number, 0.6), 0, 100)

    return Course(block, 0, 100, traits=_SEASONAL)


def latency(own: Own) -> Course:
    """Milliseconds with a heavy tail: log-normal, and one in a few hundred slower by a power law."""
    level, swing = own.number("level", 40, 300), own.number("swing", 0, 0.3)
    spread, slow = own.number("spread", 0.1, 0.3), own.number("slow_one_in", 200, 400)
    season = Season.of(own)

    def block(number: int) -> tuple[Float64, Float64]:
        mean = level * (1 + swing * season(own.local(number)))
        values = mean * np.exp(spread * own.dice.normal("noise", number))
        tail = (1 - own.dice.uniform("tail", number)) ** (-1 / 2.5)
        return mean, np.where(own.dice.uniform("slow", number) < 1 / slow, values * tail, values)

    return Course(block, 0, traits=_SEASONAL)


def requests(own: Own) -> Course:
    """Requests an interval with day and week; in short intervals few or none."""
    rate, swing = own.number("per_5m", 50, 2000), own.number("swing", 0.3, 0.7)
    level = own.given.get("level", rate * own.clock.seconds / _FIVE_MINUTES)
    own.asked["level"] = (0, 0)
    season = Season.of(own)

    def block(number: int) -> tuple[Float64, Float64]:
        mean = level * np.maximum(1 + swing * season(own.local(number)), 0)
        generator = own.dice.generator("requests", number)
        return mean, generator.poisson(mean * generator.gamma(400, 1 / 400, BLOCK)).astype(np.float64)

    return Course(block, 0, whole=True, traits=_SEASONAL if level > 20 else _SEASONAL | {"floor"})


def sparse(own: Own) -> Course:
    """Rare events: mostly none in an interval."""
    level = own.number("level", 0.1, 0.6)
    mean = np.full(BLOCK, level)

    def block(number: int) -> tuple[Float64, Float64]:
        return mean, own.dice.generator("events", number).poisson(mean).astype(np.float64)

    return Course(block, 0, whole=True, traits=_FLOOR | {"steps"})


def error_ratio(own: Own) -> Course:
    """Share of failed requests, noisier where requests are few."""
    asked, swing, level = (
        own.number("requests", 200, 1500),
        own.number("swing", 0.3, 0.6),
        own.number("level", 0.005, 0.04),
    )
    season = Season.of(own)

    def block(number: int) -> tuple[Float64, Float64]:
        generator = own.dice.generator("errors", number)
        count = np.maximum(generator.poisson(asked * np.maximum(1 + swing * season(own.local(number)), 0)), 1)
        return np.full(BLOCK, level), generator.binomial(count, level) / count

    return Course(block, 0, 1, traits=frozenset({"floor"}))


def queue(own: Own) -> Course:
    """Depth of a queue that is mostly near empty and sometimes busy."""
    load, served = own.number("load", 0.5, 0.8), own.number("served", 8, 12)
    usual = load / (1 - load)

    def changes(number: int) -> Float64:
        generator = own.dice.generator("queue", number)
        came = generator.poisson(served * load, BLOCK)
        return (came - generator.poisson(served, BLOCK)).astype(np.float64)

    def block(number: int) -> tuple[Float64, Float64]:
        # It is empty again and again, and then what was before no longer matters.
        depth = np.cumsum(np.concatenate([changes(number - 1), changes(number)]))
        depth = depth - np.minimum(np.minimum.accumulate(depth), 0)
        return np.full(BLOCK, usual), depth[BLOCK:]

    return Course(block, 0, whole=True, traits=_FLOOR)
