"""The ``engine`` section: what it may take, and how often it does what."""

from __future__ import annotations

from dataclasses import dataclass

from watchband.core import params
from watchband.core.duration import DAY, HOUR, SECOND
from watchband.core.kinds import Duration, Size
from watchband.core.params import Integer, param


@dataclass(frozen=True, kw_only=True)
class EngineSettings:
    """What the engine may take, and how often it does what."""

    max_series: int = param(100_000, Integer(1), "Series at a time; of more, those of low priority are not watched.")
    max_memory: int = param(
        4_000_000_000, Size(50_000_000), "Memory of all states; where it is short, series of low priority go first."
    )
    max_waiting: int = param(2_000_000, Integer(1000), "Readings that may wait to be judged.", unit="points")
    snapshot_every: int = param(HOUR, Duration(SECOND), "A watch's state is written at the latest after this time.")
    snapshot_points: int = param(
        1_000_000, Integer(1000), "And after so many points: what a restart folds again.", unit="points"
    )
    snapshot_work: int = param(
        5 * SECOND, Duration(SECOND), "And when a restart would work so long on what came since, as far as that pays."
    )
    idle: int = param(14 * DAY, Duration(60 * SECOND), "A series without a reading for this long is forgotten.")
    keep_scores: int = param(
        7 * DAY, Duration(0), "How long bands and scores of every point are kept for charts; 0: only the last ones."
    )
    max_shadows: int = param(
        4, Integer(0, 100), "Models in shadow at a time: challengers, and former models to roll back to."
    )
    tick: int = param(SECOND, Duration(SECOND // 100, 60 * SECOND), "How often time is told to pushed series.")
    drain: int = param(30 * SECOND, Duration(0), "Time that a shutdown may take to judge and send what waits.")

    def __post_init__(self) -> None:
        params.check(self)
