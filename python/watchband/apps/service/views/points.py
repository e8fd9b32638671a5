"""Points of one series with their bands: what is kept and the last ones in memory, gathered where they are many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from watchband.adapters.stores.scored.block import ALERTING, Scored
from watchband.adapters.stores.scored.buckets import Buckets, of_points
from watchband.apps.service.besides import under
from watchband.apps.service.views.buckets import WIDTHS, behind, of_rollups
from watchband.apps.service.views.numbers import column
from watchband.core.duration import HOUR
from watchband.core.errors import ConfigError
from watchband.core.series import SeriesKey
from watchband.pipeline.bound import END

if TYPE_CHECKING:
    from watchband.apps.service.recent import Recent
    from watchband.apps.service.service import Service

POINTS_MAX = 50_000
_NS_MS = 1_000_000
_COLUMNS = ("y", "yhat", "yhat_lower", "yhat_upper", "anomaly_score")
_SPREAD = ("y_min", "y_max", "anomalies")


def watch_of(service: Service, key: SeriesKey, watch: str | None) -> str:
    """The watch under which a series is shown: the one that is named, else the first that has it.

    Raises
    ------
    ConfigError
        No watch has the series.
    """
    names = [watch] if watch is not None else list(service.config.watches)
    for name in names:
        settings = service.config.watches.get(name)
        if settings is not None and settings.shows(key):
            return name
    raise ConfigError(f"No watch{f' {watch!r}' if watch else ''} takes the series {key}. See 'match' of the watches.")


def shown_under(service: Service, key: SeriesKey, watch: str | None) -> str:
    """Like ``watch_of``; a series that is only judged together with others is shown under the watch that joins it.

    Raises
    ------
    ConfigError
        No watch has the series.
    """
    try:
        return watch_of(service, key, watch)
    except ConfigError:
        for name in [watch] if watch is not None else list(service.config.watches):
            if (settings := service.config.watches.get(name)) is not None and settings.matches(key):
                return name
        raise


def columns_of(service: Service, watch: str, key: SeriesKey) -> list[SeriesKey]:
    """The series that a watch judges together with this one, in its order; none where it judges it by itself."""
    settings = service.config.watches.get(watch)
    return [SeriesKey(name, key.labels) for name in settings.columns] if settings is not None else []


def _kept_at(service: Service, watch: str, key: SeriesKey) -> tuple[Recent, str]:
    """The rings that a series of a watch is in, and what the watch is called there."""
    columns = columns_of(service, watch, key)
    if key in columns[1:]:
        return service.besides.recent, under(watch, key.metric)
    return service.recent, watch


def scored(service: Service, watch: str, key: SeriesKey, start: int, end: int) -> Scored:
    """Everything that is kept of a series in a range, in order of time."""
    recent, name = _kept_at(service, watch, key)
    parts = [service.scores.read(name, key, start, end)] if service.scores is not None else []
    tail = recent.tail(name, key)
    if tail is not None:
        picked = (tail.time >= start) & (tail.time < end)
        parts.append(
            Scored(
                time=tail.time[picked],
                y=tail.y[picked],
                yhat=tail.yhat[picked],
                yhat_lower=tail.yhat_lower[picked],
                yhat_upper=tail.yhat_upper[picked],
                anomaly_score=tail.anomaly_score[picked],
                alert_score=np.zeros(int(picked.sum())),
                counted_score=tail.anomaly_score[picked],
                flags=np.where(tail.alerting[picked], ALERTING, 0).astype(np.uint8),
            )
        )
    # What the book says comes last where both have a point: it knows more of it.
    return Scored.merged(parts[::-1])


def points_document(
    service: Service, key: SeriesKey, watch: str | None, start: int, end: int, *, points: int, resolution: str = "auto"
) -> dict[str, Any]:
    """Columns of a series in a range, gathered to hours, days or weeks where they are more than asked for.

    Parameters
    ----------
    service : Service
        Whose.
    key, watch : SeriesKey, str or None
        Which series, under which watch.
    start, end : int
        ns UTC, the end not in it.
    points : int
        Most points wanted.
    resolution : {"auto", "hourly", "daily", "weekly", "monthly"}
        At least as wide; wider where there would be too many.
    """
    name = shown_under(service, key, watch)
    found = scored(service, name, key, start, end)
    old = hours_before(service, name, key, start, end)
    if resolution == "auto" and not len(old) and len(found) <= points:
        return _document(service, key, name, "raw", {c: getattr(found, c) for c in ("time", *_COLUMNS)})
    hours = behind(old, of_points(found).gathered(HOUR), HOUR)
    names = list(WIDTHS)
    resolution = max(resolution, "hourly", key=names.index) if resolution in names else "hourly"
    shown = hours.gathered(WIDTHS[resolution])
    while len(shown) > points and resolution != names[-1]:
        resolution = names[names.index(resolution) + 1]
        shown = hours.gathered(WIDTHS[resolution])
    return _document(service, key, name, resolution, {c: getattr(shown, c) for c in ("time", *_COLUMNS, *_SPREAD)})


def hours_before(service: Service, watch: str, key: SeriesKey, start: int, end: int) -> Buckets:
    """Hours of a series whose points are no longer kept, as far as they are known: with bands, before them values."""
    old = of_rollups(service.store.rolled(key, max(start, -END), min(end, END)))
    if service.scores is None:
        return old
    return behind(old, service.scores.hours(_kept_at(service, watch, key)[1], key, start, end), HOUR)


def _document(
    service: Service, key: SeriesKey, watch: str, resolution: str, columns: dict[str, np.ndarray]
) -> dict[str, Any]:
    together = columns_of(service, watch, key)
    return {
        "series": str(key),
        "watch": watch,
        **({"join": [str(one) for one in together]} if together else {}),
        "resolution": resolution,
        "times_ms": (columns.pop("time") // _NS_MS).tolist(),
        **{c: values.tolist() if values.dtype.kind == "i" else column(values) for c, values in columns.items()},
    }
