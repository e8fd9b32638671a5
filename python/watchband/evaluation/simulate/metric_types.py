"""Every kind of metric that can be simulated, by name."""

from __future__ import annotations

from collections.abc import Mapping

from watchband.core.errors import ConfigError, UnknownNameError
from watchband.evaluation.simulate import kinds_load, kinds_machine
from watchband.evaluation.simulate.clock import Clock
from watchband.evaluation.simulate.course import Course, Kind, Own
from watchband.evaluation.simulate.dice import Dice

METRICS: dict[str, Kind] = {
    "cpu": kinds_load.cpu,
    "memory": kinds_machine.memory,
    "latency": kinds_load.latency,
    "requests": kinds_load.requests,
    "sparse": kinds_load.sparse,
    "error_ratio": kinds_load.error_ratio,
    "queue": kinds_load.queue,
    "temperature": kinds_machine.temperature,
    "disk": kinds_machine.disk,
    "counter": kinds_machine.counter,
    "batch": kinds_machine.batch,
    "switch": kinds_machine.switch,
    "constant": kinds_machine.constant,
    "integer": kinds_machine.integer,
    "work": kinds_machine.work,
    "drifting": kinds_machine.drifting,
}


def parse_kind(text: str) -> tuple[str, dict[str, float]]:
    """Name and constants of ``sparse:level=0.3``.

    Raises
    ------
    UnknownNameError, ConfigError
        No such kind, or a constant that is no number.

    Examples
    --------
    >>> parse_kind("sparse:level=0.3")
    ('sparse', {'level': 0.3})
    """
    name, _, rest = text.partition(":")
    if name not in METRICS:
        raise UnknownNameError("kind of metric", name, METRICS)
    given = {}
    for part in filter(None, (p.strip() for p in rest.split(","))):
        key, _, value = part.partition("=")
        try:
            given[key] = float(value)
        except ValueError:
            raise ConfigError(f"A constant of a kind is written NAME=NUMBER. Got {part!r} in {text!r}.") from None
    return name, given


def dice_of(kind: str, seed: int, number: int) -> Dice:
    """The dice of a series."""
    return Dice(seed, kind, number)


def course_of(kind: str, seed: int, number: int, clock: Clock, given: Mapping[str, float] | None = None) -> Course:
    """The course of one series.

    Raises
    ------
    UnknownNameError
        A constant that the kind does not have.
    """
    own = Own(dice_of(kind, seed, number), clock, given or {}, lambda other: dice_of(other, seed, number))
    course = METRICS[kind](own)
    own.check(kind)
    return course


def constants_of(kind: str) -> dict[str, tuple[float, float]]:
    """Constants of a kind, and the range that each is drawn from."""
    own = Own(Dice(0), Clock(), {})
    METRICS[kind](own)
    return own.asked
