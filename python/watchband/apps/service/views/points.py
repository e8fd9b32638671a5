"""Points of one series with their bands: what is kept and the last ones in memory, by the hour where they are many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from watchband.adapters.stores.scored.block import ALERTING, Scored
from watchband.apps.service.views.series import column
from watchband.core.duration import HOUR
from watchband.core.errors import ConfigError
from watchband.core.series import SeriesKey

if TYPE_CHECKING:
    from watchband.apps.service.service import Service

POINTS_MAX = 50_000
_NS_MS = 1_000_000
_COLUMNS = ("y", "yhat", "yhat_lower", "yhat_upper", "anomaly_score")


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
        if settings is not None and settings.matches(key):
            return name
    raise ConfigError(f"No watch{f' {watch!r}' if watch else ''} takes the series {key}. See 'match' of the watches.")


def scored(service: Service, watch: str, key: SeriesKey, start: int, end: int) -> Scored:
    """Everything that is kept of a series in a range, in order of time."""
    parts = [service.scores.read(watch, key, start, end)] if service.scores is not None else []
    tail = service.recent.tail(watch, key)
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
                flags=np.where(tail.alerting[picked], ALERTING, 0).astype(np.uint8),
            )
        )
    # What the book says comes last where both have a point: it knows more of it.
    return Scored.merged(parts[::-1])


def points_document(
    service: Service, key: SeriesKey, watch: str | None, start: int, end: int, *, points: int, hourly: bool = False
) -> dict[str, Any]:
    """Columns of a series in a range, thinned to hours where they are more than asked for.

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
    hourly : bool, default False
        Hours, however short the range.
    """
    name = watch_of(service, key, watch)
    found = scored(service, name, key, start, end)
    raw = not hourly and len(found) <= points
    shown = found if raw else by_hour(found)
    return {
        "series": str(key),
        "watch": name,
        "resolution": "raw" if raw else "hourly",
        "times_ms": (shown.time // _NS_MS).tolist(),
        **{c: column(getattr(shown, c)) for c in _COLUMNS},
    }


def by_hour(points: Scored) -> Scored:
    """One point an hour: of anomalous hours the strangest, so that no anomaly is lost, else the mean.

    Examples
    --------
    >>> n = np.arange(120)
    >>> score = np.where(n == 70, 3.0, 0.1)
    >>> one = np.ones(120)
    >>> hours = by_hour(Scored(n * 60_000_000_000, n * 1.0, one, one, one, score, one, np.zeros(120, np.uint8)))
    >>> hours.y.tolist(), hours.anomaly_score.tolist()
    ([29.5, 70.0], [0.1, 3.0])
    """
    if not len(points):
        return points
    hours = points.time // HOUR
    starts = np.flatnonzero(np.r_[True, hours[1:] != hours[:-1]])
    counts = np.diff(np.r_[starts, len(hours)])
    group = np.repeat(np.arange(len(starts)), counts)
    score = np.nan_to_num(points.anomaly_score, nan=-1.0)
    # The first of the strangest of each hour.
    order = np.lexsort((np.arange(len(score)), -score, group))
    peak = order[starts]
    hot = score[peak] > 1

    def mean(values: np.ndarray) -> np.ndarray:
        known = np.isfinite(values)
        total = np.bincount(group, np.where(known, values, 0.0), len(starts))
        n = np.bincount(group, known, len(starts))
        return np.where(n > 0, total / np.maximum(n, 1), np.nan)

    columns = {
        name: np.where(hot, getattr(points, name)[peak], mean(getattr(points, name)))
        for name in ("y", "yhat", "yhat_lower", "yhat_upper")
    }
    return Scored(
        time=points.time[np.where(hot, peak, starts)],
        anomaly_score=np.where(score[peak] < 0, np.nan, score[peak]),
        alert_score=np.maximum.reduceat(np.nan_to_num(points.alert_score), starts),
        flags=np.bitwise_or.reduceat(points.flags, starts),
        **columns,
    )
