"""Names of entities: from the labels of a series."""

from __future__ import annotations

from collections.abc import Sequence

from watchband.core.series import SeriesKey

ALONE = "all"


def entity_of(key: SeriesKey, by: Sequence[str] = ()) -> str | None:
    """Which entity a series belongs to: the values of these labels, or of all; None where it lacks one.

    Examples
    --------
    >>> key = SeriesKey("cpu", {"host": "web-1", "zone": "a"})
    >>> entity_of(key, ["host"]), entity_of(key), entity_of(key, ["pod"]), entity_of(SeriesKey("cpu"))
    ('web-1', 'web-1/a', None, 'all')
    """
    if not by:
        return "/".join(key.labels.values()) or ALONE
    values = [key.labels.get(name, "") for name in by]
    return "/".join(values) if all(values) else None
