"""What a user writes of sources that are pushed to: they open nothing, the server hands their points over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from watchband.core import params
from watchband.core.duration import HOUR, MINUTE
from watchband.core.kinds import Duration
from watchband.core.params import Maybe, param


@dataclass(frozen=True, kw_only=True)
class PushSettings:
    """Points that programs send to ``POST /api/v1/points``: JSON, JSON Lines, Arrow, Influx line protocol."""

    kind: ClassVar[str] = "push"
    pushed: ClassVar[bool] = True

    lateness: int = param(0, Duration(0), "How long after its time a point may still come and be judged in order.")
    history: int | None = param(
        HOUR,
        Maybe(Duration(MINUTE)),
        "Points that are older when they come are judged, but told to nobody; none: all are news.",
    )

    def __post_init__(self) -> None:
        params.check(self)


@dataclass(frozen=True, kw_only=True)
class RemoteWriteSettings(PushSettings):
    """What a Prometheus or VictoriaMetrics sends to ``POST /api/v1/write``, remote write 1 and 2."""

    kind: ClassVar[str] = "remote_write"
