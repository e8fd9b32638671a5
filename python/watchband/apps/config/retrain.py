"""``retrain`` of a watch: when it gets a challenger, how long that stays in shadow, and what it must do to judge."""

from __future__ import annotations

from dataclasses import dataclass

from watchband.core import params
from watchband.core.duration import DAY, HOUR, MINUTE
from watchband.core.kinds import Duration, ListOf
from watchband.core.params import Choice, Integer, Maybe, Real, param
from watchband.pipeline.drift import MONITORS


@dataclass(frozen=True)
class RetrainSettings:
    """When a watch gets a challenger, and by which rule that comes to judge."""

    every: int | None = param(None, Maybe(Duration(HOUR)), "Start one so often; omitted: never by the clock.")
    on_drift: tuple[str, ...] = param((), ListOf(Choice(MONITORS)), "Start one when a monitor of these says drift.")
    drifting: int = param(1, Integer(1), "Series that must drift by one of them.", unit="series")
    learned: str = param(
        "all", Choice(("all", "cutoff")), "What it learns anew: everything, or only the cut-off from scores on."
    )
    history: int = param(30 * DAY, Duration(HOUR), "How far back it learns.")
    shadow: int = param(7 * DAY, Duration(MINUTE), "How long it stays in shadow before it is judged.")
    approval: str = param(
        "required", Choice(("required", "none")), "Whether a person promotes it once the rule allows that."
    )
    gain: float = param(0.1, Real(0, 1), "Share of the false alerts that it must spare at least.")
    level: float = param(0.95, Real(0.5, 1, True, True), "Of the interval that must exclude zero.")
    off: float = param(0.03, Real(0, 1, True), "How much farther off nominal its coverage may be.")
    keep: int = param(7 * DAY, Duration(0), "How long the former model stays in shadow, to roll back to.")

    def __post_init__(self) -> None:
        params.check(self)
