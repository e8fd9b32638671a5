"""Series as a list: filtered, sorted, each with its last point, its band and its state."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from watchband.apps.service.entities import series_states
from watchband.apps.service.recent import Tail
from watchband.apps.service.status import instant, lanes_of
from watchband.apps.service.views.numbers import column, finite
from watchband.apps.service.views.page import Page, page_of
from watchband.core.duration import SECOND
from watchband.core.matcher import Selector
from watchband.core.series import SeriesKey
from watchband.pipeline.decide import NEVER
from watchband.pipeline.series_states import Readiness, SeriesState

if TYPE_CHECKING:
    from watchband.apps.service.service import Service

STATES = ("OK", "ALARM", "INSUFFICIENT_DATA", "NO_DATA")
SORTS = ("name", "-score", "score", "-time")
SPARK_POINTS = 180
_NS_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which series: every condition that is given holds.

    Parameters
    ----------
    selector : Selector
        By name and labels.
    text : sequence of str
        Each is part of the series' text, whatever its case.
    watches, states, risks : collection of str
        Any of these; empty: all. ``risks`` are states of the entity that a series belongs to.
    score, value : (float, float)
        Lowest and highest, infinite where open.
    """

    selector: Selector = field(default_factory=lambda: Selector("*"))
    text: Sequence[str] = ()
    watches: Collection[str] = ()
    states: Collection[str] = ()
    risks: Collection[str] = ()
    score: tuple[float, float] = (-math.inf, math.inf)
    value: tuple[float, float] = (-math.inf, math.inf)

    def takes(self, row: Row) -> bool:
        """Whether a series is meant."""
        return (
            (not self.watches or row.watch in self.watches)
            and (not self.states or row.state in self.states)
            and (not self.risks or row.risk in self.risks)
            and _within(row.last["anomaly_score"], self.score)
            and _within(row.last["y"], self.value)
            and self.selector.matches(row.key)
            and all(part in row.text.lower() for part in self.text)
        )


def _within(value: float, ends: tuple[float, float]) -> bool:
    return ends == (-math.inf, math.inf) or ends[0] <= value <= ends[1]


@dataclass(frozen=True, slots=True)
class Row:
    """One series under one watch with its last point.

    ``ready``: when its first verdict comes, ns UTC, if it learns. ``risk``: the state of its entity, if it has one.
    """

    watch: str
    key: SeriesKey
    text: str
    state: str
    last: Mapping[str, float]
    ready: int = NEVER
    risk: str | None = None

    @property
    def score(self) -> float:
        """The last anomaly_score; below all others where there is none."""
        score = self.last["anomaly_score"]
        return -1.0 if math.isnan(score) else score


def rows(service: Service) -> list[Row]:
    """Every series under every watch, with its state and its last point if one is in memory; not to be changed.

    Found once for all that ask, until something changes.
    """
    # States go by the clock as well: a series that is silent for long has no data.
    second = service.clock.now() // SECOND
    return service.shared.found("rows", service.recent.series, lambda: _rows(service), besides=second)


def _rows(service: Service) -> list[Row]:
    def look() -> list[tuple[str, list[SeriesKey], Any, Readiness]]:
        return [
            (name, list(lane.state.keys), lane.bound.watch.states(lane.state), lane.bound.watch.readiness(lane.state))
            for name, lane in lanes_of(service).items()
        ]

    found = []
    risk_of = series_states(service)
    for name, keys, states, ready in service.look(look):
        last = {key: point for key, point in service.recent.newest(name)}  # noqa: C416 - it has keys, and is no mapping
        named = [_NAMES[state] for state in states.tolist()]
        moments = np.where(ready.left, ready.at, NEVER).tolist()
        for key, state, moment in zip(keys, named, moments, strict=True):
            risk = risk_of(key) if risk_of is not None else None
            found.append(Row(name, key, _text(key), state, last.get(key, _NOTHING), moment, risk))
    return found


_NAMES = {int(state): state.name for state in SeriesState}


@functools.lru_cache(maxsize=100_000)
def _text(key: SeriesKey) -> str:
    return str(key)


_NOTHING: dict[str, float] = {
    **dict.fromkeys(("y", "yhat", "yhat_lower", "yhat_upper", "anomaly_score", "confidence"), math.nan),
    "time": 0,
}


_FIRST: dict[str, Callable[[Row], float]] = {
    "name": lambda row: 0.0,
    "-score": lambda row: -row.score,
    "score": lambda row: row.score,
    "-time": lambda row: -row.last["time"],
}


def series_page(
    service: Service,
    wanted: Wanted,
    *,
    sort: str = "name",
    limit: int = 100,
    cursor: str | None = None,
    spark: int = 0,
    spark_points: int = SPARK_POINTS,
) -> Page[dict[str, Any]]:
    """A page of series.

    Parameters
    ----------
    service : Service
        Whose.
    wanted : Wanted
        Which.
    sort : {"name", "-score", "score", "-time"}
        In which order; equal ones by name.
    limit : int
        Most of them.
    cursor : str or None
        From the page before.
    spark : int
        Points before this many ns are left out of the sparkline; 0: none is given.
    spark_points : int
        Most points of it.

    Raises
    ------
    ConfigError
        No such order, or no cursor of this list.
    """

    first = _FIRST[sort]

    def key(row: Row) -> tuple[Any, ...]:
        return first(row), row.text, row.watch

    every = rows(service)
    found = sorted((row for row in every if wanted.takes(row)) if wanted != Wanted() else every, key=key)
    page = page_of(found, key, limit, cursor)
    return Page([series_document(service, row, spark, spark_points) for row in page.items], page.next, page.total)


def series_document(service: Service, row: Row, spark: int = 0, spark_points: int = SPARK_POINTS) -> dict[str, Any]:
    """A series as plain data."""
    last = row.last
    learning = row.state == "INSUFFICIENT_DATA"
    tail = service.recent.tail(row.watch, row.key) if spark else None
    found: dict[str, Any] = {
        "series": row.text,
        "metric": row.key.metric,
        "labels": dict(row.key.labels),
        "watch": row.watch,
        "detector": service.config.watches[row.watch].detector,
        "state": row.state,
        "risk": row.risk,
        "time": instant(int(last["time"])),
        **{name: finite(last[name]) for name in ("y", "yhat", "yhat_lower", "yhat_upper", "anomaly_score")},
        "learned": finite(last["confidence"]) if learning else None,
        "ready_at": instant(row.ready) if row.ready != NEVER else None,
    }
    if spark:
        found["spark"] = spark_of(tail, service.clock.now() - spark, spark_points)
    return found


def spark_of(tail: Tail | None, since: int, points: int = SPARK_POINTS) -> dict[str, list[Any]] | None:
    """Points for a sparkline: the last ones since a time, at most ``points``; None below two."""
    if tail is None:
        return None
    at = np.flatnonzero(tail.time >= since)
    if len(at) < 2:
        return None
    if len(at) > points:
        # The strangest of each stretch stays: a spark must not lose the spike it is shown for.
        wide = -(-len(at) // points)
        score = np.full(-(-len(at) // wide) * wide, -np.inf)
        score[: len(at)] = np.nan_to_num(tail.anomaly_score[at], nan=-1.0)
        at = at[np.arange(0, len(at), wide) + score.reshape(-1, wide).argmax(axis=1)]
    return {
        "times_ms": (tail.time[at] // _NS_MS).tolist(),
        **{name: column(getattr(tail, name)[at]) for name in ("y", "yhat_lower", "yhat_upper")},
    }
