"""The ``archive`` section: where what was acknowledged is kept for good, and how often it is brought there."""

from __future__ import annotations

from dataclasses import dataclass

from watchband.adapters.archive.manifest import PARTITIONS
from watchband.adapters.objects.address import Address
from watchband.core import params
from watchband.core.duration import DAY, HOUR, MINUTE
from watchband.core.errors import InvalidParameterError
from watchband.core.kinds import Duration
from watchband.core.params import Choice, Flag, Maybe, Text, param


@dataclass(frozen=True, kw_only=True)
class ArchiveSettings:
    """Where readings, marks, alerts and scores are kept for good: Parquet in a bucket or folder, with a manifest."""

    address: str | None = param(
        None,
        Maybe(Text("s3://BUCKET/FOLDER/ or file:///FOLDER/")),
        "The folder; region=, profile=, role_arn= and endpoint_url= behind a `?`; none: there is no archive.",
    )
    every: int = param(HOUR, Duration(MINUTE), "How often what is new is brought there.")
    partition: str = param(
        PARTITIONS[0], Choice(PARTITIONS), "How a new archive parts readings: by date, or by metric and date."
    )
    results: bool = param(True, Flag(), "Scores and bands too, a day after the other.")
    tidy: int = param(DAY, Duration(HOUR), "How often small parts are gathered and what counts no more is removed.")
    keep: int | None = param(None, Maybe(Duration(DAY)), "How long days are kept there; none: for ever.")
    hold: bool = param(True, Flag(), "A reading leaves the live store only when the archive's manifest holds it.")

    def __post_init__(self) -> None:
        params.check(self)
        if self.address is not None:
            found = Address.parse(self.address)
            if not found.template.plain or found.since is not None or found.until is not None:
                raise InvalidParameterError(
                    f"The 'address' parameter of ArchiveSettings must be a folder, without dates and wildcards. Got "
                    f"{self.address!r}."
                )
