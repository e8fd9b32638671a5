"""What a user may say about a table, and the limits that keep reading bounded."""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass

from watchband.core.errors import ConfigError, InvalidParameterError, UnknownNameError

FORMATS = ("csv", "jsonl", "json", "prometheus", "parquet")

BATCH_VALUES_MAX = 65_536
"""Values in one batch; a wide table gives fewer rows at a time."""
BLOCK_BYTES = 2 << 20
"""Text read and parsed at a time."""
LINE_BYTES_MAX = 1 << 20
"""A line longer than this is not a row of metrics."""
COLUMNS_MAX = 10_000
"""Columns of one table."""
SERIES_MAX = 100_000
"""Series of one call, over all files."""
SORT_VALUES_MAX = 50_000_000
"""Values that may be held in memory (40 bytes each) to put one file in time order."""
ELEMENT_BYTES_MAX = 256 << 20
"""Text of one series in a JSON document."""
EXPANSION_MAX = 200
"""Bytes that a compressed byte may become; more is a bomb, not a table of metrics."""
EXAMPLES_MAX = 3
"""Bad cells named one by one; the rest is only counted."""


@dataclass(frozen=True, slots=True)
class Hints:
    """What the user says about the files instead of leaving it to be found.

    Parameters
    ----------
    format : str, optional
        ``csv`` (any delimited text), ``jsonl``, ``json`` (an array of objects; also ``prometheus``) or ``parquet``;
        else found from the content.
    time : str, optional
        Name of the time column.
    values : tuple of str, default ()
        The value columns; no other column becomes a metric. Also the way to read a column of ground truth.
    labels : tuple of str, default ()
        The label columns; no other column becomes a label.
    metric : str, optional
        Metric name of the value column. Needs a table with one value column.
    timezone : str, default "UTC"
        IANA zone of times that carry none.
    interval_ns : int, optional
        Nanoseconds between rows, for tables whose times are row numbers or that have no time column.
    start_ns : int, default 0
        Time of row number 0, nanoseconds since 1970 UTC. Only with ``interval_ns``.
    day_first : bool, optional
        Dates such as ``3/4/2025`` are 3 April (True) or 4 March (False); else found.

    Raises
    ------
    ConfigError
        Unknown format or zone, an interval that is not positive.
    """

    format: str | None = None
    time: str | None = None
    values: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    metric: str | None = None
    timezone: str = "UTC"
    interval_ns: int | None = None
    start_ns: int = 0
    day_first: bool | None = None

    def __post_init__(self) -> None:
        if self.format is not None and self.format not in FORMATS:
            raise UnknownNameError("file format", self.format, FORMATS)
        if self.interval_ns is not None and self.interval_ns <= 0:
            raise InvalidParameterError(
                f"The interval between rows must be > 0 nanoseconds. Got {self.interval_ns}; write --interval 5m."
            )
        try:
            zoneinfo.ZoneInfo(self.timezone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            raise ConfigError(
                f"Unknown time zone {self.timezone!r}. Expected an IANA name such as Europe/Dublin or UTC."
            ) from None
