"""What a user writes of how long things are kept, the same for every store."""

from __future__ import annotations

from dataclasses import dataclass

from watchband.core import params
from watchband.core.duration import DAY
from watchband.core.errors import InvalidParameterError
from watchband.core.kinds import Duration
from watchband.core.params import Maybe, param


@dataclass(frozen=True, kw_only=True)
class Retention:
    """How long what is kept."""

    raw: int = param(30 * DAY, Duration(DAY), "Readings as they came; a new watch learns from them.")
    hourly: int = param(
        400 * DAY, Duration(DAY), "Least, greatest, mean and count of every hour, anomalies and cut-offs."
    )
    archive: int | None = param(
        None, Maybe(Duration(0)), "Files of readings that left `raw`; none: for ever, 0: there are no files."
    )

    alerts: int | None = param(
        400 * DAY, Maybe(Duration(DAY)), "Alerts after they have ended; open ones always; none: for ever."
    )

    def __post_init__(self) -> None:
        params.check(self)
        if self.hourly < self.raw:
            raise InvalidParameterError(
                "The 'hourly' parameter of Retention must not be shorter than 'raw': roll-ups are made of readings "
                "that leave."
            )
