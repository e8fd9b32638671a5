"""The band of one series beyond its last point, and how far that can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from watchband.apps.service.status import instant
from watchband.apps.service.views.numbers import column, finite
from watchband.apps.service.views.points import scored, watch_of
from watchband.core.duration import WEEK, format_duration
from watchband.core.errors import ConfigError
from watchband.core.series import SeriesKey
from watchband.pipeline.outlook import Outlook, Standing, look_ahead, standing

if TYPE_CHECKING:
    from watchband.apps.service.service import Service

HORIZON_MAX = 8 * WEEK
HISTORY = 8 * WEEK
"""What is read of the kept points to try the forecast on."""
_NS_MS = 1_000_000


def forecast_document(
    service: Service, key: SeriesKey, watch: str | None, *, horizon: int | None, until: int | None
) -> dict[str, Any]:
    """Columns of a series beyond its last point.

    Parameters
    ----------
    service : Service
        Whose.
    key, watch : SeriesKey, str or None
        Which series, under which watch.
    horizon : int, optional
        How far behind the last point, ns.
    until : int, optional
        Up to when, ns UTC; one of the two is given.

    Raises
    ------
    ConfigError
        No watch has the series, or the horizon is none.
    """
    name = watch_of(service, key, watch)
    # The states stand still only between two entries: a copy of one row is taken there, and looked at afterwards.
    known = service.look(lambda: _standing(service, name, key))
    if known is None:
        return _document(key, name, Outlook.none(f"The watch {name!r} has not seen a point of this series yet."))
    length = horizon if horizon is not None else (until or 0) - known.last
    if length > HORIZON_MAX:
        raise ConfigError(f"A forecast reaches {format_duration(HORIZON_MAX)} at most. Got {format_duration(length)}.")
    if length <= 0:
        return _document(key, name, Outlook.none("That is not behind the last point."))
    kept = scored(service, name, key, known.last - HISTORY, known.last + 1)
    return _document(key, name, look_ahead(known, length, kept.time, kept.y))


def _standing(service: Service, name: str, key: SeriesKey) -> Standing | None:
    shard = service.engine.shard
    lane = shard.lanes.get(name) if shard is not None else None
    return standing(lane.bound.watch, lane.state, key) if lane is not None else None


def _document(key: SeriesKey, watch: str, found: Outlook) -> dict[str, Any]:
    return {
        "series": str(key),
        "watch": watch,
        "last": instant(found.last),
        "until": instant(int(found.times[-1])) if len(found.times) else None,
        "sees_s": found.sees // 1_000_000_000,
        "tried": found.tried,
        "error": finite(found.error),
        "persistence_error": finite(found.persistence),
        "says": found.says,
        "times_ms": (found.times // _NS_MS).tolist(),
        "yhat": column(found.expected),
        "yhat_lower": column(found.lower),
        "yhat_upper": column(found.upper),
    }
