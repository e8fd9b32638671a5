"""Series whose values are names: what each whole number is called."""

from __future__ import annotations

from collections.abc import Mapping

RISK_STATE = "risk_state"
"""The series of risk: one an entity, given by the service itself."""
LEVELS: Mapping[str, tuple[str, ...]] = {RISK_STATE: ("Idle", "Normal", "High Load", "Critical")}


def level_name(metric: str, value: float) -> str | None:
    """What a value of a metric is called; None where it is a number.

    Examples
    --------
    >>> level_name("risk_state", 3.0), level_name("cpu", 3.0)
    ('Critical', None)
    """
    names = LEVELS.get(metric)
    if names is None or not 0 <= value < len(names):
        return None
    return names[int(value)]
