"""Words: when a threshold is reached, in a sentence for people."""

from __future__ import annotations

import math

from watchband.core import wording
from watchband.core.duration import DAY, HOUR, MINUTE, SECOND
from watchband.pipeline.breach.passage import Passage

_UNITS = ((DAY, "days", 2 * DAY), (HOUR, "hours", 2 * HOUR), (MINUTE, "minutes", 2 * MINUTE), (SECOND, "seconds", 0))


def lengths(values: list[float]) -> tuple[list[str], str]:
    """Lengths of time in one unit that suits the largest, two digits each, and the unit.

    Examples
    --------
    >>> lengths([2.3 * DAY, 1.84 * DAY])
    (['2.3', '1.8'], 'days')
    """
    most = max((v for v in values if math.isfinite(v)), default=0.0)
    size, unit = next((size, unit) for size, unit, least in _UNITS if most >= least)
    return [_two(v / size) for v in values], unit


def _two(value: float) -> str:
    """Two digits; whole numbers in full."""
    return wording.number(round(value), 15) if abs(value) >= 10 else wording.number(value, 2)


def told(metric: str, found: Passage, step: int) -> str:
    """When a threshold is reached: "reaches 95 % in 2.3 days (90 % interval 1.8–3.1)".

    Parameters
    ----------
    metric : str
        Its name tells the unit.
    found : Passage
        In steps.
    step : int
        Of one step, ns.

    Examples
    --------
    >>> told("used_percent", Passage(95.0, 1, 55.0, 43.0, 74.0, 1.0, 0.9, 96), HOUR).replace(wording.NO_BREAK, " ")
    'reaches 95 % in 2.3 days (90 % interval 1.8–3.1)'
    >>> told("depth", Passage(5.0, -1, math.inf, 80.0, math.inf, 0.12, 0.9, 96), HOUR).replace(wording.NO_BREAK, " ")
    'is not expected to fall to 5 within 4 days (chance 12 %)'
    """
    share = f"{100 * found.level:g}{wording.NO_BREAK}%"
    chance = f"{wording.number(100 * found.chance, 2)}{wording.NO_BREAK}%"
    verbs = ("reaches", "reach") if found.side > 0 else ("falls to", "fall to")
    at, space = wording.quantity(metric, found.threshold), wording.NO_BREAK
    if not math.isfinite(found.steps):
        (text,), unit = lengths([float(found.horizon * step)])
        if not found.chance:
            return f"does not {verbs[1]} {at} within {text}{space}{unit} in any of the trials"
        return f"is not expected to {verbs[1]} {at} within {text}{space}{unit} (chance {chance})"
    if not math.isfinite(found.high):
        (text, low, last), unit = lengths([found.steps * step, found.low * step, float(found.horizon * step)])
        return (
            f"{verbs[0]} {at} in {text}{space}{unit} ({share} interval from {low} to beyond the {last} looked at; "
            f"chance within them {chance})"
        )
    (text, low, high), unit = lengths([found.steps * step, found.low * step, found.high * step])
    return f"{verbs[0]} {at} in {text}{space}{unit} ({share} interval {wording.span(low, high)})"
