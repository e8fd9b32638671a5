"""Times as flags have them: ``6h`` ago, or ``2026-01-31``."""

from __future__ import annotations

import datetime as dt

from watchband.core.clock import SystemClock
from watchband.core.duration import parse_duration
from watchband.core.errors import ConfigError


def moment(text: str | None, default: int) -> int:
    """ns UTC of a date, a time or a duration before now; ``default`` without a text.

    Raises
    ------
    ConfigError
        Neither.

    Examples
    --------
    >>> moment("1970-01-02", 0), moment("1970-01-01T01:00:00+01:00", 5), moment(None, 7)
    (86400000000000, 0, 7)
    """
    if text is None:
        return default
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        try:
            return SystemClock().now() - parse_duration(text.removesuffix(" ago"))
        except ConfigError:
            raise ConfigError(
                f"Expected a time such as 2026-01-31, 2026-01-31T12:00Z or 6h, which is six hours ago. Got {text!r}."
            ) from None
    found = found if found.tzinfo else found.replace(tzinfo=dt.UTC)
    return round((found - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) / dt.timedelta(microseconds=1)) * 1000
